-- Completion in zsh: the script that `jaunt completion zsh` prints, and the answers to its questions.

local zsh = {}

zsh.SCRIPT = [[
#compdef jaunt
# Completion of jaunt in zsh, printed by: jaunt completion zsh
# Put it as _jaunt into a folder of $fpath, or into ~/.zshrc behind compinit: source <(jaunt completion zsh)
_jaunt() {
  local -a answer
  answer=("${(@f)$("${(Q)words[1]/#\~/$HOME}" completion zsh -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  local kind=${answer[1]%% *} skip=${answer[1]##* }
  shift answer
  (( skip )) && compset -p $skip
  case $kind in
    files) _files ;;
    folders) _files -/ ;;
    open) _describe -t words jaunt answer -S '' ;;
    *) _describe -t words jaunt answer ;;
  esac
}
if [ "$funcstack[1]" = _jaunt ]; then _jaunt "$@"; else compdef _jaunt jaunt; fi
]]

-- Answers the script: a list of lines. The first has what follows (words, open, files or folders) and how many letters
-- of the word stand before it, the others a text each and what it is. `words` are those up to the cursor, the last
-- perhaps not complete.
function zsh.answer(complete, words)
  local word = words[#words] or ""
  local answer = complete(table.move(words, 1, #words - 1, 1, {}), word)
  local kind = answer.kind ~= "words" and answer.kind or answer.open and "open" or "words"
  local lines = { ("%s %d"):format(kind, utf8.len(word, 1, answer.skip) or answer.skip) }
  for _, one in ipairs(answer.list) do
    local line = one[1]:gsub("[\\:]", "\\%0") .. (one[2] and ":" .. one[2] or "")
    if not line:find("%c") then lines[#lines + 1] = line end
  end
  return lines
end

return zsh
