// rewrite: another path, query or method for the upstream. Path and query are templates: `{name}` is a parameter of
// the route's path, `{*}` the rest that its `/*` matched. The route stays the one that was matched.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "base/fields.h"
#include "base/percent.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

enum class Place { path, query };

// What may stand unencoded (RFC 3986, 3.3): in a path segment pchar, and '/' for the wildcard's rest; in a query only
// what is unreserved, so that a value can never become another parameter.
bool stands(unsigned char c, Place place) noexcept {
  if (is_unreserved(c)) return true;
  return place == Place::path && c != '\0' &&
         std::string_view("!$&'()*+,;=:@/").find(static_cast<char>(c)) != std::string_view::npos;
}

void append_encoded(std::string& out, std::string_view text, Place place) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (stands(byte, place)) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    }
  }
}

class Template {
 public:
  // The text has been checked: every '{' has its '}'.
  Template(std::string_view text, Place place) : place_(place) {
    while (!text.empty()) {
      const std::size_t open = std::min(text.find('{'), text.size());
      if (open != 0) parts_.push_back({std::string(text.substr(0, open)), Part::literal});
      text.remove_prefix(open);
      if (text.empty()) break;
      const std::size_t close = text.find('}');
      parts_.push_back({std::string(text.substr(1, close - 1)), Part::parameter});
      text.remove_prefix(close + 1);
    }
  }

  std::string_view fill(Exchange& exchange) const {
    if (parts_.size() == 1 && parts_.front().kind == Part::literal) return parts_.front().text;
    std::string filled;
    for (const Part& part : parts_) {
      if (part.kind == Part::literal)
        filled += part.text;
      else
        append_parameter(filled, exchange.request.params, part.text);
    }
    return exchange.arena.copy(filled);
  }

 private:
  struct Part {
    std::string text;
    enum Kind { literal, parameter } kind;
  };

  void append_parameter(std::string& out, const std::vector<Param>& params, std::string_view name) const {
    for (const Param& param : params) {
      if (param.name != name) continue;
      if (place_ == Place::path && !param.raw.empty())
        out += param.raw;
      else
        append_encoded(out, param.value, place_);
    }
  }

  Place place_;
  std::vector<Part> parts_;
};

struct Rewriting {
  std::optional<Template> path;
  std::optional<Template> query;
  std::string method;  // empty: stays
};

class Rewrite final : public Middleware {
 public:
  explicit Rewrite(Rewriting rewriting) : rewriting_(std::move(rewriting)) {}

  std::string_view kind() const noexcept override { return "rewrite"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }

  Flow on_request(Exchange& exchange, StepRecord&) const override {
    if (rewriting_.path) exchange.edit_path(rewriting_.path->fill(exchange));
    if (rewriting_.query) exchange.edit_query(rewriting_.query->fill(exchange));
    if (!rewriting_.method.empty()) exchange.edit_method(rewriting_.method);
    return Flow::next;
  }

 private:
  const Rewriting rewriting_;
};

// Literal bytes must be able to stand in a request target, braces must pair up.
Result<void> check(std::string_view key, std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(code::kBadValue,
                "step 'rewrite': " + std::string(key) + " '" + std::string(text) + "' " + std::string(why));
  };
  bool inside = false;
  for (std::size_t k = 0; k < text.size(); ++k) {
    const char c = text[k];
    if (c == '{' ? inside : c == '}' && !inside) return wrong("has a brace without its partner");
    if (c == '{' || c == '}') inside = c == '{';
    const bool plain = c > 0x20 && c < 0x7f && c != '#' && (c != '?' || key == "query");
    if (!plain) return wrong("holds a byte that cannot stand there; percent-encode it");
    if (c == '%' && !inside && percent_triplet(text, k) <= 0) return wrong("has a '%' without two hexadecimal digits");
  }
  if (inside) return wrong("has a brace without its partner");
  return {};
}

}  // namespace

MadeStep make_rewrite(const Settings& settings, const StepSurroundings&) {
  Rewriting rewriting;
  for (const std::string_view key : {"path", "query"}) {
    if (!settings.find(key)) continue;
    const std::string_view text = settings.text(key);
    if (auto checked = check(key, text); !checked) return fail(std::move(checked.error()));
    if (key == "query") {
      rewriting.query.emplace(text, Place::query);
    } else {
      if (!text.starts_with('/')) return fail(code::kBadValue, "step 'rewrite': path must begin with '/'");
      rewriting.path.emplace(text, Place::path);
    }
  }
  rewriting.method = settings.text("method");
  if (!rewriting.method.empty() && !fields::is_token(rewriting.method))
    return fail(code::kBadMethod, "step 'rewrite': '" + rewriting.method + "' is no method");
  return std::make_unique<Rewrite>(std::move(rewriting));
}

}  // namespace lingate::middleware::steps
