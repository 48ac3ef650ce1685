/* jaunt-spec FILE...: runs busted specs in a control state, with jaunt's native modules and lualib/.
 *
 * The specs run in the command's coroutine, so a spec may wait for the loop. The work is done in spec_runner.lua beside
 * this file, which is found by JAUNT_SOURCE, the repository's folder. Exit codes: 0 all well; 1 something failed; 2 the
 * host could not run; 77 every test was skipped. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "native/control.h"
#include "native/native.h"

static const char PREPARE[] = "local source = ...\n"
                              "package.path = source .. '/tests/support/?.lua;' .. package.path\n";

static int complain(const char *text) {
  fflush(stdout);
  fprintf(stderr, "jaunt-spec: %s\n", text);
  return 2;
}

static int find_modules(control *c, const char *source) {
  if (luaL_loadstring(c->L, PREPARE) != LUA_OK) return -1;
  lua_pushstring(c->L, source);
  return lua_pcall(c->L, 1, 0, 0) == LUA_OK ? 0 : -1;
}

int main(int argc, char **argv) {
  error err;
  const char *source = getenv("JAUNT_SOURCE");
  signal(SIGPIPE, SIG_IGN);
  if (source == NULL) return complain("JAUNT_SOURCE has to name the repository's folder");
  control *c = control_new(native_modules, &err);
  if (c == NULL) return complain(err.text);
  int code = 2;
  if (find_modules(c, source) != 0)
    complain(lua_tostring(c->L, -1));
  else
    code = control_run(c, "spec_runner", argc - 1, argv + 1);
  if (c->complaint.len > 0) complain(buf_text(&c->complaint));
  control_free(c);
  return code;
}
