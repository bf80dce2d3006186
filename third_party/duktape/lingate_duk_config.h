/* lingate's choices over Duktape's defaults; included by duk_config.h at the place Duktape keeps for it. */
#include "lingate_duk_hooks.h"

/* Budget: the executor, and with the patch every native that can run long, asks whether the call must stop. */
#define DUK_USE_INTERRUPT_COUNTER
#define DUK_USE_EXEC_TIMEOUT_CHECK(udata) (LINGATE_DUK_STOP((udata)) != 0U)

/* Strings are hashed in duk_heap_hashstring() of this choice, which is ours (strhash.patch). */
#define DUK_USE_STRHASH_DENSE

/* Recursion is bounded by the real stack of the thread that runs the call, not by a guess in frames. */
#define DUK_USE_NATIVE_STACK_CHECK() lingate_duk_native_stack_check()

/* Speed. */
#define DUK_USE_FASTINT
#define DUK_USE_JSON_STRINGIFY_FASTPATH

/* At most 20 frames of a script's stack are reported; the call's own and the prelude's come on top. */
#undef DUK_USE_TRACEBACK_DEPTH
#define DUK_USE_TRACEBACK_DEPTH 24
