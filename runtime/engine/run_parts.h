/* What the files of a run share:
 *
 *   run.c          records, entry, steps, parking, resuming
 *   run_call.c     its calls
 *   run_event.c    its events
 *   run_ending.c   its end
 *   run_replay.c   its steps a second time: answers from the journal
 *   run_kept.c     leaving memory and coming back
 *   run_repair.c   what operators do with it */
#ifndef JAUNT_ENGINE_RUN_PARTS_H
#define JAUNT_ENGINE_RUN_PARTS_H

#include "engine/run.h"

enum { LIVE_MS = 5000 };        /* shorter waits stay in memory */
#define NEVER_SETTLED INT64_MIN /* no time */

typedef struct run_entry {
  const char *person, *profile, *event; /* profile and event as JSON */
  size_t person_length, profile_length, event_length;
  uint32_t number; /* the person's first, second, … */
  char *per;       /* taken; NULL */
} run_entry;

/* Makes a run and makes it ready. */
void run_enter(worker *w, const run_entry *entry);

/* A new run of a person, in memory and in no list but w->living. */
run *run_new(worker *w, const char *person, size_t length);
/* What the body of a run begins with: JSON texts. `state`: of an incarnation after the first; NULL. */
typedef struct run_beginning {
  const char *profile, *event, *state;
  size_t profile_length, event_length, state_length;
} run_beginning;

/* Gives it its coroutine, and makes it ready. */
void run_start(run *r, const run_beginning *with);
void run_restart(run *r);           /* carries out run_begin_again */
void run_release_coroutine(run *r); /* its script is closed or not to be closed */
void run_seed(run *r);              /* its dice; id and incarnation are set */
bool run_is_active(run_state state);
uint64_t run_fingerprint(const run_step_info *info);

/* Appends a record of this run, moves it to `to`, and keeps count of those that are not waiting. */
store_position run_record(run *r, store_record *record, run_state to);
void run_move(run *r, run_state to, uint8_t counts, const char *reason, const char *detail);
void run_park_until(run *r, run_park kind, int64_t until_ms); /* INT64_MAX: no timer */
void run_make_ready(run *r);
void run_finish(run *r);           /* after run_end: closes, counts and forgets the run */
bool run_is_calling(const run *r); /* it has a call under way; to be asked before run_end */
/* After run_end, from outside the run: it ends at once when it waits or is ready, else as soon as its call is over
 * (`calling`: it has one under way); a call that is not on the wire is cancelled. */
void run_end_soon(run *r, bool calling);
void run_index(run *r); /* so that events and the store find it */
void run_unindex(run *r);
run **run_bucket(worker *w, const char *person); /* where the runs of a person begin, by same_bucket */
void run_take_error(run *r, lua_State *co,
                    error *err); /* what stands on top of a stack that nothing may be called on */
void run_hold_killed(run *r);    /* the running script was killed: run_end with the limit it broke */

/* ---- events ---- */

void run_unwatch(run *r); /* forgets goal and exit_on */
/* Whether an event with this print came before; from now on it has. */
bool run_has_seen(run *r, uint64_t print);
void run_keep_event(run *r, run_event *event); /* takes it */
void run_take_waiting(run *r); /* events that came for it while it was away, and are not durable yet */
/* Looks at what came while nobody could: after a replay. May end the run. */
void run_meet_events(run *r);

/* ---- replay ---- */

/* Records before the index, from the step on, are void. */
typedef struct run_cut {
  size_t index;
  uint32_t step;
} run_cut;

typedef struct run_past {
  buf bytes;
  const char *at;
  store_record ahead;  /* the next record, while `more` */
  store_record intent; /* of the call that has no result yet */
  bool more, has_intent;
  size_t index;  /* of the record ahead */
  run_cut *cuts; /* what operators' redrives have made void */
  size_t cut_count;
  int64_t step_ms; /* when the step just taken was first taken */
} run_past;

/* Takes over the bytes. False where they are no journal. */
bool run_begin_past(run *r, buf *bytes);
void run_end_past(run *r);
/* Takes the next record, if it is of this kind; its texts live until the run is parked. */
bool run_recorded(run *r, record_kind kind, store_record *out);
void run_replay_step(run *r, lua_State *L, run_step_info *info);
bool run_has_diverged(run *r, int status);          /* `status` of its resume; r->diverged says how */
void run_say_stopped_short(run *r, bool completed); /* fills r->diverged */
void run_replay_write(run *r, lua_State *L, uint64_t fingerprint, const char *name);

/* ---- trying a run against another version: see run_move.c ---- */

typedef struct run_trial {
  bool is_clean; /* it came to its present */
  char *why;     /* else: in words */
} run_trial;

/* Where a run that is only tried asks for something new: it has come far enough. Raises, and the script is stopped. */
void run_trial_reached(run *r, lua_State *L);
/* It has paused, ended or failed: notes how the trial went. */
void run_trial_over(run *r, int status);
/* Tries a kept run against another version, and moves it there when it may go on and `moves`. Returns why not, static text, with
 * words in `why` (to be freed); or NULL. */
const char *run_move_to(worker *w, const store_run *kept, uint32_t version, bool moves, char **why);

/* ---- kept runs ---- */

/* The record that parks the run: it is settled with it, due at `until_ms`, and leaves memory when that is durable. */
void run_settle(run *r, store_record *record, run_state to, int64_t until_ms);
/* The same for a run that is not in memory: it listens to what its row says. */
void run_settle_as(run *r, store_record *record, run_state to, int64_t until_ms, const char *listens);
void run_due_later(worker *w, const store_run *kept);
void run_leave_soon(run *r); /* it is settled: in w->leaving */
void run_due_now(run *r);    /* it was parked and is needed: whatever ends the process now, it is woken */
void run_unindex_number(run *r);
run *run_in_memory(const worker *w, uint64_t number); /* NULL */
/* A run with what its row says, in w->living alone. */
run *run_of_row(worker *w, const store_run *kept);
/* The same, ready for another record; its records so far are appended to `journal` (may be NULL). NULL where they can't be read. */
run *run_with_journal(worker *w, const store_run *kept, buf *journal);
/* Brings a run back. Returns NULL when it can't be read (that is told). */
run *run_wake(worker *w, const store_run *kept);

#endif
