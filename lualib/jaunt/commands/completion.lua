-- jaunt completion: what makes the Tab key know jaunt's commands, in bash and zsh.

local SHELLS = { "bash", "zsh" }

local function run(args)
  local shell, typed = require("jaunt.cli." .. args.shell), args.typed
  if #typed == 0 then
    io.stdout:write(shell.SCRIPT)
    return 0
  end
  local complete = require("jaunt.cli.completion").of
  local lines = args.shell == "bash" and shell.answer(complete, typed[1], typed[2] or "") or shell.answer(complete, typed)
  io.stdout:write(table.concat(lines, "\n"), "\n")
  return 0
end

return {
  name = "completion",
  summary = "Prints what makes the Tab key complete jaunt's command line in bash or zsh.",
  about = "It completes commands, flags, and what stands for them in the project around: journeys, their elements, "
    .. "payloads, ids of the samples. make install and the Debian package put it where the shells find it.",
  arguments = {
    { name = "shell", help = "bash or zsh", choices = SHELLS },
    { name = "typed", help = "what was typed so far; the script asks with it what follows", optional = true, many = true },
  },
  examples = {
    { "source <(jaunt completion bash)", "for this shell, or in ~/.bashrc" },
    { "jaunt completion zsh >~/.zfunc/_jaunt", "into a folder of $fpath" },
  },
  run = run,
}
