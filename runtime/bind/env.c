/* env(name, default) and secret(name): configuration. A secret is shown as ‹secret NAME› wherever it is looked at, and env
 * does not tell it. */
#include <stdlib.h>

#include "bind/primitive.h"

static const char secret_type[] = "secret";

int primitive_env(lua_State *L) {
  run *r = primitive_run(L, "env");
  const char *name = luaL_checkstring(L, 1);
  if (!run_in_past(r) && secrets_hide(r->in->shared->options->secrets, name))
    return luaL_error(L,
                      "env: %s is a secret, which no script may look at: secret \"%s\" puts it into a header",
                      name, name);
  const char *value = getenv(name);
  run_step_info info = {.kind = "env", .written = name, .data = value};
  run_step(r, L, &info, true);
  if (info.data)
    lua_pushstring(L, info.data);
  else
    lua_settop(L, 2);
  return 1;
}

static int secret_text(lua_State *L) {
  const secret *const *held = luaL_checkudata(L, 1, secret_type);
  lua_pushfstring(L, "\xe2\x80\xb9secret %s\xe2\x80\xba", (*held)->name);
  return 1;
}

void secret_open(lua_State *L) {
  luaL_newmetatable(L, secret_type);
  lua_pushcfunction(L, secret_text);
  lua_setfield(L, -2, "__tostring");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

const secret *secret_at(lua_State *L, int index) {
  const secret *const *held = luaL_testudata(L, index, secret_type);
  return held ? *held : NULL;
}

/* A missing secret is a mistake of ours: the run is held until somebody sets it. */
int primitive_secret(lua_State *L) {
  run *r = primitive_yielding_run(L, "secret"); /* it may stand within call_api's braces */
  const char *name = luaL_checkstring(L, 1);
  secrets *all = r->in->shared->options->secrets;
  const secret *found = secrets_find(all, name);
  if (!found && run_in_past(r))
    found = secrets_need(all, name); /* a call that is still to be made will miss its value */
  if (!found) {
    const char *detail =
        lua_pushfstring(L, "there is no secret %s: set it in the environment or in the secrets file", name);
    run_end(r, RUN_HELD, "config", detail);
    return primitive_leave(L);
  }
  const secret **held = lua_newuserdatauv(L, sizeof(*held), 0);
  *held = found;
  luaL_setmetatable(L, secret_type);
  return 1;
}
