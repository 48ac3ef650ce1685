/* Servers that fail: every fault ends in one callback, with an outcome of its own and a sentence. */
#include <sys/resource.h>

#include "http_trial.h"

enum { ENOUGH_MS = 1000 }; /* to connect and to send, on a slow machine, too */

#define CAP ((size_t)1 << 20)

/* After each fault the wire goes on as before. */
static void still_works(trial *t) {
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  expect_answer(t, &request, 200, "ok");
}

static void fails(trial *t, const char *path, http_outcome outcome, const char *word) {
  http_request request = get(at(t, FAULT_HTTP, path));
  expect_failure(t, &request, outcome, word);
  still_works(t);
}

/* ---- connecting ---- */

static void a_refused_connection_is_told_and_nothing_was_sent(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_REFUSED, "/ok"));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_CONNECT);
  assert_has(e.detail, "connection refused by 127.0.0.1:");
  assert_false(e.sent);
  assert_int_equal(e.sends, 0);
  assert_int_equal(e.status, 0);
  ending_free(&e);
  still_works(t);
}

static void a_connection_that_never_comes_ends_with_the_connect_timeout(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_FULL, "/ok"));
  request.connect_ms = SHORT_MS;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_CONNECT);
  assert_true(e.ms >= SHORT_MS - ROUNDING_MS);
  assert_false(e.sent);
  ending_free(&e);
  still_works(t);
}

/* libcurl gives their sockets up without a word; the loop must not go on watching what is closed by then. */
static void connections_that_never_come_do_no_harm_to_what_goes_on(void **state) {
  enum { COUNT = 5 };
  trial *t = *state;
  ending all[COUNT + 1];
  http_request request = get(at(t, FAULT_FULL, "/ok")), hanging = get(at(t, FAULT_HTTP, "/never"));
  request.connect_ms = SHORT_MS;
  hanging.total_ms = 2 * SHORT_MS;
  begin(t, &hanging, &all[COUNT]);
  for (int i = 0; i < COUNT; i++) begin(t, &request, &all[i]);
  run_until_told(t, all, COUNT + 1);
  for (int i = 0; i < COUNT; i++) {
    assert_outcome(&all[i], HTTP_CONNECT);
    ending_free(&all[i]);
  }
  assert_outcome(&all[COUNT], HTTP_TIMEOUT);
  ending_free(&all[COUNT]);
  for (int i = 0; i < COUNT; i++) still_works(t);
}

static void the_total_also_ends_connecting(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_FULL, "/ok"));
  request.total_ms = SHORT_MS;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_TIMEOUT);
  assert_has(e.detail, "no connection to");
  assert_true(e.ms >= SHORT_MS - ROUNDING_MS);
  assert_false(e.sent);
  ending_free(&e);
}

/* A handle that has seen a refusal before must not tell of that. */
static void a_machine_without_descriptors_is_told_as_such(void **state) {
  trial *t = *state;
  struct rlimit usual, none;
  http_request request = get(at(t, FAULT_REFUSED, "/ok"));
  expect_failure(t, &request, HTTP_CONNECT, "refused");
  getrlimit(RLIMIT_NOFILE, &usual);
  none = usual;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  request = get(at(t, FAULT_HTTP, "/ok"));
  ending e = ask(t, &request);
  setrlimit(RLIMIT_NOFILE, &usual);
  assert_outcome(&e, HTTP_CONNECT);
  assert_has(e.detail, "Too many open files");
  assert_false(e.sent);
  ending_free(&e);
  still_works(t);
}

static void a_name_that_does_not_resolve_is_told_as_such(void **state) {
  trial *t = *state;
  for (int i = 0; i < 2; i++) { /* looked up, then known */
    http_request request = get("http://nowhere.invalid/ok");
    ending e = ask(t, &request);
    assert_outcome(&e, HTTP_DNS);
    assert_has(e.detail, "nowhere.invalid does not resolve");
    assert_false(e.sent);
    ending_free(&e);
  }
  still_works(t);
}

/* ---- no answer ---- */

static void a_reset_before_the_answer_leaves_its_fate_unclear(void **state) {
  trial *t = *state;
  http_request request = post(at(t, FAULT_HTTP, "/reset-early"), "{}");
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_RESET);
  assert_true(e.sent);
  assert_int_equal(e.sends, 1);
  assert_int_equal(e.status, 0);
  assert_int_equal(fault_server_count(t->server, "/reset-early"), 1);
  ending_free(&e);
  still_works(t);
}

static void a_close_before_the_answer_leaves_its_fate_unclear(void **state) {
  trial *t = *state;
  http_request request = post(at(t, FAULT_HTTP, "/close-early"), "{}");
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_RESET);
  assert_true(e.sent);
  assert_int_equal(e.sends, 1);
  assert_int_equal(fault_server_count(t->server, "/close-early"), 1);
  ending_free(&e);
  still_works(t);
}

static void a_server_that_never_answers_ends_with_the_total_and_not_before(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/never"));
  request.total_ms = ENOUGH_MS;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_TIMEOUT);
  assert_has(e.detail, "no answer from 127.0.0.1:");
  assert_true(e.ms >= ENOUGH_MS - ROUNDING_MS);
  assert_true(e.sent);
  ending_free(&e);
  still_works(t);
}

static void one_byte_a_second_does_not_keep_a_request_alive(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/slow"));
  request.total_ms = SHORT_MS;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_TIMEOUT);
  assert_true(e.ms >= SHORT_MS - ROUNDING_MS);
  ending_free(&e);
  still_works(t);
}

/* ---- half an answer ---- */

static void in_the_middle(trial *t, const char *path) {
  http_request request = get(at(t, FAULT_HTTP, path));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_RESET);
  assert_int_equal(e.status, 200);
  ending_free(&e);
  still_works(t);
}

static void a_reset_within_the_body_is_no_answer(void **state) {
  in_the_middle(*state, "/reset-middle");
}

static void a_close_within_the_body_is_no_answer(void **state) {
  in_the_middle(*state, "/short");
}

static void a_close_within_the_headers_is_no_answer(void **state) {
  in_the_middle(*state, "/short-headers");
}

static void a_body_of_one_byte_a_second_ends_with_the_total_and_keeps_the_status(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/slow-body"));
  request.total_ms = 2 * SHORT_MS; /* the headers come on their own */
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_TIMEOUT);
  assert_true(e.ms >= 2 * SHORT_MS - ROUNDING_MS);
  if (e.status) assert_has(e.detail, "was not whole");
  ending_free(&e);
}

/* ---- caps ---- */

static void a_header_line_of_a_megabyte_is_too_large(void **state) {
  fails(*state, "/big-header", HTTP_TOO_LARGE, "header");
}

static void a_megabyte_of_header_lines_is_too_large(void **state) {
  fails(*state, "/many-headers", HTTP_TOO_LARGE, "header");
}

static void the_cap_on_headers_can_be_set(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  request.max_header_bytes = 30;
  expect_failure(t, &request, HTTP_TOO_LARGE, "30 bytes");
  request.max_header_bytes = 300;
  expect_answer(t, &request, 200, "ok");
}

static void over_the_cap(trial *t, const char *path) {
  http_request request = get(at(t, FAULT_HTTP, path));
  request.max_body_bytes = CAP;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_TOO_LARGE);
  assert_has(e.detail, "cap of 1048576 bytes");
  assert_int_equal(e.status, 200);
  assert_true(e.body.len <= CAP);
  ending_free(&e);
  still_works(t);
}

static void a_body_with_a_known_length_over_the_cap_is_too_large(void **state) {
  over_the_cap(*state, "/big-known");
}

static void a_body_of_unknown_length_over_the_cap_is_too_large(void **state) {
  over_the_cap(*state, "/big-unknown");
}

static void a_bomb_does_not_unpack_beyond_the_cap(void **state) {
  over_the_cap(*state, "/bomb");
}

static void a_body_of_just_the_cap_is_taken(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/bytes/1048576"));
  request.max_body_bytes = CAP;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.body.len, CAP);
  ending_free(&e);
  request.max_body_bytes = CAP - 1;
  expect_failure(t, &request, HTTP_TOO_LARGE, "cap of 1048575 bytes");
}

/* ---- what is not HTTP ---- */

static void garbage_for_a_chunk_is_a_broken_protocol(void **state) {
  fails(*state, "/bad-chunk", HTTP_PROTOCOL, "did not answer in proper HTTP");
}

static void garbage_called_gzip_is_a_broken_protocol(void **state) {
  fails(*state, "/bad-gzip", HTTP_PROTOCOL, "did not answer in proper HTTP");
}

static void garbage_for_a_status_line_is_a_broken_protocol(void **state) {
  fails(*state, "/garbage", HTTP_PROTOCOL, "did not answer in proper HTTP");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TRIAL(a_refused_connection_is_told_and_nothing_was_sent),
      TRIAL(a_connection_that_never_comes_ends_with_the_connect_timeout),
      TRIAL(connections_that_never_come_do_no_harm_to_what_goes_on),
      TRIAL(the_total_also_ends_connecting),
      TRIAL(a_machine_without_descriptors_is_told_as_such),
      TRIAL(a_name_that_does_not_resolve_is_told_as_such),
      TRIAL(a_reset_before_the_answer_leaves_its_fate_unclear),
      TRIAL(a_close_before_the_answer_leaves_its_fate_unclear),
      TRIAL(a_server_that_never_answers_ends_with_the_total_and_not_before),
      TRIAL(one_byte_a_second_does_not_keep_a_request_alive),
      TRIAL(a_reset_within_the_body_is_no_answer),
      TRIAL(a_close_within_the_body_is_no_answer),
      TRIAL(a_close_within_the_headers_is_no_answer),
      TRIAL(a_body_of_one_byte_a_second_ends_with_the_total_and_keeps_the_status),
      TRIAL(a_header_line_of_a_megabyte_is_too_large),
      TRIAL(a_megabyte_of_header_lines_is_too_large),
      TRIAL(the_cap_on_headers_can_be_set),
      TRIAL(a_body_with_a_known_length_over_the_cap_is_too_large),
      TRIAL(a_body_of_unknown_length_over_the_cap_is_too_large),
      TRIAL(a_bomb_does_not_unpack_beyond_the_cap),
      TRIAL(a_body_of_just_the_cap_is_taken),
      TRIAL(garbage_for_a_chunk_is_a_broken_protocol),
      TRIAL(garbage_called_gzip_is_a_broken_protocol),
      TRIAL(garbage_for_a_status_line_is_a_broken_protocol),
  };
  return TRIAL_RUN_BOTH(tests);
}
