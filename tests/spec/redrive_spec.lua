-- jaunt redrive: held and dropped runs go on from where they were held or dropped, and nothing is done twice.

local helper = require "helper"
local json = require "json"
local repairing = require "repairing"
local running = require "running"

local STATE = repairing.STATE

local TWO_CALLS = [[
  call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
  call_api "second" { via = "vendor", POST = "/second", payload = "words" }
  wait "2h"
  call_api "third" { via = "vendor", POST = "/third", json = { id = person.id } }
]]

local function words(project, text)
  helper.write_file(project.folder .. "/payloads/words.lua",
    ("return function(person) return { id = person.id, words = %q } end"):format(text))
end

local function two_calls(refusals)
  local project = repairing.project(TWO_CALLS, { refusals = refusals })
  words(project, "old")
  return project
end

local function redrive(project, ...)
  return project.command("redrive", "trip", "--state", STATE, "--yes", ...)
end

describe("a dropped run that is redriven", function()
  it("goes back to the call that dropped it, which is made again under another key; what went well before is not", function()
    local project = two_calls { ["POST /second"] = { p1 = 422, p2 = 422 } }
    local report = project.run("--trace", "one")
    assert.equal(2, report.dropped)
    project.refuse {}
    local told, result = redrive(project)
    assert.equal(0, result.code, result.err)
    assert.equal(2, told.done)
    report = project.run("--trace", "two")
    assert.equal(8, report.completed)
    assert.equal(0, report.dropped)
    local before, after = project.calls "one", project.calls "two"
    assert.is_nil(after.first)
    for _, id in ipairs { "p1", "p2" } do
      assert.equal(1, #after.second[id])
      assert.equal(1, #after.third[id])
      assert.not_equal(before.second[id][1].key, after.second[id][1].key)
    end
    assert.is_nil(after.second.p3)
  end)

  it("is rendered from what came with the person since", function()
    local project = two_calls { ["POST /second"] = { p1 = 422 } }
    helper.write_file(project.folder .. "/payloads/words.lua",
      "return function(person) return { id = person.id, words = person.email } end")
    helper.write_file(project.folder .. "/people.csv", "id,email\np1,worng@example.com\n")
    assert.equal(1, project.run().dropped)
    helper.write_file(project.folder .. "/people.csv", "id,email\np1,right@example.com\n")
    assert.equal(1, project.run().already_in)
    project.refuse {}
    redrive(project)
    helper.write_file(project.folder .. "/people.csv", "id,email\np2,other@example.com\n")
    project.run("--trace", "two")
    assert.equal("right@example.com", json.decode(project.calls("two").second.p1[1].body).words)
  end)

  it("is rendered anew", function()
    local project = two_calls { ["POST /second"] = { p1 = 422 } }
    project.run()
    words(project, "new")
    redrive(project)
    project.run("--trace", "two")
    assert.equal("new", json.decode(project.calls("two").second.p1[1].body).words)
  end)

  it("is moved back by the ledger, and the funnel keeps that it was dropped, and redriven", function()
    local project = two_calls { ["POST /second"] = { p1 = 422, p2 = 503 } }
    project.run()
    project.refuse {}
    redrive(project)
    local report = project.run()
    local second = running.element(report, "second")
    assert.equal(10, second.reached)
    assert.equal(8, second.went_on)
    assert.equal(2, second.dropped)
    assert.equal(2, second.reasons.redriven)
    assert.equal(8, running.element(report, "first").reached)
    assert.equal(8, report.completed)
  end)

  it("can fail again, and be redriven again, each time under a key of its own", function()
    local project = two_calls { ["POST /second"] = { p1 = 422 } }
    local keys = {}
    for i = 1, 3 do
      local report = project.run("--trace", "trace")
      assert.equal(1, report.dropped)
      local key = project.calls("trace").second.p1[1].key
      assert.is_nil(keys[key])
      keys[key] = true
      if i == 3 then project.refuse {} end
      assert.equal(1, redrive(project).done)
    end
    assert.equal(8, project.run().completed)
  end)

  it("has the whole time of its call anew, however long ago it was dropped", function()
    local project = repairing.project([[
      wait "2d"
      call_api "late" { via = "vendor", POST = "/late", json = { id = person.id }, within = "1h" }
    ]], { refusals = { ["POST /late"] = { p1 = 422 } } })
    assert.equal(1, project.run("--start", "2026-11-01T09:00:00Z").dropped)
    project.refuse {}
    redrive(project)
    local report = project.run("--start", "2026-11-20T09:00:00Z")
    assert.equal(8, report.completed)
    assert.equal(1, report.calls)
  end)

  it("sees the same dice and answers as before", function()
    local project = repairing.project([[
      local dice = random(1, 1000000)
      local way = split "way" { a = 50, b = 50 }
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
      call_api "second" { via = "vendor", POST = "/second", json = { id = person.id, dice = dice, way = way, name = uuid() } }
    ]], { refusals = { ["POST /second"] = { p1 = 422, p2 = 422 } } })
    project.run("--trace", "one")
    project.refuse {}
    redrive(project)
    project.run("--trace", "two")
    for _, id in ipairs { "p1", "p2" } do
      assert.equal(project.calls("one").second[id][1].body, project.calls("two").second[id][1].body)
    end
  end)
end)

describe("a held run that is redriven", function()
  it("goes on when the secret is there", function()
    local project = repairing.project [[ call_api "hello" { via = "shop", POST = "/hello", json = { id = person.id } } ]]
    local vendor = running.vendor()
    helper.write_file(project.folder .. "/connections.lua",
      [[return { shop = { base_url = env("VENDOR_URL"), private_network = true,
      auth = { bearer = secret "SHOP_TOKEN" } } }]])
    local env = { VENDOR_URL = vendor.url .. "/vendor" }
    local function live()
      local result = running.run(project.folder, { env = env }, "trip", "--people", "people.csv", "--state", STATE,
        "--live", "--yes", "--json")
      return result.report
    end
    assert.equal(8, live().held)
    assert.equal(0, vendor.received().requests)
    env.SHOP_TOKEN = "token"
    assert.equal(8, live().held) -- not by itself
    assert.equal(8, project.command("redrive", "trip", "--reason", "config", "--state", STATE, "--yes").done)
    assert.equal(8, live().completed)
    assert.equal(8, vendor.received().accepted)
    vendor.stop()
  end)

  it("goes on when the payload is mended", function()
    local project = two_calls {}
    helper.write_file(project.folder .. "/payloads/words.lua", "return function() error 'broken' end")
    assert.equal(8, project.run().held)
    words(project, "mended")
    assert.equal(8, redrive(project).done)
    local report = project.run("--trace", "two")
    assert.equal(8, report.completed)
    assert.is_nil(project.calls("two").first)
  end)

  it("makes its call again where on_failure holds", function()
    local project = repairing.project([[
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id }, on_failure = "hold" }
    ]], { refusals = { ["POST /hello"] = { p1 = 422 } } })
    assert.equal(1, project.run().held)
    project.refuse {}
    redrive(project)
    assert.equal(8, project.run().completed)
  end)

  it("goes on where it was when a limit has held it", function()
    local project = repairing.project([[
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id } }
      local text = {}
      for i = 1, 100 do text[i] = ("x"):rep(100000 + i) end
    ]], { count = 1 })
    assert.equal(1, project.run("--limits", "run_memory=2MiB").held)
    assert.equal(1, redrive(project).done)
    local report = project.run()
    assert.equal(1, report.completed)
    assert.equal(0, report.calls)
  end)
end)

describe("a run that a limit on what it asked for has held", function()
  local HELD = {
    ["text"] = { "text=50KiB", [[local text = ("x"):rep(100000)]] },
    ["pattern_steps"] = { "pattern_steps=1000", [[local at = ("a"):rep(100):find((".-"):rep(2) .. "b")]] },
    ["coroutines"] = { "coroutines=5", [[local all = {} for i = 1, 50 do all[i] = coroutine.create(print) end]] },
    ["text, in a payload"] = { "text=50KiB", [[call_api "large" { via = "vendor", POST = "/large", payload = "large" }]], 1 },
    ["text, under pcall"] = { "text=50KiB", [[local made, text = pcall(string.rep, "x", 100000) assert(made, text)]] },
  }
  for name, case in pairs(HELD) do
    it("goes on where it was with a higher one: " .. name, function()
      local project = repairing.project(([[
        call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id } }
        %s
      ]]):format(case[2]), { count = 2 })
      helper.write_file(project.folder .. "/payloads/large.lua", [[return function() return { text = ("x"):rep(100000) } end]])
      local report, result = project.run("--limits", case[1])
      assert.equal(2, report.held)
      assert.is_truthy(result.err:find("limit: " .. name:match("^[%w_]+") .. ": ", 1, true), result.err)
      for _, run in pairs(project.where()) do assert.equal("limit", run.reason) end
      assert.equal(2, redrive(project, "--reason", "limit").done)
      report = project.run()
      assert.equal(2, report.completed)
      assert.equal(2 * (case[3] or 0), report.calls)
    end)
  end
end)

describe("what can't be redriven is refused, by count and reason:", function()
  local function refusal(project, ...)
    local told, result = redrive(project, ...)
    assert.equal(1, result.code)
    assert.equal(1, #told.refused)
    return told.refused[1], told
  end

  it("a run whose script says drop()", function()
    local project = repairing.project [[ drop "no" ]]
    project.run()
    local refused = refusal(project)
    assert.equal(8, refused.count)
    assert.is_truthy(refused.why:find("drop()", 1, true))
    assert.equal(3, #refused.people)
    assert.equal(8, project.run().dropped)
  end)

  it("a run that an error in its script holds: a run keeps its version", function()
    local project = repairing.project [[
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id } }
      local x = nil + 1
    ]]
    assert.equal(8, project.run().held)
    local refused = refusal(project)
    assert.equal(8, refused.count)
    assert.is_truthy(refused.why:find("has failed, and would again", 1, true))
  end)

  it("the older run of somebody who has entered again", function()
    local project = repairing.project([[
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id } }
    ]], { fields = "reentry = 'always',", count = 1, refusals = { ["POST /hello"] = { p1 = 422 } } })
    project.run()
    project.run()
    local refused, told = refusal(project)
    assert.equal(1, told.done)
    assert.equal(1, refused.count)
    assert.is_truthy(refused.why:find("entered again", 1, true))
  end)

  local AND_WAIT = [[
    call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id } }
    wait "30d"
  ]]

  it("the older run of somebody who lives in a newer one", function()
    local project = repairing.project(AND_WAIT,
      { fields = "reentry = 'always',", count = 1, refusals = { ["POST /hello"] = { p1 = 422 } } })
    project.run("--start", "2026-11-01T09:00:00Z")
    project.refuse {}
    assert.equal(1, project.run("--start", "2026-11-02T09:00:00Z", "--until", "2026-11-03T09:00:00Z").waiting)
    local refused, told = refusal(project)
    assert.equal(0, told.done)
    assert.equal("the person has entered again since", refused.why)
    assert.same({ waiting = 1, dropped = 1 }, select(2, project.where()))
  end)

  it("the older run of somebody who may not enter yet, and whose newer one is over", function()
    local project = repairing.project((AND_WAIT:gsub("30d", "1d")),
      { fields = "reentry = '7d',", count = 1, refusals = { ["POST /hello"] = { p1 = 422 } } })
    project.run("--start", "2026-11-01T09:00:00Z")
    project.refuse {}
    assert.equal(1, project.run("--start", "2026-11-10T09:00:00Z").completed)
    local refused, told = refusal(project)
    assert.equal(0, told.done)
    assert.equal("the person has entered again since", refused.why)
  end)

  it("the older run of somebody whose newer one is under way in a runtime, and not in the file yet", function()
    local project = repairing.project(AND_WAIT, { fields = "reentry = 'always',", count = 1 })
    local refusing = helper.write_file(project.folder .. "/no.lua", repairing.behaviour { ["POST /hello"] = { p1 = 422 } })
    local vendor = running.vendor("--behaviour", refusing)
    local env = { VENDOR_URL = vendor.url .. "/vendor" }
    assert.equal(1, project.run_live(env).report.dropped)
    vendor.stop()
    vendor = running.vendor("--latency", "10m")
    env.VENDOR_URL = vendor.url .. "/vendor"
    local process = project.live(env, nil, "--grace", "0s")
    running.wait_for("the call", function() return vendor.received().requests == 1 end)
    local refused = refusal(project)
    assert.equal("the person has entered again since", refused.why)
    process.signal "INT"
    process.finish()
    vendor.stop()
  end)

  it("but not the run of another key of `per`", function()
    local project = repairing.project([[
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id, cart = event.cart_id } }
    ]], { fields = "per = 'cart_id',", refusals = { ["POST /hello"] = { p1 = 422 } } })
    for _, cart in ipairs { "a", "b" } do
      helper.write_file(project.folder .. "/people.csv", "id,event.cart_id\np1," .. cart .. "\n")
      project.run()
    end
    local told, result = redrive(project)
    assert.equal(0, result.code, result.out)
    assert.equal(2, told.done)
  end)

  it("a run that is neither held nor dropped", function()
    local project = repairing.project [[ wait "2h" ]]
    project.run()
    local refused = refusal(project, "--outcome", "completed")
    assert.equal(8, refused.count)
  end)

  it("and --dry-run knows that before, and does nothing", function()
    local project = repairing.project([[
      call_api "first" { via = "vendor", POST = "/first", json = { id = person.id } }
      if person.id == "p3" then drop "no" end
      if person.id == "p4" then error "broken" end
    ]], { refusals = { ["POST /first"] = { p1 = 422, p2 = 503 } } })
    project.run()
    local before = project.where()
    local told = redrive(project, "--dry-run")
    assert.equal(4, told.meant)
    assert.equal(2, told.done)
    assert.equal(2, #told.refused)
    assert.equal(4, #told.groups)
    assert.equal(2, #told.samples)
    local text = project.jaunt("redrive", "trip", "--dry-run", "--state", STATE).out
    for _, line in ipairs { "4 runs of trip are meant:\n", "2 would be redriven:\n",
      '  1  dropped at "first": status 422', "1 would be refused: its script says drop()",
      "p1  dropped at \"first\": status 422, since 20" } do
      assert.is_truthy(text:find(line, 1, true), line .. "\nis not in\n" .. text)
    end
    assert.same(before, project.where())
    assert.is_nil(require("jaunt.native.fs").kind(project.folder .. "/state.db.audit"))
  end)
end)

describe("jaunt redrive", function()
  it("wants --yes for more than a handful where it can't ask", function()
    local project = two_calls { ["POST /second"] = { p1 = 422, p2 = 422, p3 = 422, p4 = 422, p5 = 422, p6 = 422 } }
    project.run()
    local result = project.jaunt("redrive", "trip", "--state", STATE)
    assert.equal(2, result.code)
    assert.is_truthy(result.err:find("6 runs of trip are meant: --yes", 1, true), result.err)
    assert.equal(6, select(2, project.where()).dropped)
    result = project.jaunt("redrive", "trip", "--state", STATE, "--where", "id < 'p3'")
    assert.equal(0, result.code, result.err)
    assert.is_truthy(result.out:find("2 runs of trip redriven; they go on with the next jaunt run", 1, true), result.out)
  end)

  it("wants to know whom", function()
    local project = two_calls {}
    project.run()
    local result = project.jaunt("redrive", "--state", STATE)
    assert.equal(2, result.code)
    assert.is_truthy(result.err:find("needs to know whom", 1, true), result.err)
    assert.equal(1, project.jaunt("redrive", "trip", "--state", STATE).code)
  end)

  it("takes many, in batches", function()
    local count = 700
    local project = repairing.project([[
      call_api "hello" { via = "vendor", POST = "/hello", json = { id = person.id, broken = true } }
    ]], { count = count })
    helper.write_file(project.folder .. "/vendor.lua", "return { vendor = { ['POST /hello'] = function() return 422, {} end } }")
    assert.equal(count, project.run().dropped)
    assert.equal(count, redrive(project).done)
    project.refuse {}
    local report = project.run()
    assert.equal(count, report.completed)
    assert.equal(count, report.calls)
  end)

  it("takes one journey after the other where none is named", function()
    local project = two_calls { ["POST /second"] = { p1 = 422 } }
    helper.write_file(project.folder .. "/journeys/other.lua", (repairing.journey(TWO_CALLS):gsub('"trip"', '"other"')))
    project.run()
    running.run(project.folder, "other", "--people", "people.csv", "--state", STATE)
    local told = project.command("redrive", "--outcome", "dropped", "--state", STATE, "--yes")
    assert.equal(2, told.done)
  end)
end)

describe("redriving while a runtime has the state", function()
  local REFUSED = { ["POST /second"] = { p1 = 422, p2 = 422 } }

  local function live(...)
    local project = repairing.project((TWO_CALLS:gsub('wait "2h"', 'wait "2d"')))
    words(project, "old")
    local mind = helper.write_file(project.folder .. "/mind.lua", repairing.behaviour(REFUSED))
    local vendor = running.vendor("--behaviour", mind, ...)
    local env = { VENDOR_URL = vendor.url .. "/vendor" }
    local process = project.live(env, function(_, counts) return counts.waiting == 6 and counts.dropped == 2 end)
    return project, process, vendor, env
  end

  it("lets them go on there, at once", function()
    local project, process, vendor = live()
    assert.equal(16, vendor.received().requests)
    local told, result = redrive(project)
    assert.equal(0, result.code, result.err)
    assert.equal(2, told.done)
    assert.is_true(told.live > 0)
    running.wait_for("the calls", function() return vendor.received().requests == 18 end)
    project.wait_for(function(_, counts) return counts.dropped == 2 end) -- refused again
    process.signal "INT"
    local report = process.finish().report
    assert.equal(report.entered, running.ledger(report))
    assert.equal(2, running.element(report, "second").reasons.redriven)
    vendor.stop()
  end)

  it("is kept when the runtime is killed right after it", function()
    local project, process, vendor, env = live()
    assert.equal(2, redrive(project).done)
    process.signal "KILL"
    process.finish()
    vendor.stop()
    local other = running.vendor()
    env.VENDOR_URL = other.url .. "/vendor"
    -- the first runtime may have got their answers, and dropped them again, before it was killed
    process = project.live(env, function(_, counts) return (counts.waiting or 0) + (counts.dropped or 0) == 8 end)
    process.signal "INT"
    local report = process.finish().report
    assert.equal(report.entered, running.ledger(report))
    assert.equal(2, running.element(report, "second").reasons.redriven)
    other.stop()
  end)

  it("is kept when the command is alone with the state, and is killed right after it has said so", function()
    local project = two_calls { ["POST /second"] = { p1 = 422 } }
    project.run()
    project.refuse {}
    local process = helper.start("env -C " .. helper.quote(project.folder) .. " "
      .. helper.jaunt_words("redrive", "trip", "--state", STATE))
    running.wait_for("the command", function() return helper.read_file(process.out):find("redriven", 1, true) end)
    process.stop("KILL")
    assert.equal(8, project.run().completed)
  end)
end)
