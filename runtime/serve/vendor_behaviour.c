/* Reads the behaviour file, in a state of its own: see vendor_behaviour.h. */
#include <ctype.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/duration.h"
#include "bind/json_module.h"
#include "serve/vendor_behaviour_parts.h"

enum { MEMORY_MOST = 256 << 20, STEPS_BETWEEN_LOOKS = 1000000, ROUTES_MOST = 1000, LOOKALIKES_MOST = 1000 };
static const int64_t CALL_MOST_NS = 5000000000;

/* ---- the state and its bounds ---- */

static void *allocate(void *data, void *old, size_t old_size, size_t size) {
  vendor_behaviour *b = data;
  size_t held = b->memory - (old != NULL ? old_size : 0);
  if (size == 0) {
    free(old);
    b->memory = held;
    return NULL;
  }
  if (held + size > MEMORY_MOST && size > (old != NULL ? old_size : 0)) return NULL;
  void *grown = realloc(old, size);
  if (grown != NULL) b->memory = held + size;
  return grown;
}

static vendor_behaviour *behaviour_of(lua_State *L) {
  return *(vendor_behaviour **)lua_getextraspace(L);
}

/* Once the time is over it raises at every step, in this coroutine and in the one that the call began in,
 * until no pcall of the file's is left to catch it. */
static void look_at_the_time(lua_State *L, lua_Debug *ar) {
  (void)ar;
  vendor_behaviour *b = behaviour_of(L);
  if (clock_mono_ns() <= b->deadline_ns) return;
  lua_sethook(L, look_at_the_time, LUA_MASKCOUNT, 1);
  lua_sethook(b->L, look_at_the_time, LUA_MASKCOUNT, 1);
  luaL_error(L, "it took longer than 5 seconds");
}

int behaviour_call(vendor_behaviour *b, int nargs, int nresults) {
  b->deadline_ns = clock_mono_ns() + b->call_most_ns;
  lua_sethook(b->L, look_at_the_time, LUA_MASKCOUNT, STEPS_BETWEEN_LOOKS);
  int status = lua_pcall(b->L, nargs, nresults, 0);
  lua_sethook(b->L, NULL, 0, 0);
  return status;
}

/* `require` finds what lies beside the file. */
static void set_path(lua_State *L, const char *file) {
  const char *slash = strrchr(file, '/');
  lua_getglobal(L, "package");
  if (slash != NULL)
    lua_pushlstring(L, file, (size_t)(slash - file));
  else
    lua_pushliteral(L, ".");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", lua_tostring(L, -1), lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -3, "cpath");
  lua_pop(L, 2);
}

/* (file) -> the table that the file returns. */
static int open_file(lua_State *L) {
  const char *file = lua_touserdata(L, 1);
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, bind_json_open);
  lua_setfield(L, -2, "cjson");
  lua_pop(L, 1);
  luaL_requiref(L, "json", bind_json_open, 1);
  lua_pop(L, 1);
  set_path(L, file);
  if (luaL_loadfilex(L, file, "t") != LUA_OK) return lua_error(L);
  lua_call(L, 0, 1);
  if (!lua_istable(L, -1))
    return luaL_error(L,
                      "%s returns no table; it should return one of connections: "
                      "{ crm = { [\"POST /leads\"] = function(request) ... end } }",
                      file);
  return 1;
}

/* ---- fields of a connection ---- */

/* What the readers below get: where the value stands, and what it is called in messages. */
typedef struct field {
  lua_State *L;
  const char *whose; /* "crm.fail" */
} field;

static int read_share(const field *f, double *share, error *err) {
  char *end = NULL;
  const char *text = lua_type(f->L, -1) == LUA_TSTRING ? lua_tostring(f->L, -1) : NULL;
  if (text == NULL && lua_isnumber(f->L, -1)) {
    *share = lua_tonumber(f->L, -1);
    return 0;
  }
  if (text != NULL) *share = strtod(text, &end) / 100;
  if (text == NULL || end == text || strcmp(end, "%") != 0)
    return error_set(err, "%s is a share: 0.02 or \"2%%\"", f->whose);
  return 0;
}

static int read_fail(const field *f, lookalike *look, error *err) {
  look->own_fail = true;
  return read_share(f, &look->told.faults.fail, err);
}

static int read_reset(const field *f, lookalike *look, error *err) {
  look->own_reset = true;
  return read_share(f, &look->told.faults.reset, err);
}

static int read_latency(const field *f, lookalike *look, error *err) {
  if (lua_type(f->L, -1) != LUA_TSTRING)
    return error_set(err, "%s is a duration, such as \"50ms\"", f->whose);
  if (duration_parse(lua_tostring(f->L, -1), &look->told.faults.latency_ms, err) != 0)
    return error_before(err, "%s: ", f->whose);
  return 0;
}

static int read_idempotent(const field *f, lookalike *look, error *err) {
  bool none = lua_isboolean(f->L, -1) && !lua_toboolean(f->L, -1);
  if (!none && lua_type(f->L, -1) != LUA_TSTRING)
    return error_set(err, "%s is the name of the header that carries the key, or false", f->whose);
  free(look->told.key_header);
  look->told.key_header = mem_text(none ? "" : lua_tostring(f->L, -1));
  for (char *c = look->told.key_header; *c != '\0'; c++) *c = (char)tolower((unsigned char)*c);
  return 0;
}

static int read_prefix(const field *f, lookalike *look, error *err) {
  const char *text = lua_type(f->L, -1) == LUA_TSTRING ? lua_tostring(f->L, -1) : "";
  if (*text != '/') return error_set(err, "%s is a path, such as \"/v2\"", f->whose);
  while (*text == '/') {
    size_t length = strcspn(++text, "/");
    if (length > 0) {
      look->prefix = mem_grow(look->prefix, (look->prefix_count + 1) * sizeof *look->prefix);
      look->prefix[look->prefix_count++] = vendor_text_of(text, length);
    }
    text += length;
  }
  return 0;
}

static const struct {
  const char *name;
  int (*read)(const field *f, lookalike *look, error *err);
} fields[] = {
    {"prefix", read_prefix}, {"latency", read_latency},       {"fail", read_fail},
    {"reset", read_reset},   {"idempotent", read_idempotent},
};

static int read_route(lua_State *L, lookalike *look, const char *pattern, error *err) {
  if (!lua_isfunction(L, -1))
    return error_set(err,
                     "%s[\"%s\"] is no function: it takes the request and returns status, body and headers",
                     look->name, pattern);
  if (look->route_count == ROUTES_MOST)
    return error_set(err, "%s has more than %d routes", look->name, ROUTES_MOST);
  look->routes = mem_grow(look->routes, (look->route_count + 1) * sizeof *look->routes);
  vendor_route *route = &look->routes[look->route_count];
  if (vendor_route_read(route, pattern, err) != 0) return error_before(err, "%s: ", look->name);
  lua_pushvalue(L, -1);
  route->function = luaL_ref(L, LUA_REGISTRYINDEX);
  look->route_count++;
  return 0;
}

/* Stack: key, value. */
static int read_field(lua_State *L, lookalike *look, error *err) {
  char whose[128];
  if (lua_type(L, -2) != LUA_TSTRING)
    return error_set(err,
                     "%s has a field that is not named: routes are written [\"POST /leads\"] = function …",
                     look->name);
  const char *name = lua_tostring(L, -2);
  if (strchr(name, ' ') != NULL) return read_route(L, look, name, err);
  snprintf(whose, sizeof whose, "%s.%s", look->name, name);
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    if (strcmp(fields[i].name, name) == 0) return fields[i].read(&(field){L, whose}, look, err);
  return error_set(
      err,
      "%s is not known: it is neither a route such as \"POST /leads\" nor one of prefix, latency, "
      "fail, reset, idempotent",
      whose);
}

/* ---- the file's table ---- */

static void lookalike_free(lookalike *look) {
  for (size_t i = 0; i < look->route_count; i++) vendor_route_free(&look->routes[i]);
  for (size_t i = 0; i < look->prefix_count; i++) free(look->prefix[i].bytes);
  free(look->routes);
  free(look->prefix);
  free(look->told.key_header);
  free(look->name);
}

/* What it has of its own stands; what is the vendor's gives way. */
static void settle_shares(lookalike *look) {
  vendor_faults *faults = &look->told.faults;
  if (faults->fail + faults->reset <= 1) return;
  if (look->own_fail && !look->own_reset) faults->reset = 1 - faults->fail;
  if (look->own_reset && !look->own_fail) faults->fail = 1 - faults->reset;
}

static int read_lookalike(vendor_behaviour *b, lookalike *look, error *err) {
  lua_State *L = b->L;
  look->told.faults = b->faults;
  look->name = mem_text(lua_tostring(L, -2));
  if (!lua_istable(L, -1)) return error_set(err, "%s is no table of routes", look->name);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (read_field(L, look, err) != 0) return -1;
    lua_pop(L, 1);
  }
  if (look->route_count > 0)
    qsort(look->routes, look->route_count, sizeof *look->routes, vendor_route_compare);
  settle_shares(look);
  return vendor_faults_check(&look->told.faults, look->name, err);
}

typedef struct loading {
  vendor_behaviour *b;
  error *err;
  int status;
} loading;

/* (loading, table): reads all its connections; in a protected call, for memory may run out. */
static int read_table(lua_State *L) {
  loading *l = lua_touserdata(L, 1);
  vendor_behaviour *b = l->b;
  luaL_checkstack(L, 10, NULL);
  lua_pushnil(L);
  while (l->status == 0 && lua_next(L, 2) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      l->status = error_set(l->err, "it has a field that is not named: connections' names are expected");
    } else if (b->count == LOOKALIKES_MOST) {
      l->status = error_set(l->err, "it has more than %d connections", LOOKALIKES_MOST);
    } else {
      b->list = mem_grow(b->list, (b->count + 1) * sizeof *b->list);
      b->list[b->count] = (lookalike){0};
      l->status = read_lookalike(b, &b->list[b->count++], l->err);
    }
    lua_settop(L, 3);
  }
  return 0;
}

static int load_file(vendor_behaviour *b, const char *path, error *err) {
  loading l = {b, err, 0};
  lua_State *L = b->L;
  lua_pushcfunction(L, read_table);
  lua_pushlightuserdata(L, &l);
  lua_pushcfunction(L, open_file);
  lua_pushlightuserdata(L, (void *)(uintptr_t)path);
  if (behaviour_call(b, 1, 1) != LUA_OK || behaviour_call(b, 2, 0) != LUA_OK) {
    const char *why = lua_tostring(L, -1);
    return error_set(err, "the behaviour file does not load: %s",
                     why != NULL ? why : "an error that is no text");
  }
  return l.status == 0 ? 0 : error_before(err, "the behaviour file %s: ", path);
}

vendor_behaviour *vendor_behaviour_load(const char *path, uint64_t seed, const vendor_faults *faults,
                                        error *err) {
  vendor_behaviour *b = mem_zero(sizeof *b);
  b->seed = seed;
  b->faults = *faults;
  b->call_most_ns = CALL_MOST_NS;
  b->L = lua_newstate(allocate, b);
  if (b->L == NULL) {
    error_set(err, "no memory for the behaviour file %s", path);
  } else {
    *(vendor_behaviour **)lua_getextraspace(b->L) = b;
    if (load_file(b, path, err) == 0) {
      lua_settop(b->L, 0);
      return b;
    }
  }
  vendor_behaviour_free(b);
  return NULL;
}

void vendor_behaviour_free(vendor_behaviour *b) {
  if (b == NULL) return;
  for (size_t i = 0; i < b->count; i++) lookalike_free(&b->list[i]);
  free(b->list);
  if (b->L != NULL) lua_close(b->L);
  free(b);
}

lookalike *behaviour_lookalike(const vendor_behaviour *b, const char *connection) {
  for (size_t i = 0; i < b->count; i++)
    if (strcmp(b->list[i].name, connection) == 0) return &b->list[i];
  return NULL;
}

const vendor_lookalike *vendor_behaviour_find(const vendor_behaviour *b, const char *connection) {
  const lookalike *found = behaviour_lookalike(b, connection);
  return found != NULL ? &found->told : NULL;
}
