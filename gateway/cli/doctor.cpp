// What this build and this machine offer, and how a running gateway does.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/cores.h"
#include "gateway/cli/admin_client.h"
#include "gateway/cli/commands.h"
#include "gateway/config/loader.h"
#include "runtimes/process/sandbox.h"

namespace lingate::cli {
namespace {

constexpr rlim_t kFewFiles = 4096;

// One thing that was looked at. `cure` is empty where there is nothing to mend.
struct Finding {
  std::string section, name, text, cure;
};

std::string memory_of_machine() {
  const auto pages = static_cast<double>(::sysconf(_SC_PHYS_PAGES));
  return fmt::format("{:.1f} GiB", pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1ULL << 30));
}

void look_at_files(std::vector<Finding>& findings) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const bool few = files.rlim_max != RLIM_INFINITY && files.rlim_max < kFewFiles;
  findings.push_back({"machine", "open files",
                      files.rlim_max == RLIM_INFINITY ? "unlimited" : fmt::format("{}", files.rlim_max),
                      few ? "a connection takes one or two: raise the limit (ulimit -n, or LimitNOFILE=)" : ""});
}

void look_at_sandbox(std::vector<Finding>& findings) {
  const auto means = runtimes::process::sandbox_means();
  findings.push_back({"worker processes", "seccomp", means.seccomp ? "yes" : "no",
                      means.seccomp ? "" : "system calls of scripts are not filtered: use a kernel that has it"});
  findings.push_back({"worker processes", "Landlock",
                      means.landlock != 0 ? fmt::format("version {}", means.landlock) : "no",
                      means.landlock != 0 ? ""
                                          : "scripts can read what the gateway's user can: add 'landlock' to the "
                                            "kernel's lsm= list"});
}

std::vector<Finding> look_at_machine(const Program& program) {
  std::vector<Finding> findings;
  for (const Component& each : program.components())
    findings.push_back({"engines", each.name, each.version, ""});
  findings.push_back({"machine", "cores", std::to_string(usable_cores()), ""});
  findings.push_back({"machine", "memory", memory_of_machine(), ""});
  look_at_files(findings);
  look_at_sandbox(findings);
  return findings;
}

// "name{runtime="lua",state="idle"} 3" of the page of metrics.
struct Sample {
  std::string_view name, labels, value;
};

std::optional<Sample> sample_of(std::string_view line) {
  const std::size_t brace = line.find('{');
  const std::size_t end = line.rfind("} ");
  if (line.starts_with('#') || brace == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
  return Sample{line.substr(0, brace), line.substr(brace + 1, end - brace - 1), line.substr(end + 2)};
}

std::string_view label(std::string_view labels, std::string_view name) {
  const std::size_t at = labels.find(std::string(name) + "=\"");
  if (at == std::string_view::npos) return {};
  const std::string_view value = labels.substr(at + name.size() + 2);
  return value.substr(0, value.find('"'));
}

// What the page says of the runtimes, a line each; an open breaker is something to mend.
void look_at_runtimes(std::string_view page, std::vector<Finding>& findings) {
  constexpr std::string_view kPrefix = "lingate_runtime_";
  while (!page.empty()) {
    const std::string_view line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    const auto sample = sample_of(line);
    if (!sample || !sample->name.starts_with(kPrefix)) continue;
    const std::string_view what = sample->name.substr(kPrefix.size());
    const std::string_view state = label(sample->labels, "state");
    const bool open = what == "breakers_open" && sample->value != "0";
    findings.push_back(
        {"gateway", fmt::format("{} {}{}{}", label(sample->labels, "runtime"), what, state.empty() ? "" : " ", state),
         std::string(sample->value), open ? "its worker process dies again and again: the log says of what" : ""});
  }
}

bool look_at_gateway(const std::string& address, std::vector<Finding>& findings, Console& console) {
  const auto ready = get_from_admin(address, "/readyz");
  const auto metrics = get_from_admin(address, "/metrics");
  if (!ready || !metrics) {
    console.error << "lingate: " << (ready ? metrics : ready).error()
                  << "; is the gateway running, and is this its `admin.address`?\n";
    return false;
  }
  if (metrics->status != 200) {
    console.error << "lingate: " << address << " answers /metrics with " << metrics->status
                  << "; ask by an IP address, or add the name to its `admin.hosts`\n";
    return false;
  }
  findings.push_back({"gateway", "ready", ready->status == 200 ? "yes" : "no",
                      ready->status == 200 ? "" : "it drains: it was told to end"});
  look_at_runtimes(metrics->body, findings);
  return true;
}

void print(const std::vector<Finding>& findings, Console& console) {
  std::string_view section;
  for (const Finding& each : findings) {
    if (each.section != section) console.out << (section = each.section) << "\n";
    console.out << fmt::format("  {:<28}{}\n", each.name, each.text);
    if (!each.cure.empty()) console.out << fmt::format("  {:<28}! {}\n", "", each.cure);
  }
}

void print_json(const std::vector<Finding>& findings, Console& console) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Finding& each : findings) {
    json.push_back({{"section", each.section}, {"name", each.name}, {"value", each.text}});
    if (!each.cure.empty()) json.back()["cure"] = each.cure;
  }
  console.out << json.dump(2) << "\n";
}

}  // namespace

int doctor(const DoctorOptions& options, const Program& program, Console& console) {
  std::string address = options.admin;
  if (address.empty() && !options.config.empty()) {
    const auto model = load(options.config, console);
    if (!model) return kConfigurationInvalid;
    const auto found = admin_address(*model, options.config);
    if (!found) {
      console.error << "lingate: " << found.error() << "\n";
      return kAdminUnreachable;
    }
    address = *found;
  }
  std::vector<Finding> findings = look_at_machine(program);
  const bool asked = address.empty() || look_at_gateway(address, findings, console);
  options.format == Format::json ? print_json(findings, console) : print(findings, console);
  return asked ? kOk : kAdminUnreachable;
}

}  // namespace lingate::cli
