-- jaunt's words as annotations for the Lua language server: what `jaunt new` writes as types/jaunt.lua.
return [[
---@meta

--- What a call gives; status, headers and body are there on failure, too.
---@class Response
---@field ok boolean it went well
---@field failed boolean it did not, and no retry helped
---@field unknown boolean it was sent, and nobody knows whether it was done
---@field skipped boolean it was not sent: only_if, or the payload, said so
---@field status integer? of the last answer
---@field headers table<string, string>
---@field body string?
---@field json any the body, decoded
---@field attempts integer
---@field ms number of the last attempt
---@field error string? why, in words
---@field truncated boolean the body was longer than keep_body

---@class Call
---@field via string? a connection's name
---@field GET string?
---@field POST string?
---@field PUT string?
---@field PATCH string?
---@field DELETE string?
---@field HEAD string?
---@field OPTIONS string?
---@field method string? with url, instead of a verb with its path
---@field url string?
---@field query table<string, any>?
---@field headers table<string, any>?
---@field payload (string|table)? the name of a payload, or a table that is sent as JSON
---@field vars table<string, any>? what the payload sees beside person and event
---@field json any
---@field form table<string, any>?
---@field body string?
---@field timeout (string|number|table)? of one attempt
---@field within (string|number)? of everything: line, retries
---@field retry (integer|table)? how often, or { attempts =, base =, cap = }
---@field success (string|integer|table|fun(response: Response): boolean)?
---@field on_failure ("drop"|"continue"|"hold")?
---@field only_if (fun(person: Person, event: table): boolean)?
---@field idempotent (string|boolean)? the header that carries the key; false: never send twice
---@field save_to string? a file for the body
---@field redirects integer?
---@field keep_body (string|integer)?

---@class Person
---@field id string
---@field [string] any

---@class EventOptions
---@field where (fun(event: table, own: table): boolean)?
---@field within (string|number)?

---@class Journey
---@field starts_on (string|table)?
---@field per string?
---@field reentry ("never"|"always"|string)?
---@field goal (string|table)?
---@field control string?
---@field exit_on (string|table)?
---@field flow fun(person: Person, event: table, state: any)

--- Sends a request, waits for the answer, and gives it; or drops the person, as on_failure says.
---@overload fun(call: Call): Response
---@param name string
---@return fun(call: Call): Response
function call_api(name) end

--- Waits: "2h", or seconds.
---@param duration string|number
function wait(duration) end

--- Waits until a time: "mon 09:00", "2026-11-30 09:00", in the person's zone.
---@param time string|number|table
function wait_until(time) end

--- The event, or nil when the time is over.
---@param event string|table
---@param options EventOptions?
---@return table?
function wait_for(event, options) end

--- The name of a branch; the same for the same person for ever.
---@param name string
---@return fun(branches: table<string, number>): string
function split(name) end

--- Ends the run: dropped here.
---@param reason string?
function drop(reason) end

--- Ends the run: exited.
---@param reason string?
function exit(reason) end

--- Begins the run anew with an empty journal: flow(person, event, state).
---@param state any
function restart_with(state) end

---@param name string
---@return fun(definition: Journey): Journey
function journey(name) end

--- Configuration from the environment.
---@param name string
---@param default string?
---@return string?
function env(name, default) end

--- A secret, which is shown nowhere.
---@param name string
---@return userdata
function secret(name) end

--- The journey's time, in seconds since 1970.
---@return number
function now() end

--- As math.random, seeded by the run.
---@param m integer?
---@param n integer?
---@return number
function random(m, n) end

---@return string
function uuid() end

--- Writes a line to the log.
---@param text any
function log(text) end

---@class json
---@field null userdata
json = {}
---@param value any
---@return string
function json.encode(value) end
---@param text string
---@return any
function json.decode(text) end
---@param list table
---@return table
function json.array(list) end
]]
