-- What specs need around them: commands, temporary folders, the data beside the repository.

local helper = {}

local folders = {}    -- to be removed at the end
local background = {} -- process ids to be ended at the end

-- A word as the shell takes it literally.
function helper.quote(word)
  return "'" .. tostring(word):gsub("'", [['\'']]) .. "'"
end

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end
helper.read_file = read_file

-- A fresh folder, removed when the specs are over.
function helper.temp_folder()
  local pipe = assert(io.popen("mktemp -d"))
  local path = pipe:read("l")
  pipe:close()
  folders[#folders + 1] = path
  return path
end

-- Writes a file, making its folder where there is none; returns the path.
function helper.write_file(path, text)
  os.execute("mkdir -p -- " .. helper.quote(path:match("^(.*)/") or "."))
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local MISTAKE = "a mistake in jaunt"
local mistake_wanted = false

-- What a sanitizer said is never to be overlooked, whatever the test looks at.
local function refuse_findings(text)
  for _, sign in ipairs { "Sanitizer: ", "runtime error: ", MISTAKE } do
    local at = not (sign == MISTAKE and mistake_wanted) and text:find(sign, 1, true)
    if at then error(text:sub(math.max(1, at - 200), at + 4000), 0) end
  end
end

-- Calls f, within which jaunt may say that something is its own mistake: for the tests of how it says so.
function helper.with_a_mistake(f)
  local _ <close> = setmetatable({}, { __close = function() mistake_wanted = false end })
  mistake_wanted = true
  f()
end

-- Runs a shell command to its end; returns { code =, out =, err = }. A command that a signal ended has 128 + its number.
-- The loop stands still meanwhile.
function helper.sh(command)
  local folder = helper.temp_folder()
  local _, how, code = os.execute(("{ %s\n} >%s/out 2>%s/err </dev/null"):format(command, folder, folder))
  local err = read_file(folder .. "/err")
  refuse_findings(err)
  return { code = how == "signal" and 128 + code or code, out = read_file(folder .. "/out"), err = err }
end

-- The shell words of a jaunt command line. A table as the first argument sets environment variables.
function helper.jaunt_words(...)
  local words, first = {}, 1
  if type((...)) == "table" then
    words[1] = "env"
    for name, value in pairs((...)) do words[#words + 1] = helper.quote(name .. "=" .. value) end
    first = 2
  end
  words[#words + 1] = helper.quote(assert(os.getenv("JAUNT"), "JAUNT has to name the binary"))
  for i = first, select("#", ...) do words[#words + 1] = helper.quote((select(i, ...))) end
  return table.concat(words, " ")
end

-- Runs jaunt with these arguments; see sh and jaunt_words.
function helper.jaunt(...)
  return helper.sh(helper.jaunt_words(...))
end

-- Starts a shell command that goes on running. Returns { pid =, out =, err = (paths), stop = function([signal]) },
-- where stop sends the signal ("TERM" by default), waits for the end and returns the exit code. Both files are there
-- when it returns, though perhaps empty.
function helper.start(command)
  local folder = helper.temp_folder()
  helper.write_file(folder .. "/out", "")
  helper.write_file(folder .. "/err", "")
  local pipe = assert(io.popen(("( ( exec %s ) >>%s/out 2>>%s/err </dev/null & echo $!; wait $!; echo $? >%s/code ) "
    .. "2>/dev/null"):format(command, folder, folder, folder)))
  local process = { pid = pipe:read("n"), out = folder .. "/out", err = folder .. "/err" }
  background[process] = true
  function process.stop(signal)
    background[process] = nil
    -- one that has ended long ago may have left its number to another
    os.execute(("[ -e %s/code ] || kill -%s %d 2>/dev/null"):format(folder, signal or "TERM", process.pid))
    pipe:close()
    refuse_findings(read_file(process.err))
    return tonumber(read_file(folder .. "/code"))
  end
  return process
end

-- The path of something in the data beside the repository (JAUNT_DATA); nil, and a sentence for `pending`, where it
-- is absent: local file, why = helper.data("json/test_parsing"); if not file then pending(why) end
function helper.data(name)
  local path = assert(os.getenv("JAUNT_DATA"), "JAUNT_DATA has to name the data folder") .. "/" .. name
  if require("jaunt.native.fs").kind(path) then return path end
  return nil, "needs " .. path .. ", which is absent"
end

-- True in a build with sanitizers, where everything is slow.
function helper.is_sanitized()
  return helper.sh("grep -aqE 'lib(a|t|ub)san' " .. helper.quote(os.getenv("JAUNT"))).code == 0
end

-- Ends what was started and removes what was made. The runner calls it.
function helper.clean_up()
  for process in pairs(background) do process.stop("KILL") end
  for _, path in ipairs(folders) do os.execute("rm -rf -- " .. helper.quote(path)) end
  folders = {}
end

return helper
