/* The vocabulary as workers' states have it: the module jaunt.native.vocabulary, and what the engine asks of bind/.
 *
 * Names here are those of the scripts' environment; lualib/jaunt/sandbox.lua decides which of them, and of Lua's own, a
 * script sees. */
#include <stdlib.h>
#include <string.h>

#include "bind/json.h"
#include "bind/libraries.h"
#include "bind/modules.h"
#include "bind/native.h"
#include "bind/primitive.h"

static const luaL_Reg vocabulary[] = {
    {"wait", primitive_wait},
    {"wait_until", primitive_wait_until},
    {"wait_for", primitive_wait_for},
    {"split", primitive_split},
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

static int open_vocabulary(lua_State *L) {
  person_open(L);
  secret_open(L);
  response_open(L);
  luaL_newlib(L, vocabulary);
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

/* JAUNT_COLLECTOR=incremental, generational or aggressive: for tests that what a script does hangs on none of it. */
static void choose_collector(lua_State *L) {
  const char *mode = getenv("JAUNT_COLLECTOR");
  if (mode && strcmp(mode, "generational") == 0) lua_gc(L, LUA_GCGEN, 0, 0);
  if (mode && strcmp(mode, "aggressive") == 0) lua_gc(L, LUA_GCINC, 100, 1000, 0);
}

static void open_worker(lua_State *L) {
  choose_collector(L);
  static const luaL_Reg natives[] = {{"jaunt.native.vocabulary", open_vocabulary},
                                     {"json", bind_json_open},
                                     {"cjson", bind_json_open},
                                     {"jaunt.native.calendar", native_calendar_open},
                                     {"jaunt.native.digest", native_digest_open},
                                     {"jaunt.native.letters", native_letters_open},
                                     {"jaunt.native.regex", native_regex_open},
                                     {"jaunt.native.clock", native_clock_open},
                                     {"jaunt.native.text", native_text_open},
                                     {NULL, NULL}};
  modules_install(L, natives);
}

const engine_lua bind_engine_lua = {
    .open = open_worker,
    .push_response = response_push,
    .person_compare = person_compare,
    .person_change = person_change,
    .push_json = json_decode_known, /* the bytes were checked when they came in */
    .encode = json_encode_value,
    .describe_call = describe_call,
    .inner = coroutine_inner,
};
