// Settings: the validated options of one configured thing (a built-in step, an upstream), as a small immutable tree.
// The loader has already checked names, types and units against the field table and filled in the defaults, so a
// reader asks for what it needs and cannot fail. Durations are nanoseconds, sizes bytes.
//
// Immutable after load; may be read from any thread. Views returned live as long as the tree.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lingate {

struct ByteSize {
  std::uint64_t bytes = 0;
};

// A text that came from the environment or a file of its own: used like any other, never printed.
struct Secret {
  std::string text;
};

class Settings {
 public:
  using Duration = std::chrono::nanoseconds;
  using List = std::vector<Settings>;
  using Map = std::vector<std::pair<std::string, Settings>>;  // in the order written
  using Data =
      std::variant<std::monostate, bool, std::int64_t, double, std::string, Secret, Duration, ByteSize, List, Map>;

  Settings() = default;
  explicit Settings(Data data) : data_(std::move(data)) {}

  const Data& data() const noexcept { return data_; }
  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data_); }
  template <class T>
  const T* as() const noexcept {
    return std::get_if<T>(&data_);
  }

  std::string_view as_text() const noexcept;  // of a text or a Secret; empty for all else

  // A member of a map; nullptr where it is absent or null, or where this is no map.
  const Settings* find(std::string_view key) const noexcept;

  // Members with a value to use where the table gives no default.
  std::string_view text(std::string_view key, std::string_view otherwise = {}) const noexcept;  // a Secret's too
  bool flag(std::string_view key, bool otherwise = false) const noexcept;
  std::int64_t integer(std::string_view key, std::int64_t otherwise = 0) const noexcept;
  Duration duration(std::string_view key, Duration otherwise = {}) const noexcept;
  std::uint64_t size(std::string_view key, std::uint64_t otherwise = 0) const noexcept;
  const List& list(std::string_view key) const noexcept;  // empty where absent
  const Map& map(std::string_view key) const noexcept;    // empty where absent

 private:
  Data data_;
};

}  // namespace lingate
