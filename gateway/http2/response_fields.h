// ResponseFields: the head of a response that the gateway itself wrote as HTTP/1.1, on its way to the fields that
// HTTP/2 has: names in lower case, nothing that belongs to a connection, the reason phrase dropped.
//
// Pure function; any thread. Lifetime: the fields are views into the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lingate::http2 {

struct OutField {
  std::string_view name;
  std::string_view value;
};

struct ResponseFields {
  std::uint16_t status = 0;
  std::optional<std::uint64_t> length;  // Content-Length
  std::vector<OutField> fields;
};

// `text` is a whole head with its empty line; its names are put into lower case where they stand. False: it is none.
bool read_response(std::string& text, ResponseFields& into);

// The same of a block of fields without a first line: trailers.
bool read_fields(std::string& text, std::size_t from, ResponseFields& into);

}  // namespace lingate::http2
