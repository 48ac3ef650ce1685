/* jaunt.native.audience: people from a file, for commands.
 *
 *   local people <close> = open { path =, id =, rejects = }
 *   people:next()       id, profile (JSON text), event (JSON text), line; nil at the end; false when nothing has come yet
 *   people:skip()       reads on to the end (of a file); how many people there were in all
 *   people:complaint()  a rejected row that was not told yet: line, why; or nil
 *   people:counts()     { people =, rejected =, reasons = { NAME = n }, bytes_read =, bytes_total =, format = }
 *   people:close()      flushes the rejects file */
#include "native/native_audience.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/list.h"
#include "native/control.h"
#include "native/fields.h"
#include "native/native.h"

static const char AUDIENCE[] = "jaunt.audience";

enum { COMPLAINTS_KEPT = 1000 }; /* that nobody has fetched; the rejects file has all rows */

typedef struct complaint {
  list link;
  uint64_t line;
  char *why;
} complaint;

typedef struct people {
  audience *from;
  list complaints;
  size_t count;
} people;

static people *people_at(lua_State *L, int index) {
  people *p = luaL_checkudata(L, index, AUDIENCE);
  if (!p->from) luaL_error(L, "this audience was closed");
  return p;
}

audience *native_audience_at(lua_State *L, int index) {
  return people_at(L, index)->from;
}

static void rejected(void *data, uint64_t line, const char *why) {
  people *p = data;
  if (p->count == COMPLAINTS_KEPT) return;
  complaint *one = mem_zero(sizeof *one);
  one->line = line;
  one->why = mem_text(why);
  list_push(&p->complaints, &one->link);
  p->count++;
}

static complaint *take_complaint(people *p) {
  list *l = list_pop(&p->complaints);
  if (l) p->count--;
  return l ? LIST_OF(complaint, link, l) : NULL;
}

static void free_complaint(complaint *one) {
  free(one->why);
  free(one);
}

static int people_open(lua_State *L) {
  error err;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  const char *path = field_text(L, 1, "path", NULL);
  luaL_argcheck(L, path, 1, "path");
  people *p = lua_newuserdatauv(L, sizeof *p, 0);
  *p = (people){0};
  list_init(&p->complaints);
  luaL_setmetatable(L, AUDIENCE);
  p->from = audience_open(&(audience_options){.path = path,
                                              .id_column = field_text(L, 1, "id", NULL),
                                              .rejects_path = field_text(L, 1, "rejects", NULL),
                                              .rejected = rejected,
                                              .data = p},
                          &err);
  return p->from ? 1 : control_fail(L, &err);
}

static int people_next(lua_State *L) {
  error err;
  person_row row;
  int found = audience_next(people_at(L, 1)->from, &row, &err);
  if (found < 0) return control_fail(L, &err);
  if (found == 0) return 0;
  if (found == AUDIENCE_LATER) {
    lua_pushboolean(L, false);
    return 1;
  }
  lua_pushlstring(L, row.id, row.id_length);
  lua_pushlstring(L, row.profile, row.profile_length);
  lua_pushlstring(L, row.event, row.event_length);
  lua_pushinteger(L, (lua_Integer)row.line);
  return 4;
}

static int people_skip(lua_State *L) {
  audience *from = people_at(L, 1)->from;
  error err;
  int found;
  do found = audience_skip(from, &err);
  while (found > 0 && found != AUDIENCE_LATER);
  if (found < 0) return control_fail(L, &err);
  lua_pushinteger(L, (lua_Integer)audience_count(from).people);
  return 1;
}

static int people_complaint(lua_State *L) {
  complaint *one = take_complaint(people_at(L, 1));
  if (!one) return 0;
  lua_pushinteger(L, (lua_Integer)one->line);
  lua_pushstring(L, one->why);
  free_complaint(one);
  return 2;
}

static int people_counts(lua_State *L) {
  audience_counts counts = audience_count(people_at(L, 1)->from);
  lua_newtable(L);
  field_set_integer(L, "people", (int64_t)counts.people);
  field_set_integer(L, "rejected", (int64_t)counts.rejected);
  field_set_integer(L, "bytes_read", (int64_t)counts.bytes_read);
  field_set_integer(L, "bytes_total", (int64_t)counts.bytes_total);
  field_set_text(L, "format", counts.format);
  lua_newtable(L);
  for (int reason = 0; reason < REJECT_REASONS; reason++) {
    if (counts.by_reason[reason])
      field_set_integer(L, reject_reason_name((reject_reason)reason), (int64_t)counts.by_reason[reason]);
  }
  lua_setfield(L, -2, "reasons");
  return 1;
}

static int people_close(lua_State *L) {
  people *p = luaL_checkudata(L, 1, AUDIENCE);
  if (p->from) audience_close(p->from);
  p->from = NULL;
  for (complaint *one; (one = take_complaint(p));) free_complaint(one);
  return 0;
}

static const luaL_Reg functions[] = {{"open", people_open}, {NULL, NULL}};

int native_audience_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"next", people_next},           {"skip", people_skip},
                                     {"complaint", people_complaint}, {"counts", people_counts},
                                     {"close", people_close},         {NULL, NULL}};
  native_type(L, AUDIENCE, methods, people_close, people_close);
  luaL_newlib(L, functions);
  return 1;
}
