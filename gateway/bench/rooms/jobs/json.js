// Decodes a JSON body, adds a member, encodes it.
var lingate = require("lingate");
exports.request = function (req) {
  var order = req.json();
  order.gateway_user = "user-42";
  req.body = lingate.json.encode(order);
};
