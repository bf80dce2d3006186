// A fixed loop of arithmetic; the result proves that it ran.
exports.request = function (req) {
  var hash = 7;
  for (var i = 1; i <= 2000; i++) hash = (hash * 31 + i) % 4294967296;
  req.headers["X-Hash"] = String(hash);
};
