/* Asks the behaviour file for an answer: a request becomes a Lua table, and what the route returns an answer.
 */
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/hash.h"
#include "bind/json.h"
#include "native/fields.h"
#include "native/native.h"
#include "serve/vendor_behaviour_parts.h"

/* What the protected call works with; whatever it allocates outside Lua hangs here. */
typedef struct asking {
  vendor_behaviour *b;
  const lookalike *look;
  const vendor_route *route;
  size_t first; /* the request's segment that the route begins with */
  const vendor_request *r;
  vendor_answer *answer;
  buf text;
  error err;
} asking;

/* ---- which route ---- */

static bool has_prefix(const lookalike *look, const vendor_request *r) {
  if (r->segment_count < 1 + look->prefix_count) return false;
  for (size_t i = 0; i < look->prefix_count; i++)
    if (strcmp(look->prefix[i].bytes, r->segments[1 + i].bytes) != 0) return false;
  return true;
}

/* The most exact route that takes the path; without a prefix also one that takes it from a later segment on.
 */
static bool find_route(asking *a) {
  size_t first = 1, last = a->r->segment_count > 2 ? a->r->segment_count - 1 : 1;
  if (a->look->prefix_count > 0) {
    if (!has_prefix(a->look, a->r)) return false;
    first = last = 1 + a->look->prefix_count;
  }
  for (size_t i = 0; i < a->look->route_count; i++) {
    a->route = &a->look->routes[i];
    for (a->first = first; a->first <= last; a->first++)
      if (vendor_route_matches(a->route, a->r, a->first)) return true;
  }
  return false;
}

/* ---- the request as a table ---- */

static void push_text(lua_State *L, const vendor_text *text) {
  lua_pushlstring(L, text->bytes, text->length);
}

static void set_text(lua_State *L, const char *name, const vendor_text *text) {
  push_text(L, text);
  lua_setfield(L, -2, name);
}

static void set_pairs(lua_State *L, const char *name, const vendor_pairs *pairs) {
  lua_createtable(L, 0, (int)pairs->count);
  for (size_t i = 0; i < pairs->count; i++) {
    push_text(L, &pairs->items[i].name);
    push_text(L, &pairs->items[i].value);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, name);
}

static void set_params(lua_State *L, asking *a) {
  lua_newtable(L);
  for (size_t i = 0; i < a->route->count; i++) {
    if (a->route->segments[i].bytes[0] != ':') continue;
    set_text(L, a->route->segments[i].bytes + 1, &a->r->segments[a->first + i]);
  }
  if (a->route->open) {
    buf_clear(&a->text);
    vendor_request_path(a->r, a->first + a->route->count, &a->text);
    lua_pushlstring(L, a->text.data, a->text.len);
    lua_setfield(L, -2, "rest");
  }
  lua_setfield(L, -2, "params");
}

static bool is_form(const vendor_request *r) {
  static const char form[] = "application/x-www-form-urlencoded";
  return strncasecmp(vendor_request_header_of(r, "content-type"), form, sizeof form - 1) == 0;
}

static void set_form(lua_State *L, const vendor_request *r) {
  vendor_pairs *form =
      lua_newuserdatauv(L, sizeof *form, 0); /* freed below: Lua's memory may run out first */
  *form = (vendor_pairs){0};
  luaL_setmetatable(L, "vendor.pairs");
  vendor_pairs_read(form, r->body.data, r->body.len);
  lua_insert(L, -2);
  set_pairs(L, "form", form);
  vendor_pairs_free(form);
  lua_remove(L, -2);
}

static int pairs_gc(lua_State *L) {
  vendor_pairs_free(lua_touserdata(L, 1));
  return 0;
}

static bool may_be_json(const vendor_request *r) {
  size_t at = 0;
  if (strcasestr(vendor_request_header_of(r, "content-type"), "json") != NULL) return true;
  while (at < r->body.len && strchr(" \t\r\n", r->body.data[at]) != NULL) at++;
  return at < r->body.len && (r->body.data[at] == '{' || r->body.data[at] == '[');
}

static void set_json(lua_State *L, asking *a) {
  if (json_decode_value(L, a->r->body.data, a->r->body.len, &a->err) == 0) {
    lua_setfield(L, -2, "json");
  } else {
    field_set_text(L, "json_error", a->err.text);
  }
}

/* 32 digits from seed, key and content. */
static void set_id(lua_State *L, const asking *a) {
  char digits[33];
  const hash_part parts[] = {{a->r->key.bytes, a->r->key.length}, {&a->r->content, sizeof a->r->content}};
  hash_hex(hash_parts((hash128){a->b->seed, 0x7265736f75726365}, parts, 2), digits);
  field_set_text(L, "id", digits);
}

static void push_request(lua_State *L, asking *a) {
  const vendor_request *r = a->r;
  lua_createtable(L, 0, 14);
  field_set_text(L, "method", r->method);
  buf_clear(&a->text);
  vendor_request_path(r, 1, &a->text);
  lua_pushlstring(L, a->text.data, a->text.len);
  lua_setfield(L, -2, "path");
  set_text(L, "connection", &r->segments[0]);
  field_set_bytes(L, "body", r->body.data ? r->body.data : "", r->body.len);
  if (!r->keyless) set_text(L, "key", &r->key);
  field_set_integer(L, "attempt", (int64_t)r->attempt);
  set_id(L, a);
  set_params(L, a);
  set_pairs(L, "query", &r->query);
  set_pairs(L, "headers", &r->headers);
  if (r->body.len == 0) return;
  if (is_form(r))
    set_form(L, r);
  else if (may_be_json(r))
    set_json(L, a);
}

/* ---- the answer ---- */

static bool is_header_name(const char *name) {
  static const char taken[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return *name != '\0' && name[strspn(name, taken)] == '\0';
}

/* (…, headers at `at`) */
static void take_headers(lua_State *L, int at, vendor_answer *answer) {
  if (lua_isnoneornil(L, at)) return;
  if (!lua_istable(L, at)) luaL_error(L, "the headers that it returned are no table");
  lua_pushnil(L);
  while (lua_next(L, at) != 0) {
    size_t name_length, length;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "a header that it returned is not a name with a text");
    const char *name = lua_tolstring(L, -2, &name_length), *value = lua_tolstring(L, -1, &length);
    if (!is_header_name(name) || strlen(value) != length || strpbrk(value, "\r\n") != NULL)
      luaL_error(L, "the header \"%s\" that it returned cannot be sent", name);
    vendor_pairs_add(&answer->headers, vendor_text_of(name, name_length), vendor_text_of(value, length));
    lua_pop(L, 1);
  }
}

static bool has_content_type(const vendor_answer *answer) {
  for (size_t i = 0; i < answer->headers.count; i++)
    if (strcasecmp(answer->headers.items[i].name.bytes, "content-type") == 0) return true;
  return false;
}

static void take_body(lua_State *L, int at, asking *a) {
  size_t length;
  const char *type = NULL;
  if (lua_istable(L, at)) {
    if (json_encode_value(L, at, &a->answer->body, "body", &a->err) != 0) luaL_error(L, "%s", a->err.text);
    type = "application/json";
  } else if (lua_isstring(L, at)) {
    const char *text = lua_tolstring(L, at, &length);
    buf_add(&a->answer->body, text, length);
    type = "text/plain; charset=utf-8";
  } else if (!lua_isnil(L, at)) {
    luaL_error(L, "the body that it returned is a %s: a table, a text or nil is taken", luaL_typename(L, at));
  }
  if (type != NULL && !has_content_type(a->answer))
    vendor_pairs_add(&a->answer->headers, vendor_text_of("Content-Type", 12),
                     vendor_text_of(type, strlen(type)));
}

/* (…, how long it takes at `at`) */
static void take_latency(lua_State *L, int at, asking *a) {
  if (lua_isnil(L, at)) return;
  const char *text = lua_type(L, at) == LUA_TSTRING ? lua_tostring(L, at) : "";
  if (duration_parse(text, &a->answer->latency_ms, &a->err) != 0)
    luaL_error(L, "how long it takes, which it returned, is no duration such as \"50ms\"");
}

/* (asking): calls the route and takes what it returns. */
static int ask(lua_State *L) {
  asking *a = lua_touserdata(L, 1);
  luaL_checkstack(L, 20, NULL);
  native_type(L, "vendor.pairs", NULL, pairs_gc, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, a->route->function);
  push_request(L, a);
  lua_call(L, 1, 4);
  int latency = lua_gettop(L), headers = latency - 1, body = latency - 2, status = latency - 3;
  take_latency(L, latency, a);
  if (lua_isnil(L, status) && lua_isnil(L, body)) {
    vendor_answer_json(a->answer, 200, "{\"ok\":true}", 11);
    return 0;
  }
  if (lua_type(L, status) == LUA_TSTRING && strcmp(lua_tostring(L, status), "reset") == 0) {
    a->answer->reset = true;
    a->answer->status = 503; /* which nobody sees */
    return 0;
  }
  if (!lua_isinteger(L, status) || lua_tointeger(L, status) < 200 || lua_tointeger(L, status) > 599)
    return luaL_error(L, "the status that it returned is %s: a whole number from 200 to 599 is taken",
                      luaL_tolstring(L, status, NULL));
  a->answer->status = (int)lua_tointeger(L, status);
  take_headers(L, headers, a->answer);
  take_body(L, body, a);
  return 0;
}

static void answer_error(asking *a) {
  lua_State *L = a->b->L;
  const char *why = lua_tostring(L, -1);
  buf text = BUF_EMPTY;
  vendor_answer_free(a->answer);
  buf_format(&text, "the behaviour of %s failed at %s %s: %s", a->look->name, a->r->method, a->r->target,
             why != NULL ? why : "an error that is no text");
  vendor_answer_error(a->answer, 500, buf_text(&text));
  buf_free(&text);
}

vendor_behaved vendor_behaviour_answer(vendor_behaviour *b, const vendor_request *r, vendor_answer *answer) {
  asking a = {.b = b, .look = behaviour_lookalike(b, vendor_request_connection(r)), .r = r, .answer = answer};
  if (a.look == NULL || !find_route(&a)) return BEHAVED_NOT;
  lua_pushcfunction(b->L, ask);
  lua_pushlightuserdata(b->L, &a);
  vendor_behaved behaved = BEHAVED_WELL;
  if (behaviour_call(b, 1, 0) != LUA_OK) {
    answer_error(&a);
    behaved = BEHAVED_IN_ERROR;
  }
  lua_settop(b->L, 0);
  buf_free(&a.text);
  return behaved;
}
