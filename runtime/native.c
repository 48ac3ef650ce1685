/* The list of native modules. One row makes a module known to commands and to specs. */
#include "bind/native.h"
#include "serve/native.h"

const luaL_Reg native_modules[] = {
  {"jaunt.native.control", native_control_open},
  {"jaunt.native.fs", native_fs_open},
  {"jaunt.native.host", native_host_open},
  {"jaunt.native.term", native_term_open},
  {"jaunt.native.vendor", native_vendor_open},
  {NULL, NULL},
};
