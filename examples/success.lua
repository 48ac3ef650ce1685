-- What counts as success: statuses ("2xx" by default), or a predicate over the response, which may look at the
-- body. The pretend shop says no with a 200.
--
--   jaunt run examples/success.lua --people examples/people.csv

return journey "success" {
  flow = function(person)
    call_api "loyalty card" {
      via = "shop", POST = "/loyalty", json = { age = person.age },
      success = function(response) return response.status == 200 and response.json.accepted end,
    }
    call_api "old newsletter" {
      via = "shop", DELETE = "/newsletter/" .. person.id,
      success = { "2xx", 404 }, -- gone is gone
    }
  end,
}
