-- Leaves three stamps in each hook: what lies before the first is entering, behind the last leaving.
local function mark()
  lingate.log.debug("enter")
  lingate.log.debug("stamp")
  lingate.log.debug("exit")
end
return { request = function() mark() end, response = function() mark() end }
