/* The response of a call, as a script sees it. Headers and JSON are decoded on first look. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "bind/json.h"
#include "bind/primitive.h"

static const char response_type[] = "response";

enum { DETAIL_MOST = 220, SHOWN_MOST = 48 }; /* of a call's detail in `error`; of a body that is no JSON */

/* One allocation of Lua's, so that the collector knows its weight: the fixed part, then body, headers, the element's
 * name and the error, both ended by a NUL. User values 1 and 2 are headers and json, once they were decoded. */
enum { HEADERS = 1, JSON };

typedef struct response {
  call_result result;
  int status, attempts;
  double ms;
  bool truncated;
  size_t body_length, headers_length, name_length;
  char bytes[];
} response;

static const char *headers_of(const response *r) {
  return r->bytes + r->body_length;
}

static const char *name_of(const response *r) {
  return r->bytes + r->body_length + r->headers_length;
}

static const char *error_of(const response *r) { /* "" without */
  return name_of(r) + r->name_length + 1;
}

/* How many bytes of a text to show: at most so many, and no character cut in two. */
static size_t shown_length(const char *text, size_t length, size_t most) {
  if (length <= most) return length;
  size_t shown = most;
  while (shown > most - 4 && ((unsigned char)text[shown] & 0xC0) == 0x80) shown--;
  return shown;
}

/* Why the call is not ok, in words; its length. */
static size_t error_text(const call *c, char *out, size_t room) {
  *out = '\0';
  if (c->reason == REASON_NONE) return 0;
  int length = snprintf(out, room, "%s%s%.*s", call_reason_name(c->reason), *c->detail ? ": " : "",
                        (int)shown_length(c->detail, strlen(c->detail), DETAIL_MOST), c->detail);
  return (size_t)length < room ? (size_t)length : room - 1;
}

static char *put(char *to, const char *bytes, size_t length) {
  if (length) memcpy(to, bytes, length);
  return to + length;
}

void response_push(lua_State *L, call *c) {
  const char *element = c->label ? c->label : "call_api";
  char words[256];
  size_t name_length = strlen(element), error_length = error_text(c, words, sizeof words);
  size_t texts = c->answer.len + c->answer_headers.len + name_length + 1 + error_length + 1;
  response *r = lua_newuserdatauv(L, sizeof *r + texts, 2);
  r->result = c->result;
  r->status = c->status;
  r->attempts = c->attempts;
  r->ms = c->ms;
  r->truncated = c->truncated;
  r->body_length = c->answer.len;
  r->headers_length = c->answer_headers.len;
  r->name_length = name_length;
  char *to = put(r->bytes, c->answer.data, c->answer.len);
  to = put(to, c->answer_headers.data, c->answer_headers.len);
  to = put(to, element, name_length + 1);
  put(to, words, error_length + 1);
  luaL_setmetatable(L, response_type);
}

/* headers: a table by lower-case name; a header that came several times has its values joined by ", ". */
static void push_headers(lua_State *L, const response *r) {
  lua_newtable(L);
  const char *at = headers_of(r), *end = at + r->headers_length;
  while (at < end) {
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    if (!line_end) line_end = end;
    const char *colon = memchr(at, ':', (size_t)(line_end - at));
    if (colon) {
      luaL_Buffer name;
      luaL_buffinit(L, &name);
      for (const char *c = at; c < colon; c++) luaL_addchar(&name, (char)tolower((unsigned char)*c));
      luaL_pushresult(&name);
      const char *value = colon + 1 + strspn(colon + 1, " \t");
      lua_pushvalue(L, -1);
      bool again = lua_rawget(L, -3) != LUA_TNIL;
      if (again)
        lua_pushliteral(L, ", ");
      else
        lua_pop(L, 1);
      lua_pushlstring(L, value, value < line_end ? (size_t)(line_end - value) : 0);
      if (again) lua_concat(L, 3);
      lua_rawset(L, -3);
    }
    at = line_end + 1;
  }
}

static void content_type(const response *r, char out[64]) {
  static const char name[] = "content-type:";
  const char *at = headers_of(r), *end = at + r->headers_length;
  snprintf(out, 64, "%s", "no content type");
  while (at < end) {
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    if (!line_end) line_end = end;
    size_t length = (size_t)(line_end - at);
    if (length > sizeof name && strncasecmp(at, name, sizeof name - 1) == 0) {
      const char *value = at + sizeof name - 1 + strspn(at + sizeof name - 1, " ");
      snprintf(out, 64, "%.*s", (int)strcspn(value, ";\n\r"), value);
    }
    at = line_end + 1;
  }
}

/* How the body begins, as a line of valid UTF-8. */
static void show_start(const response *r, char start[SHOWN_MOST + 1]) {
  size_t shown = shown_length(r->bytes, r->body_length, SHOWN_MOST);
  memcpy(start, r->bytes, shown);
  start[shown] = '\0';
  for (size_t i = 0; i < shown; i++) {
    if ((unsigned char)start[i] < ' ') start[i] = ' ';
  }
  for (size_t at = 0; (at += utf8_valid_length(start + at, shown - at)) < shown;) start[at] = '?';
}

/* json: decoded; on something else the error says what came and how it begins. */
static void push_json(lua_State *L, const response *r) {
  error err;
  if (r->body_length && json_decode_value(L, r->bytes, r->body_length, &err) == 0) return;
  char type[64], start[SHOWN_MOST + 1];
  content_type(r, type);
  show_start(r, start);
  if (r->truncated)
    luaL_error(L, "\"%s\" answered more than keep_body lets through: its JSON is cut", name_of(r));
  if (!r->body_length) luaL_error(L, "\"%s\" answered without a body, so there is no JSON in it", name_of(r));
  if (strstr(type, "json")) luaL_error(L, "\"%s\" answered broken JSON: %s", name_of(r), err.text);
  luaL_error(L, "\"%s\" answered %s, not JSON: %s%s", name_of(r), type, start,
             r->body_length > SHOWN_MOST ? "\xe2\x80\xa6" : "");
}

/* Pushes what `push` makes, once; then the same again: it is kept as the user value `which`. */
static int cached(lua_State *L, const response *r, int which, void (*push)(lua_State *, const response *)) {
  if (lua_getiuservalue(L, 1, which) != LUA_TNIL) return 1;
  lua_pop(L, 1);
  push(L, r);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, which);
  return 1;
}

static int get_ok(lua_State *L, const response *r) {
  return lua_pushboolean(L, r->result == CALL_OK), 1;
}
static int get_failed(lua_State *L, const response *r) {
  return lua_pushboolean(L, r->result == CALL_FAILED), 1;
}
static int get_unknown(lua_State *L, const response *r) {
  return lua_pushboolean(L, r->result == CALL_UNKNOWN), 1;
}
static int get_skipped(lua_State *L, const response *r) {
  return lua_pushboolean(L, r->result == CALL_SKIPPED), 1;
}
static int get_truncated(lua_State *L, const response *r) {
  return lua_pushboolean(L, r->truncated), 1;
}
static int get_status(lua_State *L, const response *r) {
  if (r->status)
    lua_pushinteger(L, r->status);
  else
    lua_pushnil(L);
  return 1;
}
static int get_attempts(lua_State *L, const response *r) {
  return lua_pushinteger(L, r->attempts), 1;
}
static int get_ms(lua_State *L, const response *r) {
  return lua_pushnumber(L, r->ms), 1;
}
static int get_error(lua_State *L, const response *r) {
  if (*error_of(r))
    lua_pushstring(L, error_of(r));
  else
    lua_pushnil(L);
  return 1;
}
static int get_body(lua_State *L, const response *r) {
  return lua_pushlstring(L, r->bytes, r->body_length), 1;
}
static int get_headers(lua_State *L, const response *r) {
  return cached(L, r, HEADERS, push_headers);
}
static int get_json(lua_State *L, const response *r) {
  return cached(L, r, JSON, push_json);
}

static const struct {
  const char *name;
  int (*get)(lua_State *, const response *);
} fields[] = {
    {"ok", get_ok},           {"failed", get_failed},   {"unknown", get_unknown},
    {"skipped", get_skipped}, {"status", get_status},   {"json", get_json},
    {"body", get_body},       {"headers", get_headers}, {"attempts", get_attempts},
    {"ms", get_ms},           {"error", get_error},     {"truncated", get_truncated},
};

/* Scripts can't get at it otherwise than by looking into a response: its metatable is locked. */
static int response_index(lua_State *L) {
  const response *r = lua_touserdata(L, 1);
  const char *name = luaL_checkstring(L, 2);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (*fields[i].name == *name && strcmp(fields[i].name, name) == 0) return fields[i].get(L, r);
  }
  return luaL_error(
      L,
      "a response has no field \"%s\": it has ok, failed, unknown, skipped, status, headers, body, json, "
      "attempts, ms, error, truncated",
      name);
}

static int response_text(lua_State *L) {
  const response *r = luaL_checkudata(L, 1, response_type);
  lua_pushfstring(L, "response of \"%s\": %s", name_of(r), call_result_name(r->result));
  if (r->status)
    lua_pushfstring(L, ", status %d", r->status);
  else
    lua_pushliteral(L, "");
  if (r->attempts)
    lua_pushfstring(L, ", %d attempt%s", r->attempts, r->attempts == 1 ? "" : "s");
  else
    lua_pushliteral(L, "");
  lua_pushfstring(L, "%s%s", *error_of(r) ? ", " : "", error_of(r));
  lua_concat(L, 4);
  return 1;
}

static int response_newindex(lua_State *L) {
  return luaL_error(L, "a response is read-only");
}

void response_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"__index", response_index},
                                     {"__newindex", response_newindex},
                                     {"__tostring", response_text},
                                     {NULL, NULL}};
  luaL_newmetatable(L, response_type);
  luaL_setfuncs(L, methods, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
