/* Exchanges that are cut, and the wire's own end: each callback comes once, and nothing is left. */
#include "http_trial.h"

/* ---- cancelling ---- */

static void a_cancelled_request_is_told_of_once_and_later(void **state) {
  trial *t = *state;
  ending e;
  http_request request = get(at(t, FAULT_HTTP, "/never"));
  http_exchange *exchange = begin(t, &request, &e);
  http_cancel(exchange);
  assert_int_equal(e.told, 0);
  http_cancel(exchange); /* and once more does nothing */
  run_until_told(t, &e, 1);
  assert_outcome(&e, HTTP_CUT);
  assert_int_equal(e.told, 1);
  assert_int_equal(http_open_count(t->wire), 0);
  ending_free(&e);
}

/* The loop runs until the server has the request. */
static void run_until_arrived(trial *t, const char *path, size_t count) {
  while (fault_server_count(t->server, path) < count) uv_run(&t->loop, UV_RUN_NOWAIT);
}

static void a_request_can_be_cancelled_while_the_server_has_it(void **state) {
  trial *t = *state;
  ending e;
  http_request request = get(at(t, FAULT_HTTP, "/never"));
  http_exchange *exchange = begin(t, &request, &e);
  run_until_arrived(t, "/never", 1);
  http_cancel(exchange);
  run_until_told(t, &e, 1);
  assert_outcome(&e, HTTP_CUT);
  assert_true(e.sent);
  ending_free(&e);
  request = get(at(t, FAULT_HTTP, "/ok"));
  expect_answer(t, &request, 200, "ok");
}

static void a_request_can_be_cancelled_while_it_connects_or_its_name_is_looked_up(void **state) {
  trial *t = *state;
  char name[64];
  snprintf(name, sizeof name, "http://localhost:%d/ok", fault_server_port(t->server, FAULT_HTTP));
  const char *const urls[] = {at(t, FAULT_FULL, "/ok"), name, "http://nowhere.invalid/"};
  for (size_t i = 0; i < 3; i++) {
    for (int turns = 0; turns < 3; turns++) {
      ending e;
      http_request request = get(urls[i]);
      http_exchange *exchange = begin(t, &request, &e);
      for (int turn = 0; turn < turns && !e.told; turn++) uv_run(&t->loop, UV_RUN_NOWAIT);
      if (!e.told) http_cancel(exchange);
      run_until_told(t, &e, 1);
      assert_int_equal(e.told, 1);
      ending_free(&e);
    }
  }
  http_request request = get(name);
  expect_answer(t, &request, 200, "ok");
}

/* ---- from within callbacks ---- */

typedef struct chain {
  trial *trial;
  const char *url;
  int left, told;
  http_exchange *other; /* cancelled by the first callback */
} chain;

static void send_next(http_exchange *exchange, http_answer *answer, void *data) {
  chain *c = data;
  error err;
  http_request request = get(c->url);
  assert_int_equal(answer->outcome, HTTP_ANSWERED);
  http_cancel(exchange); /* which has ended: nothing happens */
  if (c->other) http_cancel(c->other);
  c->other = NULL;
  c->told++;
  if (c->left-- > 0) assert_non_null(http_send(c->trial->wire, &request, send_next, c, &err));
}

static void a_callback_may_send_and_cancel(void **state) {
  trial *t = *state;
  char url[64];
  error err;
  ending other;
  http_request hanging = get(at(t, FAULT_HTTP, "/never"));
  snprintf(url, sizeof url, "%s", at(t, FAULT_HTTP, "/ok"));
  chain c = {.trial = t, .url = url, .left = 100, .other = begin(t, &hanging, &other)};
  http_request request = get(url);
  assert_non_null(http_send(t->wire, &request, send_next, &c, &err));
  while (c.left >= 0) uv_run(&t->loop, UV_RUN_ONCE);
  run_until_told(t, &other, 1);
  assert_int_equal(c.told, 101);
  assert_outcome(&other, HTTP_CUT);
  ending_free(&other);
}

static void take_body(http_exchange *exchange, http_answer *answer, void *data) {
  (void)exchange;
  *(char **)data = buf_take(&answer->body, NULL);
}

static void a_callback_may_keep_the_body(void **state) {
  trial *t = *state;
  char *body = NULL;
  error err;
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  assert_non_null(http_send(t->wire, &request, take_body, &body, &err));
  while (!body) uv_run(&t->loop, UV_RUN_ONCE);
  assert_string_equal(body, "ok");
  free(body);
}

/* ---- the wire's end ---- */

static void closing_cuts_what_is_open_in_whatever_state_it_is(void **state) {
  static const struct {
    fault_port port;
    const char *path;
  } open[] = {{FAULT_HTTP, "/never"},     {FAULT_FULL, "/ok"},  {FAULT_HTTP, "/slow-body"},
              {FAULT_HTTP, "/big-known"}, {FAULT_HTTPS, "/ok"}, {FAULT_MUTE, "/ok"}};
  enum { COUNT = sizeof open / sizeof *open };
  trial *t = *state;
  ending all[COUNT + 1];
  for (size_t i = 0; i < COUNT; i++) {
    http_request request = get(at(t, open[i].port, open[i].path));
    request.max_body_bytes = (size_t)1 << 30;
    begin(t, &request, &all[i]);
  }
  run_until_arrived(t, "/never", 1);
  http_request request = get("http://nowhere.invalid/");
  begin(t, &request, &all[COUNT]);
  trial_close(t);
  for (size_t i = 0; i <= COUNT; i++) {
    assert_int_equal(all[i].told, 1);
    ending_free(&all[i]);
  }
  assert_outcome(&all[0], HTTP_CUT);
}

static void closing_with_idle_connections_leaves_nothing(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  expect_answer(t, &request, 200, "ok");
  request = get(at(t, FAULT_HTTPS, "/ok"));
  request.ca_file = fault_server_ca(t->server);
  expect_answer(t, &request, 200, "ok");
  trial_close(t);
}

static void close_now(http_exchange *exchange, http_answer *answer, void *data) {
  trial *t = data;
  error err;
  http_request request = get("http://127.0.0.1/");
  (void)exchange;
  (void)answer;
  http_close(t->wire, trial_closed, t);
  assert_null(http_send(t->wire, &request, close_now, t, &err)); /* nothing is taken any more */
  assert_has(err.text, "shutting down");
  t->wire = NULL;
}

static void a_callback_may_close_the_wire(void **state) {
  trial *t = *state;
  error err;
  ending other;
  http_request hanging = get(at(t, FAULT_HTTP, "/never")), request = get(at(t, FAULT_HTTP, "/ok"));
  begin(t, &hanging, &other);
  assert_non_null(http_send(t->wire, &request, close_now, t, &err));
  assert_int_equal(uv_run(&t->loop, UV_RUN_DEFAULT), 0);
  assert_true(t->closed);
  assert_outcome(&other, HTTP_CUT);
  ending_free(&other);
}

static void closing_a_wire_that_was_never_used_is_told(void **state) {
  trial_close(*state);
}

/* ---- many ---- */

static void a_thousand_requests_at_once_are_all_answered(void **state) {
  enum { MANY = 1000 };
  trial *t = *state;
  ending *all = mem_zero(MANY * sizeof *all);
  http_request request = post(at(t, FAULT_HTTP, "/echo"), "{}");
  for (int round = 0; round < 2; round++) { /* cold, then on the connections of the first */
    for (int i = 0; i < MANY; i++) begin(t, &request, &all[i]);
    assert_int_equal(http_open_count(t->wire), MANY);
    run_until_told(t, all, MANY);
    for (int i = 0; i < MANY; i++) {
      assert_outcome(&all[i], HTTP_ANSWERED);
      assert_int_equal(all[i].status, 200);
      ending_free(&all[i]);
    }
  }
  assert_int_equal(fault_server_count(t->server, "/echo"), 2 * MANY);
  assert_int_equal(http_open_count(t->wire), 0);
  assert_in_range(fault_server_connections(t->server), 1, MANY); /* the second round needed no new ones */
  free(all);
}

/* More than the handles that there are at the beginning have places for. */
static void more_than_a_handle_has_room_for_are_answered(void **state) {
  enum { MANY = 600 };
  trial *t = *state;
  ending *all = mem_zero(MANY * sizeof *all);
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  for (int i = 0; i < MANY; i++) begin(t, &request, &all[i]);
  run_until_told(t, all, MANY);
  for (int i = 0; i < MANY; i++) {
    assert_outcome(&all[i], HTTP_ANSWERED);
    ending_free(&all[i]);
  }
  free(all);
}

static void faults_beside_each_other_do_not_disturb_good_requests(void **state) {
  static const char *const paths[] = {"/reset-early", "/ok", "/short", "/ok", "/garbage",    "/ok",
                                      "/bad-chunk",   "/ok", "/bomb",  "/ok", "/big-header", "/ok"};
  enum { COUNT = 120, PATHS = sizeof paths / sizeof *paths };
  trial *t = *state;
  ending all[COUNT];
  for (int i = 0; i < COUNT; i++) {
    http_request request = get(at(t, FAULT_HTTP, paths[i % PATHS]));
    request.max_body_bytes = 100000;
    begin(t, &request, &all[i]);
  }
  run_until_told(t, all, COUNT);
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(all[i].outcome == HTTP_ANSWERED, i % 2);
    ending_free(&all[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TRIAL(a_cancelled_request_is_told_of_once_and_later),
      TRIAL(a_request_can_be_cancelled_while_the_server_has_it),
      TRIAL(a_request_can_be_cancelled_while_it_connects_or_its_name_is_looked_up),
      TRIAL(a_callback_may_send_and_cancel),
      TRIAL(a_callback_may_keep_the_body),
      TRIAL(closing_cuts_what_is_open_in_whatever_state_it_is),
      TRIAL(closing_with_idle_connections_leaves_nothing),
      TRIAL(a_callback_may_close_the_wire),
      TRIAL(closing_a_wire_that_was_never_used_is_told),
      TRIAL(a_thousand_requests_at_once_are_all_answered),
      TRIAL_ALONE(more_than_a_handle_has_room_for_are_answered),
      TRIAL(faults_beside_each_other_do_not_disturb_good_requests),
  };
  return TRIAL_RUN_BOTH(tests);
}
