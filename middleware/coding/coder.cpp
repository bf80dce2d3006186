#include "middleware/coding/coder.h"

#include <array>
#include <utility>

#include "base/fields.h"

namespace lingate::middleware::coding {
namespace {

constexpr std::size_t kKeep = 256 * 1024;  // of room for output, when a body is over
constexpr std::array<std::string_view, kCodings> kNames{"zstd", "br", "gzip"};

}  // namespace

std::string_view name_of(Coding coding) noexcept {
  return kNames[static_cast<std::size_t>(coding)];
}

std::optional<Coding> find_coding(std::string_view name) noexcept {
  for (std::size_t k = 0; k < kNames.size(); ++k)
    if (fields::same_name(name, kNames[k])) return static_cast<Coding>(k);
  return fields::same_name(name, "x-gzip") ? std::optional(Coding::gzip) : std::nullopt;
}

bool Coder::begin() noexcept {
  out_.clear();
  if (out_.capacity() > kKeep) out_.shrink_to_fit();
  taken_ = false;
  failed_ = !restart();
  return !failed_;
}

void Coder::feed(std::string_view content) noexcept {
  if (std::exchange(taken_, false)) out_.clear();
  if (!failed_ && !content.empty()) failed_ = !code(content, Until::more, out_);
}

std::optional<std::string_view> Coder::take(Until until) noexcept {
  if (std::exchange(taken_, true)) out_.clear();
  if (!failed_ && until != Until::more) failed_ = !code({}, until, out_);
  if (failed_) return std::nullopt;
  return out_;
}

std::unique_ptr<Coder> make_coder(Coding coding) {
  switch (coding) {
    case Coding::zstd: return make_zstd_coder();
    case Coding::br: return make_brotli_coder();
    case Coding::gzip: break;
  }
  return make_gzip_coder();
}

}  // namespace lingate::middleware::coding
