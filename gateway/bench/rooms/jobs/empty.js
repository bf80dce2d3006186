exports.request = function () {};
exports.response = function () {};
