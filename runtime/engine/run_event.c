/* A run's events: finding it by its person, the inbox, wait_for, goal and exit_on. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/run.h"
#include "engine/run_parts.h"

enum { EVENTS_KEPT = 1000 }; /* not taken, for each run; the oldest give way */

/* ---- finding runs ---- */

static run **bucket_of(worker *w, const char *person) {
  uint64_t hash = hash_bytes64((hash128){0, 0}, person, strlen(person));
  return &w->by_person[(hash >> 8) % LIVING_BUCKETS];
}

void run_index(run *r) {
  run **bucket = bucket_of(r->in, r->person);
  r->same_bucket = *bucket;
  *bucket = r;
}

void run_unindex(run *r) {
  if (!r->in->shared->options->expects_events) return;
  run **at = bucket_of(r->in, r->person);
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

static run_event *event_new(const message *m) {
  run_event *event = mem_zero(sizeof *event);
  list_init(&event->link);
  event->name = mem_text(m->texts[1]);
  event->json = mem_text_of(m->texts[2], m->lengths[2]);
  event->length = m->lengths[2];
  return event;
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

bool run_wait_for(run *r, const char *name, bool has_where, int64_t until_ms) {
  run_event_free(r->taken);
  r->taken = NULL;
  for (list *l = r->events.next; l != &r->events; l = l->next) {
    run_event *event = LIST_OF(run_event, link, l);
    if (strcmp(event->name, name) != 0) continue;
    int yes = matches(r, event, has_where, ANCHOR_WHERE);
    if (yes < 0) return false; /* it ends with the yield */
    if (!yes) continue;
    list_remove(&event->link);
    r->event_count--;
    r->taken = event;
    run_move(r, RUN_RUNNING, 1 << ELEMENT_WENT_ON, NULL, NULL);
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
  int64_t now = logical_now_ms(&r->in->shared->clock);
  for (int i = 0; r->exit_on && r->exit_on[i]; i++) {
    if (strcmp(r->exit_on[i], event->name) != 0 || now > r->exit_until[i]) continue;
    int yes = asks_yes(r, event, ANCHOR_EXIT_ON, i + 1);
    if (yes) return yes;
  }
  return 0;
}

static bool reaches_goal_by(const run *r, const run_event *event) {
  return r->goal && strcmp(r->goal, event->name) == 0 &&
         logical_now_ms(&r->in->shared->clock) <= r->goal_until;
}

/* Why the run leaves because of this event: "goal", "exit_on", "" when a predicate failed (run_end was called), or NULL. */
static const char *leaves_by(run *r, const run_event *event) {
  int yes = reaches_goal_by(r, event) ? matches(r, event, r->goal_where, ANCHOR_GOAL_WHERE) : 0;
  if (yes > 0) return "goal";
  if (yes == 0) yes = exits_on(r, event);
  return yes > 0 ? "exit_on" : yes < 0 ? "" : NULL;
}

bool run_watch(run *r, const char *goal, bool goal_where, int64_t goal_until, char **exit_on,
               int64_t *exit_until) {
  r->goal = mem_text(goal);
  r->goal_where = goal_where;
  r->goal_until = goal_until;
  r->exit_on = exit_on;
  r->exit_until = exit_until;
  for (list *l = r->events.next; l != &r->events; l = l->next) {
    const run_event *event = LIST_OF(run_event, link, l);
    const char *why = leaves_by(r, event);
    if (why && *why) run_end(r, RUN_EXITED, why, event->name);
    if (why) return true;
  }
  return false;
}

static void meet(run *r, run_event *event) {
  bool calling = r->park == PARK_CALL && r->call->state != CALL_DONE, waits = r->park == PARK_EVENT;
  const char *why = leaves_by(r, event);
  if (why && *why) run_end(r, RUN_EXITED, why, event->name);
  int yes = 0;
  if (!why && waits && strcmp(r->waits_for, event->name) == 0)
    yes = matches(r, event, r->waits_where, ANCHOR_WHERE);
  if (why || yes < 0) run_end_soon(r, calling);
  if (why || yes <= 0) return;
  run_event_free(r->taken);
  r->taken = event;
  list_remove(&event->link);
  r->event_count--;
  free(r->waits_for);
  r->waits_for = NULL;
  run_move(r, RUN_RUNNING, 1 << ELEMENT_WENT_ON, NULL, NULL);
  run_make_ready(r);
}

static void arrive(run *r, const message *m) {
  run_event *event = event_new(m);
  list_push(&r->events, &event->link);
  if (++r->event_count > EVENTS_KEPT) {
    run_event_free(LIST_OF(run_event, link, list_pop(&r->events)));
    r->event_count--;
  }
  meet(r, event);
}

void run_event_came(worker *w, const message *m) {
  bool met = false;
  run *next;
  for (run *r = *bucket_of(w, m->texts[0]); r; r = next) {
    next = r->same_bucket;
    if (strcmp(r->person, m->texts[0]) != 0 || r->park == PARK_END) continue;
    met = true;
    arrive(r, m);
  }
  if (!met) atomic_fetch_add(&w->lost_events, 1);
}
