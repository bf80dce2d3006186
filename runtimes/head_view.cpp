#include "runtimes/head_view.h"

#include <algorithm>

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

}  // namespace

void WriteRoom::begin(const ScriptLimits& limits) noexcept {
  arena_.reset();
  left_ = 1024 * 1024 + 8 * (limits.head + limits.target);
}

Refusal WriteRoom::keep(std::string_view text, std::string_view& kept) {
  if (text.size() + kEditOverhead > left_) return "too much is written in one call: headers, path, query or session";
  left_ -= text.size() + kEditOverhead;
  kept = arena_.copy(text);
  return std::nullopt;
}

void HeadView::begin(std::string_view encoded, std::uint32_t header_field, std::string_view read_only,
                     const ScriptLimits& limits, WriteRoom& room) noexcept {
  encoded_ = encoded;
  header_field_ = header_field;
  read_only_ = read_only;
  indexed_ = false;
  bytes_ = 0;
  lines_.clear();
  edits_.clear();
  edit_values_.clear();
  limits_ = &limits;
  room_ = &room;
}

void HeadView::index() {
  if (indexed_) return;
  indexed_ = true;
  proto::Reader reader(encoded_);
  proto::Field field;
  while (reader.next(field)) {
    if (!field.is(header_field_, WireType::bytes)) continue;
    Line& line = lines_.emplace_back();
    if (decode(field.bytes, line)) {
      bytes_ += line_bytes(line.name, line.value);
    } else {
      lines_.pop_back();
    }
  }
}

const std::string_view* HeadView::get(std::string_view name) {
  index();
  for (const Line& line : lines_)
    if (fields::same_name(line.name, name)) return &line.value;
  return nullptr;
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

// Looks at every value, and at the head as it would be afterwards.
Refusal HeadView::fits(std::string_view name, std::span<const std::string_view> values, bool append) const {
  std::size_t bytes = bytes_;
  std::size_t lines = lines_.size() + values.size();
  for (const std::string_view value : values) {
    if (auto refusal = check_header_value(name, value, *limits_)) return refusal;
    bytes += line_bytes(name, value);
  }
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
  index();
  if (auto refusal = fits(name, values, false)) return refusal;
  return record(name, values, false);
}

Refusal HeadView::add(std::string_view name, std::string_view value) {
  if (auto refusal = writable(name)) return refusal;
  index();
  if (auto refusal = fits(name, {&value, 1}, true)) return refusal;
  return record(name, {&value, 1}, true);
}

Refusal HeadView::remove(std::string_view name) {
  if (auto refusal = writable(name)) return refusal;
  if (!get(name)) return std::nullopt;
  return record(name, {}, false);
}

Refusal HeadView::record(std::string_view name, std::span<const std::string_view> values, bool append) {
  Edit edit{{}, static_cast<std::uint32_t>(edit_values_.size()), static_cast<std::uint32_t>(values.size()), append};
  if (auto refusal = room_->keep(name, edit.name)) return refusal;
  for (const std::string_view value : values) {
    std::string_view kept;
    if (auto refusal = room_->keep(value, kept)) {
      edit_values_.resize(edit.first_value);
      return refusal;
    }
    edit_values_.push_back(kept);
  }
  edits_.push_back(edit);
  apply(edit);
  return std::nullopt;
}

void HeadView::apply(const Edit& edit) {
  const auto same = [&](const Line& line) { return fields::same_name(line.name, edit.name); };
  auto place = edit.append ? lines_.end() : std::find_if(lines_.begin(), lines_.end(), same);
  auto drop = place;  // lines from here on give way
  for (std::uint32_t i = 0; i < edit.value_count; ++i) {
    const Line line{edit.name, edit_values_[edit.first_value + i]};
    bytes_ += line_bytes(line.name, line.value);
    if (i == 0 && place != lines_.end()) {
      bytes_ -= line_bytes(place->name, place->value);
      *place = line;
    } else {
      place = lines_.insert(place, line);
    }
    drop = ++place;
  }
  if (edit.append) return;
  const auto gone = std::remove_if(drop, lines_.end(), [&](const Line& line) {
    if (!same(line)) return false;
    bytes_ -= line_bytes(line.name, line.value);
    return true;
  });
  lines_.erase(gone, lines_.end());
}

std::size_t HeadView::edits_size(std::uint32_t field) const noexcept {
  std::size_t size = 0;
  for (const Edit& edit : edits_)
    size += proto::bytes_field_size(field, edit_size(edit));
  return size;
}

std::size_t HeadView::edit_size(const Edit& edit) const noexcept {
  std::size_t size = proto::bytes_field_size(proto::header_edit::kName, edit.name.size()) +
                     (edit.append ? proto::varint_field_size(proto::header_edit::kAppend, 1) : 0);
  for (std::uint32_t i = 0; i < edit.value_count; ++i)
    size += proto::bytes_field_size(proto::header_edit::kValues, edit_values_[edit.first_value + i].size());
  return size;
}

char* HeadView::put_edits(char* to, std::uint32_t field) const noexcept {
  for (const Edit& edit : edits_) {
    to = proto::put_header(to, field, edit_size(edit));
    to = proto::put_bytes_field(to, proto::header_edit::kName, edit.name);
    for (std::uint32_t i = 0; i < edit.value_count; ++i)
      to = proto::put_bytes_field(to, proto::header_edit::kValues, edit_values_[edit.first_value + i]);
    if (edit.append) to = proto::put_varint_field(to, proto::header_edit::kAppend, 1);
  }
  return to;
}

}  // namespace lingate::runtimes
