-- What `jaunt new` writes: lists of { path, text }, in which NAME stands for the name of the project, journey or payload.

local types = require "jaunt.new.types"

local files = {}

files.project = {
  { "connections.lua", [[
-- The outside systems that journeys call. Secrets come from the environment, or from secrets.env, never from here.
-- A rehearsal sends everything to pretend vendors.
return {
  email = {
    base_url = env("EMAIL_URL", "https://mail.example.com/v3"),
    auth = { bearer = secret "EMAIL_TOKEN" },
    timeout = "10s",
  },
}
]] },
  { "journeys/hello.lua", [[
-- Says hello by e-mail, and asks a week later how it went.
return journey "hello" {
  starts_on = "signed_up",

  flow = function(person)
    if not person.email then drop "no e-mail address" end
    call_api "hello" { via = "email", POST = "/send", payload = "hello" }
    wait "7d"
    call_api "how was it" { via = "email", POST = "/send", payload = "how_was_it", on_failure = "continue" }
  end,
}
]] },
  { "payloads/hello.json", [[
{%- # Values are put in between double braces; they can't break the JSON, whatever is in them. -%}
{
  "to": "{{ email }}",
  "subject": "Hello {{ first_name | default: 'there' }}!",
  "text": "Good to have you with us.\n"
}
]] },
  { "payloads/how_was_it.json", [[
{
  "to": "{{ email }}",
  "subject": "How was your first week{% if first_name %}, {{ first_name }}{% endif %}?",
  "text": "Write to us: we read every answer.\n"
}
]] },
  { "people/samples.ndjson", [[
{"id":"ada","first_name":"Ada","email":"ada@example.com","zone":"Europe/London"}
{"id":"wanjiru","first_name":"Wanjirũ \"W\"","email":"wanjiru@example.net","zone":"Africa/Nairobi"}
{"id":"nameless","email":"someone@example.org"}
{"id":"unreachable","first_name":"Grace"}
]] },
  { "vendor.lua", [[
-- How the pretend vendors answer; what stands nowhere here is answered with 200 {"ok":true}.
return {
  email = {
    ["POST /v3/send"] = function(request)
      if not (request.json and (request.json.to or ""):find("@", 1, true)) then return 422, { error = "no address" } end
      return 202, { id = request.id }
    end,
  },
}
]] },
  { "spec/hello_spec.lua", [[
describe("hello", function()
  it("says hello at once, and asks after a week", function()
    local run = enter("hello", "ada")
    assert.received("email", "POST /send", { to = "ada@example.com", subject = "Hello Ada!" })
    clock "+6d"
    assert.is_waiting_at(run, "wait 7d")
    clock "+1d"
    assert.went_through(run, "how was it")
    assert.completed(run)
  end)

  it("has a word for those whose name it does not know", function()
    local run = enter("hello", "nameless")
    assert.equal("Hello there!", sent(run, "hello").json.subject)
  end)

  it("drops who has no address, before anything is sent", function()
    assert.dropped_at(enter("hello", "unreachable"), nil, "no e-mail address")
    assert.received("email", "POST /send", nil, 0)
  end)

  it("drops whose address the vendor refuses", function()
    vendor "email":on "POST /send":reply(422)
    assert.dropped_at(enter("hello", "ada"), "hello")
  end)
end)
]] },
  { "README.md", [[
# NAME

Customer journeys, run by jaunt. Type here:

    jaunt run hello --people people/samples.ndjson          # a rehearsal: pretend vendors, no waiting
    jaunt preview hello --person ada                        # what Ada would be sent
    jaunt check                                             # is everything right?
    jaunt test                                              # does it do what it should?
    jaunt docs hello                                        # its documentation, with a diagram, in docs/
    jaunt new journey win_back                              # one more journey; jaunt new payload win_back, too

| there | stands |
|---|---|
| `connections.lua` | the outside systems: address, secrets, timeouts |
| `journeys/` | who is sent what, when: Lua |
| `payloads/` | the words: templates that can be changed without breaking anything |
| `people/` | samples, for previews and tests; their events would be in `samples.events.ndjson` |
| `spec/` | tests |
| `vendor.lua` | how the pretend vendors answer |
| `types/` | jaunt's words, for editors with the Lua language server |

The real thing is `jaunt run hello --people FILE --live`. It wants the secrets that `connections.lua` names, from the environment or from
`secrets.env`, which only you may read (`chmod 600`): `EMAIL_TOKEN=…`, and the address of your vendor, `EMAIL_URL`.

`jaunt help` shows the commands.
]] },
  { ".gitignore", "secrets.env\nsettings.lua\nsaved/\n*.db\n*.db-wal\n*.db-shm\n*.db.*\n*.rejects.*\n" },
  { ".luarc.json", '{ "runtime.version": "Lua 5.4", "workspace.library": ["types"] }\n' },
  { "types/jaunt.lua", types.scripts },
  { "types/spec.lua", types.specs },
}

files.journey = {
  { "journeys/NAME.lua", [[
-- What this journey is for.
return journey "NAME" {
  starts_on = "signed_up",            -- the event that lets a person in

  flow = function(person, event)
    -- call_api "first message" { via = "email", POST = "/send", payload = "hello" }
    wait "1d"
  end,
}
]] },
  { "spec/NAME_spec.lua", [[
describe("NAME", function()
  it("lets a person through", function()
    local run = enter("NAME", { id = "ada" })
    clock "+1d"
    assert.completed(run)
  end)
end)
]] },
}

files.payload = {
  { "payloads/NAME.json", [[
{
  "to": "{{ email }}",
  "text": "Hello {{ first_name | default: 'there' }}!"
}
]] },
}

return files
