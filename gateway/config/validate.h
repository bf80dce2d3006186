// Validation: a YAML tree against the field table. What comes out is a Settings tree of the same shape, with typed
// values and defaults filled in; what is wrong is reported, and null stands in its place, so that nobody stumbles over
// it a second time. A misspelt key is reported and then taken for what it was meant to be.
//
// Shapes: `one` is the value, `list` and `one_or_list` a List (items in the order of the node's), `map` a Map (entries
// in the order of the node's), a chain a List of Maps with the one entry {step: options}.
//
// Thread: one load. Changes names in the tree where it corrects them.
#pragma once

#include "base/settings.h"
#include "gateway/config/fields.h"
#include "gateway/config/loader.h"
#include "gateway/config/values.h"
#include "gateway/config/where.h"
#include "gateway/config/yaml.h"

namespace lingate::config {

class Validator {
 public:
  Validator(Report& report, const LoadOptions& options) : report_(report), options_(options) {}

  Settings root(Node& node);

  // One file of several: reports its unknown keys and takes them out, so that what is left can be joined by key.
  void keys(Node& root);
  // A value of a top-level key.
  Settings top(Node& value, const Field& field);

 private:
  // ---- validate.cpp: sections, keys, shapes ----
  Settings section(Node& node, std::string_view name, const Where& where);
  void check_key(Node& node, Entry& entry, std::string_view section, const Where& where);
  std::string key_cure(std::string_view name, std::string_view section, const Where& where, const Node& node) const;
  void check_missing(const Node& node, std::string_view section, const Where& where);
  Settings field(Node& node, const Field& field, const Where& where);
  Settings fallback(const Field& field, const Where& where);
  Settings items(Node& node, const Field& field, const Where& where);
  Settings named(Node& node, const Field& field, const Where& where);
  Settings one(Node& node, const Field& field, const Where& where);
  Settings chain(Node& node, const Where& where);
  Settings step(Node& item, const Where& where);

  // ---- validate_values.cpp: single values ----
  Settings value(Node& node, const Field& field, const Where& where);
  Settings scalar(const Node& node, const Field& field, const Where& where);
  Settings integer(const Node& node, const Field& field, const Where& where);
  Settings rate(const Node& node, const Field& field, const Where& where);
  Settings share(const Node& node, const Field& field, const Where& where);
  Settings flag(const Node& node, const Field& field, const Where& where);
  Settings text(const Node& node, const Field& field, const Where& where);
  Settings token(const Node& node, const Field& field, const Where& where);
  Settings users(const Node& node, const Field& field, const Where& where);  // validate_users.cpp
  Settings choice(const Node& node, const Field& field, const Where& where);
  Settings output(const Node& node) const;
  Settings lines(const Node& node, const Where& where);
  Settings conditions(const Node& node, const Field& field, const Where& where);
  Settings condition(const Entry& entry, bool of_header, const Where& where);
  Settings any(const Node& node, const Field& field, const Where& where, std::size_t depth);
  Settings any_scalar(const Node& node, const Field& field, const Where& where);
  Parsed<void> check_text(const Node& node, const Field& field) const;
  bool check_fresh(const Entry* before, const Entry& entry, const Where& where);

  void wrong_type(const Node& node, const Field& field, const Where& where, std::string_view needs);
  void refuse(Span span, const Field& field, const Where& where, Fault fault);

  Report& report_;
  const LoadOptions& options_;
};

// "a list", "the text 'x'", "the number 5", "nothing".
std::string describe(const Node& node);
std::string describe_kind(const Node& node);  // without its text

// What a field takes: "a duration", "a list", "true or false".
std::string describe(const Field& field);

// A key as an example of use: "every: 2s".
std::string example(const Field& field);

}  // namespace lingate::config
