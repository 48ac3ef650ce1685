/* A copy of a state, in steps: jaunt.native.state's `backup`, and what it gives. */
#include "native/control.h"
#include "native/native.h"
#include "store/backup.h"

static const char BACKUP[] = "jaunt.backup";

int native_backup_begin(lua_State *L) {
  error err;
  const char *from = luaL_checkstring(L, 1), *to = luaL_checkstring(L, 2);
  bool replace = lua_toboolean(L, 3);
  store_backup **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  luaL_setmetatable(L, BACKUP);
  *held = backup_begin(from, to, replace, &err);
  return *held ? 1 : control_fail(L, &err);
}

static int copy_step(lua_State *L) {
  error err;
  store_backup **held = luaL_checkudata(L, 1, BACKUP);
  uint64_t done, total;
  if (!*held) return luaL_error(L, "this copy is closed");
  int more = backup_step(*held, &done, &total, &err);
  if (more < 0) return control_fail(L, &err);
  if (!more) return 0;
  lua_pushinteger(L, (lua_Integer)done);
  lua_pushinteger(L, (lua_Integer)total);
  return 2;
}

static int copy_close(lua_State *L) {
  store_backup **held = luaL_checkudata(L, 1, BACKUP);
  backup_end(*held);
  *held = NULL;
  return 0;
}

static const luaL_Reg methods[] = {{"step", copy_step}, {"close", copy_close}, {NULL, NULL}};

void native_backup_define(lua_State *L) {
  native_type(L, BACKUP, methods, copy_close, copy_close);
}
