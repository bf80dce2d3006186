#include "middleware/script_log.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace lingate::middleware {
namespace {

// A tag is a pointer of 48 bits aligned to 64: bits 0–5 and 48–63 hold a generation.
constexpr std::uint64_t kLowBits = 0x3f;
constexpr std::uint64_t kPointerBits = 0x0000'ffff'ffff'ffc0;
constexpr std::uint64_t kGenerationBits = 0x3f'ffff;

// Two steps of the generation are one call.
std::uint64_t pack(const CallTag* tag, std::uint64_t generation) noexcept {
  const std::uint64_t number = generation / 2 & kGenerationBits;
  return reinterpret_cast<std::uintptr_t>(tag) | (number & kLowBits) | (number >> 6U) << 48U;
}

std::uint64_t number_of(std::uint64_t packed) noexcept {
  return (packed & kLowBits) | (packed >> 48U) << 6U;
}

}  // namespace

void* CallTag::begin(Names& names) noexcept {
  const std::uint64_t generation = generation_.load(std::memory_order_relaxed) | 1U;
  lines_.store(0, std::memory_order_relaxed);
  names_.store(&names, std::memory_order_release);
  generation_.store(generation, std::memory_order_release);
  return reinterpret_cast<void*>(pack(this, generation));
}

void* CallTag::begin(std::string_view id, std::string_view route) noexcept {
  id = id.substr(0, kBytes);
  route = route.substr(0, kBytes - id.size());
  const std::size_t used = (id.size() + route.size() + 7) / 8;
  std::array<char, kBytes> bytes;
  if (used != 0) std::memset(bytes.data() + used * 8 - 8, 0, 8);
  std::memcpy(bytes.data(), id.data(), id.size());
  if (!route.empty()) std::memcpy(bytes.data() + id.size(), route.data(), route.size());
  end();  // what was begun with names goes on with texts
  const std::uint64_t generation = generation_.load(std::memory_order_relaxed);
  lines_.store(0, std::memory_order_relaxed);
  names_.store(nullptr, std::memory_order_release);
  for (std::size_t k = 0; k < used; ++k) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + k * 8, 8);
    words_[k].store(word, std::memory_order_release);
  }
  sizes_.store(id.size() | route.size() << 32U, std::memory_order_release);
  generation_.store(generation + 1, std::memory_order_release);
  return reinterpret_cast<void*>(pack(this, generation + 1));
}

void CallTag::end() noexcept {
  const std::uint64_t generation = generation_.load(std::memory_order_relaxed);
  if (generation % 2 != 0) generation_.store(generation + 1, std::memory_order_release);
}

std::uint32_t CallTag::count_line(void* tag) noexcept {
  const auto packed = reinterpret_cast<std::uintptr_t>(tag);
  return reinterpret_cast<CallTag*>(packed & kPointerBits)->lines_.fetch_add(1, std::memory_order_relaxed);
}

bool CallTag::read(void* tag, Text& text) noexcept {
  const auto packed = reinterpret_cast<std::uintptr_t>(tag);
  const auto* self = reinterpret_cast<const CallTag*>(packed & kPointerBits);
  const std::uint64_t before = self->generation_.load(std::memory_order_acquire);
  if (before % 2 == 0 || (before / 2 & kGenerationBits) != number_of(packed)) return false;
  if (Names* const names = self->names_.load(std::memory_order_acquire)) {
    if (self->generation_.load(std::memory_order_acquire) != before) return false;  // those of another call
    const std::string_view id = names->id().substr(0, kBytes);
    const std::string_view route = names->route().substr(0, kBytes - id.size());
    text.id_size = id.copy(text.bytes.data(), id.size());
    text.route_size = route.copy(text.bytes.data() + id.size(), route.size());
    return true;
  }
  const std::uint64_t sizes = self->sizes_.load(std::memory_order_acquire);
  for (std::size_t k = 0; k < kBytes / 8; ++k) {
    const std::uint64_t word = self->words_[k].load(std::memory_order_acquire);
    std::memcpy(text.bytes.data() + k * 8, &word, 8);
  }
  text.id_size = std::min<std::size_t>(sizes & 0xffff'ffffU, kBytes);
  text.route_size = std::min<std::size_t>(sizes >> 32U, kBytes - text.id_size);
  return self->generation_.load(std::memory_order_acquire) == before;
}

void ScriptLog::log(runtimes::LogLevel level, std::string_view message, std::string_view fields,
                    void* call_tag) noexcept {
  if (!log_.wants(static_cast<LogLevel>(level))) return;
  CallTag::Text text;
  const bool known = call_tag && CallTag::read(call_tag, text);
  const std::uint32_t before = known ? CallTag::count_line(call_tag) : count_line_outside();
  if (before > kMostLines) return;
  if (before == kMostLines) {
    level = runtimes::LogLevel::warn;
    message = known
                  ? "the script has logged 256 lines in this call; what else it logs is dropped"
                  : "the script has logged 256 lines in a second outside of calls; the rest of that second is dropped";
    fields = {};
  }
  log_.write({.level = static_cast<LogLevel>(level),
              .message = message,
              .request_id = known ? text.id() : std::string_view(),
              .route = known ? text.route() : std::string_view(),
              .step = step_,
              .fields = fields});
}

// Two threads that meet a new second at once may count some lines anew; that does no harm.
std::uint32_t ScriptLog::count_line_outside() noexcept {
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  if (second_.exchange(now, std::memory_order_relaxed) != now) lines_outside_.store(0, std::memory_order_relaxed);
  return lines_outside_.fetch_add(1, std::memory_order_relaxed);
}

CallTag& ScriptLog::take_tag() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    free_.reserve(tags_.size() + 1);  // so that giving back never allocates
    return tags_.emplace_back();
  }
  CallTag& tag = *free_.back();
  free_.pop_back();
  return tag;
}

void ScriptLog::give_back(CallTag& tag) noexcept {
  const std::lock_guard lock(mutex_);
  free_.push_back(&tag);
}

}  // namespace lingate::middleware
