// What no single option of `compress` can tell.
#include <algorithm>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/build.h"
#include "middleware/coding/media_types.h"

namespace lingate::config {

void check_compress(Report& report, const View& options) {
  for (const View& type : options.at("types").items())
    if (type.valid() && !middleware::coding::MediaTypes::is_pattern(type.settings().as_text()))
      report.error({code::kBadValue, type.span(), fmt::format("'{}' is no media type", type.settings().as_text()),
                    "write text/html, text/* or +json"});
}

// Response sides run last to first: what stands before `compress` in the chain sees what that has made.
void check_coded_bodies(Report& report, const std::vector<Chains::Expanded>& steps) {
  const Chains::Expanded* reader = nullptr;
  for (const Chains::Expanded& each : steps) {
    const std::string_view body = each.step.settings.text("body");
    if (each.step.kind == "script" && (body == "response" || body == "both")) reader = &each;
    if (each.step.kind != "compress" || !reader) continue;
    report.error({code::kConflictingKeys, reader->options.key_span("body"),
                  "this script reads the body of responses that 'compress', after it in the chain, has coded before",
                  "put 'compress' before the script"},
                 {{each.options.span(), "'compress' stands here"}});
    return;
  }
}

}  // namespace lingate::config
