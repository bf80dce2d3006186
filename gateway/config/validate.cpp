#include "gateway/config/validate.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/codes.h"
#include "base/similar.h"

namespace lingate::config {
namespace {

constexpr std::size_t kFewKeys = 12;

bool is_nothing(const Node& node) {
  return node.kind == Node::Kind::scalar && std::holds_alternative<std::monostate>(read_scalar(node));
}

bool is_word(const Node& node, const Field& field) {
  const auto words = split_words(field.words);
  return node.kind == Node::Kind::scalar && std::find(words.begin(), words.end(), node.text) != words.end();
}

// The name of a list's item, for messages.
std::string_view own_name(const Node& node) {
  const Entry* name = node.kind == Node::Kind::mapping ? node.find("name") : nullptr;
  return name && name->value->kind == Node::Kind::scalar ? name->value->text : std::string_view();
}

std::vector<std::string_view> names_of(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Field& field : fields_of(section))
    names.push_back(field.name);
  return names;
}

// The key of `section` that `name` is closest to, those that are not yet given first.
std::string_view meant_key(const Node& node, std::string_view name, std::string_view section) {
  std::vector<std::string_view> names = names_of(section);
  std::erase_if(names, [&node](std::string_view each) { return node.find(each) != nullptr; });
  const std::string_view free = closest(name, names);
  return free.empty() ? closest(name, names_of(section)) : free;
}

// The key under which `name` would be right: "match" for "path" in a route.
std::string_view key_above(std::string_view name, std::string_view section) {
  for (const Field& field : fields_of(section))
    if (field.type == Type::section && field.shape == Shape::one && find_field(field.of, name)) return field.name;
  return {};
}

}  // namespace

Settings Validator::root(Node& node) {
  const Where top;
  if (node.kind == Node::Kind::mapping) return section(node, "", top);
  report_.error({code::kWrongType, node.span, fmt::format("a configuration is a mapping, not {}", describe_kind(node)),
                 "begin with 'version: 1'"});
  return {};
}

void Validator::keys(Node& root) {
  const Where top;
  for (Entry& entry : root.entries)
    check_key(root, entry, "", top);
  std::erase_if(root.entries, [](const Entry& each) { return !find_field("", each.name); });
}

Settings Validator::top(Node& value, const Field& field) {
  const Where top;
  return this->field(value, field, top);
}

Settings Validator::section(Node& node, std::string_view name, const Where& where) {
  const Section& info = config::section(name);
  Node nothing;
  nothing.kind = Node::Kind::mapping;
  nothing.span = node.span;
  if (node.kind == Node::Kind::broken) return {};
  const bool bare = node.kind != Node::Kind::mapping && !is_nothing(node);
  if (bare && (info.shorthand.empty() || node.kind == Node::Kind::sequence)) {
    report_.error({code::kWrongType, node.span,
                   fmt::format("{}: a mapping is needed, not {}", where.text(), describe(node)),
                   fmt::format("its keys are {}", fmt::join(names_of(name), ", "))});
    return {};
  }
  Node& keys = node.kind == Node::Kind::mapping ? node : nothing;
  for (Entry& entry : keys.entries)
    check_key(keys, entry, name, where);
  Settings::Map values;
  for (const Field& each : fields_of(name)) {
    const Entry* entry = keys.find(each.name);
    Node* given = entry ? entry->value : bare && each.name == info.shorthand ? &node : nullptr;
    values.emplace_back(each.name, given ? field(*given, each, where) : fallback(each, where));
  }
  if (!bare) check_missing(keys, name, where);
  return Settings(std::move(values));
}

void Validator::check_key(Node& node, Entry& entry, std::string_view section, const Where& where) {
  if (find_field(section, entry.name)) return;
  if (section.empty() && entry.name.starts_with("x-")) return;
  if (is_later(section, entry.name)) {
    report_.error({code::kLaterRelease, entry.span, fmt::format("{} is not in this release", where.key(entry.name)),
                   "remove it, or use a release that has it"});
    return;
  }
  if (report_.full()) return report_.count_error();
  report_.error({code::kUnknownKey, entry.span, fmt::format("unknown key '{}'{}", entry.name, where.in()),
                 key_cure(entry.name, section, where, node)});
  const std::string_view meant = meant_key(node, entry.name, section);
  if (!meant.empty() && !node.find(meant) && key_above(entry.name, section).empty()) entry.name = meant;
}

std::string Validator::key_cure(std::string_view name, std::string_view section, const Where& where,
                                const Node& node) const {
  if (name == "<<") return "merge keys are not YAML 1.2: give the alias to a key";
  if (const std::string_view above = key_above(name, section); !above.empty())
    return fmt::format("it belongs under '{}'", above);
  if (const std::string_view meant = meant_key(node, name, section); !meant.empty())
    return fmt::format("did you mean '{}'?", meant);
  const auto names = names_of(section);
  if (names.size() <= kFewKeys) return fmt::format("known here: {}", fmt::join(names, ", "));
  return where.outer ? fmt::format("'lingate explain {}' lists the keys", section)
                     : "'lingate schema --markdown' lists the keys";
}

void Validator::check_missing(const Node& node, std::string_view section, const Where& where) {
  for (const Field& each : fields_of(section)) {
    if (!each.required || node.find(each.name)) continue;
    const std::string subject = where.outer ? where.text() : std::string(config::section("").thing);
    report_.error({code::kMissingKey, node.span, fmt::format("{} has no '{}'", subject, each.name),
                   fmt::format("add '{}'", example(each))});
  }
}

Settings Validator::fallback(const Field& field, const Where& where) {
  if (field.fallback.empty()) return {};
  Node node;
  node.plain = true;
  node.text = field.fallback;
  if (field.fallback == "{}") node.kind = Node::Kind::mapping;
  if (!field.fallback.starts_with('[')) return this->field(node, field, where);
  node.kind = Node::Kind::sequence;
  std::string_view rest = field.fallback.substr(1, field.fallback.size() - 2);
  std::deque<Node> items;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(", "), rest.size());
    Node& item = items.emplace_back();
    item.plain = true;
    item.text = rest.substr(0, end);
    node.items.push_back(&item);
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return this->field(node, field, where);
}

Settings Validator::field(Node& node, const Field& field, const Where& where) {
  if (node.kind == Node::Kind::broken) return {};
  switch (field.shape) {
    case Shape::one: return one(node, field, where);
    case Shape::map: return named(node, field, where);
    case Shape::list:
    case Shape::one_or_list: break;
  }
  if (node.kind == Node::Kind::sequence) return items(node, field, where);
  if (field.shape == Shape::one_or_list && !is_nothing(node)) return Settings(Settings::List{one(node, field, where)});
  wrong_type(node, field, where, "a list");
  return {};
}

Settings Validator::items(Node& node, const Field& field, const Where& where) {
  Settings::List list;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    Node& item = *node.items[i];
    const Where each{&where, config::section(field.of).thing, own_name(item), i + 1};
    list.push_back(field.type == Type::section ? section(item, field.of, each) : value(item, field, where));
  }
  return Settings(std::move(list));
}

Settings Validator::named(Node& node, const Field& field, const Where& where) {
  if (node.kind != Node::Kind::mapping) {
    wrong_type(node, field, where, "a mapping of names");
    return {};
  }
  Settings::Map map;
  for (Entry& entry : node.entries) {
    const Where each{&where, field.type == Type::chain ? "chain" : config::section(field.of).thing, entry.name};
    if (auto checked = check_name(entry.name); !checked)
      report_.error({checked.error().code, entry.span, checked.error().what, checked.error().cure});
    map.emplace_back(entry.name,
                     field.type == Type::chain ? chain(*entry.value, each) : section(*entry.value, field.of, each));
  }
  return Settings(std::move(map));
}

Settings Validator::one(Node& node, const Field& field, const Where& where) {
  if (field.type == Type::chain) return chain(node, where);
  if (field.type != Type::section) return value(node, field, where);
  if (is_word(node, field)) return Settings(std::string(node.text));
  const bool no = node.kind == Node::Kind::scalar && read_scalar(node) == Scalar(false);
  if (no && !field.words.empty()) {
    report_.error({code::kWrongType, node.span,
                   fmt::format("{}: a mapping or '{}' is needed, not false", where.key(field.name), field.words),
                   fmt::format("write '{}: {}'", field.name, field.words)});
    return {};
  }
  return section(node, field.of, Where{&where, {}, field.name});
}

Settings Validator::chain(Node& node, const Where& where) {
  if (node.kind == Node::Kind::broken) return {};
  if (node.kind != Node::Kind::sequence) {
    report_.error({code::kWrongType, node.span,
                   fmt::format("the chain of {}: a list of steps is needed, not {}", where.text(), describe(node)),
                   "for example: [request-id, access-log]"});
    return {};
  }
  Settings::List steps;
  for (Node* item : node.items)
    steps.push_back(step(*item, where));
  return Settings(std::move(steps));
}

Settings Validator::step(Node& item, const Where& where) {
  Node nothing;
  nothing.plain = true;
  nothing.span = item.span;
  const bool bare = item.kind == Node::Kind::scalar && !is_nothing(item);
  if (item.kind == Node::Kind::broken) return {};
  if (!bare && (item.kind != Node::Kind::mapping || item.entries.empty())) {
    report_.error({code::kWrongType, item.span,
                   fmt::format("a step is a name, or a name and its options, not {}", describe(item)),
                   "for example: '- request-id' or '- body-limit: 1MiB'"});
    return {};
  }
  std::string_view& name = bare ? item.text : item.entries.front().name;
  Node& options = bare ? nothing : *item.entries.front().value;
  if (std::find(step_names().begin(), step_names().end(), name) == step_names().end()) {
    const std::string_view meant = closest(name, step_names());
    report_.error({code::kUnknownKey, bare ? item.span : item.entries.front().span,
                   fmt::format("unknown step '{}'{}", name, where.in()),
                   meant.empty() ? fmt::format("this release has {}", fmt::join(step_names(), ", "))
                                 : fmt::format("did you mean '{}'?", meant)});
    if (meant.empty()) return {};
    name = meant;
  }
  if (!bare && item.entries.size() > 1) {
    const Entry& second = item.entries[1];
    report_.error({code::kWrongType, second.span,
                   fmt::format("a step with two names, '{}' and '{}'", name, second.name),
                   is_nothing(options) ? fmt::format("indent the options of '{}' deeper", name)
                                       : "each step is an item of its own: begin it with '- '"});
    if (is_nothing(options)) return {};
  }
  const std::string thing = fmt::format("step '{}'", name);
  const std::string section_name = fmt::format("step.{}", name);
  Settings values = section(options, section_name, Where{&where, thing, {}});
  if (values.is_null()) return {};
  return Settings(Settings::Map{{std::string(name), std::move(values)}});
}

void Validator::wrong_type(const Node& node, const Field& field, const Where& where, std::string_view needs) {
  if (node.kind == Node::Kind::broken) return;
  report_.error({code::kWrongType, node.span,
                 fmt::format("{}: {} is needed, not {}", where.key(field.name), needs, describe(node)),
                 fmt::format("for example: {}", example(field))});
}

void Validator::refuse(Span span, const Field& field, const Where& where, Fault fault) {
  report_.error({fault.code, span, fmt::format("{}: {}", where.key(field.name), fault.what), std::move(fault.cure)});
}

std::string example(const Field& field) {
  return fmt::format("{}: {}", field.name, field.example);
}

}  // namespace lingate::config
