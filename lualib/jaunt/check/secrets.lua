-- Secrets that are written in files instead of coming from the environment.

local secrets = {}

local WHY = "whoever reads the file, or the version control, has it: write secret \"NAME\", and set NAME in the environment "
  .. "or in secrets.env"

-- Beginnings and forms that vendors give their keys; the first capture, if any, is what is shown.
local FORMS = {
  { "%f[%w]sk_live_%w+", "a Stripe key" }, { "%f[%w]rk_live_%w+", "a Stripe key" }, { "%f[%w]xox[abprs]%-[%w-]+", "a Slack token" },
  { "%f[%w]AKIA[%u%d][%u%d][%u%d][%u%d][%u%d][%u%d][%u%d][%u%d][%u%d][%u%d][%u%d][%u%d][%u%d]*", "an AWS key" },
  { "%f[%w]gh[pousr]_%w+", "a GitHub token" }, { "%f[%w]SG%.[%w_-]+%.[%w_-]+", "a SendGrid key" },
  { "%f[%w]EAA%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w*", "a Meta token" },
  { "%f[%w]eyJ[%w_-]+%.[%w_-]+%.[%w_-]+", "a JSON web token" }, { "%-%-%-%-%-BEGIN [%u ]*PRIVATE KEY%-%-%-%-%-", "a private key" },
  { "[Bb]earer%s+[%w%._~+/-][%w%._~+/-][%w%._~+/-][%w%._~+/-][%w%._~+/-][%w%._~+/-][%w%._~+/-][%w%._~+/-]+", "a bearer token" },
  { "https?://[^%s/:@]+:[^%s/@]+@", "a password in a URL" },
}

-- Adds what is found in the text of a source.
function secrets.check(source, found)
  for _, form in ipairs(FORMS) do
    for at in source.text:gmatch("()" .. form[1]) do
      found:add(source, { code = "secret", at = at, text = ("this looks like %s"):format(form[2]), why = WHY })
    end
  end
end

return secrets
