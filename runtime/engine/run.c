/* A run's life: entry, steps, parking, waking, ending. See run.h. Its calls are in run_call.c, its events in run_event.c. */
#include "engine/run.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/guard.h"
#include "engine/run_parts.h"

/* ---- records ---- */

bool run_is_active(run_state state) {
  return state == RUN_RUNNING || state == RUN_QUEUED;
}

/* Appends a record of this run, moves it to `to`, and keeps count of those that are not waiting. */
store_position run_record(run *r, store_record *record, run_state to) {
  worker *w = r->in;
  record->journey = r->version;
  record->incarnation = r->incarnation;
  record->step = r->step;
  record->at_ms = r->now_ms = logical_now_ms(&w->shared->clock);
  record->from = r->state;
  record->to = to;
  record->control = r->control;
  if (r->state != RUN_NONE) shared_active(w->shared, (int)run_is_active(to) - (int)run_is_active(r->state));
  r->state = to;
  if (w->lost || shared_dies(w->shared)) return STORE_NEVER;
  store_position position = store_append(w->lane, &r->journal, record);
  while (!position &&
         worker_make_room(w)) /* a worker resumes nothing then, but calls and events have records, too */
    position = store_append(w->lane, &r->journal, record);
  return position ? position : STORE_NEVER;
}

void run_move(run *r, run_state to, uint8_t counts, const char *reason, const char *detail) {
  store_record record = {
      .kind = RECORD_MOVE, .element = r->element, .counts = counts, .reason = reason, .detail = detail};
  run_record(r, &record, to);
}

void run_make_ready(run *r) {
  r->park = PARK_NONE;
  timer_clear(&r->in->timers, &r->timer);
  list_remove(&r->ready_link);
  list_push(&r->in->ready, &r->ready_link);
}

/* ---- entry ---- */

run *run_new(worker *w, const char *person, size_t length) {
  run *r = mem_zero(sizeof *r);
  r->in = w;
  r->person = mem_text_of(person, length);
  r->element = NO_ELEMENT;
  r->anchor = LUA_NOREF;
  r->version = w->shared->journey;
  r->settled_due = NEVER_SETTLED;
  store_journal_init(&r->journal);
  list_init(&r->ready_link);
  list_init(&r->events);
  list_push(&w->living, &r->link);
  w->living_count++;
  return r;
}

void run_seed(run *r) {
  r->random = r->id.hi ^ r->incarnation;
}

/* A run's name: hash(store id, journey, person, entry number). */
static void name_run(run *r) {
  const engine_shared *s = r->in->shared;
  char entry[24];
  snprintf(entry, sizeof entry, "run %u", r->entry);
  const char *texts[] = {entry, s->options->journey, r->person};
  hash_part parts[3];
  for (int i = 0; i < 3; i++) parts[i] = (hash_part){texts[i], strlen(texts[i])};
  r->id = hash_parts(store_id(s->store), parts, 3);
  run_seed(r);
  if (s->options->control <= 0) return;
  r->control =
      shared_throw(s, DICE_CONTROL, &(hash_part){r->person, strlen(r->person)}, 1) < s->options->control;
}

void run_start(run *r, const run_beginning *with) {
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
  lua_rawgeti(r->co, LUA_REGISTRYINDEX, worker_body(w, r->version));
  lua_pushlstring(r->co, with->profile, with->profile_length);
  lua_pushlstring(r->co, with->event, with->event_length);
  lua_pushboolean(r->co, r->control);
  if (with->state) lua_pushlstring(r->co, with->state, with->state_length);
  list_push(&w->ready, &r->ready_link);
}

void run_enter(worker *w, const run_entry *e) {
  run *r = run_new(w, e->person, e->person_length);
  r->entry = e->number;
  r->per = e->per;
  r->fed = e->fed;
  r->has_newest = true;
  run_index(r);
  name_run(r);
  store_record record = {
      .kind = RECORD_ENTER,
      .element = NO_ELEMENT,
      .name = r->person,
      .data = e->profile,
      .data_length = e->profile_length,
      .more = e->event,
      .more_length = e->event_length,
      .extra = r->per,
      .extra_length = r->per ? strlen(r->per) : 0,
      .numbers = {e->number, (int64_t)r->id.lo, (int64_t)r->id.hi},
  };
  run_record(r, &record, RUN_RUNNING);
  r->entered_ms = r->now_ms;
  run_start(r, &(run_beginning){.profile = e->profile,
                                .profile_length = e->profile_length,
                                .event = e->event,
                                .event_length = e->event_length});
}

/* ---- steps ---- */

static uint64_t fingerprint_of(const run_step_info *info) {
  hash_part parts[3] = {{info->kind, strlen(info->kind)}};
  if (info->name) parts[1] = (hash_part){info->name, strlen(info->name)};
  if (info->written) parts[2] = (hash_part){info->written, strlen(info->written)};
  return hash_parts64((hash128){0, 0}, parts, 3);
}

/* Its element, if it has one; call_print is its fingerprint. */
static uint32_t name_step(run *r, lua_State *L, const run_step_info *info) {
  worker *w = r->in;
  bool is_known;
  known_step *step = known_steps_place(&w->steps, info->kind, info->name, info->written, &is_known);
  if (!is_known) {
    step->element = info->name ? worker_element(w, L, info->name, info->kind) : NO_ELEMENT;
    step->fingerprint = fingerprint_of(info);
    step->kind = info->kind; /* last: the element may raise */
  }
  r->call_print = step->fingerprint;
  return step->element;
}

void run_step(run *r, lua_State *L, run_step_info *info, bool passes) {
  r->step++;
  uint32_t element = name_step(r, L, info);
  if (element != NO_ELEMENT) r->element = element;
  if (run_in_past(r)) {
    run_replay_step(r, L, info);
    return;
  }
  if (r->trial) run_trial_reached(r, L);
  if (r->past) r->past->step_ms = 0;
  store_record record = {
      .kind = RECORD_STEP,
      .fingerprint = r->call_print,
      .name = info->name,
      .data = info->data,
      .data_length = info->data ? strlen(info->data) : 0,
      .extra = info->kind,
      .extra_length = strlen(info->kind),
      .numbers = {info->number},
      .element = element,
      .counts = (uint8_t)(1 << ELEMENT_REACHED | (passes ? 1 << ELEMENT_WENT_ON : 0)),
  };
  if (passes) run_take_newest(r, &record);
  run_record(r, &record, r->state);
}

void run_write(run *r, lua_State *L, const char *name, const char *json, size_t length) {
  r->step++;
  hash_part parts[] = {{"write", 5}, {name, strlen(name)}, {json, length}};
  uint64_t fingerprint = hash_parts((hash128){0, 0}, parts, 3).lo;
  if (run_in_past(r)) {
    run_replay_write(r, L, fingerprint, name);
    return;
  }
  if (r->trial) run_trial_reached(r, L);
  store_record record = {
      .kind = RECORD_WRITE,
      .fingerprint = fingerprint,
      .element = NO_ELEMENT,
      .name = name,
      .data = json,
      .data_length = length,
      .extra = r->person,
      .extra_length = strlen(r->person),
  };
  run_record(r, &record, r->state);
  run_wrote(r, name, json, length);
}

/* ---- parking ---- */

static void timer_came(timer *t) {
  run *r = LIST_OF(run, timer, t);
  if (logical_now_ms(&r->in->shared->clock) < t->at_ms) { /* stepped back since the turn began */
    timer_set(&r->in->timers, t, t->at_ms, timer_came);
    return;
  }
  free(r->waits_for);
  r->waits_for = NULL;
  store_record record = {.kind = RECORD_WOKE, .element = r->element, .counts = 1 << ELEMENT_WENT_ON};
  run_take_newest(r, &record);
  run_record(r, &record, RUN_RUNNING);
  run_make_ready(r);
}

void run_set_timer(run *r, int64_t at_ms) {
  if (at_ms != INT64_MAX) timer_set(&r->in->timers, &r->timer, at_ms, timer_came);
}

/* A long wait is settled, and the run leaves memory. One that was woken and has not moved is settled already. */
void run_park_until(run *r, run_park park, int64_t until_ms) {
  worker *w = r->in;
  store_record record = {.kind = RECORD_MOVE, .element = r->element};
  if (r->trial) {
    r->park = park;
    return;
  }
  bool is_long = until_ms == INT64_MAX || until_ms - logical_now_ms(&w->shared->clock) >= LIVE_MS ||
                 atomic_load_explicit(&w->shared->paused, memory_order_relaxed);
  r->park = park;
  run_set_timer(r, until_ms);
  if (r->state == RUN_WAITING && r->settled_due == until_ms)
    run_leave_soon(r);
  else if (is_long && store_keeps(w->shared->store))
    run_settle(r, &record, RUN_WAITING, until_ms);
  else if (r->state != RUN_WAITING)
    run_record(r, &record, RUN_WAITING);
}

bool run_wait(run *r, int64_t at_ms) {
  store_record woke;
  if (run_recorded(r, RECORD_WOKE, &woke)) return true;
  run_park_until(r, PARK_TIMER, at_ms);
  return false;
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
  run_take_error(r, r->co, &err);
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

/* It asked for something else than its journal holds: it goes no further, and nothing was done in its name. */
static void hold_diverged(run *r) {
  guard_settle(r->in, r->co);
  run_end(r, RUN_HELD, "diverged", r->diverged);
  run_finish(r);
}

/* Whether it has diverged: asked for another step, or stopped before the last one that was recorded. */
bool run_has_diverged(run *r, int status) {
  bool stopped = status == LUA_OK || (status == LUA_YIELD && r->park != PARK_NONE);
  if (!r->diverged && stopped && run_in_past(r)) run_say_stopped_short(r, status == LUA_OK);
  return r->diverged != NULL;
}

static void settle(run *r, int status) {
  worker *w = r->in;
  if (r->trial) {
    run_trial_over(r, status);
    return;
  }
  if (run_has_diverged(r, status)) {
    hold_diverged(r);
    return;
  }
  if (status > LUA_YIELD && w->starved) w->kill = "run_memory"; /* a buffer's refusal is an error at once */
  if (was_killed(r, status)) {
    run_hold_killed(r);
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
  } else if (r->park == PARK_AGAIN) {
    run_restart(r);
  } else if (r->park == PARK_NONE && list_empty(&r->ready_link)) {
    run_end(r, RUN_HELD, "script", "coroutine.yield was called outside of any coroutine of the script's own");
    run_finish(r);
  } else if (r->past) { /* it has come to its present */
    run_end_past(r);
    run_meet_events(r);
  }
}

void run_resume(run *r) {
  worker *w = r->in;
  int arguments = lua_status(r->co) == LUA_YIELD ? 0 : lua_gettop(r->co) - 1;
  int results = 0;
  free(r->listens); /* from here on its script tells */
  r->listens = NULL;
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
