/* What call_api sends, and how: URL, headers, body, times, retries, predicates. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bind/call_spec.h"
#include "bind/json.h"
#include "bind/primitive.h"
#include "bind/value.h"
#include "calls/url.h"
#include "http/save.h"

enum { WITHIN_MS = 24 * 3600 * 1000, BODY_MOST = 100 << 20 };

/* ---- how ---- */

static void read_policies(call_spec *s) {
  lua_State *L = s->L;
  call *c = s->c;
  const connection *via = c->via;
  c->timeout_ms = via->timeout_ms;
  if (spec_gives(s, TIMEOUT))
    value_timeout(L, spec_slot(s, TIMEOUT), "timeout", &c->connect_ms, &c->timeout_ms);
  c->within_ms = spec_gives(s, WITHIN) ? value_duration(L, spec_slot(s, WITHIN), "within") : WITHIN_MS;
  c->retry = via->retry;
  if (spec_gives(s, RETRY)) value_retry(L, spec_slot(s, RETRY), "retry", &c->retry);
  c->success = via->success;
  c->asks_success = spec_gives_function(s, SUCCESS);
  if (spec_gives(s, SUCCESS) && !c->asks_success)
    value_statuses(L, spec_slot(s, SUCCESS), "success", &c->success);
  c->asks_only_if = spec_gives(s, ONLY_IF);
  if (spec_gives(s, KEEP_BODY)) c->keep_body = value_bytes(L, spec_slot(s, KEEP_BODY), "keep_body");
  if (spec_gives(s, REDIRECTS)) {
    int whole;
    lua_Integer most = lua_tointegerx(L, spec_slot(s, REDIRECTS), &whole);
    if (!whole || most < 0 || most > 30)
      luaL_error(L, "call_api: redirects says how many are followed, 0 to 30");
    c->follow = (int)most;
  }
  c->key_header = via->idempotent;
  if (spec_gives(s, IDEMPOTENT) && lua_isboolean(L, spec_slot(s, IDEMPOTENT))) {
    c->key_header = !lua_toboolean(L, spec_slot(s, IDEMPOTENT)) ? NULL
                    : via->idempotent                           ? via->idempotent
                                                                : "Idempotency-Key";
  } else if (spec_gives(s, IDEMPOTENT)) {
    c->own_key_header = mem_text(spec_text(s, IDEMPOTENT, NULL));
    c->key_header = c->own_key_header;
  }
}

/* ---- what is sent ---- */

static int hold(call_spec *s, const char *reason) {
  s->hold_reason = reason;
  return -1;
}

/* A connection's credentials go to its own host alone, be it that a value of a person's is the whole URL. */
static int check_place(const call_spec *s, const char *base, const char *url, error *err) {
  if (!base || url_same_place(base, url, err) == 0) return 0;
  return error_before(err, "connection \"%s\": ", s->via);
}

/* A URL or a header's value in which values are put in, as {{ person.id }}, with them, escaped for where they stand; it stays on the
 * stack. Other texts are left alone. */
static int put_values(call_spec *s, const char *kind, const char **text, size_t *length) {
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
  if (spec_gives(s, VARS))
    lua_pushvalue(L, spec_slot(s, VARS));
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

static int put_url(call_spec *s) {
  if (put_values(s, "url", &s->path, &s->path_length)) return -1;
  buf url = {s->c->url, 0, 0};
  const char *base = s->c->via->base_url;
  int failed;
  if (memchr(s->path, '\0', s->path_length))
    failed = error_set(&s->hold, "the path holds a NUL byte");
  else if (spec_is_whole_url(s->path))
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

static void put_query(call_spec *s) {
  if (!spec_gives(s, QUERY)) return;
  buf *pairs = &s->c->wire_url; /* not in use before the first attempt */
  value_pairs(s->L, spec_slot(s, QUERY), "query", pairs, url_encode);
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

/* Its value is put in when it is sent. */
static int put_secret(call_spec *s, pair *into, const char *name) {
  if (!into->hidden->value) {
    error_set(&s->hold, "there is no secret %s: set it in the environment or in the secrets file",
              into->hidden->name);
    return hold(s, "config");
  }
  into->name = mem_text(name);
  s->c->header_count++;
  return 0;
}

/* The name is at `value` - 1. */
static int put_header(call_spec *s, int value) {
  lua_State *L = s->L;
  pair *into = &s->c->headers[s->c->header_count];
  size_t length;
  const char *name = lua_tolstring(L, value - 1, &length);
  if (strlen(name) != length)
    return luaL_error(L, "call_api: the name of the header \"%s\" holds a NUL byte", name);
  into->hidden = secret_at(L, value);
  if (into->hidden) return put_secret(s, into, name);
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

static int put_headers(call_spec *s) {
  lua_State *L = s->L;
  if (!spec_gives(s, HEADERS)) return 0;
  value_sorted_names(L, spec_slot(s, HEADERS), "headers");
  int names = lua_gettop(L), failed = 0;
  s->c->headers = mem_zero((lua_rawlen(L, names) + 1) * sizeof *s->c->headers);
  for (lua_Integer i = 1; !failed && lua_rawgeti(L, names, i) == LUA_TSTRING; i++) {
    lua_pushvalue(L, -1);
    lua_rawget(L, spec_slot(s, HEADERS));
    failed = put_header(s, lua_gettop(L));
    lua_settop(L, names);
  }
  lua_settop(L, names - 1);
  return failed;
}

static int put_json(call_spec *s, enum field field) {
  s->c->content_type = "application/json";
  s->c->has_body = true;
  return json_encode_value(s->L, spec_slot(s, field), &s->c->body, call_field_names[field], &s->hold)
             ? hold(s, "payload")
             : 0;
}

static int put_save_to(call_spec *s) {
  s->c->save_to = mem_text(spec_text(s, SAVE_TO, NULL));
  s->c->save_below = s->r->in->shared->options->save_below;
  if (!s->c->save_to || save_check(s->c->save_to, &s->hold) == 0) return 0;
  error_before(&s->hold, "save_to: ");
  return hold(s, "config");
}

/* The payload is rendered in the call's turn, from what is anchored here: { name, vars }. */
static void put_payload(call_spec *s) {
  lua_State *L = s->L;
  s->c->renders = true;
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, spec_slot(s, PAYLOAD));
  lua_rawseti(L, -2, 1);
  if (spec_gives(s, VARS)) {
    lua_pushvalue(L, spec_slot(s, VARS));
    lua_rawseti(L, -2, 2);
  }
  run_anchor_set(s->r, L, ANCHOR_VARS);
}

static int put_body(call_spec *s) {
  lua_State *L = s->L;
  call *c = s->c;
  if (spec_gives(s, JSON)) return put_json(s, JSON);
  if (spec_gives(s, PAYLOAD) && lua_istable(L, spec_slot(s, PAYLOAD))) return put_json(s, PAYLOAD);
  if (spec_gives(s, PAYLOAD)) put_payload(s);
  if (spec_gives(s, FORM)) {
    c->content_type = "application/x-www-form-urlencoded";
    c->has_body = true;
    value_pairs(L, spec_slot(s, FORM), "form", &c->body, url_encode_form);
  }
  if (spec_gives(s, BODY)) {
    size_t length;
    const char *bytes = spec_text(s, BODY, &length);
    buf_add(&c->body, bytes, length);
    c->has_body = true;
  }
  if (c->body.len <= BODY_MOST) return 0;
  error_set(&s->hold, "the body has %zu bytes; at most %d can be sent", c->body.len, BODY_MOST);
  return hold(s, "limit");
}

static void anchor_predicates(const call_spec *s) {
  static const struct {
    enum field field;
    int anchor;
  } kept[] = {{ONLY_IF, ANCHOR_ONLY_IF}, {SUCCESS, ANCHOR_SUCCESS}};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    if (!spec_gives_function(s, kept[i].field)) continue;
    lua_pushvalue(s->L, spec_slot(s, kept[i].field));
    run_anchor_set(s->r, s->L, kept[i].anchor);
  }
}

int spec_put_request(call_spec *s) {
  read_policies(s);
  if (put_url(s)) return -1;
  put_query(s);
  if (put_headers(s) || put_body(s) || put_save_to(s)) return -1;
  anchor_predicates(s);
  return 0;
}
