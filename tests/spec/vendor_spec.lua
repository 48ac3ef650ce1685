-- The command `jaunt vendor`, and the ready project's look-alikes: they take what its payloads send for people who can
-- be reached, and refuse what the real vendors would refuse. How the server behaves on the wire is tested in C.

local control = require "jaunt.native.control"
local helper = require "helper"
local json = require "json"
local payloads = require "jaunt.project.payloads"
local renderers = require "jaunt.worker.renderers"
local vendor = require "jaunt.native.vendor"

local source = assert(os.getenv("JAUNT_SOURCE"), "JAUNT_SOURCE has to name the repository's folder")

describe("jaunt vendor", function()
  local function first_line(process)
    for _ = 1, 6000 do
      local line = helper.read_file(process.out):match("^(.-)\n")
      if line then return line end
      control.sleep(5)
    end
    error("it said nothing; but: " .. helper.read_file(process.err))
  end

  it("says where it listens, runs until Ctrl-C, and tells the counts", function()
    local process = helper.start(helper.jaunt_words("vendor", "--latency", "1ms", "--fail", "2%", "--reset", "0.5%",
      "--seed", "7", "--behaviour", source .. "/scripts/vendor.lua", "--quiet"))
    assert.matches("^vendor listening on http://127%.0%.0%.1:%d+$", first_line(process))
    assert.equal(0, process.stop("INT"))
    assert.matches("received: 0, accepted: 0\n$", helper.read_file(process.out))
    assert.equal("", helper.read_file(process.err))
  end)

  it("refuses what makes no sense, in words", function()
    local result = helper.jaunt("vendor", "--fail", "60%", "--reset", "60%")
    assert.equal(2, result.code)
    assert.matches("together are more than all attempts", result.err)
    local file = helper.write_file(helper.temp_folder() .. "/vendor.lua", "return { crm = { latancy = '1s' } }")
    result = helper.jaunt("vendor", "--behaviour", file)
    assert.equal(2, result.code)
    assert.matches("crm%.latancy is not known", result.err)
  end)

  it("can be started and stopped within a command", function()
    local running = vendor.start { seed = 7, remember = 10 }
    assert.equal("http://127.0.0.1:" .. running:port(), running:url())
    assert.equal(0, running:counts().requests)
    assert.equal(0, json.decode(running:received()).accepted)
    running:stop()
    running:stop()
    assert.has_error(function() running:port() end, "the pretend vendor was stopped")
    for _, port in ipairs { -1, 65536, (1 << 32) + 80, math.mininteger } do
      local _, refused = pcall(vendor.start, { port = port })
      assert.equal("a port is from 0 to 65535, not " .. port, tostring(refused))
    end
    local _, why = pcall(vendor.start, { port = "a" })
    assert.matches("port", tostring(why))
  end)
end)

describe("the ready project", function()
  local lookalikes = assert(loadfile(source .. "/scripts/vendor.lua", "t",
    setmetatable({ json = json }, { __index = _G })))()

  -- Sends one payload (a table, or a form) to a look-alike, as a call would; returns status and body.
  local function send(name, route, payload, form)
    local body = not form and json.encode(payload) or nil
    return lookalikes[name][route] {
      headers = { authorization = name == "sms" and "Basic x" or "Bearer x", ["x-api-key"] = "x" },
      id = ("0123456789abcdef"):rep(2), json = body and json.decode(body), form = form, params = {},
    }
  end

  local render = renderers.new(payloads.gather { root = source .. "/scripts" },
    { environment = function() return function() return _G end end })

  -- What the payload gives, as a table.
  local function payload(name, person, event, vars)
    local sent, fault = render(name, person, event, vars, { now = 0 })
    if not sent then error(tostring(fault), 0) end
    return type(sent) == "string" and json.decode(sent) or sent
  end

  local samples = {}
  for line in io.lines(source .. "/scripts/people/samples.ndjson") do
    local person = json.decode(line)
    samples[person.id] = person
  end

  -- Each payload with its look-alike, its vars, and which of "ada" and "nobody" it is taken for.
  local cases = {
    { "contact", "crm", "POST /contacts", ada = 201, nobody = 400 },
    { "cart_lead", "crm", "POST /leads", cart = true, ada = 201, nobody = 400 },
    { "cart_plain", "whatsapp", "POST /messages", cart = true, ada = 200, nobody = 400 },
    { "cart_funny", "whatsapp", "POST /messages", cart = true, ada = 200, nobody = 400 },
    { "cart_email", "email", "POST /mail/send", ada = 202, nobody = 422 },
    { "welcome_whatsapp", "whatsapp", "POST /messages", ada = 200, nobody = 400 },
    { "welcome_email", "email", "POST /mail/send", ada = 202, nobody = 422 },
    { "win_back_email", "email", "POST /mail/send", ada = 202, nobody = 422 },
    { "win_back_whatsapp", "whatsapp", "POST /messages", ada = 200, nobody = 400 },
    { "order_shipped_whatsapp", "whatsapp", "POST /messages", ada = 200, nobody = 400 },
    { "order_shipped_email", "email", "POST /mail/send", ada = 202, nobody = 422 },
    { "order_late_email", "email", "POST /mail/send", ada = 202, nobody = 422 },
  }
  for _, case in ipairs(cases) do
    it(("has its payload %s taken for whoever can be reached, and refused for others"):format(case[1]), function()
      for _, id in ipairs { "ada", "nobody" } do
        local person = samples[id]
        local vars = { cart = case.cart and person.event, code = "BACK-1", percent = 25, order = { courier = "DHL" } }
        local status, body = send(case[2], case[3], payload(case[1], person, person.event, vars))
        assert.equal(case[id], status)
        if status >= 400 then assert.is_table(body) end
      end
    end)
  end

  it("refuses SMS to landlines, to no number, without words and with too many", function()
    local function sms(to, text)
      local status, body = send("sms", "POST /messages", nil, { To = to, Body = text })
      return status == 201 and "queued" or body.code
    end
    assert.equal("queued", sms("+4915112345678", "Grüße"))
    assert.equal(21614, sms("+4930123456", "hello"))
    assert.equal(21211, sms("030 123456", "hello"))
    assert.equal(21211, sms("+0123456789", "hello"))
    assert.equal(21604, sms(nil, "hello"))
    assert.equal(21602, sms("+4915112345678", " "))
    assert.equal(21617, sms("+4915112345678", ("ü"):rep(1601)))
    assert.equal("queued", sms("+4915112345678", ("ü"):rep(1600)))
  end)

  it("has a shop that gives coupons and knows orders", function()
    local status, coupon = send("shop", "POST /coupons", { percent = 25 })
    assert.equal(201, status)
    assert.equal("BACK-01234567", coupon.code)
    assert.equal(422, (send("shop", "POST /coupons", { percent = 90 })))
    local _, order = send("shop", "GET /orders/:id", {})
    assert.is_string(order.state)
  end)
end)

describe("purchases", function()
  local purchases = require "purchases"

  it("become people with recency, frequency and total", function()
    local folder = helper.temp_folder()
    local input = helper.write_file(folder .. "/in.txt", " customer_id  date number_of_cds  dollar_value\n"
      .. " 00001 19970101  1   11.77\n 00002 19970112  1   12.00\n 00002 19970301  5   77.05\n 00003 19960229 1 0.10\n")
    assert.equal(3, purchases.convert(input, folder .. "/out.csv"))
    assert.equal("id,recency_days,frequency,total,first_purchase,last_purchase,email,phone\n"
      .. "00001,59,1,11.77,1997-01-01,1997-01-01,customer00001@example.com,+15550000001\n"
      .. "00002,0,2,89.05,1997-01-12,1997-03-01,customer00002@example.com,+15550000002\n"
      .. "00003,366,1,0.10,1996-02-29,1996-02-29,customer00003@example.com,+15550000003\n",
      helper.read_file(folder .. "/out.csv"))
  end)

  it("that make no sense are told with their line", function()
    local folder = helper.temp_folder()
    local input = helper.write_file(folder .. "/in.txt", "id date n sum\n1 19970101 1 5\nnonsense\n")
    -- not has_error: it takes a place off the front of a message
    local _, why = pcall(purchases.convert, input, folder .. "/out.csv")
    assert.equal(input .. ":3: not a purchase: nonsense", why)
  end)
end)
