/* Exact JSON for Lua: how values become text, and texts values. The module `json` (json_module.h) gives the same to Lua.
 *
 * Encoding: keys sorted by their bytes, integers exact, floats the shortest text that reads back the same
 * (1.0 keeps its ".0"), so that the same value always gives the same bytes. A table with the keys 1 to n is
 * an array, any other an object; an empty table is {} unless it is marked as an array (json.array(t)), and
 * every array that was decoded is marked. null is json.null, lua-cjson's light userdata. Nothing of a
 * script's is called: tables are read raw. A table or userdata whose metatable has a table in the field
 * `__raw` is a view of that table, which is encoded in its place; a userdata with `true` there is a view of its
 * first user value.
 *
 * Decoding: integers become Lua integers where 64 bits hold them, all other numbers floats. Of equal keys the
 * last one wins. */
#ifndef JAUNT_BIND_JSON_H
#define JAUNT_BIND_JSON_H

#include <lua.h>

#include "base/buf.h"
#include "base/error.h"

enum {
  JSON_ENCODE_MOST = 100 << 20, /* bytes that an encoded text may have: a body's own cap */
  JSON_INDENT_MOST = 16
};

/* Appends the value at `index` to `out` as JSON. Returns 0, or -1 with an error such as
 * `person.cart[3].price is NaN, …`, in which `name` is what the value itself is called; `out` is as before
 * then. The Lua stack is left as it was. Raises no error but out of memory, and that before anything is
 * appended. */
int json_encode_value(lua_State *L, int index, buf *out, const char *name, error *err);

/* The same on several lines, each level indented by `indent` blanks more (0: all on one line). */
int json_encode_lines(lua_State *L, int index, buf *out, const char *name, int indent, error *err);

/* Pushes the value of `text` and returns 0; or pushes nothing and returns -1 with "line L, column C: …".
 * `text` must outlive the call. Raises no error but out of memory: call it in a protected context. */
int json_decode_value(lua_State *L, const char *text, size_t length, error *err);

/* The same for a text of which it is known that it is JSON, because json_scan accepted it or the writer made it. */
void json_decode_known(lua_State *L, const char *text, size_t length);

#endif
