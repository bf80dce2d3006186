// What happens inside the engine for one call: its objects are put into the slot's cells, its coroutine is resumed, and
// when the hook is over its result is collected.
#include "runtimes/duktape/instance.h"

namespace lingate::runtimes::duktape {
namespace {

// Cells and coroutine of a slot that has none (any more).
void mend(duk_context* ctx, Slot& slot) {
  Vm& vm = *slot.vm;
  duk_uarridx_t index = 0;
  while (vm.slots[index].get() != &slot)
    ++index;
  duk_push_heapptr(ctx, vm.natives.slots);
  duk_push_array(ctx);
  void* const cells = duk_get_heapptr(ctx, -1);
  for (duk_uarridx_t cell = 0; cell < kCellThings + kThings; ++cell) {
    duk_push_null(ctx);
    duk_put_prop_index(ctx, -2, cell);
  }
  duk_push_heapptr(ctx, vm.natives.make_thread);
  duk_call(ctx, 0);
  void* const thread = duk_get_heapptr(ctx, -1);
  duk_put_prop_index(ctx, -2, kCellThread);
  duk_put_prop_index(ctx, -2, index);
  duk_pop(ctx);
  slot.cells = cells;
  slot.thread = thread;
  slot.hook = slot.context = slot.spare = nullptr;
  slot.kind = Hook::init;
  slot.things.fill(nullptr);
  slot.broken = false;
}

// [ cells ] -> [ cells ]
void need(duk_context* ctx, Slot& slot, Thing which) {
  if (slot.thing(which) != nullptr) return;
  push_thing(ctx, slot, which);
  duk_pop(ctx);
}

// [ cells ] -> [ cells ]
void give_context(duk_context* ctx, Slot& slot) {
  const std::string_view members = slot.view->context();
  if (members.empty() && slot.spare != nullptr) {
    slot.context = slot.spare;
    return;
  }
  if (members.empty()) {
    duk_push_object(ctx);
  } else {
    Builder builder(ctx);
    if (!read_members(members, builder)) raise(ctx, "ctx cannot be read");
  }
  void* const object = duk_get_heapptr(ctx, -1);
  duk_put_prop_index(ctx, -2, kCellContext);
  slot.spare = nullptr;
  slot.context = object;
}

// [ cells ] -> [ cells ]
void give_arguments(duk_context* ctx, Slot& slot) {
  const Hook hook = slot.view->hook();
  const int arity = slot.vm->hook_set.arity(hook);
  const bool request = hook == Hook::request;
  if (!request && arity >= 1) need(ctx, slot, Thing::res);
  if (arity >= (request ? 1 : 2)) need(ctx, slot, Thing::req);
  slot.context = nullptr;
  if (arity >= (request ? 2 : 3)) give_context(ctx, slot);
  void* const function = slot.vm->hooks.of(hook);
  if (slot.hook == function && slot.kind == hook) return;
  duk_push_heapptr(ctx, function);
  duk_put_prop_index(ctx, -2, kCellHook);
  duk_push_int(ctx, static_cast<duk_int_t>(hook));
  duk_put_prop_index(ctx, -2, kCellKind);
  slot.hook = function;
  slot.kind = hook;
}

// [ result ]; either the script waits, or the hook is over.
duk_ret_t after(duk_context* ctx, Slot& slot) {
  if (!slot.waiting) slot.valid = collect(ctx, slot);
  return 0;
}

}  // namespace

duk_ret_t begin_call(duk_context* ctx, void* argument) {
  Slot& slot = *static_cast<Slot*>(argument);
  duk_require_stack(ctx, 24);
  if (slot.broken) mend(ctx, slot);
  duk_push_heapptr(ctx, slot.vm->natives.run);
  duk_push_heapptr(ctx, slot.vm->natives.resume);
  duk_push_heapptr(ctx, slot.thread);
  duk_push_heapptr(ctx, slot.cells);
  give_arguments(ctx, slot);
  duk_call(ctx, 3);
  return after(ctx, slot);
}

duk_ret_t resume_call(duk_context* ctx, void* argument) {
  Slot& slot = *static_cast<Slot*>(argument);
  duk_require_stack(ctx, 24);
  slot.waiting = false;
  duk_push_heapptr(ctx, slot.vm->natives.run);
  duk_push_heapptr(ctx, slot.vm->natives.resume);
  duk_push_heapptr(ctx, slot.thread);
  duk_push_undefined(ctx);
  duk_call(ctx, 3);
  return after(ctx, slot);
}

duk_ret_t let_go(duk_context* ctx, void* argument) {
  Vm& vm = *static_cast<Vm*>(argument);
  duk_push_heapptr(ctx, vm.natives.slots);
  for (std::size_t i = 0; i < vm.slots.size(); ++i) {
    if (!vm.slots[i]->broken) continue;
    duk_push_undefined(ctx);
    duk_put_prop_index(ctx, -2, static_cast<duk_uarridx_t>(i));
  }
  return 0;
}

// With an argument: also gives back what tables have grown to.
duk_ret_t collect_garbage(duk_context* ctx, void* compact) {
  duk_gc(ctx, compact != nullptr ? DUK_GC_COMPACT : 0);
  return 0;
}

}  // namespace lingate::runtimes::duktape
