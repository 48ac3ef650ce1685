/* bench_host MODULE ARGUMENT…: runs MODULE.main of this folder's MODULE.lua in a control state, with jaunt's native modules and
 * lualib/. It is started in this folder. Not a test: figures for people. */
#include <stdio.h>

#include "native/control.h"
#include "native/native.h"

static int complain(const char *text) {
  fflush(stdout);
  fprintf(stderr, "bench_host: %s\n", text);
  return 2;
}

int main(int argc, char **argv) {
  error err;
  if (argc < 2) return complain("which module?");
  control *c = control_new(native_modules, &err);
  if (!c) return complain(err.text);
  int code = 2;
  if (luaL_dostring(c->L, "package.path = './?.lua;' .. package.path") != LUA_OK)
    complain(lua_tostring(c->L, -1));
  else
    code = control_run(c, argv[1], argc - 2, argv + 2);
  if (c->complaint.len > 0) complain(buf_text(&c->complaint));
  control_free(c);
  return code;
}
