-- The outside systems that journeys call. A journey names one with `via`; where it is and how it wants to be
-- spoken to stands here and nowhere else.
--
-- Every address can be set from outside (CRM_URL=… jaunt run …), and every secret comes from the environment or
-- from the secrets file, never from here. A rehearsal sends all of them to pretend vendors.
return {
  -- Contacts and leads. It knows idempotency keys: what was sent may safely be sent again.
  crm = {
    base_url = env("CRM_URL", "https://crm.example.com/v2"),
    auth = { bearer = secret "CRM_TOKEN" },
    timeout = "10s",
  },

  -- This vendor knows no keys: a message whose fate is unclear is never sent twice.
  whatsapp = {
    base_url = env("WHATSAPP_URL", "https://graph.example.com"),
    auth = { bearer = secret "WA_TOKEN" },
    timeout = "15s",
    idempotent = false,
    max_in_flight = 200,
  },

  sms = {
    base_url = env("SMS_URL", "https://sms.example.com/2010-04-01"),
    auth = { basic = { env("SMS_ACCOUNT", "AC0example"), secret "SMS_TOKEN" } },
    retry = { attempts = 3 },
  },

  email = {
    base_url = env("EMAIL_URL", "https://mail.example.com/v3"),
    auth = { header = { ["X-Api-Key"] = secret "EMAIL_KEY" } },
    headers = { ["X-Mailer"] = "jaunt" },
    success = { 200, 202 },
  },

  -- The company's own backend, inside its own network.
  shop = {
    base_url = env("SHOP_URL", "https://shop.example.com/api"),
    auth = { query = { key = secret "SHOP_KEY" } },
    timeout = "5s",
    private_network = true,
  },
}
