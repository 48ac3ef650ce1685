-- Filters that make one text of another. Characters are counted, not bytes; a text that is not UTF-8 is taken byte by
-- byte.
--
-- What any other value is as a text, values.string says. A text that would grow past values.TEXT_MOST is an error
-- before it is made.

local letters = require "jaunt.native.letters"
local replace_all = require("jaunt.native.text").replace
local values = require "jaunt.liquid.values"

local byte, find, gmatch, gsub = string.byte, string.find, string.gmatch, string.gsub
local reverse, sub = string.reverse, string.sub
local concat, select = table.concat, select
local utf8_len, utf8_offset = utf8.len, utf8.offset
local to_text, check_length, length_of = values.string, values.check_length, values.length_of
local too_long, TEXT_MOST = values.too_long, values.TEXT_MOST

---------------------------------------------------------------------------------------------- characters

-- Where the character of that number (from 1; one behind the last is allowed) begins.
local function begin_of(text, number, is_utf8)
  return is_utf8 and utf8_offset(text, number) or number
end

-- `count` characters from the one at `first` (from 1) on.
local function characters(text, first, count)
  local length = utf8_len(text)
  local is_utf8 = length ~= nil and length ~= #text
  length = length or #text
  local behind = count > length - first + 1 and length + 1 or first + count
  return sub(text, begin_of(text, first, is_utf8), begin_of(text, behind, is_utf8) - 1)
end

---------------------------------------------------------------------------------------------- capitals

local function upcase(value)
  return letters.upper(to_text(value))
end

local function downcase(value)
  return letters.lower(to_text(value))
end

local function capitalize(value)
  return letters.capitalize(to_text(value))
end

---------------------------------------------------------------------------------------------- white space

-- Ruby's white space at the ends of a text, which NUL belongs to.
local function is_space(code)
  return code == 32 or (code and code <= 13 and (code >= 9 or code == 0))
end

local function without_left(text)
  local at = 1
  while is_space(byte(text, at)) do at = at + 1 end
  return sub(text, at)
end

local function without_right(text)
  local at = #text
  while at > 0 and is_space(byte(text, at)) do at = at - 1 end
  return sub(text, 1, at)
end

local function strip(value)
  return without_right(without_left(to_text(value)))
end

local function squish(value)
  if value == nil then return nil end
  return (gsub(strip(value), "%s+", " "))
end

local function strip_newlines(value)
  return (gsub(to_text(value), "\r?\n", ""))
end

local function newline_to_br(value)
  local text = gsub(to_text(value), "\r?\n", "<br />\n")
  check_length(#text)
  return text
end

---------------------------------------------------------------------------------------------- HTML

-- What goes with all that is in it, by how it begins; and how it ends.
local BLOCKS = { ["<script"] = "</script>", ["<!--"] = "-->", ["<style"] = "</style>" }

local function block_at(text, at)
  for start in next, BLOCKS do
    if sub(text, at, at + #start - 1) == start then return start end
  end
end

-- Takes out what find_end(text, at) says that ends where a "<" begins it. Each end is looked for once when there is
-- none.
local function without(text, find_end)
  local kept, count, from, at = {}, 0, 1, find(text, "<", 1, true)
  while at do
    local last = find_end(text, at)
    if last then
      count = count + 1
      kept[count] = sub(text, from, at - 1)
      from = last + 1
    end
    at = find(text, "<", last and from or at + 1, true)
  end
  if count == 0 then return text end
  kept[count + 1] = sub(text, from)
  return concat(kept)
end

local function strip_html(value)
  local text, missing = to_text(value), {}
  if not find(text, "<", 1, true) then return text end
  text = without(text, function(all, at)
    local block = block_at(all, at)
    if not block or missing[block] then return nil end
    local _, last = find(all, BLOCKS[block], at + #block, true)
    missing[block] = not last
    return last
  end)
  return without(text, function(all, at)
    local last = not missing.tag and find(all, ">", at, true)
    missing.tag = not last
    return last
  end)
end

---------------------------------------------------------------------------------------------- together

local function append(value, text)
  value, text = to_text(value), to_text(text)
  check_length(#value + #text)
  return value .. text
end

local function prepend(value, text)
  return append(text, value)
end

---------------------------------------------------------------------------------------------- parts of texts

-- The replacement before each character and behind the last one: what replacing the empty text means.
local function interleave(text, with)
  local is_utf8 = utf8_len(text) ~= nil
  check_length(#text + #with * (length_of(text) + 1))
  return with .. gsub(text, is_utf8 and utf8.charpattern or ".", function(character) return character .. with end)
end

local function replace(value, old, new)
  local text
  text, old, new = to_text(value), to_text(old), to_text(new)
  if old == "" then return interleave(text, new) end
  return replace_all(text, old, new, TEXT_MOST) or too_long()
end

local function put_in(text, first, last, new)
  check_length(#text + #new)
  return sub(text, 1, first - 1) .. new .. sub(text, last + 1)
end

local function replace_first(value, old, new)
  local text = to_text(value)
  local first, last = find(text, to_text(old), 1, true)
  return first and put_in(text, first, last, to_text(new)) or text
end

-- Where the last `part` begins. Both are turned round, so that a long text is gone through once.
local function find_last(text, part)
  if part == "" then return #text + 1 end
  local at = find(reverse(text), reverse(part), 1, true)
  return at and #text - at - #part + 2
end

local function replace_last(value, old, new)
  local text, part = to_text(value), to_text(old)
  local first = find_last(text, part)
  return first and put_in(text, first, first + #part - 1, to_text(new)) or text
end

local function remove(value, part)
  return replace(value, part, "")
end

local function remove_first(value, part)
  return replace_first(value, part, "")
end

local function remove_last(value, part)
  return replace_last(value, part, "")
end

---------------------------------------------------------------------------------------------- shorter

local TRUNCATE_LENGTH, TRUNCATE_WORDS, ELLIPSIS = 50, 15, "..."

local function truncate(value, ...)
  if value == nil then return nil end
  local given = select("#", ...)
  local wanted, last = ...
  local text = to_text(value)
  local length = given > 0 and values.integer(wanted) or TRUNCATE_LENGTH
  local ending = given > 1 and to_text(last) or ELLIPSIS
  if #text <= length or length_of(text) <= length then return text end
  local kept = length - length_of(ending)
  if kept <= 0 then return ending end
  return characters(text, 1, kept) .. ending
end

local function truncatewords(value, ...)
  if value == nil then return nil end
  local given = select("#", ...)
  local wanted, last = ...
  local text = to_text(value)
  local words = given > 0 and values.integer(wanted) or TRUNCATE_WORDS
  local kept, at, count = {}, 1, 0
  if words < 1 then words = 1 end
  while count < words do
    local first, stop = find(text, "%S+", at)
    if not first then return text end
    count, at = count + 1, stop + 1
    kept[count] = sub(text, first, stop)
  end
  if at > #text then return text end
  return append(concat(kept, " "), given > 1 and to_text(last) or ELLIPSIS)
end

-- Ruby's slice: `count` of what there is from an offset on, which counts from the end when it is negative. Returns
-- the first one's number from 1, and how many; nothing where there is none.
local function slice_of(length, offset, count)
  offset = values.integer(offset)
  count = count == nil and 1 or values.integer(count)
  if offset < 0 then offset = offset + length end
  if offset < 0 or offset >= length or count < 0 then return nil end
  return offset + 1, count > length - offset and length - offset or count
end

local function slice_list(list, offset, count)
  local out = {}
  local first, most = slice_of(#list, offset, count)
  for i = 1, most or 0 do out[i] = list[first + i - 1] end
  return values.array(out)
end

local function slice(value, offset, count)
  if values.is_list(value) then return slice_list(values.list(value), offset, count) end
  local text = to_text(value)
  local first, most = slice_of(length_of(text), offset, count)
  return first and characters(text, first, most) or ""
end

---------------------------------------------------------------------------------------------- split

local function split_at_spaces(text)
  local out, count = {}, 0
  for word in gmatch(text, "%S+") do
    count = count + 1
    out[count] = word
  end
  return out, count
end

local function split_characters(text)
  local out, count = {}, 0
  for character in gmatch(text, utf8_len(text) and utf8.charpattern or ".") do
    count = count + 1
    out[count] = character
  end
  return out, count
end

-- Empty parts at the end are left out.
local function split_at(text, separator)
  local out, count, from = {}, 0, 1
  local first, last = find(text, separator, 1, true)
  while first do
    count = count + 1
    out[count] = sub(text, from, first - 1)
    from = last + 1
    first, last = find(text, separator, from, true)
  end
  out[count + 1] = sub(text, from)
  for i = count + 1, 1, -1 do
    if out[i] ~= "" then return out, i end
    out[i] = nil
  end
  return out, 0
end

local function split(value, separator)
  local text = to_text(value)
  separator = to_text(separator)
  local parts, count
  if separator == " " then
    parts, count = split_at_spaces(text)
  elseif separator == "" then
    parts, count = split_characters(text)
  else
    parts, count = split_at(text, separator)
  end
  values.check_count(count)
  return values.array(parts)
end

---------------------------------------------------------------------------------------------- the table

return {
  { name = "append", run = append, least = 1, most = 1, arguments = "text",
    about = "Puts a text behind.", example = "'hello' | append: ' there'", result = "hello there" },
  { name = "capitalize", run = capitalize,
    about = "The first letter as a capital, all others small.", example = "'éCLAIR Royal' | capitalize",
    result = "Éclair royal" },
  { name = "downcase", run = downcase,
    about = "Small letters.", example = "'GRÜSSE' | downcase", result = "grüsse" },
  { name = "lstrip", run = function(value) return without_left(to_text(value)) end,
    about = "Takes white space away on the left.", example = "'  hello ' | lstrip", result = "hello " },
  { name = "newline_to_br", run = newline_to_br,
    about = "Puts <br /> before each line's end.", example = "'a\nb' | newline_to_br", result = "a<br />\nb" },
  { name = "prepend", run = prepend, least = 1, most = 1, arguments = "text",
    about = "Puts a text before.", example = "'there' | prepend: 'hello '", result = "hello there" },
  { name = "remove", run = remove, least = 1, most = 1, arguments = "part",
    about = "Takes each such part away.", example = "'1,200,000' | remove: ','", result = "1200000" },
  { name = "remove_first", run = remove_first, least = 1, most = 1, arguments = "part",
    about = "Takes the first such part away.", example = "'1,200,000' | remove_first: ','", result = "1200,000" },
  { name = "remove_last", run = remove_last, least = 1, most = 1, arguments = "part",
    about = "Takes the last such part away.", example = "'1,200,000' | remove_last: ','", result = "1,200000" },
  { name = "replace", run = replace, least = 1, most = 2, arguments = "part, text",
    about = "Puts a text in place of each such part.", example = "'a-b-c' | replace: '-', '+'", result = "a+b+c" },
  { name = "replace_first", run = replace_first, least = 1, most = 2, arguments = "part, text",
    about = "Puts a text in place of the first such part.", example = "'a-b-c' | replace_first: '-', '+'",
    result = "a+b-c" },
  { name = "replace_last", run = replace_last, least = 2, most = 2, arguments = "part, text",
    about = "Puts a text in place of the last such part.", example = "'a-b-c' | replace_last: '-', '+'",
    result = "a-b+c" },
  { name = "rstrip", run = function(value) return without_right(to_text(value)) end,
    about = "Takes white space away on the right.", example = "' hello  ' | rstrip", result = " hello" },
  { name = "slice", run = slice, least = 1, most = 2, arguments = "offset, count",
    about = "Characters or items from an offset on; a negative one counts from the end.",
    example = "'Grüße' | slice: -2, 2", result = "ße" },
  { name = "split", run = split, least = 1, most = 1, arguments = "separator",
    about = "The array of the parts between separators; ' ' is any white space, '' is between all characters.",
    example = "'red, green' | split: ', ' | last", result = "green" },
  { name = "squish", run = squish,
    about = "White space at the ends goes, any other becomes one space.", example = "'  so   far ' | squish",
    result = "so far" },
  { name = "strip", run = strip,
    about = "Takes white space away at both ends.", example = "'  hello ' | strip", result = "hello" },
  { name = "strip_html", run = strip_html,
    about = "Takes tags away, and comments, scripts and styles with what is in them.",
    example = "'<b>Hello</b><!-- x -->, you' | strip_html", result = "Hello, you" },
  { name = "strip_newlines", run = strip_newlines,
    about = "Takes line ends away.", example = "'a\nb' | strip_newlines", result = "ab" },
  { name = "truncate", run = truncate, most = 2, arguments = "length = 50, ending = '...'",
    about = "At most so many characters, the ending counted.", example = "'Ground control' | truncate: 9",
    result = "Ground..." },
  { name = "truncatewords", run = truncatewords, most = 2, arguments = "words = 15, ending = '...'",
    about = "At most so many words.", example = "'one two three' | truncatewords: 2", result = "one two..." },
  { name = "upcase", run = upcase,
    about = "Capital letters.", example = "'straße' | upcase", result = "STRASSE" },
}
