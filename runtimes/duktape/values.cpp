#include "runtimes/duktape/values.h"

#include <cstdint>
#include <cstring>

#include "base/utf8.h"
#include "runtimes/duktape/text.h"

namespace lingate::runtimes::duktape {
namespace {

constexpr duk_uarridx_t kMap = UINT32_MAX;
constexpr duk_idx_t kStackPerLevel = 6;

constexpr char kNull = 'n';
constexpr char kFalse = 'f';
constexpr char kTrue = 't';
constexpr char kNumber = 'd';
constexpr char kText = 's';
constexpr char kKey = 'k';
constexpr char kBeginList = '[';
constexpr char kEndList = ']';
constexpr char kBeginMap = '{';
constexpr char kEndMap = '}';

}  // namespace

// ---- Builder: [ ... container key? ] and the value on top ----

bool Builder::place() {
  if (depth_ == 0) return true;
  duk_uarridx_t& next = next_[depth_ - 1];
  if (next != kMap) {
    duk_put_prop_index(ctx_, -2, next++);
    return true;
  }
  std::string_view name;
  get_string(ctx_, -2, name);
  if (name == "__proto__") {
    duk_def_prop(
        ctx_, -3,
        DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WRITABLE | DUK_DEFPROP_SET_ENUMERABLE | DUK_DEFPROP_SET_CONFIGURABLE);
  } else {
    duk_put_prop(ctx_, -3);
  }
  return true;
}

bool Builder::open(bool map) {
  if (depth_ == kMaxDepth) return false;
  duk_require_stack(ctx_, kStackPerLevel);
  if (map) {
    duk_push_object(ctx_);
  } else {
    duk_push_array(ctx_);
  }
  next_[depth_++] = map ? kMap : 0;
  return true;
}

bool Builder::close() {
  --depth_;
  return place();
}

bool Builder::null() {
  duk_push_null(ctx_);
  return place();
}

bool Builder::boolean(bool value) {
  duk_push_boolean(ctx_, value ? 1 : 0);
  return place();
}

bool Builder::number(double value) {
  duk_push_number(ctx_, value);
  return place();
}

bool Builder::text(std::string_view utf8) {
  push_utf8(ctx_, utf8);
  return place();
}

bool Builder::begin_list() {
  return open(false);
}
bool Builder::end_list() {
  return close();
}
bool Builder::begin_map() {
  return open(true);
}
bool Builder::end_map() {
  return close();
}

bool Builder::key(std::string_view utf8) {
  push_utf8(ctx_, utf8);
  return true;
}

// ---- Tape ----

void Tape::reset() {
  constexpr std::size_t kKept = 256 * 1024;
  events_.clear();
  if (events_.capacity() > kKept) events_.shrink_to_fit();
}

bool Tape::event(char kind) {
  events_.push_back(kind);
  return true;
}

bool Tape::event(char kind, std::string_view text) {
  const std::size_t size = text.size();
  std::array<char, sizeof size> encoded;
  std::memcpy(encoded.data(), &size, sizeof size);
  events_.push_back(kind);
  events_.append(encoded.data(), encoded.size());
  events_.append(text);
  return true;
}

bool Tape::null() {
  return event(kNull);
}
bool Tape::boolean(bool value) {
  return event(value ? kTrue : kFalse);
}
bool Tape::text(std::string_view utf8) {
  return event(kText, utf8);
}
bool Tape::begin_list() {
  return event(kBeginList);
}
bool Tape::end_list() {
  return event(kEndList);
}
bool Tape::begin_map() {
  return event(kBeginMap);
}
bool Tape::key(std::string_view utf8) {
  return event(kKey, utf8);
}
bool Tape::end_map() {
  return event(kEndMap);
}

bool Tape::number(double value) {
  std::array<char, sizeof value> encoded;
  std::memcpy(encoded.data(), &value, sizeof value);
  events_.push_back(kNumber);
  events_.append(encoded.data(), encoded.size());
  return true;
}

void Tape::play(ValueSink& sink) const {
  const char* at = events_.data();
  const char* const end = at + events_.size();
  while (at != end) {
    const char kind = *at++;
    if (kind == kText || kind == kKey) {
      std::size_t size;
      std::memcpy(&size, at, sizeof size);
      at += sizeof size;
      const std::string_view text(at, size);
      at += size;
      kind == kText ? sink.text(text) : sink.key(text);
    } else if (kind == kNumber) {
      double value;
      std::memcpy(&value, at, sizeof value);
      at += sizeof value;
      sink.number(value);
    } else if (kind == kTrue || kind == kFalse) {
      sink.boolean(kind == kTrue);
    } else if (kind == kNull) {
      sink.null();
    } else if (kind == kBeginList) {
      sink.begin_list();
    } else if (kind == kEndList) {
      sink.end_list();
    } else if (kind == kBeginMap) {
      sink.begin_map();
    } else {
      sink.end_map();
    }
  }
}

// ---- Walker: the value is on top of the stack and stays there ----

bool Walker::walk(duk_context* ctx, duk_idx_t index, ValueSink& sink, std::string_view root) {
  root_ = root;
  depth_ = 0;
  path_.clear();
  what_.clear();
  duk_require_stack(ctx, 2);
  duk_dup(ctx, index);
  const bool done = value(ctx, sink);
  if (!done && path_.empty()) note_path();
  if (done) duk_pop(ctx);  // otherwise whoever raises the error unwinds
  return done;
}

std::string_view Walker::error(const ValueError& sink_error) {
  if (!path_.empty()) path_.append(": ");
  path_.append(what_.empty() ? sink_error.message : what_);
  return path_;
}

bool Walker::refuse(std::string_view what) {
  if (!what_.empty()) return false;
  what_.assign(what);
  note_path();
  return false;
}

// The path while its keys are still on the stack.
void Walker::note_path() {
  constexpr std::size_t kLongest = 512;
  path_.assign(root_);
  for (std::size_t i = 0; i < depth_ && path_.size() < kLongest; ++i) {
    const Step& step = steps_[i];
    if (!step.map) {
      path_.append("[").append(std::to_string(step.index)).append("]");
    } else if (step.key.data() != nullptr) {
      std::string_view key = step.key;
      to_utf8(step.key, Lone::replace, scratch_, key);
      if (!path_.empty()) path_.push_back('.');
      path_.append(utf8::cut(key, 64));
    }
  }
}

bool Walker::value(duk_context* ctx, ValueSink& sink) {
  switch (duk_get_type(ctx, -1)) {
    case DUK_TYPE_NULL: return sink.null();
    case DUK_TYPE_BOOLEAN: return sink.boolean(duk_get_boolean(ctx, -1) != 0);
    case DUK_TYPE_NUMBER: return sink.number(duk_get_number(ctx, -1));
    case DUK_TYPE_STRING: {
      std::string_view units;
      if (!get_string(ctx, -1, units)) return refuse("a symbol is no value");
      std::string_view utf8;
      if (!to_utf8(units, Lone::refuse, scratch_, utf8)) return refuse("text with half a surrogate pair is no value");
      return sink.text(utf8);
    }
    case DUK_TYPE_UNDEFINED: return refuse("undefined is no value");
    case DUK_TYPE_OBJECT: return object(ctx, sink);
    case DUK_TYPE_BUFFER: return refuse("bytes are no value");
    default: return refuse("a function is no value");
  }
}

bool Walker::object(duk_context* ctx, ValueSink& sink) {
  if (duk_is_function(ctx, -1)) return refuse("a function is no value");
  if (duk_is_buffer_data(ctx, -1)) return refuse("bytes are no value");
  if (lingate_duk_is_host(ctx, -1)) return refuse("an object of lingate's own is no value");
  int is_list = 0;
  unsigned long length = 0;
  if (!lingate_duk_plain_object(ctx, -1, &is_list, &length))
    return refuse("only plain objects and arrays are values, not a Date, RegExp, Error, Proxy or the like");
  void* const self = duk_get_heapptr(ctx, -1);
  for (std::size_t i = 0; i < depth_; ++i)
    if (steps_[i].object == self) return refuse("a cycle is no value");
  if (depth_ == kMaxDepth) return refuse("lists and maps nest too deep");
  duk_require_stack(ctx, kStackPerLevel);
  steps_[depth_++] = {self, {}, 0, is_list == 0};
  const bool done = is_list != 0 ? list(ctx, sink, length) : map(ctx, sink);
  if (!done && path_.empty()) note_path();
  --depth_;
  return done;
}

bool Walker::list(duk_context* ctx, ValueSink& sink, unsigned long length) {
  if (!sink.begin_list()) return false;
  Step& step = steps_[depth_ - 1];
  for (; step.index < length; ++step.index) {
    switch (lingate_duk_element(ctx, -1, step.index)) {
      case LINGATE_DUK_VALUE: break;
      case LINGATE_DUK_ACCESSOR: return refuse("a getter is no value");
      default: return refuse("a hole in a list is no value");
    }
    if (!value(ctx, sink)) return false;
    duk_pop(ctx);
  }
  return sink.end_list();
}

bool Walker::map(duk_context* ctx, ValueSink& sink) {
  if (!sink.begin_map()) return false;
  Step& step = steps_[depth_ - 1];
  for (unsigned long i = 0;; ++i) {
    const int found = lingate_duk_entry(ctx, -1, i);
    if (found == LINGATE_DUK_END) break;
    if (found == LINGATE_DUK_NOTHING) continue;
    get_string(ctx, found == LINGATE_DUK_VALUE ? -2 : -1, step.key);
    if (found == LINGATE_DUK_ACCESSOR) return refuse("a getter is no value");
    if (!duk_is_undefined(ctx, -1)) {
      std::string_view name;
      if (!to_utf8(step.key, Lone::refuse, scratch_, name)) return refuse("a key with half a surrogate pair is no key");
      if (!sink.key(name) || !value(ctx, sink)) return false;
    }
    duk_pop_2(ctx);
    step.key = {};
  }
  return sink.end_map();
}

}  // namespace lingate::runtimes::duktape
