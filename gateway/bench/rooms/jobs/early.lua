-- Answers without the upstream.
local body = string.rep("x", 128)
return {
  request = function()
    return lingate.respond(200, body)
  end,
}
