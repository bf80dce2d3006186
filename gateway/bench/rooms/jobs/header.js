// The header job: see header.lua.
var lingate = require("lingate");

var sessions = {};
for (var i = 1; i <= 1000; i++) {
  sessions["key-" + ("0000000" + i).slice(-8)] = { user: "user-" + i, tenant: "tenant-" + (i % 17) };
}

exports.request = function (req) {
  var headers = req.headers;
  var session = sessions[headers["X-Api-Key"]];
  if (!session) return lingate.respond(401);
  headers["X-User-Id"] = session.user;
  headers["X-Tenant"] = session.tenant;
  delete headers["X-Api-Key"];
};

exports.response = function (res) {
  res.headers["X-Gateway"] = "perf";
};
