// Values on the wire: WireWriter and read_value.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "proto/plugin.h"
#include "proto/wire.h"
#include "runtimes/value.h"

namespace lingate::runtimes {
namespace {

using proto::WireType;

constexpr char bytes_key(proto::Number number) {
  return static_cast<char>(proto::key_of(number, WireType::bytes));
}

constexpr char kEntryKey = bytes_key(1);  // List.values, Members.members and Member.name are all field 1
static_assert(proto::members::kMembers == 1 && proto::list::kValues == 1 && proto::member::kName == 1);
constexpr char kMemberValueKey = bytes_key(proto::member::kValue);
constexpr char kListKey = bytes_key(proto::value::kList);
constexpr char kMembersKey = bytes_key(proto::value::kMembers);

constexpr std::size_t kFewNames = 8;
constexpr std::size_t kMaxReadDepth = 128;

std::size_t name_field_size(std::string_view name) {
  return name.empty() ? 0 : proto::bytes_field_size(proto::member::kName, name.size());
}

bool walk(std::string_view value, ValueSink& sink, std::size_t depth);

bool walk_list(std::string_view list, ValueSink& sink, std::size_t depth) {
  if (depth >= kMaxReadDepth || !sink.begin_list()) return false;
  proto::Reader reader(list);
  proto::Field field;
  while (reader.next(field))
    if (!field.is(proto::list::kValues, WireType::bytes) || !walk(field.bytes, sink, depth + 1)) return false;
  return !reader.failed() && sink.end_list();
}

bool walk_member(std::string_view member, ValueSink& sink, std::size_t depth) {
  std::string_view name;
  std::string_view value;
  proto::Reader reader(member);
  proto::Field field;
  while (reader.next(field)) {
    if (field.is(proto::member::kName, WireType::bytes)) {
      name = field.bytes;
    } else if (field.is(proto::member::kValue, WireType::bytes)) {
      value = field.bytes;
    } else {
      return false;
    }
  }
  return !reader.failed() && utf8::is_valid(name) && sink.key(name) && walk(value, sink, depth);
}

bool walk_members(std::string_view members, ValueSink& sink, std::size_t depth) {
  if (depth >= kMaxReadDepth || !sink.begin_map()) return false;
  proto::Reader reader(members);
  proto::Field field;
  while (reader.next(field))
    if (!field.is(proto::members::kMembers, WireType::bytes) || !walk_member(field.bytes, sink, depth + 1))
      return false;
  return !reader.failed() && sink.end_map();
}

bool walk(std::string_view value, ValueSink& sink, std::size_t depth) {
  proto::Reader reader(value);
  proto::Field field;
  if (!reader.next(field)) return !reader.failed() && sink.null();
  if (!reader.rest().empty()) return false;  // one kind, once
  if (field.is(proto::value::kText, WireType::bytes)) return utf8::is_valid(field.bytes) && sink.text(field.bytes);
  if (field.is(proto::value::kNumber, WireType::fixed64)) return sink.number(field.as_double());
  if (field.is(proto::value::kBoolean, WireType::varint)) return sink.boolean(field.value != 0);
  if (field.is(proto::value::kMembers, WireType::bytes)) return walk_members(field.bytes, sink, depth);
  if (field.is(proto::value::kList, WireType::bytes)) return walk_list(field.bytes, sink, depth);
  if (field.is(proto::value::kNull, WireType::varint)) return sink.null();
  return false;
}

}  // namespace

bool read_value(std::string_view value, ValueSink& sink) {
  return walk(value, sink, 0);
}

bool read_members(std::string_view members, ValueSink& sink) {
  return walk_members(members, sink, 0);
}

WireWriter::WireWriter(ValueLimits limits) : limits_(limits) {}

void WireWriter::reset(ValueLimits limits) {
  limits_ = limits;
  bytes_.clear();
  levels_.clear();
  key_.clear();
  error_.message.clear();
  failed_ = false;
}

bool WireWriter::refuse(std::string message) {
  if (!failed_) error_.message = std::move(message);
  failed_ = true;
  return false;
}

bool WireWriter::check_room(std::size_t more) {
  if (failed_) return false;
  if (bytes_.size() + more <= limits_.bytes) return true;
  return refuse("the value takes more than " + std::to_string(limits_.bytes) + " bytes encoded");
}

// Everything before the bytes of a value of `size`: the List entry or Member around it.
bool WireWriter::begin_entry(std::size_t size) {
  const bool in_map = !levels_.empty() && levels_.back().map;
  const std::size_t value_field = 1 + proto::varint_size(size) + size;
  const std::size_t name_field = in_map ? name_field_size(key_) : 0;
  const std::size_t around = 1 + proto::varint_size(name_field + value_field) + name_field + value_field;
  if (!check_room(levels_.empty() ? size : around)) return false;
  if (levels_.empty()) return true;
  std::array<char, 32> room;
  char* end = room.data();
  *end++ = kEntryKey;
  if (in_map) {
    end = proto::put_varint(end, name_field + value_field);
    if (!key_.empty()) end = proto::put_header(end, proto::member::kName, key_.size());
    bytes_.append(room.data(), end);
    bytes_.append(key_);
    end = room.data();
    *end++ = kMemberValueKey;
  }
  end = proto::put_varint(end, size);
  bytes_.append(room.data(), end);
  return true;
}

bool WireWriter::null() {
  if (!begin_entry(2)) return false;
  bytes_.append({0x08, 0x01});
  return true;
}

bool WireWriter::boolean(bool value) {
  if (!begin_entry(2)) return false;
  bytes_.append({0x10, value ? '\1' : '\0'});
  return true;
}

bool WireWriter::number(double value) {
  if (std::isnan(value)) return refuse("NaN is no value");
  if (std::isinf(value)) return refuse("infinity is no value");
  if (!begin_entry(proto::double_field_size(proto::value::kNumber))) return false;
  std::array<char, 16> room;
  bytes_.append(room.data(), proto::put_double_field(room.data(), proto::value::kNumber, value));
  return true;
}

bool WireWriter::text(std::string_view utf8) {
  if (!utf8::is_valid(utf8)) return refuse("text that is not UTF-8 is no value");
  if (!begin_entry(proto::bytes_field_size(proto::value::kText, utf8.size()))) return false;
  std::array<char, 16> room;
  bytes_.append(room.data(), proto::put_header(room.data(), proto::value::kText, utf8.size()));
  bytes_.append(utf8);
  return true;
}

bool WireWriter::key(std::string_view utf8) {
  if (failed_) return false;
  if (!utf8::is_valid(utf8)) return refuse("a key that is not UTF-8 is no key");
  key_.assign(utf8);
  return true;
}

bool WireWriter::begin_list() {
  return open(false);
}

bool WireWriter::end_list() {
  return close();
}

bool WireWriter::begin_map() {
  return open(true);
}

bool WireWriter::end_map() {
  return close();
}

bool WireWriter::open(bool map) {
  if (levels_.size() >= limits_.depth)
    return refuse("lists and maps nest deeper than " + std::to_string(limits_.depth));
  const bool top = levels_.empty();
  const bool in_map = !top && levels_.back().map;
  const std::size_t name_size = in_map ? name_field_size(key_) : 0;
  if (!check_room(name_size + 6)) return false;
  const std::size_t wrapper = bytes_.size();
  if (!top) bytes_.append({kEntryKey, 0});
  if (in_map) {
    std::array<char, 16> room;
    if (!key_.empty()) {
      bytes_.append(room.data(), proto::put_header(room.data(), proto::member::kName, key_.size()));
      bytes_.append(key_);
    }
    bytes_.append({kMemberValueKey, 0});
  }
  bytes_.append({map ? kMembersKey : kListKey, 0});
  levels_.push_back({wrapper, bytes_.size(), name_size, map, in_map, top});
  return true;
}

// Now the lengths around the container are known. They are written over the bytes kept for them; where one needs more
// than a byte, the name and the payload move up first.
bool WireWriter::close() {
  if (failed_ || levels_.empty()) return false;
  const Level level = levels_.back();
  if (level.map && !check_keys(level.payload)) return false;
  levels_.pop_back();
  const std::size_t payload = bytes_.size() - level.payload;
  const std::size_t value = 1 + proto::varint_size(payload) + payload;
  const std::size_t member = level.name_size + 1 + proto::varint_size(value) + value;
  std::size_t extra = proto::varint_size(payload) - 1;
  if (!level.top) extra += proto::varint_size(value) - 1;
  if (level.in_map) extra += proto::varint_size(member) - 1;
  if (extra != 0) {
    if (!check_room(extra)) return false;
    bytes_.resize(bytes_.size() + extra);
    char* const from = bytes_.data() + level.payload;
    std::memmove(from + extra, from, payload);
  }
  char* to = bytes_.data() + level.wrapper;
  if (level.in_map) {
    char* const name = to + 1 + proto::varint_size(member);
    std::memmove(name, to + 2, level.name_size);
    proto::put_varint(to + 1, member);
    to = name + level.name_size;
    *to++ = kMemberValueKey;
  } else if (!level.top) {
    ++to;
  }
  if (!level.top) to = proto::put_varint(to, value);
  *to++ = level.map ? kMembersKey : kListKey;
  proto::put_varint(to, payload);
  return true;
}

// A key given twice: few are compared with each other, many are sorted.
bool WireWriter::check_keys(std::size_t payload) {
  names_.clear();
  proto::Reader members(std::string_view(bytes_).substr(payload));
  proto::Field member;
  while (members.next(member)) {
    proto::Reader reader(member.bytes);
    proto::Field field;
    const bool named = reader.next(field) && field.is(proto::member::kName, WireType::bytes);
    names_.push_back(named ? field.bytes : std::string_view{});
  }
  auto found = names_.end();
  if (names_.size() > kFewNames) {
    std::sort(names_.begin(), names_.end());
    found = std::adjacent_find(names_.begin(), names_.end());
  } else {
    for (auto name = names_.begin(); name != names_.end() && found == names_.end(); ++name)
      if (std::find(name + 1, names_.end(), *name) != names_.end()) found = name;
  }
  if (found == names_.end()) return true;
  return refuse("the key \"" + std::string(utf8::cut(*found, 64)) + "\" is given twice");
}

std::string_view WireWriter::members() const noexcept {
  proto::Reader reader(bytes_);
  proto::Field field;
  return reader.next(field) && field.is(proto::value::kMembers, WireType::bytes) ? field.bytes : std::string_view{};
}

}  // namespace lingate::runtimes
