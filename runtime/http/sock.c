/* libcurl's sockets on the loop.
 *
 * A connection's socket has one uv_poll_t for as long as it lives, and it stays armed for reading between
 * transfers: arming it anew for each would cost a system call or two a request. libcurl closes sockets long
 * after the transfer that opened them, so what its callbacks are given is the wire, not the exchange.
 *
 * Before 8.1 libcurl closes a socket that never got connected without telling (7.88: cf_socket_close). So
 * such a one is not watched beyond its transfer, and a descriptor that is handed out again replaces what was
 * known of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/egress.h"
#include "http/http_parts.h"

/* ---- by descriptor ---- */

static sock *sock_of(const http *h, curl_socket_t fd) {
  return (size_t)fd < h->socks_room ? h->socks[fd] : NULL;
}

static void remember(http *h, sock *s) {
  size_t fd = (size_t)s->fd;
  if (fd >= h->socks_room) {
    size_t room = fd * 2 + 64;
    h->socks = mem_grow(h->socks, room * sizeof *h->socks);
    memset(h->socks + h->socks_room, 0, (room - h->socks_room) * sizeof *h->socks);
    h->socks_room = room;
  }
  h->socks[fd] = s;
}

/* ---- life ---- */

/* Takes over `fd` for libcurl. Returns NULL when the loop can't watch it. */
static sock *sock_new(multi *m, destination *at, curl_socket_t fd) {
  sock *s = mem_zero(sizeof *s);
  if (uv_poll_init_socket(m->wire->loop, &s->poll, fd) != 0) {
    free(s);
    return NULL;
  }
  s->poll.data = s;
  s->wire = m->wire;
  s->in = m;
  s->at = at;
  s->fd = fd;
  s->wire->handles++;
  if (at) {
    at->users++;
    destination_spot(at, m->index)->open++;
  }
  remember(m->wire, s);
  return s;
}

/* It counts no longer as a connection that a request could take. */
static void sock_leave_spot(sock *s) {
  if (s->at && !s->ended) destination_spot(s->at, s->in->index)->open--;
  s->ended = true;
}

/* A request has taken it all the same: what came on it unasked was not its end (HTTP/2 talks while it is
 * idle). */
static void sock_return_to_spot(sock *s) {
  if (s->at && s->ended) destination_spot(s->at, s->in->index)->open++;
  s->ended = false;
}

static void poll_closed(uv_handle_t *poll) {
  sock *s = poll->data;
  http *h = s->wire;
  free(s);
  http_handle_closed(h);
}

/* Forgets a socket; its descriptor may be closed already, or be another's. */
static void sock_drop(sock *s) {
  sock_leave_spot(s);
  if (s->at) destination_leave(s->at);
  s->at = NULL;
  s->wire->socks[s->fd] = NULL;
  uv_close((uv_handle_t *)&s->poll, poll_closed);
}

/* ---- watching ---- */

static void ready(uv_poll_t *poll, int status, int events);

static void watch(sock *s, int events) {
  if (s->armed == events) return;
  s->armed = events;
  if (events)
    uv_poll_start(&s->poll, events, ready);
  else
    uv_poll_stop(&s->poll);
}

/* Something came on a connection that nobody uses: its end, mostly. libcurl finds out when it looks at it
 * next. */
static void ended_while_idle(sock *s) {
  sock_leave_spot(s);
  watch(s, 0);
}

/* An error comes with what was waited for: told of the error alone, libcurl gives up without reading what
 * came before it, be it a whole answer, and without sending again on a fresh connection. libuv has stopped
 * watching by then; where libcurl wants to go on, it will not say so again. */
static void broken(sock *s) {
  const http *h = s->wire;
  curl_socket_t fd = s->fd;
  int armed = s->armed, bits = CURL_CSELECT_ERR;
  s->armed = 0;
  if (armed & UV_READABLE) bits |= CURL_CSELECT_IN;
  if (armed & UV_WRITABLE) bits |= CURL_CSELECT_OUT;
  s->in->act(s->in, fd, bits);
  if (sock_of(h, fd) == s && s->wanted && !s->armed) watch(s, armed); /* its memory lives to the turn's end */
}

static void ready(uv_poll_t *poll, int status, int events) {
  sock *s = poll->data;
  int bits = 0;
  if (!s->wanted) {
    if (status < 0) s->armed = 0;
    ended_while_idle(s);
    return;
  }
  if (status < 0) {
    broken(s);
    return;
  }
  if (events & UV_READABLE) bits |= CURL_CSELECT_IN;
  if (events & UV_WRITABLE) bits |= CURL_CSELECT_OUT;
  s->in->act(s->in, s->fd, bits); /* which may end the socket */
}

/* Bytes have come on it: it is a connection, be it that they came before libcurl had to wait for them. */
static bool is_connected(const sock *s, CURL *easy) {
  transfer *t = NULL;
  if (s->connected) return true;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
  return t && t->of && t->of->in == s->in && t->of->header_bytes > 0;
}

/* No transfer waits for it any more. Its end is told by sock_close if sock_open has opened it and it got
 * connected; any other is forgotten at once, before its descriptor becomes another thread's. */
static void let_go(sock *s, CURL *easy) {
  s->wanted = false;
  if (!s->at || !is_connected(s, easy))
    sock_drop(s);
  else if (s->armed & UV_WRITABLE)
    watch(s, UV_READABLE);
}

/* CURLMOPT_SOCKETFUNCTION */
int sock_watch(CURL *easy, curl_socket_t fd, int what, void *in, void *socket_data) {
  multi *m = in;
  sock *s = sock_of(m->wire, fd);
  (void)socket_data;
  if (what == CURL_POLL_REMOVE) {
    if (s) let_go(s, easy);
    return 0;
  }
  if (!s) s = sock_new(m, NULL, fd);
  if (!s) return 0;
  s->wanted = what != CURL_POLL_NONE;
  if (what & CURL_POLL_IN) s->connected = true;
  if (s->ended) sock_return_to_spot(s);
  if (what & CURL_POLL_OUT)
    watch(s, UV_WRITABLE | (what & CURL_POLL_IN ? UV_READABLE : 0));
  else
    watch(s, UV_READABLE);
  return 0;
}

/* ---- opening and closing ---- */

/* libcurl has closed a socket without telling and got its descriptor once more. It thinks that it has said
 * what it waits for there, and does not say it again. */
static int replace(sock *old) {
  int armed = old->wanted ? old->armed : 0;
  sock_drop(old);
  return armed;
}

/* Of several addresses of a host the first that is refused is told of, and none if another could be tried. */
static void tell_refusal(http_exchange *ex, const egress_finding *found) {
  const char *after = ex->hops ? "after a redirect: " : "", *then = "";
  if (ex->refused) return;
  ex->refused = true;
  ex->answer.off_public = egress_allows(HTTP_REACH_ANY, found->grade);
  if (ex->reach == HTTP_REACH_LOOPBACK) then = "; here nothing goes further than loopback";
  if (found->grade == EGRESS_NEVER) then = "; no call goes there";
  if (ex->at->literal)
    answer_say(ex, HTTP_EGRESS, "%s%s is %s%s", after, found->text, found->words, then);
  else
    answer_say(ex, HTTP_EGRESS, "%s\"%.64s\" is at %s, %s%s", after, ex->at->host, found->text, found->words,
               then);
}

/* CURLOPT_OPENSOCKETFUNCTION. It sees each address that is about to be connected to, redirects included: the
 * one place for deciding where connections may go. */
curl_socket_t sock_open(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  const transfer *t = data;
  http_exchange *ex = t->of;
  (void)purpose;
  egress_finding found = egress_judge(&address->addr);
  if (!egress_allows(ex->reach, found.grade)) {
    tell_refusal(ex, &found);
    return CURL_SOCKET_BAD;
  }
  curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  ex->socket_error = fd < 0 ? errno : 0;
  if (fd < 0) return CURL_SOCKET_BAD;
  sock *old = sock_of(ex->wire, fd);
  int armed = old ? replace(old) : 0;
  sock *s = ex->in ? sock_new(ex->in, ex->at, fd) : NULL;
  if (!s) {
    close(fd);
    return CURL_SOCKET_BAD;
  }
  ex->reached = true;
  s->wanted = armed != 0;
  watch(s, armed);
  return fd;
}

/* CURLOPT_CLOSESOCKETFUNCTION */
int sock_close(void *wire, curl_socket_t fd) {
  http *h = wire;
  sock *s = sock_of(h, fd);
  if (s) sock_drop(s); /* before the descriptor can become another's */
  if (fd != h->taking) return close(fd);
  h->taking = CURL_SOCKET_BAD;
  return 0;
}

/* When libcurl is gone: those whose end it has not told. */
void sock_drop_all(http *h) {
  for (size_t i = 0; i < h->socks_room; i++) {
    if (h->socks[i]) sock_drop(h->socks[i]);
  }
}
