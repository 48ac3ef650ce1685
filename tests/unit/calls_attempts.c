/* How an answer is judged, what is tried again, when, and what is never sent twice. */
#include "calls_fake.h"

#include <time.h>

/* ---- judging ---- */

static void a_status_that_is_no_success_fails_with_its_phrase(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 404, "Content-Type: text/html\n", "<h1>no</h1>");
  assert_ended(c, CALL_FAILED, REASON_STATUS, "404 Not Found");
  assert_int_equal(c->status, 404);
  assert_string_equal(buf_text(&c->answer), "<h1>no</h1>");
  assert_string_equal(buf_text(&c->answer_headers), "Content-Type: text/html\n");
  c = a_call(r);
  start(r, c);
  answer(r, 299);
  assert_ended(c, CALL_OK, REASON_NONE, "");
  c = a_call(r);
  start(r, c);
  answer(r, 599);
  assert_ended(c, CALL_FAILED, REASON_STATUS, "599");
}

static void a_list_of_statuses_decides_in_place_of_2xx(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->success = (status_set){{0}};
  status_set_add(&c->success, 409);
  start(r, c);
  answer(r, 409);
  assert_ended(c, CALL_OK, REASON_NONE, "");
  c = a_call(r);
  c->success = (status_set){{0}};
  start(r, c);
  answer(r, 200);
  assert_ended(c, CALL_FAILED, REASON_STATUS, "200 OK");
}

static void a_predicate_decides_in_place_of_the_status(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->asks_success = true;
  start(r, c);
  answer(r, 404);
  assert_ended(c, CALL_OK, REASON_NONE, "");
  r->verdict = CALL_NO;
  c = a_call(r);
  c->asks_success = true;
  start(r, c);
  answer(r, 200);
  assert_ended(c, CALL_FAILED, REASON_PREDICATE, "its success predicate said no to 200 OK");
  assert_int_equal(r->sent_count, 2);
}

static void a_predicates_no_to_a_passing_status_is_tried_again(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->asks_success = true;
  r->verdict = CALL_NO;
  start(r, c);
  answer(r, 503);
  assert_int_equal(c->state, CALL_BACKOFF);
  pass(r, 60000);
  r->verdict = CALL_YES;
  answer(r, 200);
  assert_ended(c, CALL_OK, REASON_NONE, "");
}

static void a_long_body_is_cut_and_says_so(void **state) {
  rig *r = *state;
  char *body = mem_zero(65538);
  memset(body, 'x', 65537);
  call *c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 200, "", body);
  assert_int_equal(c->answer.len, 65536);
  assert_true(c->truncated);
  c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 200, "", body + 1);
  assert_int_equal(c->answer.len, 65536);
  assert_false(c->truncated);
  c = a_call(r);
  c->keep_body = 3;
  start(r, c);
  answer_with(r, last_sent(r), 200, "", "abcdef");
  assert_string_equal(buf_text(&c->answer), "abc");
  assert_true(c->truncated);
  free(body);
}

static void a_later_answer_replaces_the_one_before_whole(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->keep_body = 4;
  start(r, c);
  answer_with(r, last_sent(r), 503, "A: 1\n", "too long a body");
  pass(r, 60000);
  answer_with(r, last_sent(r), 200, "B: 2\n", "");
  assert_int_equal(c->answer.len, 0);
  assert_false(c->truncated);
  assert_string_equal(buf_text(&c->answer_headers), "B: 2\n");
  assert_int_equal(c->status, 200);
}

/* ---- what is tried again ---- */

static bool is_tried_again(rig *r, const char *key_header, http_outcome outcome, bool sent, int status) {
  call *c = a_call(r);
  c->key_header = key_header;
  start(r, c);
  if (outcome == HTTP_ANSWERED)
    answer(r, status);
  else
    break_off(r, outcome, sent, status, "it broke");
  bool again = c->state == CALL_BACKOFF;
  if (again) cut(r, c);
  return again;
}

static void only_what_may_pass_is_tried_again(void **state) {
  rig *r = *state;
  static const int passing[] = {408, 429, 500, 502, 503, 504},
                   lasting[] = {400, 401, 404, 409, 413, 302, 501, 505};
  for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
    assert_true(is_tried_again(r, "Idempotency-Key", HTTP_ANSWERED, true, passing[i]));
  for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
    assert_false(is_tried_again(r, "Idempotency-Key", HTTP_ANSWERED, true, lasting[i]));
  static const http_outcome passing_breaks[] = {HTTP_CONNECT, HTTP_DNS, HTTP_TIMEOUT, HTTP_RESET};
  static const http_outcome lasting_breaks[] = {HTTP_TLS, HTTP_TOO_LARGE, HTTP_PROTOCOL, HTTP_REDIRECT,
                                                HTTP_FILE};
  for (size_t i = 0; i < 4; i++)
    assert_true(is_tried_again(r, "Idempotency-Key", passing_breaks[i], true, 0));
  for (size_t i = 0; i < 5; i++)
    assert_false(is_tried_again(r, "Idempotency-Key", lasting_breaks[i], true, 0));
}

static void a_success_is_not_tried_again_whatever_its_status(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  status_set_add(&c->success, 503);
  start(r, c);
  answer(r, 503);
  assert_ended(c, CALL_OK, REASON_NONE, "");
}

static void each_break_has_its_reason_and_what_the_wire_said(void **state) {
  rig *r = *state;
  static const struct {
    http_outcome outcome;
    call_reason reason;
  } breaks[] = {
      {HTTP_CONNECT, REASON_CONNECT},   {HTTP_DNS, REASON_DNS},           {HTTP_TLS, REASON_TLS},
      {HTTP_TIMEOUT, REASON_TIMEOUT},   {HTTP_RESET, REASON_RESET},       {HTTP_TOO_LARGE, REASON_TOO_LARGE},
      {HTTP_PROTOCOL, REASON_PROTOCOL}, {HTTP_REDIRECT, REASON_REDIRECT}, {HTTP_FILE, REASON_FILE}};
  for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
    call *c = a_call(r);
    c->retry.attempts = 1;
    start(r, c);
    break_off(r, breaks[i].outcome, true, 0, "what the wire said");
    assert_ended(c, CALL_FAILED, breaks[i].reason, "what the wire said");
  }
}

static void egress(rig *r, bool sent, bool off_public) {
  http_answer answer = {.outcome = HTTP_EGRESS,
                        .sent = sent,
                        .sends = sent,
                        .off_public = off_public,
                        .detail = "\"x\" is there"};
  end_exchange(last_sent(r), &answer);
  run_all(r);
}

/* Neither tried again nor failed: the run is held, and told what would let it through. */
static void a_call_to_where_none_may_go_is_a_mistake_of_ours(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  egress(r, false, false);
  assert_ended(c, CALL_MISTAKE, REASON_EGRESS, "\"x\" is there");
  assert_int_equal(r->sent_count, 1);
  c = a_call(r);
  start(r, c);
  egress(r, false, true);
  assert_ended(c, CALL_MISTAKE, REASON_EGRESS,
               "\"x\" is there: set private_network = true on the connection \"crm\" if that is meant");
  set_text(&r->via->name, "");
  c = a_call(r);
  start(r, c);
  egress(r, true, true); /* after a redirect */
  assert_ended(c, CALL_MISTAKE, REASON_EGRESS,
               "\"x\" is there: give --private-network, or a connection with private_network = true, if that "
               "is meant");
}

static void a_redirect_to_where_none_may_go_leaves_it_unknown_without_a_key(void **state) {
  rig *r = *state;
  for (int sent = 0; sent < 2; sent++) {
    call *c = a_call(r);
    c->key_header = NULL;
    start(r, c);
    egress(r, sent, false);
    assert_ended(c, sent ? CALL_UNKNOWN : CALL_MISTAKE, REASON_EGRESS, "\"x\" is there");
  }
}

static void details_do_not_show_the_queries_of_urls(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  break_off(r, HTTP_REDIRECT, true, 302,
            "too many redirects: <https://h/a?key=hush> to 'http://h/b?key=hush'");
  assert_ended(c, CALL_FAILED, REASON_REDIRECT, "too many redirects: <https://h/a> to 'http://h/b'");
  c = a_call(r); /* a ' is not encoded in a URL, and so does not end its query */
  start(r, c);
  break_off(r, HTTP_REDIRECT, true, 302,
            "too many: http://h/a?q='it''s'&key=hush and 'http://h/b?'&key=hush'");
  assert_ended(c, CALL_FAILED, REASON_REDIRECT, "too many: http://h/a and 'http://h/b'");
}

static void attempts_are_bounded_and_the_same_bytes_and_key_go_out_each_time(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->renders = true;
  start(r, c);
  for (int i = 0; i < 4; i++) {
    assert_true(on_wire(r));
    r->rendered = "another";
    answer(r, 502);
    pass(r, 60000);
  }
  assert_ended(c, CALL_FAILED, REASON_STATUS, "502 Bad Gateway");
  assert_int_equal(c->attempts, 4);
  assert_int_equal(r->sent_count, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(buf_text(&r->sent[i]->body), "{\"name\":\"Ada\"}");
    assert_string_equal(buf_text(&r->sent[i]->headers), buf_text(&r->sent[0]->headers));
    assert_string_equal(r->sent[i]->url, r->sent[0]->url);
  }
}

static void a_send_that_libcurl_repeated_counts_as_an_attempt(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->retry.attempts = 2;
  start(r, c);
  http_answer twice = {.outcome = HTTP_ANSWERED, .status = 503, .sent = true, .sends = 2};
  end_exchange(last_sent(r), &twice);
  run_all(r);
  assert_ended(c, CALL_FAILED, REASON_STATUS, "503 Service Unavailable");
  assert_int_equal(c->attempts, 2);
  assert_int_equal(r->sent_count, 1);
}

static void an_attempt_that_reached_nobody_counts_too(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  for (int i = 0; i < 4; i++) {
    break_off(r, HTTP_CONNECT, false, 0, "connection refused by 127.0.0.1:81");
    pass(r, 60000);
  }
  assert_ended(c, CALL_FAILED, REASON_CONNECT, "connection refused by 127.0.0.1:81");
  assert_int_equal(c->attempts, 4);
  assert_int_equal(c->status, 0);
}

/* ---- where the vendor knows no keys ---- */

static void what_may_have_been_done_is_never_sent_again_without_a_key(void **state) {
  rig *r = *state;
  static const http_outcome breaks[] = {HTTP_TIMEOUT, HTTP_RESET, HTTP_PROTOCOL, HTTP_TOO_LARGE};
  for (size_t i = 0; i < 4; i++) {
    call *c = a_call(r);
    c->key_header = NULL;
    start(r, c);
    assert_true(last_sent(r)->request.resend_forbidden);
    break_off(r, breaks[i], true, i == 1 ? 200 : 0, "the answer was lost");
    assert_int_equal(c->state, CALL_DONE);
    assert_int_equal(c->result, CALL_UNKNOWN);
    assert_string_equal(c->detail, "the answer was lost");
  }
}

static void what_never_left_is_sent_again_without_a_key(void **state) {
  rig *r = *state;
  assert_true(is_tried_again(r, NULL, HTTP_CONNECT, false, 0));
  assert_true(is_tried_again(r, NULL, HTTP_DNS, false, 0));
  assert_true(is_tried_again(r, NULL, HTTP_TIMEOUT, false, 0));
  assert_false(is_tried_again(r, NULL, HTTP_TLS, false, 0));
}

static void only_definite_refusals_are_tried_again_without_a_key(void **state) {
  rig *r = *state;
  assert_true(is_tried_again(r, NULL, HTTP_ANSWERED, true, 429));
  assert_true(is_tried_again(r, NULL, HTTP_ANSWERED, true, 503));
  static const int unclear[] = {408, 500, 502, 504};
  for (size_t i = 0; i < 4; i++) {
    assert_false(is_tried_again(r, NULL, HTTP_ANSWERED, true, unclear[i]));
    assert_int_equal(r->made[r->made_count - 1]->result, CALL_FAILED);
  }
}

static void a_refusal_whose_body_broke_is_a_refusal_without_a_key(void **state) {
  rig *r = *state;
  assert_true(is_tried_again(r, NULL, HTTP_RESET, true, 503));
  assert_false(is_tried_again(r, NULL, HTTP_RESET, true, 400));
  assert_ended(r->made[r->made_count - 1], CALL_FAILED, REASON_STATUS, "400 Bad Request");
}

static void with_a_key_the_wire_may_send_again(void **state) {
  rig *r = *state;
  start(r, a_call(r));
  assert_false(last_sent(r)->request.resend_forbidden);
  answer(r, 200);
}

/* ---- what is known of its fate ---- */

static void lose_answer(rig *r) {
  break_off(r, HTTP_RESET, true, 0, "the answer was lost");
  pass(r, 60000);
}

static void refuse_connection(rig *r) {
  break_off(r, HTTP_CONNECT, false, 0, "connection refused by 127.0.0.1:81");
  pass(r, 60000);
}

static void say_not_now(rig *r) {
  answer(r, 503);
  pass(r, 60000);
}

static void whether_it_was_done_is_unknown_until_an_answer_says_so(void **state) {
  rig *r = *state;
  static const struct {
    void (*first)(rig *r), (*second)(rig *r);
    int status; /* of a third attempt's answer; 0: two more get no connection */
    bool unclear;
  } cases[] = {
      {refuse_connection, say_not_now, 0, false}, {lose_answer, refuse_connection, 0, true},
      {lose_answer, say_not_now, 0, true},        {say_not_now, lose_answer, 0, true},
      {lose_answer, say_not_now, 422, false},     {lose_answer, say_not_now, 200, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    call *c = a_call(r);
    start(r, c);
    cases[i].first(r);
    cases[i].second(r);
    if (cases[i].status)
      answer(r, cases[i].status);
    else
      refuse_connection(r), refuse_connection(r);
    assert_int_equal(c->state, CALL_DONE);
    assert_int_equal(c->unclear, cases[i].unclear);
  }
}

static void an_answer_that_nobody_could_judge_leaves_it_unknown(void **state) {
  rig *r = *state;
  r->verdict = CALL_ERROR;
  call *c = a_call(r);
  c->asks_success = true;
  start(r, c);
  answer(r, 200);
  assert_int_equal(c->result, CALL_MISTAKE);
  assert_true(c->unclear);
}

/* ---- pauses ---- */

static void pauses_are_drawn_from_the_key_and_grow_to_their_cap(void **state) {
  (void)state;
  retry_policy policy = {9, 1000, 60000};
  double most[9] = {0};
  bool differ = false;
  for (int k = 0; k < 2000; k++) {
    char key[33];
    snprintf(key, sizeof key, "%032d", k);
    for (int n = 1; n <= 8; n++) {
      double drawn = calls_random_backoff(&policy, n, key);
      assert_true(drawn == calls_random_backoff(&policy, n, key));
      double bound = n < 7 ? 1000 << (n - 1) : 60000;
      assert_true(drawn >= 0 && drawn < bound);
      if (drawn > most[n]) most[n] = drawn;
      differ = differ || drawn != calls_random_backoff(&policy, n, "another key");
    }
  }
  assert_true(differ);
  for (int n = 1; n <= 8; n++)
    assert_true(most[n] > (n < 7 ? 1000 << (n - 1) : 60000) * 0.99); /* full jitter */
  assert_true(calls_random_backoff(&policy, 1000000, "key") < 60000);
}

static void the_next_attempt_comes_after_the_drawn_pause_and_not_before(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  answer(r, 500);
  int64_t pause = (int64_t)calls_random_backoff(&c->retry, 1, c->key);
  assert_true(pause > 1);
  pass(r, pause - 1);
  assert_int_equal(r->sent_count, 1);
  pass(r, 1);
  assert_int_equal(r->sent_count, 2);
  answer(r, 200);
}

static int64_t retry_after(const char *headers, int64_t now_ms) {
  return calls_retry_after(headers, strlen(headers), now_ms);
}

static void retry_after_is_read_in_both_its_forms(void **state) {
  (void)state;
  int64_t now = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
  assert_int_equal(retry_after("Retry-After: 120\n", now), 120000);
  assert_int_equal(retry_after("A: b\nretry-AFTER:7\nB: c\n", now), 7000);
  assert_int_equal(retry_after("Retry-After: 0 \r\n", now), 0);
  assert_int_equal(retry_after("Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\n", now), 60000);
  assert_int_equal(retry_after("Retry-After: Sunday, 06-Nov-94 08:50:37 GMT\n", now), 60000);
  assert_int_equal(retry_after("Retry-After: Sun Nov  6 08:50:37 1994\n", now), 60000);
  assert_int_equal(retry_after("Retry-After: Sun, 06 Nov 1994 08:00:00 GMT\n", now), 0);
  assert_true(retry_after("Retry-After: 99999999999999999999999999999\n", now) > (int64_t)1 << 60);
  assert_true(retry_after("Retry-After: 99999999999999999999999999999\n", now) < INT64_MAX / 2);
}

static void a_retry_after_that_is_none_is_passed_over(void **state) {
  (void)state;
  static const char *const none[] = {"",
                                     "\n",
                                     "Retry-After",
                                     "Retry-After:\n",
                                     "Retry-After: soon\n",
                                     "Retry-After: -5\n",
                                     "Retry-After: 1.5\n",
                                     "X-Retry-After: 5\n",
                                     "A: Retry-After: 5\n",
                                     "Retry-After : 5\n"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_int_equal(retry_after(none[i], 0), -1);
  buf longest = BUF_EMPTY;
  buf_text_add(&longest, "Retry-After: ");
  for (int i = 0; i < 1000; i++) buf_char(&longest, '9');
  assert_int_equal(calls_retry_after(longest.data, longest.len, 0), -1);
  buf_free(&longest);
  assert_int_equal(calls_retry_after(NULL, 0, 0), -1);
}

static void the_next_attempt_is_not_made_before_retry_after(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 429, "Retry-After: 120\n", "");
  pass(r, 119999);
  assert_int_equal(r->sent_count, 1);
  pass(r, 1);
  assert_int_equal(r->sent_count, 2);
  answer_with(r, last_sent(r), 500, "Retry-After: 300\n", ""); /* any passing status may ask */
  pass(r, 299999);
  assert_int_equal(r->sent_count, 2);
  pass(r, 1);
  answer(r, 200);
  assert_ended(c, CALL_OK, REASON_NONE, "");
}

static void a_retry_after_of_nothing_does_not_undo_the_jitter(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 503, "Retry-After: 0\n", "");
  assert_int_equal(c->backoff.at_ms - logical_now_ms(&r->clock),
                   (int64_t)calls_random_backoff(&c->retry, 1, c->key));
  cut(r, c);
}

static void a_date_is_read_on_the_wall_clock_even_when_ours_is_virtual(void **state) {
  rig *r = *state;
  char header[80];
  time_t at = (time_t)(clock_wall_ms() / 1000 + 600);
  struct tm parts;
  strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\n", gmtime_r(&at, &parts));
  call *c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 503, header, "");
  int64_t pause = c->backoff.at_ms - logical_now_ms(&r->clock);
  assert_true(pause > 300000 && pause <= 600000); /* the test may be slow */
  cut(r, c);
}

static void a_retry_after_beyond_within_fails_at_once_and_says_so(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 503, "Retry-After: 7200\n", "in two hours");
  assert_ended(c, CALL_FAILED, REASON_STATUS,
               "503 Service Unavailable; it asks to be called again in 2h, which is after `within` (1h)");
  assert_string_equal(buf_text(&c->answer), "in two hours");
  c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 503, "Retry-After: 3600\n", "");
  assert_int_equal(c->state, CALL_DONE);
  c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 503, "Retry-After: 3599\n", "");
  assert_int_equal(c->state, CALL_BACKOFF);
  cut(r, c);
}

static void an_older_answers_retry_after_does_not_bind_a_later_attempt(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  answer_with(r, last_sent(r), 503, "Retry-After: 1800\n", "");
  pass(r, 1800000);
  break_off(r, HTTP_RESET, true, 0, "reset");
  assert_true(c->backoff.at_ms - logical_now_ms(&r->clock) <= 2000);
  pass(r, 2000);
  assert_true(on_wire(r));
  answer(r, 200);
}

/* ---- outages ---- */

static void an_outage_is_attempts_in_a_row_without_an_answer_in_earnest(void **state) {
  rig *r = *state;
  outage *o = r->via->outage;
  call *first = a_call(r), *second = a_call(r);
  start(r, first);
  answer_with(r, last_sent(r), 503, "Retry-After: 100\n", "");
  outage_look look = outage_look_at(o);
  assert_int_equal(look.failed, 1);
  assert_string_equal(look.detail, "503 Service Unavailable");
  assert_int_equal(look.waiting, 1);
  assert_int_equal(look.next_ms - logical_elapsed_ms(&r->clock), 100000);
  start(r, second);
  answer_with(r, last_sent(r), 429, "Retry-After: 10\n", "");
  assert_int_equal(outage_look_at(o).next_ms - logical_elapsed_ms(&r->clock), 10000);
  pass(r, 10000);
  break_off(r, HTTP_CONNECT, false, 0, "refused");
  look = outage_look_at(o);
  assert_int_equal(look.failed, 3);
  assert_int_equal(look.reason, REASON_CONNECT);
  assert_string_equal(look.detail, "refused");
  assert_int_equal(look.waiting, 2);
  cut(r, first);
  assert_int_equal(outage_look_at(o).waiting, 1);
  pass(r, 10000);
  answer(r, 404);
  look = outage_look_at(o);
  assert_int_equal(look.failed, 0);
  assert_int_equal(look.waiting, 0);
  assert_true(look.next_ms == INT64_MAX);
}

static void what_is_no_failure_of_the_vendor_is_no_outage(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  status_set_add(&c->success, 503);
  start(r, c);
  answer(r, 503);
  c = a_call(r);
  start(r, c);
  break_off(r, HTTP_EGRESS, false, 0, "not there");
  c = a_call(r);
  start(r, c);
  cut(r, c);
  break_off(r, HTTP_CUT, true, 0, "cut");
  assert_int_equal(outage_look_at(r->via->outage).failed, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      RIG_TEST(a_status_that_is_no_success_fails_with_its_phrase),
      RIG_TEST(a_list_of_statuses_decides_in_place_of_2xx),
      RIG_TEST(a_predicate_decides_in_place_of_the_status),
      RIG_TEST(a_predicates_no_to_a_passing_status_is_tried_again),
      RIG_TEST(a_long_body_is_cut_and_says_so),
      RIG_TEST(a_later_answer_replaces_the_one_before_whole),
      RIG_TEST(only_what_may_pass_is_tried_again),
      RIG_TEST(a_success_is_not_tried_again_whatever_its_status),
      RIG_TEST(each_break_has_its_reason_and_what_the_wire_said),
      RIG_TEST(a_call_to_where_none_may_go_is_a_mistake_of_ours),
      RIG_TEST(a_redirect_to_where_none_may_go_leaves_it_unknown_without_a_key),
      RIG_TEST(details_do_not_show_the_queries_of_urls),
      RIG_TEST(attempts_are_bounded_and_the_same_bytes_and_key_go_out_each_time),
      RIG_TEST(a_send_that_libcurl_repeated_counts_as_an_attempt),
      RIG_TEST(an_attempt_that_reached_nobody_counts_too),
      RIG_TEST(what_may_have_been_done_is_never_sent_again_without_a_key),
      RIG_TEST(what_never_left_is_sent_again_without_a_key),
      RIG_TEST(only_definite_refusals_are_tried_again_without_a_key),
      RIG_TEST(a_refusal_whose_body_broke_is_a_refusal_without_a_key),
      RIG_TEST(with_a_key_the_wire_may_send_again),
      RIG_TEST(whether_it_was_done_is_unknown_until_an_answer_says_so),
      RIG_TEST(an_answer_that_nobody_could_judge_leaves_it_unknown),
      cmocka_unit_test(pauses_are_drawn_from_the_key_and_grow_to_their_cap),
      RIG_TEST(the_next_attempt_comes_after_the_drawn_pause_and_not_before),
      cmocka_unit_test(retry_after_is_read_in_both_its_forms),
      cmocka_unit_test(a_retry_after_that_is_none_is_passed_over),
      RIG_TEST(the_next_attempt_is_not_made_before_retry_after),
      RIG_TEST(a_retry_after_of_nothing_does_not_undo_the_jitter),
      RIG_TEST(a_date_is_read_on_the_wall_clock_even_when_ours_is_virtual),
      RIG_TEST(a_retry_after_beyond_within_fails_at_once_and_says_so),
      RIG_TEST(an_older_answers_retry_after_does_not_bind_a_later_attempt),
      RIG_TEST(an_outage_is_attempts_in_a_row_without_an_answer_in_earnest),
      RIG_TEST(what_is_no_failure_of_the_vendor_is_no_outage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
