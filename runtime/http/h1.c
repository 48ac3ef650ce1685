/* An exchange in HTTP/1.1 that is spoken by us: which connection it gets, what comes on it, how it ends.
 *
 * A destination's connections are made by libcurl, a limited number at a time; exchanges beyond that wait for
 * one of them, or for one that becomes idle, whichever is first. */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "http/http_parts.h"

enum {
  CONNECTS_MOST = 512,  /* at once, for each destination: libcurl needs 10 KB for each */
  RESERVED_MOST = 65536 /* for a body whose length is known */
};

/* ---- what comes ---- */

static bool take_line(void *owner, const char *line, size_t length) {
  static const char name[] = "content-encoding:";
  http_exchange *ex = owner;
  size_t at = sizeof name - 1;
  if (!ex->in_headers) { /* a status line: what an interim answer said is over */
    h1_decoder_free(ex->decoder);
    ex->decoder = NULL;
  } else if (length >= at && line[7] == '-' && strncasecmp(line, name, at) == 0) {
    ex->decoder = h1_decoder_add(ex->decoder, line + at, length - at);
  }
  answer_line(ex, line, length);
  return true;
}

static bool take_head(void *owner) {
  http_exchange *ex = owner;
  const h1_answer *a = &ex->parser;
  if (!a->has_length || a->to_head || a->status == 204 || a->status == 304) return true;
  if (!answer_check_length(ex, a->left)) return false;
  if (!ex->decoder && !ex->file.path && a->left <= RESERVED_MOST)
    buf_room(&ex->answer.body, (size_t)a->left + 1); /* with the NUL that it is taken with */
  return true;
}

static bool take_decoded(void *owner, const char *bytes, size_t length) {
  return answer_bytes(owner, bytes, length);
}

static bool take_body(void *owner, const char *bytes, size_t length) {
  http_exchange *ex = owner;
  if (!ex->decoder) return answer_bytes(ex, bytes, length);
  if (h1_decode(ex->decoder, bytes, length, take_decoded, ex)) return true;
  if (!ex->spoiled) outcome_of_garbage(ex, h1_decoder_problem(ex->decoder));
  return false;
}

static const h1_sink sink = {take_line, take_head, take_body};

static int start(http_exchange *ex, const known_host *of);

/* ---- on a connection ---- */

/* Puts it on the wire. An exchange that must not be is not on its way here a second time: see broke. */
static void send_on(h1_connection *c, http_exchange *ex) {
  request_about_to_send(ex);
  h1_answer_begin(&ex->parser, &sink, ex, strcmp(ex->method, "HEAD") == 0, ex->max_header_bytes);
  h1_connection_send(c, ex);
}

static bool reuse(http_exchange *ex) {
  h1_connection *c = h1_connection_idle(ex->at, ex->resend_forbidden);
  if (c) send_on(c, ex);
  return c != NULL;
}

/* Looks for a connection: one that is idle, or one that has to be made, with the addresses of its host. */
int h1_reach(http_exchange *ex) {
  if (ex->fresh || !reuse(ex)) return reach_host(ex, start);
  ex->state = EXCHANGE_WIRE;
  return 0;
}

static http_exchange *next_waiting(destination *at) {
  list *first = list_pop(&at->waiting);
  if (!first) return NULL;
  http_exchange *ex = LIST_OF(http_exchange, queue, first);
  reach_watch(ex);
  return ex;
}

/* A connection is free: for one who waits, if there is any. */
static void release(h1_connection *c) {
  destination *at = c->at;
  h1_connection_release(c);
  if (list_empty(&at->waiting) || LIST_OF(http_exchange, queue, at->waiting.next)->fresh) return;
  http_exchange *ex = next_waiting(at);
  if (h1_reach(ex) != 0) ex->over(ex, true);
}

/* ---- making connections ---- */

/* There is a place for another one that makes a connection. */
static void let_next_connect(destination *at) {
  while (at->connecting < CONNECTS_MOST && !at->wire->closing) {
    http_exchange *ex = next_waiting(at);
    if (!ex) return;
    if (h1_reach(ex) != 0) ex->over(ex, true);
  }
}

static void waited_too_long(timer *t) {
  http_exchange *ex = LIST_OF(http_exchange, deadline, t);
  outcome_of_connect_timeout(ex);
  ex->over(ex, false);
}

static void connected(http_exchange *ex, CURLcode code);

static int start(http_exchange *ex, const known_host *of) {
  error err;
  if (ex->at->connecting >= CONNECTS_MOST) {
    list_push(&ex->at->waiting, &ex->queue);
    reach_watch_connect(ex, waited_too_long);
    return 0;
  }
  ex->connecting = true;
  ex->at->connecting++;
  if (easy_start_connect(ex, of, connected, &err) == 0) return 0;
  ex->connecting = false;
  ex->at->connecting--;
  answer_say(ex, HTTP_CONNECT, "%s", err.text);
  return -1;
}

static void stop_connecting(http_exchange *ex) {
  if (!ex->connecting) return;
  ex->connecting = false;
  ex->at->connecting--;
  let_next_connect(ex->at);
}

void h1_leave(http_exchange *ex) {
  list_remove(&ex->queue);
  if (ex->on) h1_connection_close(ex->on);
  stop_connecting(ex);
}

static const h1_hearer hearer;

/* libcurl has connected a socket, or tells why not. */
static void connected(http_exchange *ex, CURLcode code) {
  error err = {""};
  h1_connection *c = NULL;
  if (code != CURLE_OK) {
    outcome_of_transfer(ex, code);
    ex->over(ex, false);
    return;
  }
  int fd = multi_take_socket(ex);
  if (fd < 0)
    error_set(&err, "could not connect to %s: the connection was lost", ex->at->name);
  else
    c = h1_connection_new(ex->at, fd, &hearer, &err);
  if (!c) {
    answer_say(ex, HTTP_CONNECT, "%s", err.text);
    ex->over(ex, false);
    return;
  }
  send_on(c, ex);
  stop_connecting(ex);
}

/* ---- how it ends ---- */

/* The connection is given back before the user is called, who may have the next request for it. */
static void whole(http_exchange *ex, bool all_used) {
  h1_connection *c = ex->on;
  bool stays = all_used && h1_answer_stays(&ex->parser) && !h1_connection_is_sending(c);
  outcome_of_answer(ex);
  if (stays)
    release(c);
  else
    h1_connection_close(c);
  ex->over(ex, false);
}

static bool came(http_exchange *ex, const char *bytes, size_t length) {
  size_t used;
  switch (h1_answer_feed(&ex->parser, bytes, length, &used)) {
  case H1_MORE: return false;
  case H1_WHOLE: whole(ex, used == length); return true;
  case H1_OVER: answer_over_headers(ex); break;
  case H1_BROKEN: outcome_of_garbage(ex, ex->parser.problem); break;
  case H1_STOPPED: break; /* who stopped it has said why */
  }
  ex->over(ex, false);
  return true;
}

/* One that was used before and died without a word may have been closed before the request came. It is sent
 * once more, on a fresh one, where that is allowed. */
static bool begin_again(http_exchange *ex) {
  bool was_used = ex->on->used, heard = ex->on->heard;
  if (!was_used || heard || ex->hop_sends > 1) return false;
  if (ex->resend_forbidden) {
    ex->resend_stopped = true;
    return false;
  }
  h1_connection_close(ex->on);
  ex->fresh = true;
  ex->hop_ns = clock_mono_ns();
  if (h1_reach(ex) != 0) ex->over(ex, false);
  return true;
}

static void broke(http_exchange *ex, bool in_order) {
  if (in_order && h1_answer_end(&ex->parser) == H1_WHOLE) {
    whole(ex, false);
    return;
  }
  if (begin_again(ex)) return;
  outcome_of_break(ex);
  ex->over(ex, false);
}

static const h1_hearer hearer = {came, broke};
