-- How the pretend shop of the examples answers. What stands here nowhere is answered with 200 {"ok":true}.
return {
  shop = {
    ["GET /stock/:sku"] = function(request)
      return 200, { sku = request.params.sku, left = 12 }
    end,

    -- has bad moments: only the third attempt of a request succeeds
    ["POST /tickets"] = function(request)
      if request.attempt < 3 then return 503, { error = "try again" } end
      return 201, { ticket = "T-" .. request.json.customer }
    end,

    ["POST /legacy"] = function() return 500, { error = "it never works" } end,

    -- says no with a 200, as some do
    ["POST /loyalty"] = function(request)
      local grown_up = tonumber(request.json.age) >= 18
      return 200, { accepted = grown_up, why = not grown_up and "too young" or nil }
    end,

    -- tells what it got
    ["POST /echo"] = function(request)
      return 200, { query = request.query, form = request.form, city = request.headers["x-city"] }
    end,

    ["GET /report.csv"] = function()
      return 200, "sku,sold\nMUG,3\nPEN,14\n", { ["Content-Type"] = "text/csv" }
    end,

    ["GET /orders/:id"] = function()
      return 200, '{"order":9007199254740993,"total":10.0,"lines":[],"note":null}', { ["Content-Type"] = "application/json" }
    end,
  },
}
