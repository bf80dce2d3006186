// Result<T, E>: a value or an error, for everything that can fail outside a script. It is tl::expected, the published
// form of C++23's std::expected. `Error` is the default: a fault with a stable code, never a refusal (a 401 is a
// response, not an error).
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace lingate {

// A fault: `code` is the number behind "LG" (see base/codes.h), `message` says place, cause and cure in one line.
struct Error {
  int code = 0;
  std::string message;
};

template <class T, class E = Error>
using Result = tl::expected<T, E>;

template <class E>
tl::unexpected<std::decay_t<E>> fail(E&& error) {
  return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

inline tl::unexpected<Error> fail(int code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace lingate
