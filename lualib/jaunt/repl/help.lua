-- What the words of scripts mean, for who asks at the prompt. The texts are those of the annotations for editors (jaunt.new.types).

local keys = require "jaunt.base.keys"
local nearest = require "jaunt.base.nearest"
local term = require "jaunt.base.term"
local types = require "jaunt.new.types"

local help = {}

local EXAMPLES = {
  call_api = 'call_api "contact" { via = "crm", POST = "/contacts", payload = "contact" }',
  wait = 'wait "2h"', wait_until = 'wait_until "mon 09:00"', wait_for = 'wait_for("order_placed", { within = "1d" })',
  split = 'split "copy" { plain = 50, funny = 50 }', drop = 'drop "no address"', exit = 'exit "done"',
  restart_with = 'restart_with { round = 2 }', journey = 'return journey "welcome" { flow = function(person, event) … end }',
  env = 'env("CRM_URL", "https://crm.example.com")', secret = 'headers = { ["X-Key"] = secret "CRM_TOKEN" }',
  now = "now()", random = "random(6)", uuid = "uuid()", log = 'log("sent", { status = 200 })',
  ["json.encode"] = 'json.encode { a = 1 }', ["json.decode"] = "json.decode '{\"a\":1}'", ["json.array"] = "json.array {}",
}

-- What is there at a prompt alone, or is no function.
local MORE = {
  person = { "The profile of the person at hand: person.NAME reads, person.NAME = value writes. .person ID takes another one.",
    "person.plan" },
  event = { "The data of the event that let the person in: a sample's, or nothing.", "event.cart_id" },
  payload = { "What a payload renders to for the person at hand.", 'payload "contact"' },
  print = { "Prints values, with tabs between them.", "print(person.id)" },
  _ = { "The last value that was shown.", "_.status" },
}

-- The comments and names of the annotations: { NAME = { text =, parameters = { { name, type } }, gives = type } }, and the classes'
-- fields: { CLASS = { { name, type and text } } }.
local function read()
  local words, classes, class, lines, parameters, gives = {}, {}, nil, {}, {}, nil
  for line in types.scripts:gmatch("[^\n]*") do
    local comment, name = line:match("^%-%-%- (.*)$"), line:match("^function ([%w_.]+)")
    local class_name, field, about = line:match("^%-%-%-@class (%w+)"), line:match("^%-%-%-@field (%S+) (.*)$")
    if comment then lines[#lines + 1] = comment
    elseif class_name then class, classes[class_name], lines = class_name, {}, {}
    elseif field then table.insert(classes[class], { field, about })
    elseif line:find("^%-%-%-@param") then parameters[#parameters + 1] = line:match("^%-%-%-@param (.*)$")
    elseif line:find("^%-%-%-@return") then gives = line:match("^%-%-%-@return (.*)$")
    elseif name then
      words[name] = { text = table.concat(lines, " "), parameters = parameters, gives = gives }
      lines, parameters, gives = {}, {}, nil
    end
  end
  return words, classes
end

local words, classes

local function know()
  if not words then words, classes = read() end
  return words, classes
end

-- The names that can be asked for, sorted.
function help.names()
  local all = {}
  for name in pairs((know())) do all[name] = true end
  for name in pairs(MORE) do all[name] = true end
  return keys.sorted(all)
end

-- Adds a text, wrapped, with `before` before its first line and as many blanks before the others.
local function add_wrapped(lines, before, text)
  local room = math.max(30, term.width() - 1 - term.columns(before))
  for i, line in ipairs(term.wrap(text, room)) do
    lines[#lines + 1] = (i == 1 and before or (" "):rep(term.columns(before))) .. line
  end
end

local function add_fields(lines, title, fields, paint)
  lines[#lines + 1] = paint.bold(title)
  for _, field in ipairs(fields) do add_wrapped(lines, ("  %-11s "):format(field[1]), field[2]) end
end

-- The help for a word, as text; nil and what to say where there is none.
function help.text(name, paint)
  local word, more = know()[name], MORE[name]
  if not word and not more then
    local hint = nearest.hint(name, help.names())
    return nil, ("there is no help for %s%s"):format(name, hint ~= "" and hint or "; .help lists what there is")
  end
  local lines = { paint.bold(name) }
  add_wrapped(lines, "", more and more[1] or word.text)
  for _, parameter in ipairs(word and word.parameters or {}) do add_wrapped(lines, "  ", parameter) end
  if name == "call_api" then
    add_fields(lines, "takes", classes.Call, paint)
    add_fields(lines, "gives a response", classes.Response, paint)
  elseif name == "journey" then
    add_fields(lines, "takes", classes.Journey, paint)
  end
  lines[#lines + 1] = paint.bold("example")
  lines[#lines + 1] = "  " .. (more and more[2] or EXAMPLES[name] or name)
  return table.concat(lines, "\n")
end

return help
