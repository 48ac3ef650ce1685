/* Connections that are used again, and what happens when they have died meanwhile: libcurl sends a request
 * once more then, which for some must never happen. The server's own count decides. */
#include "http_trial.h"

static void requests_that_follow_each_other_share_a_connection(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  for (int i = 0; i < 20; i++) expect_answer(t, &request, 200, "ok");
  assert_int_equal(fault_server_connections(t->server), 1);
}

static void a_connection_that_says_close_is_not_used_again(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/close"));
  for (int i = 0; i < 3; i++) expect_answer(t, &request, 200, "bye");
  assert_int_equal(fault_server_connections(t->server), 3);
}

/* ---- the connection dies under the request ---- */

/* The first request opens the connection; the second is read on it and gets no answer, and is either sent
 * again on a fresh one, where the server answers, or not. */
static ending second(trial *t, const char *path, bool forbidden) {
  http_request request = post(at(t, FAULT_HTTP, path), "{\"lead\":1}");
  request.resend_forbidden = forbidden;
  expect_answer(t, &request, 200, "ok");
  assert_int_equal(fault_server_count(t->server, path), 1);
  ending e = ask(t, &request);
  assert_true(e.sent);
  return e;
}

static void is_sent_again(trial *t, const char *path) {
  ending e = second(t, path, false);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 200);
  assert_int_equal(e.sends, 2);
  assert_int_equal(fault_server_count(t->server, path), 3);
  assert_int_equal(fault_server_connections(t->server), 2);
  ending_free(&e);
}

static void is_not_sent_again(trial *t, const char *path) {
  ending e = second(t, path, true);
  assert_outcome(&e, HTTP_RESET);
  assert_int_equal(e.sends, 1);
  assert_int_equal(e.status, 0);
  assert_int_equal(fault_server_count(t->server, path), 2);
  ending_free(&e);
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  expect_answer(t, &request, 200, "ok");
  assert_int_equal(fault_server_count(t->server, path), 2); /* nor later */
}

static void a_request_on_a_connection_closed_under_it_is_sent_again_and_counted(void **state) {
  is_sent_again(*state, "/close-reused");
}

static void a_request_on_a_connection_reset_under_it_is_sent_again_and_counted(void **state) {
  is_sent_again(*state, "/reset-reused");
}

static void where_it_is_forbidden_a_close_never_sends_a_request_twice(void **state) {
  is_not_sent_again(*state, "/close-reused");
}

static void where_it_is_forbidden_a_reset_never_sends_a_request_twice(void **state) {
  is_not_sent_again(*state, "/reset-reused");
}

static void what_is_forbidden_for_one_request_is_not_for_the_next(void **state) {
  trial *t = *state;
  ending e = second(t, "/close-reused", true);
  assert_outcome(&e, HTTP_RESET);
  ending_free(&e);
  http_request request = post(at(t, FAULT_HTTP, "/close-reused"), "{\"lead\":1}");
  expect_answer(t, &request, 200, "ok");
  e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.sends, 2);
  ending_free(&e);
}

/* Many at once, each on a connection that will die under it. */
static void however_many_none_is_sent_twice(void **state) {
  enum { MANY = 50 };
  trial *t = *state;
  ending all[MANY];
  http_request request = post(at(t, FAULT_HTTP, "/reset-reused"), "{}");
  request.resend_forbidden = true;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < MANY; i++) begin(t, &request, &all[i]);
    run_until_told(t, all, MANY);
    for (int i = 0; i < MANY; i++) {
      assert_true(all[i].outcome == HTTP_ANSWERED || all[i].outcome == HTTP_RESET);
      assert_int_equal(all[i].sends, 1);
      ending_free(&all[i]);
    }
  }
  assert_int_equal(fault_server_count(t->server, "/reset-reused"), 2 * MANY);
}

/* ---- the connection has died before ---- */

/* libcurl looks before it takes a connection: nothing is lost when its end is known by then. */
static void a_connection_that_ended_while_idle_is_not_used(void **state) {
  trial *t = *state;
  http_request request = post(at(t, FAULT_HTTP, "/ok-then-close"), "{}");
  request.resend_forbidden = true;
  for (int i = 0; i < 5; i++) {
    ending e = ask(t, &request);
    assert_true(e.outcome == HTTP_ANSWERED || e.outcome == HTTP_RESET); /* its end may still be on the way */
    assert_int_equal(e.sends, 1);
    ending_free(&e);
  }
  assert_true(fault_server_count(t->server, "/ok-then-close") <= 5);
}

static void a_connection_left_in_the_middle_of_an_answer_is_not_used_again(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/big-unknown"));
  request.max_body_bytes = 1000;
  for (int i = 0; i < 3; i++) {
    expect_failure(t, &request, HTTP_TOO_LARGE, "1000 bytes");
    http_request next = get(at(t, FAULT_HTTP, "/ok"));
    expect_answer(t, &next, 200, "ok");
    expect_answer(t, &next, 200, "ok");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TRIAL(requests_that_follow_each_other_share_a_connection),
      TRIAL(a_connection_that_says_close_is_not_used_again),
      TRIAL(a_request_on_a_connection_closed_under_it_is_sent_again_and_counted),
      TRIAL(a_request_on_a_connection_reset_under_it_is_sent_again_and_counted),
      TRIAL(where_it_is_forbidden_a_close_never_sends_a_request_twice),
      TRIAL(where_it_is_forbidden_a_reset_never_sends_a_request_twice),
      TRIAL(what_is_forbidden_for_one_request_is_not_for_the_next),
      TRIAL(however_many_none_is_sent_twice),
      TRIAL(a_connection_that_ended_while_idle_is_not_used),
      TRIAL(a_connection_left_in_the_middle_of_an_answer_is_not_used_again),
  };
  return TRIAL_RUN_BOTH(tests);
}
