-- save_to streams an answer into a file, however large it is, instead of keeping it in memory.
--
--   jaunt run examples/save_to.lua report.csv
--
-- It needs the pretend shop: see connections.lua.

local file = ...

local answer = call_api "report" { via = "shop", GET = "/report.csv", save_to = file, timeout = "5m" }
print(("%s: status %d, %s"):format(file, answer.status, answer.headers["content-type"]))
