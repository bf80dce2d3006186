-- The 1,000 sessions of the header job, for peers that run Lua.
local sessions = {}
for i = 1, 1000 do
  sessions[string.format("key-%08d", i)] = { user = "user-" .. i, tenant = "tenant-" .. (i % 17) }
end
return sessions
