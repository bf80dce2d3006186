// Rates and shares: numbers of two parts.
#include "gateway/config/validate.h"
#include "gateway/config/values.h"

namespace lingate::config {

Settings Validator::rate(const Node& node, const Field& field, const Where& where) {
  const auto rate = parse_rate(node.text);
  if (!rate) return refuse(node.span, field, where, rate.error()), Settings();
  return Settings(Settings::Map{{"count", Settings(rate->count)}, {"per", Settings(rate->per)}});
}

Settings Validator::share(const Node& node, const Field& field, const Where& where) {
  const auto share = parse_share(node.text);
  if (!share) return refuse(node.span, field, where, share.error()), Settings();
  return Settings(std::int64_t{*share});
}

}  // namespace lingate::config
