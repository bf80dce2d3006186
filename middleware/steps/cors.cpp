// cors: lets pages of other origins read responses, after the CORS protocol of the Fetch standard (section 3.2).
// Preflights are answered here, from an origin that is not listed with 403; other requests go on whatever their origin
// is (a browser sends Origin with same-origin POSTs too) and their responses say whom they may be shown to.
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "base/fields.h"
#include "middleware/settings_value.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

constexpr std::string_view kAllowOrigin = "Access-Control-Allow-Origin";

struct CorsPolicy {
  std::vector<std::string> origins;
  bool any_origin = false;  // "*"
  std::string methods;      // joined for the header
  bool any_method = false;
  std::string headers;
  bool any_header = false;
  std::string expose;
  bool credentials = false;
  std::string max_age;  // seconds; empty: not said

  // The same answer for everybody: then responses do not vary by Origin.
  bool constant() const noexcept { return any_origin && !credentials; }
  bool allows(std::string_view origin) const noexcept {
    return any_origin || std::find(origins.begin(), origins.end(), origin) != origins.end();
  }
};

bool is_token_list(std::string_view list) noexcept {
  return std::all_of(list.begin(), list.end(),
                     [](char c) { return fields::is_token_char(c) || c == ',' || c == ' ' || c == '\t'; });
}

// Adds `name` to Vary unless it is there.
void vary_by(Headers& headers, std::string_view name) {
  for (const Field& field : headers.all()) {
    if (field.removed || !fields::same_name(field.name, "vary")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view item = rest.substr(0, comma);
      while (item.starts_with(' ') || item.starts_with('\t'))
        item.remove_prefix(1);
      while (item.ends_with(' ') || item.ends_with('\t'))
        item.remove_suffix(1);
      if (item == "*" || fields::same_name(item, name)) return;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  headers.add("Vary", name);
}

class Cors final : public Middleware {
 public:
  explicit Cors(CorsPolicy policy) : policy_(std::move(policy)) {}

  std::string_view kind() const noexcept override { return "cors"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true, .response = true}; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    const Request& request = exchange.request;
    if (request.method != "OPTIONS" || !request.headers.find(FieldId::origin) ||
        !request.headers.find("access-control-request-method"))
      return Flow::next;
    if (policy_.allows(request.headers.find(FieldId::origin)->value)) {
      answer_preflight(exchange);
      return Flow::respond;
    }
    record.fault = code::kOriginNotAllowed;
    exchange.fail({.code = code::kOriginNotAllowed, .detail = {}, .step = label()});
    vary_by(exchange.response.headers, "Origin");
    return Flow::fail;
  }

  // What an upstream says about CORS gives way to what the route says.
  Flow on_response(Exchange& exchange, StepRecord&) const override {
    Headers& headers = exchange.response.headers;
    const Field* origin = exchange.request.headers.find(FieldId::origin);
    for (const std::string_view name : {kAllowOrigin, std::string_view("Access-Control-Allow-Credentials"),
                                        std::string_view("Access-Control-Expose-Headers")})
      headers.remove(name);
    if (!policy_.constant()) vary_by(headers, "Origin");
    if (!origin || !policy_.allows(origin->value)) return Flow::next;
    allow(headers, origin->value);
    if (!policy_.expose.empty()) headers.set("Access-Control-Expose-Headers", policy_.expose);
    return Flow::next;
  }

 private:
  void allow(Headers& headers, std::string_view origin) const {
    headers.set(kAllowOrigin, policy_.constant() ? std::string_view("*") : origin);
    if (policy_.credentials) headers.set("Access-Control-Allow-Credentials", "true");
  }

  // The browser asks for one method and for headers; a `*` is answered with what was asked for, because the literal
  // `*` covers neither credentials nor Authorization.
  void answer_preflight(Exchange& exchange) const {
    const Headers& asked = exchange.request.headers;
    exchange.respond(204, {});
    Headers& headers = exchange.response.headers;
    allow(headers, asked.find(FieldId::origin)->value);
    const std::string_view method = asked.value("access-control-request-method");
    if (policy_.any_method && fields::is_token(method))
      headers.set("Access-Control-Allow-Methods", method);
    else if (!policy_.any_method)
      headers.set("Access-Control-Allow-Methods", policy_.methods);
    const std::string_view names = asked.value("access-control-request-headers");
    if (policy_.any_header && !names.empty() && is_token_list(names))
      headers.set("Access-Control-Allow-Headers", names);
    else if (!policy_.any_header && !policy_.headers.empty())
      headers.set("Access-Control-Allow-Headers", policy_.headers);
    if (!policy_.max_age.empty()) headers.set("Access-Control-Max-Age", policy_.max_age);
    headers.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  }

  const CorsPolicy policy_;
};

struct Joined {
  std::string text;
  bool any = false;
};

Joined join(const std::vector<std::string>& names) {
  Joined joined;
  for (const std::string& name : names) {
    if (!fields::is_token(name)) continue;
    if (name == "*") {
      joined.any = true;
      continue;
    }
    if (!joined.text.empty()) joined.text += ", ";
    joined.text += name;
  }
  return joined;
}

}  // namespace

MadeStep make_cors(const Settings& settings, const StepSurroundings&) {
  CorsPolicy policy;
  policy.origins = texts_of(settings, "origins");
  policy.any_origin = std::erase(policy.origins, "*") != 0;
  Joined methods = join(texts_of(settings, "methods"));
  policy.any_method = methods.any;
  policy.methods = methods.text.empty() ? "GET, HEAD, POST" : std::move(methods.text);
  Joined headers = join(texts_of(settings, "headers"));
  policy.any_header = headers.any;
  policy.headers = std::move(headers.text);
  Joined expose = join(texts_of(settings, "expose"));
  policy.expose = expose.any ? "*" : std::move(expose.text);
  policy.credentials = settings.flag("credentials");
  if (settings.find("max_age"))
    policy.max_age =
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(settings.duration("max_age")).count());
  return std::make_unique<Cors>(std::move(policy));
}

}  // namespace lingate::middleware::steps
