/* What came for runs: the store's inbox, what a run in memory has of it, and what waits to be durable in it. What an event does is
 * in run_event.c and run_goal.c. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/run.h"
#include "engine/run_parts.h"

/* ---- events ---- */

void run_event_free(run_event *event) {
  if (!event) return;
  free(event->name);
  free(event->json);
  free(event);
}

run_event *run_event_new(const char *name, const char *json, size_t length, int64_t at_ms) {
  run_event *event = mem_zero(sizeof *event);
  list_init(&event->link);
  event->name = mem_text(name);
  event->json = mem_text_of(json, length);
  event->length = length;
  event->at_ms = at_ms;
  return event;
}

/* Equal events are one: whoever sends events may send them again, and a file of events may be read again. */
static uint64_t print_of(const message *m) {
  hash_part parts[] = {{m->texts[1], m->lengths[1]}, {m->texts[2], m->lengths[2]}};
  uint64_t print = hash_parts((hash128){0, 0}, parts, 2).lo;
  return print ? print : 1;
}

run_event *run_event_of(worker *w, const message *m) {
  run_event *event =
      run_event_new(m->texts[1], m->texts[2], m->lengths[2], logical_now_ms(&w->shared->clock));
  event->print = print_of(m);
  return event;
}

static run_event *copy_of(const run_event *event) {
  run_event *copy = run_event_new(event->name, event->json, event->length, event->at_ms);
  copy->print = event->print;
  copy->number = event->number;
  return copy;
}

/* ---- of a run in memory ---- */

/* The first one is told, and how many there were at the end. */
static void say_crowded(worker *w, const char *person) {
  if (atomic_exchange(&w->shared->told_crowded, true)) return;
  shared_warn(w->shared, "%s has more than %zu events in its inbox: the oldest give way (limit inbox)",
              person, w->shared->options->limits.inbox);
}

/* To be freed. */
static char *person_of(worker *w, uint64_t run_number) {
  store_run kept;
  for (list *l = w->living.next; l != &w->living; l = l->next) { /* it may have no row yet */
    const run *r = LIST_OF(run, link, l);
    if (r->journal.run == run_number) return mem_text(r->person);
  }
  int found = store_find(w->lane, run_number, &kept);
  worker_unread(w);
  if (found != 1) return mem_text("somebody");
  char *person = mem_text(kept.person);
  store_run_free(&kept);
  return person;
}

void run_tell_crowded(worker *w) {
  uint64_t run_number = 0, so_far = store_crowded_out(w->lane, &run_number);
  if (so_far <= atomic_load(&w->crowded_out)) return;
  if (atomic_exchange(&w->crowded_out, so_far)) return;
  char *person = person_of(w, run_number);
  say_crowded(w, person);
  free(person);
}

/* The store's inbox is as full as this one, where it has one. */
void run_keep_event(run *r, run_event *event) {
  worker *w = r->in;
  list_push(&r->events, &event->link);
  if (++r->event_count <= w->shared->options->limits.inbox) return;
  run_event_free(LIST_OF(run_event, link, list_pop(&r->events)));
  r->event_count--;
  if (!store_keeps(w->shared->store) && !atomic_fetch_add(&w->crowded_out, 1)) say_crowded(w, r->person);
}

/* Where a print stands in a table of `room` places, a power of two, or the free place that it would have. */
static size_t place_of(const uint64_t *seen, size_t room, uint64_t print) {
  size_t at = print & (room - 1);
  while (seen[at] && seen[at] != print) at = (at + 1) & (room - 1);
  return at;
}

static void make_room(run *r) {
  size_t room = r->seen_room ? 2 * r->seen_room : 16;
  uint64_t *wider = mem_zero(room * sizeof *wider);
  for (size_t i = 0; i < r->seen_room; i++) {
    if (r->seen[i]) wider[place_of(wider, room, r->seen[i])] = r->seen[i];
  }
  free(r->seen);
  r->seen = wider;
  r->seen_room = room;
}

/* Whether an event with this print came since the run is in memory; from now on it has. */
static bool has_seen(run *r, uint64_t print) {
  if (2 * r->seen_count >= r->seen_room) make_room(r);
  size_t at = place_of(r->seen, r->seen_room, print);
  if (r->seen[at]) return true;
  r->seen[at] = print;
  r->seen_count++;
  return false;
}

static bool is_seen(const run *r, uint64_t print) {
  return r->seen_room && r->seen[place_of(r->seen, r->seen_room, print)];
}

bool run_has_met(run *r, const run_event *event) {
  bool may_be_kept = r->from_row && !is_seen(r, event->print); /* from before it came into memory */
  if (may_be_kept && store_has_event(r->in->lane, r->journal.run, event->print)) return true;
  return has_seen(r, event->print);
}

/* ---- in the store ---- */

void run_inbox_keep(worker *w, uint64_t run_number, run_event *event) {
  store_inbox_event kept = {
      .print = event->print,
      .name = event->name,
      .json = event->json,
      .length = event->length,
      .at_ms = event->at_ms,
      .met = event->met,
      .asked = event->asked,
  };
  if (w->lost || shared_dies(w->shared)) return;
  event->number = store_event(w->lane, run_number, &kept, NULL);
  while (!event->number && worker_make_room(w)) event->number = store_event(w->lane, run_number, &kept, NULL);
}

void run_inbox_refuse(run *r, uint64_t number, const char *name, uint64_t asked) {
  worker *w = r->in;
  store_refusal refusal = {.run = r->journal.run, .number = number, .asked = asked, .name = name};
  if (!number || w->lost || shared_dies(w->shared)) return;
  store_position position = store_refuse(w->lane, &refusal);
  while (!position && worker_make_room(w)) position = store_refuse(w->lane, &refusal);
}

/* What a file says is not believed: whoever decodes it later reads on without looking. */
static int take_back(run *r, store_inbox_event *from) {
  if (!from->json || json_scan(from->json, from->length, JSON_DEPTH_MOST, NULL, NULL)) return -1;
  run_event *event = mem_zero(sizeof *event);
  list_init(&event->link);
  event->number = from->number;
  event->print = from->print;
  event->at_ms = from->at_ms;
  event->met = from->met;
  event->asked = from->asked;
  event->name = from->name;
  event->json = from->json;
  event->length = from->length;
  from->name = from->json = NULL;
  run_keep_event(r, event);
  return 0;
}

int run_inbox_read(run *r) {
  store_inbox_event *events = NULL;
  size_t count = 0;
  int bad = store_events(r->in->lane, r->journal.run, &events, &count);
  for (size_t i = 0; i < count; i++) {
    has_seen(r, events[i].print);
    bad |= take_back(r, &events[i]);
  }
  store_events_free(events, count);
  return bad ? -1 : 0;
}

/* ---- until they are durable and the store tells of them ---- */

/* What is to happen to a run that is not in memory. */
typedef enum waiting_kind {
  FOR_INBOX, /* whoever wakes it finds the event here */
  FOR_LATER, /* it has just changed: the event is told to it again when its row is durable */
  CONVERTED, /* it has, and its row does not say so yet; without an event */
} waiting_kind;

typedef struct waiting_event {
  list link, link_by_run;
  waiting_kind kind;
  uint64_t run;
  store_position position;
  run_event *event;
  int64_t converted_ms;
} waiting_event;

static list *waiting_for(worker *w, uint64_t run_number) {
  return &w->waiting_by_run[run_number % WAITING_BUCKETS];
}

static waiting_event *wait_until_durable(worker *w, waiting_kind kind, uint64_t run_number,
                                         run_event *event) {
  waiting_event *waiting = mem_zero(sizeof *waiting);
  waiting->kind = kind;
  waiting->run = run_number;
  waiting->position = store_last(w->lane);
  waiting->event = event;
  list_push(&w->waiting_events, &waiting->link);
  list_push(waiting_for(w, run_number), &waiting->link_by_run);
  return waiting;
}

static void forget(waiting_event *waiting) {
  list_remove(&waiting->link);
  list_remove(&waiting->link_by_run);
  run_event_free(waiting->event);
  free(waiting);
}

void run_forget_waiting(worker *w, store_position up_to) {
  while (!list_empty(&w->waiting_events)) {
    waiting_event *oldest = LIST_OF(waiting_event, link, w->waiting_events.next);
    if (oldest->position > up_to) return;
    if (oldest->kind == FOR_LATER) {
      list_remove(&oldest->link);
      list_push(&w->late_events, &oldest->link);
    } else {
      forget(oldest);
    }
  }
}

void run_forget_all_waiting(worker *w) {
  run_forget_waiting(w, UINT64_MAX);
  while (!list_empty(&w->late_events)) forget(LIST_OF(waiting_event, link, w->late_events.next));
}

static const waiting_event *find(worker *w, uint64_t run_number, waiting_kind kind, uint64_t print) {
  const list *all = waiting_for(w, run_number);
  for (const list *l = all->next; l != all; l = l->next) {
    const waiting_event *waiting = LIST_OF(waiting_event, link_by_run, l);
    if (waiting->run != run_number || waiting->kind != kind) continue;
    if (!waiting->event || waiting->event->print == print) return waiting;
  }
  return NULL;
}

void run_take_waiting(run *r) {
  const list *all = waiting_for(r->in, r->journal.run);
  for (const list *l = all->next; l != all; l = l->next) {
    const waiting_event *waiting = LIST_OF(waiting_event, link_by_run, l);
    if (waiting->kind != FOR_INBOX || waiting->run != r->journal.run) continue;
    if (!has_seen(r, waiting->event->print)) run_keep_event(r, copy_of(waiting->event));
  }
}

bool run_inbox_has(worker *w, uint64_t run_number, const run_event *event) {
  return find(w, run_number, FOR_INBOX, event->print) ||
         store_has_event(w->lane, run_number, event->print) != 0;
}

void run_inbox_add(worker *w, uint64_t run_number, const run_event *event) {
  run_event *kept = copy_of(event);
  run_inbox_keep(w, run_number, kept);
  wait_until_durable(w, FOR_INBOX, run_number, kept);
}

void run_event_later(worker *w, uint64_t run_number, const run_event *event) {
  if (!find(w, run_number, FOR_LATER, event->print))
    wait_until_durable(w, FOR_LATER, run_number, copy_of(event));
}

const run_event *run_next_late(worker *w, uint64_t *run_number) {
  if (list_empty(&w->late_events)) return NULL;
  const waiting_event *next = LIST_OF(waiting_event, link, w->late_events.next);
  *run_number = next->run;
  return next->event;
}

void run_defer_late(worker *w) {
  waiting_event *next = LIST_OF(waiting_event, link, w->late_events.next);
  list_remove(&next->link);
  next->position = store_last(w->lane);
  list_push(&w->waiting_events, &next->link);
}

void run_forget_late(worker *w) {
  forget(LIST_OF(waiting_event, link, w->late_events.next));
}

void run_goal_reached(worker *w, uint64_t run_number, int64_t at_ms) {
  wait_until_durable(w, CONVERTED, run_number, NULL)->converted_ms = at_ms;
}

int64_t run_goal_reached_at(worker *w, uint64_t run_number) {
  const waiting_event *converted = find(w, run_number, CONVERTED, 0);
  return converted ? converted->converted_ms : 0;
}
