// zstd (RFC 8878) by libzstd, with a window far below the 8 MiB that RFC 9659 lets clients refuse.
#include <array>

#include <zstd.h>

#include "middleware/coding/coder.h"

namespace lingate::middleware::coding {
namespace {

constexpr int kLevel = 3;
constexpr int kWindow = 17;  // 128 KiB
constexpr int kTables = 15;  // 2^15 entries each: what this level would take for itself makes a coder 1.3 MiB large

class ZstdCoder final : public Coder {
 public:
  Coding coding() const noexcept override { return Coding::zstd; }

 protected:
  bool restart() noexcept override {
    if (context_) return ZSTD_isError(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only)) == 0;
    context_.reset(ZSTD_createCCtx());
    return context_ && ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel)) == 0 &&
           ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, kWindow)) == 0 &&
           ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_hashLog, kTables)) == 0 &&
           ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_chainLog, kTables)) == 0;
  }

  bool code(std::string_view content, Until until, std::string& out) noexcept override {
    const ZSTD_EndDirective how = until == Until::end     ? ZSTD_e_end
                                  : until == Until::pause ? ZSTD_e_flush
                                                          : ZSTD_e_continue;
    ZSTD_inBuffer input{content.data(), content.size(), 0};
    std::array<char, 16 * 1024> room;
    for (;;) {
      ZSTD_outBuffer output{room.data(), room.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &output, &input, how);
      if (ZSTD_isError(left) != 0) return false;
      out.append(room.data(), output.pos);
      const bool taken = input.pos == input.size;
      if (how == ZSTD_e_continue ? taken : left == 0) return true;
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

}  // namespace

std::unique_ptr<Coder> make_zstd_coder() {
  return std::make_unique<ZstdCoder>();
}

}  // namespace lingate::middleware::coding
