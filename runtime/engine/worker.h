/* A worker: one thread with its own loop, its own lua_State, its own multi handles, and its share of the runs.
 *
 * Private to engine/ and bind/. Everything here is for the worker's own thread, but for what is marked shared. */
#ifndef JAUNT_ENGINE_WORKER_H
#define JAUNT_ENGINE_WORKER_H

#include <lua.h>
#include <stdatomic.h>
#include <time.h>
#include <uv.h>

#include "base/clock.h"
#include "base/timers.h"
#include "calls/calls.h"
#include "engine/blocks.h"
#include "engine/engine.h"
#include "engine/inbox.h"
#include "engine/known_steps.h"
#include "http/http.h"
#include "store/store.h"

struct run;

/* Dice that fall the same in every process: kinds keep a split and a payload of the same name apart. */
typedef enum shared_dice { DICE_CONTROL, DICE_SPLIT, DICE_PAYLOAD, DICE } shared_dice;

/* What the workers of an engine share with each other and with the control thread. */
typedef struct engine_shared {
  const engine_options *options;
  logical_clock clock;
  store *store;
  uint32_t journey;
  hash_begun dice[DICE];  /* with what is the same at every throw */
  uv_async_t wake;        /* of the control thread */
  _Atomic int64_t work;   /* tokens: whatever may still happen without a timer. 0: all workers are idle */
  _Atomic uint64_t epoch; /* counts up whenever work begins: tells an idle moment from two */
  _Atomic int64_t active; /* runs that are admitted and not waiting, for --in-flight */
  _Atomic bool starved;   /* the control thread waits for room */
  _Atomic int64_t events_out, event_bytes_out; /* with workers, and not dealt with */
  _Atomic bool events_wait;                    /* the control thread has more of them than workers take */
  _Atomic int64_t script_errors;
  _Atomic bool told_elements; /* that the journey has too many to be told apart */
  _Atomic bool told_crowded;  /* that an inbox was too full */
  _Atomic bool paused;        /* by an operator: nobody is let in, and no parked run is woken */
  _Atomic int stopped;        /* workers that are gone */
  _Atomic bool ending;        /* engine_stop was called: nobody waits for messages to be fetched */
  pthread_mutex_t message_lock;
  list messages;
  size_t message_count, message_bytes;
  _Atomic uint64_t recorded; /* for die_after */
  _Atomic bool dead;
  list outcomes; /* of what operators asked for; under the same lock */
} engine_shared;

void shared_work(engine_shared *s, int64_t change); /* wakes the control thread when it reaches 0 */
void shared_active(engine_shared *s, int64_t change);
/* Whether workers take more events; they wake the control thread when they do again. */
bool shared_takes_events(engine_shared *s);
void shared_event_out(engine_shared *s, const message *m);  /* a worker gets it */
void shared_event_done(engine_shared *s, const message *m); /* and has dealt with it */

typedef enum say_kind { SAY_OUTPUT, SAY_WARNING, SAY_TRACE } say_kind;
/* A line for the control thread; bounded: where too many wait to be fetched it waits, too, and is left out once the engine
 * is being stopped. From workers' threads. */
void shared_say(engine_shared *s, say_kind kind, const char *text, size_t length);
void shared_warn(engine_shared *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

void shared_take_dice(engine_shared *s);
/* 0 <= x < 1, always the same for these parts. */
double shared_throw(const engine_shared *s, shared_dice dice, const hash_part *parts, size_t count);

/* For tests: whether the process is to be taken for dead, so that nothing is recorded any more. Counts a record. */
bool shared_dies(engine_shared *s);

/* How an operator's act ended: `refused` is static text, or NULL; `why`, or NULL, is taken. */
void shared_outcome(engine_shared *s, uint64_t number, const char *refused, char *why);

/* See engine_next_message and engine_next_outcome. */
int shared_next_message(engine_shared *s, buf *out);
int shared_next_outcome(engine_shared *s, engine_outcome *out);

enum {
  EVENT_BYTES_MOST = 8 << 20, /* of events in the engine, and of those that workers have */
  LIVING_BUCKETS = 4096,
  WAITING_BUCKETS = 256,
  IDLE_COROUTINES = 256,
  SCRIPT_ERRORS_PAUSE = 20, /* admission stops when so many runs were held by script errors */
  WAKES_AT_ONCE = 256,      /* runs brought back in one turn */
  WAKES_LEAST = 64,         /* and in memory at a time, however small the share of --in-flight is */
  LINGER_RECORDS = 500,     /* runs with so long a journal linger in memory while they wait for an event, */
  LINGER_MOST = 32,         /* the last ones */
  UNREAD_MOST = 64, /* due runs that can't be read, of which the store does not tell again by itself */
};

/* A coroutine that has come to its end, with its table of anchors: the next run's. */
typedef struct idle_coroutine {
  lua_State *co;
  int anchor;
} idle_coroutine;

/* The beginning of runs of another version than the present one. */
typedef struct other_body {
  uint32_t version;
  int ref;
} other_body;

typedef struct worker {
  engine_shared *shared;
  int index;
  uv_thread_t thread;
  uv_loop_t loop;
  uv_async_t async;     /* shared: the inbox has something */
  uv_prepare_t prepare; /* the turn: what is ready goes on before the loop sleeps */
  uv_idle_t idle;       /* keeps the loop awake while a turn left something to do */
  uv_timer_t alarm;     /* the earliest logical timer, when the clock is real; the grace, when draining */
  inbox inbox;          /* shared */
  int64_t taken;        /* messages whose tokens are given back at the end of the turn */
  uv_timer_t retry;     /* of reads that failed: see worker_unread */
  bool retries;         /* it is set */
  list unread;          /* messages that need such a read, oldest first */
  store_due_run unread_due[UNREAD_MOST]; /* and runs */
  size_t unread_due_count;
  uint64_t unread_times; /* how often worker_unread said so */

  lua_State *L;
  lua_State *scratch; /* where predicates and payloads run */
  int body_ref, render_ref, load_ref, payloads_ref, text_ref;
  other_body *others;
  size_t other_count;
  idle_coroutine idle_coroutines[IDLE_COROUTINES];
  int idle_count;
  lua_State *volatile running; /* the innermost coroutine of a script; NULL between slices */
  const char *volatile kill;   /* the limit that the running script has broken; NULL: none */
  char kill_place[128];        /* where that was: "FILE:LINE" */
  char kill_words[112];        /* what it asked for; empty: the limit says it */
  volatile bool overdue;       /* the slice takes long */
  _Atomic bool interrupted;    /* shared: somebody wants the script that runs to be stopped */
  int strikes;                 /* how often it was found so */
  int slice_depth;
  buf text;            /* room for what a primitive writes: an error that unwinds it leaks nothing */
  buf verdict;         /* room for what replay answers */
  buf newest, profile; /* for a person's newest profile: how it differs, and itself */
  bool starved;        /* memory was just refused */
  int64_t memory;      /* bytes that L holds */
  int64_t collect_at;  /* when over the limit: as many before all garbage is collected again */
  void *strings;       /* Lua's table of short strings: see guard.c */
  blocks blocks;       /* where they come from */
  struct run *current; /* whose code is running, a predicate's or payload's included */
  bool chain_blocked;  /* a resumer of the running coroutine can't yield */
  bool in_predicate;   /* in a predicate or a payload: nothing may yield */
  bool passing;        /* the engine's own yield is on its way through a script's coroutines */
  known_steps steps;
  const char *pending; /* call_api "NAME" that was not given its braces yet; its text is in ANCHOR_PENDING */

  http *wire;
  calls *calls;
  int calls_busy;
  timers timers; /* of waits: on the logical clock */
  timers pauses; /* of calls: on what has elapsed of it, which nobody steps */
  store_lane *lane;
  bool token; /* holds one of shared->work */

  list ready;          /* runs to be resumed, oldest first */
  list gated;          /* runs whose intent is not durable yet, in order of position */
  list acts;           /* of operators, that are not durable yet */
  list waiting_events; /* for runs that are not in memory, by position: see run_inbox.c */
  list waiting_by_run[WAITING_BUCKETS];
  list late_events; /* of those, for runs that had just changed: that is durable now */
  list changes;     /* of people that are not durable yet, by position: see run_person.c */
  list changes_by_person[WAITING_BUCKETS];
  store_position evicted_to; /* for want of memory runs leave it when this is durable */
  list leaving;              /* parked or ended runs that leave memory when that is durable, by position */
  list lingering;            /* parked runs that are dear to bring back: see run_kept.c */
  size_t lingering_count;
  uint32_t plain_runs; /* that were begun: tells their names apart */
  list living;         /* all runs in memory */
  size_t living_count;
  struct run *by_person[LIVING_BUCKETS]; /* of them, when events are expected or the store keeps runs */
  struct run *by_number[LIVING_BUCKETS]; /* the same, when it does */

  bool draining, stopping, closing;
  bool
      lost; /* the lane took no more records while the engine was being stopped: it is as if the process had ended then */
  int64_t grace_ms;
  error start_error;
  bool started;

  /* Shared: written here, read by the control thread. */
  latency latency;
  _Atomic uint64_t attempts, finished_calls, unfinished, lost_events, crowded_out, already_in;
  _Atomic int64_t next_due, last_call_ms;
  _Atomic uint64_t slice; /* counts up at the beginning and the end of each: odd while a script runs */
  _Atomic bool watched;   /* cpu_clock is set */
  clockid_t cpu_clock;    /* of the thread */
} worker;

/* Starts the thread; returns when it is ready or has failed (w->start_error, -1). */
int worker_start(worker *w);
void worker_post(worker *w, message *m); /* from any thread; takes m, and one token of work with it */
void worker_join(worker *w);

worker *worker_of(lua_State *L); /* of any coroutine of a worker's lua_State */

/* Whether a read of the state failed that may go well when it is made again: then it is told, and a while later that is tried, with what
 * is in w->unread and w->unread_due. Until then the worker counts as busy. */
bool worker_unread(worker *w);

/* The same of another read than the store's. */
void worker_read_later(worker *w);

/* Makes room in a lane that is full, however long that takes. False where nothing more is to be recorded. */
bool worker_make_room(worker *w);

/* ---- its scripts: see worker_scripts.c ---- */

int worker_open_scripts(lua_State *L); /* fills a new lua_State; may raise */
/* From now on payloads are these; where they can't be used, that is told, and those from before stay. */
void worker_take_payloads(worker *w, const message *m);

/* Puts what the script calls element `name` into the funnel, once; `kind` is the primitive. One that is one too many (limit elements)
 * is counted with all others of the kind, under one name. Stack of L unchanged. */
uint32_t worker_element(worker *w, lua_State *L, const char *name, const char *kind);

/* The registry's reference of the function that runs of this version begin with; LUA_NOREF where its scripts can't be had any
 * more (that is told). */
int worker_body(worker *w, uint32_t version);

const connection *worker_connection(const worker *w, const char *name); /* NULL when there is none */

#endif
