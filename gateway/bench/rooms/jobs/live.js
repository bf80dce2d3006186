// 100,000 objects that live on, and some garbage with each call: what the collector makes of it.
var live = [];
for (var i = 0; i < 100000; i++) live.push({ id: i });
exports.request = function (req) {
  var made = [];
  for (var k = 0; k < 20; k++) made.push({ value: k });
  live[Math.floor(Math.random() * live.length)] = made[19];
  req.headers["X-Live"] = String(live.length);
};
