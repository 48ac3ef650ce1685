-- The outside systems that the examples call.
--
-- Plain scripts call them in earnest: start a pretend shop first, in another terminal, with
--   jaunt vendor --port 8080 --behaviour examples/vendor.lua
return {
  shop = {
    base_url = env("SHOP_URL", "http://127.0.0.1:8080/shop"),
    private_network = true, -- it is on this machine
  },

  crm = {
    base_url = "https://crm.example.com/v2",
    auth = { bearer = secret "CRM_TOKEN" },
  },
}
