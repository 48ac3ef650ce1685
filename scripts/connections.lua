-- scripts/connections.lua
return {
  crm = {
    base_url = env("CRM_URL", "https://crm.example.com/v2"),
    auth = { bearer = secret "CRM_TOKEN" },
    headers = { ["X-Team"] = "growth" },
    timeout = { connect = "2s", total = "10s" },
    retry = { attempts = 6, base = "500ms", cap = "30s" },
    success = { 200, 201, 404 },
    max_in_flight = 100,
  },
  shop = { base_url = env("SHOP_URL", "https://shop.example.com/api"), auth = { query = { key = secret "SHOP_KEY" } } },
  email = { base_url = env("EMAIL_URL", "https://mail.example.com/v3"), auth = { header = { ["X-Api-Key"] = secret "EMAIL_KEY" } } },
  whatsapp = { base_url = env("WHATSAPP_URL", "https://graph.example.com"), auth = { bearer = secret "WA_TOKEN" }, idempotent = false },
  sms = { base_url = env("SMS_URL", "https://sms.example.com"), auth = { basic = { "AC0example", secret "SMS_TOKEN" } } },
}
