#include "gateway/bench/record.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/read_file.h"

namespace lingate::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "lingate-bench/1";
constexpr std::size_t kMostBytes = 64 << 20;

Json json_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json object = Json::object();
  for (const auto& [name, value] : pairs)
    object[name] = value;
  return object;
}

Json json_of(const Figure& figure) {
  return {{"unit", figure.unit},
          {"median", figure.median},
          {"low", figure.low},
          {"high", figure.high},
          {"samples", figure.samples}};
}

Json json_of(const Row& row) {
  Json json{{"name", row.name}, {"runtime", row.runtime}, {"placement", row.placement},
            {"job", row.job},   {"calls", row.calls},     {"errors", row.errors}};
  json["figures"] = Json::object();
  for (const auto& [name, figure] : row.figures)
    json["figures"][name] = json_of(figure);
  if (!row.histogram.empty()) {
    json["histogram"] = Json::array();
    for (const Bucket& bucket : row.histogram)
      json["histogram"].push_back({bucket.upto, bucket.count});
  }
  if (!row.parts.empty()) json["parts"] = row.parts;
  return json;
}

Json json_of(const Curve& curve) {
  Json series = Json::array();
  for (const auto& [name, y] : curve.series)
    series.push_back({{"name", name}, {"y", y}});
  return {{"name", curve.name}, {"unit", curve.unit}, {"x", curve.x}, {"series", std::move(series)}};
}

// Reads a document and remembers the first thing that is wrong, with its place.
class Reading {
 public:
  explicit Reading(const Json& root) : root_(root) {}

  Record record() {
    Record record;
    if (text(root_, "", "schema") != kSchema) wrong("", fmt::format("`schema` must be \"{}\"", kSchema));
    record.kind = text(root_, "", "kind");
    record.created = text(root_, "", "created");
    record.command = text(root_, "", "command");
    record.machine = pairs("machine");
    record.settings = pairs("settings");
    each(root_, "", "rows",
         [&](const Json& json, const std::string& place) { record.rows.push_back(row(json, place)); });
    if (root_.contains("curves"))
      each(root_, "", "curves",
           [&](const Json& json, const std::string& place) { record.curves.push_back(curve(json, place)); });
    return record;
  }
  const std::optional<std::string>& problem() const noexcept { return problem_; }

 private:
  static std::string join(const std::string& place, std::string_view key) {
    return place.empty() ? std::string(key) : fmt::format("{}.{}", place, key);
  }

  void wrong(const std::string& place, const std::string& what) {
    if (!problem_) problem_ = place.empty() ? what : place + ": " + what;
  }

  const Json* member(const Json& object, const std::string& place, const char* key) {
    if (!object.is_object()) {
      wrong(place, "must be an object");
      return nullptr;
    }
    const auto found = object.find(key);
    if (found != object.end()) return &*found;
    wrong(join(place, key), "is missing");
    return nullptr;
  }

  std::string text(const Json& object, const std::string& place, const char* key) {
    const Json* json = member(object, place, key);
    if (!json) return {};
    if (json->is_string()) return json->get<std::string>();
    wrong(join(place, key), "must be a string");
    return {};
  }

  double number(const Json* json, const std::string& place) {
    if (!json) return 0;
    if (json->is_number() && std::isfinite(json->get<double>())) return json->get<double>();
    wrong(place, "must be a number");
    return 0;
  }

  double number(const Json& object, const std::string& place, const char* key) {
    return number(member(object, place, key), join(place, key));
  }

  std::uint64_t count(const Json& object, const std::string& place, const char* key) {
    const double value = number(object, place, key);
    constexpr double kMost = 9007199254740992.0;  // 2^53
    if (value >= 0 && value <= kMost) return static_cast<std::uint64_t>(value);
    wrong(join(place, key), "must be a count");
    return 0;
  }

  template <class Visit>
  void each(const Json& object, const std::string& place, const char* key, Visit visit) {
    const Json* list = member(object, place, key);
    if (!list) return;
    if (!list->is_array()) return wrong(join(place, key), "must be a list");
    for (std::size_t k = 0; k < list->size(); ++k)
      visit((*list)[k], fmt::format("{}[{}]", join(place, key), k));
  }

  std::vector<double> numbers(const Json& object, const std::string& place, const char* key) {
    std::vector<double> values;
    each(object, place, key, [&](const Json& json, const std::string& at) { values.push_back(number(&json, at)); });
    return values;
  }

  std::vector<std::pair<std::string, std::string>> pairs(const char* key) {
    std::vector<std::pair<std::string, std::string>> read;
    const Json* object = member(root_, "", key);
    if (!object) return read;
    if (!object->is_object()) {
      wrong(key, "must be an object");
      return read;
    }
    for (const auto& [name, value] : object->items())
      read.emplace_back(name, text(*object, key, name.c_str()));
    return read;
  }

  Figure figure(const Json& json, const std::string& place) {
    Figure figure;
    figure.unit = text(json, place, "unit");
    figure.median = number(json, place, "median");
    figure.low = number(json, place, "low");
    figure.high = number(json, place, "high");
    figure.samples = numbers(json, place, "samples");
    return figure;
  }

  Row row(const Json& json, const std::string& place) {
    Row row;
    row.name = text(json, place, "name");
    row.runtime = text(json, place, "runtime");
    row.placement = text(json, place, "placement");
    row.job = text(json, place, "job");
    row.calls = count(json, place, "calls");
    row.errors = count(json, place, "errors");
    if (const Json* figures = member(json, place, "figures"); figures && figures->is_object()) {
      for (const auto& [name, value] : figures->items())
        row.figures[name] = figure(value, place + ".figures." + name);
    } else {
      wrong(place + ".figures", "must be an object");
    }
    if (json.is_object() && json.contains("histogram"))
      each(json, place, "histogram", [&](const Json& pair, const std::string& at) {
        if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number_unsigned())
          return wrong(at, "must be [upper edge, count]");
        row.histogram.push_back({.upto = number(&pair[0], at), .count = pair[1].get<std::uint64_t>()});
      });
    if (json.is_object() && json.contains("parts") && json["parts"].is_object())
      for (const auto& [name, value] : json["parts"].items())
        row.parts[name] = number(&value, place + ".parts." + name);
    return row;
  }

  Curve curve(const Json& json, const std::string& place) {
    Curve curve;
    curve.name = text(json, place, "name");
    curve.unit = text(json, place, "unit");
    curve.x = numbers(json, place, "x");
    each(json, place, "series", [&](const Json& each_json, const std::string& at) {
      curve.series.emplace_back(text(each_json, at, "name"), numbers(each_json, at, "y"));
    });
    return curve;
  }

  const Json& root_;
  std::optional<std::string> problem_;
};

}  // namespace

const Row* Record::find(std::string_view name) const noexcept {
  for (const Row& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

std::string to_json(const Record& record) {
  Json json{{"schema", kSchema},
            {"kind", record.kind},
            {"created", record.created},
            {"command", record.command},
            {"machine", json_of(record.machine)},
            {"settings", json_of(record.settings)}};
  json["rows"] = Json::array();
  for (const Row& row : record.rows)
    json["rows"].push_back(json_of(row));
  json["curves"] = Json::array();
  for (const Curve& curve : record.curves)
    json["curves"].push_back(json_of(curve));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Record, std::string> from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(std::string("is not JSON"));
  Reading reading(json);
  Record record = reading.record();
  if (reading.problem()) return fail(*reading.problem());
  return record;
}

Result<Record, std::string> read_record(const std::string& path) {
  auto text = read_file(path, kMostBytes);
  if (!text) return fail(fmt::format("{}: {}", path, text.error()));
  auto record = from_json(*text);
  if (!record) return fail(fmt::format("{}: {}; is it what `lingate bench … -o FILE` wrote?", path, record.error()));
  return record;
}

}  // namespace lingate::bench
