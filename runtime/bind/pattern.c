/* Lua's patterns: see pattern.h. A matcher by backtracking, one function for each kind of item. */
#include "bind/pattern.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "engine/guard.h"

enum {
  DEPTH_MOST = 200,
  BYTES_A_STEP = 64,
  OPEN = -1,     /* lengths of captures that are none: not closed yet, */
  POSITION = -2, /* and () */
};

static const char *match_here(pattern_match *m, const char *s, const char *p);

static void spend_many(pattern_match *m, uint64_t steps) {
  if (m->steps >= steps) {
    uint64_t before = m->steps;
    m->steps -= steps;
    if (before / 65536 != m->steps / 65536) guard_check(m->L);
    return;
  }
  guard_break(m->L, "pattern_steps",
              "the pattern takes too many steps on this text: make it simpler, or the text shorter");
}

static void spend(pattern_match *m) {
  spend_many(m, 1);
}

/* For bytes that are looked at in one go: a long set, what is matched again. */
static void spend_bytes(pattern_match *m, ptrdiff_t count) {
  if (count >= BYTES_A_STEP) spend_many(m, (uint64_t)count / BYTES_A_STEP);
}

/* ---- one character ---- */

static bool in_class(unsigned char c, unsigned char letter) {
  bool is;
  switch (tolower(letter)) {
  case 'a': is = isalpha(c); break;
  case 'c': is = iscntrl(c); break;
  case 'd': is = isdigit(c); break;
  case 'g': is = isgraph(c); break;
  case 'l': is = islower(c); break;
  case 'p': is = ispunct(c); break;
  case 's': is = isspace(c); break;
  case 'u': is = isupper(c); break;
  case 'w': is = isalnum(c); break;
  case 'x': is = isxdigit(c); break;
  default: return c == letter; /* an escaped character stands for itself */
  }
  return isupper(letter) ? !is : is;
}

/* The end of the set that begins at `p` ('['): behind its ']'. A ']' right at the beginning belongs to the set. */
static const char *set_end(pattern_match *m, const char *p) {
  const char *begin = p;
  p++;
  if (p < m->pattern_end && *p == '^') p++;
  do {
    if (p >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    if (*p++ == '%') {
      if (p >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
      p++;
    }
  } while (p >= m->pattern_end || *p != ']');
  spend_bytes(m, p - begin);
  return p + 1;
}

/* `p` is the '[', `end` lies behind the ']'. */
static bool in_set(unsigned char c, const char *p, const char *end) {
  bool negated = p[1] == '^';
  p += negated ? 2 : 1;
  const char *last = end - 1;
  for (; p < last; p++) {
    if (*p == '%' && p + 1 < last) {
      if (in_class(c, (unsigned char)*++p)) return !negated;
    } else if (p + 2 < last && p[1] == '-') {
      if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) return !negated;
      p += 2;
    } else if ((unsigned char)*p == c) {
      return !negated;
    }
  }
  return negated;
}

/* Behind the item for one character that begins at `p`. */
static const char *item_end(pattern_match *m, const char *p) {
  if (*p == '[') return set_end(m, p);
  if (*p != '%') return p + 1;
  if (p + 1 >= m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
  return p + 2;
}

static bool matches_one(pattern_match *m, const char *s, const char *p, const char *end) {
  if (s >= m->subject_end) return false;
  unsigned char c = (unsigned char)*s;
  switch (*p) {
  case '.': return true;
  case '%': return in_class(c, (unsigned char)p[1]);
  case '[': spend_bytes(m, end - p); return in_set(c, p, end);
  default: return (unsigned char)*p == c;
  }
}

/* ---- items with a quantifier ---- */

static const char *match_most(pattern_match *m, const char *s, const char *p, const char *end,
                              ptrdiff_t least) {
  ptrdiff_t count = 0;
  while (matches_one(m, s + count, p, end)) {
    spend(m);
    count++;
  }
  for (; count >= least; count--) {
    const char *found = match_here(m, s + count, end + 1);
    if (found) return found;
  }
  return NULL;
}

static const char *match_least(pattern_match *m, const char *s, const char *p, const char *end) {
  for (;; s++) {
    const char *found = match_here(m, s, end + 1);
    if (found) return found;
    if (!matches_one(m, s, p, end)) return NULL;
  }
}

static const char *match_optional(pattern_match *m, const char *s, const char *p, const char *end) {
  if (matches_one(m, s, p, end)) {
    const char *found = match_here(m, s + 1, end + 1);
    if (found) return found;
  }
  return match_here(m, s, end + 1);
}

/* ---- captures ---- */

static const char *open_capture(pattern_match *m, const char *s, const char *p, ptrdiff_t kind) {
  if (m->level >= PATTERN_CAPTURES) luaL_error(m->L, "too many captures");
  m->captures[m->level].start = s;
  m->captures[m->level].length = kind;
  m->level++;
  const char *found = match_here(m, s, p);
  if (!found) m->level--;
  return found;
}

static const char *close_capture(pattern_match *m, const char *s, const char *p) {
  int i = m->level - 1;
  while (i >= 0 && m->captures[i].length != OPEN) i--;
  if (i < 0) luaL_error(m->L, "invalid pattern capture");
  m->captures[i].length = s - m->captures[i].start;
  const char *found = match_here(m, s, p);
  if (!found) m->captures[i].length = OPEN;
  return found;
}

/* %1 to %9: what that capture has matched. */
static const char *match_again(pattern_match *m, const char *s, char digit) {
  int i = digit - '1';
  if (i < 0 || i >= m->level || m->captures[i].length == OPEN)
    luaL_error(m->L, "invalid capture index %%%d", i + 1);
  ptrdiff_t length = m->captures[i].length;
  if (length == POSITION) length = 0;
  spend_bytes(m, length);
  if (m->subject_end - s < length || memcmp(m->captures[i].start, s, (size_t)length) != 0) return NULL;
  return s + length;
}

/* ---- %b and %f ---- */

/* %bxy: from an x to the y that balances it. */
static const char *match_balance(pattern_match *m, const char *s, const char *p) {
  if (p + 3 >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  if (s >= m->subject_end || *s != p[2]) return NULL;
  int open = 1;
  while (++s < m->subject_end) {
    spend(m);
    if (*s == p[3]) {
      if (--open == 0) return s + 1;
    } else if (*s == p[2]) {
      open++;
    }
  }
  return NULL;
}

/* %f[set]: between a character that is not in the set and one that is; both ends of the subject are '\0'. Returns what
 * follows in the pattern, or NULL where it does not hold. */
static const char *match_frontier(pattern_match *m, const char *s, const char *p) {
  p += 2;
  if (p >= m->pattern_end || *p != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
  const char *end = set_end(m, p);
  unsigned char before = s == m->subject ? '\0' : (unsigned char)s[-1];
  unsigned char after = s < m->subject_end ? (unsigned char)*s : '\0';
  return !in_set(before, p, end) && in_set(after, p, end) ? end : NULL;
}

/* ---- the whole ---- */

/* Items that are more than one character: sets *next to what follows in the pattern, *s to where the subject goes on. Returns
 * false where the item is an ordinary one. */
static bool match_special(pattern_match *m, const char **s, const char **next) {
  const char *p = *next;
  char kind = *p == '%' && p + 1 < m->pattern_end ? p[1] : '\0';
  if (kind == 'b') {
    *s = match_balance(m, *s, p);
    *next = p + 4;
  } else if (kind == 'f') {
    *next = match_frontier(m, *s, p);
    if (!*next) *s = NULL;
  } else if (isdigit((unsigned char)kind)) {
    *s = match_again(m, *s, kind);
    *next = p + 2;
  } else {
    return false;
  }
  return true;
}

static const char *match_items(pattern_match *m, const char *s, const char *p) {
  while (p < m->pattern_end) {
    spend(m);
    if (*p == '(') {
      bool position = p + 1 < m->pattern_end && p[1] == ')';
      return open_capture(m, s, p + (position ? 2 : 1), position ? POSITION : OPEN);
    }
    if (*p == ')') return close_capture(m, s, p + 1);
    if (*p == '$' && p + 1 == m->pattern_end) return s == m->subject_end ? s : NULL;
    if (match_special(m, &s, &p)) {
      if (!s) return NULL;
      continue;
    }
    const char *end = item_end(m, p);
    char quantifier = end < m->pattern_end ? *end : '\0';
    if (quantifier == '*') return match_most(m, s, p, end, 0);
    if (quantifier == '+') return match_most(m, s, p, end, 1);
    if (quantifier == '-') return match_least(m, s, p, end);
    if (quantifier == '?') return match_optional(m, s, p, end);
    if (!matches_one(m, s, p, end)) return NULL;
    s++;
    p = end;
  }
  return s;
}

static const char *match_here(pattern_match *m, const char *s, const char *p) {
  if (++m->depth > DEPTH_MOST) luaL_error(m->L, "pattern too complex");
  spend(m);
  const char *found = match_items(m, s, p);
  m->depth--;
  return found;
}

const char *pattern_match_at(pattern_match *m, const char *at) {
  m->level = 0;
  m->depth = 0;
  return match_here(m, at, m->pattern);
}

/* ---- what was captured ---- */

void pattern_push_capture(pattern_match *m, int i, const char *start, const char *end) {
  if (i >= m->level) {
    if (i != 0) luaL_error(m->L, "invalid capture index %%%d", i + 1);
    lua_pushlstring(m->L, start, (size_t)(end - start));
    return;
  }
  ptrdiff_t length = m->captures[i].length;
  if (length == OPEN) luaL_error(m->L, "unfinished capture");
  if (length == POSITION)
    lua_pushinteger(m->L, m->captures[i].start - m->subject + 1);
  else
    lua_pushlstring(m->L, m->captures[i].start, (size_t)length);
}

int pattern_push_captures(pattern_match *m, const char *start, const char *end, bool whole) {
  int count = m->level == 0 && whole ? 1 : m->level;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++) pattern_push_capture(m, i, start, end);
  return count;
}
