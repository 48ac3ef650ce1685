-- One live call with what a preview shows, to an address of one's own.

local connections = require "jaunt.project.connections"
local engine = require "jaunt.native.engine"
local json = require "json"
local keys = require "jaunt.base.keys"
local launch = require "jaunt.run.launch"
local mistakes = require "jaunt.base.mistakes"
local term = require "jaunt.base.term"

local send = {}

local WAIT_MS = 100
local WITHIN = "1m"

-- The call as a plain script: it is made once, and never again.
local SCRIPT = [[
local call = json.decode((...))
local headers = {}
for name, value in pairs(call.headers) do headers[name] = type(value) == "table" and secret(value.secret) or value end
local answer = call_api "preview" {
  via = call.via, method = call.method, url = call.url, headers = headers, body = call.body,
  retry = false, within = call.within, on_failure = "continue",
}
print(json.encode { ok = answer.ok, status = answer.status, error = answer.error, body = answer.body, ms = answer.ms })
]]

-- The secret that a text as traces show it stands for, or nil.
local function secret_in(text)
  return text:match("^‹secret (.+)›$")
end

-- The headers of a call's description that its connection does not add by itself.
local function own_headers(call, connection)
  local added, own = {}, {}
  for name, value in pairs(connection and connection.headers or {}) do
    added[name:lower()] = type(value) == "string" and value or true
  end
  local auth = connection and connection.auth
  if auth then added[(auth.kind == "header" and auth.name or "authorization"):lower()] = auth.kind ~= "query" end
  local key = connection and connection.idempotent
  added[(type(key) == "string" and key or "Idempotency-Key"):lower()] = true
  for name, value in pairs(call.headers) do
    local by_connection = added[name:lower()]
    if by_connection ~= true and by_connection ~= value then
      own[name] = secret_in(value) and { secret = secret_in(value) } or value
    end
  end
  return own
end

-- The URL without the secret that the connection adds to the query.
local function own_url(call, connection)
  local auth = connection and connection.auth
  if not auth or auth.kind ~= "query" then return call.url end
  local name = auth.name:gsub("%W", "%%%0")
  return (call.url:gsub("[?&]" .. name .. "=[^&]*$", ""))
end

local function connection_of(list, name)
  for _, connection in ipairs(list) do
    if connection.name == name then return connection end
  end
end

-- The person with an address of one's own in the place of theirs, as JSON and decoded, ready to walk.
function send.with_address(one, address)
  local person = json.decode(one.profile)
  for name, value in pairs(address) do person[name] = value end
  return { id = one.id, person = person, event = one.event, profile = json.encode(person), event_text = one.event_text }
end

-- Fails where an address of the person's own still stands in what would be sent. `name` is that of the settings.
function send.check_address(call, one, address, name)
  local whole = call.url .. "\n" .. (call.body or "")
  local own = { "email", "phone" }
  for field in pairs(address) do own[#own + 1] = field end
  for _, field in ipairs(own) do
    local theirs = one.person[field]
    if type(theirs) == "string" and #theirs > 3 and theirs ~= address[field] and whole:find(theirs, 1, true) then
      mistakes.fail("not sent: %s, the %s of %s, still stands in what would be sent%s", term.one_line(theirs), field,
        term.one_line(one.id), address[field] and (", beside yours: it comes from the event or from vars") or
        (": give send_to.%s a %s in the settings"):format(name, field))
    end
  end
end

local function in_words(address)
  local list = {}
  for _, name in ipairs(keys.sorted(address)) do list[#list + 1] = ("%s %s"):format(name, tostring(address[name])) end
  return table.concat(list, ", ")
end

-- Shows what is about to happen, and wants the payload's name typed, as jaunt run --live does; `yes` goes without.
function send.confirm(call, what, whom, address, yes)
  local paint = term.paint(2)
  io.stderr:write(paint.bold(paint.red("LIVE")), ("  one call, %s with the data of %s, but %s; what came from vendors before "
    .. "it is pretended\n  %s %s\n"):format(term.one_line(what), term.one_line(whom), term.one_line(in_words(address)),
    call.method, term.one_line(call.url)))
  if yes then return end
  if not term.isatty(0) then mistakes.fail("--send-to wants %s typed on a terminal; scripts give --yes", what) end
  io.stderr:write(("Type %s to send it: "):format(what))
  io.stderr:flush()
  if io.read("l") ~= what then mistakes.fail("not sent: that was not \"%s\"", what) end
end

-- Makes the call that is described (see jaunt.preview.walk). Returns { ok =, status =, error =, body =, ms = }.
-- `flags`: secrets (a file), private_network.
function send.live(found, call, flags)
  local list = connections.read(found)
  local connection = connection_of(list, call.via)
  local described = {
    via = call.via, method = call.method, url = own_url(call, connection), headers = own_headers(call, connection),
    body = call.body, within = WITHIN,
  }
  local script = {
    kind = "script", name = "preview", version = "", secrets = {},
    text = json.encode { kind = "script", main = { path = "preview", text = SCRIPT }, modules = json.decode("{}"),
      payloads = json.decode("{}"), arguments = { json.encode(described) } },
  }
  for _, value in pairs(described.headers) do
    if type(value) == "table" then table.insert(script.secrets, value.secret) end
  end
  local running <close> = launch.engine(script, found, {
    start_ms = engine.now_ms(), connections = list, secrets = launch.secrets(script, found, nil, flags.secrets),
    private_network = flags.private_network,
  })
  running:admit("preview", "{}", "{}")
  running:admission_over()
  local answer, complaint
  repeat
    local over = running:finished()
    if over then running:stop(0) end
    for kind, text in running.message, running do
      if kind == "output" then answer = json.decode(text) elseif kind == "warning" then complaint = text end
    end
    if not over then running:wait(WAIT_MS) end
  until over
  answer = answer or { ok = false, error = complaint or "the call was not made" }
  if answer.error then answer.error = answer.error:gsub('^"preview": ', "", 1) end
  return answer
end

return send
