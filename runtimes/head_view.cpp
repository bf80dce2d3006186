#include "runtimes/head_view.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/fields.h"
#include "proto/plugin.h"
#include "proto/wire.h"

namespace lingate::runtimes {
namespace {

using proto::WireType;

// An edit costs this much beside its text, so that empty ones are bounded too.
constexpr std::size_t kEditOverhead = 64;

bool decode(std::string_view header, HeadView::Line& line) {
  proto::Reader reader(header);
  proto::Field field;
  while (reader.next(field)) {
    if (field.is(proto::header::kName, WireType::bytes)) line.name = field.bytes;
    if (field.is(proto::header::kValue, WireType::bytes)) line.value = field.bytes;
  }
  return !reader.failed();
}

// A line takes up to two bytes more than its Header (one without a value).
constexpr std::size_t kLineMore = 2;

// Two keys and two lengths stand around a name of one byte at least.
constexpr std::size_t most_lines_of(std::string_view encoded) noexcept {
  return encoded.size() / 5;
}
// With the key and the length around it, a Header takes as much as its line.
constexpr std::size_t most_bytes_of(std::string_view encoded) noexcept {
  return encoded.size();
}

// Steps over the lines that certainly have another name: by length and last letter, where key, length, name key and
// name length take a byte each, as they do in what the gateway writes. Stands then at the first of `encoded` that may.
std::size_t skip_others(std::string_view encoded, std::uint32_t number, std::string_view name) noexcept {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::size_t kKeys = 4;
  constexpr std::uint32_t kMask = 0x00ff'80ff;  // both keys, and that the line is shorter than 128 bytes
  const std::uint32_t keys =
      proto::key_of(number, WireType::bytes) | proto::key_of(proto::header::kName, WireType::bytes) << 16U;
  const auto last = fields::lower(name.back());
  std::size_t at = 0;
  while (at + kKeys + name.size() <= encoded.size()) {
    const char* const line = encoded.data() + at;
    std::uint32_t head = 0;
    std::memcpy(&head, line, sizeof head);
    const std::size_t end = at + 2 + static_cast<unsigned char>(line[1]);
    if ((head & kMask) != keys || end > encoded.size()) break;
    if (head >> 24U == name.size() && fields::lower(line[3 + name.size()]) == last) break;
    at = end;
  }
  return at;
}

}  // namespace

void WriteRoom::begin(const ScriptLimits& limits) noexcept {
  arena_.reset();
  left_ = 1024 * 1024 + 8 * (limits.head + limits.target);
}

Refusal WriteRoom::take(std::size_t size, char*& place) {
  if (size + kEditOverhead > left_) return "too much is written in one call: headers, path, query or session";
  left_ -= size + kEditOverhead;
  place = arena_.allocate(size);
  return std::nullopt;
}

Refusal WriteRoom::keep(std::string_view text, std::string_view& kept) {
  char* place = nullptr;
  if (auto refusal = take(text.size(), place)) return refusal;
  proto::put_raw(place, text);
  kept = {place, text.size()};
  return std::nullopt;
}

void HeadView::begin(std::string_view encoded, Numbers numbers, std::string_view read_only, const ScriptLimits& limits,
                     WriteRoom& room) noexcept {
  encoded_ = encoded;
  numbers_ = numbers;
  read_only_ = read_only;
  limits_ = &limits;
  room_ = &room;
  most_lines_ = most_lines_of(encoded);
  most_bytes_ = most_bytes_of(encoded);
}

void HeadView::forget() noexcept {
  measured_ = indexed_ = false;
  found_ = {};
  edits_.clear();
  edits_size_ = 0;
}

bool HeadView::edited(std::string_view name) const noexcept {
  return std::any_of(edits_.begin(), edits_.end(),
                     [name](const Edit& edit) { return fields::same_name(edit.name, name); });
}

// Counts the lines: how many there can be at most stood for it so far.
void HeadView::measure() noexcept {
  measured_ = true;
  most_lines_ -= most_lines_of(encoded_);
  most_bytes_ -= most_bytes_of(encoded_);
  proto::Reader reader(encoded_);
  proto::Field field;
  while (reader.next(field)) {
    if (!field.is(numbers_.lines, WireType::bytes)) continue;
    most_bytes_ += field.bytes.size() + kLineMore;
    ++most_lines_;
  }
}

bool HeadView::surely_fits(std::size_t lines, std::size_t bytes) const noexcept {
  return most_lines_ + lines <= limits_->fields && most_bytes_ + bytes <= limits_->head;
}

void HeadView::index() {
  if (indexed_) return;
  indexed_ = measured_ = true;
  lines_.clear();
  most_bytes_ = 0;
  proto::Reader reader(encoded_);
  proto::Field field;
  while (reader.next(field)) {
    if (!field.is(numbers_.lines, WireType::bytes)) continue;
    Line& line = lines_.emplace_back();
    if (decode(field.bytes, line)) {
      most_bytes_ += line_bytes(line.name, line.value);
    } else {
      lines_.pop_back();
    }
  }
  for (const Edit& edit : edits_)
    apply(edit);
  most_lines_ = lines_.size();
}

const std::string_view* HeadView::get(std::string_view name) {
  if (!indexed_ && edited(name)) index();
  if (indexed_) {
    for (const Line& line : lines_)
      if (fields::same_name(line.name, name)) return &line.value;
    return nullptr;
  }
  if (name.empty()) return nullptr;
  if (fields::same_name(found_.name, name)) return &found_.value;  // to be removed, often
  for (std::string_view rest = encoded_;;) {
    proto::Reader reader(rest.substr(skip_others(rest, numbers_.lines, name)));
    proto::Field field;
    if (!reader.next(field)) return nullptr;
    rest = reader.rest();
    Line line;
    if (!field.is(numbers_.lines, WireType::bytes) || !decode(field.bytes, line)) continue;
    if (!fields::same_name(line.name, name)) continue;
    found_ = line;
    return &found_.value;
  }
}

void HeadView::values(std::string_view name, std::vector<std::string_view>& out) {
  index();
  out.clear();
  for (const Line& line : lines_)
    if (fields::same_name(line.name, name)) out.push_back(line.value);
}

std::span<const HeadView::Line> HeadView::lines() {
  index();
  return lines_;
}

void HeadView::names(std::vector<std::string_view>& distinct) {
  index();
  distinct.clear();
  for (const Line& line : lines_) {
    const auto same = [&](std::string_view seen) { return fields::same_name(seen, line.name); };
    if (std::none_of(distinct.begin(), distinct.end(), same)) distinct.push_back(line.name);
  }
}

Refusal HeadView::writable(std::string_view name) const {
  if (!read_only_.empty()) return std::string(read_only_);
  return check_header_name(name);
}

// Looks at every value, and at the head as it would be afterwards: first at what it could have at most.
Refusal HeadView::fits(std::string_view name, std::span<const std::string_view> values, bool append) {
  std::size_t more = 0;
  for (const std::string_view value : values) {
    if (auto refusal = check_header_value(name, value, *limits_)) return refusal;
    more += line_bytes(name, value);
  }
  if (surely_fits(values.size(), more)) return std::nullopt;
  if (!measured_) measure();
  if (surely_fits(values.size(), more)) return std::nullopt;
  index();
  std::size_t bytes = most_bytes_ + more;
  std::size_t lines = most_lines_ + values.size();
  for (const Line& line : lines_) {
    if (append || !fields::same_name(line.name, name)) continue;
    bytes -= line_bytes(line.name, line.value);
    --lines;
  }
  return check_head_size(name, lines, bytes, *limits_);
}

Refusal HeadView::set(std::string_view name, std::span<const std::string_view> values) {
  if (values.empty()) return remove(name);
  if (auto refusal = writable(name)) return refusal;
  if (auto refusal = fits(name, values, false)) return refusal;
  return record(name, values, false);
}

Refusal HeadView::add(std::string_view name, std::string_view value) {
  if (auto refusal = writable(name)) return refusal;
  if (auto refusal = fits(name, {&value, 1}, true)) return refusal;
  return record(name, {&value, 1}, true);
}

Refusal HeadView::remove(std::string_view name) {
  if (auto refusal = writable(name)) return refusal;
  if (!get(name)) return std::nullopt;
  return record(name, {}, false);
}

Refusal HeadView::record(std::string_view name, std::span<const std::string_view> values, bool append) {
  using namespace proto::header_edit;
  std::size_t size = proto::bytes_field_size(kName, name.size()) + (append ? proto::varint_field_size(kAppend, 1) : 0);
  for (const std::string_view value : values)
    size += proto::bytes_field_size(kValues, value.size());
  char* place = nullptr;
  if (auto refusal = room_->take(proto::bytes_field_size(numbers_.edits, size), place)) return refusal;
  char* to = proto::put_header(place, numbers_.edits, size);
  to = proto::put_short_bytes_field(to, kName, name);
  const std::string_view kept_name(to - name.size(), name.size());
  for (const std::string_view value : values)
    to = proto::put_short_bytes_field(to, kValues, value);
  if (append) to = proto::put_varint_field(to, kAppend, 1);
  const Edit& edit = edits_.emplace_back(Edit{kept_name, {place, to}, append});
  edits_size_ += edit.encoded.size();
  if (indexed_) {
    apply(edit);
    most_lines_ = lines_.size();
  } else {
    for (const std::string_view value : values)
      most_bytes_ += line_bytes(name, value);
    most_lines_ += values.size();
  }
  return std::nullopt;
}

void HeadView::apply(const Edit& edit) {
  const auto same = [&](const Line& line) { return fields::same_name(line.name, edit.name); };
  auto place = edit.append ? lines_.end() : std::find_if(lines_.begin(), lines_.end(), same);
  bool replaces = place != lines_.end();
  auto drop = place;  // lines from here on give way
  proto::Field field;
  proto::Reader whole(edit.encoded);
  whole.next(field);
  proto::Reader reader(field.bytes);
  while (reader.next(field)) {
    if (!field.is(proto::header_edit::kValues, WireType::bytes)) continue;
    const Line line{edit.name, field.bytes};
    most_bytes_ += line_bytes(line.name, line.value);
    if (std::exchange(replaces, false)) {
      most_bytes_ -= line_bytes(place->name, place->value);
      *place = line;
    } else {
      place = lines_.insert(place, line);
    }
    drop = ++place;
  }
  if (edit.append) return;
  const auto gone = std::remove_if(drop, lines_.end(), [&](const Line& line) {
    if (!same(line)) return false;
    most_bytes_ -= line_bytes(line.name, line.value);
    return true;
  });
  lines_.erase(gone, lines_.end());
}

char* HeadView::put_edits(char* to) const noexcept {
  for (const Edit& edit : edits_)
    to = proto::put_short(to, edit.encoded);
  return to;
}

}  // namespace lingate::runtimes
