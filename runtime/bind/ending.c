/* drop(reason) and exit(reason): the ends a script chooses. They are no errors: pcall does not see them, <close> runs. */
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
