// The words of `bench` and its verbs.
#include <CLI/CLI.hpp>

#include "gateway/cli/bench.h"

namespace lingate::cli {
namespace {

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
  script->add_option("--placement", words.placement, "inline, thread, process or all")
      ->type_name("WHERE")
      ->check(CLI::IsMember({"inline", "thread", "process", "all"}).description(""));
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
  describe_seconds(runtimes, words, "how long to measure in all; 130 if not told");
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
  describe_seconds(compare, words, "how long two programs are measured in all; 130 if not told");

  CLI::App* report = bench.add_subcommand("report", "Draw records as one HTML page");
  report->add_option("FILE", words.files, "files of -o; the first is what others are held against")
      ->required()
      ->type_name("");
  report->add_option("-o,--out", words.output.page, "where the page goes")->required()->type_name("FILE");

  CLI::App* round = bench.add_subcommand("round", "One measuring process of the others")->group("");
  round->add_option("--plan", words.plan)->required();
}

}  // namespace lingate::cli
