/* The list of native modules. One row makes a module known to commands and to specs. */
#include "bind/json_module.h"
#include "native/native.h"
#include "repl/native.h"
#include "serve/native.h"

const luaL_Reg native_modules[] = {
    {"json", bind_json_open},
    {"cjson", bind_json_open},
    {"jaunt.native.lua_cjson", bind_lua_cjson_open},
    {"jaunt.native.audience", native_audience_open},
    {"jaunt.native.calendar", native_calendar_open},
    {"jaunt.native.clock", native_clock_open},
    {"jaunt.native.connections", native_connections_open},
    {"jaunt.native.digest", native_digest_open},
    {"jaunt.native.engine", native_engine_open},
    {"jaunt.native.control", native_control_open},
    {"jaunt.native.fs", native_fs_open},
    {"jaunt.native.host", native_host_open},
    {"jaunt.native.letters", native_letters_open},
    {"jaunt.native.process", native_process_open},
    {"jaunt.native.prompt", native_prompt_open},
    {"jaunt.native.regex", native_regex_open},
    {"jaunt.native.socket", native_socket_open},
    {"jaunt.native.state", native_state_open},
    {"jaunt.native.term", native_term_open},
    {"jaunt.native.text", native_text_open},
    {"jaunt.native.vendor", native_vendor_open},
    {"jaunt.native.watch", native_watch_open},
    {NULL, NULL},
};
