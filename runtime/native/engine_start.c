/* jaunt.native.engine: what start is asked for, as the engine's options. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bind/value.h"
#include "native/control.h"
#include "native/fields.h"
#include "native/native_connections.h"
#include "native/engine_parts.h"
#include "native/worker_lua.h"

/* Names of runs and keys hang on it: the same for the same seed, otherwise never twice. */
static hash128 store_id_of(lua_State *L) {
  hash128 id = {0, 0};
  lua_getfield(L, 1, "seed");
  if (lua_isinteger(L, -1)) {
    lua_Integer seed = lua_tointeger(L, -1);
    id = hash_bytes((hash128){0x73656564, 0x6a61756e74}, &seed, sizeof seed);
  } else if (random_system(&id)) {
    luaL_error(L, "the system gives no random numbers, so runs can't be named: try --seed");
  }
  lua_pop(L, 1);
  return id;
}

/* A limit that is counted, on top of the stack. */
static int limit_count(lua_State *L, const char *name) {
  size_t count = value_bytes(L, -1, name);
  if (count > INT_MAX) luaL_error(L, "%s is at most %d", name, INT_MAX);
  return (int)count;
}

/* limits = { run_memory = "32MiB", slice_time = "1s", … }: what is not named keeps its default. */
static script_limits limits_of(lua_State *L) {
  script_limits limits = script_limits_default;
  if (lua_getfield(L, 1, "limits") == LUA_TTABLE) {
    int at = lua_gettop(L);
    if (lua_getfield(L, at, "run_memory") != LUA_TNIL) limits.run_memory = value_bytes(L, -1, "run_memory");
    if (lua_getfield(L, at, "worker_memory") != LUA_TNIL)
      limits.worker_memory = value_bytes(L, -1, "worker_memory");
    if (lua_getfield(L, at, "text") != LUA_TNIL) limits.text = value_bytes(L, -1, "text");
    if (lua_getfield(L, at, "slice_time") != LUA_TNIL) limits.slice_ms = value_duration(L, -1, "slice_time");
    if (lua_getfield(L, at, "pattern_steps") != LUA_TNIL)
      limits.pattern_steps = value_bytes(L, -1, "pattern_steps");
    if (lua_getfield(L, at, "coroutines") != LUA_TNIL) limits.coroutines = limit_count(L, "coroutines");
    if (lua_getfield(L, at, "elements") != LUA_TNIL) limits.elements = (size_t)limit_count(L, "elements");
    if (lua_getfield(L, at, "inbox") != LUA_TNIL) limits.inbox = (size_t)limit_count(L, "inbox");
    lua_settop(L, at);
  }
  lua_pop(L, 1);
  return limits;
}

/* From the committer's thread: whoever looks at the process has to know that nothing is saved, whatever else it shows. */
static void tell_trouble(void *data, const char *text) {
  (void)data;
  fprintf(stderr, "\nwarning: %s\n", text ? text : "the state can be written again");
}

/* state = the path of a file that outlives the process; without it the state is in memory. sync = "normal". keep_ms = how long
 * ended runs are kept; without it: for ever. */
static store *open_store(lua_State *L) {
  error err;
  hash128 id = store_id_of(L);
  store_file file = {
      .has_id = true, .id = id, .path = field_text(L, 1, "state", NULL), .trouble = tell_trouble};
  const char *sync = field_text(L, 1, "sync", NULL);
  file.sync_normal = sync && strcmp(sync, "normal") == 0;
  file.kind = field_flag(L, 1, "asleep")    ? STORE_ANY_KIND
              : field_flag(L, 1, "virtual") ? STORE_REHEARSAL
                                            : STORE_LIVE;
  file.keep_ms = field_integer(L, 1, "keep_ms", -1);
  file.sweeps = file.keep_ms >= 0;
  file.now_ms = field_integer(L, 1, "start_ms", 0);
  store *s = file.path ? store_open_sqlite(&file, &err) : store_open_memory(id);
  if (!s) control_fail(L, &err);
  return s;
}

int native_engine_check_limits(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  limits_of(L);
  return 0;
}

/* Owned by the engine from here on. */
static void take_connections(lua_State *L, engine_options *options) {
  lua_getfield(L, 1, "connections");
  lua_getfield(L, 1, "secrets");
  luaL_checkudata(L, -1, "jaunt.secrets");
  options->connections = native_connections_take(L, -2, &options->connection_count);
  options->secrets = native_secrets_take(L, -1);
  lua_pop(L, 2);
}

engine_options native_engine_options(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  engine_options options = {
      .loop = &control_of(L)->loop,
      .workers = (int)field_integer(L, 1, "workers", 1),
      .is_virtual = field_flag(L, 1, "virtual"),
      .start_ms = field_integer(L, 1, "start_ms", clock_wall_ms()),
      .until_ms = field_integer(L, 1, "until_ms", INT64_MAX - 1),
      .in_flight = (size_t)field_integer(L, 1, "in_flight", 1000),
      .journey = field_text(L, 1, "journey", NULL),
      .version = field_text(L, 1, "version", NULL),
      .reroute = field_text(L, 1, "reroute", NULL),
      .per = field_text(L, 1, "per", NULL),
      .save_below = field_text(L, 1, "save_below", NULL),
      .control = field_number(L, 1, "control", 0),
      .die_after = (uint64_t)field_integer(L, 1, "die_after", 0),
      .reentry_ms = field_integer(L, 1, "reentry_ms", -1),
      .traces = field_flag(L, 1, "traces"),
      .expects_events = field_flag(L, 1, "events"),
      .plain_script = field_flag(L, 1, "plain"),
      .asleep = field_flag(L, 1, "asleep"),
      .limits = limits_of(L),
      .lua = &worker_lua,
  };
  options.bundle = field_text(L, 1, "bundle", &options.bundle_length);
  luaL_argcheck(L, options.journey && options.version && options.bundle, 1,
                "journey, version and bundle are needed");
  options.store = open_store(L);
  take_connections(L, &options);
  return options;
}
