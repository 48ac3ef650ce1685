/* jaunt.native.host: what this binary is made of. */
#include <curl/curl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/lualib.h"
#include "http/http.h"
#include "native/control.h"
#include "native/fields.h"
#include "native/native.h"

#include <lua-cjson.h> /* behind lua.h, which it needs and does not include */

/* Lua names its release only within an identification that is there for the `ident` command. */
extern const char lua_ident[];

static void push_lua_version(lua_State *L) {
  char release[32];
  const char *at = strstr(lua_ident, "Lua 5");
  if (at != NULL && sscanf(at, "Lua %31s", release) == 1)
    lua_pushstring(L, release);
  else
    lua_pushstring(L, LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE);
}

static void push_cjson_version(lua_State *L) {
  lua_pushcfunction(L, luaopen_cjson);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "_VERSION");
  lua_remove(L, -2);
}

/* libmicrohttpd counts in bytes of decimal digits: 0x00097500 is 0.9.75. */
static void push_header_version(lua_State *L, unsigned version) {
  lua_pushfstring(L, "%d.%d.%d", (int)(version >> 24),
                  (int)(version >> 20 & 15) * 10 + (int)(version >> 16 & 15),
                  (int)(version >> 12 & 15) * 10 + (int)(version >> 8 & 15));
}

/* versions(): {jaunt =, lua =, libuv =, cjson =} of what runs, and {libcurl =, libmicrohttpd =} of what was compiled against:
 * to load these two takes longer than all the rest. */
static int host_versions(lua_State *L) {
  lua_createtable(L, 0, 6);
  field_set_text(L, "jaunt", JAUNT_VERSION);
  push_lua_version(L);
  lua_setfield(L, -2, "lua");
  field_set_text(L, "libcurl", LIBCURL_VERSION);
  field_set_text(L, "libuv", uv_version_string());
  push_cjson_version(L);
  lua_setfield(L, -2, "cjson");
  push_header_version(L, MHD_VERSION);
  lua_setfield(L, -2, "libmicrohttpd");
  return 1;
}

/* libcurl_version(): of the one that calls go through; loads it. */
static int host_libcurl_version(lua_State *L) {
  error err;
  if (http_process_init(&err) != 0) return control_fail(L, &err);
  lua_pushstring(L, curl_version_info(CURLVERSION_NOW)->version);
  return 1;
}

static void add_module(void *data, const char *name) {
  field_set_flag(data, name, true);
}

/* modules(package): the modules of lualib that stand directly in it, as {NAME = true}. */
static int host_modules(lua_State *L) {
  const char *package = luaL_checkstring(L, 1);
  lua_newtable(L);
  lualib_each(package, add_module, L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"versions", host_versions},
    {"libcurl_version", host_libcurl_version},
    {"modules", host_modules},
    {NULL, NULL},
};

int native_host_open(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
