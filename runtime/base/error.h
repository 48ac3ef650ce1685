/* An error as a value: what was attempted, on what, and what to do about it.
 *
 * A function that can fail returns a status (0 is well, -1 is not, unless it says otherwise) and fills an
 * `error`. It is worded once, where it is found, for the person who will read it; nobody below bind/ and
 * main.c prints it. */
#ifndef JAUNT_BASE_ERROR_H
#define JAUNT_BASE_ERROR_H

enum { ERROR_TEXT = 1024 };

typedef struct error {
  char text[ERROR_TEXT]; /* one sentence or two, no newline at its end; cut when longer */
} error;

/* Fills `err` (NULL is taken, and then nothing is kept). Returns -1, so that a failing function can
 * `return error_set(err, "...")`. */
int error_set(error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts words before what `err` says: error_before(&err, "connections.lua:7: "). Returns -1. */
int error_before(error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
