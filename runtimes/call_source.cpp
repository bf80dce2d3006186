#include "runtimes/call_source.h"

#include "proto/plugin.h"
#include "proto/wire.h"

namespace lingate::runtimes {

using proto::WireType;

std::string_view find_bytes(std::string_view message, std::uint32_t number) noexcept {
  proto::Reader reader(message);
  reader.skip_below(number);
  proto::Field field;
  return reader.next(field) && field.is(number, WireType::bytes) ? field.bytes : std::string_view();
}

void EncodedCall::begin(std::string_view call) noexcept {
  *this = {};
  proto::Reader reader(call);
  proto::Field field;
  while (reader.next(field)) {
    if (field.type != WireType::bytes) continue;
    switch (field.number) {
      case proto::call::kRequest: take_request(field.bytes); break;
      case proto::call::kResponse: take_response(field.bytes); break;
      case proto::call::kSession: session_ = field.bytes; break;
      case proto::call::kContext: context_ = field.bytes; break;
      default: break;
    }
  }
}

void EncodedCall::take_request(std::string_view request) noexcept {
  proto::Reader reader(request);
  reader.skip_below(proto::request::kHeaders);
  request_lines_ = reader.rest();
  request_texts_ = request.substr(0, request.size() - request_lines_.size());
}

void EncodedCall::take_response(std::string_view response) noexcept {
  proto::Reader reader(response);
  proto::Field field;
  response_lines_ = response;
  if (!reader.next(field) || !field.is(proto::response::kStatus, WireType::varint)) return;
  status_ = static_cast<std::uint32_t>(field.value);
  response_lines_ = reader.rest();
}

// Two keys and two lengths stand around a name of one byte at least; and with the key and the length around it, a
// Header takes as much as its line.
CallSource::Size EncodedCall::most_of(Side side) {
  const std::size_t bytes = (side == Side::request ? request_lines_ : response_lines_).size();
  return {.lines = bytes / 5, .bytes = bytes};
}

std::string_view EncodedCall::body(Side side) {
  return side == Side::request ? find_bytes(request_lines_, proto::request::kBody)
                               : find_bytes(response_lines_, proto::response::kBody);
}

}  // namespace lingate::runtimes
