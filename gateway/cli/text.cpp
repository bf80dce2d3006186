#include "gateway/cli/text.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "gateway/config/values.h"

namespace lingate::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSecret = "<secret>";

struct ShowText {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Secret&) const { return std::string(kSecret); }
  std::string operator()(Settings::Duration value) const { return config::show_duration(value); }
  std::string operator()(ByteSize value) const { return config::show_size(value.bytes); }
  std::string operator()(const Settings::List& list) const {
    std::vector<std::string> items;
    for (const Settings& each : list)
      items.push_back(show(each));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  std::string operator()(const Settings::Map& map) const {
    std::vector<std::string> members;
    for (const auto& [name, value] : map)
      if (!value.is_null()) members.push_back(fmt::format("{}: {}", name, show(value)));
    return fmt::format("{{{}}}", fmt::join(members, ", "));
  }
};

struct ShowJson {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool value) const { return value; }
  Json operator()(std::int64_t value) const { return value; }
  Json operator()(double value) const { return value; }
  Json operator()(const std::string& value) const { return value; }
  Json operator()(const Secret&) const { return kSecret; }
  Json operator()(Settings::Duration value) const { return config::show_duration(value); }
  Json operator()(ByteSize value) const { return config::show_size(value.bytes); }
  Json operator()(const Settings::List& list) const {
    Json items = Json::array();
    for (const Settings& each : list)
      items.push_back(to_json(each));
    return items;
  }
  Json operator()(const Settings::Map& map) const {
    Json members = Json::object();
    for (const auto& [name, value] : map)
      if (!value.is_null()) members[name] = to_json(value);
    return members;
  }
};

}  // namespace

std::string bold(std::string_view text, config::Paint paint) {
  return paint == config::Paint::none ? std::string(text) : fmt::format("\x1b[1m{}\x1b[0m", text);
}

std::string wrap(std::string_view text, std::size_t indent) {
  constexpr std::size_t kWidth = 88;
  const std::string margin(indent, ' ');
  std::string lines = margin;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + end > kWidth) {
      lines += "\n" + margin;
      column = indent;
    }
    if (column > indent) lines += ' ';
    lines += text.substr(0, end);
    column += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + "\n";
}

std::string near_path(const std::string& path) {
  std::error_code problem;
  const std::string relative = std::filesystem::proximate(path, problem).string();
  return problem || relative.starts_with("..") ? path : relative;
}

std::string show(const config::Place& place) {
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

std::string show(const Settings& settings) {
  return std::visit(ShowText(), settings.data());
}

Json to_json(const Settings& settings) {
  return std::visit(ShowJson(), settings.data());
}

}  // namespace lingate::cli
