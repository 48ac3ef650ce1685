/* drop(reason), exit(reason) and restart_with(state): the ends a script chooses. They are no errors: pcall does not see them,
 * <close> runs. */
#include "bind/json.h"
#include "bind/primitive.h"

static int end_as(lua_State *L, const char *primitive, run_state outcome, const char *reason) {
  run *r = primitive_parking_run(L, primitive);
  const char *detail = luaL_optstring(L, 1, "");
  run_step_info info = {.kind = primitive, .name = primitive, .written = detail};
  run_step(r, L, &info, false);
  run_end(r, outcome, reason, detail);
  return primitive_leave(L);
}

int primitive_drop(lua_State *L) {
  return end_as(L, "drop", RUN_DROPPED, "drop");
}

int primitive_exit(lua_State *L) {
  return end_as(L, "exit", RUN_EXITED, "exit");
}

/* restart_with(state): flow is called anew, as flow(person, event, state), with an empty journal: for journeys without end. */
int primitive_restart_with(lua_State *L) {
  run *r = primitive_parking_run(L, "restart_with");
  buf *json = &r->in->text;
  error err;
  luaL_checkany(L, 1);
  buf_clear(json);
  if (json_encode_value(L, 1, json, "state", &err)) return primitive_fail(L, &err);
  run_begin_again(r, json->data, json->len);
  return primitive_leave(L);
}
