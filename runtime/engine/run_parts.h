/* What the files of a run share:
 *
 *   run.c          records, entry, steps, parking, resuming
 *   run_lua.c      its anchors, and its predicates
 *   run_call.c     its calls
 *   run_event.c    its events
 *   run_inbox.c    where events are kept
 *   run_goal.c     conversions after its end
 *   run_person.c   the newest profile of its person, and what the script reads of it
 *   run_ending.c   its end
 *   run_replay.c   its steps a second time: answers from the journal
 *   run_kept.c     leaving memory and coming back
 *   run_repair.c   what operators do with it */
#ifndef JAUNT_ENGINE_RUN_PARTS_H
#define JAUNT_ENGINE_RUN_PARTS_H

#include "engine/run.h"

enum { LIVE_MS = 5000 }; /* shorter waits stay in memory */
#define GOAL_MS                                                                                              \
  (30ll * 86400000) /* a goal without `within` counts for so long after the entry, once the run is over */
#define NEVER_SETTLED INT64_MIN /* no time */

typedef struct run_entry {
  const char *person, *profile, *event; /* profile and event as JSON */
  size_t person_length, profile_length, event_length;
  uint32_t number; /* the person's first, second, … */
  char *per;       /* taken; NULL */
  uint64_t fed;    /* see store_settle */
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
void run_restart(run *r); /* carries out run_begin_again */
void run_seed(run *r);    /* its dice; id and incarnation are set */
bool run_is_active(run_state state);

/* Appends a record of this run, moves it to `to`, and keeps count of those that are not waiting. */
store_position run_record(run *r, store_record *record, run_state to);
void run_move(run *r, run_state to, uint8_t counts, const char *reason, const char *detail);
void run_set_timer(run *r, int64_t at_ms);                    /* of its wait; INT64_MAX: none */
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
/* Whether the run's goal is reached by this event: 1, 0, or -1 when its predicate failed. */
int run_reaches_goal(run *r, const run_event *event, error *err);
bool run_is_listed(const char *lines, const char *name); /* a row's `listens` */
/* Looks at what came while nobody could: after a replay. May end the run. */
void run_meet_events(run *r);
/* Whether one of the events that came ends the run, as goal or exit_on; run_end was called then. */
bool run_ends_by_events(run *r);

/* ---- where events are kept ---- */

run_event *run_event_new(const char *name, const char *json, size_t length, int64_t at_ms);
run_event *run_event_of(worker *w, const message *m);
/* Whether the same came for this run before, or that can't be read: it is told again then. From now on it has. */
bool run_has_met(run *r, const run_event *event);
void run_keep_event(run *r, run_event *event); /* takes it */
/* Into the store's inbox; tells its number. */
void run_inbox_keep(worker *w, uint64_t run_number, run_event *event);
/* Whether the same came for a run that is not in memory; also where that can't be read. */
bool run_inbox_has(worker *w, uint64_t run_number, const run_event *event);
void run_inbox_add(worker *w, uint64_t run_number, const run_event *event); /* whoever wakes it finds it */
/* Reads what came for a run that is waking, and then what is not durable yet. 0, or -1. */
int run_inbox_read(run *r);
void run_take_waiting(run *r);
/* It has just changed: the event comes once more, as run_next_late's, when that is durable. */
void run_event_later(worker *w, uint64_t run_number, const run_event *event);
const run_event *run_next_late(worker *w, uint64_t *run_number); /* NULL: none */
void run_defer_late(worker *w);                                  /* that one, once more */
void run_forget_late(worker *w);                                 /* that one */
/* See store_refuse. `number` 0: nothing was refused. */
void run_inbox_refuse(run *r, uint64_t number, const char *name, uint64_t asked);

/* ---- conversions of runs that are over ---- */

int64_t run_goal_end(const run *r); /* until when its goal counts once it is over; 0: it has none */
bool run_note_goal(run *r, const run_event *event); /* of a run that is about to end */
/* For a run that is over, or held, in the store: records that it has converted, if it has. Returns whether. */
bool run_goal_came(worker *w, const store_run *kept, const run_event *event);
/* For one that is in memory until its end is durable: whether it is to be asked then. */
bool run_may_convert(const run *r, const run_event *event);
/* That it has, and when, until its row says so; 0: it has not. */
void run_goal_reached(worker *w, uint64_t run_number, int64_t at_ms);
int64_t run_goal_reached_at(worker *w, uint64_t run_number);

/* ---- the newest profile ---- */

/* The profile that comes with a person, with what scripts have written to them in it; false where that is nothing. */
bool run_profile_at_entry(worker *w, const message *m, buf *out);
/* Another one came with a person who has runs: `fed` is its print, `newest_fed` that of the last run's, `may_go_on`: one of them may. It
 * is kept where it is news. */
void run_profile_came(worker *w, const message *m, uint64_t fed, uint64_t newest_fed, bool may_go_on);
void run_wrote(run *r, const char *name, const char *json, size_t length); /* it was recorded */
void run_push_person(run *r, lua_State *L);                                /* the newest; may raise */
/* The record that lets the run's script go on is about to be made: from there on the script reads the newest, and the record says what
 * has changed with that; nothing where nothing has. Its texts live until the next one. */
void run_take_newest(run *r, store_record *answer);
void run_take_recorded(run *r, const store_record *answer); /* the same in replay */

/* Records a note on the call that is under way. */
void run_note_attempt(run *r, enum record_attempt_notes note);

/* ---- replay ---- */

/* Records before the index, from the step on, are void; with `resends` only the result of the call that is sent again. */
typedef struct run_cut {
  size_t index;
  uint32_t step;
  bool resends;
} run_cut;

typedef struct run_past {
  buf bytes;
  const char *at;
  store_record ahead;  /* the next record, while `more` */
  store_record intent; /* of the call that has no result yet */
  bool more, has_intent;
  bool recalled, ended; /* notes of attempts that were passed by after the record that was taken last */
  int attempts;         /* of the call that has no result yet, which have failed; and the last of them */
  store_record last_attempt;
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
  bool looks;    /* only up to where it tells what it watches */
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
void run_due_later(worker *w, const store_run *kept); /* where it can't be read: see worker_unread */
bool run_has_room(const worker *w);                   /* for another one to be brought back into memory */
void run_leave_soon(run *r);                          /* it is settled: in w->leaving */
void run_return(run *r);                              /* it lingers, and is needed: it leaves anew */
void run_due_now(run *r); /* it was parked and is needed: whatever ends the process now, it is woken */
void run_unindex_number(run *r);
run *run_in_memory(const worker *w, uint64_t number); /* NULL */
/* A run with what its row says, in w->living alone. */
run *run_of_row(worker *w, const store_run *kept);
/* The same, ready for another record; its records so far are appended to `journal` (may be NULL). NULL where they can't be read. */
run *run_with_journal(worker *w, const store_run *kept, buf *journal);
/* What its present incarnation began with, as run_begin_past found it; false where the journal does not say. */
bool run_begins_with(run *r, run_beginning *with);
/* What a file says is not believed: whoever decodes it later reads on without looking. NULL is none. */
bool run_is_json(const char *text, size_t length);
/* Brings a run back. Returns NULL when it can't be read (that is told). */
run *run_wake(worker *w, const store_run *kept);

#endif
