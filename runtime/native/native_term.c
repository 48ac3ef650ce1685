/* jaunt.native.term: what the terminal is like. Colours and layout are decided in lualib/jaunt/base/term.lua. */
#include <sys/ioctl.h>
#include <unistd.h>

#include "native/native.h"

/* isatty(fd) */
static int term_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* width([fd]): columns of the terminal behind fd (1 by default); nil where there is none. */
static int term_width(lua_State *L) {
  struct winsize size;
  int fd = (int)luaL_optinteger(L, 1, STDOUT_FILENO);
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 0;
  lua_pushinteger(L, size.ws_col);
  return 1;
}

static const luaL_Reg functions[] = {
    {"isatty", term_isatty},
    {"width", term_width},
    {NULL, NULL},
};

int native_term_open(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
