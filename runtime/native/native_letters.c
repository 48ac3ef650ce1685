/* jaunt.native.letters: capital and small letters, for payload templates; in workers' states, too.
 *
 *   upper(text), lower(text), capitalize(text)    as base/letters.h */
#include "base/letters.h"

#include "native/native.h"

typedef size_t change_letters(const char *text, size_t length, char *out);

static int changed(lua_State *L, change_letters *change) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_Buffer out;
  char *room = luaL_buffinitsize(L, &out, LETTERS_GROWTH * length);
  luaL_pushresultsize(&out, change(text, length, room));
  return 1;
}

static int letters_upper_lua(lua_State *L) {
  return changed(L, letters_upper);
}

static int letters_lower_lua(lua_State *L) {
  return changed(L, letters_lower);
}

static int letters_capitalize_lua(lua_State *L) {
  return changed(L, letters_capitalize);
}

int native_letters_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"upper", letters_upper_lua},
                                       {"lower", letters_lower_lua},
                                       {"capitalize", letters_capitalize_lua},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
