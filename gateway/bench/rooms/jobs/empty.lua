return { request = function() end, response = function() end }
