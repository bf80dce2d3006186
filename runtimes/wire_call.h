// Writing a Call of plugin.proto straight from the parsed heads: no message objects, no allocation once the buffer has
// grown. A message is measured and then written, in the order of its field numbers, so the bytes are those that the
// official classes write.
//
// A request is encoded at most once per state of it: its head (all but the body) is written by write_request_head into
// a buffer that its owner keeps until an edit; write_call puts the pieces together by copying them. A session is kept
// encoded where it is cached.
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
  std::optional<std::string_view> request_body{};
  std::optional<std::string_view> response_head{};
  std::optional<std::string_view> response_body{};
  std::optional<std::string_view> session{};
  std::string_view context{};  // encoded Members
};

// Each replaces what `out` holds.
void write_call(std::string& out, const CallParts& parts);
void write_session(std::string& out, const SessionParts& parts);

// `params` and `headers` are ranges of anything with `name` and `value`; where it also has `removed`, removed ones are
// left out.
template <class Params, class Headers>
void write_request_head(std::string& out, const RequestParts& parts, const Params& params, const Headers& headers);
template <class Headers>
void write_response_head(std::string& out, std::uint32_t status, const Headers& headers);

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
  return text.empty() ? to : proto::put_bytes_field(to, number, text);
}

inline std::size_t line_size(std::string_view name, std::string_view value) noexcept {
  return optional_size(proto::header::kName, name) + optional_size(proto::header::kValue, value);
}

template <class Lines>
std::size_t lines_size(std::uint32_t number, const Lines& lines) noexcept {
  std::size_t size = 0;
  for (const auto& line : lines)
    if (!is_removed(line)) size += proto::bytes_field_size(number, line_size(line.name, line.value));
  return size;
}

template <class Lines>
char* put_lines(char* to, std::uint32_t number, const Lines& lines) noexcept {
  for (const auto& line : lines) {
    if (is_removed(line)) continue;
    to = proto::put_header(to, number, line_size(line.name, line.value));
    to = put_optional(to, proto::header::kName, line.name);
    to = put_optional(to, proto::header::kValue, line.value);
  }
  return to;
}

std::size_t texts_size(const RequestParts& parts) noexcept;
char* put_texts(char* to, const RequestParts& parts) noexcept;

}  // namespace wire_detail

template <class Params, class Headers>
void write_request_head(std::string& out, const RequestParts& parts, const Params& params, const Headers& headers) {
  using namespace proto::request;
  out.resize(wire_detail::texts_size(parts) + wire_detail::lines_size(kParams, params) +
             wire_detail::lines_size(kHeaders, headers));
  char* const lists = wire_detail::put_texts(out.data(), parts);
  wire_detail::put_lines(wire_detail::put_lines(lists, kParams, params), kHeaders, headers);
}

template <class Headers>
void write_response_head(std::string& out, std::uint32_t status, const Headers& headers) {
  using namespace proto::response;
  const std::size_t status_size = status == 0 ? 0 : proto::varint_field_size(kStatus, status);
  out.resize(status_size + wire_detail::lines_size(kHeaders, headers));
  char* const lines = status == 0 ? out.data() : proto::put_varint_field(out.data(), kStatus, status);
  wire_detail::put_lines(lines, kHeaders, headers);
}

}  // namespace lingate::runtimes
