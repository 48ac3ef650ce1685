/* Runs that the store keeps: how a parked one leaves memory, and how it comes back.
 *
 * A run that waits for long is settled: its records since the last time, its row and its timer are one commit. Once that is
 * durable nothing of it stays here. A time that is due, or an event that it listens to, brings it back by replay. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* ---- by number: runs that have a row ---- */

static void index_number(run *r) {
  if (r->has_row) return;
  r->has_row = true;
  run **bucket = &r->in->by_number[r->journal.run % LIVING_BUCKETS];
  r->same_number = *bucket;
  *bucket = r;
}

void run_unindex_number(run *r) {
  if (!r->has_row) return;
  run **at = &r->in->by_number[r->journal.run % LIVING_BUCKETS];
  while (*at && *at != r) at = &(*at)->same_number;
  if (*at) *at = r->same_number;
}

run *run_in_memory(const worker *w, uint64_t number) {
  run *r = w->by_number[number % LIVING_BUCKETS];
  while (r && r->journal.run != number) r = r->same_number;
  return r;
}

/* ---- leaving ---- */

/* The events that concern a run in this state, one name a line; NULL: none. One whose script has not been asked listens to what its
 * row says. */
static const char *listens_to(run *r, run_state state) {
  buf *out = &r->in->verdict;
  if (r->listens) return *r->listens ? r->listens : NULL;
  if (state > RUN_HELD) return r->goal;
  buf_clear(out);
  if (r->goal) buf_format(out, "%s\n", r->goal);
  for (char **name = r->exit_on; name && *name; name++) buf_format(out, "%s\n", *name);
  if (r->waits_for) buf_format(out, "%s\n", r->waits_for);
  return out->len ? buf_text(out) : NULL;
}

static store_settle settlement(run *r, run_state state, int64_t due_ms) {
  return (store_settle){
      .id = r->id,
      .person = r->person,
      .per = r->per,
      .entry = r->entry,
      .entered_ms = r->entered_ms,
      .element = r->element,
      .due_ms = due_ms,
      .listens = listens_to(r, state),
      .goal_ms = run_goal_end(r),
      .converted_ms = r->converted_ms,
      .fed = r->fed,
  };
}

void run_settle(run *r, store_record *record, run_state to, int64_t until_ms) {
  store_settle settle = settlement(r, to, until_ms);
  record->settle = &settle;
  r->settled_at = run_record(r, record, to);
  record->settle = NULL;
  r->settled_due = until_ms;
  index_number(r);
  run_leave_soon(r);
}

void run_due_now(run *r) {
  store_record record = {.kind = RECORD_MOVE, .element = NO_ELEMENT};
  store_settle settle = settlement(r, r->state, 0);
  record.settle = &settle;
  int64_t told_ms = r->now_ms; /* by its replay, which is about to begin */
  run_record(r, &record, r->state);
  r->now_ms = told_ms;
  r->settled_due = 0;
}

void run_leave_soon(run *r) {
  list_remove(&r->ready_link);
  list_push(&r->in->leaving, &r->ready_link);
}

/* ---- lingering ---- */

/* Events that come one after the other would have a run with a long journal replayed for each. So it stays a while, without a timer: as
 * everybody else knows it, it has left, and whoever has to do with it but by an event forgets it. */
static void linger(run *r) {
  worker *w = r->in;
  timer_clear(&w->timers, &r->timer);
  list_push(&w->lingering, &r->ready_link);
  r->lingers = true;
  if (++w->lingering_count > LINGER_MOST) run_forget(LIST_OF(run, ready_link, w->lingering.next));
}

void run_return(run *r) {
  r->lingers = false;
  r->in->lingering_count--;
  run_set_timer(r, r->settled_due);
  run_leave_soon(r);
}

void run_forget_lingering(worker *w) {
  while (!list_empty(&w->lingering)) run_forget(LIST_OF(run, ready_link, w->lingering.next));
}

static bool may_linger(const run *r) {
  return !r->gone && r->park == PARK_EVENT && r->journal.records >= LINGER_RECORDS;
}

void run_leave(worker *w) {
  int64_t now = logical_now_ms(&w->shared->clock);
  while (!list_empty(&w->leaving)) {
    run *r = LIST_OF(run, ready_link, w->leaving.next);
    if (r->settled_at > store_durable(w->lane)) return;
    list_remove(&r->ready_link);
    if (!r->gone && r->settled_due <= now) continue; /* its timer is about to fire */
    if (may_linger(r))
      linger(r);
    else
      run_forget(r);
  }
}

run *run_with_journal(worker *w, const store_run *kept, buf *journal) {
  buf bytes = BUF_EMPTY;
  run *r = run_of_row(w, kept);
  int failed = store_load(w->lane, kept, &r->journal, journal ? journal : &bytes);
  buf_free(&bytes);
  if (!failed) return r;
  run_forget(r);
  return NULL;
}

/* Nobody is to be woken now: a parked run is due at once when that is over. */
void run_due_later(worker *w, const store_run *kept) {
  run *r = run_with_journal(w, kept, NULL);
  if (!r) {
    worker_unread(w);
    return;
  }
  store_record record = {.kind = RECORD_MOVE, .element = NO_ELEMENT};
  r->gone = true;
  run_settle(r, &record, kept->state, 0);
}

/* ---- coming back ---- */

bool run_is_json(const char *text, size_t length) {
  return text && json_scan(text, length, JSON_DEPTH_MOST, NULL, NULL) == 0;
}

static int read_back(run *r, const store_run *kept) {
  buf bytes = BUF_EMPTY;
  if (store_load(r->in->lane, kept, &r->journal, &bytes) || run_inbox_read(r)) {
    buf_free(&bytes);
    return -1;
  }
  run_take_waiting(r);
  return run_begin_past(r, &bytes) ? 0 : -1;
}

run *run_of_row(worker *w, const store_run *kept) {
  run *r = run_new(w, kept->person, strlen(kept->person));
  r->id = kept->id;
  r->journal.run = kept->run;
  r->version = kept->journey;
  r->entry = kept->entry;
  r->entered_ms = kept->entered_ms;
  r->per = mem_text(kept->per);
  r->settled_due = kept->due_ms;
  r->control = kept->control;
  r->listens = mem_text(kept->listens ? kept->listens : "");
  r->goal_ms = kept->goal_ms;
  r->fed = kept->fed;
  r->from_row = true;
  r->converted_ms = kept->converted_ms ? kept->converted_ms : run_goal_reached_at(w, kept->run);
  r->is_counted = r->converted_ms != 0;
  r->incarnation = kept->incarnation;
  r->element = kept->element;
  r->state = kept->state;
  run_seed(r);
  return r;
}

bool run_begins_with(run *r, run_beginning *with) {
  store_record first;
  if (run_recorded(r, RECORD_ENTER, &first)) {
    *with = (run_beginning){.profile = first.data,
                            .profile_length = first.data_length,
                            .event = first.more,
                            .event_length = first.more_length};
    return run_is_json(with->profile, with->profile_length) && run_is_json(with->event, with->event_length);
  }
  if (!run_recorded(r, RECORD_RESTART, &first)) return false;
  *with = (run_beginning){.profile = first.extra,
                          .profile_length = first.extra_length,
                          .event = first.more,
                          .event_length = first.more_length,
                          .state = first.data,
                          .state_length = first.data_length};
  return run_is_json(with->profile, with->profile_length) && run_is_json(with->event, with->event_length);
}

/* It stays where it is: nothing may be done in its name. */
static void say_unreadable(worker *w, const store_run *kept) {
  shared_warn(w->shared,
              "%s stays where it is: its journal (run %llu) can't be read; the state file is damaged",
              kept->person, (unsigned long long)kept->run);
}

run *run_wake(worker *w, const store_run *kept) {
  if (worker_body(w, kept->journey) == LUA_NOREF) return NULL;
  run *r = run_of_row(w, kept);
  run_beginning with;
  if (read_back(r, kept) || !run_begins_with(r, &with)) {
    if (!worker_unread(w)) say_unreadable(w, kept);
    store_journal_init(&r->journal); /* as if it was awake: or it would be told to be due again, at once */
    run_forget(r);
    return NULL;
  }
  r->element = NO_ELEMENT; /* the steps say */
  if (run_is_active(r->state)) shared_active(w->shared, 1);
  run_index(r);
  index_number(r);
  run_start(r, &with);
  return r;
}

bool run_has_room(const worker *w) {
  const engine_options *options = w->shared->options;
  size_t share = options->in_flight / (size_t)options->workers;
  if (w->unread_due_count == UNREAD_MOST) return false;
  return w->living_count - w->lingering_count < (share > WAKES_LEAST ? share : WAKES_LEAST);
}

void run_due_again(worker *w) {
  while (w->unread_due_count) store_due_again(w->lane, &w->unread_due[--w->unread_due_count]);
}

/* A run that is in memory has a timer of its own, and one that has moved on is due at another time. */
static bool wake_one(worker *w, const store_due_run *due, int64_t now_ms) {
  store_run kept;
  run *present = run_in_memory(w, due->run);
  if (present && (present->gone || present->lingers))
    run_forget(present); /* it is durable, or it would not be told */
  else if (present)
    return false;
  int found = store_find(w->lane, due->run, &kept);
  if (found < 0) worker_unread(w);
  if (found != 1) return false;
  bool is_due = (kept.state == RUN_WAITING || run_is_active(kept.state)) && kept.due_ms <= now_ms;
  bool woken = is_due && run_wake(w, &kept) != NULL;
  store_run_free(&kept);
  return woken;
}

static bool wakes(const worker *w) {
  const engine_shared *s = w->shared;
  return store_keeps(s->store) && !s->options->asleep &&
         !atomic_load_explicit(&s->paused, memory_order_relaxed);
}

size_t run_wake_due(worker *w, int64_t now_ms) {
  size_t woken = 0;
  store_due_run due;
  if (!wakes(w)) return 0;
  for (int looked = 0; looked < WAKES_AT_ONCE && run_has_room(w) && store_due(w->lane, now_ms, &due, 1);
       looked++) {
    uint64_t before = w->unread_times;
    woken += wake_one(w, &due, now_ms);
    if (w->unread_times != before) w->unread_due[w->unread_due_count++] = due;
  }
  return woken;
}

int64_t run_next_wake(worker *w) {
  int64_t next = wakes(w) && run_has_room(w) ? store_next_due(w->lane) : INT64_MAX;
  worker_unread(w);
  return next;
}

/* ---- letting in ---- */

static bool may_enter_again(const worker *w, run_state state, int64_t ended_ms) {
  int64_t pause = w->shared->options->reentry_ms;
  if (state < RUN_COMPLETED || pause < 0) return false;
  return logical_now_ms(&w->shared->clock) - ended_ms >= pause;
}

static bool same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What is known of a person's earlier runs while they are gone through. */
typedef struct earlier {
  const char *per;
  uint32_t last;   /* the highest entry number */
  uint64_t fed;    /* of that one */
  bool may_go_on;  /* one of them lives, or was dropped and may be sent on */
  bool is_refused; /* one of the same `per` lives, or has ended too short a time ago */
} earlier;

static void consider(earlier *e, const worker *w, const store_run *row) {
  if (row->entry > e->last) e->last = row->entry, e->fed = row->fed;
  if (row->state < RUN_COMPLETED || row->state == RUN_DROPPED) e->may_go_on = true;
  if (same_text(row->per, e->per) && !may_enter_again(w, row->state, row->since_ms)) e->is_refused = true;
}

static store_run row_of(const run *r) {
  return (store_run){
      .entry = r->entry, .per = r->per, .state = r->state, .since_ms = r->now_ms, .fed = r->fed};
}

/* What is known of the person, who may not enter where that can't be read. */
static earlier look_back(worker *w, const char *person, const char *per) {
  earlier e = {.per = per};
  for (const run *r = *run_bucket(w, person); r; r = r->same_bucket) {
    store_run row = row_of(r);
    if (strcmp(r->person, person) == 0) consider(&e, w, &row);
  }
  store_run *runs = NULL;
  size_t count = 0;
  if (e.is_refused) return e;
  if (store_runs_of(w->lane, person, &runs, &count)) e.is_refused = true;
  for (size_t i = 0; i < count; i++) {
    const run *present = run_in_memory(w, runs[i].run); /* it knows better than its row */
    store_run row = present ? row_of(present) : runs[i];
    consider(&e, w, &row);
    store_run_free(&runs[i]);
  }
  free(runs);
  return e;
}

/* The value of the event's field that `per` names, as text, on top of the stack; nil where it has none. */
static int push_per(lua_State *L) {
  const message *m = lua_touserdata(L, 1);
  const engine_options *options = worker_of(L)->shared->options;
  options->lua->push_json(L, m->texts[2], m->lengths[2]);
  if (lua_istable(L, -1)) lua_getfield(L, -1, options->per);
  if (lua_isstring(L, -1))
    lua_tostring(L, -1);
  else
    lua_pushnil(L);
  return 1;
}

/* The key within which the person has one living run: to be freed; NULL without. */
static char *per_of(worker *w, const message *m) {
  if (!w->shared->options->per) return NULL;
  lua_State *L = w->L;
  lua_pushcfunction(L, push_per);
  lua_pushlightuserdata(L, (void *)m);
  char *per = lua_pcall(L, 1, 1, 0) == LUA_OK ? mem_text(lua_tostring(L, -1)) : NULL;
  lua_pop(L, 1);
  return per;
}

run_admission run_admit(worker *w, const message *m) {
  run_entry entry = {
      m->texts[0], m->texts[1], m->texts[2], m->lengths[0], m->lengths[1], m->lengths[2], 1, NULL, 0};
  buf profile = BUF_EMPTY;
  if (w->shared->options->plain_script) entry.number = ++w->plain_runs; /* at a prompt there are many */
  if (store_keeps(w->shared->store)) {
    entry.per = per_of(w, m);
    entry.fed = store_print(m->texts[1], m->lengths[1]);
    earlier e = look_back(w, m->texts[0], entry.per);
    entry.number = e.last + 1;
    if (e.last) run_profile_came(w, m, entry.fed, e.fed, e.may_go_on);
    if (!e.is_refused && run_profile_at_entry(w, m, &profile))
      entry.profile = profile.data, entry.profile_length = profile.len;
    bool unread = worker_unread(w);
    if (e.is_refused && !unread) atomic_fetch_add(&w->already_in, 1);
    if (e.is_refused || unread) {
      buf_free(&profile);
      free(entry.per);
      return unread ? RUN_UNREAD : RUN_NOT_ADMITTED;
    }
  }
  run_enter(w, &entry);
  buf_free(&profile);
  return RUN_ADMITTED;
}
