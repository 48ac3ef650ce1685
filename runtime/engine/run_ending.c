/* A run's end: what a script, a limit or an event decides is carried out here; its coroutine is closed, its outcome counted
 * and recorded, its memory freed. See run.h. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/run.h"
#include "engine/run_parts.h"

void run_end(run *r, run_state outcome, const char *reason, const char *detail) {
  r->park = PARK_END;
  r->ending = outcome;
  r->reason = reason;
  free(r->detail);
  r->detail = mem_text(detail);
}

/* Its coroutine is kept for another run, without what it had anchored; or left to the collector. */
static void release_coroutine(run *r) {
  worker *w = r->in;
  lua_State *L = w->L;
  if (!r->closed || w->idle_count == IDLE_COROUTINES) {
    luaL_unref(L, LUA_REGISTRYINDEX, r->anchor);
    return;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, r->anchor);
  for (int slot = ANCHOR_THREAD + 1; slot < ANCHORS; slot++) {
    bool is_set = lua_rawgeti(L, -1, slot) != LUA_TNIL;
    lua_pop(L, 1);
    if (!is_set) continue;
    lua_pushnil(L);
    lua_rawseti(L, -2, slot);
  }
  lua_pop(L, 1);
  w->idle_coroutines[w->idle_count++] = (idle_coroutine){r->co, r->anchor};
}

/* What it has of Lua's, of the wire's and of the events'. */
static void release(run *r) {
  worker *w = r->in;
  timer_clear(&w->timers, &r->timer);
  list_remove(&r->ready_link);
  for (list *l; (l = list_pop(&r->events));) run_event_free(LIST_OF(run_event, link, l));
  run_event_free(r->taken);
  r->taken = NULL;
  if (r->call) call_free(r->call);
  r->call = NULL;
  if (r->co) release_coroutine(r);
  r->co = NULL;
  run_end_past(r);
  store_journal_forget(&r->journal);
}

void run_forget(run *r) {
  release(r);
  list_remove(&r->link);
  r->in->living_count--;
  r->in->lingering_count -= r->lingers;
  run_unindex(r);
  run_unindex_number(r);
  run_unwatch(r);
  free(r->waits_for);
  free(r->detail);
  free(r->broken);
  free(r->again);
  free(r->seen);
  free(r->listens);
  free(r->diverged);
  if (r->trial) free(r->trial->why);
  free(r->trial);
  free(r->person);
  free(r->per);
  free(r);
}

/* The running script was killed. */
void run_hold_killed(run *r) {
  char words[256];
  guard_describe(r->in, words, sizeof words);
  guard_settle(r->in, r->co);
  run_end(r, RUN_HELD, "limit", words);
}

/* An error in a <close> variable is told, not followed: the run has ended already. */
static void close_one(run *r, lua_State *co) {
  worker *w = r->in;
  error err;
  w->current = r;
  guard_enter(w, co);
  int status = lua_resetthread(co);
  guard_leave(w);
  w->current = NULL;
  if (w->kill || status == LUA_OK) return;
  run_take_error(r, co, &err);
  shared_warn(w->shared, "%s: a <close> variable failed: %s", r->person, err.text);
}

static void close_from_inside(run *r, lua_State *co) {
  lua_State *inner = r->in->shared->options->lua->inner(co);
  if (inner) close_from_inside(r, inner);
  if (!r->in->kill) close_one(r, co);
}

/* Closes what a script left open with <close>, in the coroutines of its own where it was as well; nothing but log works in
 * there. */
static void close_coroutine(run *r) {
  r->closing = true;
  r->in->chain_blocked = true;
  close_from_inside(r, r->co);
  r->in->chain_blocked = false;
  if (r->in->kill)
    run_hold_killed(r);
  else
    r->closed = lua_status(r->co) == LUA_OK && lua_gettop(r->co) == 0;
}

static const unsigned char outcome_counts[RUN_STATES] = {
    [RUN_DROPPED] = 1 << ELEMENT_DROPPED,
    [RUN_HELD] = 1 << ELEMENT_HELD,
};

static void say_held(run *r) {
  buf text = BUF_EMPTY;
  const char *detail = r->detail ? r->detail : "", *element = r->call ? r->call->label : NULL;
  bool plain = r->in->shared->options->plain_script;
  if (!plain) buf_format(&text, "%s is held", r->person);
  if (element) buf_format(&text, plain ? "\"%s\": " : " at \"%s\"", element);
  if (!plain) buf_format(&text, ": %s: ", r->reason);
  buf_text_add(&text, detail);
  shared_say(r->in->shared, SAY_WARNING, text.data, text.len);
  buf_free(&text);
  if (strcmp(r->reason, "script") == 0) atomic_fetch_add(&r->in->shared->script_errors, 1);
}

/* Nobody prints a funnel for a plain script: it says itself why it went no further. */
static void say_dropped(run *r) {
  buf text = BUF_EMPTY;
  const char *element = r->call ? r->call->label : NULL;
  if (element) buf_format(&text, "\"%s\" failed: ", element);
  buf_text_add(&text, r->reason);
  if (r->call ? *r->call->detail : r->detail && *r->detail)
    buf_format(&text, ": %s", r->call ? r->call->detail : r->detail);
  shared_say(r->in->shared, SAY_WARNING, text.data, text.len);
  buf_free(&text);
}

/* A detail that stands in a report: its first line, and not too long. */
static void short_detail(const char *detail, char out[104]) {
  size_t length = detail ? strcspn(detail, "\r\n") : 0;
  if (length > 103) {
    length = 103;
    while (length && (detail[length] & 0xc0) == 0x80) length--;
  }
  memcpy(out, detail ? detail : "", length);
  out[length] = '\0';
}

void run_finish(run *r) {
  if (r->ending != RUN_HELD) close_coroutine(r);
  if (r->ending == RUN_HELD) say_held(r);
  if (r->ending == RUN_DROPPED && r->in->shared->options->plain_script) say_dropped(r);
  if (r->element == NO_ELEMENT && outcome_counts[r->ending]) /* the funnel tells why, at a row of its own */
    r->element = worker_element(r->in, r->in->L, "(before the first)", "start");
  char detail[104];
  short_detail(r->detail, detail);
  bool by_goal = r->ending == RUN_EXITED && strcmp(r->reason, "goal") == 0;
  if (by_goal && !r->converted_ms) r->converted_ms = logical_now_ms(&r->in->shared->clock);
  store_record record = {
      .kind = RECORD_END,
      .element = r->element,
      .counts = outcome_counts[r->ending],
      .reason = r->reason,
      .detail = detail,
      .converts = r->converted_ms && !r->is_counted,
  };
  if (!store_keeps(r->in->shared->store)) {
    run_record(r, &record, r->ending);
    run_forget(r);
    return;
  }
  run_settle(r, &record, r->ending, INT64_MAX);
  r->gone = true;
  release(r);
  run_leave_soon(r);
}

/* ---- beginning anew ---- */

void run_begin_again(run *r, const char *json, size_t length) {
  r->park = PARK_AGAIN;
  free(r->again);
  r->again = mem_text_of(json, length);
}

static int encode_beginning(lua_State *L) {
  run *r = lua_touserdata(L, 1);
  const engine_lua *lua = r->in->shared->options->lua;
  buf *texts = lua_touserdata(L, 2);
  error err;
  run_anchor_get(r, L, ANCHOR_PERSON);
  if (lua->encode(L, -1, &texts[0], "person", &err)) return luaL_error(L, "%s", err.text);
  run_anchor_get(r, L, ANCHOR_EVENT);
  if (lua->encode(L, -1, &texts[1], "event", &err)) return luaL_error(L, "%s", err.text);
  return 0;
}

/* Person and event as JSON, for the next incarnation. Returns 0, or -1 where they can't be written: the script may have put
 * into its event what is no JSON. */
static int read_beginning(run *r, buf texts[2], error *err) {
  lua_State *L = r->in->L;
  lua_pushcfunction(L, encode_beginning);
  lua_pushlightuserdata(L, r);
  lua_pushlightuserdata(L, texts);
  int status = lua_pcall(L, 2, 0, 0);
  if (status == LUA_OK) return 0;
  const char *why = lua_tostring(L, -1);
  error_set(err, "restart_with: %s", why ? why : "no text");
  lua_pop(L, 1);
  return -1;
}

/* The script is closed, and the run begins with an empty journal under its next incarnation; its inbox stays. */
void run_restart(run *r) {
  buf texts[2] = {BUF_EMPTY, BUF_EMPTY};
  char *state = r->again;
  r->again = NULL;
  error err;
  int failed = read_beginning(r, texts, &err);
  close_coroutine(r);
  if (failed) run_end(r, RUN_HELD, "script", err.text);
  if (r->park == PARK_END) { /* or <close> broke a limit */
    run_finish(r);
  } else {
    release_coroutine(r);
    run_end_past(r);
    run_unwatch(r);
    r->closed = r->closing = false;
    r->has_looked = false;
    r->park = PARK_NONE;
    r->incarnation++;
    r->step = r->redrives = 0; /* of its present journal, as replay counts them */
    run_seed(r);
    run_beginning with = {.profile = buf_text(&texts[0]),
                          .profile_length = texts[0].len,
                          .event = buf_text(&texts[1]),
                          .event_length = texts[1].len,
                          .state = state,
                          .state_length = strlen(state)};
    store_record record = {
        .kind = RECORD_RESTART,
        .element = NO_ELEMENT,
        .data = state,
        .data_length = with.state_length,
        .more = with.event,
        .more_length = with.event_length,
        .extra = with.profile,
        .extra_length = with.profile_length,
    };
    run_record(r, &record, r->state);
    run_start(r, &with);
  }
  free(state);
  buf_free(&texts[0]);
  buf_free(&texts[1]);
}

/* ---- from outside ---- */

void run_end_soon(run *r, bool calling) {
  if (!calling)
    run_finish(r);
  else if (r->call->state != CALL_WIRE)
    call_cut(r->call);
}

static bool may_leave(const run *r) {
  bool waits = r->park == PARK_TIMER || r->park == PARK_EVENT;
  return waits && r->state == RUN_WAITING && !r->gone && store_keeps(r->in->shared->store);
}

bool run_evict(worker *w, int64_t bytes) {
  if (w->lingering_count) {
    int64_t before = w->memory;
    run_forget_lingering(w);
    lua_gc(w->L, LUA_GCCOLLECT);
    bytes -= before - w->memory;
  }
  for (list *l = w->living.next; l != &w->living; l = l->next) {
    run *r = LIST_OF(run, link, l);
    if (!may_leave(r)) continue;
    bytes -= r->memory;
    store_record record = {.kind = RECORD_MOVE, .element = r->element};
    if (list_empty(&r->ready_link))
      run_settle(r, &record, RUN_WAITING, timer_is_set(&r->timer) ? r->timer.at_ms : INT64_MAX);
  }
  return bytes <= 0;
}

/* The worker has more than its share although its garbage was collected: whoever holds most has to go, not whoever happens
 * to ask next. */
void run_hold_largest(worker *w) {
  run *largest = NULL;
  for (list *l = w->living.next; l != &w->living; l = l->next) {
    run *r = LIST_OF(run, link, l);
    if (!r->gone && r->park != PARK_END && !may_leave(r) && (!largest || r->memory > largest->memory))
      largest = r;
  }
  if (!largest) return;
  char words[160];
  snprintf(words, sizeof words,
           "worker_memory: all runs of its worker hold more than %zu KiB, and it the most: %lld KiB",
           w->shared->options->limits.worker_memory / 1024, (long long)largest->memory / 1024);
  bool calling = run_is_calling(largest);
  run_end(largest, RUN_HELD, "limit", words);
  run_end_soon(largest, calling);
}
