-- One call for each person; its answer is decoded and decides how the person leaves.
return journey "bench_call" {
  flow = function(person)
    local answer = call_api "contact" { via = "vendor", POST = "/contacts", payload = "contact" }
    if answer.json.accepted then exit "accepted" end
    drop "refused"
  end,
}
