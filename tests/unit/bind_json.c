/* JSON for C that has a Lua state: what the two functions leave behind, when all is well and when it is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "bind/json.h"
#include "bind/json_module.h"

/* An allocator that refuses to go beyond a cap. */
typedef struct heap {
  size_t used, cap;
} heap;

static void *heap_alloc(void *of, void *old, size_t had, size_t wanted) {
  heap *h = of;
  if (!old) had = 0;
  if (wanted > had && h->used - had + wanted > h->cap) return NULL;
  h->used = h->used - had + wanted;
  if (wanted > 0) return realloc(old, wanted);
  free(old);
  return NULL;
}

static lua_State *open_state(heap *h) {
  *h = (heap){0, SIZE_MAX};
  lua_State *L = lua_newstate(heap_alloc, h);
  assert_non_null(L);
  luaL_openlibs(L);
  luaL_requiref(L, "json", bind_json_open, 1);
  lua_settop(L, 0);
  return L;
}

static void push(lua_State *L, const char *expression) {
  if (luaL_dostring(L, expression) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
}

static void a_value_is_appended(void **state) {
  (void)state;
  heap h;
  lua_State *L = open_state(&h);
  buf out = BUF_EMPTY;
  error err;
  buf_text_add(&out, "body: ");
  push(L, "return { b = { 1, 2.0 }, a = json.null }");
  assert_int_equal(json_encode_value(L, -1, &out, "person", &err), 0);
  assert_string_equal(buf_text(&out), "body: {\"a\":null,\"b\":[1,2.0]}");
  assert_int_equal(lua_gettop(L), 1);
  buf_free(&out);
  lua_close(L);
}

static void a_failure_names_the_path_and_appends_nothing(void **state) {
  (void)state;
  static const struct {
    const char *value, *words;
  } cases[] = {
      {"return { cart = { 1, 2, { price = 0/0 } } }", "person.cart[3].price is NaN"},
      {"return function() end", "person is a function"},
      {"return { a = { ['x y'] = '\\xff' } }", "person.a[\"x y\"] is not valid UTF-8"},
      {"local t = { ok = 1 } t.t = t return t", "is nested more than 256 deep"},
      {"return { a = 'text', b = { [true] = 1 } }", "person.b has a key that is a boolean"},
  };
  heap h;
  lua_State *L = open_state(&h);
  buf out = BUF_EMPTY;
  buf_text_add(&out, "kept");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    error err = {""};
    push(L, cases[i].value);
    assert_int_equal(json_encode_value(L, 1, &out, "person", &err), -1);
    assert_string_equal(buf_text(&out), "kept");
    if (!strstr(err.text, cases[i].words)) fail_msg("%s", err.text);
    assert_int_equal(lua_gettop(L), 1);
    lua_settop(L, 0);
  }
  buf_free(&out);
  lua_close(L);
}

static void a_refused_text_pushes_nothing(void **state) {
  (void)state;
  heap h;
  lua_State *L = open_state(&h);
  error err;
  assert_int_equal(json_decode_value(L, "[1,\n2", 5, &err), -1);
  assert_string_equal(err.text, "line 2, column 2: expected ',' or ']', but the text ends here");
  assert_int_equal(lua_gettop(L), 0);
  assert_int_equal(json_decode_value(L, "[1,2]x", 5, &err), 0); /* five bytes, not up to a NUL */
  assert_int_equal(lua_gettop(L), 1);
  lua_close(L);
}

static int decode_and_encode(lua_State *L) {
  static const char text[] = "{\"a\":[\"x\\n is a text that is long enough not to be "
                             "interned\",1,{\"b\":[[],{},{\"c\":\"\\u00e9\"}]}]}";
  buf *out = lua_touserdata(L, 1);
  error err;
  if (json_decode_value(L, text, sizeof text - 1, &err) != 0) return luaL_error(L, "%s", err.text);
  if (json_encode_value(L, -1, out, "value", &err) != 0) return luaL_error(L, "%s", err.text);
  return 0;
}

/* Run with the leak checker on. */
static void out_of_memory_anywhere_leaks_nothing(void **state) {
  (void)state;
  heap h;
  int refused = 0, done = 0;
  for (size_t spare = 0; spare < 12000; spare += 40) {
    lua_State *L = open_state(&h);
    buf out = BUF_EMPTY;
    lua_gc(L, LUA_GCCOLLECT);
    lua_pushcfunction(L, decode_and_encode);
    lua_pushlightuserdata(L, &out);
    h.cap = h.used + spare;
    int status = lua_pcall(L, 1, 0, 0);
    h.cap = SIZE_MAX;
    if (status == LUA_OK) {
      done++;
    } else {
      assert_non_null(strstr(lua_tostring(L, -1), "not enough memory"));
      refused++;
    }
    buf_free(&out);
    lua_close(L);
    assert_int_equal(h.used, 0);
  }
  assert_true(refused > 5);
  assert_true(done > 5);
}

/* Far more keys than are kept, so that each takes the place of others, and shapes that are guessed wrong. */
static void keys_and_shapes_that_change_do_no_harm(void **state) {
  (void)state;
  heap h;
  lua_State *L = open_state(&h);
  for (int round = 0; round < 3000; round++) {
    char text[128], keys[2][48];
    snprintf(keys[0], sizeof keys[0], "k%d", round % 500);
    snprintf(keys[1], sizeof keys[1], "%.*s%d", round % 43, "a key of up to and above the forty bytes of one",
             round % 7);
    snprintf(text, sizeof text, "{\"%s\":1,\"%s\":[%s]}", keys[0], keys[1],
             round % 3 ? "1" : "1,2,3,4,5,6,7");
    json_decode_known(L, text, strlen(text));
    if (round % 5 == 0) lua_gc(L, LUA_GCCOLLECT);
    assert_int_equal(lua_getfield(L, 1, keys[0]), LUA_TNUMBER);
    assert_int_equal(lua_getfield(L, 1, keys[1]), LUA_TTABLE);
    assert_int_equal(lua_rawlen(L, -1), round % 3 ? 1 : 7);
    assert_int_equal(lua_gettop(L), 3);
    lua_settop(L, 0);
  }
  lua_close(L);
}

/* A finalizer may run whenever Lua allocates; it must not mix its own text into the one under way. */
static void finalizers_may_use_json_too(void **state) {
  (void)state;
  heap h;
  lua_State *L = open_state(&h);
  push(L, "collectgarbage('setpause', 0)\n"
          "local function litter() setmetatable({}, { __gc = function()\n"
          "  assert(json.encode(json.decode('[\"fin\\\\nal\"]')) == '[\"fin\\\\nal\"]') end }) end\n"
          "local text = '{\"a\":[\"x\\\\ny\",{\"b\":1.5}],\"c\":\"\\\\t\"}'\n"
          "for i = 1, 3000 do litter() assert(json.encode(json.decode(text)) == text) end");
  lua_close(L);
  assert_int_equal(h.used, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_is_appended),
      cmocka_unit_test(a_failure_names_the_path_and_appends_nothing),
      cmocka_unit_test(a_refused_text_pushes_nothing),
      cmocka_unit_test(out_of_memory_anywhere_leaks_nothing),
      cmocka_unit_test(keys_and_shapes_that_change_do_no_harm),
      cmocka_unit_test(finalizers_may_use_json_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
