/* Values that people write in scripts and in connections.lua, read into the host's own types.
 *
 * Each raises a Lua error that begins with `what`, the value's name for its writer ("timeout"). No workers,
 * no runs: these serve the control state, too. */
#ifndef JAUNT_BIND_VALUE_H
#define JAUNT_BIND_VALUE_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "calls/connection.h"

/* "2h", or a number of seconds: milliseconds. */
int64_t value_duration(lua_State *L, int index, const char *what);

/* A duration, for the whole; or { connect =, total = }: what it names is set. */
void value_timeout(lua_State *L, int index, const char *what, int64_t *connect_ms, int64_t *total_ms);

/* "64KiB", "1MB", or a number of bytes. */
size_t value_bytes(lua_State *L, int index, const char *what);

/* A number of attempts, false (one attempt), or { attempts =, base =, cap = }: what it names is set in
 * `policy`. */
void value_retry(lua_State *L, int index, const char *what, retry_policy *policy);

/* 200, "2xx", "200-204", or a list of these. */
void value_statuses(lua_State *L, int index, const char *what, status_set *set);

/* A text, a number or a boolean as text, pushed; a float as the shortest text that reads back as the same,
 * which Lua's own `tostring` is not. */
const char *value_text(lua_State *L, int index, const char *what, size_t *length);

/* A table of names and texts, numbers or booleans, written as name=value&…: `encode` is url_encode or
 * url_encode_form. A list as a value gives the name several times. Names go by their bytes, so that the same
 * table is the same text. */
void value_pairs(lua_State *L, int index, const char *what, buf *out,
                 void (*encode)(buf *out, const char *bytes, size_t length));

/* The names of a table's fields, sorted, as a list on top of the stack; other keys than texts are refused. */
void value_sorted_names(lua_State *L, int index, const char *what);

/* "; did you mean NAME?" or "", pushed: the nearest of the field names in `names` (NULL at the end) to
 * `word`. */
const char *value_nearest(lua_State *L, const char *word, const char *const *names);

#endif
