// The adapter interface: what a language must be able to do to take part. A Runtime makes instances; an Instance is one
// VM (for Python: one module) that holds one script with one configuration. A call goes in as a CallView (call_view.h),
// through which the script reads the bytes of a Call of proto/plugin.proto and leaves a Verdict, or the call suspends
// on a host operation and is resumed with its result later. While a call is suspended the instance may start others.
//
// Thread: an instance is used by one thread at a time; the pool (runtimes/pool.h) is its one caller. Only interrupt()
// comes from elsewhere: from the watchdog, while a call is running.
// Lifetime: a runtime outlives its instances. A view passed in is borrowed until the call is over, suspensions
// included. Errors: nothing throws or jumps out of a room. A script's fault is a Verdict with a Failure; only loading
// can fail otherwise.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtimes/interruptible.h"

namespace lingate::runtimes {

class CallView;
namespace pool {
class Crew;
}

enum class Hook : std::uint8_t { init = 1, request = 2, response = 3, log = 4 };  // numbers of plugin.proto

// Which hooks a script exports and how many parameters each takes, so that nobody encodes what nobody reads:
// request(req, ctx), response(res, req, ctx), log(res, req, ctx). kAbsent where a hook does not exist; a hook whose
// arity cannot be known counts as taking all.
struct HookSet {
  static constexpr std::int8_t kAbsent = -1;
  std::int8_t request = kAbsent;
  std::int8_t response = kAbsent;
  std::int8_t log = kAbsent;

  std::int8_t arity(Hook hook) const noexcept {
    return hook == Hook::request ? request : hook == Hook::response ? response : log;
  }
  bool has(Hook hook) const noexcept { return arity(hook) != kAbsent; }
};

enum class LogLevel : std::uint8_t { debug, info, warn, error };

// What an instance may ask of its surroundings while a call runs. Called on the thread that runs the instance, so from
// several at once.
class Host {
 public:
  // `fields` is a JSON object or empty; `call_tag` is the one given to start(), nullptr while loading. An instance that
  // is late may name a call that was cancelled or answered meanwhile: a tag must say so rather than dangle.
  virtual void log(LogLevel level, std::string_view message, std::string_view fields, void* call_tag) noexcept = 0;

 protected:
  ~Host() = default;
};

// Which bodies the step buffers, and the limits on what a script may write into a head.
struct ScriptLimits {
  std::size_t field_line = 16 * 1024;   // name, ": " and value
  std::size_t fields = 100;             // lines in one head
  std::size_t head = 32 * 1024;         // all lines
  std::size_t target = 8 * 1024;        // path, '?' and query
  std::size_t body = 10 * 1024 * 1024;  // an assigned body or an answer's
  bool request_body = false;            // `body: request|both`: reading req.body is allowed
  bool response_body = false;
};

// What a script in a worker process may have beyond its folder and the system's libraries. Other placements hold nobody
// to it.
struct Grants {
  std::vector<std::string> read;         // files and folders
  std::vector<std::string> write;        // the same; they can be read as well
  std::vector<std::string> environment;  // names of variables
};

struct Script {
  std::string path;          // as shown in messages; its folder is where require and import look
  std::string source;        // bytes of the file
  std::string config;        // a Value of plugin.proto, encoded; empty: null
  std::uint64_t memory = 0;  // bytes an instance may hold
  std::chrono::nanoseconds init_budget = std::chrono::seconds(5);
  ScriptLimits limits;
  Grants grants{};
};

enum class FailureKind : std::uint8_t { exception = 1, timeout = 2, memory = 3, invalid = 4, unavailable = 5 };

// Why a script could not be loaded: a syntax error, an error in its top level or in init, no hook, a budget or the
// memory limit spent while loading.
struct LoadError {
  FailureKind kind = FailureKind::exception;
  std::string message;
  std::string file;
  std::uint32_t line = 0;  // 0: unknown
  std::vector<std::string> stack;
};

// A host operation that a call waits for.
struct HostOperation {
  enum class Kind : std::uint8_t { sleep };
  Kind kind = Kind::sleep;
  double seconds = 0;  // sleep
};

struct HostResult {
  std::string_view error;  // empty: it worked; else the text of the error to raise at the place that waits
};

// Names one call in flight of one instance.
using CallId = std::uint32_t;

// How a start() or resume() ended.
struct Progress {
  enum class State : std::uint8_t { finished, suspended };
  State state = State::finished;  // then CallView::verdict() says what came of it
  HostOperation operation;        // suspended
};

struct InstanceMemory {
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
};

class Instance : public Interruptible {
 public:
  virtual ~Instance() = default;

  virtual const HookSet& hooks() const noexcept = 0;

  // Files besides the script itself that loading it has read (required modules), for reload to compare.
  virtual std::vector<std::string> dependencies() const = 0;

  // Runs the hook of a call that has begun until it ends or suspends. `tag` comes back in Host::log.
  virtual Progress start(CallId id, CallView& call, void* tag) noexcept = 0;
  virtual Progress resume(CallId id, const HostResult& result) noexcept = 0;

  // Drops a suspended call (client gone, time-out): its coroutine is closed without running further script code that
  // could outlive its budget.
  virtual void cancel(CallId id) noexcept = 0;

  // Watchdog's thread, only while a start(), resume() or cancel() runs: makes it end soon, with a Failure of kind
  // timeout. Must not block; async delivery (a signal) is allowed.
  void interrupt() noexcept override = 0;

  // Owner's thread, after a start/resume/cancel during which interrupt() was called has returned: waits for a delivery
  // still under way, and clears it, so that the next call starts clean.
  virtual void settle() noexcept = 0;

  // False once the instance must be thrown away (it could not be unwound cleanly).
  virtual bool usable() const noexcept = 0;

  virtual InstanceMemory memory() const noexcept = 0;

  // Between calls, when there is time: one small step of the collector. Returns true if more is worth doing.
  virtual bool idle_step() noexcept = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual std::string_view name() const noexcept = 0;            // "lua"
  virtual std::string version() const = 0;                       // "LuaJIT 2.1.0-beta3"
  virtual std::vector<std::string_view> extensions() const = 0;  // {".lua"}

  // Compiles `script`, runs its top level and init (within script.init_budget: the room arms its own interrupt through
  // the watchdog given at construction). May be called from several threads at once; the instance is then used, one
  // thread at a time, by whoever has it. `host` outlives the instance.
  virtual Result<std::unique_ptr<Instance>, LoadError> load(const Script& script, Host& host) = 0;

  // True if a call that cannot be stopped holds only its own instance, so that the pool may put a fresh one beside it.
  // False where all instances share one interpreter: then the others wait until the call returns.
  virtual bool independent() const noexcept { return true; }

 private:
  friend class pool::Crew;
  std::atomic<std::uint32_t> stuck_{0};  // calls that hold the one interpreter past their budget
};

}  // namespace lingate::runtimes
