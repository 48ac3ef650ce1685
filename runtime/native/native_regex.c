/* jaunt.native.regex: regular expressions as JSON Schema means them (ECMA-262), by libpcre2-8. For jaunt.schema, in commands and
 * in workers. Scripts don't see it: they have Lua's patterns.
 *
 *   compile(pattern)        a matcher; or nil, why, and the byte where it is wrong (none where the library is missing)
 *   matcher:matches(text)   whether it is found anywhere in the text; or nil and why that can't be told
 *
 * The library is loaded for the first pattern: few projects have one. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/shared_library.h"
#include "native/native.h"

#define MATCHER "jaunt.regex"

enum {
  MATCH_STEPS = 1000000,   /* backtracking steps of one match: some tens of milliseconds */
  MATCH_HEAP_KIB = 4 << 10 /* memory of one match */
};

/* What the two dialects read differently, read as ECMA-262 has it: $ is the very end, [] nothing, \u0041 a letter. */
static const uint32_t dialect = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                                PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALT_BSUX | PCRE2_NEVER_BACKSLASH_C;
static const uint32_t dialect_extra = PCRE2_EXTRA_ALT_BSUX; /* \u{1F600} */

#define FUNCTIONS(each)                                                                                      \
  each(pcre2_compile_8) each(pcre2_code_free_8) each(pcre2_compile_context_create_8)                         \
      each(pcre2_compile_context_free_8) each(pcre2_set_compile_extra_options_8) each(pcre2_match_8)         \
          each(pcre2_match_context_create_8) each(pcre2_match_context_free_8) each(pcre2_set_match_limit_8)  \
              each(pcre2_set_heap_limit_8) each(pcre2_match_data_create_8) each(pcre2_match_data_free_8)     \
                  each(pcre2_get_error_message_8)

/* Called by these pointers: nothing else in the process uses the library. */
static struct { FUNCTIONS(SHARED_POINTER) } lib;
SHARED_LIBRARY(lib, FUNCTIONS, "libpcre2-8.so.0", "libpcre2-8-0", "patterns of a schema need");

typedef struct matcher {
  pcre2_code *code;
  pcre2_match_context *limits;
  pcre2_match_data *data;
} matcher;

static int matcher_gc(lua_State *L) {
  matcher *m = lua_touserdata(L, 1);
  if (m->data) lib.pcre2_match_data_free_8(m->data);
  if (m->limits) lib.pcre2_match_context_free_8(m->limits);
  if (m->code) lib.pcre2_code_free_8(m->code);
  *m = (matcher){NULL, NULL, NULL};
  return 0;
}

static void push_message(lua_State *L, int code) {
  PCRE2_UCHAR text[256] = "";
  lib.pcre2_get_error_message_8(code, text, sizeof text);
  lua_pushstring(L, (const char *)text);
}

static pcre2_code *compile(const char *pattern, size_t length, int *code, size_t *at) {
  pcre2_compile_context *context = lib.pcre2_compile_context_create_8(NULL);
  if (!context) return NULL;
  lib.pcre2_set_compile_extra_options_8(context, dialect_extra);
  pcre2_code *compiled = lib.pcre2_compile_8((PCRE2_SPTR)pattern, length, dialect, code, at, context);
  lib.pcre2_compile_context_free_8(context);
  return compiled;
}

static int regex_compile(lua_State *L) {
  size_t length = 0, at = 0;
  int code = PCRE2_ERROR_NOMEMORY;
  error err;
  const char *pattern = luaL_checklstring(L, 1, &length);
  if (shared_library_load(&library, &err) != 0) return native_none(L, &err);
  matcher *m = lua_newuserdatauv(L, sizeof *m, 0);
  *m = (matcher){NULL, NULL, NULL};
  luaL_setmetatable(L, MATCHER);
  m->code = compile(pattern, length, &code, &at);
  if (!m->code) {
    lua_pushnil(L);
    push_message(L, code);
    lua_pushinteger(L, (lua_Integer)at + 1);
    return 3;
  }
  m->limits = lib.pcre2_match_context_create_8(NULL);
  m->data = lib.pcre2_match_data_create_8(1, NULL);
  if (!m->limits || !m->data) return luaL_error(L, "not enough memory");
  lib.pcre2_set_match_limit_8(m->limits, MATCH_STEPS);
  lib.pcre2_set_heap_limit_8(m->limits, MATCH_HEAP_KIB);
  return 1;
}

static int matcher_matches(lua_State *L) {
  size_t length = 0;
  matcher *m = luaL_checkudata(L, 1, MATCHER);
  const char *text = luaL_checklstring(L, 2, &length);
  int found = lib.pcre2_match_8(m->code, (PCRE2_SPTR)text, length, 0, 0, m->data, m->limits);
  if (found >= 0 || found == PCRE2_ERROR_NOMATCH) {
    lua_pushboolean(L, found >= 0);
    return 1;
  }
  lua_pushnil(L);
  push_message(L, found);
  return 2;
}

static const luaL_Reg methods[] = {{"matches", matcher_matches}, {NULL, NULL}};
static const luaL_Reg module[] = {{"compile", regex_compile}, {NULL, NULL}};

int native_regex_open(lua_State *L) {
  native_type(L, MATCHER, methods, matcher_gc, NULL);
  luaL_newlib(L, module);
  return 1;
}
