/* jaunt.native.term: what the terminal is like. Colours and layout are decided in lualib/jaunt/base/term.lua. */
#include <sys/ioctl.h>
#include <termios.h>
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

/* gives_keys([fd]): whether the terminal behind fd (0 by default) gives single keys, as to a program that has taken the screen, and not
 * whole lines. */
static int term_gives_keys(lua_State *L) {
  struct termios state;
  lua_pushboolean(L, tcgetattr((int)luaL_optinteger(L, 1, STDIN_FILENO), &state) == 0 &&
                         !(state.c_lflag & ICANON));
  return 1;
}

static const luaL_Reg functions[] = {
    {"gives_keys", term_gives_keys},
    {"isatty", term_isatty},
    {"width", term_width},
    {NULL, NULL},
};

int native_term_open(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
