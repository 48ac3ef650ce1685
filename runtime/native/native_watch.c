/* jaunt.native.watch: tells when files in some folders change.
 *
 *   local watch <close> = open { "payloads", "journeys" }    or nil and why not
 *   watch:wait()      suspends the command until something has changed since the last wait, or wake() was called
 *   watch:wake()      ends a wait, now or to come
 *   watch:forget()    what has changed so far: a wait to come is for what changes then
 *
 * It watches folders rather than files, as many editors save by putting another file into the place of the old one. Names that
 * begin with a dot are editors' own, and tell nothing. */
#include <stdlib.h>

#include "base/alloc.h"
#include "native/control.h"
#include "native/native.h"

static const char WATCH[] = "jaunt.watch";

enum { FOLDERS_MOST = 64 };

/* Outlives its userdata: the close callback of its last folder frees it. */
typedef struct watch {
  control *owner;
  int open;          /* folders that are watched, or being closed */
  bool due, waiting; /* something changed; the command waits for that */
  uv_fs_event_t folders[];
} watch;

static int failed(lua_State *L, const char *path, int status) {
  lua_pushnil(L);
  lua_pushfstring(L, "can't watch %s: %s", path, uv_strerror(status));
  return 2;
}

static watch *watch_at(lua_State *L) {
  watch **held = luaL_checkudata(L, 1, WATCH);
  if (!*held) luaL_error(L, "this watch is closed");
  return *held;
}

static void tell(watch *w) {
  w->due = true;
  if (!w->waiting) return;
  w->waiting = w->due = false;
  control_resume(w->owner, w->owner->co, 0);
}

/* A status below 0 means that the folder can't be read right now: whoever looks will say so. */
static void changed(uv_fs_event_t *folder, const char *name, int events, int status) {
  (void)events;
  if (status == 0 && name && name[0] == '.') return;
  tell(folder->data);
}

static void folder_closed(uv_handle_t *handle) {
  watch *w = handle->data;
  if (--w->open > 0) return;
  w->owner->endings--;
  free(w);
}

static int watch_close(lua_State *L) {
  watch **held = luaL_checkudata(L, 1, WATCH);
  watch *w = *held;
  *held = NULL;
  if (!w) return 0;
  int count = w->open;
  if (count == 0) free(w);
  for (int i = 0; i < count; i++) uv_close((uv_handle_t *)&w->folders[i], folder_closed);
  return 0;
}

static int watch_folder(watch *w, const char *path) {
  uv_fs_event_t *folder = &w->folders[w->open];
  int status = uv_fs_event_init(&w->owner->loop, folder);
  if (status != 0) return status;
  folder->data = w;
  if (w->open++ == 0) w->owner->endings++;
  return uv_fs_event_start(folder, changed, path, 0);
}

static int watch_open(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = luaL_len(L, 1);
  luaL_argcheck(L, count > 0 && count <= FOLDERS_MOST, 1, "one folder to watch, or up to 64");
  watch **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  luaL_setmetatable(L, WATCH);
  watch *w = *held = mem_zero(sizeof *w + (size_t)count * sizeof w->folders[0]);
  w->owner = control_of(L);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 1, i);
    const char *path = luaL_checkstring(L, -1);
    int status = watch_folder(w, path);
    if (status != 0) return failed(L, path, status);
    lua_pop(L, 1);
  }
  return 1;
}

static int watch_wait(lua_State *L) {
  watch *w = watch_at(L);
  control_can_yield(L);
  if (w->due) {
    w->due = false;
    return 0;
  }
  w->waiting = true;
  return control_yield(L);
}

static int watch_wake(lua_State *L) {
  tell(watch_at(L));
  return 0;
}

static int watch_forget(lua_State *L) {
  watch_at(L)->due = false;
  return 0;
}

static const luaL_Reg methods[] = {
    {"wait", watch_wait}, {"wake", watch_wake}, {"forget", watch_forget}, {NULL, NULL}};
static const luaL_Reg module[] = {{"open", watch_open}, {NULL, NULL}};

int native_watch_open(lua_State *L) {
  native_type(L, WATCH, methods, watch_close, watch_close);
  luaL_newlib(L, module);
  return 1;
}
