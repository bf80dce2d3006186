// The forms of single values that limits have: rates and what they count by. Part of values.h.
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/units.h"
#include "gateway/config/values.h"

namespace lingate::config {
namespace {

constexpr std::int64_t kMostRequests = 1'000'000'000;
constexpr std::string_view kDigits = "0123456789";

Result<Rate, std::string> read_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view number = text.substr(0, slash);
  const bool digits = !number.empty() && number.find_first_not_of(kDigits) == std::string_view::npos;
  if (slash == std::string_view::npos)
    return fail(digits ? fmt::format("in which time? '{}/1s'", number) : std::string("requests and a time: '100/1s'"));
  if (!digits) return fail(std::string("the number of requests is an integer: '100/1s'"));
  Rate rate;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), rate.count);
  if (problem != std::errc() || rate.count > kMostRequests)
    return fail(fmt::format("at most {} requests", kMostRequests));
  if (rate.count == 0) return fail(std::string("at least one request: '1/1s'"));
  const std::string_view time = text.substr(slash + 1);
  if (time.empty()) return fail(fmt::format("in which time? '{}/1s'", number));
  const auto per = parse_duration(time);
  if (!per) return fail(fmt::format("the time '{}': {}", time, per.error().cure));
  rate.per = *per;
  if (rate.per < Duration(kMillisecond) || rate.per > Duration(366 * 24 * kHour))
    return fail(fmt::format("a time from 1ms to {}", show_duration(Duration(366 * 24 * kHour))));
  return rate;
}

}  // namespace

Parsed<Rate> parse_rate(std::string_view text) {
  auto rate = read_rate(text);
  if (rate) return *rate;
  return fail(Fault{code::kBadValue, fmt::format("'{}' is no rate", text), std::move(rate.error())});
}

// Four digits behind the point, so that a share is a whole number of a million.
Parsed<std::uint32_t> parse_share(std::string_view text) {
  constexpr std::size_t kDecimals = 4;
  const auto refused = [text](std::string cure) {
    return fail(Fault{code::kBadValue, fmt::format("'{}' is no share", text), std::move(cure)});
  };
  if (!text.ends_with('%')) return refused("a number and '%': '1%', '0.5%'");
  const std::string_view number = text.substr(0, text.size() - 1);
  const std::size_t point = std::min(number.find('.'), number.size());
  std::string digits(number.substr(0, point));
  std::string decimals(number.substr(std::min(point + 1, number.size())));
  if (digits.empty() || (point < number.size() && decimals.empty()) || decimals.size() > kDecimals)
    return refused("digits, and at most four behind a point: '0.0125%'");
  decimals.resize(kDecimals, '0');
  digits += decimals;
  std::uint32_t share = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), share);
  if (end != digits.data() + digits.size()) return refused("digits, and at most four behind a point: '0.0125%'");
  if (problem != std::errc() || share > 1'000'000) return refused("from '0%' to '100%'");
  return share;
}

Parsed<void> check_count_key(std::string_view text) {
  for (const std::string_view word : {"session.id", "client.ip", "route"})
    if (text == word) return {};
  constexpr std::string_view kHeader = "header.";
  constexpr std::string_view kContext = "ctx.";
  if (text.starts_with(kHeader) && text.size() > kHeader.size()) return check_header_name(text.substr(kHeader.size()));
  if (text.starts_with(kContext) && text.size() > kContext.size()) return {};
  return fail(Fault{code::kNotAChoice, fmt::format("'{}' is nothing to count by", text),
                    "one of session.id, client.ip, route, header.NAME, ctx.NAME"});
}

}  // namespace lingate::config
