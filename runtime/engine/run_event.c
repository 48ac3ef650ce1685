/* A run's events: finding it by its person, the inbox, wait_for, goal and exit_on. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/run.h"
#include "engine/run_parts.h"

enum { EVENTS_KEPT = 1000 }; /* not taken, for each run; the oldest give way */

/* ---- finding runs ---- */

run **run_bucket(worker *w, const char *person) {
  uint64_t hash = hash_bytes64((hash128){0, 0}, person, strlen(person));
  return &w->by_person[(hash >> 8) % LIVING_BUCKETS];
}

static bool is_indexed(const worker *w) {
  return w->shared->options->expects_events || store_keeps(w->shared->store);
}

void run_index(run *r) {
  if (!is_indexed(r->in)) return;
  run **bucket = run_bucket(r->in, r->person);
  r->same_bucket = *bucket;
  *bucket = r;
}

void run_unindex(run *r) {
  if (!is_indexed(r->in)) return;
  run **at = run_bucket(r->in, r->person);
  while (*at && *at != r) at = &(*at)->same_bucket;
  if (*at) *at = r->same_bucket;
}

/* ---- matching ---- */

void run_event_free(run_event *event) {
  if (!event) return;
  free(event->name);
  free(event->json);
  free(event);
}

static run_event *event_new(const char *name, const char *json, size_t length, int64_t at_ms) {
  run_event *event = mem_zero(sizeof *event);
  list_init(&event->link);
  event->name = mem_text(name);
  event->json = mem_text_of(json, length);
  event->length = length;
  event->at_ms = at_ms;
  return event;
}

void run_keep_event(run *r, run_event *event) {
  list_push(&r->events, &event->link);
  if (++r->event_count <= EVENTS_KEPT) return;
  run_event_free(LIST_OF(run_event, link, list_pop(&r->events)));
  r->event_count--;
}

typedef struct question {
  run *r;
  const run_event *event;
  int slot, index; /* the predicate: an anchor, or a field of the table that is the anchor when index > 0 */
  bool answer;
} question;

/* where(that event, the run's own event); without a predicate every event matches. */
static int call_where(lua_State *L) {
  question *q = lua_touserdata(L, 1);
  run_anchor_get(q->r, L, q->slot);
  if (q->index) lua_rawgeti(L, -1, q->index);
  q->answer = true;
  if (lua_isfunction(L, -1)) {
    q->r->in->shared->options->lua->push_json(L, q->event->json, q->event->length);
    run_anchor_get(q->r, L, ANCHOR_EVENT);
    lua_call(L, 2, 1);
    q->answer = lua_toboolean(L, -1);
  }
  return 0;
}

/* 1, 0, or -1 where the predicate raised an error: the run is to be held then. */
static int asks_yes(run *r, const run_event *event, int slot, int index) {
  error err;
  question q = {.r = r, .event = event, .slot = slot, .index = index};
  if (run_protected(r, call_where, &q, &err) == 0) return q.answer;
  run_end(r, RUN_HELD, r->broken ? "limit" : "script", err.text);
  return -1;
}

static int matches(run *r, const run_event *event, bool has_where, int slot) {
  return has_where ? asks_yes(r, event, slot, 0) : 1;
}

/* The wait is over by this event, which leaves the inbox. */
static void take(run *r, run_event *event) {
  list_remove(&event->link);
  r->event_count--;
  r->taken = event;
  free(r->waits_for);
  r->waits_for = NULL;
  store_record record = {
      .kind = RECORD_TAKEN,
      .name = event->name,
      .data = event->json,
      .data_length = event->length,
      .numbers = {(int64_t)event->number},
      .element = r->element,
      .counts = 1 << ELEMENT_WENT_ON,
  };
  run_record(r, &record, RUN_RUNNING);
}

/* In replay: what ended the wait then ends it now. */
static bool was_taken(run *r) {
  store_record was;
  if (run_recorded(r, RECORD_WOKE, &was)) return true;
  if (!run_recorded(r, RECORD_TAKEN, &was)) return false;
  r->taken = event_new(was.name, was.data, was.data_length, was.at_ms);
  for (list *l = r->events.next; was.numbers[0] && l != &r->events; l = l->next) {
    run_event *event = LIST_OF(run_event, link, l);
    if (event->number != (uint64_t)was.numbers[0]) continue;
    list_remove(l);
    r->event_count--;
    run_event_free(event);
    break;
  }
  return true;
}

bool run_wait_for(run *r, const char *name, bool has_where, int64_t until_ms) {
  run_event_free(r->taken);
  r->taken = NULL;
  if (was_taken(r)) return true;
  for (list *l = r->events.next; !run_in_past(r) && !r->trial && l != &r->events; l = l->next) {
    run_event *event = LIST_OF(run_event, link, l);
    if (strcmp(event->name, name) != 0 || event->at_ms > until_ms) continue;
    int yes = matches(r, event, has_where, ANCHOR_WHERE);
    if (yes < 0) return false; /* it ends with the yield */
    if (!yes) continue;
    take(r, event);
    return true;
  }
  free(r->waits_for);
  r->waits_for = mem_text(name);
  r->waits_where = has_where;
  run_park_until(r, PARK_EVENT, until_ms);
  return false;
}

/* ---- arrival ---- */

static int exits_on(run *r, const run_event *event) {
  for (int i = 0; r->exit_on && r->exit_on[i]; i++) {
    if (strcmp(r->exit_on[i], event->name) != 0 || event->at_ms > r->exit_until[i]) continue;
    int yes = asks_yes(r, event, ANCHOR_EXIT_ON, i + 1);
    if (yes) return yes;
  }
  return 0;
}

static bool reaches_goal_by(const run *r, const run_event *event) {
  return r->goal && strcmp(r->goal, event->name) == 0 && event->at_ms <= r->goal_until;
}

/* Why the run leaves because of this event: "goal", "exit_on", "" when a predicate failed (run_end was called), or NULL. */
static const char *leaves_by(run *r, const run_event *event) {
  int yes = reaches_goal_by(r, event) ? matches(r, event, r->goal_where, ANCHOR_GOAL_WHERE) : 0;
  if (yes > 0) return "goal";
  if (yes == 0) yes = exits_on(r, event);
  return yes > 0 ? "exit_on" : yes < 0 ? "" : NULL;
}

/* Whether one of the events that came ends the run; run_end was called then. */
static bool any_ends(run *r) {
  for (list *l = r->events.next; l != &r->events; l = l->next) {
    const run_event *event = LIST_OF(run_event, link, l);
    const char *why = leaves_by(r, event);
    if (why && *why) run_end(r, RUN_EXITED, why, event->name);
    if (why) return true;
  }
  return false;
}

void run_unwatch(run *r) {
  for (char **name = r->exit_on; name && *name; name++) free(*name);
  free(r->exit_on);
  free(r->exit_until);
  free(r->goal);
  r->exit_on = NULL;
  r->exit_until = NULL;
  r->goal = NULL;
}

bool run_watch(run *r, const char *goal, bool goal_where, int64_t goal_until, char **exit_on,
               int64_t *exit_until) {
  r->goal = mem_text(goal);
  r->goal_where = goal_where;
  r->goal_until = goal_until;
  r->exit_on = exit_on;
  r->exit_until = exit_until;
  return !run_in_past(r) && !r->trial && any_ends(r);
}

bool run_is_calling(const run *r) {
  return r->park == PARK_CALL && r->call->state != CALL_DONE;
}

void run_meet_events(run *r) {
  bool calling = run_is_calling(r);
  if (any_ends(r)) run_end_soon(r, calling);
}

static void meet(run *r, run_event *event) {
  bool calling = run_is_calling(r), waits = r->park == PARK_EVENT;
  const char *why = leaves_by(r, event);
  if (why && *why) run_end(r, RUN_EXITED, why, event->name);
  int yes = 0;
  if (!why && waits && strcmp(r->waits_for, event->name) == 0)
    yes = matches(r, event, r->waits_where, ANCHOR_WHERE);
  if (why || yes < 0) run_end_soon(r, calling);
  if (why || yes <= 0) return;
  run_event_free(r->taken);
  take(r, event);
  run_make_ready(r);
}

/* Equal events are one: whoever sends events may send them again, and a file of events may be read again. */
static uint64_t print_of(const message *m) {
  hash_part parts[] = {{m->texts[1], m->lengths[1]}, {m->texts[2], m->lengths[2]}};
  return hash_parts((hash128){0, 0}, parts, 2).lo;
}

bool run_has_seen(run *r, uint64_t print) {
  for (size_t i = 0; i < r->seen_count; i++) {
    if (r->seen[i] == print) return true;
  }
  if (r->seen_count % 16 == 0) r->seen = mem_grow(r->seen, (r->seen_count + 16) * sizeof *r->seen);
  r->seen[r->seen_count++] = print;
  return false;
}

/* Into the store's inbox. Returns its number there, 0 where it keeps none. */
static uint64_t keep(worker *w, uint64_t run_number, const message *m, uint64_t print) {
  store_inbox_event event = {
      .print = print,
      .name = (char *)m->texts[1],
      .json = (char *)m->texts[2],
      .length = m->lengths[2],
      .at_ms = logical_now_ms(&w->shared->clock),
  };
  if (w->lost || shared_dies(w->shared)) return 0;
  uint64_t number = store_event(w->lane, run_number, &event, NULL);
  while (!number && worker_make_room(w)) number = store_event(w->lane, run_number, &event, NULL);
  return number;
}

/* ---- events for runs that are not in memory, until they are durable and the store tells of them ---- */

typedef struct waiting_event {
  list link, link_by_run;
  uint64_t run;
  store_position position;
  run_event *event;
} waiting_event;

static list *waiting_for(worker *w, uint64_t run_number) {
  return &w->waiting_by_run[run_number % WAITING_BUCKETS];
}

static void wait_until_durable(worker *w, uint64_t run_number, run_event *event) {
  waiting_event *waiting = mem_zero(sizeof *waiting);
  *waiting = (waiting_event){.run = run_number, .position = store_last(w->lane), .event = event};
  list_push(&w->waiting_events, &waiting->link);
  list_push(waiting_for(w, run_number), &waiting->link_by_run);
}

void run_forget_waiting(worker *w, store_position up_to) {
  while (!list_empty(&w->waiting_events)) {
    waiting_event *oldest = LIST_OF(waiting_event, link, w->waiting_events.next);
    if (oldest->position > up_to) return;
    list_remove(&oldest->link);
    list_remove(&oldest->link_by_run);
    run_event_free(oldest->event);
    free(oldest);
  }
}

static run_event *copy_of(const run_event *event) {
  run_event *copy = event_new(event->name, event->json, event->length, event->at_ms);
  copy->print = event->print;
  copy->number = event->number;
  return copy;
}

void run_take_waiting(run *r) {
  const list *all = waiting_for(r->in, r->journal.run);
  for (const list *l = all->next; l != all; l = l->next) {
    const waiting_event *waiting = LIST_OF(waiting_event, link_by_run, l);
    const run_event *event = waiting->event;
    if (waiting->run == r->journal.run && !run_has_seen(r, event->print)) run_keep_event(r, copy_of(event));
  }
}

static bool is_waiting(worker *w, uint64_t run_number, uint64_t print) {
  const list *all = waiting_for(w, run_number);
  for (const list *l = all->next; l != all; l = l->next) {
    const waiting_event *waiting = LIST_OF(waiting_event, link_by_run, l);
    if (waiting->run == run_number && waiting->event->print == print) return true;
  }
  return false;
}

static run_event *event_of(worker *w, const message *m, uint64_t print, uint64_t number) {
  run_event *event = event_new(m->texts[1], m->texts[2], m->lengths[2], logical_now_ms(&w->shared->clock));
  event->print = print;
  event->number = number;
  return event;
}

static void arrive(run *r, const message *m) {
  worker *w = r->in;
  uint64_t print = 0, number = 0;
  if (store_keeps(w->shared->store)) {
    print = print_of(m);
    if (run_has_seen(r, print)) return;
    number = keep(w, r->journal.run, m, print);
    r->settled_at =
        store_last(w->lane); /* it does not leave memory before whoever wakes it would find this */
  }
  run_event *event = event_of(w, m, print, number);
  run_keep_event(r, event);
  meet(r, event);
}

static bool is_listed(const char *lines, const char *name) {
  size_t length = strlen(name);
  for (const char *at = lines; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
    if (strcspn(at, "\n") == length && memcmp(at, name, length) == 0) return true;
  }
  return false;
}

/* Whether the same event is in the inbox of a run that is not in memory. */
static bool came_before(worker *w, uint64_t run_number, uint64_t print) {
  if (is_waiting(w, run_number, print)) return true;
  store_inbox_event *events = NULL;
  size_t count = 0;
  bool found = false;
  if (store_events(w->lane, run_number, &events, &count)) return false;
  for (size_t i = 0; i < count && !found; i++) found = events[i].print == print;
  store_events_free(events, count);
  return found;
}

static void keep_for_later(worker *w, uint64_t run_number, const message *m) {
  uint64_t print = print_of(m);
  if (came_before(w, run_number, print)) return;
  wait_until_durable(w, run_number, event_of(w, m, print, keep(w, run_number, m, print)));
}

/* A parked run gets its event: one that it listens to brings it back, and it is due at once, so that nothing that ends the
 * process now leaves it parked with the event unseen. */
static void arrive_at_kept(worker *w, const store_run *kept, const message *m) {
  uint64_t print = print_of(m);
  if (came_before(w, kept->run, print)) return;
  uint64_t number = keep(w, kept->run, m, print);
  wait_until_durable(w, kept->run, event_of(w, m, print, number));
  if (kept->state != RUN_WAITING || !is_listed(kept->listens, m->texts[1])) return;
  if (atomic_load(&w->shared->paused)) {
    run_due_later(w, kept);
    return;
  }
  run *r = run_wake(w, kept); /* which finds it */
  if (r) run_due_now(r);
}

/* A run that goes on although nothing of it is left in memory but its name: one that was held or redriven a moment ago. */
static bool is_living_on(const run *r) {
  return r && r->gone && r->state < RUN_COMPLETED;
}

/* Returns whether there is one that is not in memory. */
static bool came_for_kept(worker *w, const message *m) {
  store_run *runs = NULL;
  size_t count = 0;
  bool met = false;
  if (!store_keeps(w->shared->store) || store_runs_of(w->lane, m->texts[0], &runs, &count)) return false;
  for (size_t i = 0; i < count; i++) {
    const run *present = run_in_memory(w, runs[i].run);
    if (is_living_on(present)) {
      met = true;
      keep_for_later(w, runs[i].run, m);
    } else if (runs[i].state < RUN_COMPLETED && !present) {
      met = true;
      arrive_at_kept(w, &runs[i], m);
    }
    store_run_free(&runs[i]);
  }
  free(runs);
  return met;
}

void run_event_came(worker *w, const message *m) {
  bool met = false;
  run *next;
  for (run *r = *run_bucket(w, m->texts[0]); r; r = next) {
    next = r->same_bucket;
    if (strcmp(r->person, m->texts[0]) != 0 || r->park == PARK_END) continue;
    met = true;
    arrive(r, m);
  }
  if (came_for_kept(w, m)) met = true;
  if (!met) atomic_fetch_add(&w->lost_events, 1);
}
