/* Finds libreadline: see libreadline.h. */
#include "repl/libreadline.h"

#ifdef JAUNT_READLINE

readline_names readline_lib;

#define READLINE_ROW(name) {#name, offsetof(readline_names, name)},
static const shared_function names[] = {READLINE_NAMES(READLINE_ROW)};

static shared_library library = {
    .file = "libreadline.so.8",
    .package = "libreadline8",
    .user = "line editing needs",
    .table = &readline_lib,
    .functions = names,
    .count = sizeof names / sizeof *names,
    .loading = PTHREAD_MUTEX_INITIALIZER,
};

int libreadline_load(error *err) {
  return shared_library_load(&library, err);
}

#else

int libreadline_load(error *err) {
  return error_set(err, "jaunt was built without the headers of readline (libreadline-dev)");
}

#endif
