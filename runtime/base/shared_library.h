/* A shared library that is loaded when it is first needed, and the functions of it that are used: each is defined by us under its
 * own name, and passed on through a table of pointers that loading fills. http/libcurl.c shows how. */
#ifndef JAUNT_BASE_SHARED_LIBRARY_H
#define JAUNT_BASE_SHARED_LIBRARY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* For a list NAMES(each) of names, each(name): our definitions must not be seen by libraries, which would call them where they
 * mean their own; and the members of the table of pointers. */
#define SHARED_HIDE(name)    extern __typeof__(name)(name) __attribute__((visibility("hidden")));
#define SHARED_POINTER(name) __typeof__(name) *(name);

typedef struct shared_function {
  const char *name;
  size_t offset; /* of its pointer, in the table */
} shared_function;

typedef struct shared_library {
  const char *file, *package; /* "libcurl.so.4", and the Debian package that it is in */
  const char *user;           /* who needs it, for messages: "calls need" */
  void *table;
  const shared_function *functions;
  size_t count;
  pthread_mutex_t loading;
  bool loaded;
} shared_library;

/* Defines `library`, which fills the table with NAMES; file, package and user as above. Once in a file. */
#define SHARED_LIBRARY(pointers, NAMES, so_file, debian_package, needed_by)                                  \
  typedef __typeof__(pointers) shared_table;                                                                 \
  static const shared_function shared_functions[] = {NAMES(SHARED_ROW)};                                     \
  static shared_library library = {                                                                          \
      .file = (so_file),                                                                                     \
      .package = (debian_package),                                                                           \
      .user = (needed_by),                                                                                   \
      .table = &(pointers),                                                                                  \
      .functions = shared_functions,                                                                         \
      .count = sizeof shared_functions / sizeof *shared_functions,                                           \
      .loading = PTHREAD_MUTEX_INITIALIZER,                                                                  \
  }
#define SHARED_ROW(name) {#name, offsetof(shared_table, name)},

/* Loads it, once for the process; from any thread. It is never unloaded: threads and exit handlers of its libraries may still be
 * about. Returns 0, or -1 and fills `err` where there is no such library, or one without a function that is used. */
int shared_library_load(shared_library *library, error *err);

#endif
