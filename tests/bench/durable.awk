# Medians, ratios and verdicts of what `durable` has measured; a table, or with json=1 one JSON object.
# Fields: what, variant, field, value; see `durable`. A row is what was measured, what stands beside it, a target and whether it is
# met.

{
  key = $1 SUBSEP $2 SUBSEP $3
  value[key, ++count[key]] = $4
  if (!(($1, $2) in seen)) { seen[$1, $2]; variants[$1, ++variant_count[$1]] = $2 }
}

function has(what, variant, field) { return (what SUBSEP variant SUBSEP field) in count }

function median(what, variant, field,    key, n, i, j, held, sorted) {
  key = what SUBSEP variant SUBSEP field
  n = count[key]
  for (i = 1; i <= n; i++) {
    held = value[key, i] + 0
    for (j = i - 1; j >= 1 && sorted[j] > held; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = held
  }
  return n == 0 ? 0 : n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function ratio(a, b) { return b > 0 ? a / b : 0 }

# 1234567 as 1,234,567.
function grouped(number,    text, out) {
  text = sprintf("%.0f", number)
  while (length(text) > 3) {
    out = "," substr(text, length(text) - 2) out
    text = substr(text, 1, length(text) - 3)
  }
  return text out
}

function quoted(text) { return "\"" text "\"" }

# A row. `met` is 1, 0, or empty where there is no target; `facts` are its numbers as JSON.
function row(what, figure, beside, target, met, facts,    word) {
  word = met == "" ? "" : met ? "met" : "missed"
  if (json) {
    printf "%s{\"what\":%s,%s%s}", comma, quoted(what), facts, word ? ",\"target\":" quoted(target) ",\"met\":" (met ? "true" : "false") : ""
    comma = ","
  } else
    printf "%-47s %12s  %-60s %-20s %s\n", what, figure, beside, target, word
}

function steps(workers,    full, memory, limit, batch) {
  full = median("steps", workers " full", "rate")
  if (!full) return
  memory = median("steps", workers " memory", "rate")
  limit = median("steps", workers " limit", "rate")
  batch = median("steps", workers " full", "batch")
  row(sprintf("steps/s without calls, %d worker%s", workers, workers > 1 ? "s" : ""), grouped(full),
    sprintf("%.2f of the limit %s, memory %s; batch %s", ratio(full, limit), grouped(limit), grouped(memory), grouped(batch)),
    ">= 100,000 and 0.5", full >= 100000 && full >= limit / 2,
    sprintf("\"workers\":%d,\"full\":%.0f,\"memory\":%.0f,\"limit\":%.0f,\"limit_with_calls\":%.0f,\"ratio\":%.3f,\"batch\":%.0f", workers, full, memory,
      limit, median("steps", workers " calls", "rate"), ratio(full, limit), batch))
}

function journeys(    i, parts) {
  for (i = 1; i <= variant_count["journeys"]; i++) {
    split(variants["journeys", i], parts, " ")
    if (parts[2] == "full") journeys_of(parts[1])
  }
}

function journeys_of(people,    full, normal, memory, batch) {
  full = median("journeys", people " full", "rate")
  normal = median("journeys", people " normal", "rate")
  memory = median("journeys", people " memory", "rate")
  batch = median("journeys", people " full", "batch")
  row(sprintf("journeys/s, 2 calls each, %s people", grouped(people)), grouped(full),
    sprintf("%.2f of memory %s; batch %s steps", ratio(full, memory), grouped(memory), grouped(batch)), ">= 12,000 and 0.6",
    full >= 12000 && full >= 0.6 * memory,
    sprintf("\"people\":%d,\"full\":%.0f,\"normal\":%.0f,\"memory\":%.0f,\"ratio\":%.3f,\"batch\":%.0f,\"cpu_us\":%.1f,\"cpu_us_memory\":%.1f", people, full,
      normal, memory, ratio(full, memory), batch, median("journeys", people " full", "cpu_us"), median("journeys", people " memory", "cpu_us")))
  row("  CPU us each; synced NORMAL", sprintf("%.1f", median("journeys", people " full", "cpu_us")),
    sprintf("memory %.1f; NORMAL %s/s, batch %s", median("journeys", people " memory", "cpu_us"), grouped(normal),
      grouped(median("journeys", people " normal", "batch"))), "", "",
    sprintf("\"people\":%d,\"batch_normal\":%.0f", people, median("journeys", people " normal", "batch")))
}

function lone(    full, memory, times) {
  if (!has("lone", "full", "us")) return
  full = median("lone", "full", "us")
  memory = median("lone", "memory", "us")
  times = ratio(full - memory, 1000 * sync_ms)
  row("us that durability adds to a lone call", sprintf("%.0f", full - memory),
    sprintf("%.1f times a sync; a call %.0f, in memory %.0f", times, full, memory), "<= 2.5 syncs", times <= 2.5,
    sprintf("\"full_us\":%.0f,\"memory_us\":%.0f,\"syncs\":%.2f", full, memory, times))
}

function parked(    n, each) {
  n = variants["parked", 1]
  if (!n) return
  each = 1024 * (median("parked", n, "resident") - median("parked", n, "none")) / n
  row(sprintf("%s who wait a day: bytes of memory each", grouped(n)), sprintf("%.1f", each),
    sprintf("at most %.1f MB resident, with one person %.1f MB", median("parked", n, "resident") / 1024, median("parked", n, "none") / 1024),
    "< 50", each < 50, sprintf("\"people\":%d,\"bytes\":%.2f,\"resident_kb\":%d", n, each, median("parked", n, "resident")))
  row("  bytes of disk each", sprintf("%.0f", median("parked", n, "disk")), sprintf("they came %s/s", grouped(median("parked", n, "rate"))),
    "", "", sprintf("\"people\":%d,\"bytes\":%.1f,\"people_a_second\":%.0f", n, median("parked", n, "disk"), median("parked", n, "rate")))
}

function bytes(    n, all, counted) {
  n = variants["bytes", 1]
  if (!n) return
  all = median("bytes", n, "all")
  counted = all - median("bytes", n, "requests") - median("bytes", n, "profile")
  row("bytes of disk of a run of 3 calls", sprintf("%.0f", counted),
    sprintf("%.0f of them headers; besides %.0f requests, %.0f profile", median("bytes", n, "headers"), median("bytes", n, "requests"),
      median("bytes", n, "profile")), "<= 600", counted <= 600,
    sprintf("\"runs\":%d,\"bytes\":%.1f,\"all\":%.1f,\"requests\":%.1f,\"profile\":%.1f,\"headers\":%.1f,\"bodies\":%.1f", n, counted, all,
      median("bytes", n, "requests"), median("bytes", n, "profile"), median("bytes", n, "headers"), median("bytes", n, "bodies")))
}

function start(    i, n, ms) {
  for (i = 1; i <= variant_count["start"]; i++) {
    n = variants["start", i]
    ms = median("start", n, "ms")
    row(sprintf("ms from start to a first step; %s %s", grouped(n), n > 1 ? "wait" : "waits"), sprintf("%.0f", ms), "until the process ends; the file not in the page cache", "<= 2,000",
      ms <= 2000, sprintf("\"people\":%d,\"ms\":%.1f", n, ms))
  }
}

function due(    n, seconds) {
  n = variants["due", 1]
  if (!n) return
  seconds = median("due", n, "seconds")
  row(sprintf("seconds until %s due at once wait again", grouped(n)), sprintf("%.1f", seconds),
    sprintf("%.1f us CPU each; batch %s", median("due", n, "cpu_us"), grouped(median("due", n, "batch"))), "<= 30", seconds <= 30,
    sprintf("\"people\":%d,\"seconds\":%.2f,\"cpu_us\":%.2f,\"batch\":%.0f", n, seconds, median("due", n, "cpu_us"), median("due", n, "batch")))
}

function wake(    n, us) {
  n = variants["wake", 1]
  if (!n) return
  us = median("wake", n, "cpu_us")
  row("CPU us of a wake with 20 steps behind it", sprintf("%.1f", us), "with the end of the run and its commit", "<= 60", us <= 60,
    sprintf("\"runs\":%d,\"cpu_us\":%.2f", n, us))
}

END {
  file_system = variants["disk", 1]
  sync_ms = median("disk", file_system, "sync_ms")
  if (json)
    printf "{\"machine\":%s,\"versions\":%s,\"durability\":\"sqlite FULL\",\"file_system\":%s,\"sync_ms\":%.4f,\"rounds\":%d,\"in_flight\":%d,\"rows\":[",
      quoted(machine), quoted(versions), quoted(file_system), sync_ms, rounds, in_flight
  else {
    print "machine     " machine
    print "versions    " versions
    print "durability  sqlite FULL, unless said otherwise; a batch is what one commit held, on average, in steps"
    printf "disk        %s, %.3f ms a sync (4 KiB appended, the median of %d times 200)%s\n", file_system, sync_ms,
      count["disk" SUBSEP file_system SUBSEP "sync_ms"],
      file_system == "tmpfs" ? "; NOTHING IS DURABLE THERE: these figures say nothing of a disk" : ""
    printf "measured    medians of %d rounds; %d in flight, runtime and vendor on two cores\n\n", rounds, in_flight
    printf "%-47s %12s  %-60s %-20s\n", "", "measured", "beside it", "target"
  }
  steps(1); steps(2); journeys(); lone(); parked(); bytes(); start(); due(); wake()
  if (json) print "]}"
}
