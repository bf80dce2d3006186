// What the operations of every host object share: finding the call behind it, its keys, and the errors for a name that
// does not exist or cannot be written. See lingate_duk_hooks.h for how the operations are called.
//
// Thread: the instance's. No state.
#pragma once

#include <span>
#include <string_view>

#include "runtimes/attributes.h"
#include "runtimes/duktape/text.h"
#include "runtimes/duktape/vm.h"

namespace lingate::runtimes::duktape {

// The call behind a host object: the one that runs. An object whose call is over is refused, and so is one whose call
// waits meanwhile, in every operation.
inline Slot& slot_of(duk_context* ctx, void* host) {
  if (host == nullptr) raise_over(ctx);
  Slot& slot = *static_cast<Slot*>(host);
  if (slot.vm->current != &slot) raise(ctx, foreign_object());
  return slot;
}

// [ key ] -> the key's text; a symbol has none and no property either.
inline bool key_text(duk_context* ctx, duk_idx_t index, std::string_view& name) {
  return get_string(ctx, index, name);
}

// [ key value ] -> [ value ]
inline void answer_with_top(duk_context* ctx) {
  duk_replace(ctx, -2);
}

inline void answer_undefined(duk_context* ctx) {
  duk_push_undefined(ctx);
  answer_with_top(ctx);
}

[[noreturn]] inline void raise_unknown(duk_context* ctx, Object object, std::string_view name) {
  Vm& vm = Vm::of(ctx);
  vm.error_text = unknown_attribute(object, name);
  raise_kept(ctx);
}

[[noreturn]] inline void raise_unwritable(duk_context* ctx, Object object, duk_idx_t key) {
  Vm& vm = Vm::of(ctx);
  std::string_view name = "[symbol]";
  get_string(ctx, key, name);
  vm.error_text = unwritable_attribute(object, name);
  raise_kept(ctx);
}

// A key that is no attribute: a symbol is undefined, Object.prototype's own is that, all else an error.
inline void get_other(duk_context* ctx, Object object, bool symbol, std::string_view name) {
  if (symbol) return answer_undefined(ctx);
  if (!get_inherited(ctx, name)) raise_unknown(ctx, object, name);
}

inline void push_keys(duk_context* ctx, std::span<const std::string_view> keys) {
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const std::string_view key : keys) {
    duk_push_lstring(ctx, key.data(), key.size());
    duk_put_prop_index(ctx, -2, at++);
  }
}

}  // namespace lingate::runtimes::duktape
