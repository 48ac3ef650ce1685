-- People who break software: somebody's attributes, event and vars, with every text in them replaced by a hostile one.

local fs = require "jaunt.native.fs"
local json = require "json"
local project = require "jaunt.project"

local hostile = {}

-- What replaces each text; `many` of them together are one kind in what is told.
local TEXTS = {
  { "quotes", '"', "'", '\\"', "''\"\"", "“quoted”" },
  { "backslashes", "\\", "\\\\", "a\\", "\\u0041", "\\n" },
  { "line ends", "\n", "a\r\nb", "\r", "\u{2028}", "\u{2029}", "\t\v\f" },
  { "control characters", "a\0b", "\0", "\1\2\31", "\27[31m", "\127", "\u{85}" },
  { "braces", "}}", "{{ person.id }}", "{% raw %}", "{%", "}", "]", "{\"a\":1}", "\",\"admin\":true,\"x\":\"", "${x}",
    "</script>", "<b>&amp;", "]]>", "-->" },
  { "separators", "a=b&c=d", "%00", "%", "+", "a;b", ",", ":", "/../../etc/passwd", "?#" },
  { "emoji and marks", "👩‍👩‍👧", "🏴\u{E0067}\u{E0062}\u{E007F}", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮", "\u{202E}gnirts",
    "\u{FEFF}", "\u{FFFF}", "é", "\u{10FFFF}" },
  { "broken UTF-8", "\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80" },
  { "length", ("x"):rep(10000), ("é"):rep(5000), ("\""):rep(2000) },
  { "emptiness", "", " ", "null", "nil", "undefined", "NaN" },
}

-- What replaces every value that is no table.
local VALUES = {
  { "huge numbers", math.maxinteger, math.mininteger, 2 ^ 53, 1e308, -0.0, 0, -1 },
  { "truths", true, false },
  { "other kinds", json.array {}, json.decode "{}", json.array { 1, "a" } },
}

local function same_keys(value, replace)
  if type(value) ~= "table" then return replace(value) end
  local copy = json.is_array(value) and json.array() or {}
  for key, inner in pairs(value) do copy[key] = same_keys(inner, replace) end
  return copy
end

-- The strings of a file such as blns.json: a JSON list of texts. `file`: a path that was given; otherwise below
-- JAUNT_DATA, where it is there. Returns a list (empty), and the path.
function hostile.strings(file)
  local data = os.getenv("JAUNT_DATA")
  local path = file or data and data .. "/people/blns.json"
  if not path or not file and not fs.kind(path) then return {}, nil end
  local ok, list = pcall(json.decode, project.read(path))
  if not ok or not json.is_array(list) then require("jaunt.base.mistakes").fail("%s is no JSON list of texts", path) end
  local texts = {}
  for _, text in ipairs(list) do
    if type(text) == "string" then texts[#texts + 1] = text end
  end
  return texts, path
end

-- The hostile kin of one subject { person =, event =, vars = }: a list of { kind =, value = (the hostile one; nil),
-- person =, event =, vars = }. `strings`: more texts, told as "naughty strings". The id stays, and so do vars where
-- nothing is left of person and event.
function hostile.subjects(subject, strings)
  local list = {}

  local function add(kind, value, replace)
    local function replaced(table_) return same_keys(table_, replace) end
    local one = { kind = kind, value = value }
    for _, name in ipairs { "person", "event", "vars" } do one[name] = replaced(subject[name]) end
    one.person.id = subject.person.id
    list[#list + 1] = one
  end

  for _, group in ipairs(TEXTS) do
    for i = 2, #group do
      add(group[1], group[i], function(value) return type(value) == "string" and group[i] or value end)
    end
  end
  for _, text in ipairs(strings) do
    add("naughty strings", text, function(value) return type(value) == "string" and text or value end)
  end
  for _, group in ipairs(VALUES) do
    for i = 2, #group do add(group[1], group[i], function() return group[i] end) end
  end
  add("nothing", nil, function() return nil end)
  list[#list + 1] = { kind = "nothing", person = { id = subject.person.id }, event = {}, vars = subject.vars }
  return list
end

return hostile
