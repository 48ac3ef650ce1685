/* jaunt.native.process: another program that runs while the loop goes on, such as an editor.
 *
 *   local child <close> = start(command, over)    runs a shell's command with this process's input and outputs; over(code) is called
 *                                                 from the loop when it has ended: its exit code, or 128 and the number of the
 *                                                 signal that ended it, as shells count. nil and why, where it can't be started
 *
 * It gets the signals of the terminal itself, and is not ended from here: one that is closed goes on alone. Of what is
 * open here it gets the three streams alone. */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "native/control.h"
#include "native/native.h"
#include "repl/native.h"

static const char PROCESS[] = "jaunt.process";

enum { BY_SIGNAL = 128 };

/* Outlives its userdata: the close callback frees it. */
typedef struct process {
  uv_process_t handle;
  control *owner;
  int over; /* a registry reference; LUA_NOREF once it was called */
} process;

static void handle_closed(uv_handle_t *handle) {
  process *p = handle->data;
  p->owner->endings--;
  free(p);
}

static int process_close(lua_State *L) {
  process **held = luaL_checkudata(L, 1, PROCESS);
  process *p = *held;
  *held = NULL;
  if (!p) return 0;
  luaL_unref(L, LUA_REGISTRYINDEX, p->over);
  uv_close((uv_handle_t *)&p->handle, handle_closed);
  return 0;
}

static void ended(uv_process_t *handle, int64_t status, int signal) {
  process *p = handle->data;
  lua_State *L = p->owner->L;
  lua_rawgeti(L, LUA_REGISTRYINDEX, p->over);
  luaL_unref(L, LUA_REGISTRYINDEX, p->over);
  p->over = LUA_NOREF;
  lua_pushinteger(L, signal ? BY_SIGNAL + signal : (lua_Integer)status);
  control_call(p->owner, 1);
}

/* Libraries open sockets that programs started here would inherit: curl's pairs for waking up. A kernel before 5.11 says
 * no; they then get them, and leave them alone. */
static void keep_files_here(void) {
  close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

static int spawn(process *p, const char *command) {
  char *arguments[] = {mem_text("sh"), mem_text("-c"), mem_text(command), NULL};
  uv_stdio_container_t streams[3];
  for (int fd = 0; fd < 3; fd++) {
    streams[fd].flags = UV_INHERIT_FD;
    streams[fd].data.fd = fd;
  }
  uv_process_options_t options = {
      .exit_cb = ended, .file = "/bin/sh", .args = arguments, .stdio = streams, .stdio_count = 3};
  keep_files_here();
  int status = uv_spawn(&p->owner->loop, &p->handle, &options);
  for (int i = 0; arguments[i]; i++) free(arguments[i]);
  return status;
}

static int process_start(lua_State *L) {
  const char *command = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  process **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  luaL_setmetatable(L, PROCESS);
  process *p = *held = mem_zero(sizeof *p);
  p->owner = control_of(L);
  p->owner->endings++;
  p->handle.data = p;
  lua_pushvalue(L, 2);
  p->over = luaL_ref(L, LUA_REGISTRYINDEX);
  int status = spawn(p, command);
  if (status == 0) return 1;
  lua_pushnil(L);
  lua_pushfstring(L, "can't start a shell: %s", uv_strerror(status));
  return 2;
}

static const luaL_Reg functions[] = {{"start", process_start}, {NULL, NULL}};

int native_process_open(lua_State *L) {
  native_type(L, PROCESS, NULL, process_close, process_close);
  luaL_newlib(L, functions);
  return 1;
}
