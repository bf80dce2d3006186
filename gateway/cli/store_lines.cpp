#include "gateway/cli/store_lines.h"

#include <array>
#include <istream>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/codes.h"
#include "middleware/auth/base64.h"

namespace lingate::cli {
namespace {

using Json = nlohmann::ordered_json;
using store::Space;

constexpr std::array<std::string_view, store::kSpaces> kSpaceNames{"sessions", "keys", "quotas", "kv"};
constexpr std::size_t kPage = 256;                // records
constexpr std::size_t kBatchBytes = 1024 * 1024;  // of values, about
constexpr int kVersion = 1;

template <class... Parts>
tl::unexpected<std::string> wrong(std::size_t line, fmt::format_string<Parts...> text, Parts&&... parts) {
  return fail(fmt::format("line {}: {}", line, fmt::format(text, std::forward<Parts>(parts)...)));
}

std::string encode_base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t size = std::min<std::size_t>(bytes.size() - at, 3);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (k < size ? static_cast<unsigned char>(bytes[at + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= size ? kDigits[group >> (18U - 6U * k) & 63U] : '=';
  }
  return text;
}

// Nothing: it is not there, or no base64.
std::optional<std::string> bytes_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  Arena arena;
  const auto bytes = middleware::auth::decode_base64(found->get_ref<const std::string&>(),
                                                     middleware::auth::Alphabet::standard, arena);
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

Result<StoreLine, std::string> read_line(const Json& json, std::size_t number) {
  StoreLine line;
  const std::string space = json.value("space", Json()).is_string() ? json["space"].get<std::string>() : std::string();
  const auto* named = std::find(kSpaceNames.begin(), kSpaceNames.end(), space);
  if (named == kSpaceNames.end()) return wrong(number, "'space' is one of {}", fmt::join(kSpaceNames, ", "));
  line.space = static_cast<Space>(named - kSpaceNames.begin());
  for (const auto& [name, value] : json.items())
    if (name != "space" && name != "key" && name != "value" && name != "expires")
      return wrong(number, "there is no '{}' in a record", name);
  auto key = bytes_at(json, "key"), value = bytes_at(json, "value");
  if (!key || key->empty() || key->size() > store::kMaxKey)
    return wrong(number, "'key' is base64 of 1 to {} bytes", store::kMaxKey);
  if (!value || value->size() > store::kMaxValue)
    return wrong(number, "'value' is base64 of at most {} bytes", store::kMaxValue);
  line.key = *std::move(key);
  line.record.value = *std::move(value);
  if (const auto expires = json.find("expires"); expires != json.end()) {
    constexpr std::int64_t kLast = 9'000'000'000'000;  // the clock's numbers end in 2262
    if (!expires->is_number_integer() || expires->get<std::int64_t>() < 0 || expires->get<std::int64_t>() > kLast)
      return wrong(number, "'expires' is a time in Unix milliseconds");
    line.record.expires = store::Time(std::chrono::milliseconds(expires->get<std::int64_t>()));
  }
  return line;
}

bool is_header(const Json& json) {
  return json.is_object() && json.value("lingate", Json()) == "store" && json.value("version", Json()) == kVersion;
}

}  // namespace

std::string store_header() {
  return Json{{"lingate", "store"}, {"version", kVersion}}.dump();
}

std::string store_line(Space space, const store::Entry& entry) {
  Json json{{"space", kSpaceNames[static_cast<std::size_t>(space)]},
            {"key", encode_base64(entry.key)},
            {"value", encode_base64(entry.record.value)}};
  if (entry.record.expires)
    json["expires"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(entry.record.expires->time_since_epoch()).count();
  return json.dump();
}

Result<std::vector<StoreLine>, std::string> read_store_lines(std::istream& in) {
  std::vector<StoreLine> lines;
  std::size_t number = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    const Json json = Json::parse(text, nullptr, false);
    if (number == 1) {
      if (!is_header(json)) return wrong(1, "this is no export of a store: {} is needed", store_header());
      continue;
    }
    if (!json.is_object()) return wrong(number, "this is no JSON object");
    auto line = read_line(json, number);
    if (!line) return fail(std::move(line.error()));
    lines.push_back(std::move(*line));
  }
  if (in.bad()) return wrong(number + 1, "it cannot be read");
  if (number == 0) return wrong(1, "there is nothing: {} is needed", store_header());
  return lines;
}

Result<std::size_t> export_store(store::Store& store, std::ostream& out) {
  std::size_t count = 0;
  out << store_header() << "\n";
  for (std::uint8_t each = 0; each < store::kSpaces; ++each) {
    const auto space = static_cast<Space>(each);
    for (std::string after;;) {
      const auto page = store.scan(space, "", after, kPage);
      if (!page) return fail(page.error());
      for (const store::Entry& entry : *page)
        out << store_line(space, entry) << "\n";
      count += page->size();
      if (page->size() < kPage) break;
      after = page->back().key;
    }
  }
  out.flush();
  if (!out) return fail(code::kStoreUnavailable, "the export cannot be written; is there room for it?");
  return count;
}

Result<std::size_t> import_store(store::Store& store, std::vector<StoreLine> lines) {
  const auto now = std::chrono::system_clock::now();
  std::size_t count = 0, bytes = 0;
  std::vector<store::Change> batch;
  const auto write = [&]() -> Result<void> {
    if (batch.empty()) return {};
    bytes = 0;
    const std::size_t size = batch.size();
    if (auto done = store.apply_and_wait(std::exchange(batch, {})); !done)
      return fail(done.error().code,
                  fmt::format("{} of {} records are written, then: {}", count, lines.size(), done.error().message));
    count += size;
    return {};
  };
  for (StoreLine& line : lines) {
    if (line.record.expires && *line.record.expires <= now) continue;
    bytes += line.record.value.size();
    batch.push_back(store::put(line.space, std::move(line.key), std::move(line.record)));
    if (batch.size() == kPage || bytes >= kBatchBytes)
      if (auto done = write(); !done) return fail(std::move(done.error()));
  }
  if (auto done = write(); !done) return fail(std::move(done.error()));
  return count;
}

}  // namespace lingate::cli
