/* The wire as a whole: what all requests share, its clock, its turns, and how it is closed. See http_parts.h.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http/http_parts.h"
#include "http/libcurl.h"

#ifndef JAUNT_VERSION
#define JAUNT_VERSION "0"
#endif

/* libcurl tells right before each sending of a request (CURLOPT_PREREQFUNCTION) from here on: see easy.c */
enum { CURL_LEAST = 0x075500 };

static int set_up_libcurl(error *err) {
  if (libcurl_load(err) != 0) return -1;
  CURLcode code = curl_global_init(CURL_GLOBAL_ALL);
  if (code) return error_set(err, "libcurl can't be set up: %s", curl_easy_strerror(code));
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  if (info->version_num < CURL_LEAST || !(info->features & CURL_VERSION_SSL))
    return error_set(err, "libcurl %s is too old or has no TLS: install 7.85 or later, with OpenSSL",
                     info->version);
  return 0;
}

int http_process_init(error *err) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static bool done;
  struct sigaction now; /* a peer that has gone is an error of a write, not the end of the process */
  pthread_mutex_lock(&lock);
  if (!done && sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
  done = done || set_up_libcurl(err) == 0;
  int status = done ? 0 : -1;
  pthread_mutex_unlock(&lock);
  return status;
}

int64_t http_now_ms(void) {
  return clock_mono_ns() / 1000000;
}

/* ---- the clock: one uv_timer for all timeouts ---- */

static void clock_rang(uv_timer_t *clock);

/* Arms the loop's timer for the earliest timeout. A timer that would ring too early is left as it is: most
 * timeouts are taken back long before they are due, and a ring in vain is cheaper than arming anew each time.
 */
static void arm(http *h) {
  int64_t next = timers_next(&h->timers);
  if (next >= h->clock_at || h->torn) return;
  int64_t left = next - http_now_ms();
  uv_update_time(h->loop);
  uv_timer_start(&h->clock, clock_rang, left > 0 ? (uint64_t)left : 0, 0);
  h->clock_at = next;
}

static void clock_rang(uv_timer_t *clock) {
  http *h = clock->data;
  h->clock_at = INT64_MAX;
  timers_fire(&h->timers, http_now_ms(), SIZE_MAX);
  arm(h);
}

void http_timer_set(http *h, timer *t, int64_t at_ms, timer_due due) {
  timer_set(&h->timers, t, at_ms, due);
  arm(h);
}

/* ---- the next turn of the loop ---- */

static void tear_down(http *h);

static void turn(uv_idle_t *idle) {
  http *h = idle->data;
  uv_idle_stop(idle);
  multi_run_due(h);
  list ended;
  list_init(&ended);
  list_move_all(&ended, &h->ended);
  while (!list_empty(&ended)) exchange_deliver(LIST_OF(http_exchange, link, ended.next));
  if (h->closing && !h->open_count) tear_down(h);
}

void http_turn_soon(http *h) {
  if (!h->torn) uv_idle_start(&h->turn, turn);
}

/* ---- beginning ---- */

static int share_sessions(http *h, error *err) {
  h->share = curl_share_init();
  if (h->share && curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK)
    return 0;
  return error_set(err, "libcurl can't share TLS sessions between requests");
}

/* Where the system keeps its certificates, so that a handle which had another CA file can go back to them. */
static int find_system_ca(http *h, error *err) {
  CURL *easy = curl_easy_init();
  char *file = NULL, *path = NULL;
  if (!easy) return error_set(err, "libcurl can't make a handle");
  curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
  curl_easy_getinfo(easy, CURLINFO_CAPATH, &path);
  h->system_ca_file = mem_text(file);
  h->system_ca_path = mem_text(path);
  curl_easy_cleanup(easy);
  return 0;
}

static void free_shared(http *h) {
  if (h->share) curl_share_cleanup(h->share);
  h->share = NULL;
}

int http_prepare(http *h, error *err) {
  if (h->share) return 0;
  if (http_process_init(err) != 0) return -1;
  bool brotli = curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_BROTLI;
  if (share_sessions(h, err) == 0 && find_system_ca(h, err) == 0) {
    h->encodings = mem_text(brotli ? "Accept-Encoding: gzip, br, deflate" : "Accept-Encoding: gzip, deflate");
    return 0;
  }
  free_shared(h);
  return -1;
}

static void free_outside_loop(http *h) {
  while (!list_empty(&h->pool)) exchange_free(LIST_OF(http_exchange, link, list_pop(&h->pool)));
  while (!list_empty(&h->transfers)) transfer_free(LIST_OF(transfer, link, list_pop(&h->transfers)));
  while (!list_empty(&h->idle)) h1_connection_close(LIST_OF(h1_connection, among_idle, h->idle.next));
  for (int i = 0; i < h->multis_count; i++) multi_free(h->multis[i]);
  h->multis_count = 0;
  free_shared(h);
}

static void free_memory(http *h) {
  timers_free(&h->timers);
  resolver_free(&h->names);
  table_free(&h->destinations);
  free(h->multis);
  free(h->socks);
  free(h->inbox);
  buf_free(&h->outbox);
  free(h->user_agent);
  free(h->encodings);
  free(h->system_ca_file);
  free(h->system_ca_path);
  free(h);
}

static void finish_close(http *h) {
  if (h->handles || h->names.under_way || !h->torn) return;
  void (*closed)(void *data) = h->closed;
  void *data = h->closed_data;
  free_memory(h);
  if (closed) closed(data);
}

static void names_idle(resolver *names) {
  finish_close(LIST_OF(http, names, names));
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

/* ---- end ---- */

void http_handle_closed(http *h) {
  h->handles--;
  finish_close(h);
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
