// Users: names and the hashes of their passwords, as crypt(3) writes them. They come from the configuration or from a
// file in htpasswd's format: NAME:HASH, one a line; '#' begins a comment.
//
// A hash is one that is slow to guess: bcrypt ($2y$, `htpasswd -B`), yescrypt ($y$, `mkpasswd`), scrypt ($7$), SHA-512
// and SHA-256 of crypt ($6$, $5$). What is quick or weak (DES, MD5, {SHA}, plain text) is refused.
//
// Pure functions; used while loading.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lingate::middleware::auth {

struct User {
  std::string name;
  std::string hash;
};

struct UserProblem {
  std::string what;  // never holds a hash
  std::string cure;
};

inline constexpr std::size_t kLongestName = 256;

Result<void, UserProblem> check_user_name(std::string_view name);
Result<void, UserProblem> check_password_hash(std::string_view hash);

// NAME:HASH
Result<User, UserProblem> parse_user_line(std::string_view line);
// What is wrong names its line. A name that stands twice is wrong.
Result<std::vector<User>, UserProblem> parse_htpasswd(std::string_view text);

}  // namespace lingate::middleware::auth
