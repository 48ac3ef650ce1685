/* log and print: what a script says, one line each, handed to the control thread; and what jaunt.worker warns of. */
#include "bind/json.h"
#include "bind/libraries.h"
#include "bind/primitive.h"

enum {
  SAID_MOST = 4096
}; /* of a journey's line: thousands of people may say it. A plain script's are whole */

/* Cut between characters, with a note that it was. */
static void shorten(buf *text) {
  size_t most = SAID_MOST, length = text->len;
  while (most > SAID_MOST - 4 && ((unsigned char)text->data[most] & 0xC0) == 0x80) most--;
  text->len = most;
  buf_format(text, "\xe2\x80\xa6 (%zu more bytes)", length - most);
}

static void say(lua_State *L, say_kind kind, buf *text) {
  const run *r = worker_of(L)->current;
  engine_shared *shared = worker_of(L)->shared;
  if (r && (run_in_past(r) || r->trial)) return; /* it was said, or nothing is to be */
  if (text->len > SAID_MOST && !shared->options->plain_script) shorten(text);
  shared_say(shared, kind, text->data ? text->data : "", text->len);
}

/* What the text at `index` says, behind the person whose run is under way. */
static buf *text_of_person(lua_State *L, int index) {
  worker *w = worker_of(L);
  size_t length;
  const char *said = luaL_checklstring(L, index, &length);
  buf_clear(&w->text);
  if (w->current) buf_format(&w->text, "%s: ", w->current->person);
  buf_add(&w->text, said, length);
  return &w->text;
}

int vocabulary_warn(lua_State *L) {
  say(L, SAY_WARNING, text_of_person(L, 1));
  return 0;
}

/* print(...): as Lua's, tabs between values. */
int primitive_print(lua_State *L) {
  int count = lua_gettop(L);
  buf *text = &worker_of(L)->text;
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addchar(&line, '\t');
    text_of_value(L, i);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  buf_clear(text);
  buf_add(text, bytes, length);
  say(L, SAY_OUTPUT, text);
  return 0;
}

/* log(message [, fields]): one line: the person, the message, the fields as JSON. */
int primitive_log(lua_State *L) {
  error err;
  buf *text = text_of_person(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    buf_char(text, ' ');
    if (json_encode_value(L, 2, text, "fields", &err)) return primitive_fail(L, &err);
  }
  say(L, SAY_OUTPUT, text);
  return 0;
}
