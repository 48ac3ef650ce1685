/* For the tests of http/: a fault server, a loop, a wire, and what came of each exchange.
 *
 * Nothing here waits for time to pass: a test runs the loop until what it asked for has happened, and the
 * wire's own timeouts end what would never do. */
#ifndef JAUNT_TESTS_HTTP_TRIAL_H
#define JAUNT_TESTS_HTTP_TRIAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "http/http.h"
#include "support/fault_server.h"

enum {
  LONG_MS = 100000,
  SHORT_MS = 200,
  ROUNDING_MS = 5
}; /* clocks are read in whole milliseconds, libcurl's apart from ours */

typedef struct trial {
  fault_server *server;
  uv_loop_t loop;
  http *wire;
  bool closed;
} trial;

/* How an exchange ended: a copy of its answer, and how often it was told. */
typedef struct ending {
  int told;
  http_outcome outcome;
  char detail[256];
  int status;
  buf headers, body;
  size_t saved_bytes;
  bool sent, off_public;
  int sends;
  double ms;
} ending;

/* ---- the trial ---- */

/* Whether plain http goes through libcurl, too: every test holds for both ways. */
static bool through_libcurl;

static inline int trial_process(void **state) {
  error err;
  (void)state;
  return http_process_init(&err);
}

static inline int trial_begin_with(void **state, const http_options *options) {
  error err = {""};
  trial *t = mem_zero(sizeof *t);
  t->server = fault_server_start(&err);
  assert_string_equal(err.text, "");
  uv_loop_init(&t->loop);
  http_options both = *options;
  both.all_through_libcurl = through_libcurl;
  t->wire = http_new(&t->loop, &both);
  *state = t;
  return 0;
}

static inline int trial_begin(void **state) {
  return trial_begin_with(state, &(http_options){0});
}

/* With a single multi handle, so that the connection of one request is there for the next. */
static inline int trial_begin_alone(void **state) {
  return trial_begin_with(state, &(http_options){.multis = 1});
}

static inline void trial_closed(void *data) {
  ((trial *)data)->closed = true;
}

/* Closes the wire and runs the loop until nothing is left on it. */
static inline void trial_close(trial *t) {
  http_close(t->wire, trial_closed, t);
  t->wire = NULL;
  assert_int_equal(uv_run(&t->loop, UV_RUN_DEFAULT), 0);
  assert_true(t->closed);
}

static inline int trial_end(void **state) {
  trial *t = *state;
  if (t->wire) trial_close(t);
  assert_int_equal(uv_loop_close(&t->loop), 0);
  fault_server_stop(t->server);
  free(t);
  return 0;
}

#define TRIAL(name)       cmocka_unit_test_setup_teardown(name, trial_begin, trial_end)
#define TRIAL_ALONE(name) cmocka_unit_test_setup_teardown(name, trial_begin_alone, trial_end)

static inline int trial_spoken_by_us(void **state) {
  through_libcurl = false;
  return trial_process(state);
}

static inline int trial_through_libcurl(void **state) {
  through_libcurl = true;
  return trial_process(state);
}

/* A test program's end: all of its tests, once for each of the two ways. */
#define TRIAL_RUN_BOTH(tests)                                                                                \
  (cmocka_run_group_tests_name("spoken by us", tests, trial_spoken_by_us, NULL) +                            \
   cmocka_run_group_tests_name("through libcurl", tests, trial_through_libcurl, NULL))

/* ---- requests ---- */

/* A URL at one of the server's ports. Holds until the fourth call after it. */
static inline const char *at(const trial *t, fault_port which, const char *path) {
  static char texts[4][1100];
  static unsigned next;
  char *text = texts[next++ % 4];
  bool tls = which >= FAULT_HTTPS && which <= FAULT_SELF_SIGNED;
  snprintf(text, sizeof *texts, "http%s://127.0.0.1:%d%s", tls ? "s" : "",
           fault_server_port(t->server, which), path);
  return text;
}

/* A GET with time enough for a slow machine, that may reach this one. */
static inline http_request get(const char *url) {
  return (http_request){
      .method = "GET", .url = url, .connect_ms = LONG_MS, .total_ms = LONG_MS, .reach = HTTP_REACH_ANY};
}

static inline http_request post(const char *url, const char *body) {
  http_request request = get(url);
  request.method = "POST";
  request.body = body;
  request.body_length = strlen(body);
  return request;
}

static inline void ending_note(http_exchange *exchange, http_answer *answer, void *data) {
  ending *e = data;
  (void)exchange;
  e->told++;
  e->outcome = answer->outcome;
  snprintf(e->detail, sizeof e->detail, "%s", answer->detail);
  e->status = answer->status;
  buf_add(&e->headers, answer->headers, answer->headers_length);
  buf_add(&e->body, answer->body.data, answer->body.len);
  e->saved_bytes = answer->saved_bytes;
  e->sent = answer->sent;
  e->off_public = answer->off_public;
  e->sends = answer->sends;
  e->ms = answer->ms;
}

static inline void ending_free(ending *e) {
  buf_free(&e->headers);
  buf_free(&e->body);
}

static inline http_exchange *begin(trial *t, const http_request *request, ending *e) {
  error err = {""};
  *e = (ending){0};
  http_exchange *exchange = http_send(t->wire, request, ending_note, e, &err);
  assert_string_equal(err.text, "");
  assert_non_null(exchange);
  assert_int_equal(e->told, 0); /* never from within http_send */
  return exchange;
}

/* Until `count` exchanges at `endings` have ended. */
static inline void run_until_told(trial *t, const ending *endings, size_t count) {
  for (size_t i = 0; i < count; i++) {
    while (!endings[i].told) uv_run(&t->loop, UV_RUN_ONCE);
  }
}

/* Sends and waits for the end; the caller frees what it gets. */
static inline ending ask(trial *t, const http_request *request) {
  ending e;
  begin(t, request, &e);
  run_until_told(t, &e, 1);
  assert_int_equal(e.told, 1);
  return e;
}

/* ---- what is asserted ---- */

static inline void assert_outcome(const ending *e, http_outcome outcome) {
  if (e->outcome != outcome) print_message("%s: %s\n", http_outcome_name(e->outcome), e->detail);
  assert_string_equal(http_outcome_name(e->outcome), http_outcome_name(outcome));
  if (outcome != HTTP_ANSWERED) assert_true(e->detail[0] != '\0');
}

static inline void assert_has(const char *text, const char *part) {
  if (!strstr(text, part)) print_message("no \"%s\" in: %s\n", part, text);
  assert_non_null(strstr(text, part));
}

static inline void assert_lacks(const char *text, const char *part) {
  if (strstr(text, part)) print_message("\"%s\" in: %s\n", part, text);
  assert_null(strstr(text, part));
}

/* Sends, expects a whole answer with that status, and frees it. */
static inline void expect_answer(trial *t, const http_request *request, int status, const char *body) {
  ending e = ask(t, request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, status);
  if (body) assert_string_equal(buf_text(&e.body), body);
  ending_free(&e);
}

/* Sends, expects that outcome and a word of its detail. */
static inline void expect_failure(trial *t, const http_request *request, http_outcome outcome,
                                  const char *word) {
  ending e = ask(t, request);
  assert_outcome(&e, outcome);
  assert_has(e.detail, word);
  ending_free(&e);
}

#endif
