/* jaunt.native.engine: one journey over one audience, for commands.
 *
 *   local engine <close> = start { journey =, version =, bundle = (JSON), workers =, virtual =, start_ms =, seed =,
 *                                  in_flight =, state =, sync =, keep_ms =, control =, connections =, secrets =, reroute =, save_below =, traces =, events =, plain =,
 *                                  limits = { run_memory =, worker_memory =, text =, slice_time =, pattern_steps =,
 *                                             coroutines = } }
 *   engine:feed(audience, most, where)   lets up to `most` people in, while there is room. Returns how many came in, how
 *                            many `where(person)` left out, and "more", "full", "later" (nothing has come yet) or "end"
 *   engine:admit(id, profile, event)     lets one in: JSON texts
 *   engine:admission_over(), engine:wants_event(), engine:event(at_ms, person, name, json), engine:events_over()
 *   engine:wait(ms)          suspends the command until something changed, or the time is over
 *   engine:finished()        nothing will happen any more
 *   engine:look()            the figures, as a table
 *   engine:found()           the ledger as it stood at the start
 *   engine:report()          ledger, funnel and exits
 *   engine:connections()     { { name =, base_url =, longest_queue = }, … }
 *   engine:message()         what a script said, oldest first: kind ("output", "warning", "trace") and text; or nil
 *   engine:act(what, run, person, version)   "redrive", "redrive --unknown", "end", "move" or "try" (to move) a run, by its number; see
 *                            engine_act
 *   engine:advance(ms)                       goes on to that time on a virtual clock: see engine_advance
 *   engine:interrupt()                       ends what is under way: see engine_interrupt; also from a signal's callback
 *   engine:payloads(json)                    payloads in place of the bundle's, for calls not rendered yet
 *   engine:version(name, bundle)             the number of a version to move to
 *   engine:outcome()         of the oldest act that was not told yet: the run, why it was refused (nil: it was done), and that in other words; or nothing
 *   engine:pause(paused)     see engine_pause
 *   engine:pause_kept()      whether that is durable
 *   engine:poke()            from a callback of the loop: wait() comes back
 *   engine:stop(grace_ms)    nothing new is sent; suspends the command until the workers are gone
 *   engine:hurry()           from a signal's callback: what is on the wire is cut, and a worker that does not come to its
 *                            end is not waited for: stop() comes back after two seconds at most
 *   engine:left_behind()     whether there was such a worker
 *   check_limits { limits = }            raises what start would say of them
 *
 * Beside them it has what native_facts.c tells. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bind/control.h"
#include "bind/json.h"
#include "bind/native.h"
#include "bind/native_report.h"
#include "bind/native_audience.h"
#include "bind/native_connections.h"
#include "bind/primitive.h"
#include "bind/value.h"

static const char ENGINE[] = "jaunt.engine";

enum { PATIENCE_MS = 2000 }; /* for workers that are in a hurry to end */

/* Outlives its userdata: the close callback of its last handle frees it. */
typedef struct host {
  engine *e; /* NULL when it is gone */
  control *owner;
  uv_timer_t timer;
  uv_idle_t
      turn; /* wakes up after one turn of the loop: a timer of 0 ms, set anew each time, would let it have none */
  int open_handles;
  bool waiting, changed, stopping, stopped;
  bool hurried, left_behind; /* the end was asked for twice; and a worker did not come to it */
} host;

static host *host_at(lua_State *L) {
  host *h = *(host **)luaL_checkudata(L, 1, ENGINE);
  if (!h || !h->e) luaL_error(L, "this engine is closed");
  return h;
}

/* ---- waiting ---- */

static void go_on(host *h) {
  h->waiting = false;
  uv_timer_stop(&h->timer);
  uv_idle_stop(&h->turn);
  control_resume(h->owner, h->owner->co, 0);
}

static void changed(void *data) {
  host *h = data;
  h->changed = true;
  if (h->waiting && !h->stopping) go_on(h);
}

static void time_over(uv_timer_t *handle) {
  host *h = handle->data;
  if (h->waiting && !h->stopping) go_on(h);
}

static void turn_over(uv_idle_t *handle) {
  host *h = handle->data;
  if (h->waiting && !h->stopping) go_on(h);
}

static int engine_wait(lua_State *L) {
  host *h = host_at(L);
  lua_Number ms = luaL_checknumber(L, 2);
  control_can_yield(L);
  if (h->changed) ms = 0; /* the loop still gets its turn: signals, timers */
  h->changed = false;
  h->waiting = true;
  uv_update_time(&h->owner->loop);
  if (ms > 0)
    uv_timer_start(&h->timer, time_over, (uint64_t)ms, 0);
  else
    uv_idle_start(&h->turn, turn_over);
  return control_yield(L);
}

/* Not at once: it is called from a callback that may be in the middle of something. */
static int engine_poke(lua_State *L) {
  host *h = host_at(L);
  h->changed = true;
  if (h->waiting && !h->stopping) uv_idle_start(&h->turn, turn_over);
  return 0;
}

static void all_stopped(void *data) {
  host *h = data;
  h->stopped = true;
  h->stopping = false;
  if (h->waiting) go_on(h);
}

static void patience_over(uv_timer_t *handle) {
  host *h = handle->data;
  if (!h->stopping || !h->waiting) return;
  h->stopping = false;
  h->left_behind = true;
  go_on(h);
}

static void hurry(host *h) {
  engine_stop(h->e, 0, all_stopped, h);
  uv_update_time(&h->owner->loop);
  uv_timer_start(&h->timer, patience_over, PATIENCE_MS, 0);
}

static int engine_stop_lua(lua_State *L) {
  host *h = host_at(L);
  lua_Number grace = luaL_optnumber(L, 2, 0);
  control_can_yield(L);
  if (h->stopped) return 0;
  h->stopping = h->waiting = true;
  if (h->hurried)
    hurry(h);
  else
    engine_stop(h->e, (int64_t)grace, all_stopped, h);
  return control_yield(L);
}

/* From a signal's callback, before stop() or while it waits. */
static int engine_hurry(lua_State *L) {
  host *h = host_at(L);
  if (h->stopping && !h->hurried) hurry(h);
  h->hurried = true;
  return 0;
}

static int engine_left_behind(lua_State *L) {
  lua_pushboolean(L, host_at(L)->left_behind);
  return 1;
}

/* ---- end ---- */

static void host_closed(uv_handle_t *handle) {
  host *h = handle->data;
  if (--h->open_handles > 0) return;
  h->owner->endings--;
  free(h);
}

static void close_host(host *h) {
  uv_close((uv_handle_t *)&h->timer, host_closed);
  uv_close((uv_handle_t *)&h->turn, host_closed);
}

static host *open_host(control *owner) {
  host *h = mem_zero(sizeof *h);
  h->owner = owner;
  uv_timer_init(&owner->loop, &h->timer);
  uv_idle_init(&owner->loop, &h->turn);
  h->timer.data = h->turn.data = h;
  h->open_handles = 2;
  owner->endings++;
  return h;
}

static void engine_gone(void *data) {
  close_host(data);
}

static void free_engine(void *data) {
  host *h = data;
  engine_free(h->e);
  h->e = NULL;
  close_host(h);
}

static int engine_close(lua_State *L) {
  host **held = luaL_checkudata(L, 1, ENGINE);
  host *h = *held;
  *held = NULL;
  if (!h) return 0;
  h->waiting = false;
  if (h->left_behind)
    h->owner->left_behind = true; /* a thread still uses what would be freed */
  else if (!h->e || h->stopped)
    free_engine(h);
  else
    engine_stop(h->e, 0, free_engine, h);
  return 0;
}

/* ---- start ---- */

static lua_Integer integer_field(lua_State *L, const char *name, lua_Integer otherwise) {
  lua_getfield(L, 1, name);
  lua_Integer value = luaL_optinteger(L, -1, otherwise);
  lua_pop(L, 1);
  return value;
}

static bool flag_field(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* The text stays on the stack while it is used. */
static const char *text_field(lua_State *L, const char *name, size_t *length) {
  lua_getfield(L, 1, name);
  return luaL_optlstring(L, -1, NULL, length);
}

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
  store_file file = {.has_id = true, .id = id, .path = text_field(L, "state", NULL), .trouble = tell_trouble};
  const char *sync = text_field(L, "sync", NULL);
  file.sync_normal = sync && strcmp(sync, "normal") == 0;
  file.kind = flag_field(L, "asleep")    ? STORE_ANY_KIND
              : flag_field(L, "virtual") ? STORE_REHEARSAL
                                         : STORE_LIVE;
  file.keep_ms = integer_field(L, "keep_ms", -1);
  file.sweeps = file.keep_ms >= 0;
  file.now_ms = integer_field(L, "start_ms", 0);
  store *s = file.path ? store_open_sqlite(&file, &err) : store_open_memory(id);
  if (!s) control_fail(L, &err);
  lua_pop(L, 2);
  return s;
}

/* check_limits { limits = … }: raises what start would. */
static int engine_check_limits(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  limits_of(L);
  return 0;
}

static int engine_start_lua(lua_State *L) {
  error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  control *owner = control_of(L);
  engine_options options = {
      .loop = &owner->loop,
      .workers = (int)integer_field(L, "workers", 1),
      .is_virtual = flag_field(L, "virtual"),
      .start_ms = integer_field(L, "start_ms", clock_wall_ms()),
      .until_ms = integer_field(L, "until_ms", INT64_MAX - 1),
      .in_flight = (size_t)integer_field(L, "in_flight", 1000),
      .traces = flag_field(L, "traces"),
      .expects_events = flag_field(L, "events"),
      .plain_script = flag_field(L, "plain"),
      .asleep = flag_field(L, "asleep"),
      .limits = limits_of(L),
      .lua = &bind_engine_lua,
      .changed = changed,
      .gone = engine_gone,
  };
  lua_getfield(L, 1, "control");
  options.control = luaL_optnumber(L, -1, 0);
  options.die_after = (uint64_t)integer_field(L, "die_after", 0);
  options.reentry_ms = integer_field(L, "reentry_ms", -1);
  options.journey = text_field(L, "journey", NULL);
  options.version = text_field(L, "version", NULL);
  options.reroute = text_field(L, "reroute", NULL);
  options.per = text_field(L, "per", NULL);
  options.save_below = text_field(L, "save_below", NULL);
  options.bundle = text_field(L, "bundle", &options.bundle_length);
  luaL_argcheck(L, options.journey && options.version && options.bundle, 1,
                "journey, version and bundle are needed");
  options.store = open_store(L);
  host **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  lua_getfield(L, 1, "connections");
  lua_getfield(L, 1, "secrets");
  luaL_checkudata(L, -1, "jaunt.secrets");
  options.connections = native_connections_take(L, -2, &options.connection_count);
  options.secrets = native_secrets_take(L, -1);
  lua_pop(L, 2);
  host *h = open_host(owner);
  options.data = h;
  h->e = engine_start(&options, &err);
  if (!h->e) return control_fail(L, &err);
  *held = h;
  luaL_setmetatable(L, ENGINE);
  return 1;
}

/* ---- people ---- */

/* where(person): true lets the person in. The function is at 4. */
static bool is_wanted(lua_State *L, const person_row *row) {
  error err;
  lua_pushvalue(L, 4);
  if (json_decode_value(L, row->profile, row->profile_length, &err)) luaL_error(L, "%s", err.text);
  lua_pushinteger(L, (lua_Integer)row->line);
  lua_call(L, 2, 1);
  bool wanted = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return wanted;
}

static int engine_feed(lua_State *L) {
  host *h = host_at(L);
  audience *from = native_audience_at(L, 2);
  lua_Integer most = luaL_checkinteger(L, 3), admitted = 0, left_out = 0;
  bool asks = !lua_isnoneornil(L, 4);
  const char *state = "more";
  person_row row;
  error err;
  while (admitted < most) {
    if (!engine_has_room(h->e)) {
      state = "full";
      break;
    }
    int found = audience_next(from, &row, &err);
    if (found < 0) return control_fail(L, &err);
    if (found == 0) {
      state = "end";
      break;
    }
    if (found == AUDIENCE_LATER) {
      state = "later";
      break;
    }
    if (asks && !is_wanted(L, &row)) {
      left_out++;
      continue;
    }
    engine_admit(h->e, row.id, row.id_length, row.profile, row.profile_length, row.event, row.event_length);
    admitted++;
  }
  lua_pushinteger(L, admitted);
  lua_pushinteger(L, left_out);
  lua_pushstring(L, state);
  return 3;
}

static int engine_admit_lua(lua_State *L) {
  host *h = host_at(L);
  size_t id_length, profile_length, event_length;
  const char *id = luaL_checklstring(L, 2, &id_length);
  const char *profile = luaL_checklstring(L, 3, &profile_length);
  const char *event = luaL_checklstring(L, 4, &event_length);
  engine_admit(h->e, id, id_length, profile, profile_length, event, event_length);
  return 0;
}

static int engine_admission_over_lua(lua_State *L) {
  engine_admission_over(host_at(L)->e);
  return 0;
}

/* ---- events ---- */

static int engine_wants_event_lua(lua_State *L) {
  lua_pushboolean(L, engine_wants_event(host_at(L)->e));
  return 1;
}

static int engine_event_lua(lua_State *L) {
  host *h = host_at(L);
  size_t length;
  const char *json = luaL_checklstring(L, 5, &length);
  engine_event(h->e, luaL_checkinteger(L, 2), luaL_checkstring(L, 3), luaL_checkstring(L, 4), json, length);
  return 0;
}

static int engine_events_over_lua(lua_State *L) {
  engine_events_over(host_at(L)->e);
  return 0;
}

/* ---- what operators do ---- */

static int engine_act_lua(lua_State *L) {
  static const char *const names[] = {"redrive", "redrive --unknown", "end", "move", "try", NULL};
  static const engine_act acts[] = {ENGINE_REDRIVE, ENGINE_RESEND, ENGINE_END, ENGINE_MOVE, ENGINE_TRY};
  host *h = host_at(L);
  engine_act act = acts[luaL_checkoption(L, 2, NULL, names)];
  engine_act_on(h->e, act, (uint64_t)luaL_checkinteger(L, 3), luaL_checkstring(L, 4),
                (uint32_t)luaL_optinteger(L, 5, 0));
  return 0;
}

static int engine_advance_lua(lua_State *L) {
  engine_advance(host_at(L)->e, luaL_checkinteger(L, 2));
  return 0;
}

static int engine_interrupt_lua(lua_State *L) {
  engine_interrupt(host_at(L)->e);
  return 0;
}

static int engine_payloads_lua(lua_State *L) {
  size_t length;
  const char *json = luaL_checklstring(L, 2, &length);
  engine_payloads(host_at(L)->e, json, length);
  return 0;
}

static int engine_version_lua(lua_State *L) {
  host *h = host_at(L);
  size_t length;
  const char *version = luaL_checkstring(L, 2), *bundle = luaL_checklstring(L, 3, &length);
  lua_pushinteger(L, engine_version(h->e, version, bundle, length));
  return 1;
}

static int engine_outcome_lua(lua_State *L) {
  engine_outcome outcome;
  if (!engine_next_outcome(host_at(L)->e, &outcome)) return 0;
  lua_pushinteger(L, (lua_Integer)outcome.run);
  lua_pushstring(L, outcome.refused);
  lua_pushstring(L, outcome.why);
  free(outcome.why);
  return 3;
}

static int engine_pause_lua(lua_State *L) {
  engine_pause(host_at(L)->e, lua_toboolean(L, 2));
  return 0;
}

static int engine_pause_kept_lua(lua_State *L) {
  lua_pushboolean(L, engine_pause_kept(host_at(L)->e));
  return 1;
}

/* ---- what is to be seen ---- */

static int engine_finished_lua(lua_State *L) {
  lua_pushboolean(L, engine_finished(host_at(L)->e));
  return 1;
}

static void set_count(lua_State *L, const char *name, uint64_t count) {
  lua_pushinteger(L, (lua_Integer)count);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double number) {
  lua_pushnumber(L, number);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_states(lua_State *L, const uint64_t states[RUN_STATES]) {
  for (int state = RUN_RUNNING; state < RUN_STATES; state++)
    set_count(L, run_state_name((run_state)state), states[state]);
}

/* found(): the ledger as it stood when the engine was started. */
static int engine_found_lua(lua_State *L) {
  uint64_t entered, states[RUN_STATES];
  engine_found(host_at(L)->e, &entered, states);
  lua_newtable(L);
  set_states(L, states);
  set_count(L, "entered", entered);
  return 1;
}

static int engine_look_lua(lua_State *L) {
  engine_figures f = engine_look(host_at(L)->e);
  lua_newtable(L);
  set_states(L, f.states);
  set_count(L, "entered", f.entered);
  set_count(L, "attempts", f.attempts);
  set_count(L, "calls", f.calls);
  set_count(L, "unfinished", f.unfinished);
  set_count(L, "lost_events", f.lost_events);
  set_count(L, "already_in", f.already_in);
  set_count(L, "records", f.records);
  set_number(L, "median_ms", f.median_ms);
  set_number(L, "p99_ms", f.p99_ms);
  set_count(L, "logical_ms", (uint64_t)f.logical_ms);
  set_count(L, "last_call_ms", (uint64_t)f.last_call_ms);
  lua_pushboolean(L, f.paused);
  lua_setfield(L, -2, "paused");
  if (f.paused_ms) set_count(L, "paused_ms", (uint64_t)f.paused_ms);
  return 1;
}

static int engine_report_lua(lua_State *L) {
  host *h = host_at(L);
  store_report *report = store_report_new(engine_store(h->e), engine_journey(h->e), false);
  native_push_report(L, report);
  store_report_free(report);
  return 1;
}

static int engine_connections_lua(lua_State *L) {
  size_t count;
  connection *const *all = engine_connections(host_at(L)->e, &count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    set_text(L, "name", all[i]->name);
    set_text(L, "base_url", all[i]->base_url);
    set_count(L, "longest_queue", limit_longest_queue(all[i]->limit));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int engine_message(lua_State *L) {
  buf text = BUF_EMPTY;
  if (!engine_next_message(host_at(L)->e, &text)) return 0;
  lua_pushstring(L, text.data[0] == 'o' ? "output" : text.data[0] == 'w' ? "warning" : "trace");
  lua_pushlstring(L, text.data + 1, text.len - 1);
  buf_free(&text);
  return 2;
}

/* ---- the module ---- */

static const luaL_Reg functions[] = {
    {"start", engine_start_lua},
    {"check_limits", engine_check_limits},
    {NULL, NULL},
};

static const luaL_Reg methods[] = {
    {"feed", engine_feed},
    {"admit", engine_admit_lua},
    {"admission_over", engine_admission_over_lua},
    {"wants_event", engine_wants_event_lua},
    {"event", engine_event_lua},
    {"events_over", engine_events_over_lua},
    {"wait", engine_wait},
    {"finished", engine_finished_lua},
    {"look", engine_look_lua},
    {"found", engine_found_lua},
    {"report", engine_report_lua},
    {"connections", engine_connections_lua},
    {"message", engine_message},
    {"act", engine_act_lua},
    {"outcome", engine_outcome_lua},
    {"interrupt", engine_interrupt_lua},
    {"payloads", engine_payloads_lua},
    {"advance", engine_advance_lua},
    {"version", engine_version_lua},
    {"pause", engine_pause_lua},
    {"pause_kept", engine_pause_kept_lua},
    {"poke", engine_poke},
    {"stop", engine_stop_lua},
    {"hurry", engine_hurry},
    {"left_behind", engine_left_behind},
    {"close", engine_close},
    {NULL, NULL},
};

int native_engine_open(lua_State *L) {
  native_type(L, ENGINE, methods, engine_close, engine_close);
  luaL_newlib(L, functions);
  luaL_setfuncs(L, native_facts, 0);
  return 1;
}
