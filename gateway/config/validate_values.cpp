// Single values: the second half of the Validator.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/codes.h"
#include "base/fields.h"
#include "base/similar.h"
#include "gateway/config/paths.h"
#include "gateway/config/secret.h"
#include "gateway/config/validate.h"
#include "gateway/routing/match.h"

namespace lingate::config {
namespace {

constexpr std::int64_t kLargestInteger = std::int64_t{1} << 53;  // that a double holds exactly
constexpr std::size_t kDeepestValue = 32;

bool is_one_of(std::string_view text, std::string_view words) {
  const auto all = split_words(words);
  return std::find(all.begin(), all.end(), text) != all.end();
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 40;
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "…";
}

std::string show(const Field& field, std::int64_t value) {
  switch (field.type) {
    case Type::duration: return show_duration(Duration(value));
    case Type::size: return show_size(static_cast<std::uint64_t>(value));
    default: return std::to_string(value);
  }
}

Parsed<void> check_range(const Field& field, std::string_view written, std::int64_t value) {
  if (value >= field.least && value <= field.most) return {};
  const std::string cure = field.least == field.most ? fmt::format("write {}", show(field, field.least))
                           : field.most == Field::kUnbounded
                               ? fmt::format("at least {}", show(field, field.least))
                               : fmt::format("from {} to {}", show(field, field.least), show(field, field.most));
  return fail(Fault{code::kOutOfRange, fmt::format("'{}' is out of range", written), cure});
}

template <class T>
Parsed<void> only_fault(const Parsed<T>& parsed) {
  if (parsed) return {};
  return fail(parsed.error());
}

template <class T>
Parsed<void> pattern_fault(std::string_view text, const Result<T, routing::PatternFault>& parsed) {
  if (parsed) return {};
  return fail(
      Fault{code::kBadPattern, fmt::format("'{}' holds {}", text, parsed.error().message), parsed.error().cure});
}

Parsed<void> check_editable(std::string_view name) {
  if (auto checked = check_header_name(name); !checked) return checked;
  if (!fields::is_connection_field(name)) return {};
  return fail(Fault{code::kBadHeader, fmt::format("'{}' belongs to the connection", name),
                    "the gateway writes it by itself: remove it"});
}

// Names that differ in case only are one header.
class HeaderNames {
 public:
  // The place of the same name before, if there is one.
  const Entry* add(const Entry& entry) {
    std::string name(entry.name);
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return fields::lower(c); });
    const auto [place, fresh] = names_.emplace(std::move(name), &entry);
    return fresh ? nullptr : place->second;
  }

 private:
  std::unordered_map<std::string, const Entry*> names_;
};

}  // namespace

std::string describe_kind(const Node& node) {
  if (node.kind == Node::Kind::sequence) return "a list";
  if (node.kind == Node::Kind::mapping) return "a mapping";
  return std::holds_alternative<std::monostate>(read_scalar(node)) ? "nothing" : "a text";
}

std::string describe(const Node& node) {
  const Scalar scalar = read_scalar(node);
  if (node.kind != Node::Kind::scalar || std::holds_alternative<std::monostate>(scalar)) return describe_kind(node);
  if (std::holds_alternative<bool>(scalar)) return std::string(node.text);
  if (std::holds_alternative<std::string_view>(scalar)) return fmt::format("the text '{}'", shortened(node.text));
  return fmt::format("the number {}", shortened(node.text));
}

std::string describe(const Field& field) {
  switch (field.type) {
    case Type::flag: return "true or false";
    case Type::integer: return field.words.empty() ? "a number" : fmt::format("a number or '{}'", field.words);
    case Type::duration: return "a duration";
    case Type::size: return "a size";
    case Type::rate: return "a rate";
    case Type::share: return "a share";
    case Type::choice: return fmt::format("one of {}", fmt::join(split_words(field.words), ", "));
    case Type::header_lines:
    case Type::header_conditions:
    case Type::query_conditions: return "a mapping of names";
    case Type::section: return "a mapping";
    case Type::chain: return "a list of steps";
    case Type::any:
    case Type::any_with_secrets: return "a value";
    case Type::users: return "a mapping of names to password hashes";
    case Type::token: return "a secret";
    default: return "a text";
  }
}

Settings Validator::value(Node& node, const Field& field, const Where& where) {
  switch (field.type) {
    case Type::any:
    case Type::any_with_secrets: return any(node, field, where, 0);
    case Type::token: return token(node, field, where);
    case Type::users: return users(node, field, where);
    case Type::header_lines: return lines(node, Where{&where, {}, field.name});
    case Type::header_conditions:
    case Type::query_conditions: return conditions(node, field, Where{&where, {}, field.name});
    default: return scalar(node, field, where);
  }
}

Settings Validator::scalar(const Node& node, const Field& field, const Where& where) {
  if (node.kind == Node::Kind::broken) return {};
  const bool nothing = node.kind == Node::Kind::scalar && std::holds_alternative<std::monostate>(read_scalar(node));
  if (field.type == Type::text) return text(node, field, where);
  if (node.kind != Node::Kind::scalar || nothing) {
    wrong_type(node, field, where, describe(field));
    return {};
  }
  if (field.type == Type::choice) return choice(node, field, where);
  if (field.type == Type::output) {
    if (auto checked = check_text(node, field); !checked)
      return refuse(node.span, field, where, checked.error()), Settings();
    return output(node);
  }
  if (is_one_of(node.text, field.words)) return Settings(std::string(node.text));
  if (field.type == Type::rate) return rate(node, field, where);
  if (field.type == Type::share) return share(node, field, where);
  if (field.type == Type::flag) return flag(node, field, where);
  if (field.type == Type::integer || field.type == Type::duration || field.type == Type::size)
    return integer(node, field, where);
  if (auto checked = check_text(node, field); !checked) {
    refuse(node.span, field, where, checked.error());
    return {};
  }
  if (field.type == Type::script_file || field.type == Type::existing_path || field.type == Type::folder)
    return Settings((report_.folder(node.span) / node.text).lexically_normal().string());
  return Settings(std::string(node.text));
}

// Numbers, bare or with a unit.
Settings Validator::integer(const Node& node, const Field& field, const Where& where) {
  Parsed<Settings> parsed = Settings();
  std::int64_t amount = 0;
  if (field.type == Type::duration) {
    parsed = parse_duration(node.text).map([&](Duration value) { return amount = value.count(), Settings(value); });
  } else if (field.type == Type::size) {
    parsed = parse_size(node.text).map(
        [&](std::uint64_t value) { return amount = static_cast<std::int64_t>(value), Settings(ByteSize{value}); });
  } else {
    const Scalar scalar = read_scalar(node);
    const auto* value = std::get_if<std::int64_t>(&scalar);
    if (!value) {
      wrong_type(node, field, where, describe(field));
      return {};
    }
    amount = *value;
    parsed = Settings(amount);
  }
  if (!parsed) return refuse(node.span, field, where, parsed.error()), Settings();
  if (auto checked = check_range(field, node.text, amount); !checked)
    return refuse(node.span, field, where, checked.error()), Settings();
  return *parsed;
}

Settings Validator::flag(const Node& node, const Field& field, const Where& where) {
  const Scalar scalar = read_scalar(node);
  if (const auto* value = std::get_if<bool>(&scalar)) return Settings(*value);
  constexpr std::string_view kYes[] = {"yes", "on", "y", "1", "true"};
  constexpr std::string_view kNo[] = {"no", "off", "n", "0", "false"};
  const auto means = [&node](std::span<const std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&node](auto word) { return fields::same_name(word, node.text); });
  };
  const std::string cure = means(kYes)  ? fmt::format("write '{}: true'", field.name)
                           : means(kNo) ? fmt::format("write '{}: false'", field.name)
                                        : "write true or false";
  report_.error({code::kWrongType, node.span,
                 fmt::format("{}: true or false is needed, not {}", where.key(field.name), describe(node)), cure});
  return {};
}

// Texts proper: a number must be quoted, and a secret may stand in their place.
Settings Validator::text(const Node& node, const Field& field, const Where& where) {
  if (is_secret(node)) {
    auto secret = read_secret(node, report_.folder(node.span), options_);
    if (secret) return Settings(*std::move(secret));
    refuse(node.entries.front().value->span, field, where, secret.error());
    return {};
  }
  if (node.kind == Node::Kind::scalar && std::holds_alternative<std::string_view>(read_scalar(node)))
    return Settings(std::string(node.text));
  const bool unquoted = node.kind == Node::Kind::scalar && !node.text.empty();
  report_.error({code::kWrongType, node.span,
                 fmt::format("{}: a text is needed, not {}", where.key(field.name), describe(node)),
                 unquoted ? fmt::format("quote it: \"{}\"", shortened(node.text))
                          : "a secret is written '{env: NAME}' or '{file: PATH}'"});
  return {};
}

Settings Validator::token(const Node& node, const Field& field, const Where& where) {
  auto read = is_secret(node) ? read_token(node, report_.folder(node.span), options_)
                              : fail(Fault{code::kWrongType, fmt::format("a secret is needed, not {}", describe(node)),
                                           "write '{env: NAME}' or '{file: PATH}'"});
  if (read) return *std::move(read);
  refuse(node.span, field, where, std::move(read.error()));
  return {};
}

Settings Validator::choice(const Node& node, const Field& field, const Where& where) {
  if (is_one_of(node.text, field.words)) return Settings(std::string(node.text));
  const auto words = split_words(field.words);
  if (is_later(field.section, field.name, node.text)) {
    refuse(node.span, field, where,
           {code::kLaterRelease, fmt::format("'{}' is not in this release", node.text),
            fmt::format("one of {}", fmt::join(words, ", "))});
    return {};
  }
  const std::string_view similar = closest(node.text, words);
  refuse(node.span, field, where,
         {code::kNotAChoice, fmt::format("'{}' is none of the choices", shortened(node.text)),
          similar.empty() ? fmt::format("one of {}", fmt::join(words, ", "))
                          : fmt::format("did you mean '{}'?", similar)});
  return {};
}

// As the log files take it: "-" is standard output, "" standard error.
Settings Validator::output(const Node& node) const {
  if (node.text == "stdout") return Settings(std::string("-"));
  if (node.text == "stderr") return Settings(std::string());
  return Settings((report_.folder(node.span) / node.text).lexically_normal().string());
}

Parsed<void> Validator::check_text(const Node& node, const Field& field) const {
  const std::string_view text = node.text;
  const std::filesystem::path& folder = report_.folder(node.span);
  switch (field.type) {
    case Type::name:
    case Type::upstream_name:
    case Type::chain_name: return check_name(text);
    case Type::header_name: return check_editable(text);
    case Type::any_header_name: return check_header_name(text);
    case Type::method: return check_method(text);
    case Type::host_pattern: return pattern_fault(text, routing::parse_host(text));
    case Type::path_pattern: return pattern_fault(text, routing::parse_path(text));
    case Type::path_prefix: return check_path_prefix(text);
    case Type::request_path: return check_request_path(text);
    case Type::path_template: return only_fault(parse_template(text, TemplateKind::path));
    case Type::query_template: return only_fault(parse_template(text, TemplateKind::query));
    case Type::location: return only_fault(parse_template(text, TemplateKind::location));
    case Type::listen_address: return only_fault(parse_listen_address(text, folder));
    case Type::target_url: return only_fault(parse_target_url(text, folder));
    case Type::network: return only_fault(parse_network(text));
    case Type::origin: return check_origin(text);
    case Type::hash_key: return only_fault(parse_hash_key(text));
    case Type::count_key: return check_count_key(text);
    case Type::script_file: return check_script_file(text, folder, report_);
    case Type::existing_path: return check_existing_path(text, folder);
    case Type::output: return is_one_of(text, field.words) ? Parsed<void>() : check_output(text, folder);
    case Type::folder: return check_folder(text, folder);
    case Type::file_pattern: return check_file_pattern(text);
    default: return {};
  }
}

bool Validator::check_fresh(const Entry* before, const Entry& entry, const Where& where) {
  if (!before) return true;
  report_.error({code::kDuplicateKey, entry.span,
                 fmt::format("the header '{}'{} stands twice; names compare without case", entry.name, where.in()),
                 "remove one of the two"},
                {{before->span, "first defined here"}});
  return false;
}

Settings Validator::lines(const Node& node, const Where& where) {
  if (node.kind != Node::Kind::mapping) {
    if (node.kind != Node::Kind::broken)
      report_.error({code::kWrongType, node.span,
                     fmt::format("{}: a mapping of header names is needed, not {}", where.text(), describe(node)),
                     "for example: {X-Name: value}"});
    return {};
  }
  Settings::Map map;
  HeaderNames names;
  for (const Entry& entry : node.entries) {
    const Field line{.section = "", .name = entry.name, .type = Type::text};
    if (!check_fresh(names.add(entry), entry, where)) continue;
    if (auto checked = check_editable(entry.name); !checked) refuse(entry.span, line, where, checked.error());
    Settings::List values;
    const bool many = entry.value->kind == Node::Kind::sequence;
    const std::vector<Node*> one{entry.value};
    for (const Node* item : many ? entry.value->items : one) {
      Settings text = scalar(*item, line, where);
      if (auto checked = check_header_value(text.as_text()); !checked) refuse(item->span, line, where, checked.error());
      values.push_back(std::move(text));
    }
    map.emplace_back(entry.name, many ? Settings(std::move(values)) : std::move(values.front()));
  }
  return Settings(std::move(map));
}

Settings Validator::conditions(const Node& node, const Field& field, const Where& where) {
  if (node.kind != Node::Kind::mapping) {
    if (node.kind != Node::Kind::broken)
      report_.error({code::kWrongType, node.span,
                     fmt::format("{}: a mapping of names is needed, not {}", where.text(), describe(node)),
                     fmt::format("for example: {}", example(field))});
    return {};
  }
  Settings::Map map;
  HeaderNames names;
  for (const Entry& entry : node.entries) {
    const bool of_header = field.type == Type::header_conditions;
    if (of_header && !check_fresh(names.add(entry), entry, where)) continue;
    map.emplace_back(entry.name, condition(entry, of_header, where));
  }
  return Settings(std::move(map));
}

// A condition on a header field that no request can meet is an error.
Settings Validator::condition(const Entry& entry, bool of_header, const Where& where) {
  const Field field{.section = "", .name = entry.name, .type = Type::text};
  if (of_header)
    if (auto checked = check_condition_name(entry.name); !checked) refuse(entry.span, field, where, checked.error());
  const Scalar given = entry.value->kind == Node::Kind::scalar ? read_scalar(*entry.value) : Scalar();
  if (const auto* presence = std::get_if<bool>(&given)) return Settings(*presence);
  if (is_secret(*entry.value)) {  // `lingate route` shows what a condition wants
    refuse(entry.value->span, field, where,
           {code::kBadValue, "a secret in a condition", "compare secrets in a script, in constant time"});
    return {};
  }
  Settings wanted = scalar(*entry.value, field, where);
  const auto checked = of_header ? check_condition_value(wanted.as_text()) : Parsed<void>();
  if (checked) return wanted;
  refuse(entry.value->span, field, where, checked.error());
  return {};
}

Settings Validator::any(const Node& node, const Field& field, const Where& where, std::size_t depth) {
  if (node.kind == Node::Kind::broken) return {};
  if (depth > kDeepestValue) {
    refuse(node.span, field, where,
           {code::kYamlTooLarge, fmt::format("nested deeper than {} levels", kDeepestValue), "make it flatter"});
    return {};
  }
  if (node.kind == Node::Kind::scalar) return any_scalar(node, field, where);
  if (field.type == Type::any_with_secrets && is_secret(node)) return text(node, field, where);
  if (node.kind == Node::Kind::sequence) {
    Settings::List list;
    for (const Node* item : node.items)
      list.push_back(any(*item, field, where, depth + 1));
    return Settings(std::move(list));
  }
  Settings::Map map;
  for (const Entry& entry : node.entries)
    map.emplace_back(entry.name, any(*entry.value, field, where, depth + 1));
  return Settings(std::move(map));
}

Settings Validator::any_scalar(const Node& node, const Field& field, const Where& where) {
  const Scalar scalar = read_scalar(node);
  const auto* integer = std::get_if<std::int64_t>(&scalar);
  const auto* number = std::get_if<double>(&scalar);
  const bool rounded = number && node.text.find_first_not_of("+-0123456789") == std::string_view::npos;
  const bool beyond = integer && (*integer > kLargestInteger || *integer < -kLargestInteger);
  const bool infinite = number && !std::isfinite(*number);
  if (rounded || beyond || infinite) {
    refuse(node.span, field, where,
           {code::kOutOfRange, fmt::format("{} is no number that every script language holds", node.text),
            fmt::format("quote it: \"{}\"", node.text)});
    return {};
  }
  if (integer) return Settings(*integer);
  if (number) return Settings(*number);
  if (const auto* flag = std::get_if<bool>(&scalar)) return Settings(*flag);
  if (const auto* text = std::get_if<std::string_view>(&scalar)) return Settings(std::string(*text));
  return {};
}

}  // namespace lingate::config
