/* call_api "NAME" { … } and call_api { … }: sends a request, yields, and gives the response.
 *
 * The fields of the table are copied to the stack, each to the next slot; then the call is put together from
 * the slots. What is wrong with the script is a Lua error; what is wrong with the configuration
 * or with a person's data holds the run at this element. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bind/json.h"
#include "bind/primitive.h"
#include "bind/value.h"
#include "calls/url.h"
#include "http/save.h"

enum {
  WITHIN_MS = 24 * 3600 * 1000,
  BODY_MOST = 100 << 20,
  FEW_FIELDS = 6, /* so many find room on any C function's stack: a coroutine's need not grow for them */
};

/* ---- the fields ---- */

enum field {
  NO_FIELD,
  GET,
  POST,
  PUT,
  PATCH,
  DELETE,
  HEAD,
  OPTIONS, /* verbs first: each is its method's name */
  VIA,
  METHOD,
  URL,
  QUERY,
  HEADERS,
  PAYLOAD,
  VARS,
  JSON,
  FORM,
  BODY,
  TIMEOUT,
  WITHIN,
  RETRY,
  SUCCESS,
  ON_FAILURE,
  ONLY_IF,
  IDEMPOTENT,
  SAVE_TO,
  REDIRECTS,
  KEEP_BODY,
  FIELDS,
};

static const char *const field_names[] = {
    "",           "GET",     "POST",      "PUT",       "PATCH",   "DELETE",  "HEAD",       "OPTIONS",
    "via",        "method",  "url",       "query",     "headers", "payload", "vars",       "json",
    "form",       "body",    "timeout",   "within",    "retry",   "success", "on_failure", "only_if",
    "idempotent", "save_to", "redirects", "keep_body", NULL,
};

static const char *const later[] = {"quiet", "cap", "consent", "rate", "circuit", NULL};

/* What is being put together. */
typedef struct spec {
  lua_State *L;
  unsigned char slots[FIELDS]; /* where each field's value stands on the stack; 0: it is not given */
  run *r;
  call *c;
  const char *name; /* the element's, or NULL */
  const char *method;
  const char *path; /* as written: a path behind a connection's base, or a whole URL */
  size_t path_length;
  const char *via; /* "" without */
  on_failure policy;
  const char *hold_reason; /* why the run is to be held; NULL while all is well */
  error hold;              /* filled with it */
} spec;

static int slot(const spec *s, enum field field) {
  return s->slots[field];
}

static bool given(const spec *s, enum field field) {
  return s->slots[field] != 0;
}

static bool gives_function(const spec *s, enum field field) {
  return given(s, field) && lua_isfunction(s->L, slot(s, field));
}

static int unknown_field(lua_State *L, const char *name) {
  for (const char *const *field = later; *field; field++) {
    if (strcmp(*field, name) == 0)
      return luaL_error(
          L, "call_api: \"%s\" is not there yet: this version of jaunt would ignore it, so leave it out",
          name);
  }
  return luaL_error(L, "call_api has no field \"%s\"%s", name, value_nearest(L, name, field_names + 1));
}

/* Upvalue `names` maps a field's name to its number. The table is at 1, alone. */
static void spread_fields(spec *s, int names) {
  lua_State *L = s->L;
  int count = 0;
  for (lua_pushnil(L); lua_next(L, 1);) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "call_api takes fields by name: call_api \"NAME\" { via = …, POST = … }");
    lua_pushvalue(L, -2);
    lua_rawget(L, names);
    int field = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (!field) unknown_field(L, lua_tostring(L, -2));
    if (++count == FEW_FIELDS) luaL_checkstack(L, FIELDS + LUA_MINSTACK, NULL);
    lua_insert(L, -2); /* the value stays, the key is for lua_next */
    s->slots[field] = (unsigned char)(1 + count);
  }
}

static const char *text_field(const spec *s, enum field field, size_t *length) {
  if (!given(s, field)) return NULL;
  if (lua_type(s->L, slot(s, field)) != LUA_TSTRING)
    luaL_error(s->L, "call_api: %s is a text, not a %s", field_names[field],
               luaL_typename(s->L, slot(s, field)));
  size_t found;
  const char *text = lua_tolstring(s->L, slot(s, field), &found);
  if (length)
    *length = found;
  else if (strlen(text) != found)
    luaL_error(s->L, "call_api: %s holds a NUL byte", field_names[field]);
  return text;
}

/* ---- what is called ---- */

static const char *method_named(lua_State *L, const char *name) {
  for (int field = GET; field <= OPTIONS; field++) {
    if (strcmp(field_names[field], name) == 0) return field_names[field];
  }
  const char *verbs[OPTIONS + 1] = {NULL};
  memcpy(verbs, field_names + GET, OPTIONS * sizeof *verbs);
  luaL_error(L, "call_api: \"%s\" is no method that can be sent%s", name, value_nearest(L, name, verbs));
  return NULL;
}

static void read_target(spec *s) {
  lua_State *L = s->L;
  for (int field = GET; field <= OPTIONS; field++) {
    if (!given(s, (enum field)field)) continue;
    if (s->method)
      luaL_error(L, "call_api has both %s and %s: one request has one method", s->method, field_names[field]);
    s->method = field_names[field];
    s->path = text_field(s, (enum field)field, &s->path_length);
  }
  const char *method = text_field(s, METHOD, NULL), *url = text_field(s, URL, NULL);
  if (s->method && (method || url))
    luaL_error(L, "call_api has both %s and %s: take one", s->method, method ? "method" : "url");
  if (!s->method) {
    if (!url) luaL_error(L, "call_api needs a verb with its path (POST = \"/leads\"), or method and url");
    s->method = method ? method_named(L, method) : "GET";
    s->path = text_field(s, URL, &s->path_length);
  }
  s->via = text_field(s, VIA, NULL);
  if (!s->via) s->via = "";
}

static bool is_whole_url(const char *path) {
  return strstr(path, "://") != NULL && (path[0] == 'h' || path[0] == 'H');
}

/* What of a whole URL may be shown: a user and a password don't belong into it, but may be in it all the
 * same. */
static const char *behind_user(const char *url, size_t length) {
  const char *host = strstr(url, "://") + 3;
  size_t authority = strcspn(host, "/?#");
  const char *at = host + authority <= url + length ? memrchr(host, '@', authority) : NULL;
  return at ? at + 1 : NULL;
}

/* "POST /leads", without a query: what the element is called that has no name. Pushed, so that it stays. */
static const char *name_of_target(const spec *s) {
  size_t length = strcspn(s->path, "?#");
  const char *shown = is_whole_url(s->path) ? behind_user(s->path, length) : NULL;
  lua_pushlstring(s->L, shown ? shown : s->path, length - (size_t)(shown ? shown - s->path : 0));
  return lua_pushfstring(s->L, "%s %s%s", s->method, shown ? "\xe2\x80\xa6@" : "", lua_tostring(s->L, -1));
}

/* ---- checks that need no call ---- */

static on_failure policy_named(lua_State *L, const char *name) {
  static const char *const policies[] = {
      [ON_FAILURE_DROP] = "drop", [ON_FAILURE_CONTINUE] = "continue", [ON_FAILURE_HOLD] = "hold"};
  for (int policy = ON_FAILURE_DROP; policy <= ON_FAILURE_HOLD; policy++) {
    if (strcmp(policies[policy], name) == 0) return (on_failure)policy;
  }
  return (on_failure)luaL_error(L, "call_api: on_failure is \"drop\", \"continue\" or \"hold\", not \"%s\"",
                                name);
}

static void check_fields(spec *s) {
  lua_State *L = s->L;
  static const enum field bodies[] = {PAYLOAD, JSON, FORM, BODY};
  const char *first = NULL;
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    if (!given(s, bodies[i])) continue;
    if (first)
      luaL_error(L, "call_api has both %s and %s: a request has one body", first, field_names[bodies[i]]);
    first = field_names[bodies[i]];
  }
  if (given(s, VARS) && !given(s, PAYLOAD))
    luaL_error(L, "call_api: vars go to a payload, and there is none here");
  if (given(s, VARS) && !lua_istable(L, slot(s, VARS)))
    luaL_error(L, "call_api: vars is a table { name = value }");
  if (given(s, PAYLOAD) && !lua_istable(L, slot(s, PAYLOAD))) text_field(s, PAYLOAD, NULL);
  if (given(s, ONLY_IF) && !gives_function(s, ONLY_IF))
    luaL_error(L, "call_api: only_if is a function(person, event) that says whether to send");
  if (given(s, ON_FAILURE)) s->policy = policy_named(L, text_field(s, ON_FAILURE, NULL));
}

static void read_policies(spec *s) {
  lua_State *L = s->L;
  call *c = s->c;
  const connection *via = c->via;
  c->timeout_ms = via->timeout_ms;
  if (given(s, TIMEOUT)) value_timeout(L, slot(s, TIMEOUT), "timeout", &c->connect_ms, &c->timeout_ms);
  c->within_ms = given(s, WITHIN) ? value_duration(L, slot(s, WITHIN), "within") : WITHIN_MS;
  c->retry = via->retry;
  if (given(s, RETRY)) value_retry(L, slot(s, RETRY), "retry", &c->retry);
  c->success = via->success;
  c->asks_success = gives_function(s, SUCCESS);
  if (given(s, SUCCESS) && !c->asks_success) value_statuses(L, slot(s, SUCCESS), "success", &c->success);
  c->asks_only_if = given(s, ONLY_IF);
  if (given(s, KEEP_BODY)) c->keep_body = value_bytes(L, slot(s, KEEP_BODY), "keep_body");
  if (given(s, REDIRECTS)) {
    int whole;
    lua_Integer most = lua_tointegerx(L, slot(s, REDIRECTS), &whole);
    if (!whole || most < 0 || most > 30)
      luaL_error(L, "call_api: redirects says how many are followed, 0 to 30");
    c->follow = (int)most;
  }
  c->key_header = via->idempotent;
  if (given(s, IDEMPOTENT) && lua_isboolean(L, slot(s, IDEMPOTENT))) {
    c->key_header = !lua_toboolean(L, slot(s, IDEMPOTENT)) ? NULL
                    : via->idempotent                      ? via->idempotent
                                                           : "Idempotency-Key";
  } else if (given(s, IDEMPOTENT)) {
    c->own_key_header = mem_text(text_field(s, IDEMPOTENT, NULL));
    c->key_header = c->own_key_header;
  }
}

/* ---- what is sent ---- */

static int hold(spec *s, const char *reason) {
  s->hold_reason = reason;
  return -1;
}

/* A connection's credentials go to its own host alone, be it that a value of a person's is the whole URL. */
static int check_place(const spec *s, const char *base, const char *url, error *err) {
  if (!base || url_same_place(base, url, err) == 0) return 0;
  return error_before(err, "connection \"%s\": ", s->via);
}

/* A URL or a header's value in which values are put in, as {{ person.id }}, with them, escaped for where they stand; it stays on the
 * stack. Other texts are left alone. */
static int put_values(spec *s, const char *kind, const char **text, size_t *length) {
  lua_State *L = s->L;
  const char *at = memchr(*text, '{', *length), *end = *text + *length;
  while (at && !(at + 1 < end && (at[1] == '{' || at[1] == '%')))
    at = memchr(at + 1, '{', (size_t)(end - at - 1));
  if (!at) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, s->r->in->text_ref);
  lua_pushstring(L, kind);
  lua_pushlstring(L, *text, *length);
  run_anchor_get(s->r, L, ANCHOR_PERSON);
  run_anchor_get(s->r, L, ANCHOR_EVENT);
  if (given(s, VARS))
    lua_pushvalue(L, slot(s, VARS));
  else
    lua_pushnil(L);
  lua_pushinteger(L, (lua_Integer)s->r->now_ms);
  lua_call(L, 6, 2);
  if (lua_isnil(L, -2)) {
    error_set(&s->hold, "%s", lua_tostring(L, -1));
    return hold(s, "payload");
  }
  lua_pop(L, 1);
  *text = lua_tolstring(L, -1, length);
  return 0;
}

static int put_url(spec *s) {
  if (put_values(s, "url", &s->path, &s->path_length)) return -1;
  buf url = {s->c->url, 0, 0};
  const char *base = s->c->via->base_url;
  int failed;
  if (memchr(s->path, '\0', s->path_length))
    failed = error_set(&s->hold, "the path holds a NUL byte");
  else if (is_whole_url(s->path))
    failed =
        url_whole(&url, s->path, s->path_length, &s->hold) || check_place(s, base, buf_text(&url), &s->hold);
  else if (s->c->via->url_start)
    failed = url_join_start(&url, s->c->via->url_start, s->path, s->path_length, &s->hold);
  else if (base)
    failed = url_join(&url, base, s->path, s->path_length, &s->hold);
  else if (*s->via)
    failed =
        error_set(&s->hold, "the connection \"%s\" has no base_url, so the call needs a whole URL", s->via);
  else
    failed =
        error_set(&s->hold, "%s is only a path: name a connection with `via`, or give a whole URL", s->path);
  buf_text(&url); /* ends it */
  s->c->url = url.data;
  return failed ? hold(s, "config") : 0;
}

static void put_query(spec *s) {
  if (!given(s, QUERY)) return;
  buf *pairs = &s->c->wire_url; /* not in use before the first attempt */
  value_pairs(s->L, slot(s, QUERY), "query", pairs, url_encode);
  if (pairs->len) {
    buf whole = BUF_EMPTY;
    size_t length = strlen(s->c->url);
    bool ready = length && strchr("?&", s->c->url[length - 1]);
    buf_format(&whole, "%s%s", s->c->url, !strchr(s->c->url, '?') ? "?" : ready ? "" : "&");
    buf_add(&whole, pairs->data, pairs->len);
    buf_text(&whole);
    free(s->c->url);
    s->c->url = whole.data;
  }
  buf_free(pairs);
}

/* The name is at `value` - 1. */
static int put_header(spec *s, int value) {
  lua_State *L = s->L;
  pair *into = &s->c->headers[s->c->header_count];
  size_t length;
  const char *name = lua_tolstring(L, value - 1, &length);
  if (strlen(name) != length)
    return luaL_error(L, "call_api: the name of the header \"%s\" holds a NUL byte", name);
  into->hidden = secret_at(L, value);
  if (into->hidden && !into->hidden->value) {
    error_set(&s->hold, "there is no secret %s: set it in the environment or in the secrets file",
              into->hidden->name);
    return hold(s, "config");
  }
  if (into->hidden) {
    into->name = mem_text(name);
    s->c->header_count++;
    return 0;
  }
  if (lua_type(L, value) != LUA_TSTRING && lua_type(L, value) != LUA_TNUMBER)
    return luaL_error(L, "call_api: the header %s is a text, a number or a secret, not a %s", name,
                      luaL_typename(L, value));
  const char *text = value_text(L, value, lua_pushfstring(L, "the header %s", name), &length);
  if (put_values(s, "header", &text, &length)) return -1;
  size_t good = strcspn(text, "\r\n");
  if (good < length) {
    error_set(&s->hold, "the value of the header \"%s\" holds a %s: take it out", name,
              text[good] ? "line break" : "NUL byte");
    return hold(s, "payload");
  }
  into->name = mem_text(name);
  into->value = mem_text(text);
  s->c->header_count++;
  return 0;
}

static int put_headers(spec *s) {
  lua_State *L = s->L;
  if (!given(s, HEADERS)) return 0;
  value_sorted_names(L, slot(s, HEADERS), "headers");
  int names = lua_gettop(L), failed = 0;
  s->c->headers = mem_zero((lua_rawlen(L, names) + 1) * sizeof *s->c->headers);
  for (lua_Integer i = 1; !failed && lua_rawgeti(L, names, i) == LUA_TSTRING; i++) {
    lua_pushvalue(L, -1);
    lua_rawget(L, slot(s, HEADERS));
    failed = put_header(s, lua_gettop(L));
    lua_settop(L, names);
  }
  lua_settop(L, names - 1);
  return failed;
}

static int put_json(spec *s, enum field field) {
  s->c->content_type = "application/json";
  s->c->has_body = true;
  return json_encode_value(s->L, slot(s, field), &s->c->body, field_names[field], &s->hold)
             ? hold(s, "payload")
             : 0;
}

static int put_save_to(spec *s) {
  s->c->save_to = mem_text(text_field(s, SAVE_TO, NULL));
  s->c->save_below = s->r->in->shared->options->save_below;
  if (!s->c->save_to || save_check(s->c->save_to, &s->hold) == 0) return 0;
  error_before(&s->hold, "save_to: ");
  return hold(s, "config");
}

/* The payload is rendered in the call's turn, from what is anchored here: { name, vars }. */
static void put_payload(spec *s) {
  lua_State *L = s->L;
  s->c->renders = true;
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, slot(s, PAYLOAD));
  lua_rawseti(L, -2, 1);
  if (given(s, VARS)) {
    lua_pushvalue(L, slot(s, VARS));
    lua_rawseti(L, -2, 2);
  }
  run_anchor_set(s->r, L, ANCHOR_VARS);
}

static int put_body(spec *s) {
  lua_State *L = s->L;
  call *c = s->c;
  if (given(s, JSON)) return put_json(s, JSON);
  if (given(s, PAYLOAD) && lua_istable(L, slot(s, PAYLOAD))) return put_json(s, PAYLOAD);
  if (given(s, PAYLOAD)) put_payload(s);
  if (given(s, FORM)) {
    c->content_type = "application/x-www-form-urlencoded";
    c->has_body = true;
    value_pairs(L, slot(s, FORM), "form", &c->body, url_encode_form);
  }
  if (given(s, BODY)) {
    size_t length;
    const char *bytes = text_field(s, BODY, &length);
    buf_add(&c->body, bytes, length);
    c->has_body = true;
  }
  if (c->body.len <= BODY_MOST) return 0;
  error_set(&s->hold, "the body has %zu bytes; at most %d can be sent", c->body.len, BODY_MOST);
  return hold(s, "limit");
}

static void anchor_predicates(const spec *s) {
  static const struct {
    enum field field;
    int anchor;
  } kept[] = {{ONLY_IF, ANCHOR_ONLY_IF}, {SUCCESS, ANCHOR_SUCCESS}};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (!gives_function(s, kept[i].field)) continue;
    lua_pushvalue(s->L, slot(s, kept[i].field));
    run_anchor_set(s->r, s->L, kept[i].anchor);
  }
}

/* The run owns the call from the beginning, so that an error on the way leaks nothing. */
static void begin_call(spec *s, const connection *via, const char *element) {
  call_free(s->r->call);
  s->c = s->r->call = call_new(s->r->in->calls);
  s->c->via = via;
  s->c->method = s->method;
  s->c->label = mem_text(element);
}

/* ---- the primitive ---- */

static int answered(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  run *r = worker_of(L)->current;
  call *c = r->call;
  response_push(L, c);
  r->call = NULL;
  call_free(c);
  return 1;
}

static int held(const spec *s) {
  run_end(s->r, RUN_HELD, s->hold_reason, s->hold.text);
  return primitive_leave(s->L);
}

static void take_step(spec *s, const char *element) {
  buf *written = &s->r->in->text;
  buf_clear(written);
  buf_text_add(written, s->via);
  buf_char(written, ' ');
  buf_text_add(written, s->method);
  buf_char(written, ' ');
  buf_text_add(written, s->path);
  run_step_info info = {.kind = "call_api", .name = element, .written = buf_text(written)};
  run_step(s->r, s->L, &info, false);
}

static int no_connection(spec *s) {
  lua_State *L = s->L;
  const engine_options *options = s->r->in->shared->options;
  const char **names = lua_newuserdatauv(L, (options->connection_count + 1) * sizeof *names, 0);
  for (size_t i = 0; i < options->connection_count; i++) names[i] = options->connections[i]->name;
  names[options->connection_count] = NULL;
  error_set(&s->hold, "connections.lua has no connection \"%s\"%s", s->via, value_nearest(L, s->via, names));
  s->hold_reason = "config";
  return held(s);
}

/* The table is at 1; `name` is the element's, or NULL. Upvalue 1: field names to numbers. */
static int start(lua_State *L, const char *name) {
  spec s; /* but for `hold`, which is long and rarely needed */
  memset(&s, 0, offsetof(spec, hold));
  s.L = L;
  s.r = primitive_parking_run(L, "call_api");
  s.name = name;
  spread_fields(&s, lua_upvalueindex(1));
  read_target(&s);
  check_fields(&s);
  const char *element = name ? name : name_of_target(&s);
  primitive_check_name(L, "call_api", element);
  take_step(&s, element);
  run_call_fate fate = run_call_recorded(s.r, element, s.policy);
  if (fate == RUN_CALL_OVER) return answered(L, LUA_OK, 0);
  if (fate == RUN_CALL_ENDS) return primitive_leave(L);
  begin_call(&s, worker_connection(s.r->in, s.via), element);
  if (!s.c->via) return no_connection(&s);
  read_policies(&s);
  if (put_url(&s)) return held(&s);
  put_query(&s);
  if (put_headers(&s) || put_body(&s) || put_save_to(&s)) return held(&s);
  anchor_predicates(&s);
  run_call(s.r, L, s.policy);
  return primitive_yield(L, answered);
}

/* call_api "NAME" was called; its braces follow. Upvalue 2: the name. */
static int named(lua_State *L) {
  worker *w = worker_of(L);
  if (w->pending) w->pending = NULL;
  if (!lua_istable(L, 1))
    return luaL_error(L, "call_api \"%s\" takes a table: call_api \"NAME\" { via = …, POST = … }",
                      lua_tostring(L, lua_upvalueindex(2)));
  lua_settop(L, 1);
  return start(L, lua_tostring(L, lua_upvalueindex(2)));
}

int primitive_call_api(lua_State *L) {
  if (lua_istable(L, 1)) {
    lua_settop(L, 1);
    return start(L, NULL);
  }
  run *r = primitive_parking_run(L, "call_api");
  if (lua_type(L, 1) != LUA_TSTRING)
    return luaL_error(L, "call_api takes a name and a table, call_api \"NAME\" { … }, or a table, not a %s",
                      luaL_typename(L, 1));
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  run_anchor_set(r, L, ANCHOR_PENDING);
  r->in->pending = lua_tostring(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushcclosure(L, named, 2);
  return 1;
}

int call_api_fields(lua_State *L) {
  lua_createtable(L, FIELDS, 0);
  for (int field = 1; field < FIELDS; field++) {
    lua_pushstring(L, field_names[field]);
    lua_rawseti(L, -2, field);
  }
  return 1;
}

/* Pushes call_api itself, with what it knows of its fields. */
void call_api_open(lua_State *L) {
  lua_createtable(L, 0, FIELDS);
  for (int field = 1; field < FIELDS; field++) {
    lua_pushinteger(L, field);
    lua_setfield(L, -2, field_names[field]);
  }
  lua_pushcclosure(L, primitive_call_api, 1);
}
