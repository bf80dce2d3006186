#include "middleware/settings_value.h"

namespace lingate::middleware {
namespace {

struct Walk {
  runtimes::ValueSink& sink;

  bool operator()(std::monostate) const { return sink.null(); }
  bool operator()(bool value) const { return sink.boolean(value); }
  bool operator()(std::int64_t value) const { return sink.number(static_cast<double>(value)); }
  bool operator()(double value) const { return sink.number(value); }
  bool operator()(const std::string& value) const { return sink.text(value); }
  bool operator()(const Secret& value) const { return sink.text(value.text); }
  bool operator()(Settings::Duration value) const { return sink.number(std::chrono::duration<double>(value).count()); }
  bool operator()(ByteSize value) const { return sink.number(static_cast<double>(value.bytes)); }

  // The loader bounds the depth of a configuration, so this recursion is bounded.
  bool operator()(const Settings::List& list) const {
    if (!sink.begin_list()) return false;
    for (const Settings& item : list)
      if (!walk(item, sink)) return false;
    return sink.end_list();
  }

  bool operator()(const Settings::Map& map) const {
    if (!sink.begin_map()) return false;
    for (const auto& [name, value] : map)
      if (!sink.key(name) || !walk(value, sink)) return false;
    return sink.end_map();
  }
};

}  // namespace

bool walk(const Settings& settings, runtimes::ValueSink& sink) {
  return std::visit(Walk{sink}, settings.data());
}

std::vector<std::string> texts_of(const Settings& settings, std::string_view key) {
  std::vector<std::string> texts;
  const Settings* found = settings.find(key);
  if (!found) return texts;
  if (const auto* one = found->as<std::string>()) texts.push_back(*one);
  if (const auto* list = found->as<Settings::List>()) {
    for (const Settings& item : *list)
      if (const auto* text = item.as<std::string>()) texts.push_back(*text);
  }
  return texts;
}

}  // namespace lingate::middleware
