/* jaunt.native.connections: connections.lua's outcome as the host's own structures.
 *
 *   secrets(pretend)               a store of secrets; pretend: each has a made-up value
 *     :read(path)                  NAME=VALUE lines of a file that only its owner can read
 *     :has(name)
 *     :need(name)                  it is a secret's name, whether there is one or not
 *   new(list, secrets)             connections from tables that jaunt.project.connections has checked:
 *     { name =, base_url =, reroute =, headers = { NAME = value }, auth = { kind =, name =, value = },
 *       timeout =, retry =, success =, idempotent =, max_in_flight =, private_network =, ca_file =,
 *       max_body = }               where a value may be { secret = NAME }
 *
 * Both are userdata that jaunt.native.engine takes over. */
#include "native/native_connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bind/value.h"
#include "native/control.h"
#include "native/fields.h"
#include "native/native.h"

static const char SECRETS[] = "jaunt.secrets", CONNECTIONS[] = "jaunt.connections";

typedef struct connection_list {
  connection **items; /* NULL once taken */
  size_t count;
} connection_list;

/* ---- secrets ---- */

static secrets *secrets_at(lua_State *L, int index) {
  secrets **held = luaL_checkudata(L, index, SECRETS);
  if (!*held) luaL_error(L, "these secrets were handed over already");
  return *held;
}

static int secrets_new_lua(lua_State *L) {
  secrets **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  luaL_setmetatable(L, SECRETS);
  *held = secrets_new(lua_toboolean(L, 1));
  return 1;
}

static int secrets_read_lua(lua_State *L) {
  error err;
  if (secrets_read_file(secrets_at(L, 1), luaL_checkstring(L, 2), &err)) return control_fail(L, &err);
  return 0;
}

static int secrets_need_lua(lua_State *L) {
  secrets_need(secrets_at(L, 1), luaL_checkstring(L, 2));
  return 0;
}

static int secrets_has_lua(lua_State *L) {
  lua_pushboolean(L, secrets_find(secrets_at(L, 1), luaL_checkstring(L, 2)) != NULL);
  return 1;
}

static int secrets_gc(lua_State *L) {
  secrets **held = luaL_checkudata(L, 1, SECRETS);
  secrets_free(*held);
  *held = NULL;
  return 0;
}

secrets *native_secrets_take(lua_State *L, int index) {
  secrets *taken = secrets_at(L, index);
  *(secrets **)lua_touserdata(L, index) = NULL;
  return taken;
}

/* ---- connections ---- */

/* The value on top of the stack: a text, or { secret = NAME }. */
static void read_value(lua_State *L, secrets *all, pair *into) {
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "secret");
    into->hidden = secrets_need(all, luaL_checkstring(L, -1));
    lua_pop(L, 1);
  } else {
    into->value = mem_text(luaL_checkstring(L, -1));
  }
}

static void read_headers(lua_State *L, int table, secrets *all, connection *c) {
  if (lua_getfield(L, table, "headers") == LUA_TTABLE) {
    int headers = lua_gettop(L);
    value_sorted_names(L, headers, "headers");
    c->headers = mem_zero((lua_rawlen(L, -1) + 1) * sizeof *c->headers);
    for (lua_Integer i = 1; lua_rawgeti(L, headers + 1, i) == LUA_TSTRING; i++) {
      pair *into = &c->headers[c->header_count++];
      into->name = mem_text(lua_tostring(L, -1));
      lua_rawget(L, headers);
      read_value(L, all, into);
      lua_pop(L, 1);
    }
    lua_settop(L, headers);
  }
  lua_pop(L, 1);
}

static void read_auth(lua_State *L, int table, secrets *all, auth *into) {
  static const char *const kinds[] = {[AUTH_NONE] = "",
                                      [AUTH_BEARER] = "bearer",
                                      [AUTH_BASIC] = "basic",
                                      [AUTH_HEADER] = "header",
                                      [AUTH_QUERY] = "query"};
  if (lua_getfield(L, table, "auth") == LUA_TTABLE) {
    int at = lua_gettop(L);
    lua_getfield(L, at, "kind");
    for (int kind = AUTH_BEARER; kind <= AUTH_QUERY; kind++) {
      if (strcmp(kinds[kind], luaL_checkstring(L, -1)) == 0) into->kind = (auth_kind)kind;
    }
    into->name = mem_text(field_text(L, at, "name", NULL));
    lua_getfield(L, at, "value");
    read_value(L, all, &into->value);
    lua_settop(L, at);
  }
  lua_pop(L, 1);
}

static void read_times(lua_State *L, int table, connection *c) {
  if (lua_getfield(L, table, "timeout") != LUA_TNIL)
    value_timeout(L, -1, "timeout", &c->connect_ms, &c->timeout_ms);
  if (lua_getfield(L, table, "retry") != LUA_TNIL) value_retry(L, -1, "retry", &c->retry);
  if (lua_getfield(L, table, "success") != LUA_TNIL) value_statuses(L, -1, "success", &c->success);
  if (lua_getfield(L, table, "max_body") != LUA_TNIL) c->max_body = value_bytes(L, -1, "max_body");
  if (lua_getfield(L, table, "max_in_flight") != LUA_TNIL) {
    limit_free(c->limit);
    c->limit = limit_new((size_t)luaL_checkinteger(L, -1));
  }
  lua_pop(L, 5);
}

static void read_idempotent(lua_State *L, int table, connection *c) {
  int type = lua_getfield(L, table, "idempotent");
  if (type != LUA_TNIL) free(c->idempotent), c->idempotent = NULL;
  if (type == LUA_TSTRING) c->idempotent = mem_text(lua_tostring(L, -1));
  if (type == LUA_TBOOLEAN && lua_toboolean(L, -1)) c->idempotent = mem_text("Idempotency-Key");
  lua_pop(L, 1);
}

static connection *read_connection(lua_State *L, int table, secrets *all, connection_list *into) {
  lua_getfield(L, table, "name");
  connection *c = connection_new(luaL_checkstring(L, -1));
  into->items[into->count++] = c; /* owned from here on: what follows may raise */
  lua_pop(L, 1);
  connection_set_base(c, mem_text(field_text(L, table, "base_url", NULL)));
  c->reroute = mem_text(field_text(L, table, "reroute", NULL));
  c->ca_file = mem_text(field_text(L, table, "ca_file", NULL));
  c->private_network = field_flag(L, table, "private_network");
  read_headers(L, table, all, c);
  read_auth(L, table, all, &c->auth);
  read_times(L, table, c);
  read_idempotent(L, table, c);
  return c;
}

static int connections_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  secrets *all = secrets_at(L, 2);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  connection_list *made = lua_newuserdatauv(L, sizeof *made, 0);
  *made = (connection_list){NULL, 0};
  luaL_setmetatable(L, CONNECTIONS);
  made->items = mem_zero(((size_t)count + 1) * sizeof *made->items);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    read_connection(L, lua_gettop(L), all, made);
    lua_pop(L, 1);
  }
  return 1;
}

static int connections_gc(lua_State *L) {
  connection_list *held = luaL_checkudata(L, 1, CONNECTIONS);
  for (size_t i = 0; held->items && i < held->count; i++) connection_free(held->items[i]);
  free(held->items);
  held->items = NULL;
  return 0;
}

connection **native_connections_take(lua_State *L, int index, size_t *count) {
  connection_list *held = luaL_checkudata(L, index, CONNECTIONS);
  connection **taken = held->items;
  if (!taken) luaL_error(L, "these connections were handed over already");
  *count = held->count;
  held->items = NULL;
  return taken;
}

static const luaL_Reg functions[] = {{"secrets", secrets_new_lua}, {"new", connections_new}, {NULL, NULL}};

int native_connections_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"read", secrets_read_lua}, {"has", secrets_has_lua}, {"need", secrets_need_lua}, {NULL, NULL}};
  native_type(L, SECRETS, methods, secrets_gc, NULL);
  native_type(L, CONNECTIONS, NULL, connections_gc, NULL);
  luaL_newlib(L, functions);
  return 1;
}
