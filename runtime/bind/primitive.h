/* What all primitives share: the checks at their beginning and the yield at their end.
 *
 * For bindings of the vocabulary only; they run in workers' states. */
#ifndef JAUNT_BIND_PRIMITIVE_H
#define JAUNT_BIND_PRIMITIVE_H

#include <lauxlib.h>
#include <lua.h>

#include "engine/run.h"

/* The run whose code is running. Raises where there is none, where it is ending (only log works in <close>), and in
 * predicates and payloads. */
run *primitive_run(lua_State *L, const char *primitive);

/* The same for a primitive that yields: it also raises where the coroutine, or one that resumed it, can't. */
run *primitive_yielding_run(lua_State *L, const char *primitive);

/* The same for a primitive that parks: it also raises where call_api "NAME" was left without its braces. */
run *primitive_parking_run(lua_State *L, const char *primitive);

/* Refuses a name of an element that is too long for reports and counters: more than 200 bytes. */
void primitive_check_name(lua_State *L, const char *primitive, const char *name);

/* Gives the turn back to the engine; `k` goes on when the run is resumed. */
int primitive_yield(lua_State *L, lua_KFunction k);

/* Ends the run (after run_end): the yield nobody comes back from. */
int primitive_leave(lua_State *L);

/* Fails with what `err` says and the script line. */
int primitive_fail(lua_State *L, const error *err);

/* The secret at `index`, or NULL when the value is none. */
const secret *secret_at(lua_State *L, int index);

/* ---- the primitives, each in a file of its own ---- */

int primitive_call_api(lua_State *L); /* wants an upvalue: see call_api_open */
int primitive_wait(lua_State *L);
int primitive_wait_until(lua_State *L);
int primitive_wait_for(lua_State *L);
int primitive_drop(lua_State *L);
int primitive_exit(lua_State *L);
int primitive_restart_with(lua_State *L);
int primitive_watch(lua_State *L);
int primitive_only_watch(lua_State *L);
int primitive_enter(lua_State *L);
int primitive_env(lua_State *L);
int primitive_secret(lua_State *L);
int primitive_now(lua_State *L);
int primitive_random(lua_State *L);
int primitive_uuid(lua_State *L);
int primitive_log(lua_State *L);
int primitive_print(lua_State *L);

/* ---- for jaunt.worker, when it renders a payload ---- */

int vocabulary_plain(lua_State *L);  /* plain.c */
int vocabulary_choose(lua_State *L); /* split.c */
int vocabulary_tell(lua_State *L);   /* describe.c */
int vocabulary_warn(lua_State *L);   /* say.c */

void person_open(lua_State *L); /* makes the metatables */
/* Callbacks of engine_lua. */
void person_compare(lua_State *L, const char *json, size_t length, bool is_whole, buf *out);
void person_change(lua_State *L, const char *changes, size_t length, bool itself);
void split_open(lua_State *L);     /* pushes split */
void call_api_open(lua_State *L);  /* pushes call_api */
int call_api_fields(lua_State *L); /* the names of its fields, for who looks at scripts: a list */
void secret_open(lua_State *L);
void response_open(lua_State *L);
int coroutine_open(lua_State *L); /* pushes the coroutine library that lets the engine's yields through */
lua_State *coroutine_inner(lua_State *co); /* a callback of engine_lua */

/* Pushes the response of a call that is done or being judged. */
void response_push(lua_State *L, call *c);

/* What would be sent, as one JSON object { person, element, key, method, url, headers, body }, secrets hidden. */
void describe_call(buf *out, const char *person, const call *c);

/* Pushes all of it, as the module jaunt.native.vocabulary. */
int vocabulary_open(lua_State *L);

#endif
