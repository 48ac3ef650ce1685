/* A run's life: entry, steps, parking, waking, ending. See run.h. Its calls are in run_call.c, its events in run_event.c. */
#include "engine/run.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/run_parts.h"

/* ---- anchors ---- */

void run_anchor_get(run *r, lua_State *L, int slot) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, r->anchor);
  lua_rawgeti(L, -1, slot);
  lua_remove(L, -2);
}

void run_anchor_set(run *r, lua_State *L, int slot) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, r->anchor);
  lua_insert(L, -2);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
}

/* An object without a text of its own is named by its type: its address would say nothing. */
static int error_text(lua_State *L) {
  if (lua_isstring(L, 1) || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL)
    luaL_tolstring(L, 1, NULL);
  else
    lua_pushfstring(L, "an error was raised with a %s instead of a text", luaL_typename(L, 1));
  return 1;
}

/* What was raised, on top of the stack, as text: __tostring of an error object is the script's own code. */
static void read_error(lua_State *L, error *err) {
  lua_pushcfunction(L, error_text);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK || lua_type(L, -1) != LUA_TSTRING)
    error_set(err, "an error was raised whose text can't be had");
  else
    error_set(err, "%s", lua_tostring(L, -1));
}

/* The same for an error on top of `co`, a stack of the run that nothing may be called on any more. */
static void take_error(run *r, lua_State *co, error *err) {
  worker *w = r->in;
  lua_State *S = w->scratch;
  int top = lua_gettop(S);
  lua_xmove(co, S, 1);
  w->current = r;
  w->in_predicate = true;
  guard_enter(w, S);
  read_error(S, err);
  guard_leave(w);
  guard_settle(w, S);
  w->current = NULL;
  w->in_predicate = false;
  lua_settop(S, top);
}

/* The script broke a limit in a predicate or a payload: whoever asked has only got an error. */
static void break_limit(run *r, error *err) {
  char words[256];
  guard_describe(r->in, words, sizeof words);
  error_set(err, "%s", words);
  free(r->broken);
  r->broken = mem_text(words);
}

int run_protected(run *r, lua_CFunction function, void *task, error *err) {
  worker *w = r->in;
  lua_State *S = w->scratch;
  run *before = w->current;
  bool was_blocked = w->chain_blocked, was_predicate = w->in_predicate;
  int top = lua_gettop(S);
  w->current = r;
  w->chain_blocked = w->in_predicate = true;
  lua_State *outer = w->running;
  lua_pushcfunction(S, function);
  lua_pushlightuserdata(S, task);
  guard_enter(w, S);
  int status = lua_pcall(S, 1, 0, 0);
  if (status != LUA_OK) read_error(S, err);
  guard_leave(w);
  w->current = before;
  w->chain_blocked = was_blocked;
  w->in_predicate = was_predicate;
  if (w->kill && status != LUA_OK) break_limit(r, err);
  if (w->kill && !outer)
    guard_settle(w, S);
  else
    lua_sethook(S, NULL, 0, 0);
  if (outer) guard_switch(w, outer);
  lua_settop(S, top);
  return status == LUA_OK ? 0 : -1;
}

/* ---- records ---- */

static bool is_active(run_state state) {
  return state == RUN_RUNNING || state == RUN_QUEUED;
}

/* Appends a record of this run, moves it to `to`, and keeps count of those that are not waiting. */
store_position run_record(run *r, store_record *record, run_state to) {
  worker *w = r->in;
  record->run = r->id;
  record->incarnation = r->incarnation;
  record->step = r->step;
  record->at_ms = r->now_ms = logical_now_ms(&w->shared->clock);
  record->from = r->state;
  record->to = to;
  record->control = r->control;
  if (r->state != RUN_NONE) shared_active(w->shared, (int)is_active(to) - (int)is_active(r->state));
  r->state = to;
  store_position position = store_append(w->lane, record);
  while (!position) { /* full: a worker resumes nothing then, but calls and timers have records, too */
    store_flush(w->lane);
    position = store_append(w->lane, record);
  }
  return position;
}

void run_move(run *r, run_state to, uint8_t counts, const char *reason, const char *detail) {
  store_record record = {
      .kind = RECORD_STATE, .element = r->element, .counts = counts, .reason = reason, .detail = detail};
  run_record(r, &record, to);
}

void run_make_ready(run *r) {
  r->park = PARK_NONE;
  timer_clear(&r->in->timers, &r->timer);
  list_remove(&r->ready_link);
  list_push(&r->in->ready, &r->ready_link);
}

/* ---- entry ---- */

static hash128 hash_of(hash128 key, const char *what, const char *journey, const char *person) {
  hash_part parts[] = {{what, strlen(what)}, {journey, strlen(journey)}, {person, strlen(person)}};
  return hash_parts(key, parts, 3);
}

/* A run's name: hash(store id, journey, person, entry number). Nobody enters twice in one process, so the entry is the
 * first. */
static void name_run(run *r) {
  const engine_shared *s = r->in->shared;
  r->id = hash_of(store_id(s->store), "run 1", s->options->journey, r->person);
  r->random = r->id.hi ^ r->incarnation;
  if (s->options->control <= 0) return;
  uint64_t dice = hash_of(s->split_key, "control", s->options->journey, r->person).lo;
  r->control = (double)(dice >> 11) * 0x1.0p-53 < s->options->control;
}

static void start_coroutine(run *r, const message *m) {
  worker *w = r->in;
  lua_State *L = w->L;
  if (w->idle_count) {
    idle_coroutine idle = w->idle_coroutines[--w->idle_count];
    r->co = idle.co;
    r->anchor = idle.anchor;
  } else {
    lua_createtable(L, ANCHOR_USUAL, 0);
    r->co = lua_newthread(L);
    lua_rawseti(L, -2, ANCHOR_THREAD);
    r->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  lua_rawgeti(r->co, LUA_REGISTRYINDEX, w->body_ref);
  lua_pushlstring(r->co, m->texts[1], m->lengths[1]);
  lua_pushlstring(r->co, m->texts[2], m->lengths[2]);
  lua_pushboolean(r->co, r->control);
}

void run_enter(worker *w, const message *m) {
  run *r = mem_zero(sizeof *r);
  r->in = w;
  r->person = mem_text_of(m->texts[0], m->lengths[0]);
  r->element = NO_ELEMENT;
  r->anchor = LUA_NOREF;
  list_init(&r->ready_link);
  list_init(&r->events);
  list_push(&w->living, &r->link);
  if (w->shared->options->expects_events) run_index(r);
  name_run(r);
  store_record record = {
      .kind = RECORD_ENTER,
      .element = NO_ELEMENT,
      .name = r->person,
      .data = m->texts[1],
      .data_length = m->lengths[1],
      .more = m->texts[2],
      .more_length = m->lengths[2],
  };
  run_record(r, &record, RUN_RUNNING);
  start_coroutine(r, m);
  list_push(&w->ready, &r->ready_link);
}

/* ---- steps ---- */

static uint64_t fingerprint(const run_step_info *info) {
  hash_part parts[3] = {{info->kind, strlen(info->kind)}};
  if (info->name) parts[1] = (hash_part){info->name, strlen(info->name)};
  if (info->written) parts[2] = (hash_part){info->written, strlen(info->written)};
  return hash_parts((hash128){0, 0}, parts, 3).lo;
}

void run_step(run *r, lua_State *L, const run_step_info *info, bool passes) {
  r->step++;
  uint16_t element = info->name ? worker_element(r->in, L, info->name, info->kind) : NO_ELEMENT;
  if (element != NO_ELEMENT) r->element = element;
  r->call_print = fingerprint(info);
  store_record record = {
      .kind = RECORD_STEP,
      .fingerprint = r->call_print,
      .name = info->name,
      .data = info->data,
      .data_length = info->data ? strlen(info->data) : 0,
      .element = element,
      .counts = (uint8_t)(1 << ELEMENT_REACHED | (passes ? 1 << ELEMENT_WENT_ON : 0)),
  };
  run_record(r, &record, r->state);
}

void run_write(run *r, const char *name, const char *json, size_t length) {
  r->step++;
  store_record record = {
      .kind = RECORD_WRITE, .element = NO_ELEMENT, .name = name, .data = json, .data_length = length};
  run_record(r, &record, r->state);
}

/* ---- parking ---- */

static void timer_came(timer *t) {
  run *r = LIST_OF(run, timer, t);
  free(r->waits_for);
  r->waits_for = NULL;
  run_move(r, RUN_RUNNING, 1 << ELEMENT_WENT_ON, NULL, NULL);
  run_make_ready(r);
}

void run_park_until(run *r, run_park park, int64_t until_ms) {
  r->park = park;
  run_move(r, RUN_WAITING, 0, NULL, NULL);
  if (until_ms != INT64_MAX) timer_set(&r->in->timers, &r->timer, until_ms, timer_came);
}

void run_wait(run *r, int64_t at_ms) {
  run_park_until(r, PARK_TIMER, at_ms);
}

/* ---- ending ---- */

void run_end(run *r, run_state outcome, const char *reason, const char *detail) {
  r->park = PARK_END;
  r->ending = outcome;
  r->reason = reason;
  free(r->detail);
  r->detail = mem_text(detail);
}

/* Its coroutine is kept for another run, without what it had anchored; or left to the collector. */
static void give_coroutine_back(run *r) {
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

void run_forget(run *r) {
  worker *w = r->in;
  timer_clear(&w->timers, &r->timer);
  list_remove(&r->link);
  list_remove(&r->ready_link);
  run_unindex(r);
  for (list *l; (l = list_pop(&r->events));) run_event_free(LIST_OF(run_event, link, l));
  run_event_free(r->taken);
  if (r->call) call_free(r->call);
  give_coroutine_back(r);
  for (char **name = r->exit_on; name && *name; name++) free(*name);
  free(r->exit_on);
  free(r->exit_until);
  free(r->goal);
  free(r->waits_for);
  free(r->detail);
  free(r->broken);
  free(r->person);
  free(r);
}

/* The running script was killed. */
static void hold_for_limit(run *r) {
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
  buf text = BUF_EMPTY;
  take_error(r, co, &err);
  buf_format(&text, "%s: a <close> variable failed: %s", r->person, err.text);
  shared_say(w->shared, SAY_WARNING, text.data, text.len);
  buf_free(&text);
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
    hold_for_limit(r);
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
  run_move(r, r->ending, outcome_counts[r->ending], r->reason, detail);
  run_forget(r);
}

void run_end_soon(run *r, bool calling) {
  if (!calling)
    run_finish(r);
  else if (r->call->state != CALL_WIRE)
    call_cut(r->call);
}

/* The worker has more than its share although its garbage was collected: whoever holds most has to go, not whoever happens
 * to ask next. */
void run_hold_largest(worker *w) {
  run *largest = NULL;
  for (list *l = w->living.next; l != &w->living; l = l->next) {
    run *r = LIST_OF(run, link, l);
    if (r->park != PARK_END && (!largest || r->memory > largest->memory)) largest = r;
  }
  if (!largest) return;
  char words[160];
  snprintf(words, sizeof words,
           "worker_memory: all runs of its worker hold more than %zu KiB, and it the most: %lld KiB",
           w->shared->options->limits.worker_memory / 1024, (long long)largest->memory / 1024);
  bool calling = largest->park == PARK_CALL && largest->call->state != CALL_DONE;
  run_end(largest, RUN_HELD, "limit", words);
  run_end_soon(largest, calling);
}

/* ---- resuming ---- */

static bool is_ours(const char *source) {
  return source[0] == '@' && strstr(source, "lualib/jaunt/") != NULL;
}

/* Appends where the script was, the innermost function first: its own lines only, none of the runtime's. */
static void add_traceback(buf *out, lua_State *co) {
  lua_Debug at;
  for (int level = 0; lua_getstack(co, level, &at); level++) {
    lua_getinfo(co, "Sl", &at);
    if (at.currentline > 0 && !is_ours(at.source))
      buf_format(out, "\n  at %s:%d", at.short_src, at.currentline);
  }
}

/* The script raised an error that nobody caught: a mistake of ours, not the person's. */
static void failed(run *r) {
  worker *w = r->in;
  error err;
  buf text = BUF_EMPTY, trace = BUF_EMPTY;
  if (w->shared->options->plain_script) add_traceback(&trace, r->co);
  take_error(r, r->co, &err);
  buf_text_add(&text, err.text);
  buf_add(&text, trace.data, trace.len);
  run_end(r, RUN_HELD, "script", buf_text(&text));
  buf_free(&text);
  buf_free(&trace);
  run_finish(r);
}

/* A kill that came too late, when the script had paused or ended by itself, counts nothing. */
static bool was_killed(const run *r, int status) {
  return r->in->kill && status != LUA_OK && !(status == LUA_YIELD && r->park != PARK_NONE);
}

static void settle(run *r, int status) {
  worker *w = r->in;
  if (status > LUA_YIELD && w->starved) w->kill = "run_memory"; /* a buffer's refusal is an error at once */
  if (was_killed(r, status)) {
    hold_for_limit(r);
    run_finish(r);
    return;
  }
  if (r->in->kill) guard_settle(r->in, r->co);
  if (status == LUA_OK) {
    run_end(r, RUN_COMPLETED, NULL, NULL);
    run_finish(r);
  } else if (status != LUA_YIELD) {
    failed(r);
  } else if (r->park == PARK_END) {
    run_finish(r);
  } else if (r->park == PARK_NONE && list_empty(&r->ready_link)) {
    run_end(r, RUN_HELD, "script", "coroutine.yield was called outside of any coroutine of the script's own");
    run_finish(r);
  }
}

void run_resume(run *r) {
  worker *w = r->in;
  int arguments = lua_status(r->co) == LUA_YIELD ? 0 : lua_gettop(r->co) - 1;
  int results = 0;
  w->current = r;
  w->chain_blocked = false;
  w->passing = false;
  guard_enter(w, r->co);
  int status = lua_resume(r->co, w->L, arguments, &results);
  guard_leave(w);
  if (status == LUA_OK && w->pending) {
    lua_pushfstring(r->co, "call_api \"%s\" stands without its braces: call_api \"%s\" { ... }", w->pending,
                    w->pending);
    status = LUA_ERRRUN;
  }
  w->pending = NULL;
  w->current = NULL;
  w->passing = false;
  settle(r, status);
}
