-- What a flow sees of its person, what it may write there, and that nobody sees anybody else.

local journeys = require "journeys"
local json = require "json"

local run, held_each = journeys.run, journeys.held_each

describe("person", function()
  it("shows later what was written", function()
    local seen = run {
      flow = [[
        person.tier = "gold" person.points = 12345678901234567 person.name = nil
        wait "1d"
        say(person.tier, person.points, person.name, person.id)
      ]],
      people = { { id = "ada", name = "Ada" } },
    }
    assert.same({ "gold\t12345678901234567\tnil\tada" }, seen.said)
  end)

  it("keeps its id", function()
    for i, why in ipairs(held_each { "person.id = 'eve'", "person['i' .. 'd'] = nil" }) do
      assert.matches(("t.lua:%d: person.id can't be changed: it names the person"):format(i), why, 1, true)
    end
  end)

  local CART = { cart = { total = 3, items = { { sku = "a" } } } }

  it("can't be changed inside of a value", function()
    local whys = held_each({
      "person.cart.total = 1", "person.cart.items[1].sku = 'x'", "person.cart.items[2] = {}",
      "for _, item in pairs(person.cart.items) do item.sku = 'x' end",
      "for _, item in ipairs(person.cart.items) do item.sku = 'x' end",
    }, { person = CART })
    for i, why in ipairs(whys) do
      assert.matches(("t.lua:%d: what lies inside a value of person is read-only"):format(i), why, 1, true)
    end
  end)

  it("can't be changed around its rules", function()
    held_each({
      "rawset(person, 'id', 'eve')", "rawset(person.cart, 'total', 1)", "setmetatable(person, {})",
      "getmetatable(person).__index = nil", "table.insert(person.cart.items, {})",
    }, { person = CART })
  end)

  it("copies a table that is written", function()
    local seen = run {
      flow = [[
        local cart = { items = { "a" } }
        person.cart = cart
        cart.items[1], cart.total = "changed", 5
        wait "1h"
        say(person.cart.items[1], person.cart.total)
        person.again = person.cart
        say(person.again.items[1], #person.again.items)
      ]],
    }
    assert.same({ "a\tnil", "a\t1" }, seen.said)
  end)

  it("reads JSON's null as nothing", function()
    local seen = run {
      flow = [[
        say(person.nothing, person.cart.nothing)
        local names = {}
        for name in pairs(person) do names[#names + 1] = name end
        table.sort(names)
        say(table.concat(names, " "))
      ]],
      people = { { id = "ada", nothing = json.null, cart = { nothing = json.null } } },
    }
    assert.same({ "nil\tnil", "cart id" }, seen.said)
  end)

  it("takes what JSON can hold, and names what it can't", function()
    local whys = held_each {
      "person.x = { f = print }", "person.x = print", "person.x = 0/0", "person.x = { { deep = { 1, [3] = 2 } } }",
      "person[1] = 2", "local loop = {} loop.loop = loop person.x = loop",
    }
    for i, words in ipairs {
      "person.x.f is a function", "person.x is a function", "person.x is NaN", "person.x[1].deep",
      "attributes of person have names", "person.x",
    } do
      assert.matches(words, whys[i], 1, true)
    end
  end)

  it("is shown by its id", function()
    assert.same({ "person ada" }, run({ flow = "say(person)" }).said)
  end)
end)

describe("two people", function()
  local PEOPLE = { "a", "b", "c", "d", "e" }

  -- Everybody has to have said `expected`, though all were there at the same time and one after the other.
  local function all_say(expected, options)
    options.people = PEOPLE
    options.workers = 1
    local all = run(options)
    assert.equal(#PEOPLE, all.completed, all.err)
    local wanted = {}
    for i = 1, #PEOPLE do wanted[i] = expected end
    assert.same(wanted, all.said)
  end

  it("share no global", function()
    all_say("nil\tnil", { flow = [[say(seen, _G.other) seen, _G.other = person.id, 1 wait "1h" ]] })
  end)

  it("share no upvalue of the script", function()
    all_say("0\t0", {
      head = "local count, list = 0, {}",
      flow = [[say(count, #list) count = count + 1 list[1] = person.id wait "1h"]],
    })
  end)

  it("share no module's table, upvalue or global", function()
    all_say("0\t0\tnil", {
      head = "local counter = require 'counter'",
      flow = [[say(counter.count, counter.hidden(), require('counter').leak)
        counter.count, counter.leak = counter.count + 1, person.id
        counter.raise() wait "1h"]],
      files = {
        ["counter.lua"] = [[
          local hidden = 0
          return { count = 0, hidden = function() return hidden end, raise = function() hidden = hidden + 1 end }
        ]],
      },
    })
  end)

  it("share no payload's global or upvalue", function()
    local all = run {
      flow = [[
        local told = call_api "tell" { via = "crm", POST = "/", payload = "count" }
        say(told.json.seen)
        told = call_api "tell" { via = "crm", POST = "/", payload = "count" }
        say(told.json.seen)
      ]],
      files = {
        ["payloads/count.lua"] = [[
          local count = 0
          return function(person)
            count, shared = count + 1, (shared or 0) + 1
            return { seen = count + shared }
          end
        ]],
        ["vendor.lua"] = [[return { crm = { ["POST /"] = function(request) return 200, request.json end } }]],
      },
      people = PEOPLE, workers = 1,
    }
    assert.equal(#PEOPLE, all.completed, all.err)
    for _, line in ipairs(all.said) do assert.equal("2", line) end
    assert.equal(2 * #PEOPLE, #all.said)
  end)

  it("can't leave anything in the libraries", function()
    local nothing = ("nil "):rep(7)
    all_say(table.concat({ nothing, nothing, nothing, nothing }, "\t"), {
      flow = [[
        local plain, raw, behind, metas = "", "", "", ""
        for _, library in ipairs { string, table, math, utf8, os, coroutine, json } do
          local _, found = pairs(library)
          found = type(found) == "table" and found or {}
          plain, raw = plain .. tostring(library.leak) .. " ", raw .. tostring(rawget(library, "leak")) .. " "
          behind, metas = behind .. tostring(found.leak) .. " ", metas .. tostring(getmetatable(library) or nil) .. " "
          pcall(function() library.leak = person.id end)
          pcall(rawset, library, "leak", person.id)
          pcall(function() found.leak = person.id end)
          pcall(setmetatable, library, { __index = { leak = person.id } })
          pcall(table.insert, library, person.id)
        end
        say(plain, raw, behind, metas)
      ]],
    })
  end)

  it("can't leave anything in what they get from the vocabulary", function()
    all_say("nil\tnil\tnil\tnil\tnil", {
      flow = [[
        local function meta(value) return getmetatable(value) or {} end
        local got = call_api "tell" { via = "crm", GET = "/" }
        local array = json.array {}
        say(meta("").leak, meta(array).leak, meta(got).leak, meta(person).leak, meta(json.decode("[1]")).leak)
        for _, value in ipairs { "", array, got, person, json.decode("[1]") } do
          pcall(function() meta(value).leak = person.id end)
          pcall(rawset, meta(value), "leak", person.id)
        end
      ]],
    })
  end)
end)
