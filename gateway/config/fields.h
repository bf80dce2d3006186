// The field table: every key that a configuration may hold, with its type, default, example and one line of
// documentation. The loader, `check`, `explain`, `schema` and the reference page all come from it; nothing about a key
// is said anywhere else.
//
// To add a key: one row in fields_gateway.cpp, fields_store.cpp, fields_tracing.cpp, fields_routes.cpp, fields_tls.cpp,
// fields_steps.cpp or (steps that ask who calls, and those that refuse) fields_auth.cpp and fields_policy.cpp, its use,
// its test.
//
// Constant data; any thread, any time.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lingate::config {

enum class Type : std::uint8_t {
  flag,
  integer,
  duration,
  size,
  text,               // or a secret: {env: NAME}, {file: PATH}
  name,               // what other places refer to: letters, digits, '-', '_', '.'
  choice,             // one of `words`
  header_name,        // one that the gateway may edit: no framing or hop-by-hop field
  any_header_name,    // also Content-Length
  method,             // GET
  host_pattern,       // api.example.com, *.example.com
  path_pattern,       // /users/{id}
  path_prefix,        // /api
  request_path,       // /healthz?full=1
  path_template,      // /new/{id}
  query_template,     // id={id}
  location,           // of a redirect: a URL or path, with {id}
  listen_address,     // 0.0.0.0:8080, unix:PATH
  target_url,         // http://HOST:PORT, unix:PATH
  network,            // 10.0.0.0/8
  origin,             // https://example.com
  hash_key,           // client, header.NAME
  rate,               // 100/1s
  share,              // 1%; becomes a number of a million
  count_key,          // session.id, client.ip, header.NAME
  output,             // a file that is written: PATH, stdout, stderr
  folder,             // made where it is missing, in one that exists
  script_file,        // must exist
  existing_path,      // of a file or a folder
  file_pattern,       // conf.d/*.yaml
  upstream_name,      // must be defined
  chain_name,         // must be defined
  header_lines,       // NAME: text, or a list of texts
  header_conditions,  // NAME: text, true (is there) or false (is not)
  query_conditions,   // the same
  any,                // free-form
  any_with_secrets,   // free-form; {env: NAME} and {file: PATH} are secrets
  users,              // NAME: password hash; or {file: PATH} of htpasswd's format
  token,              // {env: NAME}, or {file: PATH} of a file that `run` makes where it is missing
  section,            // keys of the section `of`
  chain,              // a list of steps
};

enum class Shape : std::uint8_t { one, list, one_or_list, map };  // map: names chosen by the user

struct Field {
  static constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();

  std::string_view section{};  // where the key stands: "" is the top, "step.NAME" the options of a step
  std::string_view name{};
  Type type = Type::text;
  Shape shape = Shape::one;
  std::string_view of{};        // Type::section: the section of its keys
  std::string_view words{};     // Type::choice: "a|b"; else what may stand in place of a value: "off", "auto"
  std::string_view fallback{};  // the default, as it would be written; empty: none
  std::string_view says{};      // the default in words, where it is not a constant
  std::string_view example{};
  std::string_view doc{};
  std::int64_t least = 0;  // of integers, of durations in nanoseconds, of sizes in bytes
  std::int64_t most = kUnbounded;
  bool required = false;
};

struct Section {
  std::string_view name;
  std::string_view thing;      // what messages call one: "route", "step 'headers'"; empty: its key
  std::string_view shorthand;  // the key that a bare value stands for
  std::string_view doc;
};

// A key, or a word of a choice, that later releases have.
struct Later {
  std::string_view section;
  std::string_view name;
  std::string_view word;  // of a choice
};

std::span<const Field> all_fields();
std::span<const Section> all_sections();
std::span<const Field> fields_of(std::string_view section);
const Section& section(std::string_view name);
const Field* find_field(std::string_view section, std::string_view name);
bool is_later(std::string_view section, std::string_view name, std::string_view word = {});

std::span<const std::string_view> step_names();  // in the order of the reference
std::vector<std::string_view> split_words(std::string_view words);

// A field with the way to it: "upstreams.NAME.health.every", "routes[].match.path", "script.budget".
struct Located {
  std::string path;
  const Field* field = nullptr;
};
std::vector<Located> locate_all();

// Filled by the files of rows.
std::vector<Field> gateway_fields();
std::vector<Field> store_fields();
std::vector<Field> route_fields();
std::vector<Field> step_fields();
std::vector<Field> auth_fields();
std::vector<Field> policy_fields();
std::vector<Field> tls_fields();
std::vector<Field> tracing_fields();

}  // namespace lingate::config
