/* Functions on texts for scripts: see libraries.h. */
#include <ctype.h>
#include <string.h>

#include "bind/libraries.h"
#include "bind/pattern.h"
#include "engine/guard.h"
#include "engine/worker.h"

static const script_limits *limits_of(lua_State *L) {
  return &worker_of(L)->shared->options->limits;
}

static void check_size(lua_State *L, const char *function, double bytes) {
  size_t most = limits_of(L)->text;
  if (bytes > (double)most)
    guard_break(L, "text", "%s would make a text of %.0f bytes; at most %zu are allowed", function, bytes,
                most);
}

/* Where a search begins: `init` from 1, or from the end when negative. */
static size_t start_of(lua_Integer init, size_t length) {
  if (init > 0) return (size_t)init - 1;
  if (init == 0 || init < -(lua_Integer)length) return 0;
  return length - (size_t)-init;
}

static pattern_match begin(lua_State *L, int subject, int pattern) {
  size_t length, pattern_length;
  pattern_match m = {.L = L, .steps = limits_of(L)->pattern_steps};
  m.subject = luaL_checklstring(L, subject, &length);
  m.subject_end = m.subject + length;
  m.pattern = luaL_checklstring(L, pattern, &pattern_length);
  m.pattern_end = m.pattern + pattern_length;
  return m;
}

/* An anchor at the beginning is taken off. */
static bool take_anchor(pattern_match *m) {
  if (m->pattern == m->pattern_end || *m->pattern != '^') return false;
  m->pattern++;
  return true;
}

/* ---- find and match ---- */

static bool is_plain(const pattern_match *m) {
  for (const char *p = m->pattern; p < m->pattern_end; p++) {
    if (strchr("^$*+?.([%-", *p) && *p) return false;
  }
  return true;
}

static int find_plain(lua_State *L, const pattern_match *m, const char *from) {
  size_t length = (size_t)(m->pattern_end - m->pattern);
  const char *found = length ? memmem(from, (size_t)(m->subject_end - from), m->pattern, length) : from;
  if (!found) return lua_pushnil(L), 1;
  lua_pushinteger(L, found - m->subject + 1);
  lua_pushinteger(L, found - m->subject + (lua_Integer)length);
  return 2;
}

static int search(lua_State *L, bool find) {
  pattern_match m = begin(L, 1, 2);
  size_t start = start_of(luaL_optinteger(L, 3, 1), (size_t)(m.subject_end - m.subject));
  if (start > (size_t)(m.subject_end - m.subject)) return lua_pushnil(L), 1;
  const char *s = m.subject + start;
  if (find && (lua_toboolean(L, 4) || is_plain(&m))) return find_plain(L, &m, s);
  bool anchored = take_anchor(&m);
  do {
    const char *end = pattern_match_at(&m, s);
    if (!end) continue;
    if (!find) return pattern_push_captures(&m, s, end, true);
    lua_pushinteger(L, s - m.subject + 1);
    lua_pushinteger(L, end - m.subject);
    return pattern_push_captures(&m, s, end, false) + 2;
  } while (s++ < m.subject_end && !anchored);
  return lua_pushnil(L), 1;
}

static int string_find(lua_State *L) {
  return search(L, true);
}

static int string_match(lua_State *L) {
  return search(L, false);
}

/* ---- gmatch ---- */

/* Upvalues: subject, pattern, where to go on, where the last match ended. */
static int gmatch_step(lua_State *L) {
  pattern_match m = begin(L, lua_upvalueindex(1), lua_upvalueindex(2));
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  for (const char *s = m.subject + lua_tointeger(L, lua_upvalueindex(3)); s <= m.subject_end; s++) {
    const char *end = pattern_match_at(&m, s);
    if (!end || end - m.subject == last) continue;
    lua_pushinteger(L, end - m.subject);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return pattern_push_captures(&m, s, end, true);
  }
  lua_pushinteger(L, m.subject_end - m.subject + 1);
  lua_replace(L, lua_upvalueindex(3));
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t length;
  luaL_checklstring(L, 1, &length);
  luaL_checkstring(L, 2);
  size_t start = start_of(luaL_optinteger(L, 3, 1), length);
  if (start > length) start = length + 1;
  lua_settop(L, 2);
  lua_pushinteger(L, (lua_Integer)start);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, gmatch_step, 4);
  return 1;
}

/* ---- gsub ---- */

static void add_template(pattern_match *m, luaL_Buffer *out, const char *start, const char *end) {
  lua_State *L = m->L;
  size_t length;
  const char *t = lua_tolstring(L, 3, &length);
  for (const char *stop = t + length; t < stop; t++) {
    if (*t != '%') {
      luaL_addchar(out, *t);
      continue;
    }
    t++;
    if (t < stop && *t == '%')
      luaL_addchar(out, '%');
    else if (t < stop && *t == '0')
      luaL_addlstring(out, start, (size_t)(end - start));
    else if (t < stop && isdigit((unsigned char)*t)) {
      pattern_push_capture(m, *t - '1', start, end);
      luaL_tolstring(L, -1, NULL);
      lua_remove(L, -2);
      luaL_addvalue(out);
    } else
      luaL_error(L, "invalid use of '%%' in replacement string");
  }
}

/* Adds what stands in for one match; false and nil leave it as it is. */
static void add_replacement(pattern_match *m, luaL_Buffer *out, const char *start, const char *end) {
  lua_State *L = m->L;
  int type = lua_type(L, 3);
  if (type == LUA_TSTRING || type == LUA_TNUMBER) {
    add_template(m, out, start, end);
    return;
  }
  if (type == LUA_TTABLE) {
    pattern_push_capture(m, 0, start, end);
    lua_gettable(L, 3);
  } else {
    lua_pushvalue(L, 3);
    int count = pattern_push_captures(m, start, end, true);
    lua_call(L, count, 1);
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, start, (size_t)(end - start));
  } else if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  } else {
    luaL_addvalue(out);
  }
}

static int string_gsub(lua_State *L) {
  pattern_match m = begin(L, 1, 2);
  const char *s = m.subject, *last = NULL;
  int type = lua_type(L, 3);
  lua_Integer most = luaL_optinteger(L, 4, m.subject_end - m.subject + 1), count = 0;
  luaL_argexpected(L,
                   type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE,
                   3, "string/function/table");
  bool anchored = take_anchor(&m);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  while (count < most) {
    const char *end = pattern_match_at(&m, s);
    if (end && end != last) {
      count++;
      add_replacement(&m, &out, s, end);
      check_size(L, "string.gsub", (double)luaL_bufflen(&out));
      s = last = end;
    } else if (s < m.subject_end) {
      luaL_addchar(&out, *s++);
    } else {
      break;
    }
    if (anchored) break;
  }
  luaL_addlstring(&out, s, (size_t)(m.subject_end - s));
  luaL_pushresult(&out);
  lua_pushinteger(L, count);
  return 2;
}

/* ---- rep and format ---- */

/* Upvalue 1: Lua's own. */
static int call_original(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int string_rep(lua_State *L) {
  size_t length, between;
  luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_optlstring(L, 3, "", &between);
  if (count > 0)
    check_size(L, "string.rep", (double)count * (double)length + (double)(count - 1) * (double)between);
  if (length + between == 0)
    return lua_pushliteral(L, ""), 1; /* Lua would go round `count` times all the same */
  return call_original(L);
}

/* Texts for %s are made by our tostring, and %p, an address, is refused. */
static int string_format(lua_State *L) {
  size_t length;
  const char *at = luaL_checklstring(L, 1, &length), *end = at + length; /* there may be NUL bytes in it */
  int argument = 1;
  while ((at = memchr(at, '%', (size_t)(end - at)))) {
    at++;
    if (*at == '%') {
      at++;
      continue;
    }
    at += strspn(at, "-+#0 123456789.");
    argument++;
    if (*at == 'p')
      return luaL_error(L, "string.format: %%p shows an address, which differs from process to process");
    if (*at == 's' && argument <= lua_gettop(L)) {
      text_of_value(L, argument);
      lua_replace(L, argument);
    }
  }
  int results = call_original(L);
  check_size(L, "string.format", (double)lua_rawlen(L, -1));
  return results;
}

int library_string(lua_State *L) {
  static const luaL_Reg functions[] = {{"find", string_find},
                                       {"match", string_match},
                                       {"gmatch", string_gmatch},
                                       {"gsub", string_gsub},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_getglobal(L, "string");
  lua_getfield(L, -1, "rep");
  lua_pushcclosure(L, string_rep, 1);
  lua_setfield(L, -3, "rep");
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, string_format, 1);
  lua_setfield(L, -3, "format");
  lua_pop(L, 1);
  return 1;
}
