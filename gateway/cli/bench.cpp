#include "gateway/cli/bench.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <ostream>

#include <fmt/format.h>

#include "base/fields.h"
#include "gateway/bench/compare.h"
#include "gateway/bench/fingerprint.h"
#include "gateway/bench/load/load.h"
#include "gateway/bench/load/url.h"
#include "gateway/bench/page/page.h"
#include "gateway/bench/rooms/round.h"
#include "gateway/bench/rooms/runtimes.h"
#include "gateway/bench/rooms/stage.h"
#include "gateway/bench/table.h"
#include "gateway/cli/asked.h"
#include "gateway/config/values.h"

namespace lingate::cli {
namespace {

using bench::Progress;
using bench::Record;

int say(Console& console, std::string_view message, int exit_code) {
  console.error << "lingate: " << message << '\n';
  return exit_code;
}

Progress progress_on(Console& console) {
  return Progress(console.error, ::isatty(STDERR_FILENO) == 1);
}

bool write_file(const std::string& path, const std::string& text, Console& console) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (file) return true;
  console.error << "lingate: " << path << " cannot be written; is its folder there, and is there room?\n";
  return false;
}

int print(Record record, const std::string& command, const BenchOutput& output, Console& console) {
  record.created = bench::now_utc();
  record.command = command;
  record.machine = bench::fingerprint();
  const std::string json = bench::to_json(record);
  console.out << (output.json ? json : bench::table_of(record));
  if (!output.record.empty() && !write_file(output.record, json, console)) return kInternalError;
  if (!output.page.empty() && !write_file(output.page, bench::page_of({record}), console)) return kInternalError;
  return kOk;
}

using Lines = std::vector<std::pair<std::string, std::string>>;

bool add_headers(const std::vector<std::string>& texts, Lines& lines, Console& console) {
  for (const std::string& text : texts) {
    const auto header = header_line(text);
    if (!header) {
      say(console, header.error(), kUsage);
      return false;
    }
    std::erase_if(lines, [&](const auto& line) { return fields::same_name(line.first, header->first); });
    lines.emplace_back(*header);
  }
  return true;
}

int runtimes(const BenchWords& words, const std::string& command, Console& console) {
  bench::RuntimesOptions options{.program = {}, .only = words.only, .curves = !words.no_curves && words.only.empty()};
  if (words.seconds != 0) options.duration = std::chrono::seconds(words.seconds);
  auto progress = progress_on(console);
  auto record = bench::measure_runtimes(options, progress);
  progress.clear();
  if (!record) return say(console, record.error().message, kInternalError);
  return print(std::move(*record), command, words.output, console);
}

int script(const BenchWords& words, const std::string& command, Console& console) {
  bench::OwnScriptOptions options;
  bench::OwnScript& own = options.script;
  own.path = words.script;
  own.runtime = words.runtime.empty() ? std::string(config::runtime_of(words.script)) : words.runtime;
  if (own.runtime.empty())
    return say(console, words.script + ": no runtime takes this extension; name one with --runtime", kUsage);
  own.config = words.config;
  own.traffic = bench::usual_traffic();
  own.traffic.response_body.clear();
  own.traffic.method = words.method;
  own.traffic.status = static_cast<std::uint16_t>(words.status);
  const std::size_t mark = words.url.find('?');
  own.traffic.path = words.url.substr(0, mark);
  own.traffic.query = mark == words.url.npos ? std::string() : words.url.substr(mark + 1);
  if (!own.traffic.path.starts_with('/')) return say(console, "--url begins with '/': a path and a query", kUsage);
  own.request_body_file = words.body;
  own.response_body_file = words.response_body;
  if (!add_headers(words.headers, own.traffic.request_headers, console)) return kUsage;
  if (!add_headers(words.response_headers, own.traffic.response_headers, console)) return kUsage;
  if (words.placement != "all") options.placements = {words.placement};
  if (words.seconds != 0) options.duration = std::chrono::seconds(words.seconds);
  auto progress = progress_on(console);
  auto record = bench::measure_script(options, progress);
  progress.clear();
  if (!record) return say(console, record.error().message, kScriptFailed);
  return print(std::move(*record), command, words.output, console);
}

int http(const BenchWords& words, const std::string& command, Console& console) {
  if (const auto url = bench::url_from(words.url); !url) return say(console, url.error().message, kUsage);
  bench::LoadOptions options;
  options.url = words.url;
  options.method = words.method;
  options.rate = words.rate;
  options.connections = words.connections;
  if (words.seconds != 0) options.duration = std::chrono::seconds(words.seconds);
  if (!add_headers(words.headers, options.headers, console)) return kUsage;
  if (!words.body.empty()) {
    std::ifstream file(words.body, std::ios::binary);
    options.body.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) return say(console, words.body + " cannot be read", kUsage);
  }
  auto progress = progress_on(console);
  auto record = bench::measure_http(options, progress);
  progress.clear();
  if (!record) return say(console, record.error().message, kInternalError);
  return print(std::move(*record), command, words.output, console);
}

bool is_program(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(4, '\0');
  return file.read(start.data(), 4) && start ==
                                           "\x7f"
                                           "ELF";
}

Result<bench::Comparison, std::string> comparison_of(const BenchWords& words, const std::vector<bench::Limit>& limits,
                                                     Console& console) {
  const std::string& before = words.files[0];
  const std::string& after = words.files[1];
  if (is_program(before) != is_program(after))
    return fail(std::string("compare two records, or two programs, not one of each"));
  if (is_program(before)) {
    bench::RuntimesOptions options{.program = {}, .only = words.only};
    if (words.seconds != 0) options.duration = std::chrono::seconds(words.seconds);
    auto progress = progress_on(console);
    auto pair = bench::measure_pair(before, after, options, progress);
    progress.clear();
    if (!pair) return fail(std::move(pair.error().message));
    return bench::compare(pair->before, pair->after, limits, bench::Samples::paired);
  }
  auto one = bench::read_record(before);
  if (!one) return fail(std::move(one.error()));
  auto other = bench::read_record(after);
  if (!other) return fail(std::move(other.error()));
  if (one->kind != other->kind)
    return fail(fmt::format("a record of kind '{}' cannot be compared with one of kind '{}'", one->kind, other->kind));
  return bench::compare(*one, *other, limits);
}

int compare(const BenchWords& words, Console& console) {
  std::vector<bench::Limit> limits;
  for (const std::string& text : words.fail_on) {
    auto limit = bench::limit_from(text);
    if (!limit) return say(console, limit.error(), kUsage);
    limits.push_back(std::move(*limit));
  }
  const auto comparison = comparison_of(words, limits, console);
  if (!comparison) return say(console, comparison.error(), kUsage);
  console.out << (words.output.json ? bench::json_of(*comparison) : bench::table_of(*comparison));
  return comparison->broken() ? kRegression : kOk;
}

int report(const BenchWords& words, Console& console) {
  std::vector<Record> records;
  for (const std::string& path : words.files) {
    auto record = bench::read_record(path);
    if (!record) return say(console, record.error(), kUsage);
    records.push_back(std::move(*record));
  }
  if (!write_file(words.output.page, bench::page_of(records), console)) return kInternalError;
  console.out << words.output.page << '\n';
  return kOk;
}

}  // namespace

int bench(const CLI::App& bench, const BenchWords& words, const std::string& command, Console& console) {
  const std::string verb = bench.get_subcommands().front()->get_name();
  if (verb == "runtimes") return runtimes(words, command, console);
  if (verb == "script") return script(words, command, console);
  if (verb == "http") return http(words, command, console);
  if (verb == "compare") return compare(words, console);
  if (verb == "report") return report(words, console);
  return bench::run_round(words.plan, std::cin, console.out);
}

}  // namespace lingate::cli
