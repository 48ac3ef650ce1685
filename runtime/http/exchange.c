/* One request, from http_send to its callback. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http/http_parts.h"

/* ---- the pool ---- */

static http_exchange *exchange_take(http *h) {
  if (list_empty(&h->pool)) {
    http_exchange *ex = mem_zero(sizeof *ex);
    ex->wire = h;
    list_init(&ex->link);
    return ex;
  }
  h->pool_count--;
  list *newest = h->pool.prev; /* its memory is the warmest */
  list_remove(newest);
  return LIST_OF(http_exchange, link, newest);
}

void exchange_free(http_exchange *ex) {
  h1_answer_free(&ex->parser);
  buf_free(&ex->headers_in);
  free(ex);
}

/* Back to the pool. */
static void exchange_give(http_exchange *ex) {
  http *h = ex->wire;
  request_forget(ex);
  h1_decoder_free(ex->decoder);
  ex->decoder = NULL;
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

static void leave_wire(http_exchange *ex) {
  multi_leave(ex);
  h1_leave(ex);
  if (ex->at) destination_leave(ex->at);
  if (ex->next) destination_leave(ex->next);
  ex->at = ex->next = NULL;
}

/* Off the wire, off the clock: only the callback is left. The answer says by now how it ended. */
static void end(http_exchange *ex) {
  leave_wire(ex);
  resolver_leave(&ex->lookup);
  timer_clear(&ex->wire->timers, &ex->deadline);
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

/* ---- a hop ---- */

static void next_hop(http_exchange *ex);

/* What all that a hop may end by comes to: its outcome is set. It goes on, or tells: now, or in the next turn of the loop. */
static void over(http_exchange *ex, bool soon) {
  if (soon)
    end_in_turn(ex);
  else if (ex->answer.outcome == HTTP_ANSWERED && redirect_prepare(ex))
    next_hop(ex);
  else
    end_now(ex);
}

/* Is there a segment that is "." or ".."? */
static bool has_dots(const char *path) {
  for (; *path && *path != '?' && *path != '#'; path++) {
    if (path[0] != '/' || path[1] != '.') continue;
    const char *after = path + (path[2] == '.' ? 3 : 2);
    if (*after == '\0' || strchr("/?#", *after)) return true;
  }
  return false;
}

/* What goes to http:// is spoken by us, unless the user decides about encodings, of which libcurl knows more,
 * or the path is one that libcurl makes another of. */
static bool is_ours(const http_exchange *ex) {
  if (ex->at->tls || ex->wire->all_through_libcurl || ex->given & HEADER_ENCODINGS) return false;
  return !has_dots(destination_path(ex->at, request_url(ex)));
}

static void learn(http_exchange *ex) {
  long version = 0;
  if (ex->at->speaks != PROTOCOL_UNKNOWN) return;
  curl_easy_getinfo(ex->transfer->easy, CURLINFO_HTTP_VERSION, &version);
  ex->at->speaks = version >= CURL_HTTP_VERSION_2_0 ? PROTOCOL_2 : PROTOCOL_1;
}

static void transferred(http_exchange *ex, CURLcode code) {
  outcome_of_transfer(ex, code);
  if (ex->answer.outcome == HTTP_ANSWERED) learn(ex);
  over(ex, false);
}

/* Where nothing goes further than loopback, no name server is asked either. */
static int check_reach(http_exchange *ex) {
  if (ex->reach != HTTP_REACH_LOOPBACK || ex->at->is_here) return 0;
  answer_say(ex, HTTP_EGRESS, "%s%s is not on this machine; here nothing goes further than loopback",
             ex->hops ? "after a redirect: " : "", ex->at->name);
  return -1;
}

static int start_libcurl(http_exchange *ex, const known_host *of) {
  error err;
  if (easy_start_hop(ex, of, transferred, &err) == 0) return 0;
  answer_say(ex, HTTP_CONNECT, "%s", err.text);
  return -1;
}

/* Goes to ex->next. Returns 0, or -1 when it ended at once and the outcome is set. */
static int start_hop(http_exchange *ex) {
  ex->at = ex->next;
  ex->next = NULL;
  ex->fresh = ex->reached = ex->refused = false;
  if (check_reach(ex) != 0) return -1;
  ex->ours = is_ours(ex);
  return ex->ours ? h1_reach(ex) : reach_host(ex, start_libcurl);
}

static void next_hop(http_exchange *ex) {
  destination *next = ex->next;
  ex->next = NULL;
  leave_wire(ex);
  ex->next = next;
  ex->hop_ns = clock_mono_ns();
  if (start_hop(ex) != 0) end_now(ex);
}

/* ---- what users call ---- */

static void reset(http_exchange *ex) {
  ex->answer = (http_answer){.body = BUF_EMPTY};
  ex->file = (save){0};
  ex->hops = 0;
  ex->drops_body_headers = false;
  ex->deadline = (timer){0};
  ex->over = over;
  list_init(&ex->lookup.link);
  list_init(&ex->queue);
  answer_restart(ex);
}

static void begin(http_exchange *ex, const http_request *request, http_done done, void *data) {
  error why;
  ex->done = done;
  ex->data = data;
  ex->started_ns = ex->hop_ns = clock_mono_ns();
  ex->next = ex->origin;
  ex->next->users++;
  ex->wire->open_count++;
  list_push(&ex->wire->open, &ex->link);
  reach_watch(ex);
  if (request->save_to &&
      save_open(&ex->file, request->save_below, request->save_to, &why) != 0) { /* before anything is sent */
    answer_say(ex, HTTP_FILE, "%s", why.text);
    end_in_turn(ex);
  } else if (start_hop(ex) != 0) {
    end_in_turn(ex);
  }
}

http_exchange *http_send(http *h, const http_request *request, http_done done, void *data, error *err) {
  if (h->closing) {
    error_set(err, "the runtime is shutting down: nothing more is sent");
    return NULL;
  }
  if (http_prepare(h, err) != 0) return NULL;
  http_exchange *ex = exchange_take(h);
  reset(ex);
  if (request_copy(ex, request, err) != 0) {
    exchange_give(ex);
    return NULL;
  }
  begin(ex, request, done, data);
  return ex;
}

void http_cancel(http_exchange *ex) {
  if (ex->state == EXCHANGE_ENDED) return;
  answer_say(ex, HTTP_CUT, "the request was cancelled");
  end_in_turn(ex);
}
