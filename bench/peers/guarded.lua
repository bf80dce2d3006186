-- The header job for a caller whom `key-auth` has let in: two fields of its session, the key removed, one field added to
-- the response.
local M = {}

function M.request(req)
  local headers = req.headers
  local caller = req.session.metadata
  headers["X-User-Id"] = caller.user
  headers["X-Tenant"] = caller.tenant
  headers["X-Api-Key"] = nil
end

function M.response(res)
  res.headers["X-Gateway"] = "perf"
end

return M
