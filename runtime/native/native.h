/* The native modules: what `require "jaunt.native.NAME"` gives in the control state.
 *
 * Each opener leaves one table on the stack. The list of all of them stands in runtime/native_modules.c, above the layers,
 * because some belong to serve/ and repl/. */
#ifndef JAUNT_NATIVE_H
#define JAUNT_NATIVE_H

#include <lauxlib.h>
#include <lua.h>

#include "base/error.h"

extern const luaL_Reg native_modules[]; /* ends with {NULL, NULL} */

/* Defines a type of userdata, once: its methods (NULL: none), what collects one, and what a <close> variable of it calls (NULL: it
 * can't be one). */
void native_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction collect,
                 lua_CFunction close);
/* More methods for such a type. */
void native_type_more(lua_State *L, const char *name, const luaL_Reg *methods);

/* nil and what is wrong: returns 2. */
int native_none(lua_State *L, const error *err);

int native_audience_open(lua_State *L); /* jaunt.native.audience: open */
int native_calendar_open(lua_State *L); /* jaunt.native.calendar: local_time, instant, …; in workers, too */
int native_clock_open(lua_State *L);    /* jaunt.native.clock: mono; in workers, too */
int native_clock_mono(lua_State *L);    /* its mono */
int native_connections_open(lua_State *L); /* jaunt.native.connections: secrets, new */
int native_digest_open(
    lua_State *L); /* jaunt.native.digest: digest, hmac, base64_encode, …; in workers, too */
int native_engine_open(lua_State *L);    /* jaunt.native.engine: start, check_limits, and: */
extern const luaL_Reg native_facts[];    /* hash, now_ms, rfc3339, moment, duration, cores, call_fields */
int native_control_open(lua_State *L);   /* jaunt.native.control: sleep, now_mono, on_signal, fail */
int native_fs_open(lua_State *L);        /* jaunt.native.fs: list, kind, mode, mtime, absolute, read */
int native_host_open(lua_State *L);      /* jaunt.native.host: versions, modules */
int native_letters_open(lua_State *L);   /* jaunt.native.letters: upper, lower, capitalize; in workers, too */
int native_regex_open(lua_State *L);     /* jaunt.native.regex: compile; in workers, too */
int native_state_open(lua_State *L);     /* jaunt.native.state: open, and: */
int native_backup_begin(lua_State *L);   /* its backup */
void native_backup_define(lua_State *L); /* the type of what backup gives */
int native_term_open(lua_State *L);      /* jaunt.native.term: isatty, width, gives_keys */
int native_text_open(lua_State *L);  /* jaunt.native.text: emitter, mend, repaired, join; in workers, too */
int native_watch_open(lua_State *L); /* jaunt.native.watch: open */

#endif
