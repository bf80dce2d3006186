#include "middleware/headers.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/fields.h"

namespace lingate::middleware {
namespace {

struct Known {
  std::string_view name;
  FieldId id;
};

constexpr Known kKnown[] = {
    {"accept-encoding", FieldId::accept_encoding},
    {"connection", FieldId::connection},
    {"content-digest", FieldId::content_digest},
    {"content-encoding", FieldId::content_encoding},
    {"content-length", FieldId::content_length},
    {"content-md5", FieldId::content_md5},
    {"content-type", FieldId::content_type},
    {"digest", FieldId::digest},
    {"etag", FieldId::etag},
    {"expect", FieldId::expect},
    {"forwarded", FieldId::forwarded},
    {"host", FieldId::host},
    {"keep-alive", FieldId::keep_alive},
    {"origin", FieldId::origin},
    {"proxy", FieldId::proxy},
    {"proxy-authorization", FieldId::proxy_authorization},
    {"proxy-connection", FieldId::proxy_connection},
    {"repr-digest", FieldId::repr_digest},
    {"te", FieldId::te},
    {"traceparent", FieldId::traceparent},
    {"tracestate", FieldId::tracestate},
    {"trailer", FieldId::trailer},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"upgrade", FieldId::upgrade},
    {"user-agent", FieldId::user_agent},
    {"via", FieldId::via},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"x-forwarded-host", FieldId::x_forwarded_host},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"x-request-id", FieldId::x_request_id},
};

constexpr std::size_t kSlots = 128;

// A hash of length, first and last letter without case. The multipliers are found while compiling, such that no two
// known names share a slot; so a lookup is one probe and one comparison.
constexpr std::uint32_t mix_of(std::string_view name, std::uint32_t factor) noexcept {
  const auto first = static_cast<std::uint32_t>(static_cast<unsigned char>(name.front()) | 0x20U);
  const auto last = static_cast<std::uint32_t>(static_cast<unsigned char>(name.back()) | 0x20U);
  const auto middle = static_cast<std::uint32_t>(static_cast<unsigned char>(name[name.size() / 2]) | 0x20U);
  const auto size = static_cast<std::uint32_t>(name.size());
  return (first * 961U + last * 31U + middle + size * 29'791U) * factor >> 16U;
}

constexpr std::size_t slot_of(std::string_view name, std::uint32_t factor) noexcept {
  return mix_of(name, factor) % kSlots;
}

constexpr bool separates(std::uint32_t factor) noexcept {
  bool taken[kSlots] = {};
  for (const Known& known : kKnown) {
    bool& slot = taken[slot_of(known.name, factor)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

// From a large one on (2^32 by the golden ratio): names that differ in one letter get marks that differ.
constexpr std::uint32_t find_factor() noexcept {
  std::uint32_t factor = 0x9e3779b1U;
  while (!separates(factor))
    factor += 2;
  return factor;
}

constexpr std::uint32_t kFactor = find_factor();

struct Table {
  std::uint8_t slots[kSlots] = {};  // 1 + index into kKnown
};

constexpr Table make_table() noexcept {
  Table table;
  for (std::size_t k = 0; k < std::size(kKnown); ++k)
    table.slots[slot_of(kKnown[k].name, kFactor)] = static_cast<std::uint8_t>(k + 1);
  return table;
}

constexpr Table kTable = make_table();

// A name as it is looked for: what the last four bytes of a Field must be, where it matters.
class Sought {
 public:
  Sought(std::string_view name, FieldKey key) noexcept : name_(name), other_(key.id == FieldId::other) {
    tag_ = tag_of({.id = key.id, .mark = key.mark});
    mask_ = tag_of({.id = FieldId{0xff}, .removed = true, .mark = static_cast<std::uint16_t>(other_ ? 0xffff : 0)});
  }

  bool is(const Field& field) const noexcept {
    if (((tag_of(field) ^ tag_) & mask_) != 0) return false;
    return !other_ || fields::same_name(field.name, name_);
  }

 private:
  static std::uint32_t tag_of(const Field& field) noexcept {
    static_assert(offsetof(Field, removed) == offsetof(Field, id) + 1 &&
                  offsetof(Field, mark) == offsetof(Field, id) + 2);
    std::uint32_t tag = 0;
    std::memcpy(&tag, reinterpret_cast<const char*>(&field) + offsetof(Field, id), sizeof tag);
    return tag;
  }

  std::string_view name_;
  bool other_;
  std::uint32_t tag_;
  std::uint32_t mask_;
};

}  // namespace

FieldKey field_key(std::string_view name) noexcept {
  if (name.empty()) return {};
  const std::uint32_t mix = mix_of(name, kFactor);
  const auto mark = static_cast<std::uint16_t>(mix);
  const std::uint8_t entry = kTable.slots[mix % kSlots];
  if (entry == 0) return {.mark = mark};
  const Known& known = kKnown[entry - 1U];
  return {.id = fields::same_name(known.name, name) ? known.id : FieldId::other, .mark = mark};
}

std::size_t Headers::size() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(), [](const Field& f) { return !f.removed; }));
}

const Field* Headers::find(FieldId id) const noexcept {
  for (const Field& field : fields_)
    if (field.id == id && !field.removed) return &field;
  return nullptr;
}

const Field* Headers::find(std::string_view name) const noexcept {
  const Sought sought(name, field_key(name));
  for (const Field& field : fields_)
    if (sought.is(field)) return &field;
  return nullptr;
}

std::string_view Headers::value(std::string_view name) const noexcept {
  const Field* field = find(name);
  return field ? field->value : std::string_view();
}

void Headers::note(std::size_t place) noexcept {
  const Field& field = fields_[place];
  std::size_t slot = first_slot({.id = field.id, .mark = field.mark});
  while (noted_at_[slot] != 0)
    slot = (slot + 1) % kSlots;
  noted_at_[slot] = static_cast<std::uint8_t>(place + 1);
}

bool Headers::note_names() noexcept {
  const std::size_t size = fields_.size();
  if (noted_ == size && noted_ != 0) return true;
  if (!std::exchange(worth_noting_, true) || size > kSlots * 2 / 3) return false;
  if (noted_ == 0) noted_at_.fill(0);
  for (; noted_ < size; ++noted_)
    note(noted_);
  return true;
}

void Headers::replace(const Field& first) {
  ++version_;
  most_bytes_ += field_bytes(first);
  const FieldKey key{.id = first.id, .mark = first.mark};
  const Sought sought(first.name, key);
  Field* place = nullptr;
  const auto meet = [&](Field& field) {
    if (!sought.is(field)) return;
    if (place)
      field.removed = true;
    else
      place = &field;
  };
  if (note_names()) {
    for (std::size_t slot = first_slot(key); noted_at_[slot] != 0; slot = (slot + 1) % kSlots)
      meet(fields_[noted_at_[slot] - 1U]);
  } else {
    std::for_each(fields_.begin(), fields_.end(), meet);
  }
  Field& line = place ? *place : fields_.emplace_back();
  line = first;
}

void Headers::set_further(const Field& line) {
  const Sought sought(line.name, {.id = line.id, .mark = line.mark});
  const auto last =
      std::find_if(fields_.rbegin(), fields_.rend(), [&](const Field& field) { return sought.is(field); });
  ++version_;
  most_bytes_ += field_bytes(line);
  noted_ = 0;
  fields_.insert(last == fields_.rend() ? fields_.end() : last.base(), line);
}

void Headers::set(std::string_view name, std::span<const std::string_view> values) {
  if (values.empty()) return remove(name);
  Field field = make_field(arena_.copy(name), arena_.copy(values.front()));
  replace(field);
  for (const std::string_view value : values.subspan(1)) {
    field.value = arena_.copy(value);
    set_further(field);
  }
}

void Headers::set_lasting(FieldKey key, std::string_view name, std::string_view value) {
  replace({.name = name, .value = value, .id = key.id, .mark = key.mark});
}

void Headers::set_lasting(std::string_view name, std::span<const std::string_view> values) {
  if (values.empty()) return remove(name);
  Field field = make_field(name, values.front());
  replace(field);
  for (const std::string_view value : values.subspan(1)) {
    field.value = value;
    set_further(field);
  }
}

void Headers::add(std::string_view name, std::span<const std::string_view> values) {
  for (const std::string_view value : values)
    add_prepared(make_field(arena_.copy(name), arena_.copy(value)));
}

void Headers::add_lasting(std::string_view name, std::span<const std::string_view> values) {
  for (const std::string_view value : values)
    add_prepared(make_field(name, value));
}

void Headers::add_prepared(const Field& line) {
  ++version_;
  receive(line);
}

void Headers::remove(std::string_view name) noexcept {
  remove(name, field_key(name));
}

void Headers::remove(FieldId id) noexcept {
  remove({}, {.id = id});
}

void Headers::remove(std::string_view name, FieldKey key) noexcept {
  const Sought sought(name, key);
  for (Field& field : fields_) {
    if (!sought.is(field)) continue;
    field.removed = true;
    ++version_;
  }
}

}  // namespace lingate::middleware
