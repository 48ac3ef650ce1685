/* The wire as a whole: its beginning, its turns, its end. See http_parts.h. */
#include "base/alloc.h"
#include "http/http_parts.h"

#ifndef JAUNT_VERSION
#define JAUNT_VERSION "0"
#endif

/* ---- the beginning ---- */

static void names_idle(resolver *names) {
  http_free_unused(LIST_OF(http, names, names));
}

static void init_loop(http *h) {
  uv_timer_init(h->loop, &h->clock);
  uv_idle_init(h->loop, &h->turn);
  h->clock.data = h;
  h->turn.data = h;
  h->handles = 2;
}

static char *header_line(const char *name, const char *value) {
  buf line = BUF_EMPTY;
  buf_format(&line, "%s: %s", name, value);
  return buf_take(&line, NULL);
}

static void turned(http *h);

http *http_new(uv_loop_t *loop, const http_options *options) {
  http *h = mem_zero(sizeof *h);
  h->loop = loop;
  h->user_agent =
      header_line("User-Agent", options->user_agent ? options->user_agent : "jaunt/" JAUNT_VERSION);
  h->max_connections = options->max_connections > 0 ? options->max_connections : CONNECTIONS_DEFAULT;
  h->multis_wanted = options->multis > 0 ? options->multis : MULTIS_DEFAULT;
  h->all_through_libcurl = options->all_through_libcurl;
  h->taking = CURL_SOCKET_BAD;
  h->clock_at = INT64_MAX;
  h->turned = turned;
  list_init(&h->due);
  list_init(&h->ended);
  list_init(&h->open);
  list_init(&h->pool);
  list_init(&h->transfers);
  list_init(&h->idle);
  timers_init(&h->timers);
  resolver_init(&h->names, loop, names_idle);
  init_loop(h);
  return h;
}

size_t http_open_count(const http *h) {
  return h->open_count;
}

/* ---- the turns ---- */

static void tear_down(http *h);

static void turned(http *h) {
  multi_run_due(h);
  list ended;
  list_init(&ended);
  list_move_all(&ended, &h->ended);
  while (!list_empty(&ended)) exchange_deliver(LIST_OF(http_exchange, link, ended.next));
  if (h->closing && !h->open_count) tear_down(h);
}

/* ---- the end ---- */

static void free_outside_loop(http *h) {
  while (!list_empty(&h->pool)) exchange_free(LIST_OF(http_exchange, link, list_pop(&h->pool)));
  while (!list_empty(&h->transfers)) transfer_free(LIST_OF(transfer, link, list_pop(&h->transfers)));
  while (!list_empty(&h->idle)) h1_connection_close(LIST_OF(h1_connection, among_idle, h->idle.next));
  for (int i = 0; i < h->multis_count; i++) multi_free(h->multis[i]);
  h->multis_count = 0;
  http_unprepare(h);
}

static void handle_closed(uv_handle_t *handle) {
  http_handle_closed(handle->data);
}

/* All callbacks have come. libcurl closes its connections (their polls with them) while the loop still lives;
 * the memory goes when the loop has let go of the last handle. */
static void tear_down(http *h) {
  if (h->torn) return;
  h->torn = true;
  free_outside_loop(h);
  sock_drop_all(h);
  resolver_cancel(&h->names);
  uv_close((uv_handle_t *)&h->clock, handle_closed);
  uv_close((uv_handle_t *)&h->turn, handle_closed);
}

void http_close(http *h, void (*closed)(void *data), void *data) {
  h->closing = true;
  h->closed = closed;
  h->closed_data = data;
  while (!list_empty(&h->open)) http_cancel(LIST_OF(http_exchange, link, h->open.next));
  http_turn_soon(h);
}
