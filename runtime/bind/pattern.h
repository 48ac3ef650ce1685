/* Lua's patterns (Lua 5.4 Reference Manual, 6.4.1), with a budget of steps: a match that would take too long is an error,
 * not a stopped worker. */
#ifndef JAUNT_BIND_PATTERN_H
#define JAUNT_BIND_PATTERN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_CAPTURES = 32 };

/* A pattern at work on a subject. Zeroed, then filled in up to `steps`. */
typedef struct pattern_match {
  lua_State *L; /* for errors */
  const char *subject, *subject_end, *pattern, *pattern_end;
  uint64_t steps; /* that are left */
  int depth;      /* of recursion */
  int level;      /* captures, finished or not */
  struct {
    const char *start;
    ptrdiff_t length;
  } captures[PATTERN_CAPTURES];
} pattern_match;

/* Tries to match at exactly `at` of the subject. Returns the end of the match, or NULL. Raises where the pattern is malformed
 * or the steps are used up. An anchor (^) is the caller's business: `pattern` begins behind it. */
const char *pattern_match_at(pattern_match *m, const char *at);

/* Pushes capture number `i` (from 0); without any captures, number 0 is the whole match. */
void pattern_push_capture(pattern_match *m, int i, const char *start, const char *end);

/* Pushes all captures (the whole match where there are none and `whole`); returns how many. */
int pattern_push_captures(pattern_match *m, const char *start, const char *end, bool whole);

#endif
