#include "gateway/bench/fingerprint.h"

#include <elf.h>
#include <link.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/version.h"

namespace lingate::bench {
namespace {

// The value of the first "key : value" line of a file of /proc.
std::string proc_value(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == line.npos) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == line.npos ? std::string() : line.substr(value);
  }
  return {};
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The build id that the linker gave this program (NT_GNU_BUILD_ID): the same bytes, the same id.
int take_build_id(dl_phdr_info* info, std::size_t, void* out) {
  for (int k = 0; k < info->dlpi_phnum; ++k) {
    const ElfW(Phdr)& header = info->dlpi_phdr[k];
    if (header.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
    const char* const end = at + header.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
      const char* const name = at + sizeof *note;
      const char* const content = name + ((note->n_namesz + 3U) & ~3U);
      if (note->n_type == NT_GNU_BUILD_ID)
        for (unsigned byte = 0; byte < note->n_descsz && byte < 8; ++byte)
          *static_cast<std::string*>(out) += fmt::format("{:02x}", static_cast<unsigned char>(content[byte]));
      at = content + ((note->n_descsz + 3U) & ~3U);
    }
  }
  return 1;  // the program comes first; the libraries behind it do not matter
}

std::string build_id() {
  std::string id;
  ::dl_iterate_phdr(take_build_id, &id);
  return id;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> fingerprint() {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty()) facts.emplace_back(name, std::move(value));
  };
  const std::string model = proc_value("/proc/cpuinfo", "model name");
  add("processor", fmt::format("{}, {} online", model.empty() ? "unknown" : model, ::sysconf(_SC_NPROCESSORS_ONLN)));
  const bool guest = proc_value("/proc/cpuinfo", "flags").find("hypervisor") != std::string::npos;
  add("machine", guest ? "virtual" : "bare metal");
  add("governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0)
    add("memory", fmt::format("{:.1f} GiB", static_cast<double>(memory.totalram) * memory.mem_unit / (1 << 30)));
  utsname kernel{};
  if (::uname(&kernel) == 0) add("kernel", fmt::format("{} {}", kernel.sysname, kernel.release));
  add("compiler", "g++ " __VERSION__);
  const std::string id = build_id();
  add("lingate", id.empty() ? std::string(version()) : fmt::format("{}, build {}", version(), id));
  return facts;
}

std::string now_utc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace lingate::bench
