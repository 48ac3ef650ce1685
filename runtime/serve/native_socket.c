/* jaunt.native.socket: the control socket, for commands; both sides.
 *
 *   local server <close> = listen(path)     or nil and why not
 *   server:next()                 the next request: its client (a number), the line, the client's user id and process id; or nothing
 *   server:answer(client, line, last)       false where the client is gone; `last` ends the answer
 *   server:on_request(f)          f is called on the loop when there is a request: it can't wait
 *
 *   local link <close> = connect(path)      or nil, and why not unless nobody listens there
 *   link:send(line)
 *   link:receive()                suspends the command; the next line, or nil when the other side is gone
 *
 *   me()                          this process's user id and process id
 *   user(uid)                     its name, or nil
 *   append(path, text)            to the end of a file that its owner alone can read; durable when it returns true, else nil and why
 *                                 not */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "native/control.h"
#include "native/native.h"
#include "serve/control_socket.h"
#include "serve/native.h"

static const char SERVER[] = "jaunt.socket.server", LINK[] = "jaunt.socket.link";

enum {
  KEPT =
      4 << 20 /* bytes that the other side sent and nobody has asked for: more is the other side's mistake */
};

static int failed(lua_State *L, const char *why) {
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* ---- the runtime's side ---- */

typedef struct server {
  control_socket *socket; /* NULL when it is closed */
  control *owner;
  int fn; /* of on_request; LUA_NOREF */
} server;

static server *server_at(lua_State *L) {
  server **held = luaL_checkudata(L, 1, SERVER);
  if (!*held) luaL_error(L, "this socket is closed");
  return *held;
}

static void request_came(void *data) {
  server *s = data;
  if (s->fn == LUA_NOREF) return;
  lua_rawgeti(s->owner->L, LUA_REGISTRYINDEX, s->fn);
  control_call(s->owner, 0);
}

static int socket_listen(lua_State *L) {
  error err;
  const char *path = luaL_checkstring(L, 1);
  server **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  luaL_setmetatable(L, SERVER);
  server *s = mem_zero(sizeof *s);
  s->owner = control_of(L);
  s->fn = LUA_NOREF;
  control_socket_options options = {.path = path, .came = request_came, .data = s};
  s->socket = control_socket_listen(&s->owner->loop, &options, &err);
  if (!s->socket) {
    free(s);
    return failed(L, err.text);
  }
  s->owner->endings++;
  *held = s;
  return 1;
}

static int server_next(lua_State *L) {
  control_request request;
  if (!control_socket_next(server_at(L)->socket, &request)) return 0;
  lua_pushinteger(L, (lua_Integer)request.client);
  lua_pushlstring(L, request.line, request.length);
  lua_pushinteger(L, (lua_Integer)request.uid);
  lua_pushinteger(L, (lua_Integer)request.pid);
  return 4;
}

static int server_answer(lua_State *L) {
  size_t length;
  server *s = server_at(L);
  uint64_t client = (uint64_t)luaL_checkinteger(L, 2);
  const char *line = luaL_checklstring(L, 3, &length);
  lua_pushboolean(L, control_socket_answer(s->socket, client, line, length, lua_toboolean(L, 4)));
  return 1;
}

static int server_on_request(lua_State *L) {
  server *s = server_at(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_unref(L, LUA_REGISTRYINDEX, s->fn);
  s->fn = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

static void server_closed(void *data) {
  server *s = data;
  s->owner->endings--;
  free(s);
}

static int server_close(lua_State *L) {
  server **held = luaL_checkudata(L, 1, SERVER);
  server *s = *held;
  *held = NULL;
  if (!s) return 0;
  luaL_unref(L, LUA_REGISTRYINDEX, s->fn);
  s->fn = LUA_NOREF;
  control_socket_close(s->socket, server_closed, s);
  return 0;
}

/* ---- the other side ---- */

/* Outlives its userdata: the close callback of its pipe frees it. */
typedef struct talk {
  uv_pipe_t pipe;
  control *owner;
  buf got;
  bool waiting, over; /* receive() waits; the other side is gone */
} talk;

static talk *talk_at(lua_State *L) {
  talk **held = luaL_checkudata(L, 1, LINK);
  if (!*held) luaL_error(L, "this link is closed");
  return *held;
}

/* Pushes the next line; false where there is no whole one yet. */
static bool push_line(lua_State *L, talk *t) {
  char *end = t->got.len ? memchr(t->got.data, '\n', t->got.len) : NULL;
  if (!end) return false;
  size_t length = (size_t)(end - t->got.data);
  lua_pushlstring(L, t->got.data, length);
  memmove(t->got.data, end + 1, t->got.len - length - 1);
  t->got.len -= length + 1;
  return true;
}

static void go_on(talk *t) {
  lua_State *co = t->owner->co;
  if (!t->waiting) return;
  if (!push_line(co, t)) {
    if (!t->over) return;
    lua_pushnil(co);
  }
  t->waiting = false;
  control_resume(t->owner, co, 1);
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
  talk *t = handle->data;
  *out = uv_buf_init(buf_room(&t->got, suggested), (unsigned)suggested);
}

static void talk_came(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes) {
  talk *t = stream->data;
  (void)bytes; /* they are where they belong */
  if (length > 0) t->got.len += (size_t)length;
  if (length < 0 || t->got.len > KEPT) {
    t->over = true;
    uv_read_stop(stream);
  }
  go_on(t);
}

static void talk_closed(uv_handle_t *handle) {
  talk *t = handle->data;
  t->owner->endings--;
  buf_free(&t->got);
  free(t);
}

static talk *talk_new(control *owner, int fd) {
  talk *t = mem_zero(sizeof *t);
  t->owner = owner;
  owner->endings++;
  uv_pipe_init(&owner->loop, &t->pipe, 0);
  t->pipe.data = t;
  if (uv_pipe_open(&t->pipe, fd) == 0 && uv_read_start((uv_stream_t *)&t->pipe, allocate, talk_came) == 0)
    return t;
  t->over = true;
  return t;
}

static int socket_connect(lua_State *L) {
  error err;
  const char *path = luaL_checkstring(L, 1);
  talk **held = lua_newuserdatauv(L, sizeof *held, 0);
  *held = NULL;
  luaL_setmetatable(L, LINK);
  int fd = control_socket_connect(path, &err);
  if (fd == CONTROL_NOBODY) return 0;
  if (fd < 0) return failed(L, err.text);
  *held = talk_new(control_of(L), fd);
  return 1;
}

typedef struct letter {
  uv_write_t request;
  char bytes[];
} letter;

static void sent(uv_write_t *request, int status) {
  (void)status; /* who is gone answers nothing, and receive() says so */
  free((letter *)request);
}

static int link_send(lua_State *L) {
  size_t length;
  talk *t = talk_at(L);
  const char *line = luaL_checklstring(L, 2, &length);
  letter *l = mem_alloc(sizeof *l + length + 1);
  memcpy(l->bytes, line, length);
  l->bytes[length] = '\n';
  uv_buf_t bytes = uv_buf_init(l->bytes, (unsigned)length + 1);
  if (uv_write(&l->request, (uv_stream_t *)&t->pipe, &bytes, 1, sent)) free(l);
  return 0;
}

static int link_receive(lua_State *L) {
  talk *t = talk_at(L);
  control_can_yield(L);
  if (push_line(L, t)) return 1;
  if (t->over) return 0;
  t->waiting = true;
  return control_yield(L);
}

static int link_close(lua_State *L) {
  talk **held = luaL_checkudata(L, 1, LINK);
  talk *t = *held;
  *held = NULL;
  if (!t) return 0;
  t->waiting = false;
  uv_close((uv_handle_t *)&t->pipe, talk_closed);
  return 0;
}

/* ---- who, and what is noted ---- */

static int socket_me(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getuid());
  lua_pushinteger(L, (lua_Integer)getpid());
  return 2;
}

static int socket_user(lua_State *L) {
  const struct passwd *found = getpwuid((uid_t)luaL_checkinteger(L, 1));
  lua_pushstring(L, found ? found->pw_name : NULL);
  return 1;
}

static int write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -1;
    bytes += written;
    length -= (size_t)written;
  }
  return fdatasync(fd);
}

static int socket_append(lua_State *L) {
  size_t length;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  int failure = fd < 0 || write_all(fd, text, length), why = errno;
  if (fd >= 0) close(fd);
  if (failure) return failed(L, strerror(why));
  lua_pushboolean(L, true);
  return 1;
}

/* ---- the module ---- */

static const luaL_Reg functions[] = {
    {"listen", socket_listen}, {"connect", socket_connect}, {"me", socket_me},
    {"user", socket_user},     {"append", socket_append},   {NULL, NULL},
};

static const luaL_Reg server_methods[] = {
    {"next", server_next},
    {"answer", server_answer},
    {"on_request", server_on_request},
    {"close", server_close},
    {NULL, NULL},
};

static const luaL_Reg link_methods[] = {
    {"send", link_send},
    {"receive", link_receive},
    {"close", link_close},
    {NULL, NULL},
};

int native_socket_open(lua_State *L) {
  native_type(L, SERVER, server_methods, server_close, server_close);
  native_type(L, LINK, link_methods, link_close, link_close);
  luaL_newlib(L, functions);
  return 1;
}
