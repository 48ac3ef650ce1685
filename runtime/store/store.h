/* The store: the append-only record of everything that happened to runs, and the counters that change with it.
 *
 * Each worker has a lane: a bounded ring into which it puts records, in the order in which they happened to it.
 * The store makes them durable in batches and tells each lane how far it is. Nothing may be acted upon outside
 * the process before the position that it depends on is durable. The interface is asynchronous whatever the backend;
 * the memory backend takes a batch at store_flush, a backend on disk takes it on a committer thread.
 *
 * Counters (the ledger and the funnel) change in the same batch as the records that change them, so that the
 * ledger adds up at every commit. */
#ifndef JAUNT_STORE_STORE_H
#define JAUNT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

enum { SHARDS = 256 }; /* people are sharded by a hash of their id; a shard belongs to one worker */

typedef hash128 run_id;

/* The state of a run, and how it ended: the columns of the ledger. */
typedef enum run_state {
  RUN_NONE, /* not yet entered */
  RUN_RUNNING,
  RUN_QUEUED,
  RUN_WAITING,
  RUN_HELD,
  RUN_COMPLETED,
  RUN_DROPPED,
  RUN_EXITED,
  RUN_STATES,
} run_state;
const char *run_state_name(run_state state); /* "running", ... */

typedef enum record_kind {
  RECORD_ENTER,  /* data: the profile as JSON; name: the person's id; more: the event as JSON */
  RECORD_STEP,   /* a primitive's recorded answer; data: what replay gives back */
  RECORD_INTENT, /* data: the request's bytes as they will be sent, secrets hidden */
  RECORD_RESULT, /* data: the response as the script sees it */
  RECORD_WRITE,  /* a write to the profile; name: the attribute; data: its value as JSON */
  RECORD_STATE,  /* from -> to, at an element, for a reason */
} record_kind;

/* What an element's row in the funnel counts. */
typedef enum element_count {
  ELEMENT_REACHED,
  ELEMENT_WENT_ON,
  ELEMENT_DROPPED,
  ELEMENT_HELD,
  ELEMENT_COUNTS,
} element_count;

enum { NO_ELEMENT = 0xffff };

typedef struct store_record {
  record_kind kind;
  run_id run;
  uint32_t incarnation; /* of the run: restart_with counts it up */
  uint32_t step;
  uint64_t fingerprint; /* of the step: kind, name, connection and path as written */
  int64_t at_ms;        /* logical */
  const char *name;     /* a text; NULL without */
  const char *data;     /* bytes; copied by store_append */
  size_t data_length;
  const char *more;
  size_t more_length;
  /* What the record changes in the counters. */
  run_state from, to; /* both RUN_NONE: no change of state */
  uint16_t element;   /* as store_element gave it; NO_ELEMENT */
  uint8_t counts;     /* bits, 1 << element_count, each adding one at `element` */
  const char *reason; /* why it was dropped, held or has exited (closed list), NULL without; static text */
  const char *detail; /* beside the reason, short: "503"; NULL without; copied */
  bool control;       /* the run is of the control group */
} store_record;

/* A position in a lane: 1 for its first record. 0 is before everything. */
typedef uint64_t store_position;

typedef struct store store;
typedef struct store_lane store_lane;

/* `durable` is called on the lane's own thread, from store_flush or when the lane is woken. */
typedef struct store_lane_options {
  void (*durable)(void *data, store_position up_to);
  void *data;
  size_t ring_records; /* 0: the default of 65,536 */
} store_lane_options;

store *store_open_memory(hash128 store_id);
hash128 store_id(const store *s);
void store_close(store *s);

/* A journey that is about to run: its name and the hash of its bundle. Returns its number, for good. */
uint16_t store_journey(store *s, const char *name, const char *version);

/* An element of it, found by `name`; `line` orders the funnel. The same number to every worker. */
uint16_t store_element(store *s, uint16_t journey, const char *name, const char *kind, uint32_t line);

store_lane *store_lane_open(store *s, uint16_t journey, const store_lane_options *options);
void store_lane_close(store_lane *lane); /* what is in the ring is flushed */

/* Appends. Returns its position, or 0 when the ring is full: the worker then resumes nothing until `durable` has
 * come. */
store_position store_append(store_lane *lane, const store_record *record);
bool store_lane_full(const store_lane *lane); /* fewer than 16 places are left */

/* Lets the backend take what has gathered. Once per turn of the worker's loop; cheap when there is nothing. */
void store_flush(store_lane *lane);
store_position store_durable(const store_lane *lane);

/* ---- what was counted, at the last commits; from any thread ---- */

typedef struct store_reason {
  char reason[24], detail[104];
  uint64_t count;
  bool held; /* held for it, rather than dropped */
} store_reason;

typedef struct store_element_row {
  char *name, *kind;
  uint32_t line;
  uint64_t counts[ELEMENT_COUNTS];
  store_reason *reasons; /* most frequent first */
  size_t reason_count;
} store_element_row;

typedef struct store_report {
  uint64_t entered, control;
  uint64_t states[RUN_STATES]; /* entered is the sum of them */
  uint64_t records;
  store_element_row *elements; /* in script order */
  size_t element_count;
  store_reason *exits; /* why runs exited: "goal", "exit_on", "script", ... */
  size_t exit_count;
} store_report;

void store_ledger(store *s, uint16_t journey, uint64_t *entered, uint64_t states[RUN_STATES]);
store_report *store_report_new(store *s, uint16_t journey);
void store_report_free(store_report *report);

#endif
