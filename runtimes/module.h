// The functions of the `lingate` module that need no engine: base64, digests, query strings. Rooms bind them; results
// are bytes or text as said here, in every language.
//
// Thread: any; they hold no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtimes/value.h"

namespace lingate::runtimes::module {

enum class Base64 : std::uint8_t { standard, url };  // RFC 4648 sections 4 and 5; url: no padding written

std::string base64_encode(std::string_view bytes, Base64 alphabet);
Result<std::string, ValueError> base64_decode(std::string_view text, Base64 alphabet);  // padding optional for url

enum class Encoding : std::uint8_t { hex, base64, raw };
Result<Encoding, ValueError> parse_encoding(std::string_view name);  // "hex", "base64", "raw"

std::string sha256(std::string_view bytes, Encoding encoding);
std::string hmac_sha256(std::string_view key, std::string_view bytes, Encoding encoding);
bool equal(std::string_view a, std::string_view b) noexcept;       // in constant time for equal lengths
Result<std::string, ValueError> random(double count);              // 1 … 65536 bytes of the system's generator

// application/x-www-form-urlencoded: a map of name to text, or to a list of texts where a name repeats. What does not
// decode to UTF-8 is an error.
Result<void, ValueError> parse_query(std::string_view query, ValueSink& sink);

// The reverse, as a sink: walk a map of text, number, boolean or lists of them into it.
class QueryWriter;

double now() noexcept;  // Unix seconds

}  // namespace lingate::runtimes::module
