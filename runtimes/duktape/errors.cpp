#include "runtimes/attributes.h"
#include "runtimes/duktape/text.h"
#include "runtimes/duktape/vm.h"

namespace lingate::runtimes::duktape {

void raise(duk_context* ctx, std::string_view text) {
  // Not the C++ line, but the script's place is to blame.
  constexpr duk_errcode_t kBlameTheScript = DUK_ERR_ERROR | (1 << 24);
  duk_require_stack(ctx, 4);
  push_utf8(ctx, text);
  duk_error_raw(ctx, kBlameTheScript, nullptr, 0, "%s", duk_get_string(ctx, -1));
  __builtin_unreachable();  // the declaration does not say that it never returns
}

void raise_kept(duk_context* ctx) {
  raise(ctx, Vm::of(ctx).error_text);
}

void raise_over(duk_context* ctx) {
  raise(ctx, stale_object());
}

bool refused(Vm& vm, Refusal refusal) {
  if (!refusal) return false;
  vm.error_text = std::move(*refusal);
  return true;
}

}  // namespace lingate::runtimes::duktape
