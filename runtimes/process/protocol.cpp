#include "runtimes/process/protocol.h"

#include <algorithm>
#include <cstring>

namespace lingate::runtimes::process {
namespace {

constexpr std::uint64_t kMostFrames = 64;
constexpr std::uint64_t kMostPaths = 256;
constexpr std::uint64_t kMostDependencies = 4096;

class Packer {
 public:
  Packer& number(std::uint64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Packer& text(std::string_view text) {
    number(text.size());
    bytes_.append(text);
    return *this;
  }
  Packer& texts(const std::vector<std::string>& texts) {
    number(texts.size());
    for (const std::string& each : texts)
      text(each);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// What is missing reads as zero or empty.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : left_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    if (left_.size() < sizeof value) {
      left_ = {};
      return 0;
    }
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
    return value;
  }
  std::string text() {
    const std::uint64_t size = std::min<std::uint64_t>(number(), left_.size());
    std::string text(left_.substr(0, size));
    left_.remove_prefix(size);
    return text;
  }
  std::vector<std::string> texts(std::uint64_t most) {
    std::vector<std::string> texts;
    for (std::uint64_t left = std::min(number(), most); left != 0; --left)
      texts.push_back(text());
    return texts;
  }

 private:
  std::string_view left_;
};

}  // namespace

std::string pack_load(std::string_view runtime, const Script& script) {
  const ScriptLimits& limits = script.limits;
  return Packer()
      .text(runtime)
      .text(script.path)
      .text(script.source)
      .text(script.config)
      .number(script.memory)
      .number(static_cast<std::uint64_t>(script.init_budget.count()))
      .number(limits.field_line)
      .number(limits.fields)
      .number(limits.head)
      .number(limits.target)
      .number(limits.body)
      .number(limits.request_body ? 1 : 0)
      .number(limits.response_body ? 1 : 0)
      .texts(script.grants.read)
      .texts(script.grants.write)
      .take();
}

Load unpack_load(std::string_view bytes) {
  Unpacker from(bytes);
  Load load;
  load.runtime = from.text();
  Script& script = load.script;
  script.path = from.text();
  script.source = from.text();
  script.config = from.text();
  script.memory = from.number();
  script.init_budget = std::chrono::nanoseconds(from.number());
  ScriptLimits& limits = script.limits;
  limits.field_line = from.number();
  limits.fields = from.number();
  limits.head = from.number();
  limits.target = from.number();
  limits.body = from.number();
  limits.request_body = from.number() != 0;
  limits.response_body = from.number() != 0;
  script.grants.read = from.texts(kMostPaths);
  script.grants.write = from.texts(kMostPaths);
  return load;
}

std::string pack_loaded(const Loaded& loaded) {
  const HookSet& hooks = loaded.hooks;
  return std::string{static_cast<char>(hooks.request), static_cast<char>(hooks.response),
                     static_cast<char>(hooks.log)} +
         Packer().texts(loaded.dependencies).take();
}

std::optional<Loaded> unpack_loaded(std::string_view bytes) {
  constexpr std::size_t kHooks = 3;
  if (bytes.size() < kHooks) return std::nullopt;
  return Loaded{.hooks = {.request = static_cast<std::int8_t>(bytes[0]),
                          .response = static_cast<std::int8_t>(bytes[1]),
                          .log = static_cast<std::int8_t>(bytes[2])},
                .dependencies = Unpacker(bytes.substr(kHooks)).texts(kMostDependencies)};
}

std::string pack_error(const LoadError& error) {
  Packer packer;
  packer.number(static_cast<std::uint64_t>(error.kind)).text(error.message).text(error.file).number(error.line);
  return packer.texts(error.stack).take();
}

LoadError unpack_error(std::string_view bytes) {
  Unpacker from(bytes);
  LoadError error;
  const std::uint64_t kind = from.number();
  if (kind >= 1 && kind <= 5) error.kind = static_cast<FailureKind>(kind);
  error.message = from.text();
  error.file = from.text();
  error.line = static_cast<std::uint32_t>(from.number());
  error.stack = from.texts(kMostFrames);
  return error;
}

}  // namespace lingate::runtimes::process
