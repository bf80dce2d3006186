// Vm: one script with its engine: the heap, what the prelude left there for the host, the slots of calls in flight, and
// the scratch that the bindings share. The engine leaves a function by longjmp when a script's error is raised, so no
// function that may raise holds memory of its own: texts and lists go into the scratch members here.
//
// Thread: the instance's. Lifetime: the instance's.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtimes/call_view.h"
#include "runtimes/duktape/heap.h"
#include "runtimes/duktape/slot.h"
#include "runtimes/duktape/values.h"
#include "runtimes/module.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes::duktape {

// Heap pointers of what the bindings push often; the stash keeps them alive.
struct Natives {
  void* slots = nullptr;  // array of cells
  void* run = nullptr;    // prelude: run(resume, thread, value)
  void* resume = nullptr;
  void* make_thread = nullptr;  // prelude: makeThread()
  void* object_prototype = nullptr;
  void* values = nullptr;  // methods of headers
  void* add = nullptr;
  void* lines = nullptr;
  void* text = nullptr;  // methods of req and res
  void* json = nullptr;
};

// The hooks that the script exports, as heap pointers; nullptr: none.
struct HookFunctions {
  void* request = nullptr;
  void* response = nullptr;
  void* log = nullptr;

  void* of(Hook hook) const noexcept {
    return hook == Hook::request ? request : hook == Hook::response ? response : log;
  }
};

class Vm {
 public:
  Vm(const Script& its_script, Host& its_host) : script(its_script), host(its_host), heap(*this, script.memory) {}

  static Vm& of(duk_context* ctx) noexcept { return Heap::of(ctx).vm(); }

  const Script script;
  Host& host;
  Natives natives;
  HookFunctions hooks;
  HookSet hook_set;
  std::vector<std::unique_ptr<Slot>> slots;
  Slot* current = nullptr;  // of the call that runs now; nullptr while loading
  bool loading = true;      // modules may be read
  std::vector<std::string> dependencies;

  // Scratch. error_text: of the error about to be raised; the rest by use.
  std::string error_text;
  std::string text_scratch;  // push_*
  std::string scratch;
  std::string second_scratch;
  std::string source_scratch;  // of a module
  std::vector<std::string_view> list;
  std::vector<AnswerParts::Line> answer_lines;
  std::deque<std::string> converted;  // texts that `list` and `answer_lines` point to where a conversion was needed
  std::size_t converted_used = 0;
  WireWriter wire;
  JsonWriter json;
  module::QueryWriter query;
  Tape tape;
  Walker walker;

  Heap heap;  // last: its objects die first
};

// ---- raising script errors ----

[[noreturn]] void raise(duk_context* ctx, std::string_view text);
[[noreturn]] void raise_kept(duk_context* ctx);  // Vm::error_text
[[noreturn]] void raise_over(duk_context* ctx);  // a req, res or session after its call

// Whether there is a refusal; its text is kept for raise_kept().
bool refused(Vm& vm, Refusal refusal);

// ---- objects (objects.cpp, headers.cpp, session.cpp) ----

void push_thing(duk_context* ctx, Slot& slot, Thing which);
void drop_thing(Slot& slot, Thing which) noexcept;  // cut off from the call if the script still has it
bool is_answer_of(duk_context* ctx, duk_idx_t index, const Slot& slot);
// What a property of Object.prototype is, or undefined for toJSON; false: neither. Replaces the key on top.
bool get_inherited(duk_context* ctx, std::string_view name);

extern const lingate_duk_ops kReqOps, kResOps, kClientOps, kParamsOps, kAnswerOps;
extern const lingate_duk_ops kReqHeadersOps, kResHeadersOps;
extern const lingate_duk_ops kSessionOps;
extern const lingate_duk_ops kModuleOps;

// The body or head value at `index` as bytes: text as UTF-8, buffers as they are. False: it is neither.
bool get_body_bytes(duk_context* ctx, duk_idx_t index, std::string_view& bytes);
// The text or list of texts at `index` as header values in Vm::list; raises otherwise. append_ adds to what is there.
void get_header_values(duk_context* ctx, duk_idx_t index, std::string_view name);
void append_header_values(duk_context* ctx, duk_idx_t index, std::string_view name);
// Parses JSON and pushes the native value; raises "WHAT is no JSON: …".
void push_json(duk_context* ctx, std::string_view json, std::string_view what);
void assign_session(duk_context* ctx, Slot& slot);  // req.session = the value on top
void assign_container(duk_context* ctx, Slot& slot, Cell cell);

// Native functions for the prelude: an object on top of the stack.
void push_natives(duk_context* ctx);         // module.cpp
void push_object_natives(duk_context* ctx);  // headers.cpp: methods of headers, req, res into the object on top
void push_loader_natives(duk_context* ctx);  // loader.cpp

// ---- the end of a call (collect.cpp) ----

// What the hook returned (on top) and left behind becomes edits. False: `invalid`, with the text in error_text.
bool collect(duk_context* ctx, Slot& slot);

// ---- loading (loader.cpp) and failures (failure.cpp) ----

// Prelude, top level, init; to be run under Heap::run.
duk_ret_t load_script(duk_context* ctx, void* vm);

struct Fault {
  FailureKind kind = FailureKind::exception;
  std::string message;
  std::string file;
  std::uint32_t line = 0;
  std::vector<std::string> stack;
};
// Reads the error on top of the stack, whatever it is; what the heap says about brake and memory decides the kind. One
// that does not say where it was thrown has at least the script's file.
void read_fault(Vm& vm, Fault& fault) noexcept;

}  // namespace lingate::runtimes::duktape
