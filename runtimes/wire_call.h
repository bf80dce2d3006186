// Writing a Call of plugin.proto straight from the parsed heads: no message objects, no allocation once the buffer has
// grown. Room is made for the most that a message can take; it is written in the order of its field numbers, so the
// bytes are those that the official classes write.
//
// A request is encoded at most once per state of it: its head (all but the body) is written by write_request_head, or
// its texts and its lines apart, into a buffer that its owner keeps until an edit; write_call puts the pieces together
// by copying them. A session is kept encoded where it is cached.
//
// Thread: pure functions on the caller's buffers. Lifetime: nothing is kept.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes {

struct RequestParts {
  std::string_view id;
  std::string_view method;
  std::string_view scheme;
  std::string_view host;
  std::string_view path;
  std::string_view query;
  std::string_view version;
  std::string_view route;
  std::string_view client_ip;
  std::uint32_t client_port = 0;
  std::string_view client_tls{};  // encoded Members; empty: plain
};

// Times are Unix seconds, `per` seconds; absent is unlimited.
struct SessionParts {
  std::string_view id;
  std::string_view alias{};
  std::string_view org{};
  std::span<const std::string_view> tags{};
  std::optional<std::string_view> metadata{};  // encoded Members
  std::optional<double> rate{}, per{}, burst{}, quota_max{}, quota_remaining{}, quota_renews{}, expires{};
};

// What write_call puts together. Heads and session are encoded messages; absent ones are left out.
struct CallParts {
  Hook hook = Hook::request;
  std::uint64_t deadline = 0;  // Unix microseconds; 0: none
  std::optional<std::string_view> request_head{};
  std::string_view request_lines{};  // headers that the head is still without
  std::optional<std::string_view> request_body{};
  std::optional<std::string_view> response_head{};
  std::optional<std::string_view> response_body{};
  std::optional<std::string_view> session{};
  std::string_view context{};  // encoded Members
};

// Each replaces what `out` holds.
void write_call(std::string& out, const CallParts& parts);
void write_session(std::string& out, const SessionParts& parts);

// Each writes into `room`, which only grows, and returns what it wrote there. `params` and `headers` are ranges of
// anything with `name` and `value`; where it also has `removed`, removed ones are left out.
template <class Params, class Headers>
std::string_view write_request_head(std::string& room, const RequestParts& parts, const Params& params,
                                    const Headers& headers);
template <class Headers>
std::string_view write_response_head(std::string& room, std::uint32_t status, const Headers& headers);
// One Header.
std::string_view write_line(std::string& room, std::string_view name, std::string_view value);
// Headers alone, under their number in the head's message.
template <class Headers>
std::string_view write_lines(std::string& room, std::uint32_t number, const Headers& headers);

// ---- how it is done ----

namespace wire_detail {

template <class Line>
bool is_removed(const Line& line) noexcept {
  if constexpr (requires { line.removed; }) return line.removed;
  return false;
}

inline std::size_t optional_size(std::uint32_t number, std::string_view text) noexcept {
  return text.empty() ? 0 : proto::bytes_field_size(number, text.size());
}

inline char* put_optional(char* to, std::uint32_t number, std::string_view text) noexcept {
  return text.empty() ? to : proto::put_short_bytes_field(to, number, text);
}

// Keys and lengths of one line at most: three keys, three lengths of five bytes.
constexpr std::size_t kLineOverhead = 18;

template <class Lines>
std::size_t most_of(const Lines& lines) noexcept {
  std::size_t size = 0;
  for (const auto& line : lines)
    size += line.name.size() + line.value.size() + kLineOverhead;
  return size;
}

inline char* put_line(char* to, std::uint32_t number, std::string_view name, std::string_view value) noexcept {
  constexpr auto kKey = [](std::uint32_t of) { return static_cast<char>(proto::key_of(of, proto::WireType::bytes)); };
  constexpr std::size_t kOneByte = 128;  // lengths below it take one byte
  const std::size_t size = 4 + name.size() + value.size();
  if (size < kOneByte && !name.empty() && !value.empty()) {
    *to++ = kKey(number);
    *to++ = static_cast<char>(size);
    *to++ = kKey(proto::header::kName);
    *to++ = static_cast<char>(name.size());
    to = proto::put_short(to, name);
    *to++ = kKey(proto::header::kValue);
    *to++ = static_cast<char>(value.size());
    return proto::put_short(to, value);
  }
  to = proto::put_header(to, number,
                         optional_size(proto::header::kName, name) + optional_size(proto::header::kValue, value));
  to = put_optional(to, proto::header::kName, name);
  return put_optional(to, proto::header::kValue, value);
}

template <class Lines>
char* put_lines(char* to, std::uint32_t number, const Lines& lines) noexcept {
  for (const auto& line : lines)
    if (!is_removed(line)) to = put_line(to, number, line.name, line.value);
  return to;
}

std::size_t most_of_texts(const RequestParts& parts) noexcept;
char* put_texts(char* to, const RequestParts& parts) noexcept;

}  // namespace wire_detail

template <class Params, class Headers>
std::string_view write_request_head(std::string& room, const RequestParts& parts, const Params& params,
                                    const Headers& headers) {
  using namespace proto::request;
  const std::size_t most =
      wire_detail::most_of_texts(parts) + wire_detail::most_of(params) + wire_detail::most_of(headers);
  if (room.size() < most) room.resize(most);
  char* const lists = wire_detail::put_texts(room.data(), parts);
  const char* const end = wire_detail::put_lines(wire_detail::put_lines(lists, kParams, params), kHeaders, headers);
  return {room.data(), end};
}

inline std::string_view write_line(std::string& room, std::string_view name, std::string_view value) {
  const std::size_t most = name.size() + value.size() + wire_detail::kLineOverhead;
  if (room.size() < most) room.resize(most);
  char* const end = wire_detail::put_optional(wire_detail::put_optional(room.data(), proto::header::kName, name),
                                              proto::header::kValue, value);
  return {room.data(), end};
}

template <class Headers>
std::string_view write_lines(std::string& room, std::uint32_t number, const Headers& headers) {
  if (const std::size_t most = wire_detail::most_of(headers); room.size() < most) room.resize(most);
  return {room.data(), wire_detail::put_lines(room.data(), number, headers)};
}

template <class Headers>
std::string_view write_response_head(std::string& room, std::uint32_t status, const Headers& headers) {
  using namespace proto::response;
  const std::size_t most = proto::varint_field_size(kStatus, status) + wire_detail::most_of(headers);
  if (room.size() < most) room.resize(most);
  char* const lines = status == 0 ? room.data() : proto::put_varint_field(room.data(), kStatus, status);
  const char* const end = wire_detail::put_lines(lines, kHeaders, headers);
  return {room.data(), end};
}

}  // namespace lingate::runtimes
