#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "gateway/cli/commands.h"

namespace lingate::cli {

int version(Format format, const Program& program, Console& console) {
  const std::vector<Component> components = program.components();
  if (format == Format::json) {
    nlohmann::ordered_json json{{"version", LINGATE_VERSION}, {"components", nlohmann::ordered_json::object()}};
    for (const Component& each : components)
      json["components"][each.name] = each.version;
    console.out << json.dump(2) << "\n";
    return kOk;
  }
  console.out << "lingate " << LINGATE_VERSION << "\n";
  for (const Component& each : components)
    console.out << fmt::format("  {:<10}{}\n", each.name, each.version);
  return kOk;
}

}  // namespace lingate::cli
