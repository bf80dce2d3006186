// Masks the values of chosen keys in a JSON response, wherever they stand.
//
// config: keys  names of the members to mask
//         keep  how many characters stay readable at the end
var lingate = require("lingate");
var keys = lingate.config.keys;
var keep = lingate.config.keep;

function masked(text) {
  var cut = Math.max(0, text.length - keep);
  return text.slice(0, cut).replace(/[^ @.\/-]/g, "*") + text.slice(cut);
}

function walk(value) {
  var count = 0;
  for (var name in value) {
    if (typeof value[name] === "string" && keys.indexOf(name) >= 0) {
      value[name] = masked(value[name]);
      count += 1;
    } else if (value[name] !== null && typeof value[name] === "object") {
      count += walk(value[name]);
    }
  }
  return count;
}

exports.response = function (res, req, ctx) {
  if (!/^application\/json\b/.test(res.headers["Content-Type"] || "")) return;
  var body = res.json();
  var count = walk(body);
  if (count === 0) return;
  res.body = lingate.json.encode(body);
  res.headers["X-Masked"] = String(count);
  if (ctx.tenant) lingate.log.info("masked a response", { tenant: ctx.tenant, count: count });
};
