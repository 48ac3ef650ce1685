/* The pretend vendor's life: it listens, runs libmicrohttpd on a loop and a thread of its own, and ends. */
#include "serve/vendor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "serve/vendor_parts.h"
#include "serve/vendor_tell.h"

enum { BACKLOG = 4096, WAKES_AT_ONCE = 1000 };

/* ---- the loop ---- */

static void serve(vendor *v);

static void on_again(uv_timer_t *handle) {
  serve(handle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)status; /* an epoll descriptor has no errors of its own; serving finds what there is */
  (void)events;
  serve(poll->data);
}

static void on_wake(uv_timer_t *handle) {
  vendor *v = handle->data;
  timers_fire(&v->waits, clock_mono_ns() / 1000000, WAKES_AT_ONCE);
  serve(v);
}

/* Asks to be called when the daemon wants it, and when the next answer is due. */
static void arm(vendor *v) {
  MHD_UNSIGNED_LONG_LONG wanted_ms;
  int64_t next_ms = timers_next(&v->waits), now_ms = clock_mono_ns() / 1000000;
  uv_update_time(&v->loop);
  if (MHD_get_timeout(v->daemon, &wanted_ms) == MHD_YES)
    uv_timer_start(&v->again, on_again, wanted_ms, 0);
  else
    uv_timer_stop(&v->again);
  if (next_ms == INT64_MAX)
    uv_timer_stop(&v->wake);
  else
    uv_timer_start(&v->wake, on_wake, next_ms > now_ms ? (uint64_t)(next_ms - now_ms) : 0, 0);
}

static void serve(vendor *v) {
  MHD_run(v->daemon);
  arm(v);
}

static void on_ending(uv_async_t *async) {
  vendor *v = async->data;
  uv_close((uv_handle_t *)&v->ready, NULL);
  uv_close((uv_handle_t *)&v->again, NULL);
  uv_close((uv_handle_t *)&v->wake, NULL);
  uv_close((uv_handle_t *)&v->ending, NULL);
}

/* The handles are closed, and the loop is left, before the daemon closes the descriptor they watch. */
static void *run(void *data) {
  vendor *v = data;
  arm(v);
  uv_run(&v->loop, UV_RUN_DEFAULT);
  vendor_http_stop(v);
  return NULL;
}

static int loop_start(vendor *v, error *err) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(v->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == NULL || info->epoll_fd < 0) return error_set(err, "libmicrohttpd gives no epoll descriptor");
  int status = uv_poll_init(&v->loop, &v->ready, info->epoll_fd);
  if (status != 0) return error_set(err, "the pretend vendor's loop does not start: %s", uv_strerror(status));
  uv_timer_init(&v->loop, &v->again);
  uv_timer_init(&v->loop, &v->wake);
  v->ready.data = v->again.data = v->wake.data = v->ending.data = v;
  uv_poll_start(&v->ready, UV_READABLE, on_ready);
  return 0;
}

/* Signals are the main thread's. */
static int thread_start(vendor *v, error *err) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int status = pthread_create(&v->thread, NULL, run, v);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status == 0 ? 0 : error_set(err, "the pretend vendor gets no thread: %s", strerror(status));
}

/* ---- starting and stopping ---- */

static int listen_on(vendor *v, int port, error *err) {
  const int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (v->fd < 0) return error_set(err, "the pretend vendor gets no socket: %s", strerror(errno));
  setsockopt(v->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(v->fd, (struct sockaddr *)&address, size) != 0 || listen(v->fd, BACKLOG) != 0) {
    return error_set(err, "the pretend vendor can't listen on 127.0.0.1:%d: %s%s", port, strerror(errno),
                     errno == EADDRINUSE ? "; --port 0 takes a free one" : "");
  }
  getsockname(v->fd, (struct sockaddr *)&address, &size);
  v->port = ntohs(address.sin_port);
  return 0;
}

static int check_options(const vendor_options *options, error *err) {
  const vendor_faults faults = {options->latency_ms, options->fail, options->reset};
  if (options->port < 0 || options->port > 65535)
    return error_set(err, "a port is from 0 to 65535, not %" PRId64, options->port);
  return vendor_faults_check(&faults, "the pretend vendor", err);
}

static int prepare(vendor *v, const vendor_options *options, error *err) {
  if (check_options(options, err) != 0) return -1;
  if (options->behaviour != NULL) {
    v->behaviour = vendor_behaviour_load(options->behaviour, options->seed, &v->faults, err);
    if (v->behaviour == NULL) return -1;
  }
  if (listen_on(v, (int)options->port, err) != 0 || vendor_http_start(v, err) != 0) return -1;
  return 0;
}

static void vendor_free(vendor *v) {
  vendor_http_stop(v);
  if (v->fd >= 0) close(v->fd);
  vendor_behaviour_free(v->behaviour);
  vendor_record_free(v->record);
  timers_free(&v->waits);
  free(v);
}

/* Closes what of the loop was opened on the way to a start that failed. */
static void abandon_loop(vendor *v) {
  uv_close((uv_handle_t *)&v->ending, NULL);
  if (v->ready.loop != NULL) uv_close((uv_handle_t *)&v->ready, NULL);
  if (v->again.loop != NULL) uv_close((uv_handle_t *)&v->again, NULL);
  if (v->wake.loop != NULL) uv_close((uv_handle_t *)&v->wake, NULL);
  uv_run(&v->loop, UV_RUN_DEFAULT);
  uv_loop_close(&v->loop);
}

vendor *vendor_start(const vendor_options *options, error *err) {
  vendor *v = mem_zero(sizeof *v);
  v->seed = options->seed;
  v->faults = (vendor_faults){options->latency_ms, options->fail, options->reset};
  v->record = vendor_record_new(options->remember);
  v->fd = -1;
  list_init(&v->waiting);
  timers_init(&v->waits);
  if (prepare(v, options, err) != 0) goto failed;
  int status = uv_loop_init(&v->loop);
  if (status == 0 && (status = uv_async_init(&v->loop, &v->ending, on_ending)) != 0) uv_loop_close(&v->loop);
  if (status != 0) {
    error_set(err, "the pretend vendor's loop does not start: %s", uv_strerror(status));
    goto failed;
  }
  if (loop_start(v, err) == 0 && thread_start(v, err) == 0) return v;
  abandon_loop(v);
failed:
  vendor_free(v);
  return NULL;
}

int vendor_port(const vendor *v) {
  return v->port;
}

vendor_counts vendor_count(vendor *v) {
  return vendor_record_counts(v->record);
}

void vendor_received(vendor *v, bool items, buf *out) {
  vendor_pair asked = {{(char *)"items", 5}, {(char *)"1", 1}};
  vendor_tell(v->record, items ? &(vendor_pairs){.items = &asked, .count = 1} : &(vendor_pairs){0}, out);
}

void vendor_stop(vendor *v) {
  if (v == NULL) return;
  uv_async_send(&v->ending);
  pthread_join(v->thread, NULL);
  uv_loop_close(&v->loop);
  vendor_free(v);
}
