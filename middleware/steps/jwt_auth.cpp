// jwt-auth: lets in who carries a signed token of an issuer (RFC 7519). What a token may say of itself is settled by
// the configuration: its algorithms, its issuer, its audience. A token that was checked is known until it expires or
// the keys change.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/codes.h"
#include "middleware/auth/claims.h"
#include "middleware/auth/jwks_fetcher.h"
#include "middleware/auth/known_tokens.h"
#include "middleware/auth/places.h"
#include "middleware/auth/token.h"
#include "middleware/auth/token_options.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using auth::Place;
using Wall = std::chrono::system_clock::time_point;

constexpr std::chrono::hours kLongestKnown{1};

constexpr std::string_view kAsk = "Bearer realm=\"lingate\"";
constexpr std::string_view kRefuse = "Bearer realm=\"lingate\", error=\"invalid_token\"";  // RFC 6750, 3.1

// Keys that an issuer publishes, as long as a step wants them.
class Subscription {
 public:
  Subscription(auth::JwksFetcher& fetcher, std::string_view url, const auth::JwksUrl& parsed, Clock::duration refresh)
      : fetcher_(fetcher), source_(fetcher.subscribe(std::string(url), parsed, refresh)) {}
  ~Subscription() { fetcher_.unsubscribe(source_); }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  auth::JwksFetcher::Source& source() const noexcept { return source_; }

 private:
  auth::JwksFetcher& fetcher_;
  auth::JwksFetcher::Source& source_;
};

class JwtAuth final : public Middleware {
 public:
  struct Options {
    std::vector<Place> from;
    auth::Algorithms algorithms;
    auth::Expectations expected;
    auth::ClaimNames claims;
    auth::KeySet keys;                          // unless they are published
    std::unique_ptr<Subscription> published{};  // nullptr: they are not
    bool required = true;
    bool hide = false;
  };

  JwtAuth(Options options, std::uint32_t workers) : options_(std::move(options)) {
    if (options_.hide) secret_ = auth::parameters_of(options_.from);
    const auto hash = limits::KeyedHash::of_this_process();
    for (std::uint32_t k = 0; k < workers; ++k)
      lanes_.push_back(std::make_unique<Lane>(hash));
  }

  std::string_view kind() const noexcept override { return "jwt-auth"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }
  std::span<const std::string> secret_parameters() const noexcept override { return secret_; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    for (const Place& place : options_.from)
      if (const std::string_view token = auth::credential_at(place, exchange); !token.empty())
        return admit(token, exchange, record);
    return options_.required ? refuse({code::kCredentialsMissing, {}}, exchange, record) : Flow::next;
  }

 private:
  struct Refusal {
    int code = code::kCredentialsWrong;
    std::string why;
  };
  // Touched by its worker only; aligned so that workers do not share a cache line.
  struct alignas(64) Lane {
    explicit Lane(limits::KeyedHash hash) : known(hash) {}
    auth::KnownTokens known;
    auth::KeySet keys;  // published ones, as of `version`
    std::uint64_t version = 0;
  };

  Flow admit(std::string_view token, Exchange& exchange, StepRecord& record) const {
    Lane& lane = *lanes_[exchange.host().loop().index()];
    follow_keys(lane);
    if (const Session* session = lane.known.find(token, exchange.wall())) {
      exchange.set_session(*session);
    } else {
      auto checked = check(token, lane, exchange);
      if (!checked) return refuse(std::move(checked.error()), exchange, record);
      exchange.set_session(std::move(*checked));
    }
    if (options_.hide) auth::hide_credentials(options_.from, exchange);
    return Flow::next;
  }

  // What other keys have signed is no longer known.
  void follow_keys(Lane& lane) const {
    if (!options_.published || options_.published->source().version() == lane.version) return;
    lane.version = options_.published->source().copy(lane.keys);
    lane.known.forget_all();
  }

  Result<Session, Refusal> check(std::string_view text, Lane& lane, Exchange& exchange) const {
    if (options_.published && lane.version == 0)
      return fail(Refusal{code::kTokenKeysMissing, "the issuer's keys have not come yet"});
    const auto token = auth::read_token(text, options_.algorithms, exchange.arena);
    if (!token) return fail(Refusal{.why = std::string(token.error().why)});
    const auto signature = auth::check_signature(*token, options_.published ? lane.keys : options_.keys);
    if (!signature) {
      if (options_.published && signature.error().kind == auth::TokenFault::Kind::unknown_key)
        options_.published->source().ask();
      return fail(Refusal{.why = std::string(signature.error().why)});
    }
    auto caller = auth::read_claims(token->claims, options_.expected, options_.claims, exchange.wall());
    if (!caller) return fail(Refusal{.why = std::move(caller.error())});
    remember(text, *caller, lane, exchange.wall());
    return std::move(caller->session);
  }

  static void remember(std::string_view token, const auth::Caller& caller, Lane& lane, Wall now) {
    Wall until = now + kLongestKnown;
    const double longest = std::chrono::duration<double>(until.time_since_epoch()).count();
    if (caller.expires && *caller.expires < longest)
      until = Wall(std::chrono::duration_cast<Wall::duration>(std::chrono::duration<double>(*caller.expires)));
    if (now < until) lane.known.learn(token, caller.session, until);
  }

  Flow refuse(Refusal refusal, Exchange& exchange, StepRecord& record) const {
    record.fault = refusal.code;
    exchange.fail({.code = refusal.code, .detail = std::move(refusal.why), .step = label()});
    if (exchange.response.status == 401)
      exchange.response.headers.add("WWW-Authenticate", refusal.code == code::kCredentialsMissing ? kAsk : kRefuse);
    return Flow::fail;
  }

  const Options options_;
  std::vector<std::string> secret_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace

MadeStep make_jwt_auth(const Settings& settings, const StepSurroundings& surroundings) {
  JwtAuth::Options options{.from = auth::read_places(settings),
                           .algorithms = auth::read_algorithms(settings),
                           .expected = auth::read_expectations(settings),
                           .claims = auth::read_claim_names(settings),
                           .keys = {},
                           .required = settings.flag("required", true),
                           .hide = settings.flag("hide")};
  if (options.algorithms.empty()) return fail(code::kMissingKey, "jwt-auth: 'algorithms' has none: list one");
  auto keys = auth::read_keys(settings);
  if (!keys) return fail(keys.error().code, "jwt-auth: " + keys.error().what + ": " + keys.error().cure);
  options.keys = std::move(*keys);
  if (options.from.empty()) options.from = {{Place::Kind::bearer}};
  if (const Settings* jwks = settings.find("jwks"); jwks && !jwks->text("url").empty()) {
    if (!surroundings.fetcher) return fail(code::kInternal, "jwt-auth: there is nobody to fetch keys");
    const auto url = auth::read_jwks_url(*jwks);  // read_keys() has looked at it
    options.published = std::make_unique<Subscription>(*surroundings.fetcher, jwks->text("url"), *url,
                                                       jwks->duration("refresh", std::chrono::minutes(5)));
  }
  return std::make_unique<JwtAuth>(std::move(options), surroundings.workers);
}

}  // namespace lingate::middleware::steps
