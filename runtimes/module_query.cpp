// application/x-www-form-urlencoded, both ways (WHATWG URL, section 5).
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "runtimes/module.h"

namespace lingate::runtimes::module {
namespace {

// A script's budget does not see what is parsed or built here, so it is bounded: some 10 ms at the most.
constexpr std::size_t kMostBytes = 1024 * 1024;  // no request target may be longer
constexpr std::size_t kMostPairs = 16 * 1024;

struct Pair {
  std::string name;
  std::string value;
  std::size_t first;  // where the name first appears
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int high = text[at] == '%' && at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
    if (low >= 0) {
      result.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      result.push_back(text[at] == '+' ? ' ' : text[at]);
    }
  }
  return result;
}

Result<std::vector<Pair>, ValueError> split(std::string_view query) {
  if (query.size() > kMostBytes) return lingate::fail(ValueError{"the query takes more than 1 MiB"});
  std::vector<Pair> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    if (pairs.size() == kMostPairs) return lingate::fail(ValueError{"the query has more than 16,384 pairs"});
    const std::size_t equals = std::min(part.find('='), part.size());
    Pair pair{decoded(part.substr(0, equals)), decoded(part.substr(std::min(equals + 1, part.size()))), pairs.size()};
    if (!utf8::is_valid(pair.name) || !utf8::is_valid(pair.value))
      return lingate::fail(
          ValueError{"the query does not decode to UTF-8 at \"" + std::string(part.substr(0, 32)) + "\""});
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

// Brings the pairs of one name together, in the order in which the names first appear.
void group(std::vector<Pair>& pairs) {
  const auto by_name = [](const Pair& a, const Pair& b) { return a.name < b.name; };
  const auto by_first = [](const Pair& a, const Pair& b) { return a.first < b.first; };
  std::stable_sort(pairs.begin(), pairs.end(), by_name);
  for (std::size_t i = 1; i < pairs.size(); ++i)
    if (pairs[i].name == pairs[i - 1].name) pairs[i].first = pairs[i - 1].first;
  std::stable_sort(pairs.begin(), pairs.end(), by_first);
}

bool emit(std::span<const Pair> same, ValueSink& sink) {
  if (!sink.key(same.front().name)) return false;
  if (same.size() == 1) return sink.text(same.front().value);
  if (!sink.begin_list()) return false;
  for (const Pair& pair : same)
    if (!sink.text(pair.value)) return false;
  return sink.end_list();
}

bool emit_all(std::span<const Pair> pairs, ValueSink& sink) {
  if (!sink.begin_map()) return false;
  while (!pairs.empty()) {
    std::size_t same = 1;
    while (same < pairs.size() && pairs[same].first == pairs[0].first)
      ++same;
    if (!emit(pairs.first(same), sink)) return false;
    pairs = pairs.subspan(same);
  }
  return sink.end_map();
}

bool stays(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' || c == '-' ||
         c == '.' || c == '_';
}

void encode(std::string& to, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (stays(c)) {
      to.push_back(c);
    } else if (c == ' ') {
      to.push_back('+');
    } else {
      const auto byte = static_cast<unsigned char>(c);
      to.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
}

}  // namespace

Result<void, ValueError> parse_query(std::string_view query, ValueSink& sink) {
  auto pairs = split(query);
  if (!pairs) return lingate::fail(std::move(pairs.error()));
  group(*pairs);
  if (!emit_all(*pairs, sink)) return lingate::fail(ValueError{"stopped by the sink"});
  return {};
}

void QueryWriter::reset() {
  place_ = Place::before;
  query_.clear();
  key_.clear();
  error_.message.clear();
  failed_ = false;
}

bool QueryWriter::refuse(std::string message) {
  if (!failed_) error_.message = std::move(message);
  failed_ = true;
  return false;
}

bool QueryWriter::pair(std::string_view value) {
  if (failed_) return false;
  if (place_ != Place::map && place_ != Place::list) return refuse("query.build takes a map");
  if (query_.size() + key_.size() + value.size() > kMostBytes) return refuse("the query takes more than 1 MiB");
  if (!query_.empty()) query_.push_back('&');
  encode(query_, key_);
  query_.push_back('=');
  encode(query_, value);
  return true;
}

bool QueryWriter::null() {
  return refuse("null is no query value");
}

bool QueryWriter::boolean(bool value) {
  return pair(value ? "true" : "false");
}

bool QueryWriter::number(double value) {
  if (!std::isfinite(value)) return refuse(std::isnan(value) ? "NaN is no value" : "infinity is no value");
  std::array<char, 32> room;
  return pair(number_text(value, room));
}

bool QueryWriter::text(std::string_view utf8) {
  if (!utf8::is_valid(utf8)) return refuse("text that is not UTF-8 is no value");
  return pair(utf8);
}

bool QueryWriter::key(std::string_view utf8) {
  if (failed_) return false;
  if (!utf8::is_valid(utf8)) return refuse("a key that is not UTF-8 is no key");
  key_.assign(utf8);
  return true;
}

bool QueryWriter::begin_list() {
  if (place_ == Place::before) return refuse("query.build takes a map");
  if (place_ != Place::map) return refuse("a list in a list is no query value");
  place_ = Place::list;
  return !failed_;
}

bool QueryWriter::end_list() {
  place_ = Place::map;
  return !failed_;
}

bool QueryWriter::begin_map() {
  if (place_ != Place::before) return refuse("a map in a map is no query value");
  place_ = Place::map;
  return !failed_;
}

bool QueryWriter::end_map() {
  place_ = Place::after;
  return !failed_;
}

}  // namespace lingate::runtimes::module
