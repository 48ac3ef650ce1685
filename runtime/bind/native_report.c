/* Ledger and funnel as a Lua table: see native_report.h. */
#include "bind/native_report.h"

static void set_count(lua_State *L, const char *name, uint64_t count) {
  lua_pushinteger(L, (lua_Integer)count);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void push_reasons(lua_State *L, const store_reason *reasons, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 4);
    set_text(L, "reason", reasons[i].reason);
    set_text(L, "detail", reasons[i].detail);
    set_count(L, "count", reasons[i].count);
    lua_pushboolean(L, reasons[i].held);
    lua_setfield(L, -2, "held");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_element(lua_State *L, const store_element_row *row) {
  static const char *const names[ELEMENT_COUNTS] = {[ELEMENT_REACHED] = "reached",
                                                    [ELEMENT_WENT_ON] = "went_on",
                                                    [ELEMENT_DROPPED] = "dropped",
                                                    [ELEMENT_HELD] = "held"};
  lua_createtable(L, 0, 8);
  set_text(L, "name", row->name);
  set_text(L, "kind", row->kind);
  set_count(L, "line", row->line);
  for (int count = 0; count < ELEMENT_COUNTS; count++) set_count(L, names[count], row->counts[count]);
  push_reasons(L, row->reasons, row->reason_count);
  lua_setfield(L, -2, "reasons");
}

void native_push_report(lua_State *L, const store_report *report) {
  lua_newtable(L);
  for (int state = RUN_RUNNING; state < RUN_STATES; state++)
    set_count(L, run_state_name((run_state)state), report->states[state]);
  set_count(L, "entered", report->entered);
  set_count(L, "control", report->control);
  set_count(L, "converted", report->converted);
  set_count(L, "records", report->records);
  lua_createtable(L, (int)report->element_count, 0);
  for (size_t i = 0; i < report->element_count; i++) {
    push_element(L, &report->elements[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "elements");
  push_reasons(L, report->exits, report->exit_count);
  lua_setfield(L, -2, "exits");
}
