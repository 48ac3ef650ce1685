-- Mistakes of the person's who gave a command: told in one line, without a traceback; the command ends with exit code 2.

local control = require "jaunt.native.control"

local mistakes = {}

-- Raises one; the message is formatted with what follows it, if anything does.
function mistakes.fail(message, ...)
  control.fail(select("#", ...) > 0 and message:format(...) or message)
end

-- What an error that pcall caught says, a person's mistake or one of ours.
function mistakes.message(raised)
  return type(raised) == "table" and raised.message or tostring(raised)
end

return mistakes
