/* Fields of tables, as native modules set and read them. */
#ifndef JAUNT_NATIVE_FIELDS_H
#define JAUNT_NATIVE_FIELDS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each sets a field of the table on top of the stack; of texts and bytes, NULL sets nothing. */
void field_set_integer(lua_State *L, const char *name, int64_t number);
void field_set_number(lua_State *L, const char *name, double number);
void field_set_flag(lua_State *L, const char *name, bool flag);
void field_set_text(lua_State *L, const char *name, const char *text);
void field_set_bytes(lua_State *L, const char *name, const char *bytes, size_t length);

/* Each gives a field of the table at `table`, an argument of the function, and raises where it is something else. */
lua_Integer field_integer(lua_State *L, int table, const char *name, lua_Integer otherwise);
lua_Number field_number(lua_State *L, int table, const char *name, lua_Number otherwise);
bool field_flag(lua_State *L, int table, const char *name);
/* NULL where there is none. The table keeps it; `length` may be NULL. */
const char *field_text(lua_State *L, int table, const char *name, size_t *length);

#endif
