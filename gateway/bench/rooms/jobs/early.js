// Answers without the upstream.
var lingate = require("lingate");
var body = new Array(129).join("x");
exports.request = function () {
  return lingate.respond(200, body);
};
