-- split gives one of its branches. It is no die: the same person gets the same branch every time, in every process.
--
--   jaunt run examples/split.lua --people examples/people.csv

return journey "split" {
  flow = function(person)
    local subject = split "subject line" { short = 50, long = 30, none = 20 }
    if subject ~= "none" then
      call_api "e-mail" { via = "crm", POST = "/mails", json = { to = person.id, subject = subject } }
    end
    person.subject = subject
    log("gets " .. subject)
  end,
}
