-- drop and exit end a run by the script's own will: drop says that something went wrong for this person, exit that all
-- is well. Neither is an error: pcall does not see it, and <close> variables are closed.
--
--   jaunt run examples/drop_and_exit.lua --people examples/people.csv

return journey "drop_and_exit" {
  flow = function(person)
    local guard <close> = setmetatable({}, { __close = function() log "closed" end })

    pcall(function()
      if tonumber(person.age) < 18 then drop "under age" end
    end)
    if person.plan == "pro" then exit "has it already" end

    call_api "offer" { via = "crm", POST = "/mails", json = { to = person.id } }
  end,
}
