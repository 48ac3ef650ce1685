# Medians and ratios of what `run` has measured; tables, or with json=1 one JSON object.
# Fields: what, in flight (or which program, or how many), a second (or ms), CPU us each, KB, vendor busy %; see `run`.

{
  key = $1 SUBSEP $2
  if (!(key in count)) order[++keys] = key
  n = ++count[key]
  for (field = 3; field <= 6; field++) value[key, field, n] = $field
}

function median(key, field,    n, i, j, held, sorted) {
  n = count[key]
  for (i = 1; i <= n; i++) {
    held = value[key, field, i] + 0
    for (j = i - 1; j >= 1 && sorted[j] > held; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = held
  }
  return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function ratio(key, other, field,    its) {
  if (!(other in count)) return "-"
  its = median(other, field)
  return its > 0 ? sprintf("%.2f", median(key, field) / its) : "-"
}

function of(what, level) { return what SUBSEP level }

# What a row tells of is named by its first field; calls have a table, the others a line each.
function is_call(what) { return what !~ /^(start|idle|workers|people|audience|waiting)$/ }

# The first key of that kind; empty where there is none.
function first_of(what,    i, parts) {
  for (i = 1; i <= keys; i++) {
    split(order[i], parts, SUBSEP)
    if (parts[1] == what) return order[i]
  }
  return ""
}

# Resident memory of a call: what it takes above the fewest in flight.
function kb_a_call(key, level,    base, i, parts) {
  for (i = 1; i <= keys; i++) {
    split(order[i], parts, SUBSEP)
    if (parts[1] == "jaunt" && (!base || parts[2] + 0 < lowest)) { base = order[i]; lowest = parts[2] + 0 }
  }
  return base ? (median(key, 5) - median(base, 5)) / level : 0
}

# Resident memory of each person of a file: by the difference to the first, smaller one. 0 for that.
function bytes_a_person(key, how_many,    base, parts) {
  base = first_of("audience")
  split(base, parts, SUBSEP)
  if (how_many <= parts[2] + 0) return 0
  return (median(key, 5) - median(base, 5)) * 1024 / (how_many - parts[2])
}

function call_text(key, what, level) {
  printf "%-16s %9d %10.0f %10.1f %8s %8s %8s %8s %10.0f %6.0f%%\n", what == "jaunt-slow" ? "jaunt" : what, level,
    median(key, 3), median(key, 4), ratio(key, of("wrk", level), 3), ratio(key, of("wrk", level), 4),
    ratio(key, of("undici request", level), 3), ratio(key, of("undici dispatch", level), 3), median(key, 5) / 1024,
    median(key, 6)
}

function calls_text(    i, parts) {
  if (!first_of("jaunt") && !first_of("jaunt-slow")) return
  printf "\n%-16s %9s %10s %10s %8s %8s %8s %8s %10s %7s\n", "", "", "", "CPU", "of wrk's", "of its", "of undici", "of undici", "peak", "vendor"
  printf "%-16s %9s %10s %10s %8s %8s %8s %8s %10s %7s\n", "", "in flight", "calls/s", "us a call", "rate", "CPU", "request", "dispatch", "MB", "busy"
  for (i = 1; i <= keys; i++) {
    split(order[i], parts, SUBSEP)
    if (is_call(parts[1])) call_text(order[i], parts[1], parts[2])
  }
}

# What is told in a line of its own, all of one kind together, a blank line before them.
function lines_of(what,    i, parts) {
  if (first_of(what) && what != "idle") print ""
  for (i = 1; i <= keys; i++) {
    split(order[i], parts, SUBSEP)
    if (parts[1] == what) line_text(order[i], what, parts[2])
  }
}

function line_text(key, what, which,    mb) {
  mb = median(key, 5) / 1024
  if (what == "start") printf "start    %-26s %6.1f ms %6.1f ms CPU %6.1f MB\n", which, median(key, 3), median(key, 4) / 1000, mb
  if (what == "idle") printf "idle     %-26s %29.1f MB\n", which, mb
  if (what == "workers")
    printf "%d worker%s on all cores, 256 in flight: %.0f calls/s, %.1f us CPU a call (%s of one worker's)\n", which,
      (which + 0 > 1) ? "s" : "", median(key, 3), median(key, 4), ratio(key, of("workers", 1), 4)
  if (what == "people")
    printf "%d people through a journey without calls: %.0f a second, %.2f us CPU each, at most %.0f MB\n", which, median(key, 3),
      median(key, 4), mb
  if (what == "audience")
    printf "a file of %d people: %.0f a second, at most %.0f MB%s\n", which, median(key, 3), mb,
      bytes_a_person(key, which) ? sprintf(", %.1f bytes for each one more", bytes_a_person(key, which)) : ""
  if (what == "waiting") printf "%d waiting runs: %.0f MB, %.2f KB each\n", which, mb, median(key, 5) / which
  if (what == "jaunt-slow")
    printf "%d in flight, a vendor that takes %d ms: %.1f KB of resident memory a call\n", which, latency, kb_a_call(key, which)
}

function row_json(key, what, which) {
  printf "%s{\"what\":\"%s\",", comma, what
  if (what == "start") printf "\"program\":\"%s\",\"ms\":%.2f,\"cpu_us\":%.0f,", which, median(key, 3), median(key, 4)
  else if (what == "idle") printf "\"program\":\"%s\",", which
  else if (what == "workers")
    printf "\"workers\":%d,\"calls_a_second\":%.0f,\"cpu_us_a_call\":%.2f,\"cpu_of_one_worker\":%s,", which, median(key, 3),
      median(key, 4), number(ratio(key, of("workers", 1), 4))
  else if (what == "people" || what == "audience")
    printf "\"people\":%d,\"people_a_second\":%.0f,\"cpu_us_a_person\":%.3f,", which, median(key, 3), median(key, 4)
  else if (what == "waiting") printf "\"runs\":%d,", which
  else
    printf "\"in_flight\":%d,\"calls_a_second\":%.0f,\"cpu_us_a_call\":%.2f,\"vendor_busy\":%.3f,", which, median(key, 3),
      median(key, 4), median(key, 6) / 100
  if (what == "audience" && bytes_a_person(key, which)) printf "\"bytes_a_person\":%.1f,", bytes_a_person(key, which)
  printf "\"%s\":%d}", what == "idle" || what == "waiting" ? "resident_kb" : "peak_kb", median(key, 5)
  comma = ","
}

function number(text) { return text == "-" ? "null" : text }

END {
  sub(/; $/, "", skipped)
  if (json) {
    printf "{\"machine\":\"%s\",\"versions\":\"%s\",\"durability\":\"memory\",\"rounds\":%d,\"people\":%d,\"skipped\":\"%s\",\"rows\":[", machine,
      versions, rounds, people, skipped
    for (i = 1; i <= keys; i++) {
      split(order[i], parts, SUBSEP)
      row_json(order[i], parts[1], parts[2])
    }
    print "]}"
    exit
  }
  print "machine     " machine
  print "versions    " versions
  print "durability  memory; its batches are one turn of the worker's loop (at most 256 resumes)"
  printf "measured    medians of %d rounds of %d calls, one jaunt worker (and its control thread) on one core\n", rounds, people
  if (skipped) print "left out    " skipped
  calls_text()
  lines_of("jaunt-slow")
  lines_of("workers")
  lines_of("people")
  lines_of("audience")
  lines_of("waiting")
  lines_of("start")
  lines_of("idle")
}
