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

Refusal WriteRoom::keep(std::string_view text, std::string_view& kept) {
  char* const place = take(std::max<std::size_t>(text.size(), 1));  // an arena has no place for nothing
  if (!place) return full();
  proto::put_raw(place, text);
  kept = {place, text.size()};
  return std::nullopt;
}

void HeadView::begin(const Place& place, std::string_view read_only) noexcept {
  source_ = &place.source;
  side_ = place.side;
  number_ = side_ == Side::request ? proto::request::kHeaders : proto::response::kHeaders;
  limits_ = &place.limits;
  room_ = &place.room;
  edits_ = &place.edits;
  read_only_ = read_only;
  asked_ = measured_ = indexed_ = false;
  found_ = {};
  const CallSource::Size most = source_->most_of(side_);
  most_lines_ = most.lines;
  most_bytes_ = most.bytes;
}

std::string_view HeadView::encoded() {
  if (!std::exchange(asked_, true))
    encoded_ = side_ == Side::request ? source_->request_lines() : source_->response_lines();
  return encoded_;
}

bool HeadView::edited(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < edits_->size(); ++i)
    if (fields::same_name((*edits_)[i].name, name)) return true;
  return false;
}

// Counts the lines: how many there can be at most stood for it so far.
void HeadView::measure() {
  measured_ = true;
  const CallSource::Size most = source_->most_of(side_);
  most_lines_ -= most.lines;
  most_bytes_ -= most.bytes;
  proto::Reader reader(encoded());
  proto::Field field;
  while (reader.next(field)) {
    if (!field.is(number_, WireType::bytes)) continue;
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
  proto::Reader reader(encoded());
  proto::Field field;
  while (reader.next(field)) {
    if (!field.is(number_, WireType::bytes)) continue;
    Line& line = lines_.emplace_back();
    if (decode(field.bytes, line)) {
      most_bytes_ += line_bytes(line.name, line.value);
    } else {
      lines_.pop_back();
    }
  }
  for (std::size_t i = 0; i < edits_->size(); ++i)
    apply((*edits_)[i]);
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
  if (!asked_) {
    if (const auto one = source_->header(side_, name)) {
      found_ = {};
      return !one->empty() && decode(*one, found_) ? &found_.value : nullptr;
    }
  }
  for (std::string_view rest = encoded();;) {
    proto::Reader reader(rest.substr(skip_others(rest, number_, name)));
    proto::Field field;
    if (!reader.next(field)) return nullptr;
    rest = reader.rest();
    Line line;
    if (!field.is(number_, WireType::bytes) || !decode(field.bytes, line)) continue;
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

// All that the checks ask of a name, of a line, for one that passes them.
bool HeadView::is_plain(std::string_view name) const noexcept {
  return read_only_.empty() && fields::is_token(name) && !fields::is_connection_field(name);
}

bool HeadView::is_plain(std::string_view name, std::string_view value) const noexcept {
  constexpr std::size_t kHost = 4;  // the value of Host has a syntax
  const std::size_t bytes = line_bytes(name, value);
  return name.size() != kHost && is_plain(name) && fields::is_value(value) && is_line_within(bytes, *limits_) &&
         surely_fits(1, bytes);
}

bool HeadView::set_plain(std::string_view name, std::string_view value) {
  return is_plain(name, value) && put(name, {&value, 1}, false);
}

bool HeadView::remove_plain(std::string_view name) {
  return is_plain(name) && (!get(name) || put(name, {}, false));
}

Refusal HeadView::set(std::string_view name, std::span<const std::string_view> values) {
  if (values.size() == 1 && set_plain(name, values.front())) return std::nullopt;
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
  if (remove_plain(name)) return std::nullopt;
  if (auto refusal = writable(name)) return refusal;
  if (!get(name)) return std::nullopt;
  return record(name, {}, false);
}

Refusal HeadView::record(std::string_view name, std::span<const std::string_view> values, bool append) {
  return put(name, values, append) ? std::nullopt : Refusal(WriteRoom::full());
}

// False: there is no room, and nothing was done.
bool HeadView::put(std::string_view name, std::span<const std::string_view> values, bool append) {
  std::size_t size = name.size();
  for (const std::string_view value : values)
    size += value.size();
  char* const place = room_->take(size);
  if (!place) return false;
  edits_->begin_edit({place, name.size()}, append);
  char* to = proto::put_short(place, name);
  for (const std::string_view value : values) {
    edits_->add_value({to, value.size()});
    to = proto::put_short(to, value);
  }
  if (indexed_) {
    apply((*edits_)[edits_->size() - 1]);
    most_lines_ = lines_.size();
    return true;
  }
  for (const std::string_view value : values)
    most_bytes_ += line_bytes(name, value);
  most_lines_ += values.size();
  return true;
}

void HeadView::apply(const HeaderEdit& edit) {
  const auto same = [&](const Line& line) { return fields::same_name(line.name, edit.name); };
  auto place = edit.append ? lines_.end() : std::find_if(lines_.begin(), lines_.end(), same);
  bool replaces = place != lines_.end();
  auto drop = place;  // lines from here on give way
  for (const std::string_view value : edit.values) {
    const Line line{edit.name, value};
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

}  // namespace lingate::runtimes
