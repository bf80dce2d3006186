#include "runtimes/target_rules.h"

#include "base/fields.h"
#include "base/percent.h"

namespace lingate::runtimes {
namespace {

constexpr std::size_t kLongestMethod = 32;

}  // namespace

Refusal check_method(std::string_view method) {
  if (!fields::is_token(method)) return "method '" + shown(method) + "' is no token, such as GET or PATCH";
  if (method.size() > kLongestMethod)
    return "method would take " + std::to_string(method.size()) + " bytes, more than the limit of " +
           std::to_string(kLongestMethod);
  if (method == "CONNECT")
    return "method must not be CONNECT: it asks for a tunnel, which a proxy like this never opens";
  return std::nullopt;
}

Refusal check_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return "path must begin with '/', not '" + shown(path) + "'";
  for (std::size_t at = 0; at < path.size(); ++at) {
    const auto byte = static_cast<unsigned char>(path[at]);
    if (byte <= 0x20 || byte >= 0x7f || byte == '?' || byte == '#')
      return "path must not hold '" + shown(path.substr(at, 1)) + "' (at byte " + std::to_string(at) +
             "): write it percent-encoded, and the query to req.query";
    if (byte != '%') continue;
    const int decoded = percent_triplet(path, at);
    if (decoded < 0)
      return "path has '%' without two hexadecimal digits at byte " + std::to_string(at) + ": a literal '%' is '%25'";
    if (decoded == 0) return "path must not hold an encoded NUL (at byte " + std::to_string(at) + ")";
  }
  return std::nullopt;
}

Refusal check_query(std::string_view query) {
  for (std::size_t at = 0; at < query.size(); ++at) {
    const auto byte = static_cast<unsigned char>(query[at]);
    if (byte <= 0x20 || byte >= 0x7f || byte == '#')
      return "query must not hold '" + shown(query.substr(at, 1)) + "' (at byte " + std::to_string(at) +
             "): write it percent-encoded";
  }
  return std::nullopt;
}

}  // namespace lingate::runtimes
