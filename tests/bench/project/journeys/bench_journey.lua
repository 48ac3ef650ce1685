-- Two calls, and a recorded decision between them.
return journey "bench_journey" {
  flow = function(person)
    call_api "contact" { via = "vendor", POST = "/contacts", payload = "contact" }
    local copy = split "copy" { plain = 1, funny = 1 }
    call_api "message" { via = "vendor", POST = "/messages", json = { to = person.email, copy = copy } }
  end,
}
