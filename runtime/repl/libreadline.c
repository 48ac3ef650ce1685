/* Finds libreadline: see libreadline.h. */
#include "repl/libreadline.h"

#ifdef JAUNT_READLINE

readline_names readline_lib;

SHARED_LIBRARY(readline_lib, READLINE_NAMES, "libreadline.so.8", "libreadline8", "line editing needs");

int libreadline_load(error *err) {
  return shared_library_load(&library, err);
}

#else

int libreadline_load(error *err) {
  return error_set(err, "jaunt was built without the headers of readline (libreadline-dev)");
}

#endif
