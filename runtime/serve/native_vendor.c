/* jaunt.native.vendor: the pretend vendor, for commands.
 *
 *   local vendor <close> = require("jaunt.native.vendor").start {
 *     port = 0, latency = 20, fail = 0.02, reset = 0.005, seed = 7,
 *     behaviour = "scripts/vendor.lua", remember = 100000 }     -- all optional; latency in ms
 *   vendor:port()      the port it listens on
 *   vendor:url()       "http://127.0.0.1:PORT"
 *   vendor:counts()    { requests = n, accepted = n, … }
 *   vendor:received(items)  what GET /_received answers, as JSON text; items = true: with the first requests themselves
 *   vendor:stop()      also when it is closed or collected; the others fail after it
 *
 *   library_version()  libmicrohttpd's; loads it
 *
 * start fails in words when the port is taken or the behaviour file is wrong. */
#include <lauxlib.h>
#include <microhttpd.h>
#include <string.h>

#include "native/control.h"
#include "native/fields.h"
#include "native/native.h"
#include "serve/libmicrohttpd.h"
#include "serve/native.h"
#include "serve/vendor.h"

static const char HANDLE[] = "jaunt.vendor";

static vendor *vendor_at(lua_State *L) {
  vendor **held = luaL_checkudata(L, 1, HANDLE);
  if (*held == NULL) luaL_error(L, "the pretend vendor was stopped");
  return *held;
}

static int vendor_start_lua(lua_State *L) {
  error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  vendor_options options = {
      .port = field_integer(L, 1, "port", 0),
      .latency_ms = field_integer(L, 1, "latency", 0),
      .fail = field_number(L, 1, "fail", 0),
      .reset = field_number(L, 1, "reset", 0),
      .seed = (uint64_t)field_integer(L, 1, "seed", 0),
      .remember = (uint64_t)field_integer(L, 1, "remember", 0),
      .behaviour = field_text(L, 1, "behaviour", NULL),
  };
  vendor **held = lua_newuserdatauv(L, sizeof(vendor *), 0);
  *held = NULL;
  luaL_setmetatable(L, HANDLE);
  *held = vendor_start(&options, &err);
  if (*held == NULL) return control_fail(L, &err);
  return 1;
}

static int vendor_port_lua(lua_State *L) {
  lua_pushinteger(L, vendor_port(vendor_at(L)));
  return 1;
}

static int vendor_url_lua(lua_State *L) {
  lua_pushfstring(L, "http://127.0.0.1:%d", vendor_port(vendor_at(L)));
  return 1;
}

static int vendor_counts_lua(lua_State *L) {
  vendor_counts counts = vendor_count(vendor_at(L));
  lua_newtable(L);
  for (const vendor_count_name *c = vendor_count_names; c->name != NULL; c++) {
    uint64_t value;
    memcpy(&value, (const char *)&counts + c->offset, sizeof value);
    field_set_integer(L, c->name, (int64_t)value);
  }
  return 1;
}

static int vendor_received_lua(lua_State *L) {
  buf json = BUF_EMPTY;
  vendor_received(vendor_at(L), lua_toboolean(L, 2), &json);
  lua_pushlstring(L, json.data, json.len);
  buf_free(&json);
  return 1;
}

static int vendor_stop_lua(lua_State *L) {
  vendor **held = luaL_checkudata(L, 1, HANDLE);
  vendor *v = *held;
  *held = NULL;
  vendor_stop(v);
  return 0;
}

static int vendor_library_version(lua_State *L) {
  error err;
  if (libmicrohttpd_load(&err) != 0) return control_fail(L, &err);
  lua_pushstring(L, MHD_get_version());
  return 1;
}

static const luaL_Reg functions[] = {
    {"start", vendor_start_lua}, {"library_version", vendor_library_version}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"port", vendor_port_lua},         {"url", vendor_url_lua},   {"counts", vendor_counts_lua},
    {"received", vendor_received_lua}, {"stop", vendor_stop_lua}, {NULL, NULL},
};

int native_vendor_open(lua_State *L) {
  native_type(L, HANDLE, methods, vendor_stop_lua, vendor_stop_lua);
  luaL_newlib(L, functions);
  return 1;
}
