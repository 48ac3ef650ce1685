-- Every example does what its comment promises: the command that stands in its head is typed in a copy of the folder,
-- and what it prints is compared: what scripts say, the funnel as it is shown, the ledger. The same for the journeys of
-- the ready project, with its samples.

local control = require "jaunt.native.control"
local fs = require "jaunt.native.fs"
local helper = require "helper"

local source = assert(os.getenv("JAUNT_SOURCE"), "JAUNT_SOURCE has to name the repository's folder")

-- What stands in the folder and is no example itself.
local AROUND = { connections = true, vendor = true }

-- Of a plain script: out, the whole output. Of a journey: said (lines of scripts, in any order), funnel (element,
-- reached, went on, dropped, held, reasons), ledger (what is not 0), shows (other texts that are printed).
local EXAMPLES = {
  plain_script = { out = "MUG: 12 left (status 200)\nPEN: 12 left (status 200)\n" },
  coroutines = { out = "MUG\t12\nPEN\t12\n" },
  form_and_query = { out = "query\tmugs & pens\t2\nform\tAda Lovelace\t50% off = good\nheader\tZürich\n" },
  json = {
    out = "9007199254740993\tinteger\n"
      .. '{"lines":[],"note":null,"order":9007199254740993,"total":10.0}\n'
      .. '{"gone":null,"lines":[],"options":{}}\n'
      .. "false\tjson.encode: value.cart[1].price is NaN, which JSON cannot hold; json.null says that there is no value\n",
  },
  save_to = {
    out = "report.csv: status 200, text/csv\n",
    files = { ["report.csv"] = "sku,sold\nMUG,3\nPEN,14\n" },
  },
  retry = {
    said = {
      "ada: T-ada after 3 attempts", "bob: T-bob after 3 attempts", "chidi: T-chidi after 3 attempts",
      "dieter: T-dieter after 3 attempts", "elif: T-elif after 3 attempts", "fumiko: T-fumiko after 3 attempts",
    },
    funnel = {
      { "ticket", 6, 6, 0, 0, "" }, { "legacy system", 6, 6, 0, 0, "" },
      { "legacy system again", 3, 0, 0, 3, "3× status 500" },
    },
    ledger = { entered = 6, completed = 3, held = 3 },
    shows = { "calls     15 in 27 attempts" },
  },
  success = {
    funnel = { { "loyalty card", 6, 5, 1, 0, "1× predicate (200)" }, { "old newsletter", 5, 5, 0, 0, "" } },
    ledger = { entered = 6, completed = 5, dropped = 1 },
  },
  only_if = {
    funnel = { { "text message", 6, 6, 0, 0, "" }, { "letter", 2, 2, 0, 0, "" } },
    ledger = { entered = 6, completed = 6 },
    shows = { "calls     6," }, -- four texts, two letters
  },
  headers_and_secret = {
    funnel = { { "sign up", 1, 1, 0, 0, "" } },
    ledger = { entered = 1, completed = 1 },
    shows = {
      "ada: the pin is ‹secret SHOP_PIN›\n",
      "  Authorization: Bearer ‹secret CRM_TOKEN›\n", "  X-Campaign: autumn\n  X-Shop-Pin: ‹secret SHOP_PIN›\n",
    },
  },
  payload = {
    funnel = { { "greeting", 1, 1, 0, 0, "" } },
    ledger = { entered = 1, completed = 1 },
    shows = {
      "ada  greeting\n  POST https://crm.example.com/v2/messages\n",
      '    {\n      "tags": [\n        "pro"\n      ],\n'
        .. '      "text": "Hello Ada, here is your code: WELCOME-ada",\n      "to": "+447700900123"\n    }\n',
    },
  },
  template = {
    funnel = { { "offer", 2, 2, 0, 0, "" } },
    ledger = { entered = 2, completed = 2 },
    shows = {
      "  POST https://crm.example.com/v2/messages/ada\n", '          "sku": "PEN \\"fine\\""\n', '          "sku": "GIFT"\n        }\n      ],\n',
      '      "text": "Bob, from 2 euros"\n    }\n',
    },
  },
  variants = {
    said = {
      "ada: sent", "bob: nothing sent: aborted: on no paid plan", "chidi: nothing sent: aborted: on no paid plan", "dieter: sent",
      "elif: nothing sent: aborted: on no paid plan", "fumiko: sent",
    },
    funnel = { { "letter", 6, 6, 0, 0, "" } },
    ledger = { entered = 6, completed = 6 },
  },
  split = {
    said = {
      "ada: gets short", "bob: gets none", "chidi: gets short", "dieter: gets long", "elif: gets long",
      "fumiko: gets long",
    },
    funnel = { { "subject line", 6, 6, 0, 0, "" }, { "e-mail", 5, 5, 0, 0, "" } },
    ledger = { entered = 6, completed = 6 },
  },
  control = {
    funnel = { { "coupon", 4, 4, 0, 0, "" }, { "wait 7d", 4, 2, 0, 0, "" } },
    ledger = { entered = 6, completed = 3, exited = 3 },
    shows = { "6 entered (2 only watched) =", "exits     3× goal (order_placed)\n" },
  },
  goal = {
    funnel = {
      { "first reminder", 6, 6, 0, 0, "" }, { "wait 6h", 6, 4, 0, 0, "" },
      { "second reminder", 4, 4, 0, 0, "" }, { "wait 3d", 4, 4, 0, 0, "" },
    },
    ledger = { entered = 6, completed = 4, exited = 2 },
    shows = { "1× goal (order_placed)", "1× exit_on (unsubscribed)" },
  },
  wait_until = {
    said = {
      "ada: Friday, nine o'clock: Fri 09:00 UTC", "ada: Paris, six o'clock: Fri 17:00 UTC",
      "bob: Friday, nine o'clock: Fri 14:00 UTC", "bob: Paris, six o'clock: Fri 17:00 UTC",
      "chidi: Friday, nine o'clock: Fri 08:00 UTC", "chidi: Paris, six o'clock: Fri 17:00 UTC",
      "dieter: Friday, nine o'clock: Fri 08:00 UTC", "dieter: Paris, six o'clock: Fri 17:00 UTC",
      "elif: Friday, nine o'clock: Fri 08:00 UTC", "elif: Paris, six o'clock: Fri 17:00 UTC",
      "fumiko: Friday, nine o'clock: Fri 00:00 UTC", "fumiko: Paris, six o'clock: Fri 17:00 UTC",
    },
    funnel = {
      { "wait_until fri 09:00", 6, 6, 0, 0, "" }, { "wait_until 18:00", 6, 6, 0, 0, "" },
      { "wait_until 2026-12-01T08:00:00Z", 6, 6, 0, 0, "" }, { "wait 1h 30m", 6, 6, 0, 0, "" },
    },
    ledger = { entered = 6, completed = 6 },
    shows = { "all would be over after 5d 21h;" }, -- from Wednesday noon to Tuesday, half past nine
  },
  wait_for = {
    funnel = {
      { "wait_for order_placed", 6, 6, 0, 0, "" }, { "thank you", 1, 1, 0, 0, "" }, { "reminder", 5, 5, 0, 0, "" },
    },
    ledger = { entered = 6, completed = 6 },
    shows = { 'ada: ordered for 80 {"name":"order_placed","time":' },
  },
  drop_and_exit = {
    said = { "ada: closed", "bob: closed", "chidi: closed", "dieter: closed", "elif: closed", "fumiko: closed" },
    funnel = {
      { "drop", 1, 0, 1, 0, "1× drop (under age)" }, { "exit", 3, 0, 0, 0, "" }, { "offer", 2, 2, 0, 0, "" },
    },
    ledger = { entered = 6, completed = 2, dropped = 1, exited = 3 },
    shows = { "exits     3× exit (has it already)\n" },
  },
  person = {
    said = {
      "ada: Ada is 36, born about 1990",
      "ada: false: what lies inside a value of person is read-only",
      'ada: the profile now {"age":36,"country":"GB","first_name":"Ada","greeted":{"count":2,"first":"mail"},'
        .. '"id":"ada","phone":"+447700900123","plan":"pro"}',
    },
    funnel = {},
    ledger = { entered = 1, completed = 1 },
  },
  audience = {
    said = { "ada: is in GB", "dieter: is in DE" },
    funnel = { { "letter", 2, 2, 0, 0, "" } },
    ledger = { entered = 2, completed = 2 },
    shows = { "left out  2 people by --where\n" },
  },
  idempotent = {
    funnel = { { "point", 6, 6, 0, 0, "" }, { "text message", 6, 6, 0, 0, "2× unknown (reset)" } },
    ledger = { entered = 6, completed = 6 },
    shows = { "bob: may have got it: reset: ", "fumiko: may have got it: reset: " },
  },
}

-- The journeys of scripts/, over people/samples.ndjson with their events: "nobody" can't be reached by anyone, "landline"
-- not by WhatsApp.
local JOURNEYS = {
  welcome = {
    funnel = {
      { "contact in the CRM", 6, 5, 1, 0, "1× status 400" }, { "wait 1d", 5, 5, 0, 0, "" },
      { "welcome channel", 5, 5, 0, 0, "" }, { "welcome by WhatsApp", 3, 2, 1, 0, "1× status 400" },
      { "welcome by e-mail", 2, 2, 0, 0, "" }, { "wait_until mon 09:00", 4, 4, 0, 0, "" },
      { "tips by SMS", 4, 4, 0, 0, "" },
    },
    ledger = { entered = 6, completed = 4, dropped = 2 },
  },
  abandoned_cart = { -- Grace buys within the hour; Ada fills her cart anew, so that her hour begins anew
    funnel = {
      { "wait_for cart_updated", 7, 6, 0, 0, "" }, { "note in Salesforce", 5, 5, 0, 0, "" },
      { "reminder copy", 5, 5, 0, 0, "" }, { "whatsapp reminder", 5, 5, 0, 0, "" },
      { "email reminder", 2, 1, 1, 0, "1× status 422" },
    },
    ledger = { entered = 6, completed = 4, dropped = 1, exited = 1 },
    shows = { "exits     1× goal (order_placed)\n" },
  },
  win_back = {
    funnel = {
      { "drop", 1, 0, 1, 0, "1× drop (recency unknown)" }, { "exit", 1, 0, 0, 0, "" },
      { "coupon from the shop", 4, 4, 0, 0, "" }, { "we miss you", 4, 4, 0, 0, "" },
      { "coupon by WhatsApp", 1, 1, 0, 0, "" }, { "note in the CRM", 4, 4, 0, 0, "" },
    },
    ledger = { entered = 6, completed = 4, dropped = 1, exited = 1 },
  },
  order_update = {
    funnel = {
      { "on its way, by WhatsApp", 6, 6, 0, 0, "" }, { "on its way, by e-mail", 2, 1, 1, 0, "1× status 422" },
      { "wait_for order_delivered", 5, 4, 0, 0, "" }, { "exit", 2, 0, 0, 0, "" }, { "where is it", 2, 2, 0, 0, "" },
      { "we are looking for it", 1, 1, 0, 0, "" }, { "ticket in the CRM", 1, 1, 0, 0, "" },
    },
    ledger = { entered = 6, completed = 2, dropped = 1, exited = 3 },
    shows = { "2× exit (delivered)", "1× exit_on (order_cancelled)" },
  },
}

-- The names of the files in examples/ that end in .lua, without the ending.
local function names_in_folder()
  local names = {}
  for _, entry in ipairs(fs.list(source .. "/examples")) do
    local name = entry:match("^(.+)%.lua$")
    if name and not AROUND[name] then names[#names + 1] = name end
  end
  return names
end

-- What stands in the comment at the top: the text, and the command in it.
local function head_of(name)
  local text = helper.read_file(("%s/examples/%s.lua"):format(source, name))
  local head = text:match("^%-%-[^\n]*\n") and (text .. "\n"):match("^(.-\n)[^-]") or ""
  return head, head:match("\n%-%-   (jaunt run [^\n]*)\n")
end

-- The parts of what a journey printed.
local function read_report(out)
  local report = { said = {}, funnel = {}, ledger = {} }
  local body, below = out:match("^[^\n]*\n(.-)\n(element .*)$")
  if not body then body, below = out:match("^[^\n]*\n(.-)\n(ledger .*)$") end
  for line in (body or ""):gmatch("[^\n]+") do report.said[#report.said + 1] = line end
  table.sort(report.said)
  for line in (below or ""):gmatch("[^\n]+") do
    local name, reached, went_on, dropped, held, reasons = line:match("^(%S.-)%s+(%d+)%s+(%d+)%s+(%d+)%s+(%d+)%s*(.*)$")
    if line:find("^ledger") then break end
    if name then
      report.funnel[#report.funnel + 1] = {
        name, tonumber(reached), tonumber(went_on), tonumber(dropped), tonumber(held), reasons,
      }
    end
  end
  local sum = 0
  for count, state in (out:match("\nledger    ([^\n]*)") or ""):gsub("%b()", ""):gmatch("(%d+) +(%a+)") do
    if count ~= "0" then report.ledger[state] = tonumber(count) end
    if state ~= "entered" then sum = sum + tonumber(count) end
  end
  report.adds_up = sum == report.ledger.entered
  return report
end

-- Compares what a journey printed with what was promised.
local function check_report(promise, out)
  local report = read_report(out)
  if promise.said then assert.same(promise.said, report.said) end
  assert.same(promise.funnel, report.funnel)
  assert.same(promise.ledger, report.ledger)
  assert.is_true(report.adds_up)
  for _, text in ipairs(promise.shows or {}) do
    assert(out:find(text, 1, true), ("%q is not in\n%s"):format(text, out))
  end
end

describe("examples/", function()
  local folder, shop

  setup(function()
    folder = helper.temp_folder()
    assert.equal(0, helper.sh(("cp -R %s %s"):format(helper.quote(source .. "/examples"), folder)).code)
    local vendor = helper.start(helper.jaunt_words("vendor", "--port", "0", "--behaviour",
      folder .. "/examples/vendor.lua", "--quiet"))
    for _ = 1, 6000 do
      shop = helper.read_file(vendor.out):match("listening on (http://[%d.:]+)\n")
      if shop then return end
      control.sleep(5)
    end
    error("the pretend vendor said nothing but: " .. helper.read_file(vendor.err))
  end)

  -- Types the command as it stands in the example.
  local function type_in(command)
    local jaunt = assert(os.getenv("JAUNT"))
    return helper.sh(("cd %s && jaunt() { %s \"$@\"; } && SHOP_URL=%s/shop %s"):format(folder, helper.quote(jaunt), shop,
      command))
  end

  it("has a promise here for each file, and a file for each promise", function()
    local names = names_in_folder()
    for _, name in ipairs(names) do
      assert(EXAMPLES[name], ("examples/%s.lua is not covered"):format(name))
    end
    local promised = 0
    for _ in pairs(EXAMPLES) do promised = promised + 1 end
    assert.equal(#names, promised)
  end)

  it("has small files that begin with what they show and how to run them", function()
    for _, name in ipairs(names_in_folder()) do
      local _, lines = helper.read_file(("%s/examples/%s.lua"):format(source, name)):gsub("\n", "")
      assert(lines <= 40, ("examples/%s.lua has %d lines"):format(name, lines))
      local head, command = head_of(name)
      assert.matches("^%-%- %S", head)
      assert(command, ("examples/%s.lua names no command"):format(name))
      assert(command:find(("jaunt run examples/%s.lua"):format(name), 1, true), command)
    end
  end)

  for name, promise in pairs(EXAMPLES) do
    it(name .. ".lua does what it says", function()
      local _, command = head_of(name)
      local result = type_in(command)
      assert.equal(0, result.code, result.err)
      if promise.out then
        assert.equal(promise.out, result.out)
        assert.equal("", result.err)
      else
        check_report(promise, result.out)
      end
      for file, text in pairs(promise.files or {}) do assert.equal(text, helper.read_file(folder .. "/" .. file)) end
    end)
  end
end)

describe("scripts/", function()
  for name, promise in pairs(JOURNEYS) do
    it(("has a journey %s that takes each sample where it belongs"):format(name), function()
      local people = source .. "/scripts/people/samples"
      local result = helper.jaunt("run", ("%s/scripts/journeys/%s.lua"):format(source, name), "--people",
        people .. ".ndjson", "--events", people .. ".events.ndjson", "--seed", "1", "--start", "2026-11-30T09:00:00Z")
      assert.equal(0, result.code, result.err)
      check_report(promise, result.out)
    end)
  end

  it("has a promise here for each journey", function()
    for _, entry in ipairs(fs.list(source .. "/scripts/journeys")) do
      assert(JOURNEYS[entry:match("^(.+)%.lua$")], entry .. " is not covered")
    end
  end)
end)
