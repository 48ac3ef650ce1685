/* The secrets of a process: from the environment, or from a file that only its owner can read.
 *
 * A rehearsal gets pretended ones, so that no real secret ever reaches a pretend vendor. Shared by all workers; has
 * its own lock. */
#ifndef JAUNT_CALLS_SECRETS_H
#define JAUNT_CALLS_SECRETS_H

#include <stdbool.h>

#include "base/error.h"
#include "calls/connection.h"

typedef struct secrets secrets;

secrets *secrets_new(bool pretend); /* pretend: every name has the value "pretend-NAME" */
void secrets_free(secrets *all);    /* wipes them */

/* Reads NAME=VALUE lines (# begins a comment line). -1 with the reason: it is readable by others, or a line is
 * wrong; the error never shows a value. */
int secrets_read_file(secrets *all, const char *path, error *err);

/* The secret `name`, or NULL where neither the file nor the environment has it. It lives as long as `all`. */
const secret *secrets_find(secrets *all, const char *name);

/* The same, for what is only needed when it is sent: a secret that nobody has comes with a value of NULL. */
const secret *secrets_need(secrets *all, const char *name);

/* Whether `name` is a secret's: it stood in the file, or was asked for or needed before. env() does not tell it then. */
bool secrets_hide(secrets *all, const char *name);

#endif
