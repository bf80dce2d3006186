#include "middleware/steps/limit_settings.h"

#include <openssl/sha.h>

#include <array>

#include "base/codes.h"

namespace lingate::middleware::steps {
namespace {

// 128 bits of SHA-256, in hex.
std::string digest(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> bytes;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string all;
  for (std::size_t k = 0; k < bytes.size() / 2; ++k) {
    all += kDigits[bytes[k] >> 4U];
    all += kDigits[bytes[k] & 15U];
  }
  return all;
}

}  // namespace

Result<Counting> counting_of(const Settings& settings, const StepSurroundings& surroundings, std::string_view how) {
  if (!surroundings.limits) return fail(code::kInternal, "a limiting step has nothing to count with");
  const std::string_view written = settings.text("by", "session.id");
  auto by = limits::CountedBy::parse(written);
  if (!by) return fail(std::move(by.error()));
  std::string name(surroundings.name);
  const std::string whole = name + "|" + std::string(written) + "|" + std::string(how);
  const std::uint64_t number = surroundings.limits->number_of(whole);
  return Counting{*surroundings.limits, *std::move(by), std::move(name), number, digest(whole)};
}

std::string Counting::shared(const limits::Caller& caller, std::uint64_t more) const {
  constexpr std::size_t kLongest = 128;
  std::string all = shared_name + ":" + std::to_string(more) + ":" + caller.kind + ":";
  return all + (caller.text.size() <= kLongest ? std::string(caller.text) : digest(caller.text));
}

Result<void> needs_own_or(std::string_view step, std::string_view option, const Settings& settings,
                          const limits::CountedBy& by) {
  if (settings.find(option) || by.session()) return {};
  return fail(code::kMissingKey, "step '" + std::string(step) + "' has no '" + std::string(option) +
                                     "', and only 'by: session.id' can do without");
}

Flow refuse(Exchange& exchange, StepRecord& record, int code, std::string_view step) {
  record.fault = code;
  exchange.fail({.code = code, .detail = {}, .step = step});
  return Flow::fail;
}

}  // namespace lingate::middleware::steps
