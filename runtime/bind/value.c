/* Values that people write in scripts and in connections.lua: see value.h. */
#include "bind/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/json.h"

int64_t value_duration(lua_State *L, int index, const char *what) {
  error err;
  int64_t ms = 0;
  if (lua_type(L, index) == LUA_TNUMBER) {
    double seconds = lua_tonumber(L, index);
    if (!(seconds >= 0 && seconds < 3e9)) luaL_error(L, "%s: %f is no duration in seconds", what, seconds);
    return (int64_t)llround(seconds * 1000);
  }
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "%s is a duration such as \"2h\", not a %s", what, luaL_typename(L, index));
  if (duration_parse(lua_tostring(L, index), &ms, &err)) luaL_error(L, "%s: %s", what, err.text);
  return ms;
}

static int64_t some_time(lua_State *L, int index, const char *what) {
  int64_t ms = value_duration(L, index, what);
  if (ms == 0) luaL_error(L, "%s has to be longer than nothing", what);
  return ms;
}

void value_timeout(lua_State *L, int index, const char *what, int64_t *connect_ms, int64_t *total_ms) {
  static const char *const names[] = {"connect", "total", NULL};
  index = lua_absindex(L, index);
  if (!lua_istable(L, index)) {
    *total_ms = some_time(L, index, what);
    return;
  }
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (strcmp(name, "connect") == 0)
      *connect_ms = some_time(L, -1, "timeout.connect");
    else if (strcmp(name, "total") == 0)
      *total_ms = some_time(L, -1, "timeout.total");
    else
      luaL_error(L, "%s has no field \"%s\": it has connect and total%s", what, name,
                 value_nearest(L, name, names));
  }
}

size_t value_bytes(lua_State *L, int index, const char *what) {
  static const struct {
    const char *unit;
    double bytes;
  } units[] = {{"", 1},     {"B", 1},      {"KB", 1e3},      {"MB", 1e6},
               {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
  const char *text = lua_tostring(L, index);
  char *rest = NULL;
  double number = text ? strtod(text, &rest) : -1;
  while (rest && *rest == ' ') rest++;
  for (size_t i = 0; rest && i < sizeof units / sizeof *units; i++) {
    if (strcasecmp(rest, units[i].unit) != 0) continue;
    double bytes = number * units[i].bytes;
    if (bytes >= 1 && bytes <= 1e12) return (size_t)bytes;
  }
  return (size_t)luaL_error(L, "%s is a size such as 65536, \"64KiB\" or \"1MB\"", what);
}

/* ---- retry ---- */

static int attempts_of(lua_State *L, int index, const char *what) {
  int whole = 0;
  lua_Integer attempts = lua_tointegerx(L, index, &whole);
  if (!whole || attempts < 1 || attempts > 100)
    luaL_error(L, "%s: attempts is a number from 1 to 100, the first attempt counted", what);
  return (int)attempts;
}

static void retry_field(lua_State *L, const char *what, retry_policy *policy) {
  static const char *const names[] = {"attempts", "base", "cap", NULL};
  const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
  if (strcmp(name, "attempts") == 0)
    policy->attempts = attempts_of(L, -1, what);
  else if (strcmp(name, "base") == 0)
    policy->base_ms = value_duration(L, -1, "retry.base");
  else if (strcmp(name, "cap") == 0)
    policy->cap_ms = value_duration(L, -1, "retry.cap");
  else
    luaL_error(L, "%s has no field \"%s\": it has attempts, base and cap%s", what, name,
               value_nearest(L, name, names));
}

void value_retry(lua_State *L, int index, const char *what, retry_policy *policy) {
  index = lua_absindex(L, index);
  if (lua_isboolean(L, index) && !lua_toboolean(L, index)) {
    policy->attempts = 1;
  } else if (lua_type(L, index) == LUA_TNUMBER) {
    policy->attempts = attempts_of(L, index, what);
  } else if (lua_istable(L, index)) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) retry_field(L, what, policy);
  } else {
    luaL_error(L, "%s is { attempts = 4, base = \"1s\", cap = \"1m\" }, a number of attempts, or false",
               what);
  }
}

/* ---- statuses ---- */

static void add_range(status_set *set, long from, long to) {
  for (long status = from; status <= to; status++) status_set_add(set, (int)status);
}

static int one_status(lua_State *L, int index, status_set *set) {
  if (lua_isinteger(L, index)) {
    lua_Integer status = lua_tointeger(L, index);
    if (status < 100 || status > 599) return -1;
    status_set_add(set, (int)status);
    return 0;
  }
  const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  char *rest;
  if (strlen(text) == 3 && text[0] >= '1' && text[0] <= '5' && strcasecmp(text + 1, "xx") == 0) {
    add_range(set, (text[0] - '0') * 100, (text[0] - '0') * 100 + 99);
    return 0;
  }
  long from = strtol(text, &rest, 10), to = from;
  if (*rest == '-') to = strtol(rest + 1, &rest, 10);
  if (*rest || from < 100 || to > 599 || from > to) return -1;
  add_range(set, from, to);
  return 0;
}

void value_statuses(lua_State *L, int index, const char *what, status_set *set) {
  index = lua_absindex(L, index);
  *set = (status_set){{0}};
  int wrong = 0;
  if (lua_istable(L, index)) {
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    wrong = count == 0;
    for (lua_Integer i = 1; i <= count && !wrong; i++) {
      lua_rawgeti(L, index, i);
      wrong = one_status(L, -1, set);
      lua_pop(L, 1);
    }
  } else {
    wrong = one_status(L, index, set);
  }
  if (wrong) luaL_error(L, "%s is a status such as 202, \"2xx\", \"200-204\", or a list of these", what);
}

/* ---- texts ---- */

/* "table", or what a userdata calls itself: "secret". */
static const char *kind_of(lua_State *L, int index) {
  return luaL_getmetafield(L, index, "__name") == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, index);
}

static const char *float_text(lua_State *L, double number, const char *what, size_t *length) {
  char bytes[40];
  buf text = BUF_EMPTY;
  int failed = json_write_double(&text, number);
  *length = text.len < sizeof bytes ? text.len : 0;
  if (*length) memcpy(bytes, text.data, *length);
  buf_free(&text);
  if (failed)
    luaL_error(L, "%s is %s, which can't be sent", what, number != number ? "not a number" : "infinite");
  return lua_pushlstring(L, bytes, *length);
}

const char *value_text(lua_State *L, int index, const char *what, size_t *length) {
  int type = lua_type(L, index);
  if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
    luaL_error(L, "%s is a %s: a text, a number, true, false or a list of these can be sent", what,
               kind_of(L, index));
  if (type == LUA_TNUMBER && !lua_isinteger(L, index))
    return float_text(L, lua_tonumber(L, index), what, length);
  return luaL_tolstring(L, index, length);
}

/* ---- tables of names and values ---- */

typedef struct field_name {
  const char *bytes; /* the table holds it */
  size_t length;
} field_name;

static int by_bytes(const void *left, const void *right) {
  const field_name *a = left, *b = right;
  int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
  return order ? order : (a->length > b->length) - (a->length < b->length);
}

void value_sorted_names(lua_State *L, int index, const char *what) {
  index = lua_absindex(L, index);
  if (!lua_istable(L, index))
    luaL_error(L, "%s is a table of names and values, not a %s", what, luaL_typename(L, index));
  size_t count = 0, at = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "%s: its fields have names, name = value", what);
    count++;
  }
  field_name *names = lua_newuserdatauv(L, (count + 1) * sizeof *names, 0);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), at++)
    names[at].bytes = lua_tolstring(L, -2, &names[at].length);
  qsort(names, count, sizeof *names, by_bytes);
  lua_createtable(L, (int)count, 0);
  for (at = 0; at < count; at++) {
    lua_pushlstring(L, names[at].bytes, names[at].length);
    lua_rawseti(L, -2, (lua_Integer)at + 1);
  }
  lua_remove(L, -2);
}

enum { PAIRS_MOST = 100 << 20 }; /* one text may stand there a thousand times: it is Lua's only once */

typedef struct pairs_task {
  const char *what;
  buf *out;
  void (*encode)(buf *out, const char *bytes, size_t length);
} pairs_task;

static void add_encoded(lua_State *L, const pairs_task *task, const char *name, size_t length, int value) {
  size_t value_length;
  const char *what = lua_pushfstring(L, "%s.%s", task->what, name);
  const char *bytes = value_text(L, value, what, &value_length);
  if (task->out->len + value_length > PAIRS_MOST)
    luaL_error(L, "%s is more than %d MiB, which can't be sent", task->what, PAIRS_MOST >> 20);
  if (task->out->len) buf_char(task->out, '&');
  task->encode(task->out, name, length);
  buf_char(task->out, '=');
  task->encode(task->out, bytes, value_length);
  lua_pop(L, 2);
}

void value_pairs(lua_State *L, int index, const char *what, buf *out,
                 void (*encode)(buf *out, const char *bytes, size_t length)) {
  index = lua_absindex(L, index);
  value_sorted_names(L, index, what);
  int names = lua_gettop(L);
  pairs_task task = {what, out, encode};
  for (lua_Integer i = 1; lua_rawgeti(L, names, i) == LUA_TSTRING; i++) {
    size_t length;
    const char *name = lua_tolstring(L, -1, &length);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, index) == LUA_TTABLE) {
      lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
      for (lua_Integer item = 1; item <= count; item++) {
        lua_rawgeti(L, -1, item);
        add_encoded(L, &task, name, length, lua_gettop(L));
        lua_pop(L, 1);
      }
    } else {
      add_encoded(L, &task, name, length, lua_gettop(L));
    }
    lua_pop(L, 2);
  }
  lua_settop(L, names - 1);
}

/* ---- the nearest right name ---- */

const char *value_nearest(lua_State *L, const char *word, const char *const *names) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "jaunt.base.nearest") != LUA_TTABLE) return "";
  lua_getfield(L, -1, "hint");
  lua_pushstring(L, word);
  lua_newtable(L);
  for (lua_Integer i = 0; names[i]; i++) {
    lua_pushstring(L, names[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_call(L, 2, 1);
  return lua_tostring(L, -1);
}
