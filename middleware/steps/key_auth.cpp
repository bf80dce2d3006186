// key-auth: finds the caller's session by the key that the request carries. A key that names no session is refused even
// where a key is not required: whoever sends one means somebody.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/codes.h"
#include "middleware/auth/places.h"
#include "middleware/sessions/directory.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

using auth::Place;

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
    if (options_.hide) secret_ = auth::parameters_of(options_.from);
    challenge_ = bearer ? "Bearer realm=\"lingate\"" : "ApiKey realm=\"lingate\"";
  }

  std::string_view kind() const noexcept override { return "key-auth"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }
  std::span<const std::string> secret_parameters() const noexcept override { return secret_; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    for (const Place& place : options_.from)
      if (const std::string_view key = auth::credential_at(place, exchange); !key.empty())
        return admit(key, exchange, record);
    return options_.required ? refuse(code::kCredentialsMissing, {}, exchange, record) : Flow::next;
  }

  void release(Exchange&, StepRecord& record) const noexcept override {
    SessionDirectory::forget(*static_cast<const Waiting*>(std::exchange(record.state, nullptr))->lookup);
  }

 private:
  // A key that a remote store looks up.
  struct Waiting final : SessionDirectory::Asker {
    Waiting(const KeyAuth& its_step, Exchange& its_exchange, StepRecord& its_record)
        : step(its_step), exchange(its_exchange), record(its_record) {}

    void found(const Result<const Session*>& session) noexcept override {
      record.state = nullptr;
      exchange.run.resume(step.conclude(session, exchange, record));
    }

    const KeyAuth& step;
    Exchange& exchange;
    StepRecord& record;
    SessionDirectory::Lookup* lookup = nullptr;
  };

  Flow admit(std::string_view key, Exchange& exchange, StepRecord& record) const {
    const std::uint32_t worker = exchange.host().loop().index();
    if (!sessions_.is_remote()) return conclude(sessions_.find(worker, key, exchange.wall()), exchange, record);
    if (const auto known = sessions_.recall(worker, key, exchange.wall())) return conclude(*known, exchange, record);
    auto* waiting = keep(exchange.arena, Waiting(*this, exchange, record));
    waiting->lookup = &sessions_.ask(exchange.host().loop(), *waiting, key);
    record.state = waiting;
    return Flow::wait;
  }

  Flow conclude(const Result<const Session*>& found, Exchange& exchange, StepRecord& record) const {
    if (!found) return refuse(found.error().code, found.error().message, exchange, record);
    if (!*found) return refuse(code::kCredentialsWrong, "no session has this key", exchange, record);
    exchange.set_stored_session(**found, sessions_);
    if (options_.hide) auth::hide_credentials(options_.from, exchange);
    return Flow::next;
  }

  Flow refuse(int code, std::string_view why, Exchange& exchange, StepRecord& record) const {
    record.fault = code;
    exchange.fail({.code = code, .detail = std::string(why), .step = label()});
    if (exchange.response.status == 401) exchange.response.headers.add("WWW-Authenticate", challenge_);
    return Flow::fail;
  }

  const Options options_;
  SessionDirectory& sessions_;
  std::vector<std::string> secret_;
  std::string challenge_;
};

}  // namespace

MadeStep make_key_auth(const Settings& settings, const StepSurroundings& surroundings) {
  if (!surroundings.sessions) return fail(code::kStoreUnavailable, "key-auth: there is no store to find sessions in");
  KeyAuth::Options options{
      .from = auth::read_places(settings), .required = settings.flag("required", true), .hide = settings.flag("hide")};
  if (options.from.empty()) options.from = {{Place::Kind::header, "X-Api-Key"}, {Place::Kind::bearer}};
  return std::make_unique<KeyAuth>(std::move(options), *surroundings.sessions);
}

}  // namespace lingate::middleware::steps
