/* Conversions of runs that are over or held: a person who reaches the goal within its time counts as converted although the run has
 * ended; its outcome stays as it is.
 *
 * The run's row says until when, and which event. Its predicate is a function of the script's own: the script is begun once
 * more from the record of the entry, up to where it tells its goal, and forgotten when the predicate has answered. Nothing is
 * recorded but that the run has converted. */
#include <lauxlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/run.h"
#include "engine/run_parts.h"

static bool is_over(run_state state) { /* or held */
  return state >= RUN_HELD;
}

/* A goal without `within` counts for as long as the run lives, and for a while. */
int64_t run_goal_end(const run *r) {
  if (r->listens) return r->goal_ms;
  if (!r->goal) return 0;
  return r->goal_until == INT64_MAX ? r->entered_ms + GOAL_MS : r->goal_until;
}

bool run_note_goal(run *r, const run_event *event) {
  error err;
  if (r->converted_ms || run_reaches_goal(r, event, &err) <= 0) return false;
  r->converted_ms = event->at_ms;
  return true;
}

static void say_failed(worker *w, const store_run *kept, const char *why) {
  shared_warn(w->shared, "%s (run %llu, %s) is not counted as converted: goal: %s", kept->person,
              (unsigned long long)kept->run, run_state_name(kept->state), why);
}

/* Begins its script once more, which stops where it has told its goal; the run is to be forgotten. NULL where it can't be read. */
static run *look_at(worker *w, const store_run *kept) {
  if (worker_body(w, kept->journey) == LUA_NOREF) return NULL;
  buf journal = BUF_EMPTY;
  run *r = run_of_row(w, kept);
  run_beginning with;
  if (store_peek(w->lane, kept, &journal) || !run_begin_past(r, &journal) || !run_begins_with(r, &with)) {
    buf_free(&journal);
    run_forget(r);
    return NULL;
  }
  r->trial = mem_zero(sizeof *r->trial);
  r->trial->looks = true;
  run_start(r, &with);
  list_remove(&r->ready_link);
  run_resume(r);
  return r;
}

/* Its predicate can't do more than look at the two events and at the time, which is that of the run's last record: what it has said no to
 * is not kept, and it would say so again. */
static bool has_converted(worker *w, const store_run *kept, const run_event *event) {
  error err = {"its script or its journal can't be read"};
  uint64_t unread_times = w->unread_times;
  run *r = look_at(w, kept);
  int yes = r ? 0 : -1;
  if (r && r->trial->why)
    error_set(&err, "%s", r->trial->why), yes = -1;
  else if (r)
    r->now_ms = kept->since_ms, yes = run_reaches_goal(r, event, &err);
  if (r) run_forget(r);
  worker_unread(w);
  if (yes < 0 && w->unread_times == unread_times) say_failed(w, kept, err.text); /* else it is asked again */
  return yes > 0;
}

static bool record(worker *w, const store_run *kept, int64_t at_ms) {
  if (w->lost || shared_dies(w->shared)) return false;
  store_position position = store_convert(w->lane, kept, at_ms);
  while (!position && worker_make_room(w)) position = store_convert(w->lane, kept, at_ms);
  return position != 0;
}

/* Whether its row lets it convert by this event. */
static bool may_convert(worker *w, const store_run *kept, const run_event *event) {
  return is_over(kept->state) && !kept->converted_ms && event->at_ms <= kept->goal_ms &&
         run_is_listed(kept->listens, event->name) && !run_goal_reached_at(w, kept->run);
}

bool run_goal_came(worker *w, const store_run *kept, const run_event *event) {
  if (!may_convert(w, kept, event) || !has_converted(w, kept, event)) return false;
  if (record(w, kept, event->at_ms)) run_goal_reached(w, kept->run, event->at_ms);
  return true;
}

bool run_may_convert(const run *r, const run_event *event) {
  if (r->converted_ms || event->at_ms > run_goal_end(r)) return false;
  return r->listens ? run_is_listed(r->listens, event->name) : strcmp(event->name, r->goal) == 0;
}
