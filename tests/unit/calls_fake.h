/* For the tests of calls/: a pretend wire, a virtual clock and hooks that note what they were asked.
 *
 * The test says how each exchange ends, and the clock jumps only while nothing is busy: a token too many or
 * too few fails the test that holds it. */
#ifndef JAUNT_TESTS_CALLS_FAKE_H
#define JAUNT_TESTS_CALLS_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "calls/calls.h"

enum { RIG_MOST = 64, HOUR = 3600 * 1000 };

typedef struct rig rig;

struct http {
  rig *of;
};

struct http_exchange {
  rig *of;
  http_done done;
  void *data;
  http_request request; /* its texts are copies but for the body */
  char *method, *url;
  buf headers; /* "Name: value\n" for each */
  buf hidden;  /* "name\n" for each of private_headers */
  buf body;
  bool cancelled, over;
};

struct rig {
  logical_clock clock;
  timers timers;
  http wire;
  calls *all;
  calls_options options;
  connection *via;

  http_exchange *sent[RIG_MOST]; /* every http_send, in order */
  size_t sent_count;
  const char *refusal; /* what http_send says; NULL: it takes all */

  limit_waiter *grants[RIG_MOST]; /* on their way */
  size_t grant_count;

  call *made[RIG_MOST];
  size_t made_count, done_count;
  bool inside; /* call_start and its like: no hook may come */
  int busy;

  buf log; /* what the hooks were asked, a word each, with a space behind it */
  call_verdict only_if, verdict;
  const char *raised;       /* by the predicate or the payload */
  const char *rendered;     /* NULL: rendering fails, or ends the call */
  call_result payload_ends; /* CALL_MISTAKE, unless a test says otherwise */
  bool gate_open;           /* intend releases at once */
  bool frees_when_done;
};

/* ---- the pretend wire ---- */

static void add_lines(buf *out, const char *const *lines) {
  for (; lines && *lines; lines++) buf_format(out, "%s\n", *lines);
}

http_exchange *http_send(http *h, const http_request *request, http_done done, void *data, error *err) {
  rig *r = h->of;
  assert_true(r->sent_count < RIG_MOST);
  if (r->refusal) {
    error_set(err, "%s", r->refusal);
    return NULL;
  }
  http_exchange *x = mem_zero(sizeof *x);
  *x = (http_exchange){.of = r, .done = done, .data = data, .request = *request};
  x->method = mem_text(request->method);
  x->url = mem_text(request->url);
  add_lines(&x->headers, request->headers);
  add_lines(&x->hidden, request->private_headers);
  buf_add(&x->body, request->body, request->body_length);
  return r->sent[r->sent_count++] = x;
}

void http_cancel(http_exchange *x) {
  assert_false(x->over);
  assert_false(x->cancelled);
  x->cancelled = true;
}

static void end_exchange(http_exchange *x, http_answer *answer) {
  assert_false(x->over);
  x->over = true;
  if (!answer->headers) answer->headers = "";
  answer->headers_length = strlen(answer->headers);
  if (answer->ms == 0) answer->ms = 12.5;
  x->done(x, answer, x->data);
  buf_free(&answer->body);
}

/* ---- the hooks ---- */

static void note(call *c, const char *word) {
  rig *r = c->owner;
  assert_false(r->inside);
  buf_format(&r->log, "%s ", word);
}

static call_verdict say(rig *r, call_verdict verdict, error *err) {
  if (verdict == CALL_ERROR) error_set(err, "%s", r->raised);
  return verdict;
}

static call_verdict on_only_if(call *c, error *err) {
  note(c, "only_if");
  return say(c->owner, ((rig *)c->owner)->only_if, err);
}

static call_verdict on_judge(call *c, error *err) {
  note(c, "judge");
  return say(c->owner, ((rig *)c->owner)->verdict, err);
}

static call_result on_render(call *c, error *err) {
  rig *r = c->owner;
  note(c, "render");
  if (!r->rendered) error_set(err, "%s", r->raised);
  if (!r->rendered) return r->payload_ends;
  buf_clear(&c->body);
  buf_text_add(&c->body, r->rendered);
  c->has_body = true;
  return CALL_OK;
}

static void on_intend(call *c) {
  note(c, "intend");
  if (((rig *)c->owner)->gate_open) call_release(c);
}

static void on_attempted(call *c, double ms, call_reason reason) {
  char word[64];
  snprintf(word, sizeof word, "attempted(%s)", call_reason_name(reason));
  note(c, word);
  assert_true(ms > 0);
}

static void on_moved(call *c, call_state from, call_state to) {
  static const char *const names[] = {"new", "queued", "turn", "gated", "wire", "backoff", "done"};
  char word[64];
  snprintf(word, sizeof word, "%s>%s", names[from], names[to]);
  note(c, word);
}

static void on_done(call *c) {
  rig *r = c->owner;
  note(c, "done");
  assert_int_equal(c->state, CALL_DONE);
  assert_true(r->busy > 0); /* or the clock could jump between the result and what it does to the run */
  r->done_count++;
  if (!r->frees_when_done) return;
  for (size_t i = 0; i < r->made_count; i++) {
    if (r->made[i] == c) r->made[i] = NULL;
  }
  call_free(c);
}

static const call_hooks rig_hooks = {.only_if = on_only_if,
                                     .render = on_render,
                                     .intend = on_intend,
                                     .judge = on_judge,
                                     .attempted = on_attempted,
                                     .moved = on_moved,
                                     .done = on_done};

static void on_post_grant(void *worker, limit_waiter *waiter) {
  rig *r = worker;
  assert_true(r->grant_count < RIG_MOST);
  r->grants[r->grant_count++] = waiter;
}

static void on_busy(void *worker, int change) {
  rig *r = worker;
  r->busy += change;
  assert_true(r->busy >= 0);
}

/* ---- the rig ---- */

static int rig_open(void **state) {
  rig *r = mem_zero(sizeof *r);
  logical_init_virtual(&r->clock, 1700000000000);
  timers_init(&r->timers);
  r->wire.of = r;
  r->via = connection_new("crm");
  r->only_if = r->verdict = CALL_YES;
  r->raised = "it was raised";
  r->rendered = "{\"name\":\"Ada\"}";
  r->payload_ends = CALL_MISTAKE;
  r->gate_open = true;
  r->options = (calls_options){.wire = &r->wire,
                               .pauses = &r->timers,
                               .clock = &r->clock,
                               .hooks = &rig_hooks,
                               .post_grant = on_post_grant,
                               .busy = on_busy,
                               .worker = r};
  r->all = calls_new(&r->options);
  *state = r;
  return 0;
}

/* Another rehearsal's address; before any call is made. */
static inline void rig_reroute(rig *r, const char *reroute) {
  calls_free(r->all);
  r->options.reroute = reroute;
  r->all = calls_new(&r->options);
}

static inline void rig_limit(rig *r, size_t most) {
  limit_free(r->via->limit);
  r->via->limit = limit_new(most);
}

static void rig_free_exchange(http_exchange *x) {
  assert_true(x->over);
  free(x->method);
  free(x->url);
  buf_free(&x->headers);
  buf_free(&x->hidden);
  buf_free(&x->body);
  free(x);
}

static int rig_close(void **state) {
  rig *r = *state;
  assert_int_equal(calls_open(r->all), 0);
  assert_int_equal(r->busy, 0);
  assert_int_equal(r->grant_count, 0);
  assert_true(timers_next(&r->timers) == INT64_MAX);
  assert_int_equal(limit_queued(r->via->limit), 0);
  assert_int_equal(outage_look_at(r->via->outage).waiting, 0);
  for (size_t i = 0; i < r->sent_count; i++) rig_free_exchange(r->sent[i]);
  for (size_t i = 0; i < r->made_count; i++) call_free(r->made[i]);
  calls_free(r->all);
  connection_free(r->via);
  timers_free(&r->timers);
  buf_free(&r->log);
  free(r);
  return 0;
}

static call *a_call(rig *r) {
  assert_true(r->made_count < RIG_MOST);
  call *c = r->made[r->made_count++] = call_new(r->all);
  c->owner = r;
  c->via = r->via;
  c->method = "POST";
  c->url = mem_text("https://api.example.com/leads");
  c->timeout_ms = 30000;
  c->within_ms = HOUR;
  c->retry = (retry_policy){4, 1000, 60000};
  c->success = r->via->success;
  c->key_header = r->via->idempotent;
  snprintf(c->key, sizeof c->key, "%032zu", r->made_count);
  buf_text_add(&c->body, "{}");
  c->has_body = true;
  return c;
}

/* As the worker does it: news first, then what is ready, until nothing is left to do. */
static void run_all(rig *r) {
  bool more;
  do {
    limit_waiter *news[RIG_MOST];
    size_t count = r->grant_count;
    memcpy(news, r->grants, sizeof news);
    r->grant_count = 0;
    for (size_t i = 0; i < count; i++) calls_granted(r->all, news[i]);
    more = calls_run(r->all);
  } while (more || r->grant_count);
}

static inline void start(rig *r, call *c) {
  r->inside = true;
  call_start(c);
  r->inside = false;
  run_all(r);
}

static inline void release(rig *r, call *c) {
  r->inside = true;
  call_release(c);
  r->inside = false;
  run_all(r);
}

/* Cuts it, and lets the wire tell of it. */
static inline void cut(rig *r, call *c) {
  r->inside = true;
  call_cut(c);
  r->inside = false;
  run_all(r);
}

/* Lets time pass, timer by timer, until something is busy: a virtual clock goes no further then. */
static inline void pass(rig *r, int64_t ms) {
  int64_t until = logical_now_ms(&r->clock) + ms;
  assert_int_equal(r->busy, 0);
  for (int64_t next; r->busy == 0 && (next = timers_next(&r->timers)) <= until;) {
    logical_move_to(&r->clock, next);
    r->inside = true;
    timers_fire(&r->timers, next, 1000);
    r->inside = false;
    run_all(r);
  }
  if (r->busy == 0) logical_move_to(&r->clock, until);
}

/* Time that passes with a call on the wire, as it does on a real clock. */
static inline void pass_really(rig *r, int64_t ms) {
  int64_t until = logical_now_ms(&r->clock) + ms;
  logical_move_to(&r->clock, until);
  r->inside = true;
  timers_fire(&r->timers, until, 1000);
  r->inside = false;
  run_all(r);
}

static inline http_exchange *last_sent(const rig *r) {
  assert_true(r->sent_count > 0);
  return r->sent[r->sent_count - 1];
}

static inline bool on_wire(const rig *r) {
  return r->sent_count > 0 && !last_sent(r)->over;
}

static inline void answer_with(rig *r, http_exchange *x, int status, const char *headers, const char *body) {
  http_answer answer = {
      .outcome = HTTP_ANSWERED, .status = status, .headers = headers, .sent = true, .sends = 1};
  buf_text_add(&answer.body, body);
  end_exchange(x, &answer);
  run_all(r);
}

static inline void answer(rig *r, int status) {
  answer_with(r, last_sent(r), status, "", "");
}

static inline void break_off(rig *r, http_outcome outcome, bool sent, int status, const char *detail) {
  http_answer answer = {.outcome = outcome, .sent = sent, .sends = sent, .status = status};
  snprintf(answer.detail, sizeof answer.detail, "%s", detail);
  end_exchange(last_sent(r), &answer);
  run_all(r);
}

/* What http_cancel promises: the callback, on a later turn. */
static inline void tell_cut(rig *r, bool sent) {
  assert_true(last_sent(r)->cancelled);
  break_off(r, HTTP_CUT, sent, 0, "cut");
}

static inline void assert_ended(const call *c, call_result result, call_reason reason, const char *detail) {
  assert_int_equal(c->state, CALL_DONE);
  assert_string_equal(call_result_name(c->result), call_result_name(result));
  assert_string_equal(call_reason_name(c->reason), call_reason_name(reason));
  assert_string_equal(c->detail, detail);
}

static inline void assert_log(rig *r, const char *words) {
  assert_string_equal(buf_text(&r->log), words);
  buf_clear(&r->log);
}

static inline void set_text(char **at, const char *text) {
  free(*at);
  *at = mem_text(text);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_open, rig_close)

#endif
