// The users of `basic-auth`: a mapping, a list or a file. What comes out is a Map of names to hashes, which are
// secrets.
#include <set>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/read_file.h"
#include "gateway/config/secret.h"
#include "gateway/config/validate.h"
#include "middleware/auth/users.h"

namespace lingate::config {
namespace {

using middleware::auth::User;
using middleware::auth::UserProblem;

constexpr std::size_t kLargestFile = 8 * 1024 * 1024;

Fault bad_value(UserProblem problem) {
  return {code::kBadValue, std::move(problem.what), std::move(problem.cure)};
}

Parsed<std::vector<User>> read_users(const std::filesystem::path& path) {
  auto text = read_file(path.string(), kLargestFile);
  if (!text)
    return fail(Fault{code::kBadSecret, fmt::format("the file '{}' cannot be read: {}", path.string(), text.error()),
                      "create it with 'htpasswd -cB FILE NAME'; the path is relative to the configuration file"});
  auto users = middleware::auth::parse_htpasswd(*text);
  if (!users) {
    Fault fault = bad_value(std::move(users.error()));
    fault.what = fmt::format("the file '{}', {}", path.string(), fault.what);
    return fail(std::move(fault));
  }
  return std::move(*users);
}

Result<User, UserProblem> checked_user(std::string_view name, std::string_view hash) {
  if (auto checked = middleware::auth::check_user_name(name); !checked) return fail(std::move(checked.error()));
  if (auto checked = middleware::auth::check_password_hash(hash); !checked) return fail(std::move(checked.error()));
  return User{std::string(name), std::string(hash)};
}

}  // namespace

Settings Validator::users(const Node& node, const Field& field, const Where& where) {
  Settings::Map all;
  std::set<std::string> names;
  bool good = true;
  const auto refuse_at = [&](Span span, Fault fault) {
    good = false;
    refuse(span, field, where, std::move(fault));
  };
  const auto add = [&](Result<User, UserProblem> user, Span span) {
    if (!user) return refuse_at(span, bad_value(std::move(user.error())));
    if (!names.insert(user->name).second)
      return refuse_at(span, {code::kDuplicateKey, "a user stands twice", "remove one of the two"});
    all.emplace_back(std::move(user->name), Settings(Secret{std::move(user->hash)}));
  };
  if (is_secret(node) && node.entries.front().name == "file") {
    auto read = read_users(report_.folder(node.span) / node.entries.front().value->text);
    if (!read) return refuse_at(node.entries.front().value->span, std::move(read.error())), Settings();
    for (User& user : *read)
      add(std::move(user), node.span);
  } else if (node.kind == Node::Kind::mapping) {
    for (const Entry& entry : node.entries)
      if (const Settings hash = text(*entry.value, field, where); !hash.is_null())
        add(checked_user(entry.name, hash.as_text()), entry.span);
  } else if (node.kind == Node::Kind::sequence) {
    for (const Node* item : node.items)
      if (const Settings line = text(*item, field, where); !line.is_null())
        add(middleware::auth::parse_user_line(line.as_text()), item->span);
  } else {
    return wrong_type(node, field, where, describe(field)), Settings();
  }
  const bool nobody = node.entries.empty() && node.items.empty();
  if (all.empty() && good && (nobody || is_secret(node)))
    refuse_at(node.span, {code::kBadValue, "there is no user", "add one: 'htpasswd -nB NAME' prints a line"});
  return Settings(std::move(all));
}

}  // namespace lingate::config
