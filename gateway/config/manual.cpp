// The manual page lingate.yaml(5), from the field table.
#include <string>

#include <fmt/format.h>

#include "gateway/config/reference.h"
#include "gateway/config/roff.h"

namespace lingate::config {
namespace {

std::string heading_of(const Section& section) {
  if (section.name.empty()) return "THE TOP";
  if (section.name.starts_with("step.")) return fmt::format("STEP {}", section.name.substr(5));
  return std::string(section.name);
}

std::string entry_of(const Field& field) {
  const std::string fallback = default_in_words(field);
  std::string entry = fmt::format(".TP\n.BR {} \" ({}{})\"\n{}\n", roff(field.name), roff(type_in_words(field)),
                                  field.required ? "; required" : "", roff(field.doc));
  if (!fallback.empty()) entry += fmt::format("Default: {}.\n", roff(fallback));
  return entry;
}

}  // namespace

std::string schema_manual() {
  std::string page =
      ".TH LINGATE.YAML 5 \"\" lingate \"File Formats\"\n"
      ".SH NAME\nlingate.yaml \\- the configuration of lingate(1)\n"
      ".SH DESCRIPTION\n"
      "YAML 1.2. Durations are an integer and us, ms, s, m or h; sizes an integer and B, KiB, MiB or GiB. A secret is "
      "{env: NAME} or {file: PATH}. Paths are relative to the file that they stand in. Keys at the top that begin with "
      "x\\- "
      "are ignored and may hold anchors.\n";
  for (const Section& section : all_sections()) {
    page += fmt::format(".SH \"{}\"\n{}\n", roff(heading_of(section)), roff(section.doc));
    for (const Field& field : fields_of(section.name))
      page += entry_of(field);
  }
  return page + ".SH SEE ALSO\n.BR lingate (1)\n";
}

}  // namespace lingate::config
