-- The callers of the arm `guarded`: who they are, and how often they may come (GCRA: an interval for each request, and how
-- far ahead of it a burst may be).
local callers = {}
for key, session in pairs(require "sessions") do
  callers["guarded-" .. key] = { id = session.user, user = session.user, tenant = session.tenant, interval = 1e-6, ahead = 1 }
end
callers["guarded-key-that-may-come-once"] = { id = "slow", user = "slow", tenant = "slow", interval = 3600, ahead = 3600 }
return callers
