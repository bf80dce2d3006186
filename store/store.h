// Store: small records that outlive a request, and in most kinds the process: callers' sessions, the keys that name
// them, what is left of their quotas, what scripts keep. One interface, several kinds: `memory` (gone with the
// process), `embedded` (a folder of this machine, crash-safe), `redis` (another process, that several gateways share).
//
// Reads see what was last committed; of a store that is not remote they wait for nobody. A remote one is asked by
// follow() where a thread serves others. Writes are changes: functions that edit a record in place, run by the store so
// that nothing is lost between reading and writing. A change that is acknowledged is durable, as far as the kind can
// promise that.
//
// Errors: code::kStoreUnavailable with what the store said; a store that has failed once is asked again each time.
// Thread: any. Lifetime: outlives all that reads and writes; the destructor acknowledges what is under way.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace lingate::store {

using Time = std::chrono::system_clock::time_point;

// Records of one kind; keys are unique within it.
enum class Space : std::uint8_t { sessions, keys, quotas, kv };
inline constexpr std::uint8_t kSpaces = 4;

inline constexpr std::size_t kMaxKey = 480;            // bytes
inline constexpr std::size_t kMaxValue = 1024 * 1024;  // bytes

struct Record {
  std::string value;
  std::optional<Time> expires{};  // from then on it is as if it were not there; whole milliseconds count
};

struct Change {
  Space space{};
  std::string key;
  // Edits what stands there (nothing: no record, or an expired one). False refuses, and then no change of the batch is
  // made. Pure: a store may run it more than once, on a thread of its own.
  std::function<bool(std::optional<Record>&)> edit;
};

enum class Applied : std::uint8_t { done, refused };

struct Entry {
  std::string key;
  Record record;
};

// Two records, of which the first one's value is the key of the second.
struct Linked {
  std::optional<Record> first{};
  std::optional<Record> second{};
};

// How a store does that can be away; of any other all is zero.
struct Health {
  bool away = false;  // its breaker is open
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;   // answered with an error
  std::uint64_t late = 0;     // not answered in time
  std::uint64_t refused = 0;  // not asked, since the breaker was open
  std::uint64_t opened = 0;   // times that the breaker has
};

class Counts;

class Store {
 public:
  using Done = std::function<void(Result<Applied>)>;
  using Changed = std::function<void(Space, std::string_view key)>;
  using Followed = std::function<void(Result<Linked>)>;

  virtual ~Store() = default;

  virtual std::string_view kind() const noexcept = 0;  // "memory"

  // Whether answers come from elsewhere: then read(), scan() and apply_and_wait() are for threads that serve nobody
  // else.
  virtual bool is_remote() const noexcept { return false; }

  virtual Result<std::optional<Record>> read(Space space, std::string_view key) = 0;

  // What stands under `key`, and in `then` under the key that its value is. `done` is called once, on any thread,
  // perhaps before this returns; it must not block.
  virtual void follow(Space space, std::string_view key, Space then, Followed done);

  // At most `most` records whose keys begin with `prefix` and come after `after`, by key.
  virtual Result<std::vector<Entry>> scan(Space space, std::string_view prefix, std::string_view after,
                                          std::size_t most) = 0;

  // All changes or none, in their order. `done` is called once, on any thread, perhaps before this returns; it must not
  // block.
  virtual void apply(std::vector<Change> changes, Done done) = 0;

  // Calls `changed` for each key of each batch when it is committed, before the batch is acknowledged; on any thread,
  // must not block. One listener, set before this process's first change. Of a store that others write to as well it is
  // called for their changes too; with an empty key, where some of the space may have been missed.
  virtual void on_change(Changed changed) = 0;

  // Since when it is away, and changes of others are not heard; nothing: it is here.
  virtual std::optional<std::chrono::steady_clock::time_point> away_since() const noexcept { return std::nullopt; }
  virtual Health health() const noexcept { return {}; }

  // For the process that is to take this one's place, while this one still serves: what keeps others away from the
  // store. From then on what that process changes is heard of as well. None: nothing keeps anybody away.
  virtual Descriptor begin_sharing() { return Descriptor(); }
  virtual void end_sharing() noexcept {}  // it came to nothing

  // Where several gateways can count together; nullptr: there is no other gateway.
  virtual Counts* counts() noexcept { return nullptr; }

  // The same, waiting for the outcome: for threads that serve nobody else.
  Result<Applied> apply_and_wait(std::vector<Change> changes);
};

// The edits that need no thought.
Change put(Space space, std::string key, Record record);
Change remove(Space space, std::string key);

std::unique_ptr<Store> make_memory_store();

struct EmbeddedOptions {
  std::string folder;                       // made where it is missing, its parents are not
  std::uint64_t most_bytes = 16ULL << 30U;  // address space, and so the most that it can hold
  // Of a process that takes another's place: the lock that it was given (begin_sharing()), and from whom.
  int lock = -1;
  pid_t predecessor = 0;
};
// Fails with code::kStoreUnavailable, for one where another process has the folder.
Result<std::unique_ptr<Store>> open_embedded_store(const EmbeddedOptions& options);

}  // namespace lingate::store
