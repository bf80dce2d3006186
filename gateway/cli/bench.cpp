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
#include "gateway/bench/rooms/workshop.h"
#include "gateway/bench/table.h"

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

// "Name: value", as with curl.
std::optional<std::pair<std::string, std::string>> header_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || !fields::is_token(text.substr(0, colon))) return std::nullopt;
  const std::size_t value = text.find_first_not_of(" \t", colon + 1);
  std::pair header{text.substr(0, colon), value == text.npos ? std::string() : text.substr(value)};
  if (!fields::is_value(header.second)) return std::nullopt;
  return header;
}

using Lines = std::vector<std::pair<std::string, std::string>>;

bool add_headers(const std::vector<std::string>& texts, Lines& lines, Console& console) {
  for (const std::string& text : texts) {
    auto header = header_of(text);
    if (!header) {
      console.error << "lingate: '" << text << "' is no header field; write -H 'Name: value'\n";
      return false;
    }
    std::erase_if(lines, [&](const auto& line) { return fields::same_name(line.first, header->first); });
    lines.push_back(std::move(*header));
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
  own.runtime = words.runtime.empty() ? std::string(bench::Workshop().runtime_for(words.script)) : words.runtime;
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
  if (words.placement != "both") options.placements = {words.placement};
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

Result<bench::Comparison> comparison_of(const BenchWords& words, const std::vector<bench::Limit>& limits,
                                        Console& console) {
  const std::string& before = words.files[0];
  const std::string& after = words.files[1];
  if (is_program(before) != is_program(after)) return fail(0, "compare two records, or two programs, not one of each");
  if (is_program(before)) {
    bench::RuntimesOptions options{.program = {}, .only = words.only};
    if (words.seconds != 0) options.duration = std::chrono::seconds(words.seconds);
    auto progress = progress_on(console);
    auto pair = bench::measure_pair(before, after, options, progress);
    progress.clear();
    if (!pair) return fail(std::move(pair.error()));
    return bench::compare(pair->before, pair->after, limits);
  }
  auto one = bench::read_record(before);
  if (!one) return fail(std::move(one.error()));
  auto other = bench::read_record(after);
  if (!other) return fail(std::move(other.error()));
  if (one->kind != other->kind)
    return fail(0,
                fmt::format("a record of kind '{}' cannot be compared with one of kind '{}'", one->kind, other->kind));
  return bench::compare(*one, *other, limits);
}

int compare(const BenchWords& words, Console& console) {
  std::vector<bench::Limit> limits;
  for (const std::string& text : words.fail_on) {
    auto limit = bench::limit_from(text);
    if (!limit) return say(console, limit.error().message, kUsage);
    limits.push_back(std::move(*limit));
  }
  const auto comparison = comparison_of(words, limits, console);
  if (!comparison) return say(console, comparison.error().message, kUsage);
  console.out << (words.output.json ? bench::json_of(*comparison) : bench::table_of(*comparison));
  return comparison->broken() ? kRegression : kOk;
}

int report(const BenchWords& words, Console& console) {
  std::vector<Record> records;
  for (const std::string& path : words.files) {
    auto record = bench::read_record(path);
    if (!record) return say(console, record.error().message, kUsage);
    records.push_back(std::move(*record));
  }
  if (!write_file(words.output.page, bench::page_of(records), console)) return kInternalError;
  console.out << words.output.page << '\n';
  return kOk;
}

void describe_output(CLI::App* verb, BenchWords& words) {
  verb->add_flag("--json", words.output.json, "print the record as JSON instead of the table");
  verb->add_option("-o,--out", words.output.record, "write the record, for compare and report")->type_name("FILE");
  verb->add_option("--html", words.output.page, "write the report, one page that needs nothing else")
      ->type_name("FILE");
}

void describe_seconds(CLI::App* verb, BenchWords& words, const char* about) {
  verb->add_option("--seconds", words.seconds, about)->type_name("N")->check(CLI::Range(1, 86400).description(""));
}

void describe_only(CLI::App* verb, BenchWords& words) {
  verb->add_option("--only", words.only, "arms with this in their name, as lua/ or /header; may be repeated")
      ->type_name("TEXT")
      ->expected(1)
      ->take_all();
}

void describe_request(CLI::App* verb, BenchWords& words) {
  verb->add_option("-X,--method", words.method, "the request's method")->type_name("METHOD");
  verb->add_option("-H,--header", words.headers, "a header field of the request")
      ->type_name("'NAME: VALUE'")
      ->expected(1)
      ->take_all();
  verb->add_option("--body", words.body, "the request's body")->type_name("FILE");
}

void describe_script(CLI::App& bench, BenchWords& words) {
  CLI::App* script = bench.add_subcommand("script", "Measure a script of yours beside an empty one and the echo room");
  script->add_option("FILE", words.script, "the script")->required()->type_name("");
  script->add_option("--runtime", words.runtime, "lua, python or js; by the extension if not named")->type_name("NAME");
  script->add_option("--config", words.config, "its configuration")->type_name("JSON");
  script->add_option("--url", words.url, "path and query of the request")->type_name("PATH");
  describe_request(script, words);
  script->add_option("--status", words.status, "the upstream's answer")
      ->type_name("N")
      ->check(CLI::Range(200, 599).description(""));
  script->add_option("--response-header", words.response_headers, "a header field of the upstream's answer")
      ->type_name("'NAME: VALUE'")
      ->expected(1)
      ->take_all();
  script->add_option("--response-body", words.response_body, "its body")->type_name("FILE");
  script->add_option("--placement", words.placement, "inline, thread or both")
      ->type_name("WHERE")
      ->check(CLI::IsMember({"inline", "thread", "both"}).description(""));
  describe_seconds(script, words, "how long to measure; 20 if not told");
  describe_output(script, words);
}

void describe_http(CLI::App& bench, BenchWords& words) {
  CLI::App* http = bench.add_subcommand("http", "Measure a server: in a closed loop, and at a fixed rate");
  http->add_option("URL", words.url, "http://127.0.0.1:8080/users/7")->required()->type_name("");
  http->add_option("--rate", words.rate, "requests a second; half of what the closed loop reached if not told")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  http->add_option("-c,--connections", words.connections, "connections of the closed loop; 64 if not told")
      ->type_name("N")
      ->check(CLI::Range(1, 10000).description(""));
  describe_request(http, words);
  describe_seconds(http, words, "how long each of the two loops lasts; 10 if not told");
  describe_output(http, words);
}

}  // namespace

void describe_bench(CLI::App& bench, BenchWords& words) {
  bench.require_subcommand(1);
  CLI::App* runtimes = bench.add_subcommand("runtimes", "Measure every language, placement and job");
  describe_only(runtimes, words);
  runtimes->add_flag("--no-curves", words.no_curves, "leave out how costs grow");
  describe_seconds(runtimes, words, "how long to measure in all; 150 if not told");
  describe_output(runtimes, words);

  describe_script(bench, words);
  describe_http(bench, words);

  CLI::App* compare = bench.add_subcommand("compare", "Say what has changed between two records, or two programs");
  compare->add_option("A B", words.files, "two files of -o, or two lingate programs, which then take turns")
      ->required()
      ->expected(2)
      ->type_name("");
  compare
      ->add_option("--fail-on", words.fail_on, "exit with 9 if a figure changes by more, as 'p99>+5%'; may be repeated")
      ->type_name("LIMIT")
      ->expected(1)
      ->take_all();
  compare->add_flag("--json", words.output.json, "print JSON");
  describe_only(compare, words);
  describe_seconds(compare, words, "how long two programs are measured in all; 150 if not told");

  CLI::App* report = bench.add_subcommand("report", "Draw records as one HTML page");
  report->add_option("FILE", words.files, "files of -o; the first is what others are held against")
      ->required()
      ->type_name("");
  report->add_option("-o,--out", words.output.page, "where the page goes")->required()->type_name("FILE");

  CLI::App* round = bench.add_subcommand("round", "One measuring process of the others")->group("");
  round->add_option("--plan", words.plan)->required();
}

int bench(const CLI::App& bench, const BenchWords& words, const std::string& command, Console& console) {
  const std::string verb = bench.get_subcommands().front()->get_name();
  if (verb == "runtimes") return runtimes(words, command, console);
  if (verb == "script") return script(words, command, console);
  if (verb == "http") return http(words, command, console);
  if (verb == "compare") return compare(words, console);
  if (verb == "report") return report(words, console);
  return bench::run_round(words.plan, console.out);
}

}  // namespace lingate::cli
