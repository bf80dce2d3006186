-- 100,000 objects that live on, and some garbage with each call: what the collector makes of it.
local live = {}
for i = 1, 100000 do live[i] = { id = i } end
return {
  request = function(req)
    local made = {}
    for i = 1, 20 do made[i] = { value = i } end
    local slot = math.random(#live)
    live[slot] = made[20]
    req.headers["X-Live"] = tostring(#live)
  end,
}
