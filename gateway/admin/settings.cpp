// Operations on what lasts until the next start: the log's level.
#include <algorithm>
#include <array>
#include <utility>

#include "base/codes.h"
#include "gateway/admin/handlers.h"

namespace lingate::admin {
namespace {

using middleware::LogLevel;

constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels{
    {{"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warn", LogLevel::warn}, {"error", LogLevel::error}}};

std::string_view name_of(LogLevel level) {
  return kLevels[static_cast<std::size_t>(level)].first;
}

}  // namespace

Outcome show_log_level(const Subject& subject, const Call&) {
  return json_answer(200, {{"level", name_of(subject.log.level())}});
}

Outcome set_log_level(const Subject& subject, const Call& call) {
  const Json& body = call.body;
  const bool form = body.is_object() && body.size() == 1 && body.contains("level") && body["level"].is_string();
  const auto* found = std::find_if(kLevels.begin(), kLevels.end(), [&](const auto& each) {
    return form && each.first == body["level"].get_ref<const std::string&>();
  });
  if (found == kLevels.end())
    return fail(Refusal{.code = code::kBadAdminRequest,
                        .detail = R"(write {"level": "debug"}: debug, info, warn or error)",
                        .field = "level"});
  subject.log.set_level(found->second);
  const std::string message = "admin: the log's level is " + std::string(found->first);
  subject.log.write({.level = LogLevel::info, .message = message});
  return json_answer(200, {{"level", found->first}});
}

}  // namespace lingate::admin
