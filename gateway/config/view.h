// View: a validated value together with the YAML node that it came from, so that the second half of loading can read
// values and still say where they stand.
//
// Borrowed pointers, both never null; one load.
#pragma once

#include <string_view>
#include <vector>

#include "base/settings.h"
#include "gateway/config/yaml.h"

namespace lingate::config {

class View {
 public:
  View(const Settings& settings, const Node& node) : settings_(&settings), node_(&node) {}

  const Settings& settings() const noexcept { return *settings_; }
  Span span() const noexcept { return node_->span; }
  bool valid() const noexcept { return !settings_->is_null(); }

  // Another value at the same place.
  View with(const Settings& settings) const noexcept { return {settings, *node_}; }

  bool given(std::string_view key) const noexcept { return node_->find(key) != nullptr; }

  // The value of a key; where the whole stands in shorthand, or the value is a default, the node is the whole's.
  View at(std::string_view key) const noexcept {
    static const Settings nothing;
    const Settings* value = settings_->find(key);
    const Entry* entry = node_->find(key);
    return {value ? *value : nothing, entry ? *entry->value : *node_};
  }

  // Where a key's name stands.
  Span key_span(std::string_view key) const noexcept {
    const Entry* entry = node_->find(key);
    return entry ? entry->span : node_->span;
  }

  std::vector<View> items() const {
    std::vector<View> views;
    const auto* list = settings_->as<Settings::List>();
    for (std::size_t i = 0; list && i < list->size(); ++i)
      views.emplace_back((*list)[i],
                         node_->kind == Node::Kind::sequence && i < node_->items.size() ? *node_->items[i] : *node_);
    return views;
  }

  struct Named;
  std::vector<Named> members() const;

 private:
  const Settings* settings_;
  const Node* node_;
};

struct View::Named {
  std::string_view name;
  Span span;  // of the name
  View value;
};

inline std::vector<View::Named> View::members() const {
  std::vector<Named> all;
  const auto* map = settings_->as<Settings::Map>();
  for (std::size_t i = 0; map && i < map->size() && i < node_->entries.size(); ++i)
    all.push_back({(*map)[i].first, node_->entries[i].span, View((*map)[i].second, *node_->entries[i].value)});
  return all;
}

}  // namespace lingate::config
