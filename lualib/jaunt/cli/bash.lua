-- Completion in bash: the script that `jaunt completion bash` prints, and the answers to its questions.
--
-- The script hands over the line up to the cursor, and what of it readline would replace. Words are taken apart and
-- quoted here, so that names with blanks and quotes in them come out as the shell wants them.

local bash = {}

bash.SCRIPT = [[
# Completion of jaunt in bash, printed by: jaunt completion bash
# Put it into /usr/share/bash-completion/completions/jaunt, or into ~/.bashrc: source <(jaunt completion bash)
_jaunt() {
  local answer jaunt=$1
  type -P "$jaunt" >/dev/null || jaunt=jaunt
  COMPREPLY=()
  mapfile -t answer < <("$jaunt" completion bash -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
  case ${answer[0]} in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
    open) compopt -o nospace ;;
  esac
  COMPREPLY=("${answer[@]:1}")
}
complete -F _jaunt jaunt
]]

---------------------------------------------------------------------------------------------- the line

-- What a word of the shell's means, without its quotes; and the quote that is still open at its end, or nil.
local function unquoted(raw)
  local out, quote, at = {}, nil, 1
  while at <= #raw do
    local c = raw:sub(at, at)
    if c == quote then
      quote = nil
    elseif not quote and (c == '"' or c == "'") then
      quote = c
    elseif c == "\\" and quote ~= "'" and at < #raw then
      at = at + 1
      local next_c = raw:sub(at, at)
      out[#out + 1] = quote and not next_c:find('[\\"$`]') and c .. next_c or next_c
    elseif not (c == "\\" and quote ~= "'") then
      out[#out + 1] = c
    end
    at = at + 1
  end
  return table.concat(out), quote
end

-- Where the word ends that begins at `at`: the first blank or redirection that is not quoted.
local function word_end(line, at)
  local quote
  while at <= #line do
    local c = line:sub(at, at)
    if c == "\\" and quote ~= "'" then at = at + 1
    elseif c == quote then quote = nil
    elseif not quote and (c == '"' or c == "'") then quote = c
    elseif not quote and c:find("[%s<>]") then break end
    at = at + 1
  end
  return math.min(at, #line + 1)
end

-- The words of a line as they are written, the last of them perhaps empty; and whether that one is where a redirection
-- goes. Redirections before are left out.
local function raw_words(line)
  local words, redirects, at = {}, false, 1
  while true do
    local blank_end = line:match("^%s*()", at)
    local operator, after = line:match("^(%d?&?[<>]+[&|]?)()", blank_end)
    if operator then
      redirects, at = true, after
    else
      local stop = word_end(line, blank_end)
      if stop > #line then return words, line:sub(blank_end), redirects end
      if not redirects then words[#words + 1] = line:sub(blank_end, stop - 1) end
      redirects, at = false, stop
    end
  end
end

---------------------------------------------------------------------------------------------- what is put in

-- A text as it is to be written where `quote` is open.
local function quoted(text, quote)
  if quote == "'" then return (text:gsub("'", [['\'']])) end
  if quote then return (text:gsub('[\\"$`]', "\\%0")) end
  return (text:gsub("[^%w_%-+=:,./@%%\128-\255]", "\\%0"))
end

-- Answers the script: a list of lines. The first says what follows: words, open (words after which no blank is put),
-- files or folders. `complete` is jaunt.cli.completion's of.
function bash.answer(complete, line, replaced)
  local written, raw, redirects = raw_words(line)
  local words = {}
  for i = 2, #written do words[i - 1] = unquoted(written[i]) end
  local word, quote = unquoted(raw)
  if redirects then return { "files" } end
  local answer = complete(words, word)
  local lines = { answer.kind ~= "words" and answer.kind or answer.open and "open" or "words" }
  local kept = unquoted(raw:sub(1, math.max(0, #raw - #replaced)))
  for _, one in ipairs(answer.list) do
    local whole = word:sub(1, answer.skip) .. one[1]
    if not one[1]:find("%c") then lines[#lines + 1] = quoted(whole:sub(#kept + 1), quote) end
  end
  return lines
end

return bash
