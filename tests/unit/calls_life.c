/* A call's life: its place in line, its turn, its gate, its time, and how it is cut. */
#include "calls_fake.h"

/* ---- the turn ---- */

static void a_call_asks_renders_intends_and_is_sent_in_this_order(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->asks_only_if = c->renders = c->asks_success = true;
  start(r, c);
  assert_log(r, "only_if render intend ");
  answer(r, 200);
  assert_log(r, "judge attempted() done ");
  assert_ended(c, CALL_OK, REASON_NONE, "");
  assert_int_equal(c->attempts, 1);
  assert_int_equal(c->status, 200);
}

static void what_is_not_asked_for_is_not_asked(void **state) {
  rig *r = *state;
  start(r, a_call(r));
  answer(r, 204);
  assert_log(r, "intend attempted() done ");
}

static void nothing_leaves_before_it_is_released(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  r->gate_open = false;
  start(r, c);
  assert_int_equal(c->state, CALL_GATED);
  assert_int_equal(r->sent_count, 0);
  assert_int_equal(r->busy, 1);
  release(r, c);
  assert_int_equal(r->sent_count, 1);
  answer(r, 200);
  release(r, c); /* too late: nothing happens */
  assert_ended(c, CALL_OK, REASON_NONE, "");
}

static void only_if_that_says_no_skips_before_anything_is_rendered(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->asks_only_if = c->renders = true;
  r->only_if = CALL_NO;
  start(r, c);
  assert_log(r, "only_if done ");
  assert_ended(c, CALL_SKIPPED, REASON_ONLY_IF, "only_if said no");
  assert_int_equal(r->sent_count, 0);
}

static void only_if_is_asked_again_before_each_send_and_the_rest_is_not(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->asks_only_if = c->renders = true;
  start(r, c);
  answer(r, 503);
  pass(r, 60000);
  assert_log(r, "only_if render intend attempted(status) wire>backoff backoff>turn only_if ");
  answer(r, 503);
  r->only_if = CALL_NO;
  pass(r, 60000);
  assert_ended(c, CALL_SKIPPED, REASON_ONLY_IF, "only_if said no");
  assert_int_equal(r->sent_count, 2);
}

static void mistakes_of_ours_are_told_from_failures(void **state) {
  rig *r = *state;
  r->only_if = CALL_ERROR;
  call *c = a_call(r);
  c->asks_only_if = true;
  start(r, c);
  assert_ended(c, CALL_MISTAKE, REASON_SCRIPT, "it was raised");

  r->rendered = NULL;
  c = a_call(r);
  c->renders = true;
  start(r, c);
  assert_ended(c, CALL_MISTAKE, REASON_PAYLOAD, "it was raised");

  r->verdict = CALL_ERROR;
  c = a_call(r);
  c->asks_success = true;
  start(r, c);
  answer(r, 503);
  assert_ended(c, CALL_MISTAKE, REASON_SCRIPT, "it was raised");
  assert_int_equal(r->sent_count, 1);
}

static void a_request_that_the_wire_does_not_take_is_a_mistake_that_shows_no_query(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  r->refusal = "\"https://h/p?key=hush\" is malformed";
  start(r, c);
  assert_ended(c, CALL_MISTAKE, REASON_CONFIG, "\"https://h/p\" is malformed");
  assert_int_equal(c->attempts, 0);
}

/* ---- the line ---- */

static void calls_beyond_the_limit_wait_in_line_and_leave_it_in_order(void **state) {
  rig *r = *state;
  rig_limit(r, 1);
  call *a = a_call(r), *b = a_call(r), *c = a_call(r);
  start(r, a);
  start(r, b);
  start(r, c);
  assert_int_equal(r->sent_count, 1);
  assert_int_equal(b->state, CALL_QUEUED);
  assert_int_equal(r->busy, 1); /* b and c wait for a's place */
  assert_int_equal(limit_queued(r->via->limit), 2);
  answer(r, 200);
  assert_int_equal(r->sent_count, 2);
  assert_ptr_equal(last_sent(r)->data, b);
  answer(r, 200);
  assert_ptr_equal(last_sent(r)->data, c);
  answer(r, 200);
  assert_int_equal(r->done_count, 3);
  assert_log(r,
             "intend new>queued new>queued attempted() done queued>turn intend attempted() done queued>turn "
             "intend attempted() done ");
}

static void a_place_is_held_while_gated_and_given_back_while_backing_off(void **state) {
  rig *r = *state;
  rig_limit(r, 1);
  r->gate_open = false;
  call *a = a_call(r), *b = a_call(r);
  start(r, a);
  start(r, b);
  assert_int_equal(b->state, CALL_QUEUED);
  release(r, a);
  assert_int_equal(b->state, CALL_QUEUED);
  answer(r, 503);
  assert_int_equal(a->state, CALL_BACKOFF);
  assert_int_equal(b->state, CALL_GATED);
  release(r, b);
  answer(r, 200);
  pass(r, 60000);
  assert_int_equal(a->state, CALL_WIRE);
  answer(r, 200);
  assert_int_equal(r->done_count, 2);
}

static void skipped_and_mistaken_calls_give_their_place_back(void **state) {
  rig *r = *state;
  rig_limit(r, 1);
  r->only_if = CALL_NO;
  for (int i = 0; i < 3; i++) {
    call *c = a_call(r);
    c->asks_only_if = true;
    start(r, c);
  }
  assert_int_equal(r->done_count, 3);
  call *c = a_call(r);
  start(r, c);
  assert_int_equal(c->state, CALL_WIRE);
  answer(r, 200);
}

static void a_call_may_be_freed_when_it_is_done(void **state) {
  rig *r = *state;
  rig_limit(r, 1);
  r->frees_when_done = true;
  start(r, a_call(r));
  start(r, a_call(r));
  answer(r, 200);
  answer(r, 200);
  assert_int_equal(r->done_count, 2);
}

static void a_grant_that_comes_too_late_passes_its_place_on(void **state) {
  rig *r = *state;
  rig_limit(r, 1);
  call *a = a_call(r), *b = a_call(r), *c = a_call(r);
  start(r, a);
  start(r, b);
  start(r, c);
  http_answer whole = {.outcome = HTTP_ANSWERED, .status = 200, .sent = true, .sends = 1};
  end_exchange(last_sent(r), &whole);
  assert_int_equal(r->grant_count, 1); /* on its way to b */
  call_cut(b);
  calls_run(r->all);
  assert_int_equal(r->done_count, 1);
  assert_int_not_equal(b->state, CALL_DONE); /* or its memory could go while the grant points at it */
  r->frees_when_done = true;
  run_all(r);
  assert_int_equal(r->done_count, 2);
  assert_int_equal(c->state, CALL_WIRE);
  answer(r, 200);
  assert_int_equal(r->done_count, 3);
}

/* ---- within ---- */

static void within_ends_a_call_in_line(void **state) {
  rig *r = *state;
  rig_limit(r, 1);
  call *a = a_call(r), *b = a_call(r);
  a->within_ms = 9 * HOUR;
  b->within_ms = 4 * HOUR;
  start(r, a);
  start(r, b);
  pass_really(r, 4 * HOUR - 1);
  assert_int_equal(b->state, CALL_QUEUED);
  pass_really(r, 1);
  assert_ended(b, CALL_FAILED, REASON_WITHIN,
               "not done within 4h: no attempt, it waited for a place at its connection");
  answer(r, 200);
}

static void within_ends_a_gated_call(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  r->gate_open = false;
  start(r, c);
  pass_really(r, HOUR);
  assert_ended(c, CALL_FAILED, REASON_WITHIN,
               "not done within 1h: no attempt, it was not yet safely recorded");
  release(r, c);
  assert_int_equal(r->sent_count, 0);
}

static void within_ends_a_call_between_attempts_and_keeps_its_last_answer(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->within_ms = 4 * HOUR;
  c->retry.base_ms = c->retry.cap_ms = 1000 * (int64_t)HOUR;
  assert_true(calls_random_backoff(&c->retry, 1, c->key) > 4 * HOUR);
  start(r, c);
  answer_with(r, last_sent(r), 503, "X-Why: tired\n", "come later");
  pass(r, 4 * HOUR - 1);
  assert_int_equal(c->state, CALL_BACKOFF);
  pass(r, 1);
  assert_ended(c, CALL_FAILED, REASON_WITHIN,
               "not done within 4h: 1 attempt, the last ended with status 503");
  assert_int_equal(c->status, 503);
  assert_string_equal(buf_text(&c->answer), "come later");
  assert_string_equal(buf_text(&c->answer_headers), "X-Why: tired\n");
}

static void within_tells_how_often_it_was_tried(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->within_ms = 2 * HOUR;
  start(r, c);
  for (int i = 0; i < 2; i++) {
    answer(r, 500);
    pass(r, 60000);
  }
  c->retry.base_ms = c->retry.cap_ms = 1000 * (int64_t)HOUR;
  break_off(r, HTTP_CONNECT, false, 0, "connection refused by 127.0.0.1:81");
  pass(r, 2 * HOUR);
  assert_ended(
      c, CALL_FAILED, REASON_WITHIN,
      "not done within 2h: 3 attempts, the last ended with connect (connection refused by 127.0.0.1:81)");
  assert_int_equal(c->status, 500);
}

static void within_cancels_what_is_on_the_wire(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  pass_really(r, HOUR - 1);
  assert_false(last_sent(r)->cancelled);
  pass_really(r, 1);
  assert_int_equal(c->state, CALL_WIRE);
  tell_cut(r, true);
  assert_ended(c, CALL_FAILED, REASON_WITHIN,
               "not done within 1h: 1 attempt, the last was still on the wire");
}

static void within_on_the_wire_is_unknown_where_the_vendor_knows_no_keys(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->key_header = NULL;
  start(r, c);
  pass_really(r, HOUR);
  tell_cut(r, true);
  assert_ended(c, CALL_UNKNOWN, REASON_WITHIN,
               "not done within 1h: 1 attempt, the last was still on the wire");

  c = a_call(r);
  c->key_header = NULL;
  start(r, c);
  pass_really(r, HOUR);
  tell_cut(r, false); /* not a byte had left */
  assert_ended(c, CALL_FAILED, REASON_WITHIN,
               "not done within 1h: 1 attempt, the last was still on the wire");
}

static void an_answer_that_is_whole_when_within_ends_still_counts(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  pass_really(r, HOUR);
  assert_true(last_sent(r)->cancelled);
  answer(r, 200);
  assert_ended(c, CALL_OK, REASON_NONE, "");

  c = a_call(r);
  start(r, c);
  pass_really(r, HOUR);
  answer(r, 503); /* and there is no time for another attempt */
  assert_ended(c, CALL_FAILED, REASON_WITHIN,
               "not done within 1h: 1 attempt, the last ended with status 503");
}

static void a_late_failure_is_not_tried_again_even_before_the_timer_fires(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  logical_move_to(&r->clock, logical_now_ms(&r->clock) + HOUR);
  answer(r, 500);
  assert_ended(c, CALL_FAILED, REASON_WITHIN,
               "not done within 1h: 1 attempt, the last ended with status 500");
}

/* ---- cuts ---- */

static void a_cut_call_is_undecided_wherever_it_was(void **state) {
  static const char undecided[] = "it was stopped while it was under way";
  rig *r = *state;
  rig_limit(r, 1);
  call *never = a_call(r), *wire = a_call(r), *queued = a_call(r);
  cut(r, never);
  assert_ended(never, CALL_UNDECIDED, REASON_CUT, undecided);
  start(r, wire);
  start(r, queued);
  cut(r, queued);
  assert_ended(queued, CALL_UNDECIDED, REASON_CUT, undecided);
  cut(r, wire);
  assert_int_equal(wire->state, CALL_WIRE);
  cut(r, wire); /* once is enough */
  tell_cut(r, true);
  assert_ended(wire, CALL_UNDECIDED, REASON_CUT, undecided);

  call *backoff = a_call(r);
  start(r, backoff);
  answer(r, 503);
  cut(r, backoff);
  assert_ended(backoff, CALL_UNDECIDED, REASON_CUT, undecided);

  call *gated = a_call(r);
  r->gate_open = false;
  start(r, gated);
  cut(r, gated);
  assert_ended(gated, CALL_UNDECIDED, REASON_CUT, undecided);
  cut(r, gated);
  assert_int_equal(r->done_count, 5);
}

static void a_call_that_was_cut_before_its_first_turn_asks_nothing(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->asks_only_if = c->renders = true;
  call_start(c);
  call_cut(c);
  run_all(r);
  assert_log(r, "done ");
}

static void an_answer_that_beats_the_cut_counts_but_is_not_tried_again(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  cut(r, c);
  answer(r, 201);
  assert_ended(c, CALL_OK, REASON_NONE, "");
  c = a_call(r);
  start(r, c);
  cut(r, c);
  answer(r, 503);
  assert_ended(c, CALL_UNDECIDED, REASON_CUT, "it was stopped while it was under way");
}

static void a_wire_that_is_closed_leaves_calls_undecided(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  break_off(r, HTTP_CUT, true, 0, "closed");
  assert_ended(c, CALL_UNDECIDED, REASON_CUT, "it was stopped while it was under way");
}

static void a_cut_call_on_the_wire_is_no_longer_timed(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  start(r, c);
  cut(r, c);
  pass_really(r, 2 * HOUR);
  tell_cut(r, true);
  assert_ended(c, CALL_UNDECIDED, REASON_CUT, "it was stopped while it was under way");

  c = a_call(r);
  start(r, c);
  pass_really(r, HOUR);
  cut(r, c); /* its exchange was cancelled already */
  tell_cut(r, true);
  assert_ended(c, CALL_UNDECIDED, REASON_CUT, "it was stopped while it was under way");
}

/* ---- the clock ---- */

static void a_call_is_busy_except_in_line_and_between_attempts(void **state) {
  rig *r = *state;
  rig_limit(r, 1);
  r->gate_open = false;
  call *a = a_call(r), *b = a_call(r);
  call_start(a);
  assert_int_equal(r->busy, 1); /* ready */
  run_all(r);
  assert_int_equal(r->busy, 1); /* gated */
  call_start(b);
  assert_int_equal(r->busy, 2);
  run_all(r);
  assert_int_equal(r->busy, 1); /* b is in line */
  release(r, a);
  assert_int_equal(r->busy, 1); /* on the wire */
  http_answer busy = {.outcome = HTTP_ANSWERED, .status = 503, .sent = true, .sends = 1};
  end_exchange(last_sent(r), &busy);
  assert_int_equal(r->busy, 0); /* a backs off; b's grant is a message, which has a token of its own */
  assert_int_equal(r->grant_count, 1);
  calls_granted(r->all, r->grants[0]);
  r->grant_count = 0;
  assert_int_equal(r->busy, 1);
  run_all(r);
  release(r, b);
  answer(r, 200);
  assert_int_equal(r->busy, 0);
  pass(r, 60000);
  assert_int_equal(r->busy, 1);
  answer(r, 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      RIG_TEST(a_call_asks_renders_intends_and_is_sent_in_this_order),
      RIG_TEST(what_is_not_asked_for_is_not_asked),
      RIG_TEST(nothing_leaves_before_it_is_released),
      RIG_TEST(only_if_that_says_no_skips_before_anything_is_rendered),
      RIG_TEST(only_if_is_asked_again_before_each_send_and_the_rest_is_not),
      RIG_TEST(mistakes_of_ours_are_told_from_failures),
      RIG_TEST(a_request_that_the_wire_does_not_take_is_a_mistake_that_shows_no_query),
      RIG_TEST(calls_beyond_the_limit_wait_in_line_and_leave_it_in_order),
      RIG_TEST(a_place_is_held_while_gated_and_given_back_while_backing_off),
      RIG_TEST(skipped_and_mistaken_calls_give_their_place_back),
      RIG_TEST(a_call_may_be_freed_when_it_is_done),
      RIG_TEST(a_grant_that_comes_too_late_passes_its_place_on),
      RIG_TEST(within_ends_a_call_in_line),
      RIG_TEST(within_ends_a_gated_call),
      RIG_TEST(within_ends_a_call_between_attempts_and_keeps_its_last_answer),
      RIG_TEST(within_tells_how_often_it_was_tried),
      RIG_TEST(within_cancels_what_is_on_the_wire),
      RIG_TEST(within_on_the_wire_is_unknown_where_the_vendor_knows_no_keys),
      RIG_TEST(an_answer_that_is_whole_when_within_ends_still_counts),
      RIG_TEST(a_late_failure_is_not_tried_again_even_before_the_timer_fires),
      RIG_TEST(a_cut_call_is_undecided_wherever_it_was),
      RIG_TEST(a_call_that_was_cut_before_its_first_turn_asks_nothing),
      RIG_TEST(an_answer_that_beats_the_cut_counts_but_is_not_tried_again),
      RIG_TEST(a_wire_that_is_closed_leaves_calls_undecided),
      RIG_TEST(a_cut_call_on_the_wire_is_no_longer_timed),
      RIG_TEST(a_call_is_busy_except_in_line_and_between_attempts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
