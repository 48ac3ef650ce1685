/* One of our connections: a socket that libcurl has connected, until it is closed.
 *
 * A request costs one system call for sending it, one for reading its answer, and its share of the loop's: the
 * socket stays armed for reading between requests, and nobody reads once more to hear that nothing is there.
 * So an end of the connection, or what comes on it unasked, is noticed by the loop while it is idle. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/http_parts.h"

enum {
  INBOX_BYTES = 65536,
  READS_MOST = 8,        /* in one turn: others are waiting, too */
  IDLE_MOST_MS = 118000, /* as libcurl has it: many servers close after two minutes */
  UNSENT_KEPT = 4096,
};

/* ---- life ---- */

static void poll_closed(uv_handle_t *poll) {
  h1_connection *c = poll->data;
  http *h = c->wire;
  free(c);
  http_handle_closed(h);
}

static void ready(uv_poll_t *poll, int status, int events);

static void arm(h1_connection *c, int events) {
  if (c->armed == events) return;
  c->armed = events;
  uv_poll_start(&c->poll, events, ready);
}

h1_connection *h1_connection_new(destination *at, int fd, const h1_hearer *to, error *err) {
  http *h = at->wire;
  h1_connection *c = mem_zero(sizeof *c);
  int status = uv_poll_init_socket(h->loop, &c->poll, fd);
  if (status != 0) {
    error_set(err, "could not connect to %s: %s", at->name, uv_strerror(status));
    close(fd);
    free(c);
    return NULL;
  }
  c->poll.data = c;
  c->wire = h;
  c->at = at;
  c->fd = fd;
  c->to = to;
  at->users++;
  h->handles++;
  h->connections++;
  list_init(&c->beside);
  list_init(&c->among_idle);
  arm(c, UV_READABLE);
  return c;
}

static void leave_idle(h1_connection *c) {
  if (list_empty(&c->among_idle)) return;
  list_remove(&c->beside);
  list_remove(&c->among_idle);
  c->wire->idle_count--;
}

void h1_connection_close(h1_connection *c) {
  leave_idle(c);
  if (c->of) c->of->on = NULL;
  c->of = NULL;
  buf_free(&c->unsent);
  c->wire->connections--;
  destination_leave(c->at);
  uv_close((uv_handle_t *)&c->poll, poll_closed); /* first: it takes the descriptor off the loop */
  close(c->fd);
}

/* ---- idle ones ---- */

/* As many as were ever busy at once have a place, if they are not more than libcurl would keep. */
static size_t idle_most(const http *h) {
  size_t each = (size_t)h->max_connections, least = each * (size_t)h->multis_wanted,
         most = each * MULTIS_MOST;
  size_t wanted = h->busy_peak > least ? h->busy_peak : least;
  return wanted < most ? wanted : most;
}

void h1_connection_release(h1_connection *c) {
  http *h = c->wire;
  c->of->on = NULL;
  c->of = NULL;
  c->used = true;
  c->idle_ms = (int64_t)uv_now(h->loop);
  list_push(&c->at->idle, &c->beside);
  list_push(&h->idle, &c->among_idle);
  h->idle_count++;
  if (h->idle_count > idle_most(h)) h1_connection_close(LIST_OF(h1_connection, among_idle, h->idle.next));
}

/* Nothing has come on it: neither its end nor bytes that nobody asked for. */
static bool is_silent(const h1_connection *c) {
  char byte;
  return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

h1_connection *h1_connection_idle(destination *at, bool looks) {
  int64_t now = (int64_t)uv_now(at->wire->loop);
  while (!list_empty(&at->idle)) {
    h1_connection *c = LIST_OF(h1_connection, beside, at->idle.prev);
    if (now - c->idle_ms < IDLE_MOST_MS && (!looks || is_silent(c))) {
      leave_idle(c);
      return c;
    }
    h1_connection_close(c);
  }
  return NULL;
}

/* ---- sending ---- */

/* Head and body in one call. Returns how much of the head the socket has taken; of the body it is noted. What
 * the other side does not take any more is its affair: why, is read. */
static size_t send_some(h1_connection *c, const char *head, size_t length) {
  struct iovec parts[2] = {{(void *)(uintptr_t)head, length}, {(void *)(uintptr_t)c->body, c->body_left}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = c->body_left ? 2 : 1};
  ssize_t n;
  do n = sendmsg(c->fd, &message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) c->deaf = true;
  if (n <= (ssize_t)length) return n > 0 ? (size_t)n : 0;
  c->body += (size_t)n - length;
  c->body_left -= (size_t)n - length;
  return length;
}

bool h1_connection_is_sending(const h1_connection *c) {
  return c->deaf || c->body_left > 0 || c->unsent_at < c->unsent.len;
}

static void arm_for_rest(h1_connection *c) {
  bool waits = !c->deaf && h1_connection_is_sending(c);
  arm(c, waits ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

static void note_busy(http *h) {
  size_t busy = h->connections - h->idle_count;
  if (busy > h->busy_peak) h->busy_peak = busy;
}

void h1_connection_send(h1_connection *c, http_exchange *ex) {
  buf *out = &c->wire->outbox;
  note_busy(c->wire);
  c->of = ex;
  ex->on = c;
  c->heard = c->deaf = false;
  if (c->unsent.cap > UNSENT_KEPT) buf_free(&c->unsent);
  buf_clear(&c->unsent);
  c->unsent_at = 0;
  c->body = ex->body;
  c->body_left = ex->body_length;
  buf_clear(out);
  h1_request_write(ex, out);
  size_t taken = send_some(c, out->data, out->len);
  buf_add(&c->unsent, out->data + taken, out->len - taken);
  arm_for_rest(c);
}

static void send_rest(h1_connection *c) {
  const char *head = c->unsent.len ? c->unsent.data + c->unsent_at : NULL;
  c->unsent_at += send_some(c, head, c->unsent.len - c->unsent_at);
  arm_for_rest(c);
}

/* ---- reading ---- */

static char *inbox_of(http *h) {
  if (!h->inbox) h->inbox = mem_alloc(INBOX_BYTES);
  return h->inbox;
}

/* Reads what is there, as long as it is a lot. The connection may be gone after that, and the exchange. */
static void receive(h1_connection *c) {
  char *inbox = inbox_of(c->wire);
  for (int i = 0; i < READS_MOST; i++) {
    ssize_t n = recv(c->fd, inbox, INBOX_BYTES, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n <= 0) {
      c->to->broke(c->of, n == 0);
      return;
    }
    c->heard = true;
    if (c->to->came(c->of, inbox, (size_t)n)) return;
    if (n < INBOX_BYTES) break;
  }
  arm_for_rest(c); /* where an error had stopped the watch */
}

static void ready(uv_poll_t *poll, int status, int events) {
  h1_connection *c = poll->data;
  if (status < 0) c->armed = 0; /* the loop watches it no more */
  if (!c->of) {
    h1_connection_close(c);
    return;
  }
  if (status == 0 && events & UV_WRITABLE) send_rest(c);
  if (status < 0 || events & UV_READABLE) receive(c);
}
