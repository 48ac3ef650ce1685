-- Completion: what the Tab key puts in, in a real bash and a real zsh at a terminal of their own, and what is offered
-- at all.

local cli = require "jaunt.cli"
local completion = require "jaunt.cli.completion"
local helper = require "helper"
local running = require "running"

local FILES = {
  ["journeys/welcome.lua"] = [[return journey "welcome" { flow = function()
    call_api "hello" { via = "vendor", POST = "/a", payload = "note" }
    wait "1d"
    if split "which way" { left = 1, right = 1 } == "left" then call_api "it's \"50\" $ off" { via = "vendor", POST = "/a" } end
    call_api "say goodbye" { via = "vendor", POST = "/b" }
  end }]],
  ["journeys/win_back.lua"] = [[return journey "win_back" { flow = function() call_api "come back" { via = "vendor", POST = "/a" } end }]],
  ["payloads/note.json"] = '{}',
  ["payloads/_footer.txt"] = "x",
  ["people/samples.csv"] = "id,name\nada,Ada\nadam,Adam\nben o'hara,Ben\n\"\27[31mred\",Red\n",
  ["people/more.ndjson"] = '{"id":"grace"}\n',
}

local folder = running.project(FILES)
helper.write_file(folder .. "/some folder/file.csv", "")

-- The texts that are offered for what is typed: the words before the last, and that.
local function offered(...)
  local words = { ... }
  local word = table.remove(words)
  table.insert(words, 2, "--project=" .. folder) -- whatever the command: this says where one stands
  local answer, texts = completion.of(words, word), {}
  for i, one in ipairs(answer.list) do texts[i] = one[1] end
  return texts, answer.kind, answer
end

describe("what is offered", function()
  it("is every command, with what it is for, and a script where no command begins so", function()
    local answer = completion.of({}, "")
    local names = {}
    for i, one in ipairs(answer.list) do
      names[i] = one[1]
      assert.equal(cli.command(one[1]).summary, one[2])
    end
    assert.same(cli.commands(), names)
    assert.equal("files", completion.of({}, "zork").kind)
    assert.equal("--version", completion.of({}, "--v").list[1][1])
  end)

  it("is every flag of a command, once", function()
    for _, name in ipairs(cli.commands()) do
      local command, expected = cli.command(name), {}
      for _, flag in ipairs(command.flags or {}) do
        if flag.name ~= "project" then expected[#expected + 1] = "--" .. flag.name end
      end
      expected[#expected + 1] = "--help"
      assert.same(expected, (offered(name, "--")), name)
    end
    assert.same({ "--since" }, (offered("runs", "--at", "hello", "--limit=5", "--si")))
    assert.same({}, (offered("runs", "--since", "2h", "--si")))
  end)

  it("is what a flag takes, in one word with it or behind it", function()
    assert.same({ "full", "normal" }, (offered("run", "--sync", "")))
    local texts, _, answer = offered("run", "--sync=n")
    assert.same({ "normal" }, texts)
    assert.equal(#"--sync=", answer.skip)
    assert.same({}, (offered("run", "--seed", "")))
    local _, kind = offered("run", "--people", "")
    assert.equal("files", kind)
  end)

  it("is another word of a list behind a comma", function()
    local texts, _, answer = offered("runs", "--outcome", "held,d")
    assert.same({ "dropped" }, texts)
    assert.equal(#"held,", answer.skip)
  end)

  it("is what the project has", function()
    assert.same({ "welcome", "win_back" }, (offered("run", "w")))
    assert.same({ "note" }, (offered("preview", "n")))
    assert.same({ "welcome", "win_back" }, (offered("preview", "w")))
    assert.same({ "hello", [[it's "50" $ off]], "say goodbye" }, (offered("preview", "welcome", "")))
    assert.same({ "wait 1d", "which way" }, (offered("runs", "--journey", "welcome", "--at", "w")))
    assert.same({ "come back" }, (offered("redrive", "win_back", "--at", "")))
    assert.same({ "which way" }, (offered("report", "welcome", "--by", "w")))
    assert.same({ "ada", "adam", "ben o'hara", "\27[31mred", "grace" }, (offered("why", "")))
    assert.same({ "grace" }, (offered("preview", "note", "--person", "g")))
    assert.same({ "note" }, (offered("runs", "--sent", "")))
  end)

  it("is a file where no journey begins so, and behind sqlite:", function()
    local texts, kind = offered("run", "some")
    assert.same({}, texts)
    assert.equal("files", kind)
    local _, state_kind, answer = offered("report", "welcome", "--state", "sqlite:t")
    assert.equal("files", state_kind)
    assert.equal(#"sqlite:", answer.skip)
    assert.same({ "sqlite:" }, (offered("report", "welcome", "--state", "")))
  end)

  it("is nothing where nothing is known, or the project is broken", function()
    assert.same({}, (offered("help", "run", "x")))
    local broken = running.project { ["payloads/a.json"] = "", ["payloads/a/b.json"] = "" }
    assert.same({}, completion.of({ "runs", "--project=" .. broken, "--sent" }, "").list)
    assert.same({}, completion.of({ "why", "--project=/nowhere" }, "").list)
  end)

  it("is the other arguments behind --", function()
    assert.same({ "welcome", "win_back" }, (offered("run", "--", "w")))
    assert.same({}, (offered("run", "--", "--s")))
  end)
end)

---------------------------------------------------------------------------------------------- shells

local bin = helper.temp_folder()
assert(os.execute(("ln -s %s %s/jaunt"):format(helper.quote(os.getenv("JAUNT")), bin)))

-- Types lines at a shell that sits at a terminal, in the project. In each "\t" is the Tab key; the words that the line
-- has then are handed to a function `words`, not run. Returns for each line the list of its words. A shell that asks
-- something instead is ended.
local function type_at(shell, start, lines)
  local out = helper.temp_folder() .. "/words"
  local typed = { ("words() { printf '%%s\\n' \"$@\" . >>%s; }\n"):format(out) }
  for _, line in ipairs(lines) do typed[#typed + 1] = line .. "\1words \n" end -- Ctrl-A is the beginning of the line
  typed[#typed + 1] = "exit\n"
  local input = helper.write_file(helper.temp_folder() .. "/keys", table.concat(typed))
  local result = helper.sh(("cd %s && PATH=%s:$PATH TERM=dumb HOME=%s timeout -k 1 60 script -qec %s /dev/null <%s"):format(helper.quote(folder), bin, bin,
    helper.quote(start), input))
  assert(require("jaunt.native.fs").kind(out) == "file", shell .. " said: " .. result.out)
  local all, words = {}, {}
  for word in io.lines(out) do
    if word == "." then
      all[#all + 1], words = words, {}
    else
      words[#words + 1] = word:gsub("(.)/$", "%1") -- zsh takes the slash behind a folder away again
    end
  end
  return all
end

-- What the lines have to become: { { typed, words … }, … }.
local function expect_words(shell, start, cases)
  local lines, expected = {}, {}
  for i, case in ipairs(cases) do
    lines[i] = case[1]
    expected[i] = table.move(case, 2, #case, 2, { "jaunt" })
  end
  assert.same(expected, type_at(shell, start, lines))
end

local CASES = {
  { "jaunt pre\t", "preview" },
  { "jaunt run we\t", "run", "welcome" },
  { "jaunt run welcome --peop\tpeople/sam\t", "run", "welcome", "--people", "people/samples.csv" },
  { 'jaunt preview welcome "say\t', "preview", "welcome", "say goodbye" },
  { "jaunt preview welcome 'say\t", "preview", "welcome", "say goodbye" },
  { "jaunt preview welcome say\t", "preview", "welcome", "say goodbye" },
  { "jaunt preview welcome say\\ g\t", "preview", "welcome", "say goodbye" },
  { 'jaunt preview welcome "it\t', "preview", "welcome", [[it's "50" $ off]] },
  { "jaunt preview welcome it\t", "preview", "welcome", [[it's "50" $ off]] },
  { "jaunt why ben\t", "why", "ben o'hara" },
  { "jaunt runs --outcome held,liv\t", "runs", "--outcome", "held,living" },
  { "jaunt runs --outcome=held,liv\t", "runs", "--outcome=held,living" },
  { "jaunt run welcome --sync=no\t", "run", "welcome", "--sync=normal" },
  { "jaunt runs --at=\"say\t", "runs", "--at=say goodbye" },
  { "jaunt run welcome --state sqlite:people/sam\t", "run", "welcome", "--state", "sqlite:people/samples.csv" },
  { "jaunt run some\tfi\t", "run", "some folder/file.csv" },
  { "jaunt check --proj\tsome\t", "check", "--project", "some folder" },
}

describe("the Tab key", function()
  local has_script = helper.sh("command -v script").code == 0

  it("puts the right word in at a prompt of bash", function()
    if not has_script then return pending("needs script, of the Debian package bsdutils") end
    local rc = helper.write_file(bin .. "/rc", helper.jaunt("completion", "bash").out)
    expect_words("bash", "bash --noprofile --rcfile " .. rc, CASES)
  end)

  it("puts the right word in at a prompt of zsh", function()
    if not has_script or helper.sh("command -v zsh").code ~= 0 then
      return pending("needs zsh and script, of the Debian packages zsh and bsdutils")
    end
    local functions = helper.temp_folder()
    helper.write_file(functions .. "/_jaunt", helper.jaunt("completion", "zsh").out)
    helper.write_file(bin .. "/.zshrc",
      ("fpath=(%s $fpath)\nautoload -U compinit && compinit -u -D\nbindkey -e\nunsetopt prompt_sp\n"):format(functions))
    expect_words("zsh", "zsh -d -i", CASES)
  end)

  it("starts one process", function()
    for _, shell in ipairs { "bash", "zsh" } do
      local script = helper.jaunt("completion", shell).out:gsub("#[^\n]*", "")
      assert.equal(1, select(2, script:gsub("%f[<$][<$]%(", "")), shell)
    end
  end)

  it("never puts in what a terminal obeys", function()
    local r = helper.sh(("cd %s && %s"):format(helper.quote(folder), helper.jaunt_words("completion", "bash", "--",
      "jaunt why ", "")))
    assert.equal("words\nada\nadam\nben\\ o\\'hara\ngrace\n", r.out)
  end)

  it("is not asked of another shell", function()
    local r = helper.jaunt("completion", "zssh")
    assert.equal(2, r.code)
    assert.equal("jaunt: SHELL is one of bash, zsh, not zssh; did you mean zsh?\n", r.err)
  end)
end)
