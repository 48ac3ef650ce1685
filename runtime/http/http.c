/* What all requests share: libcurl, set up; the clock; the turn of the loop that is next; and their memory. See http_parts.h. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "http/http_parts.h"
#include "http/libcurl.h"

/* libcurl tells right before each sending of a request (CURLOPT_PREREQFUNCTION) from here on: see transfer.c */
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

static void turn(uv_idle_t *idle) {
  http *h = idle->data;
  uv_idle_stop(idle);
  h->turned(h);
}

void http_turn_soon(http *h) {
  if (!h->torn) uv_idle_start(&h->turn, turn);
}

/* ---- what all of libcurl's transfers share ---- */

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

void http_unprepare(http *h) {
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
  http_unprepare(h);
  return -1;
}

/* ---- memory ---- */

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

void http_free_unused(http *h) {
  if (h->handles || h->names.under_way || !h->torn) return;
  void (*closed)(void *data) = h->closed;
  void *data = h->closed_data;
  free_memory(h);
  if (closed) closed(data);
}

void http_handle_closed(http *h) {
  h->handles--;
  http_free_unused(h);
}
