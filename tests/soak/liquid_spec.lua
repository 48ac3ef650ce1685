-- A soak: random payload templates and hostile people, with other dice each time, for as long as SOAK_SECONDS says (a
-- moment by default, for spec/liquid_property does the same for some seconds).

local SECONDS = tonumber(os.getenv "SOAK_SECONDS" or "0")

describe("payloads of random templates", function()
  it("are as promised, with one seed after the other", function()
    if SECONDS == 0 then return pending "SOAK_SECONDS is not set" end
    local jaunt_spec, ends, seed = os.getenv "JAUNT_BUILD" .. "/jaunt-spec", os.time() + SECONDS, os.time()
    while os.time() < ends do
      seed = seed + 1
      local ok = os.execute(("LIQUID_SEED=%d '%s' tests/spec/liquid_property_spec.lua"):format(seed, jaunt_spec))
      if not ok then error(("LIQUID_SEED=%d finds a mistake"):format(seed)) end
    end
  end)
end)
