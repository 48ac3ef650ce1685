/* The engine: one journey over one audience, on N workers. The control thread's side of it.
 *
 * It starts the workers, shards people over them, moves the virtual clock when everybody is idle, gathers what is
 * to be shown, and stops cleanly. All functions are for the thread that runs `options.loop`, unless noted. */
#ifndef JAUNT_ENGINE_ENGINE_H
#define JAUNT_ENGINE_ENGINE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"
#include "calls/connection.h"
#include "calls/secrets.h"
#include "engine/latency.h"
#include "store/store.h"

typedef struct engine engine;

/* What the engine needs of the Lua side, handed in from above, because layers look only down. */
struct call;
typedef struct engine_lua {
  /* Opens the bindings on a worker's fresh lua_State (standard libraries open already). */
  void (*open)(lua_State *L);
  /* Push one value; they may raise, and are called protected. */
  void (*push_response)(lua_State *L, struct call *c);
  void (*push_json)(lua_State *L, const char *json, size_t length);
  /* Appends, as a JSON object, what of a profile is not so with the person on top of the stack: null where it has no such attribute
   * any more, which is seen where the profile `is_whole`. Nothing where it is all the same. The profile was looked at. May raise. */
  void (*compare_person)(lua_State *L, const char *json, size_t length, bool is_whole, buf *out);
  /* Changes the person on top of the stack so, all or nothing; without `itself` another one, which is put in its place. May raise. */
  void (*change_person)(lua_State *L, const char *changes, size_t length, bool itself);
  /* Appends the value at `index` as JSON; -1 with the path of what can't be one. `name` is what it is called.
   */
  int (*encode)(lua_State *L, int index, buf *out, const char *name, error *err);
  /* What would be sent, for a person to read; secrets are hidden. */
  void (*tell_call)(buf *out, const char *person, const struct call *c);
  /* The script's own coroutine through which this one, which is parked, was parked; NULL where it parked itself. */
  lua_State *(*inner)(lua_State *co);
} engine_lua;

/* What a script may use. */
typedef struct script_limits {
  size_t run_memory; /* bytes of Lua memory that one run may hold */
  size_t
      worker_memory; /* and all runs of a worker together; 0: its share of three quarters of the machine's */
  size_t text;       /* bytes of one text that string.rep and its like make */
  int64_t slice_ms;  /* processor time between two pauses */
  uint64_t pattern_steps; /* of one match */
  int coroutines;         /* of a run, at the same time */
  size_t elements;        /* of a journey that are told apart */
  size_t inbox;           /* events that wait for a run; the oldest give way */
} script_limits;

extern const script_limits script_limits_default;

typedef struct engine_options {
  uv_loop_t *loop;
  int workers;      /* at least 1 */
  store *store;     /* owned from here on */
  bool is_virtual;  /* waits take no time: rehearsal */
  int64_t start_ms; /* of a virtual clock */
  int64_t until_ms; /* the same: it goes no further, and all is over then; INT64_MAX */
  size_t in_flight; /* admission waits while this many runs are not waiting */
  const char *journey, *version;
  double control; /* share of people who are only watched, 0 to 1 */
  const char
      *per; /* the event's field within whose value a person has one living run at a time; NULL: one in all */
  int64_t
      reentry_ms; /* where the store keeps runs: how long after the end of their last run people may enter again; -1:
                         never */
  const char
      *bundle; /* JSON of scripts for lualib's jaunt.worker; not owned, read until engine_start returns */
  size_t bundle_length;
  connection **connections; /* owned from here on */
  size_t connection_count;
  secrets *secrets;       /* owned from here on */
  const char *save_below; /* the folder for `save_to`: its files can't be elsewhere */
  const char *reroute; /* a rehearsal's vendor, "http://127.0.0.1:PORT", for calls without `via`; or NULL */
  script_limits limits;
  bool traces;         /* keep every intent for engine_next_message: --dry-run */
  bool expects_events; /* engine_event will be called: engine_events_over ends that */
  uint64_t die_after;  /* for tests: as if the process ended after so many records; 0: it does not */
  bool asleep;         /* nobody is woken: for what operators do while no runtime has the state */
  bool plain_script;   /* one run without a person; errors end it instead of holding it */
  const engine_lua *lua;
  /* Something changed that the control thread may want to look at; called on the loop. */
  void (*changed)(void *data);
  /* engine_start has failed, and by now all is closed that it had opened: nothing of the engine is left. */
  void (*gone)(void *data);
  void *data;
} engine_options;

/* Starts the workers. Returns NULL and fills `err` (a script that does not load, libcurl that can't be set up). */
engine *engine_start(const engine_options *options, error *err);

/* True while admission has room. When it was full, `changed` is called as soon as there is room again. */
bool engine_has_room(engine *e);

/* Lets a person in. Profile and event are JSON objects; everything is copied. */
void engine_admit(engine *e, const char *id, size_t id_length, const char *profile, size_t profile_length,
                  const char *event, size_t event_length);
void engine_admission_over(engine *e); /* nobody else will come */

/* Events for people, in the order of their times. The engine holds a few hundred of them and delivers each when its
 * time has come on the logical clock (and not before admission is over, nor while workers have more than they can keep);
 * `changed` is called when it wants more.
 * `json` is what the script will see; everything is copied. */
bool engine_wants_event(const engine *e);
void engine_event(engine *e, int64_t at_ms, const char *person, const char *name, const char *json,
                  size_t length);
void engine_events_over(engine *e);

/* True when nothing will happen any more: no admission, nothing ready, no timer, no event to come. */
bool engine_finished(engine *e);

/* Ends it: nothing new is sent; calls on the wire get `grace_ms` (real time), then are cut. `stopped` is called on the
 * loop when all workers are gone. The store stays readable until engine_free. */
void engine_stop(engine *e, int64_t grace_ms, void (*stopped)(void *data), void *data);
void engine_free(engine *e); /* after `stopped` */

/* ---- what operators do with single runs; only where the store keeps runs ---- */

typedef enum engine_act {
  ENGINE_REDRIVE, /* a held run goes on, a dropped one from the element that dropped it: that call is made again */
  ENGINE_RESEND, /* the same, also where nobody knows whether that call was done: it is sent again as it was */
  ENGINE_MOVE, /* a waiting or held run goes on with another version, when its replay comes to where it is */
  ENGINE_TRY,  /* the same, but nothing is changed: whether it could */
  ENGINE_END,  /* a living or held run exits, for the reason "operator" */
} engine_act;

/* Goes on to that time, and no further, on a virtual clock: what is due by then happens; engine_finished says when it has. May be
 * called again. Admission and events are over, which keeps neither from coming. */
void engine_advance(engine *e, int64_t to_ms);

/* Ends every run that is under way: a call that is on the wire is cut, a script that runs is stopped at the line where it is, and
 * held as one that has broken a limit. For who sits before it: whoever can be let in anew. From the loop's thread. */
void engine_interrupt(engine *e);

/* Payloads in place of the bundle's, for calls that are not rendered yet; `json` as the bundle has them, and checked. */
void engine_payloads(engine *e, const char *json, size_t length);

/* A version that runs may be moved to, beside the engine's own: see store_journey. */
uint32_t engine_version(engine *e, const char *version, const char *bundle, size_t bundle_length);

/* Asks the worker that has the run; its person is needed to find that. `version`: to move to; 0: the engine's own. */
void engine_act_on(engine *e, engine_act act, uint64_t number, const char *person, uint32_t version);

typedef struct engine_outcome {
  uint64_t run;
  const char *refused; /* why nothing was done, static text; NULL: it was done */
  char *why;           /* in other words, or NULL; the caller frees it */
} engine_outcome;

/* How the oldest act that was not told yet ended: 1, or 0 when none is known. `changed` is called when one is. */
int engine_next_outcome(engine *e, engine_outcome *out);

/* Stops admission and the waking of parked runs, or lets both go on; who is under way goes on to the next wait. The mark is kept
 * with the state, for the processes to come: engine_pause_kept says whether it is durable by now. A virtual clock stands
 * still meanwhile. */
void engine_pause(engine *e, bool paused);
bool engine_pause_kept(engine *e);

typedef struct engine_figures {
  uint64_t entered;
  uint64_t states[RUN_STATES];
  uint64_t attempts;    /* sends over the wire */
  uint64_t calls;       /* calls that were sent and got a result */
  uint64_t unfinished;  /* calls that were cut by stopping */
  uint64_t lost_events; /* events for people without a living run */
  uint64_t crowded_out; /* events that gave way to newer ones in a full inbox */
  uint64_t already_in;  /* people who were not let in: they are in the journey, or were */
  double median_ms, p99_ms;
  int64_t logical_ms, last_call_ms; /* now; when the last call went out (0: none) */
  uint64_t records;                 /* where die_after counts them */
  bool paused;                      /* 20 runs were held by script errors */
  int64_t paused_ms;                /* since when the journey is paused by an operator; 0: it isn't */
} engine_figures;

engine_figures engine_look(engine *e);
/* The ledger as it stood when the engine was started: what the store had kept. */
void engine_found(const engine *e, uint64_t *entered, uint64_t states[RUN_STATES]);
store *engine_store(engine *e);
uint32_t engine_journey(const engine *e);
connection *const *engine_connections(const engine *e, size_t *count);
/* Whether the connection's vendor is out; its next_ms is from now on here, 0: at once. */
outage_look engine_outage(const engine *e, const connection *c);

/* What scripts said (log, print), traces and warnings, oldest first. Returns 1 and fills `out`, or 0. */
int engine_next_message(engine *e, buf *out);

#endif
