/* Ledger and funnel as a Lua table: see report.h. */
#include "native/report.h"

#include "native/fields.h"

static void push_reasons(lua_State *L, const store_reason *reasons, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 4);
    field_set_text(L, "reason", reasons[i].reason);
    field_set_text(L, "detail", reasons[i].detail);
    field_set_integer(L, "count", (int64_t)reasons[i].count);
    field_set_flag(L, "held", reasons[i].held);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static void push_element(lua_State *L, const store_element_row *row) {
  static const char *const names[ELEMENT_COUNTS] = {[ELEMENT_REACHED] = "reached",
                                                    [ELEMENT_WENT_ON] = "went_on",
                                                    [ELEMENT_DROPPED] = "dropped",
                                                    [ELEMENT_HELD] = "held"};
  lua_createtable(L, 0, 8);
  field_set_text(L, "name", row->name);
  field_set_text(L, "kind", row->kind);
  field_set_integer(L, "line", row->line);
  for (int count = 0; count < ELEMENT_COUNTS; count++)
    field_set_integer(L, names[count], (int64_t)row->counts[count]);
  push_reasons(L, row->reasons, row->reason_count);
  lua_setfield(L, -2, "reasons");
}

void native_push_report(lua_State *L, const store_report *report) {
  lua_newtable(L);
  for (int state = RUN_RUNNING; state < RUN_STATES; state++)
    field_set_integer(L, run_state_name((run_state)state), (int64_t)report->states[state]);
  field_set_integer(L, "entered", (int64_t)report->entered);
  field_set_integer(L, "control", (int64_t)report->control);
  field_set_integer(L, "converted", (int64_t)report->converted);
  field_set_integer(L, "records", (int64_t)report->records);
  lua_createtable(L, (int)report->element_count, 0);
  for (size_t i = 0; i < report->element_count; i++) {
    push_element(L, &report->elements[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "elements");
  push_reasons(L, report->exits, report->exit_count);
  lua_setfield(L, -2, "exits");
}
