/* Calls over real sockets: real workers' loops with the real http/, against a server on loopback that does as
 * it is told. One thread for the server, one for each worker. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "calls/calls.h"

enum { SEEN_MOST = 512, WORKERS = 2, CALLS = 60, HOUR = 3600 * 1000 };

/* ---- the server ---- */

/* What it does with the nth request of a key: by default it answers 200. */
typedef enum deed { ANSWER, REFUSE_ONCE, RESET_ONCE, RESET, HALF, SILENCE } deed;

typedef struct server {
  int listener, port;
  pthread_t thread;
  _Atomic deed deed;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  char *seen[SEEN_MOST]; /* whole requests */
  size_t seen_count;
  int threads;
  _Atomic int inside, most_inside;
} server;

typedef struct visit {
  server *at;
  int socket;
} visit;

static size_t body_length(const char *head) {
  const char *line = strcasestr(head, "\r\nContent-Length:");
  return line ? strtoul(line + 17, NULL, 10) : 0;
}

/* A whole request, or NULL at the end of the connection. */
static char *read_request(int socket) {
  buf got = BUF_EMPTY;
  for (;;) {
    const char *text = buf_text(&got), *end = strstr(text, "\r\n\r\n");
    if (end && got.len >= (size_t)(end + 4 - text) + body_length(text)) return buf_take(&got, NULL);
    ssize_t n = recv(socket, buf_room(&got, 4096), 4096, 0);
    if (n <= 0) break;
    got.len += (size_t)n;
  }
  buf_free(&got);
  return NULL;
}

static void send_text(int socket, const char *text) {
  (void)!send(socket, text, strlen(text), MSG_NOSIGNAL);
}

static void reset(int socket) {
  struct linger hard = {1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

/* True when the connection stays. */
static bool answer(server *s, int socket, bool first) {
  switch (atomic_load(&s->deed)) {
  case REFUSE_ONCE:
    if (!first) break;
    send_text(socket, "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbusy");
    return true;
  case RESET_ONCE:
    if (!first) break;
    reset(socket);
    return false;
  case RESET: reset(socket); return false;
  case HALF: send_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"); return false;
  case SILENCE: {
    char byte;
    (void)!recv(socket, &byte, 1, 0); /* until the caller gives up */
    return false;
  }
  default: break;
  }
  send_text(socket,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}");
  return true;
}

static bool note(server *s, char *request) {
  pthread_mutex_lock(&s->lock);
  bool first = s->seen_count == 0;
  if (s->seen_count < SEEN_MOST)
    s->seen[s->seen_count++] = request;
  else
    free(request);
  pthread_mutex_unlock(&s->lock);
  return first;
}

/* How many requests came whole: asked on the test's thread while connections may still be open. */
static size_t seen_so_far(server *s) {
  pthread_mutex_lock(&s->lock);
  size_t count = s->seen_count;
  pthread_mutex_unlock(&s->lock);
  return count;
}

static void *serve_one(void *data) {
  visit *v = data;
  server *s = v->at;
  for (char *request; (request = read_request(v->socket));) {
    int now = atomic_fetch_add(&s->inside, 1) + 1, most = atomic_load(&s->most_inside);
    while (now > most && !atomic_compare_exchange_weak(&s->most_inside, &most, now)) {}
    bool first = note(s, request);
    atomic_fetch_sub(&s->inside, 1);
    if (!answer(s, v->socket, first)) break;
  }
  close(v->socket);
  free(v);
  pthread_mutex_lock(&s->lock);
  s->threads--;
  pthread_cond_signal(&s->changed);
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

static void *serve(void *data) {
  server *s = data;
  for (int socket; (socket = accept(s->listener, NULL, NULL)) >= 0;) {
    visit *v = mem_alloc(sizeof *v);
    *v = (visit){s, socket};
    pthread_mutex_lock(&s->lock);
    s->threads++;
    pthread_mutex_unlock(&s->lock);
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve_one, v)) abort();
    pthread_detach(thread);
  }
  return NULL;
}

static int server_start(void **state) {
  server *s = mem_zero(sizeof *s);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  s->listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(s->listener, 128), 0);
  assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &length), 0);
  s->port = ntohs(at.sin_port);
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->changed, NULL);
  assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
  *state = s;
  return 0;
}

static int server_stop(void **state) {
  server *s = *state;
  shutdown(s->listener, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->listener);
  pthread_mutex_lock(&s->lock);
  while (s->threads) pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
  for (size_t i = 0; i < s->seen_count; i++) free(s->seen[i]);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->changed);
  free(s);
  return 0;
}

/* ---- a worker ---- */

typedef struct station {
  pthread_t thread;
  uv_loop_t loop;
  uv_prepare_t turn;
  uv_idle_t awake;
  uv_timer_t alarm;
  uv_async_t news;
  pthread_mutex_t lock;
  limit_waiter *mail[CALLS];
  size_t mail_count;
  logical_clock clock;
  timers timers;
  http *wire;
  calls *all;
  int busy;
  connection *via;
  char url[64];
  call *made[CALLS];
  size_t made_count, done_count;
} station;

static void on_intend(call *c) {
  call_release(c);
}

static void on_done(call *c) {
  ((station *)c->owner)->done_count++;
}

static const call_hooks hooks = {.intend = on_intend, .done = on_done};

static void post_grant(void *worker, limit_waiter *waiter) {
  station *s = worker;
  pthread_mutex_lock(&s->lock);
  s->mail[s->mail_count++] = waiter;
  pthread_mutex_unlock(&s->lock);
  uv_async_send(&s->news);
}

static void busy(void *worker, int change) {
  ((station *)worker)->busy += change;
}

static void nothing(uv_async_t *handle) {
  (void)handle;
}

static void idle(uv_idle_t *handle) {
  (void)handle;
}

static void alarm_rang(uv_timer_t *handle) {
  (void)handle;
}

static void read_mail(station *s) {
  limit_waiter *mail[CALLS];
  pthread_mutex_lock(&s->lock);
  size_t count = s->mail_count;
  memcpy(mail, s->mail, sizeof mail);
  s->mail_count = 0;
  pthread_mutex_unlock(&s->lock);
  for (size_t i = 0; i < count; i++) calls_granted(s->all, mail[i]);
}

static void wire_closed(void *data) {
  station *s = data;
  uv_close((uv_handle_t *)&s->turn, NULL);
  uv_close((uv_handle_t *)&s->awake, NULL);
  uv_close((uv_handle_t *)&s->alarm, NULL);
  uv_close((uv_handle_t *)&s->news, NULL);
}

static void turn(uv_prepare_t *handle) {
  station *s = handle->data;
  read_mail(s);
  int64_t now = logical_elapsed_ms(&s->clock), next;
  timers_fire(&s->timers, now, 1000);
  if (calls_run(s->all))
    uv_idle_start(&s->awake, idle);
  else
    uv_idle_stop(&s->awake);
  uv_timer_stop(&s->alarm);
  if ((next = timers_next(&s->timers)) != INT64_MAX)
    uv_timer_start(&s->alarm, alarm_rang, next > now ? (uint64_t)(next - now) : 0, 0);
  if (s->done_count < s->made_count || !s->wire) return;
  http_close(s->wire, wire_closed, s);
  s->wire = NULL;
}

static station *station_new(const server *at, connection *via) {
  station *s = mem_zero(sizeof *s);
  uv_loop_init(&s->loop);
  uv_prepare_init(&s->loop, &s->turn);
  uv_idle_init(&s->loop, &s->awake);
  uv_timer_init(&s->loop, &s->alarm);
  uv_async_init(&s->loop, &s->news, nothing);
  s->turn.data = s;
  pthread_mutex_init(&s->lock, NULL);
  logical_init_real(&s->clock);
  timers_init(&s->timers);
  s->wire = http_new(&s->loop, &(http_options){0});
  s->via = via;
  s->all = calls_new(&(calls_options){.wire = s->wire,
                                      .pauses = &s->timers,
                                      .clock = &s->clock,
                                      .hooks = &hooks,
                                      .post_grant = post_grant,
                                      .busy = busy,
                                      .worker = s});
  snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/leads", at->port);
  return s;
}

static call *a_call(station *s) {
  call *c = s->made[s->made_count++] = call_new(s->all);
  c->owner = s;
  c->via = s->via;
  c->method = "POST";
  c->url = mem_text(s->url);
  c->timeout_ms = 20000;
  c->within_ms = HOUR;
  c->retry = (retry_policy){4, 1, 1};
  c->success = s->via->success;
  c->key_header = s->via->idempotent;
  c->content_type = "application/json";
  snprintf(c->key, sizeof c->key, "%p", (void *)c);
  buf_text_add(&c->body, "{\"name\":\"Ada\"}");
  c->has_body = true;
  return c;
}

/* Until all its calls are done and the wire is closed. */
static void *run(void *data) {
  station *s = data;
  uv_prepare_start(&s->turn, turn);
  for (size_t i = 0; i < s->made_count; i++) call_start(s->made[i]);
  uv_idle_start(&s->awake, idle);
  uv_run(&s->loop, UV_RUN_DEFAULT);
  return NULL;
}

static void station_free(station *s) {
  assert_int_equal(s->busy, 0);
  assert_int_equal(uv_loop_close(&s->loop), 0);
  for (size_t i = 0; i < s->made_count; i++) call_free(s->made[i]);
  calls_free(s->all);
  timers_free(&s->timers);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

/* ---- the promises ---- */

typedef struct trial {
  connection *via;
  station *station;
  call *call;
} trial;

static trial try_one(server *s, deed does) {
  trial t = {.via = connection_new("crm")};
  t.via->private_network = true; /* its server is on this machine */
  atomic_store(&s->deed, does);
  t.station = station_new(s, t.via);
  t.call = a_call(t.station);
  return t;
}

static void trial_end(trial *t) {
  station_free(t->station);
  connection_free(t->via);
}

static void a_call_reaches_the_vendor_as_it_was_put_together(void **state) {
  server *s = *state;
  trial t = try_one(s, ANSWER);
  run(t.station);
  assert_int_equal(t.call->result, CALL_OK);
  assert_string_equal(buf_text(&t.call->answer), "{\"ok\":true}");
  assert_non_null(strstr(buf_text(&t.call->answer_headers), "Content-Type: application/json\n"));
  assert_int_equal(seen_so_far(s), 1);
  assert_memory_equal(s->seen[0], "POST /leads HTTP/1.1\r\n", 22);
  assert_non_null(strstr(s->seen[0], "\r\nContent-Type: application/json\r\n"));
  assert_non_null(strstr(s->seen[0], "\r\nIdempotency-Key: 0x"));
  assert_non_null(strstr(s->seen[0], "\r\n\r\n{\"name\":\"Ada\"}"));
  trial_end(&t);
}

static void a_refused_call_is_sent_again_with_the_same_bytes(void **state) {
  server *s = *state;
  trial t = try_one(s, REFUSE_ONCE);
  run(t.station);
  assert_int_equal(t.call->result, CALL_OK);
  assert_int_equal(t.call->attempts, 2);
  assert_int_equal(seen_so_far(s), 2);
  assert_string_equal(s->seen[0], s->seen[1]);
  trial_end(&t);
}

static void a_reset_is_tried_again_with_a_key(void **state) {
  server *s = *state;
  trial t = try_one(s, RESET_ONCE);
  run(t.station);
  assert_int_equal(t.call->result, CALL_OK);
  assert_int_equal(t.call->attempts, 2);
  assert_int_equal(seen_so_far(s), 2);
  trial_end(&t);
}

static void a_reset_or_half_an_answer_is_unknown_without_a_key(void **state) {
  server *s = *state;
  static const deed deeds[] = {RESET, HALF};
  for (size_t i = 0; i < 2; i++) {
    trial t = try_one(s, deeds[i]);
    t.call->key_header = NULL;
    run(t.station);
    assert_int_equal(t.call->result, CALL_UNKNOWN);
    assert_int_equal(t.call->reason, REASON_RESET);
    assert_int_equal(seen_so_far(s), i + 1); /* sent once, and never again */
    trial_end(&t);
  }
}

static void a_vendor_that_never_answers_ends_with_timeout(void **state) {
  server *s = *state;
  trial t = try_one(s, SILENCE);
  t.call->timeout_ms = 100;
  t.call->retry.attempts = 2;
  run(t.station);
  assert_int_equal(t.call->result, CALL_FAILED);
  assert_int_equal(t.call->reason, REASON_TIMEOUT);
  assert_int_equal(t.call->attempts, 2);
  trial_end(&t);
}

static void within_ends_what_is_on_the_wire(void **state) {
  server *s = *state;
  trial t = try_one(s, SILENCE);
  t.call->within_ms = 100;
  run(t.station);
  assert_int_equal(t.call->result, CALL_FAILED);
  assert_int_equal(t.call->reason, REASON_WITHIN);
  trial_end(&t);
}

static void a_port_that_nobody_serves_ends_with_connect(void **state) {
  server *s = *state;
  trial t = try_one(s, ANSWER);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  int bound = socket(AF_INET, SOCK_STREAM, 0); /* taken, but not listened at */
  assert_int_equal(bind(bound, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(getsockname(bound, (struct sockaddr *)&at, &length), 0);
  free(t.call->url);
  t.call->url = mem_alloc(64);
  snprintf(t.call->url, 64, "http://127.0.0.1:%d/?key=hush", ntohs(at.sin_port));
  t.call->key_header = NULL;
  run(t.station);
  assert_int_equal(t.call->result, CALL_FAILED);
  assert_int_equal(t.call->reason, REASON_CONNECT);
  assert_int_equal(t.call->attempts, 4);
  assert_null(strstr(t.call->detail, "hush"));
  assert_int_equal(seen_so_far(s), 0);
  close(bound);
  trial_end(&t);
}

static size_t check_ends(const station *s, bool hurried) {
  size_t answered = 0;
  for (size_t i = 0; i < CALLS; i++) {
    const call *c = s->made[i];
    if (c->result == CALL_OK)
      answered++;
    else
      assert_true(hurried && c->result == CALL_FAILED && c->reason == REASON_WITHIN);
  }
  return answered;
}

/* Two workers share three places; with `hurried`, deadlines keep crossing grants that are on their way. */
static void share(server *s, bool hurried) {
  station *stations[WORKERS];
  connection *via = connection_new("crm");
  via->private_network = true;
  limit_free(via->limit);
  via->limit = limit_new(3);
  for (size_t w = 0; w < WORKERS; w++) {
    stations[w] = station_new(s, via);
    for (size_t i = 0; i < CALLS; i++) {
      call *c = a_call(stations[w]);
      if (hurried) c->within_ms = (int64_t)(i / 2);
    }
    if (pthread_create(&stations[w]->thread, NULL, run, stations[w])) abort();
  }
  size_t answered = 0;
  for (size_t w = 0; w < WORKERS; w++) {
    pthread_join(stations[w]->thread, NULL);
    answered += check_ends(stations[w], hurried);
  }
  assert_true(atomic_load(&s->most_inside) <= 3 || hurried); /* cancelled calls may still be at the server */
  assert_true(hurried || answered == WORKERS * CALLS);
  assert_int_equal(limit_queued(via->limit), 0);
  limit_waiter waiter[4];
  for (int i = 0; i < 3; i++) assert_true(limit_acquire(via->limit, &waiter[i]));
  assert_false(limit_acquire(via->limit, &waiter[3])); /* each place came back, and came back once */
  assert_true(limit_leave(via->limit, &waiter[3]));
  for (size_t w = 0; w < WORKERS; w++) station_free(stations[w]);
  connection_free(via);
}

static void workers_share_a_connections_places(void **state) {
  share(*state, false);
  assert_int_equal(seen_so_far(*state), WORKERS * CALLS);
}

static void no_place_is_lost_when_deadlines_cross_grants(void **state) {
  share(*state, true);
}

static int process_init(void **state) {
  (void)state;
  error err;
  return http_process_init(&err);
}

#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, server_start, server_stop)

int main(void) {
  const struct CMUnitTest tests[] = {
      WIRE_TEST(a_call_reaches_the_vendor_as_it_was_put_together),
      WIRE_TEST(a_refused_call_is_sent_again_with_the_same_bytes),
      WIRE_TEST(a_reset_is_tried_again_with_a_key),
      WIRE_TEST(a_reset_or_half_an_answer_is_unknown_without_a_key),
      WIRE_TEST(a_vendor_that_never_answers_ends_with_timeout),
      WIRE_TEST(within_ends_what_is_on_the_wire),
      WIRE_TEST(a_port_that_nobody_serves_ends_with_connect),
      WIRE_TEST(workers_share_a_connections_places),
      WIRE_TEST(no_place_is_lost_when_deadlines_cross_grants),
  };
  return cmocka_run_group_tests(tests, process_init, NULL);
}
