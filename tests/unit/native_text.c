/* What a value becomes in each kind of payload: nothing of it can end a string, an element, a pair or a header; and all that
 * could not stay what it was is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "bind/json_module.h"
#include "native/native.h"

/* slow(value) notes that it was asked, and gives "<slow>". */
static const char set_up[] = "text = require 'jaunt.native.text'\n"
                             "asked = 0\n"
                             "emitters = setmetatable({}, { __index = function(_, name)\n"
                             "  return text.emitter(name, function() asked = asked + 1 return '<slow>' end)\n"
                             "end })\n";

static int open_state(void **state) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "json", bind_json_open, 1);
  luaL_requiref(L, "jaunt.native.text", native_text_open, 0);
  lua_settop(L, 0);
  if (luaL_dostring(L, set_up) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
  *state = L;
  return 0;
}

static int close_state(void **state) {
  lua_close(*state);
  return 0;
}

/* Runs Lua in which every assert has to hold. */
static void holds(void **state, const char *script) {
  lua_State *L = *state;
  if (luaL_dostring(L, script) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
  lua_settop(L, 0);
}

static void a_text_in_a_json_string_is_escaped(void **state) {
  holds(state, "local e = emitters.json_string\n"
               "assert(e '' == '' and e 'plain' == 'plain' and e 'é' == 'é')\n"
               "assert(e 'a\"b\\\\c\\n\\0\\31' == 'a\\\\\"b\\\\\\\\c\\\\n\\\\u0000\\\\u001f')\n"
               "assert(e '\\u{2028}\\u{2029}' == '\\\\u2028\\\\u2029')\n"
               "for c = 0, 255 do\n"
               "  local decoded = json.decode('\"' .. e(string.char(c)) .. '\"')\n"
               "  assert(decoded == (c < 128 and string.char(c) or '\\u{FFFD}'), c)\n"
               "end\n"
               "assert(text.repaired() == 128)");
}

static void what_is_no_text_has_its_own_form(void **state) {
  holds(state,
        "local s, v, k = emitters.json_string, emitters.json_value, emitters.json_key\n"
        "assert(s(nil) == '' and s(json.null) == '' and s(true) == 'true' and s(9007199254740993) == "
        "'9007199254740993')\n"
        "assert(v(nil) == 'null' and v(json.null) == 'null' and v(false) == 'false' and v '' == '\"\"')\n"
        "assert(v(math.mininteger) == '-9223372036854775808' and v(0.1) == '0.1' and v(2.0) == '2.0' and "
        "v(1e300) == '1e300')\n"
        "assert(v 'a\"' == '\"a\\\\\"\"' and k 'a' == '\"a\"' and k(7) == '\"7\"')\n"
        "assert(asked == 0)");
}

static void all_else_is_asked_for(void **state) {
  holds(state,
        "assert(emitters.json_value {} == '<slow>' and emitters.json_value(0/0) == '<slow>' and "
        "emitters.json_value(-1/0) == '<slow>')\n"
        "assert(emitters.json_string(1.5) == '<slow>' and emitters.markup {} == '&lt;slow&gt;' and "
        "emitters.form(1.5) == '%3Cslow%3E')\n"
        "assert(asked == 6)\n"
        "for _, value in ipairs { '', false } do\n"
        "  local given = value or nil\n"
        "  assert(emitters.json_key(given) == '\"<slow>\"' and emitters.json_key_part(given) == '<slow>')\n"
        "  assert(emitters.url_path(given) == '%3Cslow%3E')\n"
        "end\n"
        "assert(emitters.url_path '.' == '%3Cslow%3E' and emitters.url_path '..' == '%3Cslow%3E' and "
        "emitters.url_path '...' == '...')\n"
        "assert(asked == 14)\n"
        "assert(not pcall(text.emitter('text', function() return nil end), {}))\n"
        "assert(not pcall(text.emitter, 'latin1', print))");
}

static void markup_is_not_ended_by_a_value(void **state) {
  holds(state, "local e = emitters.markup\n"
               "for c in ('&<>\\\"\\''):gmatch '.' do assert(e(c):find '^&[#%w]+;$', c) end\n"
               "assert(e [[<a b=\"c\" d='e'>&]] == '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;')\n"
               "assert(e 'é\\t\\r\\n' == 'é\\t\\r\\n' and text.repaired() == 0)\n"
               "assert(e '\\0a\\27\\u{FFFE}\\u{FFFF}\\u{FFFD}' == "
               "('\\u{FFFD}a\\u{FFFD}\\u{FFFD}\\u{FFFD}\\u{FFFD}') and text.repaired() == 4)");
}

static void forms_and_urls_are_percent_encoded(void **state) {
  holds(state, "assert(emitters.form 'a b&c=d+é*-._~%' == 'a+b%26c%3Dd%2B%C3%A9*-._%7E%25')\n"
               "assert(emitters.url_query 'a b&c=d+é*-._~/?#' == 'a%20b%26c%3Dd%2B%C3%A9%2A-._~%2F%3F%23')\n"
               "assert(emitters.url_path '../x' == '..%2Fx')\n"
               "assert(emitters.form '\\xff' == '%EF%BF%BD' and text.repaired() == 1)");
}

static void nothing_ends_a_header(void **state) {
  holds(state, "local e = emitters.header\n"
               "assert(e 'a\\r\\nSet-Cookie: b' == 'a  Set-Cookie: b' and e '\\0\\127' == '  ' and "
               "text.repaired() == 4)\n"
               "assert(e 'a\\tb\\xe9' == 'a\\tb\\xe9' and text.repaired() == 0)");
}

/* Unicode 15, 3.9, table 3-8 and its like: one U+FFFD for each maximal part of a character. */
static void each_part_that_is_no_character_is_replaced_once(void **state) {
  holds(state, "local function is(bytes, parts, mended)\n"
               "  local made, count = text.mend(bytes)\n"
               "  assert(made == (mended:gsub('%?', '\\u{FFFD}')) and count == parts, made)\n"
               "end\n"
               "is('\\x61\\xF1\\x80\\x80\\xE1\\x80\\xC2\\x62\\x80\\x63\\x80\\xBF\\x64', 6, 'a???b?c??d')\n"
               "is('\\xC0\\xAF\\xE0\\x80\\xBF\\xF0\\x81\\x82\\x41', 8, '????????A')\n"
               "is('\\xED\\xA0\\x80\\xED\\xBF\\xBF\\xED\\xAF\\x41', 8, '????????A')\n"
               "is('\\xE2\\x80', 1, '?')\n"
               "is('plain é', 0, 'plain é')");
}

static void texts_of_any_length_come_back_whole(void **state) {
  holds(state, "for length = 0, 70 do\n"
               "  for at = 0, length do\n"
               "    local given = ('x'):rep(at) .. '\"' .. ('é'):rep(length - at)\n"
               "    assert(json.decode(emitters.json_value(given)) == given)\n"
               "  end\n"
               "end\n"
               "local long = ('\\\\'):rep(1 << 20)\n"
               "assert(json.decode(emitters.json_value(long)) == long)");
}

static void texts_are_joined_up_to_a_length(void **state) {
  holds(state, "assert(text.join({ 'a', '', '\\0b', 'c' }, 3, 3) == 'a\\0b' and text.join({}, 0, 0) == '')\n"
               "assert(text.join({ 'a', 'b' }, 2, 1) == nil)\n"
               "assert(not pcall(text.join, { 'a' }, 2, 9))");
}

static void a_text_takes_as_many_columns_as_a_terminal_gives_it(void **state) {
  holds(state, "for given, columns in pairs { [''] = 0, abc = 3, ['é'] = 1, ['e\\u{301}'] = 1, ['結城'] = 4, "
               "['🛒!'] = 3,\n"
               "    ['a\\0b\\27\\t'] = 5, ['\\u{200B}'] = 0, ['\\u{2028}'] = 1, ['結\\xFF'] = 4 } do\n"
               "  assert(text.columns(given) == columns, given)\n"
               "end");
}

static void a_key_that_an_object_has_twice_is_found(void **state) {
  holds(state, "for given, key in pairs {\n"
               "  ['{\"a\":1,\"b\":2,\"a\":3}'] = 'a', ['[{\"x\":[{\"\":1,\"\":{}}]}]'] = '', "
               "['{\"\\\\u0061\":1,\"a\":2}'] = 'a',\n"
               "  ['{\"b\":{\"a\":1},\"a\":{\"a\":[\"a\",\"a\"]},\"b\":2}'] = 'b', "
               "['{\"a\\0\":1,\"a\\0\":2}'] = false,\n"
               "  ['{\"a\":\"a\",\"c\":[\"a\",{\"a\":1},{\"a\":2}]}'] = false, ['{\"a\":1,\"a\"'] = false, "
               "['\"a\"'] = false } do\n"
               "  assert((text.key_twice(given) or false) == key, given)\n"
               "end\n"
               "local deep = ('{\"a\":['):rep(120) .. '{\"b\":1,\"b\":2}' .. (']}'):rep(120)\n"
               "assert(text.key_twice(deep) == 'b')");
}

static void what_is_made_safe_elsewhere_is_counted_too(void **state) {
  holds(state, "text.made_safe()\n"
               "text.mend '\\xFF'\n"
               "assert(text.repaired() == 2 and text.repaired() == 0)");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_text_in_a_json_string_is_escaped, open_state, close_state),
      cmocka_unit_test_setup_teardown(what_is_no_text_has_its_own_form, open_state, close_state),
      cmocka_unit_test_setup_teardown(all_else_is_asked_for, open_state, close_state),
      cmocka_unit_test_setup_teardown(markup_is_not_ended_by_a_value, open_state, close_state),
      cmocka_unit_test_setup_teardown(forms_and_urls_are_percent_encoded, open_state, close_state),
      cmocka_unit_test_setup_teardown(nothing_ends_a_header, open_state, close_state),
      cmocka_unit_test_setup_teardown(each_part_that_is_no_character_is_replaced_once, open_state,
                                      close_state),
      cmocka_unit_test_setup_teardown(texts_of_any_length_come_back_whole, open_state, close_state),
      cmocka_unit_test_setup_teardown(texts_are_joined_up_to_a_length, open_state, close_state),
      cmocka_unit_test_setup_teardown(a_text_takes_as_many_columns_as_a_terminal_gives_it, open_state,
                                      close_state),
      cmocka_unit_test_setup_teardown(a_key_that_an_object_has_twice_is_found, open_state, close_state),
      cmocka_unit_test_setup_teardown(what_is_made_safe_elsewhere_is_counted_too, open_state, close_state),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
