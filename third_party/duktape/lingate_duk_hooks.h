/* What this build of Duktape asks of its host, and offers it. duk_config.h includes this before duktape.h's own types
 * exist, hence the struct names. The patch beside this file is the other half.
 */
#ifndef LINGATE_DUK_HOOKS_H
#define LINGATE_DUK_HOOKS_H

#ifdef __cplusplus
extern "C" {
#endif

struct duk_hthread;

/* ---- the host gives ---- */

/* The brake: what a heap's udata (duk_create_heap's third argument) must point to, as its first member. While `stop` is
 * not zero the call that runs in the heap must end: the executor and, with the patch, every native whose length a script
 * chooses raise a RangeError at their next step. It must stay set until control is back in the host: that is what makes
 * a script's own try/catch useless against it. Set from any thread.
 */
typedef struct lingate_duk_brake {
  unsigned int stop;
} lingate_duk_brake;

#define LINGATE_DUK_STOP(udata) (__atomic_load_n(&((const lingate_duk_brake*)(udata))->stop, __ATOMIC_RELAXED))

/* An allocation was refused for good and an error is about to be thrown. */
void lingate_duk_out_of_memory(void* udata);

/* Non-zero if the calling thread's stack is nearly used up; Duktape then raises a RangeError. Called often. */
int lingate_duk_native_stack_check(void);

/* ---- the engine offers ---- */

/* A host object: an object whose properties are the host's. The functions are called without a frame of their own: the
 * key (a string or symbol) is on top of the value stack, the new value above it; they may only use negative indices, at
 * most 16 slots, and refuse by throwing. `host` is NULL once the object is over.
 */
typedef struct lingate_duk_ops {
  void (*get)(struct duk_hthread* ctx, void* host); /* [ key ] -> [ value ] */
  void (*put)(struct duk_hthread* ctx, void* host); /* [ key value ] -> [ key value ] */
  int (*has)(struct duk_hthread* ctx, void* host);  /* [ key ] -> [ key ] */
  void (*del)(struct duk_hthread* ctx, void* host); /* [ key ] -> [ key ] */
  void (*keys)(struct duk_hthread* ctx, void* host); /* [ ] -> [ array of strings ] */
} lingate_duk_ops;

int lingate_duk_push_object(struct duk_hthread* ctx, const lingate_duk_ops* ops, void* host);
void* lingate_duk_get_host(struct duk_hthread* ctx, int idx, const lingate_duk_ops* ops); /* NULL: not one, or over */
int lingate_duk_is_host(struct duk_hthread* ctx, int idx);
void lingate_duk_set_host(void* heapptr, void* host); /* of a host object */

/* References to a heap object. */
unsigned long lingate_duk_refcount(void* heapptr);

/* Own properties without running script code. NOTHING: a hole, a deleted, hidden or symbol-keyed property. */
enum { LINGATE_DUK_END, LINGATE_DUK_VALUE, LINGATE_DUK_NOTHING, LINGATE_DUK_ACCESSOR };
int lingate_duk_entry(struct duk_hthread* ctx, int idx, unsigned long i);   /* VALUE: [ key value ]; ACCESSOR: [ key ] */
int lingate_duk_element(struct duk_hthread* ctx, int idx, unsigned long i); /* of an array; VALUE: [ value ] */
int lingate_duk_bare(struct duk_hthread* ctx, void* heapptr); /* as `{}` made it */

/* Where an error came from, innermost frame first, without running script code; 0: no further frame. Texts live as long
 * as the error; NULL where there is none (a native function has no file). The message is NULL unless it is own text.
 */
typedef struct lingate_duk_frame {
  const char* name;
  const char* file;
  unsigned int line;
} lingate_duk_frame;
int lingate_duk_trace(struct duk_hthread* ctx, int idx, unsigned long i, lingate_duk_frame* frame);
const char* lingate_duk_error_message(struct duk_hthread* ctx, int idx);

/* True if the number of parameters of the function says nothing: it is native or bound, or it reads `arguments`. */
int lingate_duk_takes_all(struct duk_hthread* ctx, int idx);

/* True for an array or an object made by a literal; for an array also its length, which may be far beyond its content.
 * Runs no script code.
 */
int lingate_duk_plain_object(struct duk_hthread* ctx, int idx, int* is_array, unsigned long* length);

/* Whether the script function that called the calling native one could suspend its coroutine now. */
int lingate_duk_waits_allowed(struct duk_hthread* ctx);

#ifdef __cplusplus
}
#endif

#endif
