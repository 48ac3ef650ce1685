# Medians and ratios of what `payloads` has measured; a table, or with json=1 one JSON object. Fields: what, CPU us, bytes.

{
  n = ++count[$1]
  us[$1, n] = $2 + 0
  bytes[$1] = $3
}

function median(what,    n, i, j, held, sorted) {
  n = count[what]
  for (i = 1; i <= n; i++) {
    held = us[what, i]
    for (j = i - 1; j >= 1 && sorted[j] > held; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = held
  }
  return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function row(words, what) {
  if (count[what]) printf "%-34s %10d %12.1f %16.2f\n", words, 1e6 / median(what), median(what), median(what) / median("template")
}

END {
  if (json) {
    printf "{\"what\":\"payloads\",\"machine\":\"%s\",\"versions\":\"%s\",\"rounds\":%d,\"bytes\":%d", machine, versions, rounds, bytes["template"]
    for (what in count) printf ",\"%s_us\":%.3f", what, median(what)
    print "}"
    exit
  }
  printf "Payloads of %d bytes: medians of %d rounds of %d\n%s\n%s\n\n", bytes["template"], rounds, times, machine, versions
  printf "%-34s %10s %12s %16s\n", "", "a second", "CPU us each", "of the template"
  row("the template, escaping included", "template")
  row("the same put together by hand", "hand")
  row("liquidjs", "liquidjs")
  row("compiling the template", "compile")
}
