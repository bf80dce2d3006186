-- Nothing but a call: what it costs to be asked.
return {request = function() end}
