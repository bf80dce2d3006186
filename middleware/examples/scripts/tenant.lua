-- Lets a caller in by its API key and tells the upstream which tenant it is.
--
-- config: header  the field that carries the key
--         keys    SHA-256 of each key, in hex -> {user, tenant, plan}
local M = {}
local header, keys

function M.init(config)
  header = config.header or "X-Api-Key"
  keys = config.keys
end

function M.request(req, ctx)
  local key = req.headers[header]
  local owner = key and keys[lingate.crypto.sha256(key)]
  if not owner then
    return lingate.respond(401, { error = "a valid " .. header .. " is required" }, { ["WWW-Authenticate"] = "ApiKey" })
  end
  req.session = { id = owner.user, org = owner.tenant, tags = { owner.plan }, metadata = { plan = owner.plan } }
  req.headers["X-User"] = owner.user
  req.headers["X-Tenant"] = owner.tenant
  req.headers[header] = nil -- the key ends here
  ctx.tenant = owner.tenant
end

function M.response(res)
  res.headers["X-Gateway"] = "lingate"
end

return M
