-- The jobs in HAProxy's Lua.
local sessions = require "sessions"
local cjson = require "cjson"

core.register_action("auth", { "http-req" }, function(txn)
  local key = txn.sf:req_fhdr("x-api-key")
  local session = key and sessions[key]
  if not session then
    txn:done(txn:reply{ status = 401 })
    return
  end
  local http = txn.http
  http:req_set_header("X-User-Id", session.user)
  http:req_set_header("X-Tenant", session.tenant)
  http:req_del_header("X-Api-Key")
end)

core.register_action("add_gateway", { "http-res" }, function(txn)
  txn.http:res_set_header("X-Gateway", "perf")
end)

core.register_action("early", { "http-req" }, function(txn)
  txn:done(txn:reply{ status = 200, headers = { ["X-Gateway"] = { "perf" } }, body = "{filler}" })
end)

-- The body job as a filter: waits for the whole request body, sends it on encoded anew, in chunks.
local Rewrite = { id = "JSON rewrite", flags = filter.FLT_CFG_FL_HTX }
Rewrite.__index = Rewrite

function Rewrite:new()
  return setmetatable({}, Rewrite)
end

function Rewrite:start_analyze(txn, channel)
  if not channel:is_resp() then filter.register_data_filter(self, channel) end
end

function Rewrite:http_headers(txn, message)
  if message:is_resp() then return end
  self.length = tonumber(message:get_headers()["content-length"][0])
  message:del_header("content-length")
  message:set_header("transfer-encoding", "chunked")
end

function Rewrite:http_payload(txn, message)
  if message:is_resp() then return end
  if message:input() < self.length then return 0 end
  local order = cjson.decode(message:body())
  order.gateway_user = "user-42"
  message:set(cjson.encode(order))
end

core.register_filter("rewrite", Rewrite, function(class, args) return class end)
