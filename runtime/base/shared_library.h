/* A shared library that is loaded when it is first needed, and the functions of it that are used: each is defined by us under its
 * own name, and passed on through a table of pointers that loading fills. http/libcurl.c shows how. */
#ifndef JAUNT_BASE_SHARED_LIBRARY_H
#define JAUNT_BASE_SHARED_LIBRARY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* For a list FUNCTIONS(each) of names, each(name): our definitions must not be seen by libraries, which would call them where they
 * mean their own; the members of the table of pointers; and a row for each, of a table that is called `lib`. */
#define SHARED_HIDE(name)    extern __typeof__(name)(name) __attribute__((visibility("hidden")));
#define SHARED_POINTER(name) __typeof__(name) *(name);
#define SHARED_ROW(name)     {#name, offsetof(__typeof__(lib), name)},

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

/* Loads it, once for the process; from any thread. It is never unloaded: threads and exit handlers of its libraries may still be
 * about. Returns 0, or -1 and fills `err` where there is no such library, or one without a function that is used. */
int shared_library_load(shared_library *library, error *err);

#endif
