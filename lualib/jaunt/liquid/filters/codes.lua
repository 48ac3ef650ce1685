-- Filters that write texts in another way: for HTML, URLs and JSON, as base64, as digests.

local digest = require "jaunt.native.digest"
local emitters = require "jaunt.liquid.emitters"
local text_native = require "jaunt.native.text"
local values = require "jaunt.liquid.values"

local char, find, format, gsub = string.char, string.find, string.format, string.gsub
local tonumber, utf8_len = tonumber, utf8.len
local to_text, check_length, fail = values.string, values.check_length, values.fail

local function checked(text)
  check_length(#text)
  return text
end

---------------------------------------------------------------------------------------------- HTML

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(value)
  if value == nil then return nil end
  return checked((gsub(to_text(value), "[&<>\"']", HTML)))
end

-- An "&" that begins an entity stays.
local function escape_once(value)
  local text = to_text(value)
  local kept = gsub(text, "[<>\"']", HTML)
  if not find(kept, "&", 1, true) then return kept end
  return checked((gsub(gsub(text, "&(#?)(%w*)(;?)", function(number, name, stop)
    local entity = stop == ";" and name ~= "" and not find(name, number == "#" and "%D" or "%A")
    return (entity and "&" or "&amp;") .. number .. name .. stop
  end), "[<>\"']", HTML)))
end

---------------------------------------------------------------------------------------------- URLs

local PERCENT, PLUS, PERCENT_URL = {}, {}, {}
for code = 0, 255 do
  local letter = char(code)
  local escaped = format("%%%02X", code)
  local plain = find(letter, "[%w%-._~]") ~= nil and code < 128
  PERCENT[letter] = not plain and escaped or nil
  PLUS[letter] = PERCENT[letter]
  PERCENT_URL[letter] = not plain and not find(letter, "[!#$&'()*+,/:;=?@%[%]]") and escaped or nil
end
PLUS[" "] = "+"

local function encoder(letters)
  return function(value)
    if value == nil then return nil end
    local text = to_text(value)
    if not find(text, "[^%w%-._~]") then return text end
    return checked((gsub(text, "[^%w%-._~]", letters)))
  end
end

local function url_decode(value)
  if value == nil then return nil end
  local text = gsub(gsub(to_text(value), "+", " "), "%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end)
  if not utf8_len(text) then fail("%s is not UTF-8 when it is decoded", values.show(to_text(value))) end
  return text
end

---------------------------------------------------------------------------------------------- JSON

local function to_json(value)
  return checked(emitters.json(value))
end

-- A text between the quotes of a JSON string. What is not UTF-8 is made safe.
local within_quotes = text_native.emitter("json_string", to_text)

local function json_escape(value)
  return checked(within_quotes(to_text(value)))
end

---------------------------------------------------------------------------------------------- base64 and digests

local function base64_encoder(url_safe)
  return function(value)
    return checked(digest.base64_encode(to_text(value), url_safe))
  end
end

local function base64_decoder(url_safe)
  return function(value)
    local text = to_text(value)
    local bytes = digest.base64_decode(text, url_safe)
    if not bytes then fail("%s is not base64", values.show(text)) end
    return bytes
  end
end

local function digester(name)
  return function(value)
    local bytes, why = digest.digest(name, to_text(value))
    if not bytes then fail("%s", why) end
    return digest.hex(bytes)
  end
end

local function signer(name, write)
  return function(value, key)
    local bytes, why = digest.hmac(name, to_text(key), to_text(value))
    if not bytes then fail("%s", why) end
    return write(bytes)
  end
end

---------------------------------------------------------------------------------------------- the table

return {
  { name = "base64_decode", run = base64_decoder(false),
    about = "The bytes that base64 stands for.", example = "'aGV5' | base64_decode", result = "hey" },
  { name = "base64_encode", run = base64_encoder(false),
    about = "As base64.", example = "'hey' | base64_encode", result = "aGV5" },
  { name = "base64_url_safe_decode", run = base64_decoder(true),
    about = "The same of base64 with - and _.", example = "'Pz8-' | base64_url_safe_decode", result = "??>" },
  { name = "base64_url_safe_encode", run = base64_encoder(true),
    about = "As base64 with - and _.", example = "'??>' | base64_url_safe_encode", result = "Pz8-" },
  { name = "escape", run = escape,
    about = "As HTML: & < > and quotes become entities.", example = "'<b>' | escape", result = "&lt;b&gt;" },
  { name = "escape_once", run = escape_once,
    about = "The same, but for entities that are there already.", example = "'&lt;b> & more' | escape_once",
    result = "&lt;b&gt; &amp; more" },
  { name = "hmac_sha1", run = signer("sha1", digest.hex), least = 1, most = 1, arguments = "key",
    about = "hmac_sha1_hex by its former name.", example = "'hey' | hmac_sha1: 'secret_key'",
    result = "2a3969bed25bfeefb00aca4063eb9590b4df8f0e" },
  { name = "hmac_sha1_base64", run = signer("sha1", digest.base64_encode), least = 1, most = 1, arguments = "key",
    about = "HMAC with SHA-1, as base64.", example = "'hey' | hmac_sha1_base64: 'secret_key'",
    result = "KjlpvtJb/u+wCspAY+uVkLTfjw4=" },
  { name = "hmac_sha1_hex", run = signer("sha1", digest.hex), least = 1, most = 1, arguments = "key",
    about = "HMAC with SHA-1, in hexadecimal digits.", example = "'hey' | hmac_sha1_hex: 'secret_key'",
    result = "2a3969bed25bfeefb00aca4063eb9590b4df8f0e" },
  { name = "hmac_sha256_base64", run = signer("sha256", digest.base64_encode), least = 1, most = 1, arguments = "key",
    about = "HMAC with SHA-256, as base64.", example = "'hey' | hmac_sha256_base64: 'secret_key'",
    result = "jfiX+No9eZL+V8jbxvJ1eM+/LcxND7tAALjJJIQdUI4=" },
  { name = "hmac_sha256_hex", run = signer("sha256", digest.hex), least = 1, most = 1, arguments = "key",
    about = "HMAC with SHA-256, in hexadecimal digits.", example = "'hey' | hmac_sha256_hex: 'secret_key'",
    result = "8df897f8da3d7992fe57c8dbc6f27578cfbf2dcc4d0fbb4000b8c924841d508e" },
  { name = "json", run = to_json,
    about = "As JSON.", example = "'a b' | split: ' ' | json", result = '["a","b"]' },
  { name = "json_escape", run = json_escape,
    about = "As it stands between the quotes of a JSON text.", example = "'5\" \\ 7' | json_escape",
    result = '5\\" \\\\ 7' },
  { name = "md5", run = digester "md5",
    about = "The MD5 digest, in hexadecimal digits.", example = "'hey' | md5",
    result = "6057f13c496ecf7fd777ceb9e79ae285" },
  { name = "sha1", run = digester "sha1",
    about = "The SHA-1 digest, in hexadecimal digits.", example = "'hey' | sha1",
    result = "7f550a9f4c44173a37664d938f1355f0f92a47a7" },
  { name = "sha2", run = digester "sha256",
    about = "The SHA-256 digest, in hexadecimal digits.", example = "'hey' | sha2",
    result = "fa690b82061edfd2852629aeba8a8977b57e40fcb77d1a7a28b26cba62591204" },
  { name = "sha256", run = digester "sha256",
    about = "sha2 by its other name.", example = "'hey' | sha256",
    result = "fa690b82061edfd2852629aeba8a8977b57e40fcb77d1a7a28b26cba62591204" },
  { name = "to_json", run = to_json,
    about = "json by its other name.", example = "1.5 | to_json", result = "1.5" },
  { name = "url_decode", run = url_decode,
    about = "What %XX and + of a form stand for.", example = "'a+%26+b' | url_decode", result = "a & b" },
  { name = "url_encode", run = encoder(PLUS),
    about = "As in a form: spaces are +, all else that is not plain is %XX.", example = "'a & b' | url_encode",
    result = "a+%26+b" },
  { name = "url_escape", run = encoder(PERCENT_URL),
    about = "What may not stand in a URL at all is %XX.", example = "'/a b?c=<d>' | url_escape",
    result = "/a%20b?c=%3Cd%3E" },
  { name = "url_param_escape", run = encoder(PERCENT),
    about = "As a value in a URL: all that is not plain is %XX.", example = "'hey<&>hi' | url_param_escape",
    result = "hey%3C%26%3Ehi" },
}
