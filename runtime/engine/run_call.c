/* A run's calls: what a call asks of its run while it lives, and what its result does to the run. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* Key = hash(run id, incarnation, step, redrive number): the same after a crash, never the same for two calls. */
static void name_call(const run *r, call *c) {
  uint32_t numbers[3] = {r->incarnation, r->step, r->redrives};
  hash_part parts[] = {{&r->id, sizeof r->id}, {numbers, sizeof numbers}};
  hash_hex(hash_parts((hash128){0x6a61756e74, 1}, parts, 2), c->key);
}

/* ---- beginning ---- */

static const char *static_type(const char *type, size_t length) {
  static const char *const types[] = {
      "application/json",         "application/x-www-form-urlencoded", "application/xml",
      "text/html; charset=utf-8", "text/plain; charset=utf-8",
  };
  for (size_t i = 0; type && i < sizeof types / sizeof *types; i++) {
    if (strlen(types[i]) == length && memcmp(types[i], type, length) == 0) return types[i];
  }
  return NULL;
}

/* What call_api left in ANCHOR_VARS: the payload's name and its vars; and what rendering adds: "hello@3f9a…", what was sent. */
enum { VARS_NAME = 1, VARS_SENT = 3 };

/* The payload that was rendered before the process ended is told of again. May raise. */
static void take_up_payload(run *r, lua_State *L, const store_record *intent) {
  size_t name_length = 0, hash_length = 0;
  const char *name = store_intent_line(intent, INTENT_PAYLOAD, &name_length);
  const char *hash = store_intent_line(intent, INTENT_TEMPLATE, &hash_length);
  luaL_checkstack(L, 5, NULL);
  run_anchor_get(r, L, ANCHOR_VARS);
  lua_pushlstring(L, name ? name : "", name_length);
  lua_pushliteral(L, "@");
  lua_pushlstring(L, hash ? hash : "", hash_length);
  lua_concat(L, 3);
  lua_rawseti(L, -2, VARS_SENT);
  lua_pop(L, 1);
}

static call_reason reason_named(const char *name, size_t length) {
  call_reason reason = REASON_NONE;
  while (reason < CALL_REASONS - 1) {
    const char *known = call_reason_name(reason);
    if (strlen(known) == length && memcmp(known, name, length) == 0) return reason;
    reason++;
  }
  return reason;
}

/* Those that were recorded as failed count: the call has so many less. */
static void take_up_attempts(const run_past *past, call *c) {
  c->attempts = past->attempts;
  if (!c->attempts) return;
  c->status = (int)past->last_attempt.numbers[0];
  c->reason = reason_named(past->last_attempt.name, strlen(past->last_attempt.name));
  snprintf(c->detail, sizeof c->detail, "before the runtime ended");
}

/* The intent of a call that the process ended under: what may have gone out goes out again, byte by byte, or never, by the rule that
 * it was made under. One that has not left is recorded once more before it does. */
static void take_up_intent(run *r, lua_State *L, call *c) {
  c->began_ms = r->past->step_ms;
  if (!r->past->has_intent) return;
  const store_record *intent = &r->past->intent;
  store_intent_key(intent, c->key); /* an operator may have sent it on since */
  free(c->url);
  c->url = mem_text_of(intent->more, intent->more_length);
  buf_clear(&c->body);
  buf_add(&c->body, intent->data, intent->data_length);
  c->has_body = intent->data != NULL;
  size_t length;
  const char *type = store_intent_line(intent, INTENT_TYPE, &length);
  if (type) c->content_type = static_type(type, length);
  c->rendered = true;
  take_up_attempts(r->past, c);
  if (c->renders) take_up_payload(r, L, intent);
  if (r->past->recalled) return;
  c->intended = c->taken_up = c->unclear = true;
  if (store_intent_line(intent, INTENT_ONCE, &length)) c->key_header = NULL;
}

void run_call(run *r, lua_State *L, on_failure policy) {
  call *c = r->call;
  c->owner = r;
  name_call(r, c);
  if (r->past && !r->trial) take_up_intent(r, L, c); /* first: it may raise */
  r->on_failure = policy;
  r->park = PARK_CALL;
  if (r->trial) return; /* it is under way: that is where the run is */
  if (!r->in->draining) call_start(c);
}

/* ---- what a result decides ---- */

static bool goes_on(const run *r) {
  const call *c = r->call;
  return c->result != CALL_MISTAKE && c->result != CALL_DROPPED &&
         (c->result != CALL_FAILED || r->on_failure == ON_FAILURE_CONTINUE);
}

/* A status is told apart by its number alone, so that reports can group; other details are for people. */
static const char *reason_detail(const call *c, char number[16]) {
  if (c->reason != REASON_STATUS && c->reason != REASON_PREDICATE) return c->detail;
  snprintf(number, 16, "%d", c->status);
  return number;
}

static void end_by_result(run *r) {
  const call *c = r->call;
  char number[16];
  bool holds = c->result == CALL_MISTAKE || (c->result == CALL_FAILED && r->on_failure == ON_FAILURE_HOLD);
  const char *reason = holds && r->broken ? "limit" : call_reason_name(c->reason);
  run_end(r, holds ? RUN_HELD : RUN_DROPPED, reason, reason_detail(c, number));
}

/* ---- a result that was recorded ---- */

static call_result result_named(const char *name) {
  call_result result = CALL_OK;
  while (result < CALL_UNDECIDED && strcmp(call_result_name(result), name) != 0) result++;
  return result;
}

/* See record_result for what stands where. */
static void read_result(call *c, const store_record *was) {
  const char *detail = was->extra_length ? memchr(was->extra, '\n', was->extra_length) : NULL;
  c->result = result_named(was->name);
  c->status = (int)was->numbers[0];
  c->attempts = (int)was->numbers[1];
  c->ms = (double)was->numbers[2] / 1000;
  c->truncated = was->numbers[3] & RESULT_TRUNCATED;
  buf_add(&c->answer, was->data, was->data_length);
  store_result_headers(was, &c->answer_headers);
  if (!detail) return;
  size_t length = was->extra_length - (size_t)(detail + 1 - was->extra);
  if (length >= sizeof c->detail) length = sizeof c->detail - 1;
  c->reason = reason_named(was->extra, (size_t)(detail - was->extra));
  memcpy(c->detail, detail + 1, length);
  c->detail[length] = '\0';
}

run_call_fate run_call_recorded(run *r, const char *element, on_failure policy) {
  store_record was;
  if (!r->past) return RUN_CALL_NEW;
  r->past->has_intent = false;
  while (run_recorded(r, RECORD_INTENT, &r->past->intent))
    r->past->has_intent = true; /* the last one counts */
  bool ended = r->past->ended && !r->trial;
  if (ended) run_end(r, RUN_EXITED, "operator", "");
  if (!run_recorded(r, RECORD_RESULT, &was)) return ended ? RUN_CALL_ENDS : RUN_CALL_NEW;
  if (ended) return RUN_CALL_ENDS;
  call_free(r->call);
  r->call = call_new(r->in->calls);
  r->call->label = mem_text(element);
  r->on_failure = policy;
  read_result(r->call, &was);
  if (!run_in_past(r) && !r->trial && run_ends_by_events(r)) return RUN_CALL_ENDS; /* as it would have then */
  if (goes_on(r)) return RUN_CALL_OVER;
  end_by_result(r); /* the process ended between the two */
  return RUN_CALL_ENDS;
}

/* ---- what the call asks ---- */

typedef struct question {
  run *r;
  call *c;
  bool answer;        /* a predicate's */
  call_result result; /* a payload's; why it ended the call goes to err */
  error *err;
} question;

static int call_only_if(lua_State *L) {
  question *q = lua_touserdata(L, 1);
  run_anchor_get(q->r, L, ANCHOR_ONLY_IF);
  run_push_person(q->r, L);
  run_anchor_get(q->r, L, ANCHOR_EVENT);
  lua_call(L, 2, 1);
  q->answer = lua_toboolean(L, -1);
  return 0;
}

static int call_success(lua_State *L) {
  question *q = lua_touserdata(L, 1);
  run_anchor_get(q->r, L, ANCHOR_SUCCESS);
  q->r->in->shared->options->lua->push_response(L, q->c);
  lua_call(L, 1, 1);
  q->answer = lua_toboolean(L, -1);
  return 0;
}

static call_verdict ask(call *c, lua_CFunction predicate, error *err) {
  question q = {.r = c->owner, .c = c};
  if (run_protected(q.r, predicate, &q, err)) return CALL_ERROR;
  return q.answer ? CALL_YES : CALL_NO;
}

static call_verdict ask_only_if(call *c, error *err) {
  return ask(c, call_only_if, err);
}

static call_verdict judge(call *c, error *err) {
  return ask(c, call_success, err);
}

/* The body from what was rendered, at `value`: bytes, or a transform's table. */
static void fill_body(lua_State *L, question *q, int value) {
  call *c = q->c;
  buf_clear(&c->body);
  c->has_body = true;
  if (!lua_istable(L, value)) {
    size_t length;
    const char *bytes = luaL_checklstring(L, value, &length);
    buf_add(&c->body, bytes, length);
    return;
  }
  error err;
  lua_rawgeti(L, 2, VARS_NAME);
  if (q->r->in->shared->options->lua->encode(L, value, &c->body, lua_tostring(L, -1), &err))
    luaL_error(L, "%s", err.text);
  lua_pop(L, 1);
}

/* The payload ended the call itself: "skip", "drop" or "hold". */
static call_result result_of_payload(const char *how) {
  return strcmp(how, "skip") == 0 ? CALL_SKIPPED : strcmp(how, "drop") == 0 ? CALL_DROPPED : CALL_MISTAKE;
}

/* render(what, person, event, now) on the Lua side: see lualib/jaunt/worker.lua. */
static int call_render(lua_State *L) {
  question *q = lua_touserdata(L, 1);
  run_anchor_get(q->r, L, ANCHOR_VARS); /* 2 */
  lua_rawgeti(L, LUA_REGISTRYINDEX, q->r->in->render_ref);
  lua_pushvalue(L, 2);
  run_push_person(q->r, L);
  run_anchor_get(q->r, L, ANCHOR_EVENT);
  lua_pushinteger(L, (lua_Integer)logical_now_ms(&q->r->in->shared->clock));
  lua_call(L, 4, 3); /* 3, 4, 5 */
  if (lua_isnil(L, 3)) {
    q->result = result_of_payload(lua_tostring(L, 4));
    error_set(q->err, "%s", lua_tostring(L, 5));
    return 0;
  }
  size_t type_length;
  const char *type = lua_tolstring(L, 4, &type_length);
  if (!q->c->content_type) q->c->content_type = static_type(type, type_length);
  fill_body(L, q, 3);
  lua_rawseti(L, 2, VARS_SENT);
  return 0;
}

static call_result render(call *c, error *err) {
  question q = {.r = c->owner, .c = c, .err = err, .result = CALL_OK};
  return run_protected(q.r, call_render, &q, err) ? CALL_MISTAKE : q.result;
}

static void trace_intent(run *r, call *c) {
  buf text = BUF_EMPTY;
  r->in->shared->options->lua->tell_call(&text, r->person, c);
  shared_say(r->in->shared, SAY_TRACE, text.data, text.len);
  buf_free(&text);
}

/* Two lines: the payload's name and the hash of its text, where there is one. */
static void add_payload(run *r, buf *out) {
  lua_State *L = r->in->scratch;
  int top = lua_gettop(L);
  const char *hash = "";
  if (r->call->renders) {
    run_anchor_get(r, L, ANCHOR_VARS);
    lua_rawgeti(L, -1, VARS_SENT);
    const char *sent = lua_tostring(L, -1);
    hash = strrchr(sent, '@');
    buf_add(out, sent, (size_t)(hash++ - sent));
  }
  buf_char(out, '\n');
  buf_text_add(out, hash);
  lua_settop(L, top);
}

/* What an intent says beside URL and body: see intent_line. */
static const buf *intent_extra(run *r, const call *c) {
  buf *out = &r->in->verdict;
  buf_clear(out);
  store_intent_word(out, c->method);
  buf_char(out, '\n');
  buf_text_add(out, c->via && c->via->name ? c->via->name : "");
  buf_char(out, '\n');
  if (c->content_type) store_intent_word(out, c->content_type);
  buf_char(out, '\n');
  add_payload(r, out);
  if (!c->key_header) buf_text_add(out, "\nonce");
  while (out->data[out->len - 1] == '\n') out->len--; /* the method stands before it */
  return out;
}

/* The intent rides in the same commit as all that happened before it in the run, and the call leaves when that is
 * durable: that is the output gate. */
static void intend(call *c) {
  run *r = c->owner;
  if (r->in->shared->options->traces) trace_intent(r, c);
  const buf *extra = store_keeps(r->in->shared->store) ? intent_extra(r, c) : NULL;
  store_record record = {
      .kind = RECORD_INTENT,
      .fingerprint = r->call_print,
      .data = c->has_body && !c->body.data ? "" : c->body.data,
      .data_length = c->body.len,
      .more = c->url,
      .more_length = strlen(c->url),
      .extra = extra ? extra->data : NULL,
      .extra_length = extra ? extra->len : 0,
      .element = NO_ELEMENT,
  };
  store_intent_name(&record, c->key);
  r->gate = run_record(r, &record, r->state);
  list_push(&r->in->gated, &r->ready_link);
}

/* numbers: status, microseconds; name: why it was no success. */
static void record_attempt(run *r, const call *c, double ms, call_reason reason) {
  store_record record = {
      .kind = RECORD_ATTEMPT,
      .fingerprint = r->call_print,
      .name = call_reason_name(reason),
      .numbers = {c->status, (int64_t)(ms * 1000)},
      .element = NO_ELEMENT,
  };
  run_record(r, &record, r->state);
}

void run_note_attempt(run *r, enum record_attempt_notes note) {
  store_record record = {
      .kind = RECORD_ATTEMPT,
      .fingerprint = r->call_print,
      .numbers = {0, 0, note},
      .element = NO_ELEMENT,
  };
  run_record(r, &record, r->state);
}

static void attempted(call *c, double ms, call_reason reason) {
  worker *w = ((run *)c->owner)->in;
  if (reason != REASON_NONE && store_keeps(w->shared->store)) record_attempt(c->owner, c, ms, reason);
  latency_add(&w->latency, ms);
  atomic_fetch_add_explicit(&w->attempts, (uint64_t)c->sends, memory_order_relaxed);
  atomic_store_explicit(&w->last_call_ms, logical_now_ms(&w->shared->clock), memory_order_relaxed);
}

static bool in_line(call_state state) {
  return state == CALL_QUEUED || state == CALL_BACKOFF;
}

static void moved(call *c, call_state from, call_state to) {
  run *r = c->owner;
  if (in_line(to) && r->state == RUN_RUNNING)
    run_move(r, RUN_QUEUED, 0, NULL, NULL);
  else if (in_line(from) && !in_line(to) && to != CALL_DONE && r->state == RUN_QUEUED)
    run_move(r, RUN_RUNNING, 0, NULL, NULL);
  if (to == CALL_BACKOFF && r->park == PARK_END) call_cut(c); /* nobody waits for another attempt */
}

/* ---- what its result does ---- */

static int64_t result_bits(const call *c) {
  return (c->truncated ? RESULT_TRUNCATED : 0) | (c->unclear ? RESULT_UNCLEAR : 0);
}

/* numbers: status, attempts, microseconds of the last one, record_result_bits; extra: the reason, a line break, and its
 * detail. */
static void record_result(run *r, bool on) {
  call *c = r->call;
  buf *why = &r->in->verdict;
  int64_t us = (int64_t)(c->ms * 1000);
  c->ms = (double)us / 1000; /* as replay will tell it */
  buf_clear(why);
  if (c->reason != REASON_NONE) {
    buf_text_add(why, call_reason_name(c->reason));
    buf_char(why, '\n');
    buf_text_add(why, c->detail);
  }
  store_record record = {
      .kind = RECORD_RESULT,
      .fingerprint = r->call_print,
      .name = call_result_name(c->result),
      .data = c->answer.data,
      .data_length = c->answer.len,
      .more = c->answer_headers.data,
      .more_length = c->answer_headers.len,
      .extra = why->len ? why->data : NULL,
      .extra_length = why->len,
      .numbers = {c->status, c->attempts, us, result_bits(c)},
      .element = r->element,
      .counts = on ? 1 << ELEMENT_WENT_ON : 0,
  };
  if (c->result == CALL_UNKNOWN) { /* the person goes on, but somebody may want to look */
    record.reason = "unknown";
    record.detail = call_reason_name(c->reason);
  }
  if (on && r->park != PARK_END) run_take_newest(r, &record);
  run_record(r, &record, RUN_RUNNING);
}

static void done(call *c) {
  run *r = c->owner;
  worker *w = r->in;
  if (c->result == CALL_UNDECIDED) {
    if (r->park == PARK_END) {
      run_finish(r);
      return;
    }
    if (c->intended && !c->unclear && store_keeps(w->shared->store))
      run_note_attempt(r, ATTEMPT_RECALLED); /* the next runtime may send it, with a key or without */
    atomic_fetch_add(&w->unfinished, 1);
    return;
  }
  if (c->attempts) atomic_fetch_add_explicit(&w->finished_calls, 1, memory_order_relaxed);
  bool on = goes_on(r);
  record_result(r, on);
  if (r->park == PARK_END) { /* it was ended while the call was under way */
    run_finish(r);
  } else if (on) {
    run_make_ready(r);
  } else {
    end_by_result(r);
    run_finish(r);
  }
}

const call_hooks run_call_hooks = {
    .only_if = ask_only_if,
    .render = render,
    .intend = intend,
    .judge = judge,
    .attempted = attempted,
    .moved = moved,
    .done = done,
};
