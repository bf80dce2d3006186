// Call: one call in flight of one instance: the engine-neutral view of it, which its owner keeps, and the Python
// objects bound to that view. The objects are made when the script first asks for them and used again by later calls if
// nobody kept them; those that a script did keep are cut off when the call ends, and raise from then on.
//
// Link: what the functions of an instance's `lingate` module know of their instance; cut off when it is unloaded.
//
// Thread: under the interpreter's lock. Lifetime: a Call belongs to its instance and is reused; everything Python in it
// is given back by release().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtimes/call_view.h"
#include "runtimes/python/engine.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes::python {

struct Call;

// What stands behind req, res, their headers, session, client and params.
struct Bound {
  PyObject_HEAD Call* call;  // nullptr: the call is over
  Side side;
};

enum class Part : std::uint8_t { request, request_headers, response, response_headers, session, client, params };
inline constexpr std::size_t kParts = 7;

struct Call {
  CallView* view = nullptr;
  CallId id = 0;
  Hook hook = Hook::request;
  void* tag = nullptr;
  bool driven = false;  // a coroutine is being run: what suspends may be awaited
  std::array<Bound*, kParts> bound{};
  Ref context, params, tags, metadata;
  Ref coroutine;              // of an async hook
  Ref awaiting;               // the Sleep that it waits for
  std::uint64_t serial = 0;   // differs from one use of this object to the next
  std::uint64_t answers = 0;  // numbers the results of respond(), so that the one returned is known
  std::vector<std::string_view> values;
  std::vector<Ref> kept;  // holds what `values` points into

  // The object for one part of this call; borrowed, nullptr with an error set.
  PyObject* part(Part which);
  // ctx for the hook; borrowed.
  PyObject* make_context();

  // Hands ctx, tags and metadata to the view as the script left them, but in log. A text: why they are no values.
  std::string keep_containers(WireWriter& writer);

  // The session was replaced: what was read of the old one is forgotten.
  void forget_session() noexcept;
  // Cuts the script off. May run finalisers of the script's own objects.
  void release() noexcept;
};

struct Link {
  PyObject_HEAD Host* host;  // nullptr: unloaded
  std::string* lines;        // of print, one for stdout, one for stderr; owned
};

// Raises lingate.Error; nullptr, for returning.
PyObject* raise(std::string_view text);

}  // namespace lingate::runtimes::python
