-- scripts/journeys/win_back.lua
-- Wins customers back who have not bought for a while, the good ones with a better coupon.
--
-- It needs recency_days (since the last purchase), frequency (purchases) and total (money spent); a CSV file
-- gives them as texts, so they are made numbers first.

local QUIET_DAYS = 180

local function worth(frequency, total)
  if total >= 500 or frequency >= 10 then return "gold", 25 end
  if total >= 100 or frequency >= 3 then return "silver", 15 end
  return "bronze", 10
end

return journey "win_back" {
  starts_on = "quiet_customer",
  reentry   = "90d",

  flow = function(person)
    local recency = tonumber(person.recency_days)
    if not recency then drop "recency unknown" end
    if recency < QUIET_DAYS then exit "still buys" end

    local tier, percent = worth(tonumber(person.frequency) or 0, tonumber(person.total) or 0)
    person.tier = tier

    local coupon = call_api "coupon from the shop" {
      via = "shop", POST = "/coupons", json = { customer = person.id, percent = percent, days = 30 },
    }
    local vars = { code = coupon.json.code, percent = percent }

    local mail = call_api "we miss you" {
      via = "email", POST = "/mail/send", payload = "win_back_email", vars = vars, on_failure = "continue",
    }
    if tier == "gold" or mail.failed then
      call_api "coupon by WhatsApp" {
        via = "whatsapp", POST = "/messages", payload = "win_back_whatsapp", vars = vars,
        within = "12h", on_failure = mail.failed and "drop" or "continue",
      }
    end

    call_api "note in the CRM" {
      via = "crm", POST = "/notes", on_failure = "continue",
      json = { contact = person.id, text = ("sent coupon %s (%d%%, %s)"):format(vars.code, percent, tier) },
    }
  end,
}
