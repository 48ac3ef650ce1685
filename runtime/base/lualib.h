/* The Lua side of jaunt: the modules of lualib/, compiled and embedded in the binary.
 *
 * While developing, the folder that the environment variable JAUNT_LUALIB names stands before what is embedded, as text.
 * No Lua in here: bind/ and engine/ load what they find into their states. Any thread may call these. */
#ifndef JAUNT_BASE_LUALIB_H
#define JAUNT_BASE_LUALIB_H

#include <stddef.h>

#include "base/error.h"

/* One embedded module; the table ends with a name of NULL. The build writes it (cmake/embed.c). */
typedef struct lualib_module {
  const char *name; /* "jaunt.cli" */
  const char *path; /* "lualib/jaunt/cli.lua", for messages */
  const char *code; /* compiled, as by string.dump */
  size_t length;
} lualib_module;

extern const lualib_module lualib_embedded[];

/* A module, for lua_load. */
typedef struct lualib_source {
  const char *code; /* compiled where it is embedded, or else text */
  const char *mode; /* which of both: "b" or "t" */
  size_t length;
  char path[1024]; /* where it stands, for messages */
  char *owned;     /* freed by lualib_free */
} lualib_source;

/* Checks that JAUNT_LUALIB, where it is set, names a folder. Returns 0, or -1 and fills `err`. */
int lualib_check(error *err);

/* Finds the module `name`. Returns 1 and fills `source` (hand it to lualib_free), 0 where there is no such module,
 * -1 and fills `err` where its file cannot be read. */
int lualib_find(const char *name, lualib_source *source, error *err);
void lualib_free(lualib_source *source);

/* Names the modules that stand directly in the package `package` ("jaunt.commands"), by their last part
 * ("help"), in no order; one that stands in both places is named twice. */
void lualib_each(const char *package, void (*each)(void *data, const char *name), void *data);

#endif
