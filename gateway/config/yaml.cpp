#include "gateway/config/yaml.h"

#include <libfyaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/similar.h"
#include "base/utf8.h"

namespace lingate::config {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

std::string_view token_text(fy_token* token) {
  std::size_t size = 0;
  const char* text = token ? fy_token_get_text(token, &size) : nullptr;
  return text ? std::string_view(text, size) : std::string_view();
}

// A mapping or sequence that is not closed yet.
struct Open {
  Node* node;
  std::optional<Entry> key;  // of a mapping: waits for its value
  std::unordered_map<std::string_view, Span> seen;
};

// Builds the tree from the parser's events.
class Builder {
 public:
  Builder(Document& document, const Source& source, Report& report, Expansion& expansion)
      : document_(document), source_(source), report_(report), expansion_(expansion), last_(source.whole().begin) {}

  // False: it makes no sense to go on.
  bool take(fy_event& event) {
    switch (event.type) {
      case FYET_DOCUMENT_START: return begin_document(event);
      case FYET_MAPPING_START: return open(event, Node::Kind::mapping, event.mapping_start.anchor);
      case FYET_SEQUENCE_START: return open(event, Node::Kind::sequence, event.sequence_start.anchor);
      case FYET_MAPPING_END:
      case FYET_SEQUENCE_END: return close();
      case FYET_SCALAR: return scalar(event);
      case FYET_ALIAS: return alias(event);
      default: return true;
    }
  }

  const Node* innermost() const { return open_.empty() ? nullptr : open_.back().node; }

 private:
  Span span_of(const fy_event& event) {
    auto& mutable_event = const_cast<fy_event&>(event);  // the accessors of libfyaml are not const-correct
    const fy_mark* begin = fy_event_start_mark(&mutable_event);
    const fy_mark* end = fy_event_end_mark(&mutable_event);
    if (!begin || !end) return {last_, last_};
    const Span whole = source_.whole();
    const auto at = [&whole](const fy_mark& mark) {
      return whole.begin + std::min(static_cast<std::uint32_t>(mark.input_pos), whole.end - whole.begin);
    };
    Span span{at(*begin), at(*end)};
    span.end = std::max(span.begin, span.end);
    last_ = span.end;
    return span;
  }

  bool begin_document(const fy_event& event) {
    if (++documents_ == 1) return true;
    report_.error({code::kYamlSyntax, span_of(event), "a second document begins", "a configuration is one document"});
    return false;
  }

  bool open(const fy_event& event, Node::Kind kind, fy_token* anchor) {
    Node& node = document_.make();
    node.kind = kind;
    node.span = span_of(event);
    node.span.end = std::min(node.span.end, node.span.begin + 1);
    if (open_.empty() && kind == Node::Kind::mapping) report_.show(source_);
    if (open_.size() >= Document::kDeepest) {
      report_.error({code::kYamlTooLarge, node.span, fmt::format("nested deeper than {} levels", Document::kDeepest),
                     "no configuration needs that; look for stray brackets"});
      return false;
    }
    remember(anchor, node);
    open_.push_back({&node, {}, {}});
    return true;
  }

  bool close() {
    Node& node = *open_.back().node;
    open_.pop_back();
    const bool block = node.kind == Node::Kind::mapping && !node.entries.empty() && source_.text(node.span) != "{";
    if (block) node.span = node.entries.front().span;
    return add(node);
  }

  bool scalar(const fy_event& event) {
    Node& node = document_.make();
    node.span = span_of(event);
    const int style = fy_event_get_node_style(&const_cast<fy_event&>(event));
    node.plain = style < 0 || style == FYNS_PLAIN;
    node.text = document_.keep(token_text(event.scalar.value));
    node.bytes = node.text.size();
    if (style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED) widen_over_quotes(node.span);
    check_tag(token_text(event.scalar.tag), node);
    remember(event.scalar.anchor, node);
    return add(node);
  }

  // NUL, which no document holds, where the text has ended or not begun.
  char byte_at(std::uint32_t at) const {
    const Span whole = source_.whole();
    return at >= whole.begin && at < whole.end ? source_.text()[at - whole.begin] : '\0';
  }

  void widen_over_quotes(Span& span) const {
    const auto quote = [this](std::uint32_t at) { return byte_at(at) == '"' || byte_at(at) == '\''; };
    if (quote(span.begin - 1)) --span.begin;
    if (quote(span.end)) ++span.end;
  }

  void check_tag(std::string_view tag, Node& node) {
    if (tag.empty()) return;
    if (tag == fmt::format("{}str", kTagPrefix)) node.plain = false;
    if (tag.starts_with(kTagPrefix)) return;
    report_.error({code::kWrongType, node.span, fmt::format("the tag '{}' means nothing here", tag),
                   "secrets are written '{env: NAME}' or '{file: PATH}'"});
  }

  void remember(fy_token* anchor, Node& node) {
    if (anchor) anchors_[document_.keep(token_text(anchor))] = &node;
  }

  bool alias(const fy_event& event) {
    const std::string_view name = token_text(event.alias.anchor);
    Span span = span_of(event);
    if (byte_at(span.begin - 1) == '*') --span.begin;
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) return refuse_unknown(name, span);
    Node& target = *found->second;
    if (std::any_of(open_.begin(), open_.end(), [&target](const Open& each) { return each.node == &target; })) {
      report_.error({code::kYamlTooLarge, span, fmt::format("the alias '*{}' contains itself", name), "remove it"},
                    {{target.span, "the anchor begins here"}});
      return add_broken(span);
    }
    expansion_.nodes += target.weight;
    expansion_.text += target.bytes;
    const bool too_long = expansion_.text > Expansion::kMostText;
    if (too_long || expansion_.nodes > Expansion::kMostNodes || open_.size() + target.height > Document::kDeepest) {
      report_.error({code::kYamlTooLarge, span, fmt::format("the alias '*{}' expands to too much", name),
                     too_long ? "use fewer aliases of long texts" : "use fewer aliases of things that hold aliases"});
      return false;
    }
    return add(target);
  }

  bool refuse_unknown(std::string_view name, Span span) {
    if (report_.full()) return report_.count_error(), add_broken(span);
    std::vector<std::string_view> names;
    for (const auto& each : anchors_)
      names.push_back(each.first);
    const std::string_view similar = closest(name, names);
    report_.error({code::kUnknownName, span, fmt::format("the alias '*{}' has no anchor before it", name),
                   similar.empty() ? fmt::format("define '&{}' above, or remove the alias", name)
                                   : fmt::format("did you mean '*{}'?", similar)});
    return add_broken(span);
  }

  bool add_broken(Span span) {
    Node& node = document_.make();
    node.kind = Node::Kind::broken;
    node.span = span;
    return add(node);
  }

  // A finished node goes where it belongs: the root, a sequence, a mapping's key or its value.
  bool add(Node& node) {
    if (open_.empty()) {
      document_.root = &node;
      return true;
    }
    Open& parent = open_.back();
    if (parent.node->kind == Node::Kind::mapping && !parent.key) {
      set_key(parent, node);
      return true;
    }
    if (parent.node->kind == Node::Kind::sequence) {
      parent.node->items.push_back(&node);
    } else {
      add_entry(parent, node);
    }
    parent.node->weight = std::min(parent.node->weight + node.weight, Expansion::kMostNodes * 2);
    count_text(*parent.node, node);
    parent.node->height = std::max(parent.node->height, node.height + 1);
    return true;
  }

  static void count_text(Node& parent, const Node& part) {
    parent.bytes = std::min(parent.bytes + part.bytes, Expansion::kMostText * 2);
  }

  void set_key(Open& parent, const Node& node) {
    count_text(*parent.node, node);
    parent.key = Entry{node.text, node.span, nullptr};
    if (node.kind == Node::Kind::scalar) return;
    parent.key->name = {};
    if (node.kind != Node::Kind::broken)
      report_.error({code::kWrongType, node.span, "a key that is no text", "keys are names"});
  }

  void add_entry(Open& parent, Node& value) {
    Entry entry = *parent.key;
    parent.key.reset();
    entry.value = &value;
    if (entry.name.data() == nullptr) return;
    const auto [first, fresh] = parent.seen.emplace(entry.name, entry.span);
    if (fresh) {
      parent.node->entries.push_back(entry);
    } else if (report_.full()) {
      report_.count_error();
    } else if (report_.shows(source_)) {  // else its keys are nobody's business, and it is refused as a whole
      report_.error({code::kDuplicateKey, entry.span, fmt::format("the key '{}' stands twice", entry.name),
                     "remove one of the two"},
                    {{first->second, "first defined here"}});
    }
  }

  Document& document_;
  const Source& source_;
  Report& report_;
  Expansion& expansion_;
  std::vector<Open> open_;
  std::unordered_map<std::string_view, Node*> anchors_;
  std::uint32_t last_;  // where the event before ended
  int documents_ = 0;
};

struct DeleteParser {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};

// Bytes that YAML does not allow at all, which libfyaml lets through.
bool check_bytes(const Source& source, Report& report) {
  const std::string_view text = source.text();
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t size = utf8::character(text.substr(at));
    const bool control = (byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (size == 0 || control) {
      const auto begin = static_cast<std::uint32_t>(source.whole().begin + at);
      report.error({code::kYamlSyntax,
                    {begin, begin + 1},
                    size == 0 ? "bytes that are not UTF-8" : fmt::format("a control character, 0x{:02X}", byte),
                    size == 0 ? "save the file as UTF-8" : "write it as an escape in double quotes"});
      return false;
    }
    at += size;
  }
  return true;
}

// What people mean where libfyaml stumbles: a text without its quotes.
std::string_view syntax_cure(std::string_view message) {
  if (message.find("missing comma") != std::string_view::npos)
    return "quote a text that holds braces or brackets: \"/users/{id}\"";
  if (message.find("invalid alias") != std::string_view::npos)
    return "quote a text that holds '*' or braces: \"/files/{*}\"";
  return "nothing after this place was read";
}

void report_syntax(const Source& source, Report& report, fy_diag* diag, const Node* innermost) {
  void* position = nullptr;
  const fy_diag_error* error = fy_diag_errors_iterate(diag, &position);
  if (!error || !error->msg || error->line <= 0) {
    report.error({code::kYamlSyntax, source.at(1, 1), "not well-formed YAML", "check the first line"});
    return;
  }
  const Span span = source.at(static_cast<std::uint32_t>(error->line), static_cast<std::uint32_t>(error->column));
  const std::string_view message(error->msg);
  std::vector<Report::Second> notes;
  if (innermost && message.find("closing bracket") != std::string_view::npos)
    notes.push_back({innermost->span, "it opens here"});
  report.error(
      {code::kYamlSyntax, span, fmt::format("not well-formed YAML: {}", message), std::string(syntax_cure(message))},
      std::move(notes));
}

bool matches(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  int base = 10;
  std::string_view digits = text;
  const bool plus = digits.starts_with("+");
  if (digits.starts_with("0x") || digits.starts_with("0o")) {
    base = digits[1] == 'x' ? 16 : 8;
    digits.remove_prefix(2);
  }
  if (plus) digits.remove_prefix(1);
  if ((plus || base != 10) && digits.starts_with("-")) return std::nullopt;  // a second sign, or one that is not taken
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<double> read_double(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with("-");
  if (negative || digits.starts_with("+")) digits.remove_prefix(1);
  const double sign = negative ? -1 : 1;
  if (matches(digits, {".inf", ".Inf", ".INF"})) return sign * std::numeric_limits<double>::infinity();
  if (matches(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  const bool numeric = !digits.empty() && digits.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
                       digits.find_first_of("0123456789") != std::string_view::npos &&
                       (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'));
  if (!numeric) return std::nullopt;
  double value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem == std::errc::result_out_of_range) return sign * std::numeric_limits<double>::infinity();
  if (problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return sign * value;
}

}  // namespace

const Entry* Node::find(std::string_view name) const noexcept {
  for (const Entry& entry : entries)
    if (entry.name == name) return &entry;
  return nullptr;
}

Entry* Node::find(std::string_view name) noexcept {
  return const_cast<Entry*>(std::as_const(*this).find(name));
}

std::optional<Document> parse_yaml(const Source& source, Report& report, Expansion& expansion) {
  const std::string_view text = source.text();
  report.withhold(source);  // until it looks like a configuration
  if (text.size() > Document::kMostBytes) {
    report.error({code::kYamlTooLarge, source.at(1, 1), "the file is larger than 64MiB", "split it"});
    return std::nullopt;
  }
  if (!check_bytes(source, report)) return std::nullopt;
  fy_diag_cfg diag_options;
  fy_diag_cfg_default(&diag_options);
  diag_options.fp = nullptr;
  diag_options.colorize = false;
  const std::unique_ptr<fy_diag, DeleteParser> diag(fy_diag_create(&diag_options));
  fy_diag_set_collect_errors(diag.get(), true);
  fy_parse_cfg options{};
  options.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE);
  options.diag = diag.get();
  const std::unique_ptr<fy_parser, DeleteParser> parser(fy_parser_create(&options));
  fy_parser_set_string(parser.get(), text.data(), text.size());

  Document document;
  Builder builder(document, source, report, expansion);
  while (fy_event* event = fy_parser_parse(parser.get())) {
    const bool go_on = builder.take(*event);
    fy_parser_event_free(parser.get(), event);
    if (!go_on) return std::nullopt;
  }
  if (fy_parser_get_stream_error(parser.get())) {
    report_syntax(source, report, diag.get(), builder.innermost());
    return std::nullopt;
  }
  return document;
}

Scalar read_scalar(const Node& node) {
  if (!node.plain) return node.text;
  if (matches(node.text, {"", "~", "null", "Null", "NULL"})) return std::monostate{};
  if (matches(node.text, {"true", "True", "TRUE"})) return true;
  if (matches(node.text, {"false", "False", "FALSE"})) return false;
  if (const auto integer = read_integer(node.text)) return *integer;
  if (const auto number = read_double(node.text)) return *number;
  return node.text;
}

}  // namespace lingate::config
