// The forms of single values: durations, sizes, addresses, networks, URLs, templates. Each parser says what is wrong
// with a value and what to write instead.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/config/model.h"

namespace lingate::config {

struct Fault {
  int code = 0;
  std::string what;  // "'2' is no duration"
  std::string cure;  // "a unit is missing: '2s' or '2ms'?"
};

template <class T>
using Parsed = Result<T, Fault>;

Parsed<Duration> parse_duration(std::string_view text);
Parsed<std::uint64_t> parse_size(std::string_view text);
Parsed<Network> parse_network(std::string_view text);
Parsed<HashBy> parse_hash_key(std::string_view text);
struct Rate {
  std::int64_t count = 0;
  Duration per{};
};
Parsed<Rate> parse_rate(std::string_view text);
Parsed<std::uint32_t> parse_share(std::string_view text);  // "1%": of a million
Parsed<void> check_count_key(std::string_view text);

// Paths of sockets are relative to `folder`.
Parsed<Address> parse_listen_address(std::string_view text, const std::filesystem::path& folder);
struct TargetUrl {
  Address address;
  std::string authority;
  bool secure = false;  // https
  bool http2 = false;   // h2c
};
Parsed<TargetUrl> parse_target_url(std::string_view text, const std::filesystem::path& folder);
Parsed<store::RedisServer> parse_redis_url(std::string_view text, const std::filesystem::path& folder);

// "lua" for "tenant.lua"; empty: the extension names no language.
std::string_view runtime_of(std::string_view file) noexcept;

Parsed<void> check_name(std::string_view text);
Parsed<void> check_header_name(std::string_view text);
Parsed<void> check_header_value(std::string_view text);  // does not repeat the value
// Of conditions on header fields: can the gateway ever see such a name, such a value?
Parsed<void> check_condition_name(std::string_view text);
Parsed<void> check_condition_value(std::string_view text);  // does not repeat the value
Parsed<void> check_method(std::string_view text);
Parsed<void> check_origin(std::string_view text);
Parsed<void> check_path_prefix(std::string_view text);
Parsed<void> check_request_path(std::string_view text);

// The names in "{name}" of a template, "*" included.
enum class TemplateKind { path, query, location };
Parsed<std::vector<std::string>> parse_template(std::string_view text, TemplateKind kind);

// The shortest way to write a value, for messages and listings: "1500ms", "64KiB".
std::string show_duration(Duration duration);
std::string show_size(std::uint64_t bytes);

}  // namespace lingate::config
