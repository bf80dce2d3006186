// The verbs, each with its options as plain values: what cli.cpp has read from the command line. Each prints to the
// console and returns an exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/cli/cli.h"

namespace lingate::cli {

enum class Format { text, json };

struct RunOptions {
  std::string config;
  bool watch = false;
};
int run(const RunOptions& options, Program& program, Console& console);

struct CheckOptions {
  std::vector<std::string> files;  // "-": standard input
  std::string folder;              // what paths in standard input are relative to; empty: the current one
  std::string as;                  // the file in whose place standard input stands; empty: none
  Format format = Format::text;
};
int check(const CheckOptions& options, Program& program, Console& console);

struct RouteOptions {
  std::string method;
  std::string url;  // "http://api.example.com/users/7?x=1", or from the path on
  std::string config;
  std::vector<std::string> headers;  // "Name: value"
  std::string expect;                // a route's name, or "none"; empty: nothing is expected
  Format format = Format::text;
};
int route(const RouteOptions& options, Console& console);

struct ExplainOptions {
  std::string subject;  // "LG2001", "routes.match.path", "budget"
  Format format = Format::text;
};
int explain(const ExplainOptions& options, Console& console);

struct DoctorOptions {
  std::string admin;   // HOST:PORT of a running gateway
  std::string config;  // or the configuration that says it; neither: only build and machine are looked at
  Format format = Format::text;
};
int doctor(const DoctorOptions& options, const Program& program, Console& console);

int version(Format format, const Program& program, Console& console);

// What completion needs to know of a verb.
struct Verb {
  std::string name;
  std::string about;
  std::vector<std::string> options;  // "--format"
  std::vector<std::string> words;    // what may stand after it: shells, formats
  bool files = false;                // or files
};
int completion(const std::string& shell, const std::vector<Verb>& verbs, Console& console);

// The configuration, or nothing; then the console knows why. Warnings are shown too.
std::optional<config::Model> load(const std::string& path, Console& console);

}  // namespace lingate::cli
