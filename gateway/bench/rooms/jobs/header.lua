-- The header job: 1,000 sessions by API key, two fields set, one removed, one added to the response; 401 without a key.
local sessions = {}
for i = 1, 1000 do
  sessions[string.format("key-%08d", i)] = { user = "user-" .. i, tenant = "tenant-" .. (i % 17) }
end

local M = {}

function M.request(req)
  local headers = req.headers
  local key = headers["X-Api-Key"]
  local session = key and sessions[key]
  if not session then return lingate.respond(401) end
  headers["X-User-Id"] = session.user
  headers["X-Tenant"] = session.tenant
  headers["X-Api-Key"] = nil
end

function M.response(res)
  res.headers["X-Gateway"] = "perf"
end

return M
