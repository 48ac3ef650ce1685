/* Multi handles: their timers, their turns, which one a transfer goes to, and the results they give.
 *
 * libcurl acts only from here: when a socket is ready, when its timeout is due, and in the turn after it
 * asked for one of 0 ms. Its timer callback notes and never calls back into libcurl. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "http/http_parts.h"

static void act(multi *m, curl_socket_t fd, int events);

static void alarm_due(timer *t) {
  act(LIST_OF(multi, alarm, t), CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_TIMERFUNCTION. 0 ms is the next turn of the loop: rounding it up to a timer's millisecond makes
 * requests that follow each other many times slower. */
static int timer_wanted(CURLM *handle, long ms, void *data) {
  multi *m = data;
  (void)handle;
  timer_clear(&m->wire->timers, &m->alarm);
  list_remove(&m->due);
  if (ms == 0) {
    list_push(&m->wire->due, &m->due);
    http_turn_soon(m->wire);
  } else if (ms > 0) {
    http_timer_set(m->wire, &m->alarm, http_now_ms() + ms, alarm_due);
  }
  return 0;
}

static int set_options(multi *m) {
  int failed = 0;
  failed |= (int)curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, sock_watch);
  failed |= (int)curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, m);
  failed |= (int)curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, timer_wanted);
  failed |= (int)curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
  failed |= (int)curl_multi_setopt(m->handle, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
  failed |= (int)curl_multi_setopt(m->handle, CURLMOPT_MAXCONNECTS, (long)m->wire->max_connections);
  return failed;
}

multi *multi_new(http *h, http_reach reach, error *err) {
  multi *m = mem_zero(sizeof *m);
  m->wire = h;
  m->index = h->multis_count;
  m->reach = reach;
  m->act = act;
  list_init(&m->due);
  m->handle = curl_multi_init();
  if (!m->handle || set_options(m) != 0) {
    error_set(err, "libcurl can't make a multi handle");
    multi_free(m);
    return NULL;
  }
  h->multis = mem_grow(h->multis, (size_t)(h->multis_count + 1) * sizeof *h->multis);
  h->multis[h->multis_count++] = m;
  h->multis_of[reach]++;
  return m;
}

void multi_free(multi *m) {
  if (m->handle) curl_multi_cleanup(m->handle);
  timer_clear(&m->wire->timers, &m->alarm);
  list_remove(&m->due);
  free(m);
}

/* ---- which one ---- */

static bool has_idle(const destination *at, int index) {
  return index >= 0 && index < at->spots_count && at->spots[index].open > at->spots[index].busy;
}

static multi *least_busy(http *h, http_reach reach) {
  multi *best = NULL;
  while (h->multis_of[reach] < h->multis_wanted && multi_new(h, reach, NULL)) continue;
  for (int i = 0; i < h->multis_count; i++) {
    multi *m = h->multis[i];
    if (m->reach == reach && (!best || m->busy < best->busy)) best = m;
  }
  if (!best || best->busy < h->max_connections || h->multis_of[reach] >= MULTIS_MOST) return best;
  multi *more = multi_new(h, reach, NULL);
  return more ? more : best;
}

/* An HTTP/2 destination has one handle, and so has one of which it isn't known yet. Any other gets the handle
 * where it has an idle connection: the one it used last, else the first; without one it is put where least
 * goes on. */
multi *multi_pick(destination *at) {
  http *h = at->wire;
  if (at->speaks != PROTOCOL_1) {
    multi *home = at->home < 0 ? least_busy(h, at->reach) : h->multis[at->home];
    at->home = home ? home->index : -1;
    return home;
  }
  int index = has_idle(at, at->last) ? at->last : -1;
  for (int i = 0; index < 0 && i < at->spots_count; i++) {
    if (has_idle(at, i)) index = i;
  }
  multi *m = index >= 0 ? h->multis[index] : least_busy(h, at->reach);
  if (m) at->last = m->index;
  return m;
}

/* libcurl looks at all connections of a multi handle for each that it makes for us, so they are spread. */
multi *multi_pick_connect(destination *at) {
  return least_busy(at->wire, at->reach);
}

/* ---- transfers ---- */

/* Returns 0, or libcurl's error. The transfer begins in the next turn. */
int multi_add(multi *m, http_exchange *ex) {
  CURLMcode code = curl_multi_add_handle(m->handle, ex->transfer->easy);
  if (code) return (int)code;
  ex->in = m;
  m->busy++;
  destination_spot(ex->at, m->index)->busy++;
  return 0;
}

/* Takes the exchange out of libcurl's hands; its connection is closed when the answer wasn't whole. Not from a
 * callback of libcurl's. */
void multi_leave(http_exchange *ex) {
  multi *m = ex->in;
  if (!m) return;
  ex->in = NULL;
  spot *s = destination_spot(ex->at, m->index);
  m->busy--;
  s->busy--;
  if (ex->transfer->feed_node.data && !ex->reached && !ex->hop_sends)
    s->fed = 0; /* libcurl may not have come to read the addresses */
  curl_multi_remove_handle(m->handle, ex->transfer->easy);
  transfer_give(ex);
}

/* libcurl ends a connection of CURLOPT_CONNECT_ONLY when its transfer is taken out (7.88: multi.c), and thinks that it
 * closes the socket. One that did not would keep its own descriptor, and we get another of the same socket. */
int multi_take_socket(http_exchange *ex) {
  http *h = ex->wire;
  curl_socket_t fd = CURL_SOCKET_BAD;
  curl_easy_getinfo(ex->transfer->easy, CURLINFO_ACTIVESOCKET, &fd);
  h->taking = fd;
  multi_leave(ex);
  if (fd == CURL_SOCKET_BAD || h->taking != fd) return fd;
  h->taking = CURL_SOCKET_BAD;
  return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* ---- results ---- */

/* Takes all results, whatever libcurl says of how many transfers are running. The callbacks of users are
 * called from here, and may add and remove transfers: each message is used up before the next is asked for.
 */
static void hand_out(multi *m) {
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read(m->handle, &left));) {
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode code = message->data.result;
    transfer *t = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
    t->done(t->of, code);
  }
}

static void act(multi *m, curl_socket_t fd, int events) {
  int running;
  curl_multi_socket_action(m->handle, fd, events, &running);
  hand_out(m);
}

void multi_run_due(http *h) {
  list due;
  list_init(&due);
  list_move_all(&due, &h->due);
  while (!list_empty(&due)) act(LIST_OF(multi, due, list_pop(&due)), CURL_SOCKET_TIMEOUT, 0);
}
