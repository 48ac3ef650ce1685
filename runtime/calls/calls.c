/* A call's life: see calls.h.
 *
 * A call that has something to do stands in the list `ready`, which calls_run works off: that is how nothing
 * is called from within what the engine calls. Timers, grants, releases and the wire only put calls there.
 * What is sent and kept is attempt.c's, whether it is tried again retry.c's, the words are detail.c's. */
#include "calls/calls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "calls/attempt.h"
#include "calls/detail.h"
#include "calls/retry.h"

enum { IDLE_CALLS = 256 };

struct calls {
  calls_options options;
  list ready;
  size_t open;
  list *idle; /* calls that were freed, for those to come: the last one first, and `next` the one before it */
  size_t idle_count;
};

static void finish(call *c, const ending *e);

/* ---- states, and what keeps the clock ---- */

/* The connection's line, or the pause before it. */
static bool is_in_line(call_state state) {
  return state == CALL_QUEUED || state == CALL_BACKOFF;
}

static void set_state(call *c, call_state to) {
  call_state from = c->state;
  c->state = to;
  if (from == CALL_BACKOFF) outage_go_on(c->via->outage, &c->waiting);
  const call_hooks *hooks = c->in->options.hooks;
  if (hooks->moved && is_in_line(from) != is_in_line(to)) hooks->moved(c, from, to);
}

/* A virtual clock may jump over a call only where a timer or somebody else's place is what it waits for. */
static void keep_clock(call *c) {
  bool busy =
      !list_empty(&c->link) || c->state == CALL_TURN || c->state == CALL_GATED || c->state == CALL_WIRE;
  if (busy == c->busy) return;
  c->busy = busy;
  c->in->options.busy(c->in->options.worker, busy ? 1 : -1);
}

static void make_ready(call *c) {
  if (list_empty(&c->link)) list_push(&c->in->ready, &c->link);
  keep_clock(c);
}

static void give_place_back(call *c) {
  if (!c->placed) return;
  c->placed = false;
  limit_release(c->via->limit);
}

/* ---- the end ---- */

static void settle(call *c, const ending *e) {
  c->result = e->result;
  c->reason = e->reason;
  memcpy(c->detail, e->detail, strlen(e->detail) + 1);
}

/* True when it waits for no grant any more. */
static bool leave_line(call *c) {
  if (!c->waits_for_place) return true;
  c->waits_for_place = !limit_leave(c->via->limit, &c->waiter);
  return !c->waits_for_place;
}

static void finish(call *c, const ending *e) {
  if (c->finished) return;
  c->finished = true;
  settle(c, e);
  timer_clear(c->in->options.pauses, &c->backoff);
  timer_clear(c->in->options.pauses, &c->deadline);
  give_place_back(c);
  if (leave_line(c))
    make_ready(c);
  else
    c->granted_while_gone = true; /* the grant on its way points at c: done has to wait for it */
}

static void finish_by_mistake(call *c, call_reason reason, const error *err) {
  ending e = ending_mistake(reason, err->text);
  finish(c, &e);
}

static void complete(call *c) {
  calls *all = c->in;
  bool busy = c->busy;
  set_state(c, CALL_DONE);
  c->busy = false;
  all->open--;
  all->options.hooks->done(c); /* c may be gone */
  if (busy) all->options.busy(all->options.worker, -1);
}

/* ---- after an attempt ---- */

static call_reason reason_of(http_outcome outcome) {
  static const call_reason reasons[] = {
      [HTTP_ANSWERED] = REASON_NONE,
      [HTTP_CONNECT] = REASON_CONNECT,
      [HTTP_DNS] = REASON_DNS,
      [HTTP_TLS] = REASON_TLS,
      [HTTP_TIMEOUT] = REASON_TIMEOUT,
      [HTTP_RESET] = REASON_RESET,
      [HTTP_TOO_LARGE] = REASON_TOO_LARGE,
      [HTTP_PROTOCOL] = REASON_PROTOCOL,
      [HTTP_REDIRECT] = REASON_REDIRECT,
      [HTTP_FILE] = REASON_FILE,
      [HTTP_EGRESS] = REASON_EGRESS,
      [HTTP_CUT] = REASON_CUT,
  };
  return reasons[outcome];
}

static ending judge_by_status(const call *c) {
  if (status_set_has(&c->success, c->status)) return ending_ok();
  return ending_status(c->status);
}

static ending judge_by_predicate(call *c) {
  error err = {""};
  ending by_status = judge_by_status(c);
  settle(c, &by_status); /* what the predicate sees: never how an earlier attempt ended */
  switch (c->in->options.hooks->judge(c, &err)) {
  case CALL_YES: return ending_ok();
  case CALL_NO:
    return ending_say(CALL_FAILED, REASON_PREDICATE, "its success predicate said no to %s",
                      ending_status(c->status).detail);
  default: return ending_mistake(REASON_SCRIPT, err.text);
  }
}

/* It was to go where it may not: never the vendor's refusal, so nobody is dropped for it. */
static ending judge_egress(const call *c, const http_answer *answer) {
  const char *name = c->via->name;
  ending e = ending_broken(REASON_EGRESS, answer->detail);
  if (answer->off_public && *name)
    e = ending_say(CALL_MISTAKE, REASON_EGRESS,
                   "%s: set private_network = true on the connection \"%s\" if that is meant", e.detail,
                   name);
  else if (answer->off_public)
    e = ending_say(
        CALL_MISTAKE, REASON_EGRESS,
        "%s: give --private-network, or a connection with private_network = true, if that is meant",
        e.detail);
  e.result = retry_fate_unclear(c, answer) ? CALL_UNKNOWN : CALL_MISTAKE;
  return e;
}

/* No whole answer. A status of 400 or more is a definite no all the same, where asking again is forbidden. */
static ending judge_broken(const call *c, const http_answer *answer) {
  if (!c->key_header && answer->sent && answer->status >= 400 && !status_set_has(&c->success, answer->status))
    return ending_status(answer->status);
  ending e = ending_broken(reason_of(answer->outcome), answer->detail);
  if (retry_fate_unclear(c, answer)) e.result = CALL_UNKNOWN;
  return e;
}

/* Cancelled: by us, because `within` was over; or by whoever stops the runtime. */
static ending judge_cut(const call *c, const http_answer *answer) {
  if (c->cutting || !c->overdue) return ending_cut();
  ending e = ending_within(c);
  if (retry_fate_unclear(c, answer)) e.result = CALL_UNKNOWN;
  return e;
}

static ending judge(call *c, const http_answer *answer) {
  if (answer->outcome == HTTP_CUT) return judge_cut(c, answer);
  if (answer->outcome == HTTP_EGRESS) return judge_egress(c, answer);
  if (answer->outcome != HTTP_ANSWERED) return judge_broken(c, answer);
  return c->asks_success ? judge_by_predicate(c) : judge_by_status(c);
}

/* Another attempt, later; or the end, when there is no time for it. `e` is how this one ended. */
static void back_off(call *c, const http_answer *answer, const ending *e) {
  settle(c, e);
  c->overdue = false; /* it ended before it could be cancelled */
  bool asked;
  int64_t now = logical_elapsed_ms(c->in->options.clock), pause = retry_pause(c, answer, &asked);
  ending last;
  if (c->cutting)
    last = ending_cut();
  else if (now >= c->deadline.at_ms)
    last = ending_within(c);
  else if (asked && pause >= c->deadline.at_ms - now)
    last = ending_too_late(c, pause);
  else {
    timer_set(c->in->options.pauses, &c->backoff, now + pause, c->backoff.due);
    outage_wait(c->via->outage, &c->waiting, now + pause);
    set_state(c, CALL_BACKOFF);
    keep_clock(c);
    return;
  }
  finish(c, &last);
}

static void note_outage(const call *c, const http_answer *answer, const ending *e) {
  bool failed = e->result == CALL_FAILED || e->result == CALL_UNKNOWN;
  if (failed && retry_is_outage(answer))
    outage_failed(c->via->outage, e->reason, e->detail);
  else if (answer->outcome == HTTP_ANSWERED)
    outage_answered(c->via->outage);
}

static void answered(http_exchange *exchange, http_answer *answer, void *data) {
  (void)exchange;
  call *c = data;
  const call_hooks *hooks = c->in->options.hooks;
  c->exchange = NULL;
  attempt_read(c, answer);
  give_place_back(c);
  ending e = judge(c, answer);
  retry_note_fate(c, answer, e.result);
  note_outage(c, answer, &e);
  if (hooks->attempted) hooks->attempted(c, answer->ms, e.reason);
  if (c->finished) return; /* a hook cut it */
  if (e.result == CALL_FAILED && c->attempts < c->retry.attempts && retry_allowed(c, answer))
    back_off(c, answer, &e);
  else
    finish(c, &e);
}

/* ---- a turn ---- */

static void put_on_wire(call *c) {
  const calls_options *options = &c->in->options;
  error err; /* long, so that it is filled only when it is needed */
  set_state(c, CALL_WIRE);
  if (attempt_send(c, options->wire, options->reroute, answered, &err) == 0) return;
  ending e = ending_broken(REASON_CONFIG, err.text); /* nothing broke, but a URL may be quoted */
  e.result = CALL_MISTAKE;
  finish(c, &e);
}

/* True when it may be sent. */
static bool ask_only_if(call *c) {
  error err;
  if (!c->asks_only_if) return true;
  call_verdict verdict = c->in->options.hooks->only_if(c, &err);
  if (verdict == CALL_ERROR) {
    finish_by_mistake(c, REASON_SCRIPT, &err);
  } else if (verdict == CALL_NO) {
    ending e = ending_say(CALL_SKIPPED, REASON_ONLY_IF, "only_if said no");
    finish(c, &e);
  }
  return !c->finished;
}

/* False when the payload failed, or ended the call. */
static bool render(call *c) {
  error err;
  call_result result = c->in->options.hooks->render(c, &err);
  if (result == CALL_OK) return true;
  ending e = ending_say(result, result == CALL_SKIPPED ? REASON_ABORTED : REASON_PAYLOAD, "%s", err.text);
  finish(c, &e);
  return false;
}

/* False where it can't be sent as connection and secrets are: it has ended. */
static bool check(call *c) {
  error err;
  if (attempt_check(c, &err)) finish_by_mistake(c, REASON_CONFIG, &err);
  return !c->finished;
}

/* Renders, and hands the intent over: once in a call's life, so that one key never has two bodies. */
static void record_intent(call *c) {
  if (c->renders && !c->rendered && !render(c)) return;
  if (!check(c)) return;
  c->intended = true;
  set_state(c, CALL_GATED);
  c->in->options.hooks->intend(c);
}

static void take_turn(call *c) {
  set_state(c, CALL_TURN);
  if (c->taken_up && !c->key_header) {
    ending e = ending_say(CALL_UNKNOWN, REASON_CUT,
                          "the runtime ended while it was under way, and it must not be sent twice");
    finish(c, &e);
    return;
  }
  if (!ask_only_if(c)) return;
  if (!c->intended)
    record_intent(c);
  else if (!c->taken_up || check(c))
    put_on_wire(c);
}

static void get_in_line(call *c) {
  c->waits_for_place = !limit_acquire(c->via->limit, &c->waiter);
  c->placed = !c->waits_for_place;
  if (c->placed)
    take_turn(c);
  else
    set_state(c, CALL_QUEUED);
}

static void step(call *c) {
  if (c->finished) {
    complete(c);
    return;
  }
  switch (c->state) {
  case CALL_NEW:
  case CALL_BACKOFF: get_in_line(c); break;
  case CALL_QUEUED: take_turn(c); break;
  case CALL_GATED: put_on_wire(c); break;
  default: break;
  }
  keep_clock(c);
}

bool calls_due(const calls *all) {
  return !list_empty(&all->ready);
}

bool calls_run(calls *all) {
  list due, *next;
  list_init(&due);
  list_move_all(&due,
                &all->ready); /* what comes meanwhile is for the next time: one call of this stays short */
  while ((next = list_pop(&due))) step(LIST_OF(call, link, next));
  return calls_due(all);
}

/* ---- what happens to a call from outside ---- */

static void backoff_over(timer *t) {
  make_ready(LIST_OF(call, backoff, t));
}

static void within_over(timer *t) {
  call *c = LIST_OF(call, deadline, t);
  if (c->exchange) {
    c->overdue = true;
    http_cancel(c->exchange);
  } else {
    ending e = ending_within(c);
    finish(c, &e);
  }
}

/* On any thread: of c only what never changes may be read. */
static void granted(limit_waiter *waiter) {
  const calls_options *options = &LIST_OF(call, waiter, waiter)->in->options;
  options->post_grant(options->worker, waiter);
}

void calls_granted(calls *all, limit_waiter *waiter) {
  (void)all;
  call *c = LIST_OF(call, waiter, waiter);
  c->waits_for_place = false;
  c->placed = true;
  if (c->granted_while_gone) give_place_back(c);
  make_ready(c);
}

static void open_call(call *c) {
  c->started = true;
  c->in->open++;
}

void call_start(call *c) {
  const calls_options *options = &c->in->options;
  open_call(c);
  int64_t spent = c->began_ms ? logical_now_ms(options->clock) - c->began_ms : 0;
  int64_t left = c->within_ms - (spent > 0 ? spent : 0); /* the calendar may have been stepped back since */
  timer_set(options->pauses, &c->deadline, logical_elapsed_ms(options->clock) + left, within_over);
  make_ready(c);
}

void call_release(call *c) {
  if (c->state == CALL_GATED && !c->finished) make_ready(c);
}

void call_cut(call *c) {
  if (c->finished || c->cutting) return;
  if (!c->started) open_call(c);
  timer_clear(c->in->options.pauses, &c->deadline);
  c->cutting = true;
  if (c->exchange) {
    if (!c->overdue) http_cancel(c->exchange);
  } else {
    ending e = ending_cut();
    finish(c, &e);
  }
}

/* ---- beginning and end of memory ---- */

calls *calls_new(const calls_options *options) {
  calls *all = mem_zero(sizeof *all);
  all->options = *options;
  list_init(&all->ready);
  return all;
}

void calls_free(calls *all) {
  assert(all->open == 0);
  for (list *l = all->idle, *before; l; l = before) {
    before = l->next;
    free(LIST_OF(call, link, l));
  }
  free(all);
}

size_t calls_open(const calls *all) {
  return all->open;
}

/* Under the sanitizers each call is a block of its own, which they watch. */
static bool keeps_idle(const calls *all) {
#if defined(__SANITIZE_ADDRESS__)
  (void)all;
  return false;
#else
  return all->idle_count < IDLE_CALLS;
#endif
}

call *call_new(calls *in) {
  call *c;
  if (in->idle) {
    c = LIST_OF(call, link, in->idle);
    in->idle = c->link.next;
    in->idle_count--;
    memset(c, 0, sizeof *c);
  } else {
    c = mem_zero(sizeof *c);
  }
  c->in = in;
  list_init(&c->link);
  list_init(&c->waiter.link);
  c->waiter.granted = granted;
  c->backoff.due = backoff_over;
  return c;
}

void call_free(call *c) {
  if (!c) return;
  for (size_t i = 0; i < c->header_count; i++) {
    free(c->headers[i].name);
    free(c->headers[i].value);
  }
  free(c->headers);
  free(c->label);
  free(c->url);
  free(c->save_to);
  free(c->own_key_header);
  buf_free(&c->body);
  buf_free(&c->answer_headers);
  buf_free(&c->answer);
  attempt_wipe(c);
  if (!keeps_idle(c->in)) {
    free(c);
    return;
  }
  calls *all = c->in;
  c->link.next = all->idle;
  all->idle = &c->link;
  all->idle_count++;
}
