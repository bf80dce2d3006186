// Leaves three stamps in each hook: what lies before the first is entering, behind the last leaving.
var lingate = require("lingate");
exports.request = exports.response = function () {
  lingate.log.debug("enter");
  lingate.log.debug("stamp");
  lingate.log.debug("exit");
};
