#include "runtimes/duktape/instance.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

namespace lingate::runtimes::duktape {
namespace {

constexpr Clock::duration kNone{};

LoadError load_error(Fault& fault) {
  return {fault.kind, std::move(fault.message), std::move(fault.file), fault.line, std::move(fault.stack)};
}

// What one large value has made the scratch grow to. Between calls only. Swapped, as an assignment would keep the
// buffer.
void give_back_scratch(Vm& vm) noexcept {
  constexpr std::size_t kWorthKeeping = 1024 * 1024;
  for (std::string* text : {&vm.text_scratch, &vm.scratch, &vm.second_scratch, &vm.source_scratch})
    if (text->capacity() > kWorthKeeping) std::string().swap(*text);
  std::size_t converted = 0;
  for (const std::string& text : vm.converted)
    converted += sizeof text + text.capacity();
  if (converted > kWorthKeeping) vm.converted.clear();
  JsonWriter json;
  if (vm.json.json().size() > kWorthKeeping) std::swap(vm.json, json);
  module::QueryWriter query;
  if (vm.query.query().size() > kWorthKeeping) std::swap(vm.query, query);
}

}  // namespace

Result<void, LoadError> DuktapeInstance::load(Watchdog& watchdog) {
  if (vm_.heap.context() == nullptr || vm_.heap.used() > vm_.heap.limit())
    return lingate::fail(LoadError{FailureKind::memory,
                                   "the memory limit of " + std::to_string(vm_.heap.limit()) +
                                       " bytes does not hold the JavaScript engine: give it at least 1MiB",
                                   vm_.script.path,
                                   0,
                                   {}});
  Watch watch(watchdog, *this);
  watch.arm(Clock::now() + std::max<Clock::duration>(kNone, vm_.script.init_budget));
  const bool loaded = vm_.heap.run(load_script, &vm_, 1);
  if (!loaded) read_fault(vm_, fault_);
  if (watch.disarm()) settle();
  vm_.loading = false;
  if (!loaded) return lingate::fail(load_error(fault_));
  duk_pop(vm_.heap.context());
  if (vm_.heap.run(collect_garbage, nullptr, 1)) duk_pop(vm_.heap.context());
  used_after_collection_ = vm_.heap.used();
  return {};
}

Slot& DuktapeInstance::take_slot() {
  for (const std::unique_ptr<Slot>& slot : vm_.slots)
    if (slot->state == Slot::State::free) return *slot;
  return *vm_.slots.emplace_back(std::make_unique<Slot>(vm_));
}

Slot* DuktapeInstance::suspended(CallId id) noexcept {
  for (const std::unique_ptr<Slot>& slot : vm_.slots)
    if (slot->state == Slot::State::suspended && slot->id == id) return slot.get();
  return nullptr;
}

Progress DuktapeInstance::start(CallId id, CallView& call, void* tag) noexcept {
  if (dirty_) tidy();
  Slot& slot = take_slot();
  slot.view = &call;
  slot.id = id;
  slot.tag = tag;
  slot.tags = slot.metadata = Container::untouched;
  slot.waiting = false;
  slot.valid = true;
  slot.host_error.clear();
  if (!vm_.hook_set.has(call.hook())) return {};
  return enter(slot, begin_call);
}

Progress DuktapeInstance::resume(CallId id, const HostResult& result) noexcept {
  Slot* const slot = suspended(id);
  if (slot == nullptr) return {};
  slot->host_error.assign(result.error);
  return enter(*slot, resume_call);
}

void DuktapeInstance::cancel(CallId id) noexcept {
  Slot* const slot = suspended(id);
  if (slot == nullptr) return;
  slot->state = Slot::State::free;
  break_slot(*slot);
  tidy();
}

Progress DuktapeInstance::enter(Slot& slot, duk_safe_call_function work) noexcept {
  slot.state = Slot::State::running;
  vm_.current = &slot;
  const bool done = vm_.heap.run(work, &slot, 1);
  if (!done) {
    const Progress progress = failed(slot);
    vm_.current = nullptr;
    return progress;
  }
  vm_.current = nullptr;
  duk_pop(vm_.heap.context());
  if (slot.waiting) {
    slot.state = Slot::State::suspended;
    return {Progress::State::suspended, slot.operation};
  }
  return finished(slot);
}

Progress DuktapeInstance::finished(Slot& slot) noexcept {
  slot.state = Slot::State::free;
  release(slot);
  if (!slot.valid) slot.view->fail(FailureKind::invalid, vm_.error_text, vm_.script.path);
  return {};
}

// The coroutine is dead with its call, and the brake may still be on: nothing of the slot's is used again.
Progress DuktapeInstance::failed(Slot& slot) noexcept {
  read_fault(vm_, fault_);
  if (vm_.heap.sound()) duk_pop(vm_.heap.context());
  slot.state = Slot::State::free;
  break_slot(slot);
  give_back_scratch(vm_);
  if (fault_.kind == FailureKind::memory) collect_ = true;
  vm_.heap.clear_out_of_memory();
  if (!vm_.heap.braked()) tidy();
  slot.view->fail(fault_.kind, fault_.message, fault_.file, fault_.line, fault_.stack);
  return {};
}

// Objects that the script kept are cut off; the others serve the next call.
void DuktapeInstance::release(Slot& slot) noexcept {
  for (std::size_t i = 0; i < kThings; ++i)
    drop_thing(slot, static_cast<Thing>(i));
  if (slot.context == nullptr) return;
  const bool ours = lingate_duk_refcount(slot.context) == 1 && lingate_duk_bare(vm_.heap.context(), slot.context) != 0;
  slot.spare = ours ? slot.context : nullptr;
  slot.context = nullptr;
}

void DuktapeInstance::break_slot(Slot& slot) noexcept {
  for (void*& thing : slot.things) {
    if (thing != nullptr && vm_.heap.sound()) lingate_duk_set_host(thing, nullptr);
    thing = nullptr;
  }
  slot.cells = slot.thread = slot.hook = slot.context = slot.spare = nullptr;
  slot.broken = true;
  dirty_ = true;
}

void DuktapeInstance::tidy() noexcept {
  if (!vm_.heap.run(let_go, &vm_, 1)) {
    if (vm_.heap.sound()) duk_pop(vm_.heap.context());
    vm_.heap.clear_out_of_memory();
    return;  // braked in the middle: settle() comes back
  }
  duk_pop(vm_.heap.context());
  dirty_ = false;
  if (!collect_) return;
  collect_ = false;
  // What only a dead coroutine held is found by the second round, and tables shrink by half in each.
  for (std::uint64_t before = UINT64_MAX; vm_.heap.used() < before;) {
    before = vm_.heap.used();
    if (vm_.heap.run(collect_garbage, this, 1)) duk_pop(vm_.heap.context());
  }
  ::malloc_trim(0);  // the allocator would keep what came back for the next giant
  used_after_collection_ = vm_.heap.used();
  // What is left is module state: with no room, no call can succeed any more.
  overfull_ = used_after_collection_ > vm_.heap.limit() - vm_.heap.limit() / 8;
}

void DuktapeInstance::settle() noexcept {
  vm_.heap.clear_interrupt();
  if (dirty_) tidy();
}

bool DuktapeInstance::idle_step() noexcept {
  give_back_scratch(vm_);
  constexpr std::uint64_t kWorthwhile = 256 * 1024;
  if (!usable() || vm_.heap.used() < used_after_collection_ + kWorthwhile) return false;
  if (vm_.heap.run(collect_garbage, nullptr, 1)) duk_pop(vm_.heap.context());
  used_after_collection_ = vm_.heap.used();
  return false;
}

}  // namespace lingate::runtimes::duktape
