# Medians and ratios of what `run` has measured; a table, or with json=1 one JSON object.
# Fields: what, in flight, calls a second, CPU us a call, peak KB, vendor busy %.

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

# Resident memory of a call: what it takes above the fewest in flight.
function kb_a_call(key, level,    base, i, parts) {
  for (i = 1; i <= keys; i++) {
    split(order[i], parts, SUBSEP)
    if (parts[1] == "jaunt" && (!base || parts[2] + 0 < lowest)) { base = order[i]; lowest = parts[2] + 0 }
  }
  return base ? (median(key, 5) - median(base, 5)) / level : 0
}

function row_text(key, what, level) {
  if (what == "waiting") return
  printf "%-16s %9d %10.0f %10.1f %8s %8s %8s %8s %10.0f %6.0f%%\n", what == "jaunt-slow" ? "jaunt" : what, level,
    median(key, 3), median(key, 4), ratio(key, of("wrk", level), 3), ratio(key, of("wrk", level), 4),
    ratio(key, of("undici request", level), 3), ratio(key, of("undici dispatch", level), 3), median(key, 5) / 1024,
    median(key, 6)
}

function row_json(key, what, level) {
  printf "%s{\"what\":\"%s\",\"in_flight\":%d,\"calls_a_second\":%.0f,\"cpu_us_a_call\":%.2f,\"peak_kb\":%d,\"vendor_busy\":%.3f}",
    comma, what, level, median(key, 3), median(key, 4), median(key, 5), median(key, 6) / 100
  comma = ","
}

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
  print ""
  printf "%-16s %9s %10s %10s %8s %8s %8s %8s %10s %7s\n", "", "", "", "CPU", "of wrk's", "of its", "of undici", "of undici", "peak", "vendor"
  printf "%-16s %9s %10s %10s %8s %8s %8s %8s %10s %7s\n", "", "in flight", "calls/s", "us a call", "rate", "CPU", "request", "dispatch", "MB", "busy"
  for (i = 1; i <= keys; i++) {
    split(order[i], parts, SUBSEP)
    row_text(order[i], parts[1], parts[2])
  }
  print ""
  for (i = 1; i <= keys; i++) {
    split(order[i], parts, SUBSEP)
    if (parts[1] == "jaunt-slow")
      printf "%d in flight, a vendor that takes %d ms: %.1f KB of resident memory a call\n", parts[2], latency, kb_a_call(order[i], parts[2])
    if (parts[1] == "waiting")
      printf "%d waiting runs: %.0f MB, %.2f KB each\n", parts[2], median(order[i], 5) / 1024, median(order[i], 5) / parts[2]
  }
}
