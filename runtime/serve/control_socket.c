/* The control socket: see control_socket.h. */
#include "serve/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/list.h"
#include "serve/control_address.h"

enum {
  READ_BYTES = 16 << 10,
  BACKLOG = 128,
};

typedef struct client {
  list link;
  control_socket *in;
  uint64_t id;
  uv_pipe_t pipe;
  struct ucred who;
  buf got;     /* what it sent and was not answered yet */
  size_t line; /* bytes of the request under way with its line break; 0: none */
  size_t unsent;
  uint64_t heard_ms; /* by the loop's clock */
  bool told;         /* its request was given out */
} client;

struct control_socket {
  uv_loop_t *loop;
  char *path;
  uv_pipe_t listener;
  uv_timer_t timer;
  list clients; /* who was heard longest ago comes first */
  size_t count;
  uint64_t last_id, silence_ms;
  char room[READ_BYTES];
  void (*came)(void *data);
  void *data;
  int open_handles;
  bool closing;
  void (*closed)(void *data);
  void *closed_data;
};

/* ---- ending ---- */

static void handle_closed(control_socket *s) {
  if (--s->open_handles > 0) return;
  void (*closed)(void *data) = s->closed;
  void *data = s->closed_data;
  free(s->path);
  free(s);
  if (closed) closed(data);
}

static void own_closed(uv_handle_t *handle) {
  handle_closed(handle->data);
}

static void client_closed(uv_handle_t *handle) {
  client *c = handle->data;
  control_socket *s = c->in;
  buf_free(&c->got);
  free(c);
  handle_closed(s);
}

static void cut(client *c) {
  if (uv_is_closing((uv_handle_t *)&c->pipe)) return;
  list_remove(&c->link);
  c->in->count--;
  if (c->in->count == 0 && !c->in->closing) uv_timer_stop(&c->in->timer);
  uv_close((uv_handle_t *)&c->pipe, client_closed);
}

/* ---- answering ---- */

typedef struct answer {
  uv_write_t request;
  client *to;
  size_t length;
  char bytes[];
} answer;

static void answered(uv_write_t *request, int status) {
  answer *a = (answer *)request;
  client *c = a->to;
  c->unsent -= a->length;
  free(a);
  if (status < 0) cut(c);
}

/* As much as goes at once, the rest when it may. */
static void say(client *c, const char *line, size_t length) {
  answer *a = mem_alloc(sizeof *a + length + 1);
  a->to = c;
  a->length = length + 1;
  memcpy(a->bytes, line, length);
  a->bytes[length] = '\n';
  uv_buf_t bytes = uv_buf_init(a->bytes, (unsigned)a->length);
  c->unsent += a->length;
  if (uv_write(&a->request, (uv_stream_t *)&c->pipe, &bytes, 1, answered) == 0) return;
  c->unsent -= a->length;
  free(a);
  cut(c);
}

static void refuse(client *c, const char *why) {
  buf line = BUF_EMPTY;
  buf_format(&line, "{\"error\":\"%s\"}", why);
  say(c, line.data, line.len);
  buf_free(&line);
  cut(c);
}

static client *client_of(control_socket *s, uint64_t id) {
  for (list *l = s->clients.next; l != &s->clients; l = l->next) {
    client *c = LIST_OF(client, link, l);
    if (c->id == id) return c;
  }
  return NULL;
}

/* ---- hearing ---- */

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out) {
  (void)suggested;
  *out = uv_buf_init(((client *)handle->data)->in->room, READ_BYTES);
}

/* Whether a whole line is there: it is left to be fetched, and the client is heard again when that was answered. */
static bool has_line(client *c) {
  char *end = c->got.len ? memchr(c->got.data, '\n', c->got.len) : NULL;
  if (end) {
    c->line = (size_t)(end - c->got.data) + 1;
    uv_read_stop((uv_stream_t *)&c->pipe);
  } else if (c->got.len >= CONTROL_LINE) {
    refuse(c, "a request is longer than 256 KiB");
  }
  return end != NULL;
}

static void heard(client *c) {
  c->heard_ms = uv_now(c->in->loop);
  list_remove(&c->link);
  list_push(&c->in->clients, &c->link);
}

static void came(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes) {
  client *c = stream->data;
  if (length < 0) {
    cut(c);
  } else if (length > 0) {
    buf_add(&c->got, bytes->base, (size_t)length);
    heard(c);
    if (has_line(c)) c->in->came(c->in->data);
  }
}

static void next_line(client *c) {
  memmove(c->got.data, c->got.data + c->line, c->got.len - c->line);
  c->got.len -= c->line;
  c->line = 0;
  c->told = false;
  heard(c);
  if (!has_line(c) && !uv_is_closing((uv_handle_t *)&c->pipe) &&
      uv_read_start((uv_stream_t *)&c->pipe, allocate, came))
    cut(c);
}

/* ---- coming and going ---- */

static void look_for_silent(uv_timer_t *timer) {
  control_socket *s = timer->data;
  for (list *l = s->clients.next, *next; l != &s->clients; l = next) {
    client *c = LIST_OF(client, link, l);
    next = l->next;
    if (!c->line && uv_now(s->loop) - c->heard_ms >= s->silence_ms) cut(c);
  }
}

static client *client_new(control_socket *s) {
  client *c = mem_zero(sizeof *c);
  c->in = s;
  c->id = ++s->last_id;
  c->heard_ms = uv_now(s->loop);
  uv_pipe_init(s->loop, &c->pipe, 0);
  c->pipe.data = c;
  s->open_handles++;
  s->count++;
  list_push(&s->clients, &c->link);
  return c;
}

static int ask_who(client *c) {
  uv_os_fd_t fd;
  socklen_t size = sizeof c->who;
  if (uv_fileno((uv_handle_t *)&c->pipe, &fd)) return -1;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &size);
}

static void connected(uv_stream_t *listener, int status) {
  control_socket *s = listener->data;
  if (status < 0) return;
  client *c = client_new(s);
  bool full = s->count > CONTROL_CLIENTS;
  if (uv_accept(listener, (uv_stream_t *)&c->pipe) || ask_who(c) ||
      (!full && uv_read_start((uv_stream_t *)&c->pipe, allocate, came)))
    cut(c);
  else if (full)
    refuse(c, "too many talk to this runtime: try again");
  else if (s->count == 1)
    uv_timer_start(&s->timer, look_for_silent, s->silence_ms / 4, s->silence_ms / 4 + 1);
}

/* ---- listening ---- */

static int replace_stale(const char *path, error *err) {
  struct stat about;
  if (lstat(path, &about)) return 0;
  if (!S_ISSOCK(about.st_mode)) return error_set(err, "%s stands where the control socket is to be", path);
  return unlink(path) ? error_set(err, "%s can't be replaced: %s", path, strerror(errno)) : 0;
}

/* The mode is the socket's before it has a name, so that there is no moment at which others can reach it. */
static int make_listener(const char *path, error *err) {
  control_address address;
  if (control_address_of(path, &address, err)) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int failed = fd < 0 || fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&address.at, sizeof address.at) ||
               listen(fd, BACKLOG);
  int why = errno;
  control_address_free(&address);
  if (!failed) return fd;
  if (fd >= 0) close(fd);
  return error_set(err, "the control socket %s can't be made: %s", path, strerror(why));
}

control_socket *control_socket_listen(uv_loop_t *loop, const control_socket_options *options, error *err) {
  if (replace_stale(options->path, err)) return NULL;
  int fd = make_listener(options->path, err);
  if (fd < 0) return NULL;
  control_socket *s = mem_zero(sizeof *s);
  s->loop = loop;
  s->path = mem_text(options->path);
  s->silence_ms = options->silence_ms ? options->silence_ms : CONTROL_SILENCE_MS;
  s->came = options->came;
  s->data = options->data;
  list_init(&s->clients);
  uv_pipe_init(loop, &s->listener, 0);
  uv_timer_init(loop, &s->timer);
  s->listener.data = s->timer.data = s;
  s->open_handles = 2;
  int status = uv_pipe_open(&s->listener, fd);
  if (status) close(fd);
  if (status == 0) status = uv_listen((uv_stream_t *)&s->listener, BACKLOG, connected);
  if (status == 0) return s;
  error_set(err, "the control socket %s can't be listened at: %s", options->path, uv_strerror(status));
  control_socket_close(s, NULL, NULL);
  return NULL;
}

bool control_socket_next(control_socket *s, control_request *out) {
  for (list *l = s->clients.next; l != &s->clients; l = l->next) {
    client *c = LIST_OF(client, link, l);
    if (!c->line || c->told) continue;
    c->told = true;
    *out = (control_request){c->id, c->who.uid, c->who.pid, c->got.data, c->line - 1};
    return true;
  }
  return false;
}

bool control_socket_answer(control_socket *s, uint64_t id, const char *line, size_t length, bool last) {
  client *c = client_of(s, id);
  if (!c) return false;
  if (c->unsent + length > CONTROL_UNSENT) {
    cut(c);
    return false;
  }
  say(c, line, length);
  c = client_of(s, id);
  if (c && last) next_line(c);
  return c != NULL;
}

void control_socket_close(control_socket *s, void (*closed)(void *data), void *data) {
  s->closing = true;
  s->closed = closed;
  s->closed_data = data;
  unlink(s->path);
  while (!list_empty(&s->clients)) cut(LIST_OF(client, link, s->clients.next));
  uv_close((uv_handle_t *)&s->timer, own_closed);
  uv_close((uv_handle_t *)&s->listener, own_closed);
}

/* ---- the other side ---- */

int control_socket_connect(const char *path, error *err) {
  control_address address;
  if (control_address_of(path, &address, err)) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int failed = fd < 0 || connect(fd, (struct sockaddr *)&address.at, sizeof address.at), why = errno;
  control_address_free(&address);
  if (!failed) return fd;
  if (fd >= 0) close(fd);
  if (why == ENOENT || why == ECONNREFUSED) return CONTROL_NOBODY;
  return error_set(err, "the control socket %s can't be reached: %s", path, strerror(why));
}
