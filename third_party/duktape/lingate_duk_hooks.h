/* The two questions that this build of Duktape asks its host. The room that links the engine defines both functions.
 * They are called from the thread that runs the script, often: each must be a few loads and a comparison.
 */
#ifndef LINGATE_DUK_HOOKS_H
#define LINGATE_DUK_HOOKS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Non-zero if the call that runs in this heap must stop now. `udata` is the heap's (duk_create_heap's third argument).
 * Once it says stop it must go on saying so until control is back in the host: that is what makes a script's own
 * try/catch useless against it. The type is duk_bool_t, which duktape.h defines only later.
 */
unsigned int lingate_duk_exec_timeout(void* udata);

/* Non-zero if the calling thread's stack is nearly used up; Duktape then raises a RangeError. */
int lingate_duk_native_stack_check(void);

#ifdef __cplusplus
}
#endif

#endif
