/* One request, from http_send to its callback. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http/http_parts.h"

/* ---- the pool ---- */

static http_exchange *exchange_new(http *h, error *err) {
  http_exchange *ex = mem_zero(sizeof *ex);
  ex->wire = h;
  ex->easy = easy_new(ex, err);
  if (ex->easy) return ex;
  free(ex);
  return NULL;
}

static http_exchange *exchange_take(http *h, error *err) {
  if (list_empty(&h->pool)) {
    http_exchange *ex = exchange_new(h, err);
    if (ex) list_init(&ex->link);
    return ex;
  }
  h->pool_count--;
  list *newest = h->pool.prev; /* its memory is the warmest */
  list_remove(newest);
  return LIST_OF(http_exchange, link, newest);
}

void exchange_free(http_exchange *ex) {
  curl_easy_cleanup(ex->easy);
  curl_url_cleanup(ex->place);
  free(ex->place_text);
  buf_free(&ex->feed);
  buf_free(&ex->headers_in);
  free(ex);
}

/* Back to the pool. */
static void exchange_give(http_exchange *ex) {
  http *h = ex->wire;
  request_forget(ex);
  buf_free(&ex->answer.body);
  save_drop(&ex->file);
  if (ex->headers_in.cap > 16384) buf_free(&ex->headers_in);
  ex->state = EXCHANGE_FREE;
  if (h->pool_count >= POOL_MOST || h->torn) {
    exchange_free(ex);
    return;
  }
  h->pool_count++;
  list_push(&h->pool, &ex->link);
}

/* ---- the end ---- */

/* Off the wire, off the clock: only the callback is left. The answer says by now how it ended. */
static void end(http_exchange *ex) {
  multi_leave(ex);
  resolver_leave(&ex->lookup);
  timer_clear(&ex->wire->timers, &ex->deadline);
  if (ex->at) destination_leave(ex->at);
  ex->at = NULL;
  ex->state = EXCHANGE_ENDED;
  list_remove(&ex->link);
}

static void end_in_turn(http_exchange *ex) {
  end(ex);
  list_push(&ex->wire->ended, &ex->link);
  http_turn_soon(ex->wire);
}

void exchange_deliver(http_exchange *ex) {
  http_answer *answer = &ex->answer;
  list_remove(&ex->link);
  answer->headers = buf_text(&ex->headers_in);
  answer->headers_length = ex->headers_in.len;
  answer->saved_bytes = answer->outcome == HTTP_ANSWERED ? ex->file.bytes : 0;
  answer->ms = (double)(clock_mono_ns() - ex->started_ns) / 1e6;
  save_drop(&ex->file); /* what is not whole is gone by the time that somebody hears of it */
  ex->wire->open_count--;
  ex->done(ex, answer, ex->data);
  exchange_give(ex);
}

static void end_now(http_exchange *ex) {
  end(ex);
  exchange_deliver(ex);
}

static void total_is_over(timer *t) {
  http_exchange *ex = LIST_OF(http_exchange, deadline, t);
  outcome_of_timeout(ex);
  end_now(ex);
}

/* ---- a hop ---- */

/* With the addresses of its host, or NULL for an address. Returns 0, or -1 and the outcome is set. */
static int start(http_exchange *ex, const known_host *of) {
  if (of && !of->addresses) {
    answer_say(ex, HTTP_DNS, "%s does not resolve: %s", ex->at->host, of->error);
    return -1;
  }
  ex->state = EXCHANGE_WIRE;
  if (easy_start_hop(ex, of) == 0) return 0;
  answer_say(ex, HTTP_CONNECT, "no memory for a request to %s", ex->at->name);
  return -1;
}

static void lookup_too_long(timer *t) {
  http_exchange *ex = LIST_OF(http_exchange, deadline, t);
  char *host = ex->at->host;
  answer_say(ex, HTTP_DNS, "%s does not resolve: the name server took too long", host);
  end_now(ex);
}

static int64_t total_end_ms(const http_exchange *ex) {
  return ex->started_ns / 1000000 + 1 + ex->total_ms;
}

static void looked_up(host_waiter *waiter, const known_host *of) {
  http_exchange *ex = LIST_OF(http_exchange, lookup, waiter);
  http_timer_set(ex->wire, &ex->deadline, total_end_ms(ex), total_is_over);
  if (start(ex, of) != 0) end_now(ex);
}

/* Where nothing goes further than loopback, no name server is asked either. */
static int check_reach(http_exchange *ex) {
  ex->reached = ex->refused = false;
  if (ex->reach != HTTP_REACH_LOOPBACK || url_target_is_loopback(&ex->target)) return 0;
  answer_say(ex, HTTP_EGRESS, "%s%s is not on this machine; here nothing goes further than loopback",
             ex->hops ? "after a redirect: " : "", ex->target.name);
  return -1;
}

/* Goes to ex->target. Returns 0, or -1 when it ended at once and the outcome is set. */
static int start_hop(http_exchange *ex) {
  http *h = ex->wire;
  ex->hop_ns = clock_mono_ns();
  if (check_reach(ex) != 0) return -1;
  ex->at = destination_get(h, &ex->target, ex->ca_file, ex->reach);
  ex->lookup.found = looked_up;
  const known_host *of = NULL;
  if (!ex->at->literal && !(of = resolver_ask(&h->names, ex->at->host, &ex->lookup))) {
    int64_t connect_end = ex->hop_ns / 1000000 + 1 + ex->connect_ms;
    ex->state = EXCHANGE_LOOKUP;
    if (connect_end < total_end_ms(ex)) http_timer_set(h, &ex->deadline, connect_end, lookup_too_long);
    return 0;
  }
  return start(ex, of);
}

static void next_hop(http_exchange *ex) {
  multi_leave(ex);
  destination_leave(ex->at);
  ex->at = NULL;
  if (start_hop(ex) != 0) end_now(ex);
}

static void learn(http_exchange *ex) {
  long version = 0;
  if (ex->at->speaks != PROTOCOL_UNKNOWN) return;
  curl_easy_getinfo(ex->easy, CURLINFO_HTTP_VERSION, &version);
  ex->at->speaks = version >= CURL_HTTP_VERSION_2_0 ? PROTOCOL_2 : PROTOCOL_1;
}

void exchange_transferred(http_exchange *ex, CURLcode code) {
  outcome_of_transfer(ex, code);
  if (ex->answer.outcome == HTTP_ANSWERED) {
    learn(ex);
    if (redirect_prepare(ex)) {
      next_hop(ex);
      return;
    }
  }
  end_now(ex);
}

/* ---- what users call ---- */

static void reset(http_exchange *ex) {
  ex->answer = (http_answer){.body = BUF_EMPTY};
  ex->file = (save){0};
  ex->hops = 0;
  ex->deadline = (timer){0};
  ex->in = NULL;
  ex->at = NULL;
  list_init(&ex->lookup.link);
  answer_restart(ex);
}

http_exchange *http_send(http *h, const http_request *request, http_done done, void *data, error *err) {
  if (h->closing) {
    error_set(err, "the runtime is shutting down: nothing more is sent");
    return NULL;
  }
  http_exchange *ex = exchange_take(h, err);
  if (!ex) return NULL;
  reset(ex);
  if (request_copy(ex, request, err) != 0) {
    exchange_give(ex);
    return NULL;
  }
  error why;
  ex->done = done;
  ex->data = data;
  ex->started_ns = clock_mono_ns();
  h->open_count++;
  list_push(&h->open, &ex->link);
  http_timer_set(h, &ex->deadline, total_end_ms(ex), total_is_over);
  if (request->save_to && save_open(&ex->file, request->save_to, &why) != 0) { /* before anything is sent */
    answer_say(ex, HTTP_FILE, "%s", why.text);
    end_in_turn(ex);
  } else if (start_hop(ex) != 0) {
    end_in_turn(ex);
  }
  return ex;
}

void http_cancel(http_exchange *ex) {
  if (ex->state == EXCHANGE_ENDED) return;
  answer_say(ex, HTTP_CUT, "the request was cancelled");
  end_in_turn(ex);
}
