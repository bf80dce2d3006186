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
Result<Base64, ValueError> parse_alphabet(std::string_view name);                       // "standard", "url"

enum class Encoding : std::uint8_t { hex, base64, raw };
Result<Encoding, ValueError> parse_encoding(std::string_view name);  // "hex", "base64", "raw"

std::string sha256(std::string_view bytes, Encoding encoding);
std::string hmac_sha256(std::string_view key, std::string_view bytes, Encoding encoding);
bool equal(std::string_view a, std::string_view b) noexcept;  // in constant time for equal lengths
Result<std::string, ValueError> random(double count);         // 1 … 65536 bytes of the system's generator

// application/x-www-form-urlencoded: a map of name to text, or to a list of texts where a name repeats, in the order of
// first appearance. `%` before anything but two hexadecimal digits is itself. What does not decode to UTF-8 is an
// error; if the sink stopped it, the sink knows why.
Result<void, ValueError> parse_query(std::string_view query, ValueSink& sink);

// The reverse, as a sink: walk a map of text, number, boolean or lists of them into it.
class QueryWriter final : public ValueSink {
 public:
  bool null() override;
  bool boolean(bool value) override;
  bool number(double value) override;
  bool text(std::string_view utf8) override;
  bool begin_list() override;
  bool end_list() override;
  bool begin_map() override;
  bool key(std::string_view utf8) override;
  bool end_map() override;

  void reset();
  bool refuse(std::string message);  // the first one stays
  bool failed() const noexcept { return failed_; }
  const ValueError& error() const noexcept { return error_; }
  std::string_view query() const noexcept { return query_; }

 private:
  enum class Place : std::uint8_t { before, map, list, after };
  bool pair(std::string_view value);

  Place place_ = Place::before;
  std::string query_;
  std::string key_;
  ValueError error_;
  bool failed_ = false;
};

double now() noexcept;  // Unix seconds

}  // namespace lingate::runtimes::module
