/* A run's events: finding it by its person, wait_for, goal and exit_on. Where they are kept is in run_inbox.c. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/run.h"
#include "engine/run_parts.h"

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

/* 1, 0, or -1 where the predicate raised an error. */
static int ask(run *r, const run_event *event, int slot, int index, error *err) {
  question q = {.r = r, .event = event, .slot = slot, .index = index};
  return run_protected(r, call_where, &q, err) == 0 ? q.answer : -1;
}

/* The same, and the run is to be held for an error. */
static int asks_yes(run *r, const run_event *event, int slot, int index) {
  error err;
  int yes = ask(r, event, slot, index, &err);
  if (yes < 0) run_end(r, RUN_HELD, r->broken ? "limit" : "script", err.text);
  return yes;
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
  run_take_newest(r, &record);
  run_record(r, &record, RUN_RUNNING);
}

/* In replay: what ended the wait then ends it now. */
static bool was_taken(run *r) {
  store_record was;
  if (run_recorded(r, RECORD_WOKE, &was)) return true;
  if (!run_recorded(r, RECORD_TAKEN, &was)) return false;
  r->taken = run_event_new(was.name, was.data, was.data_length, was.at_ms);
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

/* What tells a wait_for from the run's others: one that has said no to an event is not asked about it again. */
static uint64_t wait_mark(const run *r) {
  return (uint64_t)r->incarnation << 32 | r->step;
}

/* The oldest event that the wait takes; NULL: none, or run_end was called. */
static run_event *find_match(run *r, const char *name, bool has_where, int64_t until_ms) {
  uint64_t mark = wait_mark(r), refused = 0;
  run_event *found = NULL;
  for (list *l = r->events.next; !found && l != &r->events && r->park != PARK_END; l = l->next) {
    run_event *event = LIST_OF(run_event, link, l);
    if (strcmp(event->name, name) != 0 || event->at_ms > until_ms || event->asked == mark) continue;
    int yes = matches(r, event, has_where, ANCHOR_WHERE);
    if (yes > 0) found = event;
    if (yes == 0) event->asked = mark, refused = event->number;
  }
  run_inbox_refuse(r, refused, name, mark);
  return found;
}

bool run_wait_for(run *r, const char *name, bool has_where, int64_t until_ms) {
  run_event_free(r->taken);
  r->taken = NULL;
  if (was_taken(r)) return true;
  bool is_present = !run_in_past(r) && !r->trial;
  if (is_present && run_ends_by_events(r))
    return false; /* by one that came before what it waits for; it ends with the yield */
  run_event *event = is_present ? find_match(r, name, has_where, until_ms) : NULL;
  if (r->park == PARK_END) return false;
  if (event) {
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

int run_reaches_goal(run *r, const run_event *event, error *err) {
  if (!reaches_goal_by(r, event)) return 0;
  return r->goal_where ? ask(r, event, ANCHOR_GOAL_WHERE, 0, err) : 1;
}

/* Why the run leaves because of this event: "goal", "exit_on", "" when a predicate failed (run_end was called), or NULL. */
static const char *leaves_by(run *r, const run_event *event) {
  int yes = reaches_goal_by(r, event) ? matches(r, event, r->goal_where, ANCHOR_GOAL_WHERE) : 0;
  if (yes > 0) return "goal";
  if (yes == 0) yes = exits_on(r, event);
  return yes > 0 ? "exit_on" : yes < 0 ? "" : NULL;
}

static bool is_watched(const run *r, const char *name) {
  bool is = r->goal && strcmp(r->goal, name) == 0;
  for (int i = 0; r->exit_on && r->exit_on[i]; i++) is = is || strcmp(r->exit_on[i], name) == 0;
  return is;
}

bool run_ends_by_events(run *r) {
  uint64_t refused = 0;
  const char *why = NULL;
  if (!r->watches) return false;
  if (r->converted_ms && r->goal) { /* while it was held */
    run_end(r, RUN_EXITED, "goal", r->goal);
    return true;
  }
  for (list *l = r->events.next; !why && l != &r->events; l = l->next) {
    run_event *event = LIST_OF(run_event, link, l);
    if (event->met || !is_watched(r, event->name)) continue;
    why = leaves_by(r, event);
    if (why && *why) run_end(r, RUN_EXITED, why, event->name);
    if (!why) event->met = true, refused = event->number;
  }
  run_inbox_refuse(r, refused, NULL, 0);
  return why != NULL;
}

void run_unwatch(run *r) {
  for (char **name = r->exit_on; name && *name; name++) free(*name);
  free(r->exit_on);
  free(r->exit_until);
  free(r->goal);
  r->watches = false;
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
  r->watches = true;
  if (r->trial && r->trial->looks) {
    r->trial->is_clean = true;
    return true;
  }
  return !run_in_past(r) && !r->trial && run_ends_by_events(r);
}

bool run_is_calling(const run *r) {
  return r->park == PARK_CALL && r->call->state != CALL_DONE;
}

void run_meet_events(run *r) {
  bool calling = run_is_calling(r);
  if (run_ends_by_events(r)) run_end_soon(r, calling);
}

/* What an event means to a run that is at its present. Nothing is done yet, but run_end where it is to end. */
typedef struct meeting {
  const char *why; /* see leaves_by */
  int wanted;      /* by the wait_for that it is parked in: 1, 0, or -1 when its predicate failed */
} meeting;

static meeting ask_about(run *r, run_event *event) {
  meeting m = {0};
  bool waits = r->park == PARK_EVENT && strcmp(r->waits_for, event->name) == 0;
  m.why = leaves_by(r, event);
  event->met = r->watches && !m.why;
  if (m.why || !waits) return m;
  m.wanted = matches(r, event, r->waits_where, ANCHOR_WHERE);
  if (m.wanted == 0) event->asked = wait_mark(r);
  return m;
}

/* What was said no to is kept with the event, so that nobody is asked again; what was said yes to is kept when it is done. */
static void arrive(run *r, run_event *event) {
  bool calling = run_is_calling(r), is_ending = r->park == PARK_END;
  meeting m = {0};
  if (r->lingers) run_return(r);
  if (is_ending)
    run_note_goal(r, event);
  else
    m = ask_about(r, event);
  if (store_keeps(r->in->shared->store)) {
    run_inbox_keep(r->in, r->journal.run, event);
    r->settled_at =
        store_last(r->in->lane); /* it does not leave memory before whoever wakes it would find this */
  }
  run_keep_event(r, event);
  if (m.why && *m.why) run_end(r, RUN_EXITED, m.why, event->name);
  if (m.why || m.wanted < 0) run_end_soon(r, calling);
  if (m.why || m.wanted <= 0) return;
  run_event_free(r->taken);
  take(r, event);
  run_make_ready(r);
}

bool run_is_listed(const char *lines, const char *name) {
  size_t length = strlen(name);
  for (const char *at = lines; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
    if (strcspn(at, "\n") == length && memcmp(at, name, length) == 0) return true;
  }
  return false;
}

/* A parked run that listens to the event comes back; NULL where it stays: it does not listen, nobody is to be woken now, there is no
 * room for it, or it can't be read. */
static run *wake_for(worker *w, const store_run *kept, const run_event *event) {
  if (kept->state != RUN_WAITING || !run_is_listed(kept->listens, event->name)) return NULL;
  if (!atomic_load(&w->shared->paused) && !w->draining && run_has_room(w)) return run_wake(w, kept);
  if (kept->due_ms) run_due_later(w, kept); /* else it is due at once already */
  return NULL;
}

/* A parked run gets its event; one that it brings back is due at once, so that nothing that ends the process now leaves it parked with
 * the event unseen. */
static void arrive_at_kept(worker *w, const store_run *kept, const run_event *event) {
  if (run_inbox_has(w, kept->run, event)) return;
  uint64_t unread_times = w->unread_times;
  run *r = wake_for(w, kept, event);
  if (w->unread_times != unread_times) return; /* nothing was done: the event is told again */
  if (r)
    run_due_now(r); /* first: equal events are one, so nobody would wake it when this one is told again */
  run_inbox_add(w, kept->run, event);
  if (r) run_take_waiting(r);
}

/* It has ended or is held, or an operator has just changed it: it is in memory until that is durable, and asked then. Returns whether
 * it may use the event. */
static bool arrive_at_gone(run *r, const run_event *event) {
  worker *w = r->in;
  bool lives = r->state < RUN_COMPLETED, may_use = lives || run_may_convert(r, event);
  if (!may_use || (lives && run_inbox_has(w, r->journal.run, event))) return may_use;
  if (lives) run_inbox_add(w, r->journal.run, event);
  run_event_later(w, r->journal.run, event);
  return true;
}

static bool arrive_at_row(worker *w, const store_run *kept, const run_event *event) {
  bool converts = run_goal_came(w, kept, event), lives = kept->state < RUN_COMPLETED;
  if (lives) arrive_at_kept(w, kept, event);
  return lives || converts;
}

/* Returns whether there is one that is not in memory, or about to leave it. */
static bool came_for_kept(worker *w, const message *m, const run_event *event) {
  store_run *runs = NULL;
  size_t count = 0;
  bool met = false;
  if (!store_keeps(w->shared->store) || store_runs_of(w->lane, m->texts[0], &runs, &count)) return false;
  for (size_t i = 0; i < count; i++) {
    run *present = run_in_memory(w, runs[i].run);
    if (present)
      met = (present->gone && arrive_at_gone(present, event)) || met;
    else
      met = arrive_at_row(w, &runs[i], event) || met;
    store_run_free(&runs[i]);
  }
  free(runs);
  return met;
}

static void arrive_at_present(run *r, const message *m) {
  run_event *event = run_event_of(r->in, m);
  if (store_keeps(r->in->shared->store) && run_has_met(r, event))
    run_event_free(event);
  else
    arrive(r, event);
}

bool run_event_came(worker *w, const message *m) {
  bool met = false;
  uint64_t unread_times = w->unread_times;
  run_event *event = run_event_of(w, m);
  run *next;
  for (run *r = *run_bucket(w, m->texts[0]); r; r = next) {
    next = r->same_bucket;
    if (strcmp(r->person, m->texts[0]) != 0) continue;
    if (r->lingers && atomic_load(&w->shared->paused)) { /* it is told by its row */
      run_forget(r);
      continue;
    }
    met = !r->gone || arrive_at_gone(r, event) || met;
    if (!r->gone) arrive_at_present(r, m);
  }
  if (came_for_kept(w, m, event)) met = true;
  run_event_free(event);
  worker_unread(w);
  if (w->unread_times != unread_times) return false; /* who has it already takes it once */
  if (!met) atomic_fetch_add(&w->lost_events, 1);
  return true;
}

/* ---- once more, when a change is durable ---- */

/* By now the run may be in memory, which has found the event in its inbox. */
static void arrive_late(worker *w, const store_run *kept, const run_event *event) {
  if (run_in_memory(w, kept->run) || run_goal_came(w, kept, event)) return;
  run *r = wake_for(w, kept, event);
  if (r) run_due_now(r);
}

bool run_meet_late_events(worker *w) {
  uint64_t number, unread_times = w->unread_times;
  const run_event *event;
  bool any = false;
  while (!w->retries && (event = run_next_late(w, &number))) {
    store_run kept;
    const run *present = run_in_memory(w, number);
    any = true;
    if (present && present->gone) { /* it has changed once more */
      run_defer_late(w);
      continue;
    }
    if (store_find(w->lane, number, &kept) == 1) {
      arrive_late(w, &kept, event);
      store_run_free(&kept);
    }
    worker_unread(w);
    if (w->unread_times != unread_times) break; /* it is tried again */
    run_forget_late(w);
  }
  return any;
}
