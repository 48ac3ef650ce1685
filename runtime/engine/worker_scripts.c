/* A worker's scripts: its lua_State is opened with those of the journey, other versions are loaded when a run needs one, payloads
 * are replaced. What runs do with them is in run.c. */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/worker.h"

/* ---- elements ---- */

static char elements_key; /* its address names the worker's table of elements: name -> number */

static uint32_t script_line(lua_State *L) {
  lua_Debug at;
  for (int level = 1; lua_getstack(L, level, &at); level++) {
    lua_getinfo(L, "Sl", &at);
    if (at.currentline > 0) return (uint32_t)at.currentline;
  }
  return 0;
}

static const char others[] = "(others)";

static void say_too_many(worker *w, const char *name) {
  if (atomic_exchange(&w->shared->told_elements, true)) return;
  shared_warn(w->shared,
              "the journey has more than %zu elements: \"%s\", and those that follow, are counted as one, "
              "\"%s\" (limit elements)",
              w->shared->options->limits.elements, name, others);
}

/* Its number is kept, but for those that are too many: names that differ from person to person would fill the memory. */
uint32_t worker_element(worker *w, lua_State *L, const char *name, const char *kind) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &elements_key);
  uint32_t element;
  if (lua_getfield(L, -1, name) == LUA_TNUMBER) {
    element = (uint32_t)lua_tointeger(L, -1);
  } else {
    uint32_t line = strcmp(kind, "others") == 0 ? UINT32_MAX : script_line(L);
    element = store_element(w->shared->store, w->shared->journey, name, kind, line);
    lua_pushinteger(L, element);
    if (element != NO_ELEMENT)
      lua_setfield(L, -3, name);
    else
      lua_pop(L, 1);
  }
  lua_pop(L, 2);
  if (element != NO_ELEMENT) return element;
  say_too_many(w, name);
  return worker_element(w, L, others, "others");
}

/* ---- opening ---- */

/* jaunt.worker(bundle) gives the functions that the engine calls: body(profile, event, control), the beginning of every run,
 * render(vars, person, event, now), load(bundle), which gives the body of another version, payloads(json), and
 * text(kind, template, person, event, vars, now). */
int worker_open_scripts(lua_State *L) {
  worker *w = worker_of(L);
  const engine_options *options = w->shared->options;
  luaL_openlibs(L);
  options->lua->open(L);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &elements_key);
  w->scratch = lua_newthread(L);
  luaL_ref(L, LUA_REGISTRYINDEX);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "jaunt.worker");
  lua_call(L, 1, 1);
  lua_pushlstring(L, options->bundle, options->bundle_length);
  lua_call(L, 1, 5);
  w->text_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  w->payloads_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  w->load_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  w->render_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  w->body_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* ---- payloads ---- */

static int replace_payloads(lua_State *L) {
  const message *m = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, worker_of(L)->payloads_ref);
  lua_pushlstring(L, m->texts[0], m->lengths[0]);
  lua_call(L, 1, 0);
  return 0;
}

void worker_take_payloads(worker *w, const message *m) {
  int top = lua_gettop(w->L);
  lua_pushcfunction(w->L, replace_payloads);
  lua_pushlightuserdata(w->L, (void *)m);
  if (lua_pcall(w->L, 1, 0, 0) != LUA_OK)
    shared_warn(w->shared, "changed payloads can't be used: %s", lua_tostring(w->L, -1));
  lua_settop(w->L, top);
}

/* ---- other versions ---- */

static int load_body(lua_State *L) {
  const buf *bundle = lua_touserdata(L, 1);
  worker *w = worker_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, w->load_ref);
  lua_pushlstring(L, bundle->data, bundle->len);
  lua_call(L, 1, 1);
  lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
  return 1;
}

/* *unread: its scripts are there, but can't be read now; see worker_unread. */
static int load_version(worker *w, uint32_t version, bool *unread) {
  buf bundle = BUF_EMPTY, why = BUF_EMPTY;
  int ref = LUA_NOREF, top = lua_gettop(w->L);
  int status = store_journey_read(w->shared->store, version, NULL, NULL, &bundle);
  *unread = status == -2;
  if (*unread) {
    if (!w->unread_times) buf_format(&why, "an older version's scripts can't be read: it is tried again");
    worker_read_later(w);
  } else if (status != 0) {
    buf_format(&why, "the state has no scripts of version %u, which people are in", version);
  } else {
    lua_pushcfunction(w->L, load_body);
    lua_pushlightuserdata(w->L, &bundle);
    if (lua_pcall(w->L, 1, 1, 0) == LUA_OK)
      ref = (int)lua_tointeger(w->L, -1);
    else
      buf_format(&why, "an older version's scripts don't load: %s", lua_tostring(w->L, -1));
  }
  lua_settop(w->L, top);
  if (why.len) shared_say(w->shared, SAY_WARNING, why.data, why.len);
  buf_free(&bundle);
  buf_free(&why);
  return ref;
}

int worker_body(worker *w, uint32_t version) {
  if (version == w->shared->journey) return w->body_ref;
  for (size_t i = 0; i < w->other_count; i++) {
    if (w->others[i].version == version) return w->others[i].ref;
  }
  bool unread;
  int ref = load_version(w, version, &unread);
  if (unread) return LUA_NOREF;
  w->others = mem_grow(w->others, (w->other_count + 1) * sizeof *w->others);
  w->others[w->other_count++] = (other_body){version, ref};
  return ref;
}
