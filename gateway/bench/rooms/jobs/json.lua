-- Decodes a JSON body, adds a member, encodes it.
return {
  request = function(req)
    local order = req:json()
    order.gateway_user = "user-42"
    req.body = lingate.json.encode(order)
  end,
}
