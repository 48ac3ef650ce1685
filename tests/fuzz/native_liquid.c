/* A payload template from anywhere: it compiles, or there is a fault with its place; what compiles renders to a
 * text, to the same one again, or to a fault; and what it gives as JSON is JSON. Lexer, parser and compiler are
 * Lua, so that this runs them in a lua_State. */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "bind/json_module.h"
#include "native/modules.h"
#include "native/native.h"
#include "fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "Hi {{ person.first_name | default: 'you' | upcase }}, {{ event.items[0].sku }} {{ list | join: \", \" "
    "}}!\n",
    "{% assign a = 1 | plus: b %}{%- capture c -%} x{{ a }} {%- endcapture %}{{ c | append: a }}{% increment "
    "i %}{% decrement i %}",
    "{% if a == 1 and b contains 'x' or c %}1{% elsif a <= 2.5 %}2{% else %}3{% endif %}{% unless a == blank "
    "%}x{% endunless %}",
    "{% case a %}{% when 1, 'x' %}one{% when 2 or 3 %}two{% else %}{% comment %}{{ x {% endcomment %}three{% "
    "endcase %}",
    "{% for i in (1..5) limit: 2 offset: a reversed %}{{ forloop.index }}{% cycle 'g': 'a', b %}{% if i == 3 "
    "%}{% break %}{% endif "
    "%}{% else %}none{% endfor %}{% for i in list offset: continue %}{% continue %}{% endfor %}",
    "{% liquid\n  assign x = list | first\n  for y in list\n    echo y\n  endfor\n  # done\n%}{% raw %}{{ {% "
    "}}{% endraw %}{% # note %}",
    "{{${first_name}}} {% if {{custom_attribute.${plan}}} == nil %}{% abort_message('no') %}{% endif %}{{ "
    "['a'][b].c }}",
    "{% render 'p' with a as b, c: 1 %}{% render 'p' for list %}{% include 'p', x: \"y\" %}",
    "{\"a\": {{ a }}, \"b\": \"{{ person.first_name | escape }}\", \"c\": [{% for i in list %}{{ i }}{% "
    "unless forloop.last %},{% endunless "
    "%}{% endfor %}]{% if a %}, \"d\": {{ b | omit_if_nil }}{% endif %}}",
    "[{% for i in list %}{ \"k\": {{ i | default: 0 }}, {{ i | append: 'x' }}: null },{% endfor %}]",
    NULL,
};

const char *const fuzz_words[] = {
    "{{",
    "}}",
    "{%",
    "%}",
    "{%-",
    "-%}",
    "{{-",
    "-}}",
    "|",
    ":",
    ",",
    "..",
    "(",
    ")",
    "[",
    "]",
    "'",
    "\"",
    "${",
    "}",
    "{",
    "==",
    "contains",
    "and",
    "or",
    "not",
    "blank",
    "empty",
    "nil",
    "true",
    "person",
    "event",
    "now",
    "forloop",
    "list",
    "parentloop",
    "endif",
    "endfor",
    "endcase",
    "else",
    "when",
    "if a",
    "for i in list",
    "break",
    "case a",
    "raw",
    "endraw",
    "comment",
    "endcomment",
    "liquid",
    "echo",
    "\n",
    "99999999999999999999",
    "-1",
    "1.5",
    "| size",
    "| split: ''",
    "| sort",
    "| json",
    "| omit_if_nil",
    "\\u00",
    "\xFF",
    "\xC3\xA4",
    "% }",
    "render 'p'",
    "assign x = ",
    NULL,
};

static const char prepare[] =
    "local json, liquid = require 'json', require 'jaunt.liquid'\n"
    "local context = { person = { first_name = 'A\"\\\\\\n\\xFF', plan = json.null "
    "}, event = { items = { { sku = 1 } } }, now = 0,\n"
    "  vars = { a = 1, b = 'x', list = { 1, 'y\"', json.null, { k = 1.5 } } }, "
    "limits = { loops = 300, output = 20000 } }\n"
    "local function partial(name)\n"
    "  if name == 'p' then return { path = 'p', text = '<{{ b }}{% if "
    "forloop.index == 2 %}{% break %}{% endif %}>{% assign x = 1 %}' } end\n"
    "end\n"
    "local function check_fault(fault)\n"
    "  assert(fault.line >= 1 and fault.column >= 1 and #fault.excerpt > 0 and fault.what)\n"
    "  local told = tostring(fault)\n"
    "  assert(utf8.len(told) and not told:gsub('\\n', ''):find '%c')\n"
    "end\n"
    "local function check(text, kind)\n"
    "  local template, fault = liquid.compile(text, { path = 't', kind = kind, "
    "partial = partial, probe = #text % 5 == 0 })\n"
    "  if not template then return check_fault(fault) end\n"
    "  local result, facts = template:render(context)\n"
    "  if not result then return check_fault(facts) end\n"
    "  assert(type(result) == 'string' and type(facts.repaired) == 'number')\n"
    "  assert(result == template:render(context))\n"
    "  if kind == 'json' then json.decode(result) end\n"
    "end\n"
    "return function(text)\n"
    "  check(text, 'txt')\n"
    "  check(text, 'html')\n"
    "  if text:find '^%s*[%[{]' then check(text, 'json') end\n"
    "end\n";

static const luaL_Reg natives[] = {
    {"json", bind_json_open},
    {"jaunt.native.calendar", native_calendar_open},
    {"jaunt.native.clock", native_clock_open},
    {"jaunt.native.digest", native_digest_open},
    {"jaunt.native.letters", native_letters_open},
    {"jaunt.native.text", native_text_open},
    {NULL, NULL},
};

static lua_State *state;

static void close_state(void) {
  lua_close(state);
}

static int open_state(lua_State *L) {
  luaL_openlibs(L);
  modules_install(L, natives);
  if (luaL_dostring(L, prepare)) return lua_error(L);
  return 1;
}

static void check_call(int status) {
  if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(state, -1));
  FUZZ_HOLDS(status == LUA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  if (!state) {
    state = luaL_newstate();
    atexit(close_state);
    lua_pushcfunction(state, open_state);
    check_call(lua_pcall(state, 0, 1, 0));
  }
  lua_pushvalue(state, 1);
  lua_pushlstring(state, (const char *)bytes, length);
  check_call(lua_pcall(state, 1, 0, 0));
  return 0;
}
