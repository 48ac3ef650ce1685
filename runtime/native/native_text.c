/* jaunt.native.text: what a rendered value becomes in each kind of payload. For jaunt.liquid.emitters, in commands
 * and in workers.
 *
 *   emitter(name, slow)   a function(value) that gives the text to put out for it, escaped as `name` says (the table `escapes`).
 *                         Strings, integers, booleans and nil are done here; for all else, and for what the escape refuses, it
 *                         calls slow(value), which raises, or gives the value's text; that is escaped then (JSON by "json_value":
 *                         not)
 *   mend(text)            the text with U+FFFD for each maximal part that is not UTF-8 (Unicode, 3.9), and for how many
 *   repaired()            how many parts of values were made safe since it was last called: what was not UTF-8, and what a kind
 *                         cannot hold (controls in XML, line ends in headers)
 *   join(texts, n, most)  the first n of a list of texts as one; nil where that is longer than `most` bytes
 *   columns(text)         how many columns of a terminal it takes: some characters take two, some none
 *   key_twice(json)       the first key that an object in a JSON text has twice; nil where there is none, or no JSON
 *   made_safe()           counts another part of a value that was made safe
 *   replace(text, part, new, most)   the text with `new` for each `part`, which is not empty, from left to right; nil where
 *                         that is longer than `most` bytes
 *
 * It decides nothing: which emitter stands where is up to jaunt.liquid.escapes and jaunt.liquid.json_shape. */
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "calls/url.h"
#include "native/native.h"

enum { ROOM_KEPT = 256 << 10 };

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* One for each lua_State; each emitter has it as its first upvalue. */
typedef struct text_state {
  buf out, mended;
  lua_Integer repaired;
  locale_t utf8; /* whose characters have widths; NULL before the first is asked for */
} text_state;

typedef struct escape {
  const char *name;
  void (*add)(text_state *state, const char *bytes,
              size_t length); /* appends valid UTF-8 to state->out, escaped */
  bool (*plain)(
      unsigned char
          c);   /* whether a byte stands for itself; NULL: all do that are UTF-8 (JSON: see all_plain) */
  bool quoted;  /* JSON: the text is put in quotes */
  bool json;    /* nil is null, numbers are JSON's, and slow gives JSON */
  bool bytes;   /* what is not UTF-8 is left as it is */
  bool needed;  /* nil and the empty text go to slow */
  bool no_dots; /* "." and ".." go to slow */
} escape;

/* ---- UTF-8 ---- */

/* The maximal part at `at` that is no character: what begins like one counts as a whole. */
static size_t bad_length(const char *at, size_t left) {
  size_t length = 1;
  while (length < 3 && length < left && utf8_cut(at, length + 1)) length++;
  return length;
}

/* Appends the text with U+FFFD for what is not UTF-8; returns for how many parts. */
static lua_Integer add_mended(buf *out, const char *bytes, size_t length) {
  const char *at = bytes, *end = bytes + length;
  lua_Integer parts = 0;
  for (;;) {
    size_t good = utf8_valid_length(at, (size_t)(end - at));
    buf_add(out, at, good);
    at += good;
    if (at == end) return parts;
    buf_text_add(out, replacement);
    at += bad_length(at, (size_t)(end - at));
    parts++;
  }
}

/* ---- the escapes ---- */

/* What stands within the quotes of a JSON string: without the two that the writer puts there. */
static void add_json(text_state *state, const char *bytes, size_t length) {
  buf *out = &state->out;
  size_t before = out->len;
  json_write_string(out, bytes, length);
  memmove(out->data + before, out->data + before + 1, out->len - before - 2);
  out->len -= 2;
}

/* XML 1.0, 2.2 and 2.4: the five characters that mean something, both quotes among them, so that it holds in attributes
 * too; and U+FFFD for those that no document may hold (the controls, U+FFFE and U+FFFF). HTML reads the same. */
static const char *markup_for(const char *at, size_t step) {
  switch (*at) {
  case '&': return "&amp;";
  case '<': return "&lt;";
  case '>': return "&gt;";
  case '"': return "&quot;";
  case '\'': return "&#39;";
  case '\t':
  case '\n':
  case '\r': return NULL;
  default: break;
  }
  bool no_character = step == 3 && memcmp(at, "\xEF\xBF", 2) == 0 && (unsigned char)at[2] >= 0xBE;
  return (unsigned char)*at < 0x20 || no_character ? replacement : NULL;
}

static void add_markup(text_state *state, const char *bytes, size_t length) {
  for (const char *at = bytes, *end = bytes + length; at < end;) {
    size_t step = utf8_sequence(at, (size_t)(end - at));
    const char *instead = markup_for(at, step);
    if (instead == replacement) state->repaired++;
    if (instead)
      buf_text_add(&state->out, instead);
    else
      buf_add(&state->out, at, step);
    at += step;
  }
}

static bool is_plain_markup(unsigned char c) {
  return c >= 0x20 && c < 0x80 && !strchr("&<>\"'", c);
}

static void add_form(text_state *state, const char *bytes, size_t length) {
  url_encode_form(&state->out, bytes, length);
}

static void add_url(text_state *state, const char *bytes, size_t length) {
  url_encode(&state->out, bytes, length);
}

/* RFC 3986, 2.3: unreserved; the form's own "*" and "~" differ from it, and go the long way. */
static bool is_plain_url(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

/* RFC 9110, 5.5: what a field's value cannot hold becomes a blank, as a recipient would do it. */
static void add_header(text_state *state, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    bool bad = (c < 0x20 && c != '\t') || c == 0x7F;
    if (bad) state->repaired++;
    buf_char(&state->out, bad ? ' ' : bytes[i]);
  }
}

static bool is_plain_header(unsigned char c) {
  return (c >= 0x20 && c != 0x7F) || c == '\t';
}

static void add_text(text_state *state, const char *bytes, size_t length) {
  buf_add(&state->out, bytes, length);
}

static const escape escapes[] = {
    {.name = "text", .add = add_text},
    {.name = "json_string", .add = add_json},
    {.name = "json_value", .add = add_json, .quoted = true, .json = true},
    {.name = "json_key", .add = add_json, .quoted = true, .needed = true},
    {.name = "json_key_part", .add = add_json, .needed = true},
    {.name = "markup", .add = add_markup, .plain = is_plain_markup},
    {.name = "form", .add = add_form, .plain = is_plain_url},
    {.name = "url_path", .add = add_url, .plain = is_plain_url, .needed = true, .no_dots = true},
    {.name = "url_query", .add = add_url, .plain = is_plain_url},
    {.name = "header", .add = add_header, .plain = is_plain_header, .bytes = true},
};

/* ---- values ---- */

/* Pushes state->out, and gives back what an unusually long text made grow. */
static int push_out(lua_State *L, text_state *state) {
  lua_pushlstring(L, state->out.data ? state->out.data : "", state->out.len);
  if (state->out.cap > ROOM_KEPT) buf_free(&state->out);
  if (state->mended.cap > ROOM_KEPT) buf_free(&state->mended);
  return 1;
}

static bool all_plain(const escape *e, const char *bytes, size_t length) {
  if (e->add == add_json) return json_plain_end(bytes, bytes + length) == bytes + length;
  if (!e->plain) return utf8_valid(bytes, length);
  for (size_t i = 0; i < length; i++) {
    if (!e->plain((unsigned char)bytes[i])) return false;
  }
  return true;
}

/* Pushes the text at `index` escaped; the text itself where it stays what it is. */
static int push_escaped(lua_State *L, const escape *e, text_state *state, int index) {
  size_t length;
  const char *bytes = lua_tolstring(L, index, &length);
  if (!e->quoted && all_plain(e, bytes, length)) {
    lua_pushvalue(L, index);
    return 1;
  }
  buf_clear(&state->out);
  if (!e->bytes && !utf8_valid(bytes, length)) {
    buf_clear(&state->mended);
    state->repaired += add_mended(&state->mended, bytes, length);
    bytes = state->mended.data;
    length = state->mended.len;
  }
  if (e->quoted) buf_char(&state->out, '"');
  e->add(state, bytes, length);
  if (e->quoted) buf_char(&state->out, '"');
  return push_out(L, state);
}

static bool is_dots(const char *bytes, size_t length) {
  return (length == 1 && bytes[0] == '.') || (length == 2 && memcmp(bytes, "..", 2) == 0);
}

/* Whether slow has to look at the string at `index`. */
static bool refuses(lua_State *L, const escape *e, int index) {
  size_t length;
  const char *bytes = lua_tolstring(L, index, &length);
  return (e->needed && length == 0) || (e->no_dots && is_dots(bytes, length));
}

/* stack: the value. What slow makes of it, escaped. */
static int push_slow(lua_State *L, const escape *e, text_state *state) {
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  luaL_checktype(L, -1, LUA_TSTRING);
  return e->json ? 1 : push_escaped(L, e, state, lua_gettop(L));
}

static int push_integer(lua_State *L, const escape *e, text_state *state) {
  buf_clear(&state->out);
  if (e->quoted && !e->json) buf_char(&state->out, '"');
  json_write_integer(&state->out, lua_tointeger(L, 1));
  if (e->quoted && !e->json) buf_char(&state->out, '"');
  return push_out(L, state);
}

static int push_float(lua_State *L, const escape *e, text_state *state) {
  buf_clear(&state->out);
  if (!e->json || json_write_double(&state->out, lua_tonumber(L, 1)) != 0) return push_slow(L, e, state);
  return push_out(L, state);
}

static int push_nil(lua_State *L, const escape *e, text_state *state) {
  if (e->needed) return push_slow(L, e, state);
  lua_pushstring(L, e->json ? "null" : "");
  return 1;
}

/* The emitter: (value) -> text. Upvalues: the state, the escape, slow. */
static int emit(lua_State *L) {
  text_state *state = lua_touserdata(L, lua_upvalueindex(1));
  const escape *e = lua_touserdata(L, lua_upvalueindex(2));
  lua_settop(L, 1);
  switch (lua_type(L, 1)) {
  case LUA_TSTRING: return refuses(L, e, 1) ? push_slow(L, e, state) : push_escaped(L, e, state, 1);
  case LUA_TNUMBER: return lua_isinteger(L, 1) ? push_integer(L, e, state) : push_float(L, e, state);
  case LUA_TNIL: return push_nil(L, e, state);
  case LUA_TLIGHTUSERDATA: /* NULL is json.null */
    return lua_touserdata(L, 1) ? push_slow(L, e, state) : push_nil(L, e, state);
  case LUA_TBOOLEAN:
    if (e->quoted && !e->json) return push_slow(L, e, state);
    lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false");
    return 1;
  default: return push_slow(L, e, state);
  }
}

/* ---- the module ---- */

/* Upvalue of the module's functions: the state. */
static text_state *state_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static int text_emitter(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
    if (strcmp(escapes[i].name, name) != 0) continue;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushlightuserdata(L, (void *)&escapes[i]);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, emit, 3);
    return 1;
  }
  return luaL_error(L, "there is no escape %s", name);
}

static int text_mend(lua_State *L) {
  text_state *state = state_of(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  lua_Integer parts = 0;
  if (utf8_valid(bytes, length)) {
    lua_pushvalue(L, 1);
  } else {
    buf_clear(&state->out);
    parts = add_mended(&state->out, bytes, length);
    state->repaired += parts;
    push_out(L, state);
  }
  lua_pushinteger(L, parts);
  return 2;
}

static int text_repaired(lua_State *L) {
  text_state *state = state_of(L);
  lua_pushinteger(L, state->repaired);
  state->repaired = 0;
  return 1;
}

static int text_made_safe(lua_State *L) {
  state_of(L)->repaired++;
  return 0;
}

/* The columns of valid UTF-8, as the C library knows its characters (wcwidth); a control takes one. */
static lua_Integer columns_of(const char *at, size_t left) {
  lua_Integer columns = 0;
  mbstate_t shift = {0};
  while (left > 0) {
    wchar_t c;
    size_t step = mbrtowc(&c, at, left, &shift);
    int width = step > 0 && step <= left ? wcwidth(c) : -1;
    if (width < 0) { /* mbrtowc has no length for NUL */
      step = utf8_sequence(at, left);
      memset(&shift, 0, sizeof shift);
    }
    columns += width < 0 ? 1 : width;
    at += step;
    left -= step;
  }
  return columns;
}

static int text_columns(lua_State *L) {
  text_state *state = state_of(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  if (!state->utf8) state->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  if (!state->utf8 || !utf8_valid(bytes, length)) {
    lua_pushinteger(L, (lua_Integer)length); /* each byte as a character of its own */
    return 1;
  }
  locale_t before = uselocale(state->utf8); /* of this thread alone */
  lua_pushinteger(L, columns_of(bytes, length));
  uselocale(before);
  return 1;
}

/* stack: …, an object's keys so far. Notes the key of these bytes; true where it was there, and is on the stack then. */
static bool note_key(lua_State *L, const char *bytes, size_t length) {
  lua_pushlstring(L, bytes, length);
  lua_pushvalue(L, -1);
  bool known = lua_rawget(L, -3) != LUA_TNIL;
  lua_pop(L, 1);
  if (known) return true;
  lua_pushboolean(L, true);
  lua_rawset(L, -3);
  return false;
}

static int text_key_twice(lua_State *L) {
  text_state *state = state_of(L);
  size_t length;
  const char *at = luaL_checklstring(L, 1, &length), *end = at + length;
  json_marks marks;
  if (json_scan(at, length, JSON_DEPTH, &marks, NULL) != 0) return 0;
  luaL_checkstack(L, (int)marks.depth + 4, NULL);
  lua_settop(L, 1); /* upon it, for each container that is open: an object's keys; false for an array */
  for (bool is_key = false; at < end;) {
    const char *bytes;
    switch (*at) {
    case '{':
      lua_newtable(L);
      is_key = true;
      break;
    case '[': lua_pushboolean(L, false); break;
    case '}':
    case ']': lua_pop(L, 1); break;
    case ',': is_key = lua_istable(L, -1); break;
    case ':': is_key = false; break;
    case '"':
      at = json_read_string(at, end, &state->out, &bytes, &length);
      if (is_key && note_key(L, bytes, length)) return 1;
      continue;
    default: break;
    }
    at++;
  }
  return 0;
}

static lua_Unsigned length_of_texts(lua_State *L, lua_Integer count) {
  lua_Unsigned length = 0;
  for (lua_Integer i = 1; i <= count; i++) {
    luaL_argcheck(L, lua_rawgeti(L, 1, i) == LUA_TSTRING, 1, "texts");
    length += lua_rawlen(L, -1);
    lua_pop(L, 1);
  }
  return length;
}

static int text_join(lua_State *L) {
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Unsigned whole = length_of_texts(L, count);
  if (whole > (lua_Unsigned)luaL_checkinteger(L, 3)) return 0;
  luaL_Buffer made;
  char *to = luaL_buffinitsize(L, &made, whole);
  for (lua_Integer i = 1; i <= count; i++) {
    size_t length;
    lua_rawgeti(L, 1, i);
    const char *bytes = lua_tolstring(L, -1, &length);
    memcpy(to, bytes, length);
    to += length;
    lua_pop(L, 1);
  }
  luaL_pushresultsize(&made, whole);
  return 1;
}

static int text_replace(lua_State *L) {
  size_t left, part_length, new_length;
  const char *at = luaL_checklstring(L, 1, &left), *part = luaL_checklstring(L, 2, &part_length);
  const char *new = luaL_checklstring(L, 3, &new_length);
  lua_Integer most = luaL_checkinteger(L, 4);
  luaL_argcheck(L, part_length > 0, 2, "not empty");
  const char *found = memmem(at, left, part, part_length);
  if (!found) {
    lua_pushvalue(L, 1);
    return 1;
  }
  luaL_Buffer made;
  luaL_buffinit(L, &made);
  for (; found; found = memmem(at, left, part, part_length)) {
    size_t before = (size_t)(found - at);
    luaL_addlstring(&made, at, before);
    luaL_addlstring(&made, new, new_length);
    at = found + part_length;
    left -= before + part_length;
    if (luaL_bufflen(&made) + left > (lua_Unsigned)most) return 0;
  }
  luaL_addlstring(&made, at, left);
  luaL_pushresult(&made);
  return 1;
}

static int state_gc(lua_State *L) {
  text_state *state = lua_touserdata(L, 1);
  buf_free(&state->out);
  buf_free(&state->mended);
  if (state->utf8) freelocale(state->utf8);
  return 0;
}

int native_text_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"emitter", text_emitter},     {"mend", text_mend},       {"repaired", text_repaired},
      {"join", text_join},           {"columns", text_columns}, {"made_safe", text_made_safe},
      {"key_twice", text_key_twice}, {"replace", text_replace}, {NULL, NULL}};
  luaL_newlibtable(L, functions);
  text_state *state = lua_newuserdatauv(L, sizeof *state, 0);
  *state = (text_state){.out = BUF_EMPTY, .mended = BUF_EMPTY, .utf8 = (locale_t)0};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
