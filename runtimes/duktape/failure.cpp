// Reading a script's error without trusting it: it may be any value, its message 100 MB, its getters loops.
#include <algorithm>

#include "base/utf8.h"
#include "runtimes/duktape/text.h"
#include "runtimes/duktape/vm.h"

namespace lingate::runtimes::duktape {
namespace {

constexpr std::size_t kLongestMessage = 4096;
constexpr std::size_t kLongestName = 128;
constexpr std::size_t kMostFrames = 20;
constexpr std::string_view kPreludeFile = "lingate:prelude";

void append_text(std::string& to, std::string_view units, std::size_t longest) {
  std::string scratch;
  std::string_view utf8;
  to_utf8(units.substr(0, longest * 2), Lone::replace, scratch, utf8);
  if (utf8.size() <= longest) {
    to.append(utf8);
  } else {
    to.append(utf8::cut(utf8, longest)).append("…");
  }
}

// Frames with a place in the script: natives and the prelude's own are left out.
void read_stack(duk_context* ctx, Fault& fault) {
  lingate_duk_frame frame;
  for (unsigned long i = 0; fault.stack.size() < kMostFrames && lingate_duk_trace(ctx, -1, i, &frame) != 0; ++i) {
    if (frame.file == nullptr || frame.file == kPreludeFile) continue;
    if (fault.file.empty()) {
      fault.file = frame.file;
      fault.line = frame.line;
    }
    std::string& text = fault.stack.emplace_back(frame.file);
    text.append(":").append(std::to_string(frame.line)).append(": in ");
    if (frame.name != nullptr && *frame.name != '\0') {
      append_text(text, frame.name, kLongestName);
    } else {
      text.append("?");
    }
  }
}

// [ error ] -> [ text ]: may run the script's getters, so only while the brake is off and under the call's watch.
duk_ret_t describe(duk_context* ctx, void*) {
  if (!duk_is_object(ctx, -1)) {
    if (duk_is_symbol(ctx, -1)) {
      duk_push_string(ctx, "a symbol was thrown");
    } else {
      duk_dup(ctx, -1);
      duk_to_string(ctx, -1);
    }
    return 1;
  }
  duk_get_prop_string(ctx, -1, "message");
  if (!duk_is_string(ctx, -1) || duk_is_symbol(ctx, -1)) {
    duk_push_string(ctx, duk_is_error(ctx, -2) ? "an error without a message" : "an object was thrown");
    return 1;
  }
  if (!duk_is_error(ctx, -2)) return 1;
  duk_get_prop_string(ctx, -2, "name");
  if (!duk_is_string(ctx, -1) || duk_is_symbol(ctx, -1)) {
    duk_pop(ctx);
    return 1;
  }
  // "Error" itself says nothing; "TypeError: …" does.
  const std::string_view name = duk_get_string(ctx, -1);
  duk_size_t size = 0;
  duk_get_lstring(ctx, -2, &size);
  if (size == 0) return 1;
  if (name == "Error" || name.empty() || name.size() > kLongestName || size > kLongestMessage * 2) {
    duk_pop(ctx);
    return 1;
  }
  duk_push_string(ctx, ": ");
  duk_dup(ctx, -3);
  duk_concat(ctx, 3);
  return 1;
}

void read_message(Vm& vm, Fault& fault) {
  duk_context* const ctx = vm.heap.context();
  duk_dup(ctx, -1);
  // One value in, one out; on failure the second error takes its place.
  const duk_int_t status = duk_safe_call(ctx, describe, nullptr, 1, 1);
  std::string_view units;
  if (status == DUK_EXEC_SUCCESS && get_string(ctx, -1, units)) {
    append_text(fault.message, units, kLongestMessage);
  } else {
    fault.message = "an error that itself fails when it is read";
  }
  duk_pop(ctx);
}

duk_ret_t read(duk_context* ctx, void* argument) {
  Fault& fault = *static_cast<Fault*>(argument);
  duk_require_stack(ctx, 16);
  if (fault.kind == FailureKind::exception) {
    Vm& vm = Vm::of(ctx);
    read_message(vm, fault);
    // Reading it may itself have spent the budget or the memory.
    if (vm.heap.is_out_of_memory()) fault.kind = FailureKind::memory;
    if (vm.heap.interrupted()) fault.kind = FailureKind::timeout;
  }
  read_stack(ctx, fault);
  return 0;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = 1024 * 1024;
  return bytes % kMiB == 0 ? std::to_string(bytes / kMiB) + " MiB" : std::to_string(bytes) + " bytes";
}

void read_error(Vm& vm, Fault& fault) noexcept {
  fault.kind = vm.heap.is_out_of_memory() ? FailureKind::memory
               : vm.heap.interrupted()    ? FailureKind::timeout
                                          : FailureKind::exception;
  fault.message.clear();
  fault.file.clear();
  fault.line = 0;
  fault.stack.clear();
  duk_context* const ctx = vm.heap.context();
  if (!vm.heap.sound()) {
    fault.message = "the engine gave up";
    return;
  }
  // The error stays on top below the safe call's own window: it is passed as its one argument.
  if (duk_safe_call(ctx, read, &fault, 1, 1) != DUK_EXEC_SUCCESS && fault.message.empty())
    fault.message = "an error that itself fails when it is read";
  if (fault.kind == FailureKind::timeout) fault.message = "the script ran past its budget";
  if (fault.kind == FailureKind::memory)
    fault.message = "the script needs more memory than its limit of " + size_text(vm.heap.limit());
}

}  // namespace

void read_fault(Vm& vm, Fault& fault) noexcept {
  read_error(vm, fault);
  // What is no Error has no place of its own.
  if (fault.file.empty()) fault.file = vm.script.path;
}

}  // namespace lingate::runtimes::duktape
