-- jaunt's words as annotations for the Lua language server, which editors show and check: what `jaunt new` writes into types/.

local types = {}

-- types/jaunt.lua: the words of scripts.
types.scripts = [[
---@meta

-- The words of jaunt in journeys and scripts, for editors with the Lua language server. Nothing runs this file.

--- A time that passes: "250ms", "10s", "5m", "2h", "7d", "1w", several in a row as "1h30m", or seconds as a number.
---@alias Duration string|number

--- What a call gives. Status, headers and body are there on failure, too.
---@class Response
---@field ok boolean it went well
---@field failed boolean it did not, and no retry helped
---@field unknown boolean it was sent, and nobody knows whether it was done
---@field skipped boolean it was not sent: only_if or the payload said so
---@field status integer? of the last answer; nil where there was none
---@field headers table<string, string> by their names, in small letters or as one likes
---@field body string? as far as keep_body keeps it
---@field json any the body, decoded; nil where it is no JSON
---@field attempts integer how often it was sent
---@field ms number how long the last attempt took
---@field error string? why it failed: "REASON: detail"
---@field truncated boolean the body was longer than keep_body

---@class Call
---@field via string? the connection, as connections.lua has it
---@field GET string? the path behind the connection's base_url, or a whole URL
---@field POST string? the path behind the connection's base_url, or a whole URL
---@field PUT string? the path behind the connection's base_url, or a whole URL
---@field PATCH string? the path behind the connection's base_url, or a whole URL
---@field DELETE string? the path behind the connection's base_url, or a whole URL
---@field HEAD string? the path behind the connection's base_url, or a whole URL
---@field OPTIONS string? the path behind the connection's base_url, or a whole URL
---@field method string? with url, instead of a method with its path
---@field url string? with method
---@field query table<string, any>? encoded for you; a list gives a name several times
---@field headers table<string, any>? texts, numbers and secrets; they go before the connection's
---@field payload (string|table)? the name of a payload, or a table that is sent as JSON
---@field vars table<string, any>? what the payload sees besides person and event
---@field json any sent as JSON
---@field form table<string, any>? sent as a form
---@field body string? sent as it stands
---@field timeout (Duration|{ connect: Duration, total: Duration })? of one attempt
---@field within Duration? of everything: queue, attempts, pauses; "24h" without it
---@field retry (integer|false|{ attempts: integer?, base: Duration?, cap: Duration? })? how often, and with which pauses
---@field success (string|integer|(string|integer)[]|fun(response: Response): boolean)? which answers are: "2xx" without it
---@field on_failure ("drop"|"continue"|"hold")? what becomes of the person: "drop" without it
---@field only_if (fun(person: Person, event: Event): boolean)? asked before each send; if it says no, the call is skipped
---@field idempotent (string|false)? the header that carries the key; false: never sent twice
---@field save_to string? a file for the body, below saved/
---@field redirects integer? how many are followed; 0 without it
---@field keep_body (string|integer)? how much of the answer's body is kept; "64KiB" without it

--- The profile. What is written to it is kept.
---@class Person
---@field id string
---@field zone string? "Europe/Berlin": where wait_until looks for the time of day
---@field [string] any

--- An event: the fields of its data, and what is known of it.
---@class Event
---@field meta { id: string, name: string, time: number }
---@field [string] any

---@class EventOptions
---@field where (fun(event: Event, own: Event): boolean)? whether it is the one; own is what let the person in
---@field within Duration? how long it is waited for

---@class Journey
---@field starts_on string? the event that lets people in
---@field per string? a field of that event: a person has one living run for each of its values
---@field reentry ("never"|"always"|Duration)? whether people may enter again, or how long after their last end
---@field goal (string|table)? an event that ends the run and counts as converted: "NAME" or { "NAME", where =, within = }
---@field control string? a share such as "10%": these people are only watched
---@field exit_on (string|table)? an event that ends the run, or a list of them
---@field flow fun(person: Person, event: Event, state: any) what happens to one person

--- Sends a request, waits for the answer, and gives it; or drops the person, as on_failure says.
---
---     call_api "contact in the CRM" { via = "crm", POST = "/contacts", payload = "contact" }
---@overload fun(call: Call): Response
---@param name string the element's name, as reports show it
---@return fun(call: Call): Response
function call_api(name) end

--- Waits for so long: wait "2h".
---@param duration Duration
function wait(duration) end

--- Waits until then, in the person's zone: wait_until "mon 09:00", "tomorrow 09:00", "2026-11-30 09:00", or { "09:00", zone = "Europe/Berlin" }.
---@param time string|number|table
function wait_until(time) end

--- The next event that matches, or nil when the time is over: wait_for("order_placed", { within = "1d" }).
---@param event string
---@param options EventOptions?
---@return Event?
function wait_for(event, options) end

--- The name of a branch, always the same for the same person: split "copy" { a = 50, b = 50 }.
---@param name string
---@return fun(shares: table<string, number>): string
function split(name) end

--- Ends the run here, as dropped.
---@param reason string?
function drop(reason) end

--- Ends the run here, as exited.
---@param reason string?
function exit(reason) end

--- Begins the run anew with an empty journal, as flow(person, event, state): for journeys without end.
---@param state any
function restart_with(state) end

--- Defines a journey; a journey's file returns it.
---@param name string
---@return fun(definition: Journey): Journey
function journey(name) end

--- A variable of the environment, unless it is a secret's.
---@param name string
---@param default string?
---@return string
function env(name, default) end

--- A secret, for headers and connections; it is shown nowhere.
---@param name string
---@return userdata
function secret(name) end

--- The journey's time: seconds since 1970.
---@return number
function now() end

--- As math.random, with dice of the run's own.
---@param m integer?
---@param n integer?
---@return number
function random(m, n) end

--- A fresh UUID.
---@return string
function uuid() end

--- A line, with the person's id before it.
---@param text any
---@param fields table<string, any>?
function log(text, fields) end

--- A line, as it is.
---@param ... any
function print(...) end

---@class json
---@field null userdata
---@field empty_array userdata
json = {}

---@param value any
---@param options { indent: integer? }?
---@return string
function json.encode(value, options) end

---@param text string
---@return any
function json.decode(text) end

--- The table, marked so that it is sent as an array even when it is empty.
---@param list table
---@return table
function json.array(list) end

---@param value any
---@return boolean
function json.is_array(value) end
]]

-- types/spec.lua: the words of specs.
types.specs = [[
---@meta

-- The words of specs in spec/, which `jaunt test` runs, for editors with the Lua language server. Nothing runs this file.

---@class Run one person's way through a journey

--- Lets a person in: a sample's id, or a table with an id. The event's data go over the sample's. nil where nobody may enter.
---@param journey string
---@param person string|table
---@param event table?
---@return Run?
function enter(journey, person, event) end

--- An event comes for a person: of a run, an id, or a table with one.
---@param name string
---@param person Run|string|table
---@param data table?
function happens(name, person, data) end

--- Goes on, and lets happen what is due by then: clock "+2h", clock "2026-11-30 09:00". Without a text it tells the time, in milliseconds.
---@param text string?
---@return number
function clock(text) end

--- When the test begins, in UTC.
---@param text string
function starts_at(text) end

---@class Rule what a pretend vendor says; several in a row are one after the other, and the last one stays
---@field reply fun(self: Rule, status: integer, body: any, headers: table<string, string>?, takes: string?): Rule
---@field reset fun(self: Rule): Rule cuts the connection off
---@field storm fun(self: Rule, times: integer, seconds: integer?): Rule 429 to so many requests
---@field as_usual fun(self: Rule): Rule

---@class Vendor
---@field on fun(self: Vendor, what: string): Rule of the requests "POST /messages"

--- A connection's pretend vendor: vendor "email":on "POST /send":reply(422).
---@param connection string
---@return Vendor
function vendor(connection) end

--- The request that a call has made; nil where it made none.
---@param run Run
---@param element string
---@return { method: string, url: string, type: string?, payload: string?, body: string?, json: any }?
function sent(run, element) end

--- Runs it once for each moment at which the process could end: the story has to be the same.
---@param journey string
---@param person string|table
---@param options table?
function crash_everywhere(journey, person, options) end

---@param text string
---@param body fun()
function describe(text, body) end

---@param text string
---@param body fun()
function it(text, body) end

---@param body fun()
function before_each(body) end

---@param body fun()
function after_each(body) end

---@param reason string
function pending(reason) end

---@class Assertions : any
---@field went_through fun(run: Run, element: string)
---@field dropped_at fun(run: Run, element: string?, reason: string?)
---@field held_at fun(run: Run, element: string?, reason: string?)
---@field is_waiting_at fun(run: Run, element: string?, reason: string?)
---@field completed fun(run: Run)
---@field exited fun(run: Run, element: string?, reason: string?)
---@field waits_until fun(run: Run, time: string, zone: string?)
---@field received fun(connection: string, what: string, body: any, times: integer?)
---@field matches_snapshot fun(name: string, value: any)
---@field [string] any busted's own: equal, same, is_true, is_not, …
---@overload fun(value: any, message: any, ...: any): any
assert = {}
]]

return types
