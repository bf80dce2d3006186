// key-auth: finds the caller's session by the key that the request carries. A key that names no session is refused even
// where a key is not required: whoever sends one means somebody.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "base/fields.h"
#include "base/percent.h"
#include "middleware/sessions/directory.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

constexpr std::string_view kBearer = "bearer ";

struct Place {
  enum class Kind { header, bearer, query, cookie };
  Kind kind;
  std::string name;
};

// Takes what stands before `mark` off `rest`, and the mark with it.
std::string_view cut(std::string_view& rest, char mark) noexcept {
  const std::size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// The value of the first parameter of that name, its triplets decoded; '+' stays, keys have no spaces.
std::string_view query_value(std::string_view query, std::string_view name, Arena& arena) {
  while (!query.empty()) {
    std::string_view value = cut(query, '&');
    if (cut(value, '=') != name) continue;
    if (value.find('%') == std::string_view::npos) return value;
    std::string decoded;
    for (std::size_t k = 0; k < value.size(); ++k) {
      const int byte = percent_triplet(value, k);
      decoded.push_back(byte < 0 ? value[k] : static_cast<char>(byte));
      if (byte >= 0) k += 2;
    }
    return arena.copy(decoded);
  }
  return {};
}

std::string without_parameter(std::string_view query, std::string_view name) {
  std::string kept;
  while (!query.empty()) {
    const std::string_view parameter = cut(query, '&');
    if (parameter.substr(0, parameter.find('=')) == name) continue;
    if (!kept.empty()) kept += '&';
    kept += parameter;
  }
  return kept;
}

// A cookie pair of RFC 6265, 4.2.1: its value, perhaps in quotes.
std::string_view cookie_value(std::string_view cookies, std::string_view name) noexcept {
  while (!cookies.empty()) {
    std::string_view value = fields::without_ows(cut(cookies, ';'));
    if (cut(value, '=') != name) continue;
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

std::string without_cookie(std::string_view cookies, std::string_view name) {
  std::string kept;
  while (!cookies.empty()) {
    const std::string_view pair = fields::without_ows(cut(cookies, ';'));
    if (pair.empty() || pair.substr(0, pair.find('=')) == name) continue;
    if (!kept.empty()) kept += "; ";
    kept += pair;
  }
  return kept;
}

std::string_view bearer_token(const Request& request) noexcept {
  const Field* field = request.headers.find("authorization");
  if (!field || field->value.size() <= kBearer.size()) return {};
  const std::string_view scheme = field->value.substr(0, kBearer.size());
  return fields::same_name(scheme, kBearer) ? fields::without_ows(field->value.substr(kBearer.size()))
                                            : std::string_view();
}

class KeyAuth final : public Middleware {
 public:
  struct Options {
    std::vector<Place> from;
    bool required = true;
    bool hide = false;
  };

  KeyAuth(Options options, SessionDirectory& sessions) : options_(std::move(options)), sessions_(sessions) {
    const bool bearer = std::any_of(options_.from.begin(), options_.from.end(),
                                    [](const Place& place) { return place.kind == Place::Kind::bearer; });
    challenge_ = bearer ? "Bearer realm=\"lingate\"" : "ApiKey realm=\"lingate\"";
  }

  std::string_view kind() const noexcept override { return "key-auth"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    for (const Place& place : options_.from)
      if (const std::string_view key = key_at(place, exchange); !key.empty())
        return admit(key, place, exchange, record);
    return options_.required ? refuse(code::kCredentialsMissing, {}, exchange, record) : Flow::next;
  }

 private:
  static std::string_view key_at(const Place& place, Exchange& exchange) {
    const Request& request = exchange.request;
    switch (place.kind) {
      case Place::Kind::header: {
        const Field* field = request.headers.find(place.name);
        return field ? field->value : std::string_view();
      }
      case Place::Kind::bearer: return bearer_token(request);
      case Place::Kind::query: return query_value(request.query, place.name, exchange.arena);
      case Place::Kind::cookie: break;
    }
    for (const Field& field : request.headers.all())
      if (!field.removed && fields::same_name(field.name, "cookie"))
        if (const std::string_view value = cookie_value(field.value, place.name); !value.empty()) return value;
    return {};
  }

  Flow admit(std::string_view key, const Place& place, Exchange& exchange, StepRecord& record) const {
    const Loop& loop = exchange.host().loop();
    auto found = sessions_.find(loop.index(), key, exchange.wall());
    if (!found) return refuse(found.error().code, found.error().message, exchange, record);
    if (!*found) return refuse(code::kCredentialsWrong, "no session has this key", exchange, record);
    exchange.set_stored_session(**found, sessions_);
    if (options_.hide) hide(place, exchange);
    return Flow::next;
  }

  static void hide(const Place& place, Exchange& exchange) {
    Headers& headers = exchange.request.headers;
    if (place.kind == Place::Kind::query)
      exchange.edit_query(without_parameter(exchange.request.query, place.name));
    else if (place.kind == Place::Kind::header)
      headers.remove(place.name);
    else if (place.kind == Place::Kind::bearer)
      headers.remove("Authorization");
    else
      hide_cookie(place.name, exchange);
  }

  // All Cookie lines become one (RFC 9113, 8.2.3, allows it), or none.
  static void hide_cookie(std::string_view name, Exchange& exchange) {
    std::string all;
    for (const Field& field : exchange.request.headers.all())
      if (!field.removed && fields::same_name(field.name, "cookie")) {
        if (!all.empty()) all += "; ";
        all += field.value;
      }
    const std::string kept = without_cookie(all, name);
    if (kept.empty())
      exchange.request.headers.remove("Cookie");
    else
      exchange.request.headers.set("Cookie", kept);
  }

  Flow refuse(int code, std::string_view why, Exchange& exchange, StepRecord& record) const {
    record.fault = code;
    exchange.fail({.code = code, .detail = std::string(why), .step = label()});
    if (exchange.response.status == 401) exchange.response.headers.add("WWW-Authenticate", challenge_);
    return Flow::fail;
  }

  const Options options_;
  SessionDirectory& sessions_;
  std::string challenge_;
};

}  // namespace

MadeStep make_key_auth(const Settings& settings, const StepSurroundings& surroundings) {
  if (!surroundings.sessions) return fail(code::kStoreUnavailable, "key-auth: there is no store to find sessions in");
  KeyAuth::Options options{.from = {}, .required = settings.flag("required", true), .hide = settings.flag("hide")};
  using Kind = Place::Kind;
  for (const Settings& each : settings.list("from")) {
    if (const auto name = each.text("header"); !name.empty()) options.from.push_back({Kind::header, std::string(name)});
    if (each.flag("bearer")) options.from.push_back({Kind::bearer, {}});
    if (const auto name = each.text("query"); !name.empty()) options.from.push_back({Kind::query, std::string(name)});
    if (const auto name = each.text("cookie"); !name.empty()) options.from.push_back({Kind::cookie, std::string(name)});
  }
  if (options.from.empty()) options.from = {{Kind::header, "X-Api-Key"}, {Kind::bearer, {}}};
  return std::make_unique<KeyAuth>(std::move(options), *surroundings.sessions);
}

}  // namespace lingate::middleware::steps
