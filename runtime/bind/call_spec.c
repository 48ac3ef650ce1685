/* The fields of call_api: see call_spec.h. */
#include "bind/call_spec.h"

#include <string.h>

#include "bind/primitive.h"
#include "bind/value.h"

/* So many find room on any C function's stack: a coroutine's need not grow for them. */
enum { FEW_FIELDS = 6 };

/* ---- the fields ---- */

const char *const call_field_names[FIELDS + 1] = {
    "",           "GET",     "POST",      "PUT",       "PATCH",   "DELETE",  "HEAD",       "OPTIONS",
    "via",        "method",  "url",       "query",     "headers", "payload", "vars",       "json",
    "form",       "body",    "timeout",   "within",    "retry",   "success", "on_failure", "only_if",
    "idempotent", "save_to", "redirects", "keep_body", NULL,
};

static const char *const later[] = {"quiet", "cap", "consent", "rate", "circuit", NULL};

static int unknown_field(lua_State *L, const char *name) {
  for (const char *const *field = later; *field; field++) {
    if (strcmp(*field, name) == 0)
      return luaL_error(
          L, "call_api: \"%s\" is not there yet: this version of jaunt would ignore it, so leave it out",
          name);
  }
  return luaL_error(L, "call_api has no field \"%s\"%s", name, value_nearest(L, name, call_field_names + 1));
}

void spec_spread(call_spec *s, int names) {
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

const char *spec_text(const call_spec *s, enum field field, size_t *length) {
  if (!spec_gives(s, field)) return NULL;
  if (lua_type(s->L, spec_slot(s, field)) != LUA_TSTRING)
    luaL_error(s->L, "call_api: %s is a text, not a %s", call_field_names[field],
               luaL_typename(s->L, spec_slot(s, field)));
  size_t found;
  const char *text = lua_tolstring(s->L, spec_slot(s, field), &found);
  if (length)
    *length = found;
  else if (strlen(text) != found)
    luaL_error(s->L, "call_api: %s holds a NUL byte", call_field_names[field]);
  return text;
}

/* ---- what is called ---- */

static const char *method_named(lua_State *L, const char *name) {
  for (int field = GET; field <= OPTIONS; field++) {
    if (strcmp(call_field_names[field], name) == 0) return call_field_names[field];
  }
  const char *verbs[OPTIONS + 1] = {NULL};
  memcpy(verbs, call_field_names + GET, OPTIONS * sizeof *verbs);
  luaL_error(L, "call_api: \"%s\" is no method that can be sent%s", name, value_nearest(L, name, verbs));
  return NULL;
}

void spec_read_target(call_spec *s) {
  lua_State *L = s->L;
  for (int field = GET; field <= OPTIONS; field++) {
    if (!spec_gives(s, (enum field)field)) continue;
    if (s->method)
      luaL_error(L, "call_api has both %s and %s: one request has one method", s->method,
                 call_field_names[field]);
    s->method = call_field_names[field];
    s->path = spec_text(s, (enum field)field, &s->path_length);
  }
  const char *method = spec_text(s, METHOD, NULL), *url = spec_text(s, URL, NULL);
  if (s->method && (method || url))
    luaL_error(L, "call_api has both %s and %s: take one", s->method, method ? "method" : "url");
  if (!s->method) {
    if (!url) luaL_error(L, "call_api needs a verb with its path (POST = \"/leads\"), or method and url");
    s->method = method ? method_named(L, method) : "GET";
    s->path = spec_text(s, URL, &s->path_length);
  }
  s->via = spec_text(s, VIA, NULL);
  if (!s->via) s->via = "";
}

bool spec_is_whole_url(const char *path) {
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

const char *spec_target_name(const call_spec *s) {
  size_t length = strcspn(s->path, "?#");
  const char *shown = spec_is_whole_url(s->path) ? behind_user(s->path, length) : NULL;
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

void spec_check(call_spec *s) {
  lua_State *L = s->L;
  static const enum field bodies[] = {PAYLOAD, JSON, FORM, BODY};
  const char *first = NULL;
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    if (!spec_gives(s, bodies[i])) continue;
    if (first)
      luaL_error(L, "call_api has both %s and %s: a request has one body", first,
                 call_field_names[bodies[i]]);
    first = call_field_names[bodies[i]];
  }
  if (spec_gives(s, VARS) && !spec_gives(s, PAYLOAD))
    luaL_error(L, "call_api: vars go to a payload, and there is none here");
  if (spec_gives(s, VARS) && !lua_istable(L, spec_slot(s, VARS)))
    luaL_error(L, "call_api: vars is a table { name = value }");
  if (spec_gives(s, PAYLOAD) && !lua_istable(L, spec_slot(s, PAYLOAD))) spec_text(s, PAYLOAD, NULL);
  if (spec_gives(s, ONLY_IF) && !spec_gives_function(s, ONLY_IF))
    luaL_error(L, "call_api: only_if is a function(person, event) that says whether to send");
  if (spec_gives(s, ON_FAILURE)) s->policy = policy_named(L, spec_text(s, ON_FAILURE, NULL));
}

/* ---- for who looks at scripts ---- */

int call_api_fields(lua_State *L) {
  lua_createtable(L, FIELDS, 0);
  for (int field = 1; field < FIELDS; field++) {
    lua_pushstring(L, call_field_names[field]);
    lua_rawseti(L, -2, field);
  }
  return 1;
}
