/* jaunt.native.engine: what is to be seen of it. */
#include "native/fields.h"
#include "native/engine_parts.h"
#include "native/report.h"

static int engine_finished_lua(lua_State *L) {
  lua_pushboolean(L, engine_finished(native_engine_at(L)));
  return 1;
}

static void set_states(lua_State *L, const uint64_t states[RUN_STATES]) {
  for (int state = RUN_RUNNING; state < RUN_STATES; state++)
    field_set_integer(L, run_state_name((run_state)state), (int64_t)states[state]);
}

/* found(): the ledger as it stood when the engine was started. */
static int engine_found_lua(lua_State *L) {
  uint64_t entered, states[RUN_STATES];
  engine_found(native_engine_at(L), &entered, states);
  lua_newtable(L);
  set_states(L, states);
  field_set_integer(L, "entered", (int64_t)entered);
  return 1;
}

static int engine_look_lua(lua_State *L) {
  engine_figures f = engine_look(native_engine_at(L));
  lua_newtable(L);
  set_states(L, f.states);
  field_set_integer(L, "entered", (int64_t)f.entered);
  field_set_integer(L, "attempts", (int64_t)f.attempts);
  field_set_integer(L, "calls", (int64_t)f.calls);
  field_set_integer(L, "unfinished", (int64_t)f.unfinished);
  field_set_integer(L, "lost_events", (int64_t)f.lost_events);
  field_set_integer(L, "crowded_out", (int64_t)f.crowded_out);
  field_set_integer(L, "already_in", (int64_t)f.already_in);
  field_set_integer(L, "records", (int64_t)f.records);
  field_set_number(L, "median_ms", f.median_ms);
  field_set_number(L, "p99_ms", f.p99_ms);
  field_set_integer(L, "logical_ms", f.logical_ms);
  field_set_integer(L, "last_call_ms", f.last_call_ms);
  field_set_flag(L, "paused", f.paused);
  if (f.paused_ms) field_set_integer(L, "paused_ms", f.paused_ms);
  return 1;
}

static int engine_report_lua(lua_State *L) {
  engine *e = native_engine_at(L);
  store_report *report = store_report_new(engine_store(e), engine_journey(e), false);
  native_push_report(L, report);
  store_report_free(report);
  return 1;
}

static int engine_connections_lua(lua_State *L) {
  size_t count;
  connection *const *all = engine_connections(native_engine_at(L), &count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 3);
    field_set_text(L, "name", all[i]->name);
    field_set_text(L, "base_url", all[i]->base_url);
    field_set_integer(L, "longest_queue", (int64_t)limit_longest_queue(all[i]->limit));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* outages(): of connections whose attempts fail, one after the other: see calls/outage.h. */
static int engine_outages_lua(lua_State *L) {
  const engine *e = native_engine_at(L);
  size_t count, failing = 0;
  connection *const *all = engine_connections(e, &count);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    outage_look look = engine_outage(e, all[i]);
    if (!look.failed) continue;
    lua_createtable(L, 0, 6);
    field_set_text(L, "name", all[i]->name);
    field_set_text(L, "reason", call_reason_name(look.reason));
    field_set_text(L, "detail", look.detail);
    field_set_integer(L, "failed", (int64_t)look.failed);
    field_set_integer(L, "waiting", (int64_t)(look.waiting + limit_queued(all[i]->limit)));
    if (look.next_ms != INT64_MAX) field_set_integer(L, "next_ms", look.next_ms);
    lua_rawseti(L, -2, (lua_Integer)++failing);
  }
  return 1;
}

static int engine_message(lua_State *L) {
  buf text = BUF_EMPTY;
  if (!engine_next_message(native_engine_at(L), &text)) return 0;
  lua_pushstring(L, text.data[0] == 'o' ? "output" : text.data[0] == 'w' ? "warning" : "trace");
  lua_pushlstring(L, text.data + 1, text.len - 1);
  buf_free(&text);
  return 2;
}

const luaL_Reg native_engine_sights[] = {
    {"finished", engine_finished_lua},
    {"look", engine_look_lua},
    {"found", engine_found_lua},
    {"report", engine_report_lua},
    {"connections", engine_connections_lua},
    {"outages", engine_outages_lua},
    {"message", engine_message},
    {NULL, NULL},
};
