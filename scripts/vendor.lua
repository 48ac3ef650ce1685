-- How the pretend vendors answer, in rehearsals and in `jaunt vendor --behaviour scripts/vendor.lua`.
--
-- One table a connection (see connections.lua); in it, a function for each method and path. It gets the request
-- (method, path, params, query, headers, body, json, form, key, attempt, id) and returns status, body and
-- headers; a table as body is sent as JSON. What stands here nowhere is answered with 200 {"ok":true}.
--
-- They refuse what the real ones would refuse, so that a rehearsal shows who would be dropped, and why.

------------------------------------------------------------------------------------------------ what is right

-- E.164: a plus, a country's digits, 7 to 15 digits in all.
local function is_phone(text)
  return type(text) == "string" and text:find("^%+[1-9]%d+$") ~= nil and #text >= 8 and #text <= 16
end

local LANDLINES = { "+4930", "+4940", "+4989", "+331", "+334", "+44207", "+44161", "+3491", "+3493", "+3902", "+3906" }

local function is_landline(phone)
  for _, prefix in ipairs(LANDLINES) do
    if phone:sub(1, #prefix) == prefix then return true end
  end
  return false
end

local function is_address(text)
  return type(text) == "string" and text:find("^[^%s@]+@[^%s@]+%.[^%s@]+$") ~= nil
end

local function is_text(value)
  return type(value) == "string" and value:find("%S") ~= nil
end

-- True where a bearer token came; which one is none of a pretend vendor's business.
local function has_token(request)
  return (request.headers.authorization or ""):find("^Bearer %S") ~= nil
end

------------------------------------------------------------------------------------------------ the CRM

local function crm_error(status, code, message, field)
  return status, { { errorCode = code, message = message, fields = json.array { field } } }
end

-- Takes a contact or a lead that someone could be reached under.
local function crm_upsert(kind)
  return function(request)
    local record = request.json
    if not has_token(request) then return crm_error(401, "INVALID_SESSION_ID", "Session expired or invalid") end
    if type(record) ~= "table" then
      return crm_error(400, "JSON_PARSER_ERROR", request.json_error or "an object is expected")
    end
    if not is_text(record.email) and not is_text(record.name) and not is_text(record.last_name) then
      return crm_error(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [email or name]", "email")
    end
    if is_text(record.email) and not is_address(record.email) then
      return crm_error(400, "INVALID_EMAIL_ADDRESS", "invalid email address: " .. record.email, "email")
    end
    return 201, { id = kind .. request.id:sub(1, 15):upper(), success = true, errors = json.array {} }
  end
end

local crm = {
  ["POST /contacts"] = crm_upsert "003",
  ["PUT /contacts/:id"] = crm_upsert "003",
  ["POST /leads"] = crm_upsert "00Q",
  ["GET /contacts/:id"] = function(request) return 200, { id = request.params.id, stage = "customer" } end,
  ["POST /notes"] = function(request)
    if type(request.json) ~= "table" or not is_text(request.json.text) then
      return crm_error(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [text]", "text")
    end
    return 201, { id = "002" .. request.id:sub(1, 15):upper(), success = true, errors = json.array {} }
  end,
}

------------------------------------------------------------------------------------------------ WhatsApp

local function whatsapp_error(request, status, code, message, details)
  return status, {
    error = {
      message = ("(#%d) %s"):format(code, message), type = "OAuthException", code = code,
      error_data = { messaging_product = "whatsapp", details = details }, fbtrace_id = request.id:sub(1, 22),
    },
  }
end

-- What is wrong with a message; nil when nothing is.
local function whatsapp_fault(message)
  if message.messaging_product ~= "whatsapp" then return "messaging_product must be \"whatsapp\"" end
  if message.type == "template" and not is_text((message.template or {}).name) then
    return "template.name is missing"
  end
  if message.type == "text" and not is_text((message.text or {}).body) then return "text.body is missing" end
  if message.type ~= "text" and message.type ~= "template" then return "type must be one of text, template" end
  if message.type == "text" and #message.text.body > 4096 then return "text.body is longer than 4096" end
end

local whatsapp = {
  idempotent = false,
  ["POST /messages"] = function(request)
    local message = request.json
    if not has_token(request) then
      return whatsapp_error(request, 401, 190, "Authentication Error", "access token is missing")
    end
    if type(message) ~= "table" then
      return whatsapp_error(request, 400, 100, "Invalid parameter", request.json_error or "an object is expected")
    end
    if not is_phone(message.to) then
      return whatsapp_error(request, 400, 131009, "Parameter value is not valid", "to is no phone number in E.164")
    end
    local fault = whatsapp_fault(message)
    if fault then return whatsapp_error(request, 400, 100, "Invalid parameter", fault) end
    return 200, {
      messaging_product = "whatsapp",
      contacts = { { input = message.to, wa_id = message.to:sub(2) } },
      messages = { { id = "wamid." .. request.id, message_status = "accepted" } },
    }
  end,
}

------------------------------------------------------------------------------------------------ SMS

local function sms_error(code, message)
  return 400, {
    code = code, message = message, status = 400, more_info = "https://sms.example.com/docs/errors/" .. code,
  }
end

-- A text of letters that the old alphabet lacks takes 70 a part instead of 160. Good enough for pretending.
local function sms_parts(text)
  local length = utf8.len(text) or #text
  local plain = not text:find("[\x80-\xff]")
  if length <= (plain and 160 or 70) then return 1 end
  return math.ceil(length / (plain and 153 or 67))
end

local sms = {
  ["POST /messages"] = function(request)
    local form = request.form or {}
    if not (request.headers.authorization or ""):find("^Basic %S") then
      return 401, { code = 20003, message = "Authenticate", status = 401 }
    end
    if not is_text(form.To) then return sms_error(21604, "A 'To' phone number is required.") end
    if not is_phone(form.To) then
      return sms_error(21211, ("The 'To' number %s is not a valid phone number."):format(form.To))
    end
    if is_landline(form.To) then return sms_error(21614, ("%s is not a mobile number."):format(form.To)) end
    if not is_text(form.Body) then return sms_error(21602, "Message body is required.") end
    if (utf8.len(form.Body) or #form.Body) > 1600 then
      return sms_error(21617, "The concatenated message body exceeds the 1600 character limit.")
    end
    return 201, {
      sid = "SM" .. request.id, status = "queued", to = form.To, from = form.From, body = form.Body,
      num_segments = tostring(sms_parts(form.Body)), error_code = json.null,
    }
  end,
}

------------------------------------------------------------------------------------------------ e-mail

local function email_error(status, message, field)
  return status, { errors = { { message = message, field = field, help = json.null } } }
end

local email = {
  ["POST /mail/send"] = function(request)
    local mail = request.json
    if not is_text(request.headers["x-api-key"]) then
      return email_error(401, "The provided authorization grant is invalid, expired, or revoked")
    end
    if type(mail) ~= "table" then return email_error(400, request.json_error or "Bad Request") end
    local to = type(mail.to) == "table" and mail.to.email or mail.to
    if not is_address(to) then return email_error(422, "Does not contain a valid address.", "to.email") end
    if not is_text(mail.subject) then return email_error(422, "The subject is required.", "subject") end
    if not is_text(mail.text) and not is_text(mail.html) then
      return email_error(422, "The content is required.", "text")
    end
    return 202, nil, { ["X-Message-Id"] = request.id:sub(1, 22) }
  end,
}

------------------------------------------------------------------------------------------------ the shop's backend

local COURIERS = { "DHL", "UPS", "Hermes" }

local shop = {
  ["GET /orders/:id"] = function(request)
    local digit = tonumber(request.id:sub(1, 2), 16)
    return 200, {
      order_id = request.params.id, state = digit < 230 and "in transit" or "lost",
      courier = COURIERS[digit % #COURIERS + 1],
    }
  end,
  ["POST /coupons"] = function(request)
    local wish = request.json
    if type(wish) ~= "table" or type(wish.percent) ~= "number" then return 400, { error = "percent is missing" } end
    if wish.percent < 1 or wish.percent > 50 then return 422, { error = "percent is from 1 to 50" } end
    return 201, { code = "BACK-" .. request.id:sub(1, 8):upper(), percent = wish.percent }
  end,
}

return { crm = crm, whatsapp = whatsapp, sms = sms, email = email, shop = shop }
