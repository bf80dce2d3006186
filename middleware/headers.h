// Headers: the lines of one head, in order, duplicates kept. Received lines are views into the connection's buffer and
// keep their exact bytes (`line`), so that what nobody touched goes out as it came; edits change the array, and texts
// that they add live in the exchange's arena. This array is the edit list: the serialiser walks it once.
//
// Thread: the worker's. Lifetime: views live as long as the exchange; capacity is kept across reuse.
// Field names compare without case (RFC 9110 section 5.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace lingate::middleware {

// Fields that the gateway itself acts on; everything else is `other`. Looked up once, when the head is scanned.
enum class FieldId : std::uint8_t {
  other,
  accept_encoding,
  connection,
  content_digest,
  content_encoding,
  content_length,
  content_md5,
  content_type,
  digest,
  etag,
  expect,
  forwarded,
  host,
  keep_alive,
  origin,
  proxy,
  proxy_authorization,
  proxy_connection,
  repr_digest,
  te,
  traceparent,
  tracestate,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  via,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_request_id,
};

// What a name is known by: names that are the same have the same key; among `other` ones the mark tells most apart.
struct FieldKey {
  FieldId id = FieldId::other;
  std::uint16_t mark = 0;
};

FieldKey field_key(std::string_view name) noexcept;
inline FieldId field_id(std::string_view name) noexcept {
  return field_key(name).id;
}

struct Field {
  std::string_view name{};
  std::string_view value{};
  std::string_view
      line{};  // "Name: value\r\n", as received or prepared; empty for what is put together when it is sent
  // These four bytes are compared as one (headers.cpp).
  FieldId id = FieldId::other;
  bool removed = false;
  std::uint16_t mark = 0;  // of field_key(name); needed for `other` only
  bool prepared = false;   // `line` did not come over the wire: a step's settings, written once and for all

  bool received() const noexcept { return !line.empty() && !prepared; }
};

// A line of any name.
inline Field make_field(std::string_view name, std::string_view value, std::string_view line = {}) noexcept {
  const FieldKey key = field_key(name);
  return {.name = name, .value = value, .line = line, .id = key.id, .mark = key.mark};
}

// The line of a step's settings. `line` is "Name: value\r\n" with both checked (base/fields.h), and outlives the
// exchange.
inline Field make_prepared_field(std::string_view line, std::size_t name_size) noexcept {
  Field field = make_field(line.substr(0, name_size), line.substr(name_size + 2, line.size() - name_size - 4), line);
  field.prepared = true;
  return field;
}

class Headers {
 public:
  explicit Headers(Arena& arena) : arena_(arena) {}

  void clear() noexcept {
    fields_.clear();
    most_bytes_ = 0;
    noted_ = 0;
    worth_noting_ = false;
    ++version_;
  }
  void receive(const Field& field) {
    most_bytes_ += field_bytes(field);
    fields_.push_back(field);
  }
  std::span<const Field> all() const noexcept { return fields_; }  // removed ones included
  std::size_t size() const noexcept;                               // lines that remain
  // What the lines take, as line_bytes counts it; not less than that, since lines that went are still counted.
  std::size_t most_bytes() const noexcept { return most_bytes_; }

  const Field* find(FieldId id) const noexcept;
  const Field* find(std::string_view name) const noexcept;
  std::string_view value(std::string_view name) const noexcept;  // first line's, empty where missing

  // Names and values have been checked by the caller (base/fields.h); texts are copied into the arena.
  // set: replaces the first such line in place (further values follow it), drops the others, or appends; no values:
  // removes.
  void set(std::string_view name, std::span<const std::string_view> values);
  void set(std::string_view name, std::string_view value) { set(name, std::span(&value, 1)); }
  // The same for texts that outlive the exchange or stand in its arena, and for prepared lines: nothing is copied.
  void set_lasting(FieldKey key, std::string_view name, std::string_view value);
  void set_lasting(std::string_view name, std::span<const std::string_view> values);
  void set_prepared(const Field& line) { replace(line); }
  void set_further(const Field& line);  // behind the last of its name
  void add(std::string_view name, std::string_view value) { add(name, std::span(&value, 1)); }
  void add(std::string_view name, std::span<const std::string_view> values);
  void add_lasting(std::string_view name, std::span<const std::string_view> values);
  void add_prepared(const Field& line);
  void remove(std::string_view name) noexcept;
  void remove(std::string_view name, FieldKey key) noexcept;
  void remove(FieldId id) noexcept;

  // Takes back edits: `fields` is a copy of all() from before them.
  void restore(std::span<const Field> fields) {
    fields_.assign(fields.begin(), fields.end());
    noted_ = 0;
    ++version_;
  }

  std::uint32_t version() const noexcept { return version_; }  // changes with every edit

 private:
  static constexpr std::size_t kSlots = 64;  // of which two thirds are taken at most

  static std::size_t first_slot(FieldKey key) noexcept {
    return (key.id == FieldId::other ? key.mark : static_cast<std::size_t>(key.id)) % kSlots;
  }
  static std::size_t field_bytes(const Field& field) noexcept { return field.name.size() + field.value.size() + 4; }
  void replace(const Field& first);  // the others of its name are gone
  bool note_names() noexcept;        // false: not worth it yet, or there are too many
  void note(std::size_t place) noexcept;

  Arena& arena_;
  std::vector<Field> fields_;
  std::size_t most_bytes_ = 0;
  // 1 + the places of the first `noted_` lines by a hash of their names, open addressing, 0 for a free slot. Noted when
  // a second line is set: who sets one after the other does not look through all of them each time.
  std::array<std::uint8_t, kSlots> noted_at_;
  std::uint32_t noted_ = 0;
  std::uint32_t version_ = 0;
  bool worth_noting_ = false;
};

}  // namespace lingate::middleware
