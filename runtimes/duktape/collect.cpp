// The end of a hook: what it returned and what it left in ctx, tags and metadata become edits.
#include "runtimes/duktape/text.h"
#include "runtimes/duktape/vm.h"

namespace lingate::runtimes::duktape {
namespace {

bool invalid(Vm& vm, std::string_view text) {
  vm.error_text.assign(text);
  return false;
}

bool collect_result(duk_context* ctx, Slot& slot) {
  if (duk_is_null_or_undefined(ctx, -1)) {
    slot.view->drop_answer();
    return true;
  }
  if (is_answer_of(ctx, -1, slot) && slot.view->hook() != Hook::log) return true;
  if (slot.view->hook() == Hook::log) return invalid(*slot.vm, "log returns nothing: the exchange is over");
  if (lingate_duk_is_host(ctx, -1))
    return invalid(*slot.vm, "the hook returned an object of lingate's own that is not its last lingate.respond()");
  slot.vm->error_text.assign("the hook returned ");
  slot.vm->error_text.append(duk_is_boolean(ctx, -1)    ? "a boolean"
                             : duk_is_number(ctx, -1)   ? "a number"
                             : duk_is_string(ctx, -1)   ? "text"
                             : duk_is_array(ctx, -1)    ? "a list"
                             : duk_is_function(ctx, -1) ? "a function"
                                                        : "an object");
  slot.vm->error_text.append("; return nothing, or what lingate.respond() made");
  return false;
}

bool walk_members(duk_context* ctx, Slot& slot, std::string_view root) {
  Vm& vm = *slot.vm;
  vm.wire.reset({});
  if (vm.walker.walk(ctx, -1, vm.wire, root)) return true;
  vm.error_text = vm.walker.error(vm.wire.error());
  return false;
}

bool collect_context(duk_context* ctx, Slot& slot) {
  if (slot.context == nullptr || slot.view->hook() == Hook::log) return true;
  if (lingate_duk_bare(ctx, slot.context) != 0) {
    if (!slot.view->context().empty()) slot.view->keep_context({});
    return true;
  }
  duk_push_heapptr(ctx, slot.context);
  if (!walk_members(ctx, slot, "ctx")) return false;
  duk_pop(ctx);
  slot.view->keep_context(slot.vm->wire.members());
  return true;
}

bool collect_metadata(duk_context* ctx, Slot& slot) {
  duk_get_prop_index(ctx, -1, kCellMetadata);
  if (!walk_members(ctx, slot, "session.metadata")) return false;
  duk_pop(ctx);
  return !refused(*slot.vm, slot.view->keep_metadata(slot.vm->wire.members()));
}

// More than a call may write in all, so that no more than this is converted.
constexpr std::size_t kMostTagBytes = 4 * 1024 * 1024;

bool collect_tags(duk_context* ctx, Slot& slot) {
  Vm& vm = *slot.vm;
  duk_get_prop_index(ctx, -1, kCellTags);
  int is_list = 0;
  unsigned long length = 0;
  lingate_duk_plain_object(ctx, -1, &is_list, &length);
  vm.list.clear();
  vm.converted_used = 0;
  if (refused(vm, CallView::check_tag_count(length))) return false;
  std::size_t size = 0;
  for (unsigned long i = 0; i < length; ++i) {
    std::string_view units;
    std::string_view tag;
    if (lingate_duk_element(ctx, -1, i) != LINGATE_DUK_VALUE || !get_string(ctx, -1, units))
      return invalid(vm, "session.tags[" + std::to_string(i) + "]: a tag is text");
    if ((size += units.size()) > kMostTagBytes) return invalid(vm, "session.tags takes more than 4 MiB");
    if (vm.converted_used == vm.converted.size()) vm.converted.emplace_back();
    std::string& room = vm.converted[vm.converted_used];
    if (!to_utf8(units, Lone::refuse, room, tag))
      return invalid(vm, "session.tags[" + std::to_string(i) + "]: text with half a surrogate pair is no value");
    if (tag.data() == room.data()) ++vm.converted_used;
    vm.list.push_back(tag);
    duk_pop(ctx);
  }
  duk_pop(ctx);
  return !refused(vm, slot.view->keep_tags(vm.list));
}

bool collect_session(duk_context* ctx, Slot& slot) {
  const bool none = slot.tags == Container::untouched && slot.metadata == Container::untouched;
  if (none || slot.view->hook() == Hook::log || !slot.view->has_session()) return true;
  duk_push_heapptr(ctx, slot.cells);
  if (slot.tags == Container::given && !collect_tags(ctx, slot)) return false;
  return slot.metadata != Container::given || collect_metadata(ctx, slot);
}

}  // namespace

bool collect(duk_context* ctx, Slot& slot) {
  duk_require_stack(ctx, 16);
  return collect_result(ctx, slot) && collect_context(ctx, slot) && collect_session(ctx, slot);
}

}  // namespace lingate::runtimes::duktape
