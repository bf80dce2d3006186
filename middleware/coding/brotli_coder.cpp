// br (RFC 7932) by libbrotli, which cannot begin anew: each body has an encoder of its own.
#include <brotli/encode.h>

#include "middleware/coding/coder.h"

namespace lingate::middleware::coding {
namespace {

constexpr std::uint32_t kQuality = 4;
constexpr std::uint32_t kWindow = 17;  // 128 KiB

class BrotliCoder final : public Coder {
 public:
  Coding coding() const noexcept override { return Coding::br; }

 protected:
  bool restart() noexcept override {
    encoder_.reset(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    return encoder_ && BrotliEncoderSetParameter(encoder_.get(), BROTLI_PARAM_QUALITY, kQuality) == BROTLI_TRUE &&
           BrotliEncoderSetParameter(encoder_.get(), BROTLI_PARAM_LGWIN, kWindow) == BROTLI_TRUE;
  }

  bool code(std::string_view content, Until until, std::string& out) noexcept override {
    const BrotliEncoderOperation how = until == Until::end     ? BROTLI_OPERATION_FINISH
                                       : until == Until::pause ? BROTLI_OPERATION_FLUSH
                                                               : BROTLI_OPERATION_PROCESS;
    const auto* next = reinterpret_cast<const std::uint8_t*>(content.data());
    std::size_t left = content.size();
    do {
      std::size_t no_room = 0;
      if (BrotliEncoderCompressStream(encoder_.get(), how, &left, &next, &no_room, nullptr, nullptr) != BROTLI_TRUE)
        return false;
      std::size_t size = 0;
      const std::uint8_t* const made = BrotliEncoderTakeOutput(encoder_.get(), &size);
      out.append(reinterpret_cast<const char*>(made), size);
    } while (left > 0 || BrotliEncoderHasMoreOutput(encoder_.get()) == BROTLI_TRUE);
    return true;
  }

 private:
  struct Free {
    void operator()(BrotliEncoderState* encoder) const noexcept { BrotliEncoderDestroyInstance(encoder); }
  };
  std::unique_ptr<BrotliEncoderState, Free> encoder_;
};

}  // namespace

std::unique_ptr<Coder> make_brotli_coder() {
  return std::make_unique<BrotliCoder>();
}

}  // namespace lingate::middleware::coding
