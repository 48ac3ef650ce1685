-- Payloads render from the newest profile of a person: what other runs of theirs have written, and what came with them again.
-- A script reads the profile that its run has entered with, and its own writes.

local states = require "states"

local VENDOR = 'return { crm = { ["ANY /*"] = function(request) return 201, request.json end } }'
local PAYLOAD = [[return function(person) return { plan = person.plan, email = person.email, size = person.size } end]]
local SEND = [[
  local function send(what)
    local sent = call_api(what) { via = "crm", POST = "/x", payload = "p", only_if = function(newest) return newest.email ~= "no" end }
    local got = sent.skipped and { email = "skipped" } or sent.json
    print("said", what, got.plan, got.email, person.plan, person.email)
  end
]]

local function script(flow)
  return ([[return journey "carts" { per = "cart", flow = function(person, event) %s %s end }]]):format(SEND, flow)
end

-- Feeds ada once more, with a cart and attributes, and goes on until then. Returns the state, with what scripts have said.
local function feed(folder, flow, start, stop, cart, attributes)
  local ada = { id = "ada", event = { cart = cart } }
  for name, value in pairs(attributes) do ada[name] = value end
  local state = states.make("carts", script(flow), { ada }, { folder = folder, start = start, vendor = VENDOR,
    files = { ["payloads/p.lua"] = PAYLOAD }, flags = stop and { "--until", stop } })
  state.lines = {}
  for line in state.said:gmatch("said\t([^\n]+)") do state.lines[#state.lines + 1] = line end
  return state
end

describe("a payload is rendered from the newest profile", function()
  it("with what another run of the person has written, and the profile that it came with; the script reads its own",
    function()
    local FLOW = [[
      if event.cart == "c1" then wait "1d" send "first" person.plan = "own" send "second" return end
      wait "1h" person.plan = "gold" send "other"
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "old" })
    local both = feed(first.folder, FLOW, "2026-11-25 10:00", nil, "c2", { email = "new" })
    assert.same({ "other\tgold\tnew\tgold\tnew", "first\tgold\tnew\tnil\told", "second\town\tnew\town\told" },
      both.lines)
  end)

  it("also by runs that stay in memory all the while", function()
    local FLOW = [[
      if event.cart == "c2" then wait "6m" person.plan = "gold" send "c2" wait "1s" person.plan = "silver" return end
      wait "65m" for i = 1, 40 do wait "3s" if i % 15 == 0 then send("c1 " .. i) end end
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "old" })
    local both = feed(first.folder, FLOW, "2026-11-25 10:00", nil, "c2", { email = "old" })
    assert.same({ "c1 15\tnil\told\tnil\told", "c2\tgold\told\tgold\told", "c1 30\tsilver\told\tnil\told" }, both.lines)
  end)

  it("with what came with a person who was not let in, but not over what a script has written since", function()
    local FLOW = [[person.plan = "gold" wait "2h" send "a" wait "1d" send "b"]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "old", plan = "free" })
    local second = feed(first.folder, FLOW, "2026-11-25 10:00", "2026-11-25 12:00", "c1", { email = "old",
      plan = "free" })
    assert.equal(1, second.report.already_in)
    assert.same({ "a\tgold\told\tgold\told" }, second.lines)
    local third = feed(first.folder, FLOW, "2026-11-25 12:00", nil, "c1", { email = "newer", plan = "free" })
    assert.same({ "b\tgold\tnewer\tgold\told" }, third.lines)
  end)

  it("and so is only_if asked about", function()
    local FLOW = [[wait "2h" send "a" wait "1d" send "b"]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 12:00", "c1", { email = "yes" })
    assert.same({ "a\tnil\tyes\tnil\tyes" }, first.lines)
    local second = feed(first.folder, FLOW, "2026-11-25 12:00", nil, "c1", { email = "no" })
    assert.same({ "b\tnil\tskipped\tnil\tyes" }, second.lines)
  end)

  it("of a run that entered last, whatever came before", function()
    local FLOW = [[if event.cart == "c1" then wait "1d" send "c1" else wait "1h" send(event.cart) end]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:00", "c1", { email = "1" })
    feed(first.folder, FLOW, "2026-11-25 10:00", "2026-11-25 10:30", "c1", { email = "2" })
    local third = feed(first.folder, FLOW, "2026-11-25 11:00", nil, "c3", { email = "3" })
    assert.same({ "c3\tnil\t3\tnil\t3", "c1\tnil\t3\tnil\t1" }, third.lines)
  end)

  it("begins anew with the profile that the script has read", function()
    local FLOW = [[
      if event.cart == "c2" then person.plan = "gold" return end
      if event.n then wait "1d" send "anew" return end
      wait "1h" event.n = 1 wait "2h" send "before" restart_with {}
    ]]
    local first = feed(nil, FLOW, "2026-11-25 09:00", "2026-11-25 10:30", "c1", { email = "old" })
    local second = feed(first.folder, FLOW, "2026-11-25 10:30", nil, "c2", { email = "new" })
    assert.same({ "before\tgold\tnew\tnil\told", "anew\tgold\tnew\tnil\told" }, second.lines)
  end)
end)
