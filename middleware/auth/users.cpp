#include "middleware/auth/users.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <crypt.h>

#include <fmt/format.h>

#include "base/fields.h"
#include "base/pairs.h"
#include "runtimes/value.h"

namespace lingate::middleware::auth {
namespace {

struct Form {
  std::string_view begin;
  std::size_t last;  // bytes behind the last '$'
};

constexpr Form kForms[] = {{"$2a$", 53}, {"$2b$", 53}, {"$2y$", 53}, {"$y$", 43},
                           {"$gy$", 43}, {"$7$", 43},  {"$6$", 86},  {"$5$", 43}};
constexpr std::size_t kLongestHash = CRYPT_OUTPUT_SIZE - 1;
constexpr int kMostBcryptCost = 16;  // some seconds
constexpr int kMostRounds = 10'000'000;

tl::unexpected<UserProblem> problem(std::string what, std::string cure) {
  return tl::unexpected<UserProblem>(UserProblem{std::move(what), std::move(cure)});
}

// The number that `text` begins with; 0: none.
int leading_number(std::string_view text) noexcept {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// A price that an operator cannot have meant: it would keep a thread for minutes.
bool is_too_dear(std::string_view hash) noexcept {
  if (hash.starts_with("$2")) return leading_number(hash.substr(4)) > kMostBcryptCost;
  constexpr std::string_view kRounds = "rounds=";
  const std::string_view settings = hash.substr(std::min(hash.find('$', 1), hash.size() - 1) + 1);
  return settings.starts_with(kRounds) && (leading_number(settings.substr(kRounds.size())) > kMostRounds);
}

}  // namespace

Result<void, UserProblem> check_user_name(std::string_view name) {
  const bool bad = std::any_of(name.begin(), name.end(),
                               [](char c) { return c == ':' || static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
  if (name.empty() || bad || !runtimes::is_utf8(name))
    return problem("a user's name is UTF-8 without ':' and control characters, and not empty", "rename the user");
  if (name.size() > kLongestName)
    return problem(fmt::format("a user's name has more than {} bytes", kLongestName), "shorten it");
  return {};
}

Result<void, UserProblem> check_password_hash(std::string_view hash) {
  const std::string cure = "make one with 'htpasswd -nB NAME' (bcrypt) or 'mkpasswd' (yescrypt)";
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [hash](const Form& each) { return hash.starts_with(each.begin); });
  if (form == std::end(kForms))
    return problem("this is no password hash of bcrypt, yescrypt, scrypt or SHA-2 crypt", cure);
  const std::string text(hash);
  const bool whole = hash.size() <= kLongestHash && hash.find('\0') == std::string_view::npos &&
                     hash.size() - hash.rfind('$') - 1 == form->last;
  const int known = whole ? ::crypt_checksalt(text.c_str()) : CRYPT_SALT_INVALID;
  if (known != CRYPT_SALT_OK && known != CRYPT_SALT_METHOD_LEGACY)  // so it calls SHA-256
    return problem("the password hash is cut or malformed, or this system's crypt(3) does not know it", cure);
  if (is_too_dear(hash))
    return problem("the password hash takes minutes to check",
                   fmt::format("bcrypt's cost may be up to {}, rounds up to {}", kMostBcryptCost, kMostRounds));
  return {};
}

Result<User, UserProblem> parse_user_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return problem("there is no ':' between name and hash", "write NAME:HASH");
  const std::string_view name = line.substr(0, colon);
  const std::string_view hash = line.substr(colon + 1);
  if (auto checked = check_user_name(name); !checked) return fail(std::move(checked.error()));
  if (auto checked = check_password_hash(hash); !checked) return fail(std::move(checked.error()));
  return User{std::string(name), std::string(hash)};
}

Result<std::vector<User>, UserProblem> parse_htpasswd(std::string_view text) {
  std::vector<User> users;
  std::set<std::string> names;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = take_until(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = fields::without_ows(line);
    if (line.empty() || line.front() == '#') continue;
    auto user = parse_user_line(line);
    if (!user) return problem(fmt::format("line {}: {}", number, user.error().what), std::move(user.error().cure));
    if (!names.insert(user->name).second)
      return problem(fmt::format("line {}: the user stands twice", number), "remove one of the lines");
    users.push_back(std::move(*user));
  }
  return users;
}

}  // namespace lingate::middleware::auth
