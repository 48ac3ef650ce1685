/* log and print: what a script says, one line each, handed to the control thread. */
#include "bind/json.h"
#include "bind/primitive.h"

enum { SAID_MOST = 4096 };

static void say(lua_State *L, say_kind kind, buf *text) {
  shared_say(worker_of(L)->shared, kind, text->data ? text->data : "", text->len < SAID_MOST ? text->len : SAID_MOST);
  buf_free(text);
}

/* print(...): as Lua's, tabs between values. */
int primitive_print(lua_State *L) {
  int count = lua_gettop(L);
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&line, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  buf text = BUF_EMPTY;
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  buf_add(&text, bytes, length);
  say(L, SAY_OUTPUT, &text);
  return 0;
}

/* log(message [, fields]): one line: the person, the message, the fields as JSON. */
int primitive_log(lua_State *L) {
  run *r = worker_of(L)->current;
  size_t length;
  const char *said = luaL_checklstring(L, 1, &length);
  buf text = BUF_EMPTY;
  if (r) buf_format(&text, "%s: ", r->person);
  buf_add(&text, said, length);
  if (!lua_isnoneornil(L, 2)) {
    error err;
    buf_char(&text, ' ');
    if (json_encode_value(L, 2, &text, "fields", &err)) {
      buf_free(&text);
      return primitive_fail(L, &err);
    }
  }
  say(L, SAY_OUTPUT, &text);
  return 0;
}
