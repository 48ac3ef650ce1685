/* call_api "NAME" { … } and call_api { … }: sends a request, yields, and gives the response.
 *
 * The fields of the table are copied to the stack, each to the next slot; then the call is put together from
 * the slots (call_spec.h), and the run's next step taken. */
#include <string.h>

#include "base/alloc.h"
#include "bind/call_spec.h"
#include "bind/primitive.h"
#include "bind/value.h"

/* The run owns the call from the beginning, so that an error on the way leaks nothing. */
static void begin_call(call_spec *s, const connection *via, const char *element) {
  call_free(s->r->call);
  s->c = s->r->call = call_new(s->r->in->calls);
  s->c->via = via;
  s->c->method = s->method;
  s->c->label = mem_text(element);
}

/* ---- the primitive ---- */

static int answered(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  run *r = worker_of(L)->current;
  call *c = r->call;
  response_push(L, c);
  r->call = NULL;
  call_free(c);
  return 1;
}

static int held(const call_spec *s) {
  run_end(s->r, RUN_HELD, s->hold_reason, s->hold.text);
  return primitive_leave(s->L);
}

static void take_step(call_spec *s, const char *element) {
  buf *written = &s->r->in->text;
  buf_clear(written);
  buf_text_add(written, s->via);
  buf_char(written, ' ');
  buf_text_add(written, s->method);
  buf_char(written, ' ');
  buf_text_add(written, s->path);
  run_step_info info = {.kind = "call_api", .name = element, .written = buf_text(written)};
  run_step(s->r, s->L, &info, false);
}

static int no_connection(call_spec *s) {
  lua_State *L = s->L;
  const engine_options *options = s->r->in->shared->options;
  const char **names = lua_newuserdatauv(L, (options->connection_count + 1) * sizeof *names, 0);
  for (size_t i = 0; i < options->connection_count; i++) names[i] = options->connections[i]->name;
  names[options->connection_count] = NULL;
  error_set(&s->hold, "connections.lua has no connection \"%s\"%s", s->via, value_nearest(L, s->via, names));
  s->hold_reason = "config";
  return held(s);
}

/* The table is at 1; `name` is the element's, or NULL. Upvalue 1: field names to numbers. */
static int start(lua_State *L, const char *name) {
  call_spec s; /* but for `hold`, which is long and rarely needed */
  memset(&s, 0, offsetof(call_spec, hold));
  s.L = L;
  s.r = primitive_parking_run(L, "call_api");
  s.name = name;
  spec_spread(&s, lua_upvalueindex(1));
  spec_read_target(&s);
  spec_check(&s);
  const char *element = name ? name : spec_target_name(&s);
  primitive_check_name(L, "call_api", element);
  take_step(&s, element);
  run_call_fate fate = run_call_recorded(s.r, element, s.policy);
  if (fate == RUN_CALL_OVER) return answered(L, LUA_OK, 0);
  if (fate == RUN_CALL_ENDS) return primitive_leave(L);
  begin_call(&s, worker_connection(s.r->in, s.via), element);
  if (!s.c->via) return no_connection(&s);
  if (spec_put_request(&s)) return held(&s);
  run_call(s.r, L, s.policy);
  return primitive_yield(L, answered);
}

/* call_api "NAME" was called; its braces follow. Upvalue 2: the name. */
static int named(lua_State *L) {
  worker *w = worker_of(L);
  if (w->pending) w->pending = NULL;
  if (!lua_istable(L, 1))
    return luaL_error(L, "call_api \"%s\" takes a table: call_api \"NAME\" { via = …, POST = … }",
                      lua_tostring(L, lua_upvalueindex(2)));
  lua_settop(L, 1);
  return start(L, lua_tostring(L, lua_upvalueindex(2)));
}

int primitive_call_api(lua_State *L) {
  if (lua_istable(L, 1)) {
    lua_settop(L, 1);
    return start(L, NULL);
  }
  run *r = primitive_parking_run(L, "call_api");
  if (lua_type(L, 1) != LUA_TSTRING)
    return luaL_error(L, "call_api takes a name and a table, call_api \"NAME\" { … }, or a table, not a %s",
                      luaL_typename(L, 1));
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  run_anchor_set(r, L, ANCHOR_PENDING);
  r->in->pending = lua_tostring(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushcclosure(L, named, 2);
  return 1;
}

/* Pushes call_api itself, with what it knows of its fields. */
void call_api_open(lua_State *L) {
  lua_createtable(L, 0, FIELDS);
  for (int field = 1; field < FIELDS; field++) {
    lua_pushinteger(L, field);
    lua_setfield(L, -2, call_field_names[field]);
  }
  lua_pushcclosure(L, primitive_call_api, 1);
}
