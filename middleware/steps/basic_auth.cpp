// basic-auth: a name and a password of HTTP's own kind (RFC 7617) against a list of users. The slow hash is computed by
// the crew while the request waits; what was right a moment ago is known without it.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/codes.h"
#include "base/fields.h"
#include "middleware/auth/base64.h"
#include "middleware/auth/password_crew.h"
#include "middleware/auth/places.h"
#include "middleware/auth/proven_passwords.h"
#include "middleware/auth/users.h"
#include "middleware/steps/steps.h"
#include "runtimes/wire_call.h"

namespace lingate::middleware::steps {
namespace {

constexpr std::size_t kLongestCredentials = 1024;  // coded; crypt(3) takes passwords of up to 512 bytes

struct KnownUser {
  std::string hash;
  Session session;
};

struct Credentials {
  std::string_view name;
  std::string_view password;
};

// Nothing: they are malformed.
std::optional<Credentials> read_credentials(std::string_view coded, Arena& arena) {
  if (coded.size() > kLongestCredentials) return std::nullopt;
  const auto pair = auth::decode_base64(coded, auth::Alphabet::standard, arena);
  if (!pair || !fields::is_value(*pair)) return std::nullopt;  // crypt(3) would stop at a NUL
  const std::size_t colon = pair->find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return Credentials{pair->substr(0, colon), pair->substr(colon + 1)};
}

class BasicAuth final : public Middleware {
 public:
  struct Options {
    std::string realm;
    bool required = true;
    bool hide = false;
  };

  BasicAuth(Options options, std::vector<auth::User> users, const StepSurroundings& surroundings);

  std::string_view kind() const noexcept override { return "basic-auth"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }
  Flow on_request(Exchange& exchange, StepRecord& record) const override;
  void release(Exchange& exchange, StepRecord& record) const noexcept override;

 private:
  // One password that the crew compares.
  struct Flight final : auth::PasswordCrew::Asker {
    void checked(bool matches) noexcept override;

    const BasicAuth* step = nullptr;
    Exchange* exchange = nullptr;
    StepRecord* record = nullptr;
    auth::PasswordCrew::Check* check = nullptr;
    std::size_t user = 0;  // size of users_: there is none of that name
    auth::ProvenPasswords::Mark mark{};
  };
  // Touched by its worker only; aligned so that workers do not share a cache line.
  struct alignas(64) Lane {
    std::unique_ptr<auth::ProvenPasswords> proven;
    std::vector<std::unique_ptr<Flight>> all;
    std::vector<Flight*> free;
  };

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>()(name); }
  };

  std::size_t find(std::string_view name) const noexcept;
  Flow ask_crew(Exchange& exchange, StepRecord& record, const Flight& question, std::string_view password) const;
  Flow conclude(Flight& flight, bool matches) const;
  Flow admit(std::size_t user, Exchange& exchange) const;
  Flow refuse(int code, std::string_view why, Exchange& exchange, StepRecord& record) const;
  Flight& take(std::uint32_t worker) const;
  void give_back(Flight& flight, std::uint32_t worker) const noexcept;

  const Options options_;
  std::string challenge_;
  std::vector<KnownUser> users_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_name_;
  auth::PasswordCrew& crew_;
  std::unique_ptr<Lane[]> lanes_;
};

std::string challenge_of(std::string_view realm) {
  std::string text = "Basic realm=\"";
  for (const char c : realm) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\", charset=\"UTF-8\"";
}

Session session_of(std::string_view name) {
  std::string wire;
  runtimes::write_session(wire, {.id = name, .alias = name});
  return *Session::from_wire(std::move(wire));  // a name is short and not empty
}

BasicAuth::BasicAuth(Options options, std::vector<auth::User> users, const StepSurroundings& surroundings)
    : options_(std::move(options)),
      challenge_(challenge_of(options_.realm)),
      crew_(*surroundings.passwords),
      lanes_(std::make_unique<Lane[]>(surroundings.workers)) {
  for (auth::User& user : users) {
    by_name_.emplace(user.name, users_.size());
    users_.push_back({.hash = std::move(user.hash), .session = session_of(user.name)});
  }
  const auto key = auth::ProvenPasswords::draw_key();
  for (std::uint32_t worker = 0; worker < surroundings.workers; ++worker)
    lanes_[worker].proven = std::make_unique<auth::ProvenPasswords>(key, users_.size());
}

Flow BasicAuth::on_request(Exchange& exchange, StepRecord& record) const {
  const std::string_view coded = auth::authorization(exchange.request, "basic ");
  if (coded.empty()) return options_.required ? refuse(code::kCredentialsMissing, {}, exchange, record) : Flow::next;
  const auto credentials = read_credentials(coded, exchange.arena);
  if (!credentials) return refuse(code::kCredentialsWrong, "the credentials are malformed", exchange, record);
  const Loop& loop = exchange.host().loop();
  Flight question;
  question.user = find(credentials->name);
  if (question.user < users_.size()) {
    auth::ProvenPasswords& proven = *lanes_[loop.index()].proven;
    question.mark = proven.mark(question.user, credentials->password);
    if (proven.knows(question.user, question.mark, loop.now())) return admit(question.user, exchange);
  }
  return ask_crew(exchange, record, question, credentials->password);
}

std::size_t BasicAuth::find(std::string_view name) const noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? users_.size() : found->second;
}

// A name that is not there costs a hash too: the time of an answer does not tell which names are.
Flow BasicAuth::ask_crew(Exchange& exchange, StepRecord& record, const Flight& question,
                         std::string_view password) const {
  Loop& loop = exchange.host().loop();
  const bool known = question.user < users_.size();
  Flight& flight = take(loop.index());
  flight = question;
  flight.step = this;
  flight.exchange = &exchange;
  flight.record = &record;
  flight.check = crew_.check(loop, flight, password, users_[known ? question.user : 0].hash);
  if (flight.check) {
    record.state = &flight;
    return Flow::wait;
  }
  give_back(flight, loop.index());
  return refuse(code::kPasswordsBusy, "as many passwords as may wait are waiting", exchange, record);
}

void BasicAuth::Flight::checked(bool matches) noexcept {
  Exchange& waiting = *exchange;
  const Flow flow = step->conclude(*this, matches);  // gives the flight back
  waiting.run.resume(flow);
}

Flow BasicAuth::conclude(Flight& flight, bool matches) const {
  Exchange& exchange = *flight.exchange;
  StepRecord& record = *flight.record;
  const std::size_t user = flight.user;
  const auto mark = flight.mark;
  const Loop& loop = exchange.host().loop();
  record.state = nullptr;
  give_back(flight, loop.index());
  if (user == users_.size()) return refuse(code::kCredentialsWrong, "there is no such user", exchange, record);
  if (!matches) return refuse(code::kCredentialsWrong, "the password is wrong", exchange, record);
  lanes_[loop.index()].proven->learn(user, mark, loop.now());
  return admit(user, exchange);
}

Flow BasicAuth::admit(std::size_t user, Exchange& exchange) const {
  exchange.set_session(users_[user].session);
  if (options_.hide) exchange.request.headers.remove("Authorization");
  return Flow::next;
}

Flow BasicAuth::refuse(int code, std::string_view why, Exchange& exchange, StepRecord& record) const {
  record.fault = code;
  exchange.fail({.code = code, .detail = std::string(why), .step = label()});
  if (exchange.response.status == 401) exchange.response.headers.add("WWW-Authenticate", challenge_);
  return Flow::fail;
}

void BasicAuth::release(Exchange& exchange, StepRecord& record) const noexcept {
  auto* flight = static_cast<Flight*>(std::exchange(record.state, nullptr));
  if (!flight) return;
  crew_.forget(*flight->check);
  give_back(*flight, exchange.host().loop().index());
}

BasicAuth::Flight& BasicAuth::take(std::uint32_t worker) const {
  Lane& lane = lanes_[worker];
  if (lane.free.empty()) {
    lane.all.push_back(std::make_unique<Flight>());
    lane.free.reserve(lane.all.size());
    return *lane.all.back();
  }
  Flight& flight = *lane.free.back();
  lane.free.pop_back();
  return flight;
}

void BasicAuth::give_back(Flight& flight, std::uint32_t worker) const noexcept {
  lanes_[worker].free.push_back(&flight);
}

}  // namespace

MadeStep make_basic_auth(const Settings& settings, const StepSurroundings& surroundings) {
  if (!surroundings.passwords) return fail(code::kInternal, "basic-auth: there is no crew to check passwords");
  std::vector<auth::User> users;
  for (const auto& [name, hash] : settings.map("users")) {
    if (!auth::check_user_name(name)) return fail(code::kBadValue, "basic-auth: a user's name is malformed");
    users.push_back({.name = name, .hash = std::string(hash.as_text())});
  }
  if (users.empty()) return fail(code::kMissingKey, "basic-auth: 'users' has nobody: add one");
  BasicAuth::Options options{.realm = std::string(settings.text("realm", "lingate")),
                             .required = settings.flag("required", true),
                             .hide = settings.flag("hide")};
  if (!fields::is_value(options.realm))
    return fail(code::kBadHeader, "basic-auth: 'realm' holds a control character: remove it");
  return std::make_unique<BasicAuth>(std::move(options), std::move(users), surroundings);
}

}  // namespace lingate::middleware::steps
