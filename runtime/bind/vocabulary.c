/* The vocabulary as workers' states have it: the module jaunt.native.vocabulary.
 *
 * Names here are those of the scripts' environment; lualib/jaunt/worker/sandbox.lua decides which of them, and of Lua's own, a
 * script sees. */
#include "bind/libraries.h"
#include "bind/primitive.h"

static const luaL_Reg vocabulary[] = {
    {"wait", primitive_wait},
    {"wait_until", primitive_wait_until},
    {"wait_for", primitive_wait_for},
    {"drop", primitive_drop},
    {"exit", primitive_exit},
    {"restart_with", primitive_restart_with},
    {"watch", primitive_watch},
    {"only_watch", primitive_only_watch},
    {"enter", primitive_enter},
    {"env", primitive_env},
    {"secret", primitive_secret},
    {"now", primitive_now},
    {"random", primitive_random},
    {"uuid", primitive_uuid},
    {"log", primitive_log},
    {"print", primitive_print},
    {"plain", vocabulary_plain},
    {"choose", vocabulary_choose},
    {"tell", vocabulary_tell},
    {"warn", vocabulary_warn},
    {NULL, NULL},
};

int vocabulary_open(lua_State *L) {
  person_open(L);
  secret_open(L);
  response_open(L);
  luaL_newlib(L, vocabulary);
  split_open(L);
  lua_setfield(L, -2, "split");
  call_api_open(L);
  lua_setfield(L, -2, "call_api");
  coroutine_open(L);
  lua_setfield(L, -2, "coroutine");
  library_base(L);
  lua_setfield(L, -2, "base");
  library_string(L);
  lua_setfield(L, -2, "string");
  library_table(L);
  lua_setfield(L, -2, "table");
  library_os(L);
  lua_setfield(L, -2, "os");
  return 1;
}
