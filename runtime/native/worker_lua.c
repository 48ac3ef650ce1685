/* What the engine asks of Lua: see worker_lua.h. */
#include "native/worker_lua.h"

#include <stdlib.h>
#include <string.h>

#include "bind/json.h"
#include "bind/json_module.h"
#include "bind/primitive.h"
#include "native/modules.h"
#include "native/native.h"

/* JAUNT_COLLECTOR=incremental, generational or aggressive: for tests that what a script does hangs on none of it. */
static void choose_collector(lua_State *L) {
  const char *mode = getenv("JAUNT_COLLECTOR");
  if (mode && strcmp(mode, "generational") == 0) lua_gc(L, LUA_GCGEN, 0, 0);
  if (mode && strcmp(mode, "aggressive") == 0) lua_gc(L, LUA_GCINC, 100, 1000, 0);
}

static void open_worker(lua_State *L) {
  choose_collector(L);
  static const luaL_Reg natives[] = {{"jaunt.native.vocabulary", vocabulary_open},
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

const engine_lua worker_lua = {
    .open = open_worker,
    .push_response = response_push,
    .compare_person = person_compare,
    .change_person = person_change,
    .push_json = json_decode_known, /* the bytes were checked when they came in */
    .encode = json_encode_value,
    .tell_call = describe_call,
    .inner = coroutine_inner,
};
