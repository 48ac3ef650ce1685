/* On the way to a connection: the addresses of a hop's host, and until when what is to come has to come. */
#include "http/http_parts.h"

/* ---- deadlines ---- */

static void total_is_over(timer *t) {
  http_exchange *ex = LIST_OF(http_exchange, deadline, t);
  outcome_of_timeout(ex);
  ex->over(ex, false);
}

static int64_t total_end_ms(const http_exchange *ex) {
  return ex->started_ns / 1000000 + 1 + ex->total_ms;
}

void reach_watch(http_exchange *ex) {
  http_timer_set(ex->wire, &ex->deadline, total_end_ms(ex), total_is_over);
}

void reach_watch_connect(http_exchange *ex, timer_due due) {
  int64_t connect_end = ex->hop_ns / 1000000 + 1 + ex->connect_ms;
  if (connect_end < total_end_ms(ex)) http_timer_set(ex->wire, &ex->deadline, connect_end, due);
}

/* ---- addresses ---- */

/* With the addresses of its host, or NULL for an address. Returns 0, or -1 and the outcome is set. */
static int start(http_exchange *ex, const known_host *of) {
  if (of && !of->addresses) {
    answer_say(ex, HTTP_DNS, "%s does not resolve: %s", ex->at->host, of->error);
    return -1;
  }
  ex->state = EXCHANGE_WIRE;
  return ex->start(ex, of);
}

static void lookup_too_long(timer *t) {
  http_exchange *ex = LIST_OF(http_exchange, deadline, t);
  char *host = ex->at->host;
  answer_say(ex, HTTP_DNS, "%s does not resolve: the name server took too long", host);
  ex->over(ex, false);
}

static void looked_up(host_waiter *waiter, const known_host *of) {
  http_exchange *ex = LIST_OF(http_exchange, lookup, waiter);
  reach_watch(ex);
  if (start(ex, of) != 0) ex->over(ex, false);
}

int reach_host(http_exchange *ex, hop_start begin) {
  const known_host *of = NULL;
  ex->start = begin;
  ex->lookup.found = looked_up;
  if (ex->at->literal || (of = resolver_ask(&ex->wire->names, ex->at->host, &ex->lookup)))
    return start(ex, of);
  ex->state = EXCHANGE_LOOKUP;
  reach_watch_connect(ex, lookup_too_long);
  return 0;
}
