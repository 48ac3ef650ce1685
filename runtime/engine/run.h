/* A run: one person's trip through the journey, as one coroutine.
 *
 * Every primitive has the same way through here: run_step takes its number and fingerprint and records what is to be recorded,
 * then one of run_wait, run_wait_for, run_call and run_end parks or ends the run, and the binding yields. When
 * the run is resumed, the binding's continuation finds the answer in the run. */
#ifndef JAUNT_ENGINE_RUN_H
#define JAUNT_ENGINE_RUN_H

#include "engine/worker.h"

typedef enum on_failure { ON_FAILURE_DROP, ON_FAILURE_CONTINUE, ON_FAILURE_HOLD } on_failure;

typedef enum run_park {
  PARK_NONE, /* ready, or running */
  PARK_CALL,
  PARK_TIMER,
  PARK_EVENT, /* until an event, or the timer */
  PARK_END,   /* run_end was called: closed as soon as it has yielded */
  PARK_AGAIN, /* run_begin_again was called: it begins anew as soon as it has yielded */
} run_park;

/* What is anchored for a run: fields of one table in the registry, under run->anchor. */
enum {
  ANCHOR_THREAD = 1,
  ANCHOR_PERSON,
  ANCHOR_EVENT,
  ANCHOR_PENDING,
  ANCHOR_VARS,
  ANCHOR_USUAL = ANCHOR_VARS, /* most runs have these, and no others */
  ANCHOR_ONLY_IF,
  ANCHOR_SUCCESS,
  ANCHOR_WHERE,
  ANCHOR_GOAL_WHERE,
  ANCHOR_EXIT_ON,
  ANCHOR_NEWEST, /* the person's newest profile, where it is not ANCHOR_PERSON: see run_person.c */
  ANCHOR_COROUTINES,
  ANCHORS
};

/* An event that waits in a living run's inbox. */
typedef struct run_event {
  list link;
  uint64_t number; /* in the store's inbox; 0 where it keeps none */
  uint64_t print;  /* tells equal events, of which a run keeps the first */
  int64_t at_ms;   /* logical: when it came */
  bool met;        /* goal and exit_on were asked about it, and said no */
  uint64_t asked;  /* the wait_for that was asked about it, and said no: see wait_mark; 0: none */
  char *name, *json;
  size_t length;
} run_event;

typedef struct run run;
struct run {
  worker *in;
  list link;        /* in w->living */
  list ready_link;  /* in w->ready, w->gated or w->leaving */
  run *same_bucket; /* in w->by_person */
  run *same_number; /* in w->by_number */

  store_journal journal;
  run_id id;
  uint32_t version; /* of the journey, as the store numbers it */
  uint32_t entry;   /* the person's first, second, … run of this journey */
  int64_t entered_ms;
  char *person, *per; /* per: the key within which it is the person's only living run; NULL */
  uint32_t incarnation, step;
  uint32_t redrives; /* how often operators let it go on */
  uint64_t random;   /* the state of random() */
  int64_t now_ms;    /* the time of the last record: what now() says */
  bool control;

  int64_t memory; /* bytes of Lua memory that were charged to it */

  struct run_past *past; /* while it is replayed: what its primitives answer from */
  struct run_trial
      *trial;     /* while it is only tried against another version: nothing is done or recorded; NULL */
  char *diverged; /* its replay asked for something else than was recorded, in words; NULL */

  lua_State *co;
  int anchor;
  int coroutines; /* that its script made since they were last counted */
  bool closed;    /* its coroutine came to its end and can be another run's */
  bool closing;   /* its <close> variables run: only log works */
  bool has_row;   /* in the store, and is in w->by_number */
  bool gone;      /* it has ended, and stays until that is durable: its person can't enter before */

  run_state state;
  uint32_t element; /* where it is; NO_ELEMENT before the first */
  run_park park;
  timer timer;
  int64_t settled_due; /* when the store is to wake it; NEVER_SETTLED */
  store_position settled_at;

  call *call; /* under way, or just done */
  on_failure on_failure;
  store_position gate;
  uint64_t call_print; /* the fingerprint of the call's step */

  char *waits_for; /* an event's name */
  bool waits_where;
  list events; /* that came since entry and were not taken */
  size_t event_count;
  uint64_t
      *seen; /* prints of events that came while it is in memory, where the store keeps them: a hash table */
  size_t seen_count, seen_room;
  run_event *taken; /* the answer of wait_for; NULL when the time is over */

  bool watches; /* it has told what follows */
  char *goal;   /* an event's name; NULL without */
  int64_t goal_until;
  bool goal_where;
  char **exit_on;      /* events' names, NULL at the end; NULL without */
  int64_t *exit_until; /* of each */

  int64_t converted_ms; /* when it has reached its goal; 0: it has not */
  bool is_counted;      /* as converted: before it came into memory */
  int64_t goal_ms;      /* until when its goal counts although it is over, and */
  char *listens;        /* what it listens to, as its row says; until its script has told */
  uint64_t fed;         /* see store_settle */
  bool from_row;        /* it has come back into memory */
  bool lingers;         /* in w->lingering: as if it was not there, but for events */

  bool has_newest; /* what it reads is its person's newest profile */
  bool has_looked; /* it is not, and that stands in ANCHOR_NEWEST */

  run_state ending; /* with PARK_END */
  const char *reason;
  char *detail;
  char *again;  /* the state that the next incarnation begins with, as JSON */
  char *broken; /* the limit that its script broke in a predicate or payload, in words; NULL */
};

/* ---- the engine's side ---- */

/* Lets a person in, or not: who is in the journey already, or was and may not enter again. */
typedef enum run_admission {
  RUN_ADMITTED,
  RUN_NOT_ADMITTED,
  RUN_UNREAD, /* the state can't be read: to be asked again; see worker_unread */
} run_admission;
run_admission run_admit(worker *w, const message *m);
void run_resume(run *r);
/* False where the state can't be read: to be told again. */
bool run_event_came(worker *w, const message *m);
/* Frees a living run that goes no further in this process, without changing what is counted. */
void run_forget(run *r);

/* ---- runs that the store keeps: see run_kept.c ---- */

/* What an operator asks for: see engine_act. Tells its outcome. */
void run_act(worker *w, const message *m);
/* Ends all runs that are under way: see engine_interrupt. */
void run_interrupt(worker *w);
/* Tells of the acts that are durable, up to this position. */
void run_tell_acts(worker *w, store_position up_to);
/* Forgets events for runs that are not in memory and that the store can tell of by now: up to this position. */
void run_forget_waiting(worker *w, store_position up_to);
void run_forget_all_waiting(worker *w);
/* The same for what was written to people. */
void run_forget_changes(worker *w, store_position up_to);
void run_tell_crowded(worker *w); /* whose inboxes are full, in the store */
/* Events that came for runs which had just changed; that is durable by now. Returns whether there were some. */
bool run_meet_late_events(worker *w);
/* Wakes runs that are due, as many as there is room for in memory; returns how many. */
size_t run_wake_due(worker *w, int64_t now_ms);
/* When the next one is due that run_wake_due would wake; INT64_MAX. */
int64_t run_next_wake(worker *w);
/* Those that run_wake_due could not read are due again. */
void run_due_again(worker *w);
/* Lets what is parked for long, or ended, and durable leave memory. */
void run_leave(worker *w);
void run_forget_lingering(worker *w);
/* For want of memory: lets runs that wait leave it, where the store keeps runs. Returns whether that will free so many bytes. */
bool run_evict(worker *w, int64_t bytes);
void run_hold_largest(worker *w);
extern const call_hooks run_call_hooks;

/* ---- the primitives' side ---- */

typedef struct run_step_info {
  const char *kind, *name; /* "wait", and the element's name; NULL: no element of its own */
  const char *written;     /* connection and path as written, or other text that tells steps apart; NULL */
  const char *data; /* the verdict that is recorded, as text; NULL without. In replay, the one that was */
  int64_t number;   /* another one, a time; the same */
} run_step_info;

/* Takes the next step: numbers it, fingerprints it, records it as reached, and as gone on when `passes` (the primitive does not
 * park). In replay it finds the step's record instead, and its verdict goes into `info`; another record there is a
 * divergence, and raises. L gives the script line. */
void run_step(run *r, lua_State *L, run_step_info *info, bool passes);

/* True while the run is replayed: what it does now it has done before. */
bool run_in_past(const run *r);

/* Waits until info->number, of the step just taken. Returns true when the wait is over at once, in replay, and nothing is to be
 * yielded. */
bool run_wait(run *r, int64_t at_ms);
/* Takes the oldest event that matches, else parks. `has_where`: the predicate stands in ANCHOR_WHERE.
 * Returns true when r->taken is there at once (NULL: its time was over), and nothing is to be yielded. */
bool run_wait_for(run *r, const char *name, bool has_where, int64_t until_ms);
/* In replay, when the step just taken has a result: r->call is a call that has ended so. */
typedef enum run_call_fate {
  RUN_CALL_NEW,  /* it has none: the call is to be made */
  RUN_CALL_OVER, /* the run goes on with it */
  RUN_CALL_ENDS, /* it ended the run, as on_failure says: yield */
} run_call_fate;
run_call_fate run_call_recorded(run *r, const char *element, on_failure policy);
/* Makes the call r->call. L is the primitive's: it may raise, before anything is done. */
void run_call(run *r, lua_State *L, on_failure policy);
/* Sets the goal (NULL: none) and what it exits on (names, NULL at the end, and until when, or NULL; both taken); their
 * predicates stand in ANCHOR_GOAL_WHERE and, by position, in the table at ANCHOR_EXIT_ON. Returns true when an event that
 * came before ends the run: yield then. */
bool run_watch(run *r, const char *goal, bool goal_where, int64_t goal_until, char **exit_on,
               int64_t *exit_until);
/* Begins the run anew after the yield, with this state (JSON); its journal begins anew, too. */
void run_begin_again(run *r, const char *json, size_t length);
/* Ends the run after the yield: dropped, exited or held; `reason` is static text. */
void run_end(run *r, run_state outcome, const char *reason, const char *detail);
/* Records a write to the profile. */
void run_write(run *r, lua_State *L, const char *name, const char *json, size_t length);

void run_anchor_get(run *r, lua_State *L, int slot); /* pushes */
void run_anchor_set(run *r, lua_State *L, int slot); /* pops */

/* Calls `function` (its one argument is `task`, a light userdata) on the worker's scratch stack, protected, on behalf of the
 * run: nothing in it may yield. Returns 0, or -1 with what was raised. */
int run_protected(run *r, lua_CFunction function, void *task, error *err);

void run_event_free(run_event *event);

#endif
