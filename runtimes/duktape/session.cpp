// req.session as a host object. tags and metadata are native containers, made when the script first reads them and
// written back when the hook returns (collect.cpp).
#include <array>

#include "runtimes/duktape/host_object.h"

namespace lingate::runtimes::duktape {
namespace {

using SessionNumber = CallView::SessionNumber;
using SessionText = CallView::SessionText;

constexpr std::array<std::string_view, 12> kKeys{"id",           "alias",  "org",   "tags",      "metadata",
                                                 "rate",         "per",    "burst", "quota_max", "quota_remaining",
                                                 "quota_renews", "expires"};
constexpr std::size_t kTexts = 3;
constexpr std::size_t kTags = 3;
constexpr std::size_t kMetadata = 4;
constexpr std::size_t kFirstNumber = 5;  // in SessionNumber's order

// The call behind it, if its session is still there.
Slot& session_of(duk_context* ctx, void* host) {
  Slot& slot = slot_of(ctx, host);
  if (!slot.view->has_session()) raise(ctx, "the session was cleared: req.session is null now");
  return slot;
}

std::size_t find(std::string_view name) {
  std::size_t at = 0;
  while (at < kKeys.size() && kKeys[at] != name)
    ++at;
  return at;
}

// [ ] -> [ container ], made now if the script has not seen it yet.
void push_container(duk_context* ctx, Slot& slot, Cell cell) {
  Container& state = cell == kCellTags ? slot.tags : slot.metadata;
  duk_require_stack(ctx, 8);
  duk_push_heapptr(ctx, slot.cells);
  if (state == Container::given) {
    duk_get_prop_index(ctx, -1, cell);
    duk_remove(ctx, -2);
    return;
  }
  if (cell == kCellTags) {
    std::vector<std::string_view>& tags = slot.vm->list;
    slot.view->session_tags(tags);
    duk_push_array(ctx);
    duk_uarridx_t at = 0;
    for (const std::string_view tag : tags) {
      push_utf8(ctx, tag);
      duk_put_prop_index(ctx, -2, at++);
    }
  } else {
    Builder builder(ctx);
    if (!read_members(slot.view->session_metadata(), builder)) raise(ctx, "session.metadata cannot be read");
  }
  duk_dup(ctx, -1);
  duk_put_prop_index(ctx, -3, cell);
  duk_remove(ctx, -2);
  state = Container::given;
}

// A text that is absent is empty on the wire; the id never is.
void push_text(duk_context* ctx, std::string_view text) {
  if (text.empty()) {
    duk_push_null(ctx);
  } else {
    push_utf8(ctx, text);
  }
}

void get(duk_context* ctx, void* host) {
  Slot& slot = session_of(ctx, host);
  std::string_view name;
  const bool symbol = !get_string(ctx, -1, name);
  const std::size_t at = symbol ? kKeys.size() : find(name);
  if (at < kTexts) {
    push_text(ctx, slot.view->session_text(static_cast<SessionText>(at)));
  } else if (at == kTags || at == kMetadata) {
    push_container(ctx, slot, at == kTags ? kCellTags : kCellMetadata);
  } else if (at < kKeys.size()) {
    const auto number = slot.view->session_number(static_cast<SessionNumber>(at - kFirstNumber));
    if (number) {
      duk_push_number(ctx, *number);
    } else {
      duk_push_null(ctx);
    }
  } else if (symbol) {
    duk_push_undefined(ctx);
  } else if (get_inherited(ctx, name)) {
    return;
  } else {
    slot.vm->error_text = unknown_attribute(Object::session, name);
    raise_kept(ctx);
  }
  duk_replace(ctx, -2);
}

void put(duk_context* ctx, void* host) {
  Slot& slot = session_of(ctx, host);
  std::string_view name = "[symbol]";
  get_string(ctx, -2, name);
  const std::size_t at = find(name);
  if (at == kTags) return assign_container(ctx, slot, kCellTags);
  if (at == kMetadata) return assign_container(ctx, slot, kCellMetadata);
  slot.vm->error_text = unwritable_attribute(Object::session, name);
  raise_kept(ctx);
}

int has(duk_context* ctx, void* host) {
  session_of(ctx, host);
  std::string_view name;
  return get_string(ctx, -1, name) && find(name) < kKeys.size() ? 1 : 0;
}

void del(duk_context* ctx, void* host) {
  Slot& slot = session_of(ctx, host);
  std::string_view name = "[symbol]";
  get_string(ctx, -1, name);
  slot.vm->error_text = unwritable_attribute(Object::session, name);
  raise_kept(ctx);
}

void keys(duk_context* ctx, void* host) {
  session_of(ctx, host);
  duk_push_array(ctx);
  duk_uarridx_t at = 0;
  for (const std::string_view key : kKeys) {
    duk_push_lstring(ctx, key.data(), key.size());
    duk_put_prop_index(ctx, -2, at++);
  }
}

// The value on top must be a list for tags, a map for metadata.
void check_container(duk_context* ctx, Cell cell) {
  int is_list = 0;
  unsigned long length = 0;
  const bool plain = lingate_duk_plain_object(ctx, -1, &is_list, &length) != 0;
  if (!plain || (is_list != 0) != (cell == kCellTags))
    raise(ctx, cell == kCellTags ? "session.tags takes a list of texts" : "session.metadata takes a map");
}

}  // namespace

const lingate_duk_ops kSessionOps{get, put, has, del, keys};

// The value on top becomes what the script sees, null and undefined an empty container; its content is checked when the
// hook returns.
void assign_container(duk_context* ctx, Slot& slot, Cell cell) {
  if (slot.view->hook() == Hook::log) raise(ctx, "the session is read-only in log: the exchange is over");
  const bool clears = duk_is_null_or_undefined(ctx, -1) != 0;
  if (!clears) check_container(ctx, cell);
  duk_require_stack(ctx, 4);
  duk_push_heapptr(ctx, slot.cells);
  if (!clears) {
    duk_dup(ctx, -2);
  } else if (cell == kCellTags) {
    duk_push_array(ctx);
  } else {
    duk_push_object(ctx);
  }
  duk_put_prop_index(ctx, -2, cell);
  duk_pop(ctx);
  (cell == kCellTags ? slot.tags : slot.metadata) = Container::given;
}

void assign_session(duk_context* ctx, Slot& slot) {
  Vm& vm = *slot.vm;
  if (duk_is_null_or_undefined(ctx, -1)) {
    if (refused(vm, slot.view->clear_session())) raise_kept(ctx);
  } else if (lingate_duk_get_host(ctx, -1, &kSessionOps) == &slot) {
    return;  // req.session = req.session
  } else {
    WireWriter& writer = slot.view->begin_session();
    if (!vm.walker.walk(ctx, -1, writer, "session")) {
      vm.error_text = vm.walker.error(writer.error());
      raise_kept(ctx);
    }
    if (refused(vm, slot.view->end_session())) raise_kept(ctx);
  }
  slot.tags = slot.metadata = Container::untouched;
}

}  // namespace lingate::runtimes::duktape
