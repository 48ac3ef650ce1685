/* The store: what happened to runs, what is kept of each, and the counters that change with it.
 *
 * Each worker has a lane: it appends records in the order in which they happened to it. The store makes them durable in
 * batches and tells each lane how far it is. Nothing may be acted upon outside the process before the position that it
 * depends on is durable. A batch is one transaction: records, rows of runs, timers and counters change together, so that
 * the ledger adds up at every commit. The interface is asynchronous whatever the backend.
 *
 * Two backends:
 *   memory   keeps counters and forgets bytes: what a run did is in its coroutine, and nothing outlives the process. A
 *            batch is taken by store_flush.
 *   sqlite   keeps everything in one file. Records go to a log. When a run is settled (it parks, is held, or ends) its
 *            records since the last time are written as one segment of its own, and its row and timer with them: a wake
 *            reads the run's segments, never the log. The log is trimmed up to the oldest record that is in no segment.
 *            A committer thread takes the batches of all lanes.
 *
 * A third one, for many nodes, has to do the same: lanes own shards (shard % lanes == index), positions are per lane. */
#ifndef JAUNT_STORE_STORE_H
#define JAUNT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/list.h"

enum { SHARDS = 256 }; /* people are sharded by a hash of their id; a shard belongs to one lane */
uint32_t store_shard(const char *person, size_t length);

/* Tells profiles, and other texts, from each other; never 0. */
uint64_t store_print(const char *bytes, size_t length);

typedef hash128 run_id;

/* The state of a run, and how it ended: the columns of the ledger. These numbers are in files: they never change. */
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

/* What an element's row in the funnel counts. These numbers are in files, too. */
typedef enum element_count {
  ELEMENT_REACHED,
  ELEMENT_WENT_ON,
  ELEMENT_DROPPED,
  ELEMENT_HELD,
  ELEMENT_COUNTS,
} element_count;

#define NO_ELEMENT UINT32_MAX
enum { ELEMENTS_MOST = 1000 }; /* of a journey, unless store_bound_elements says otherwise */

/* ---- records ---- */

/* These numbers are in files: they never change. */
typedef enum record_kind {
  RECORD_ENTER =
      1, /* name: the person's id; data: the profile as JSON; more: the event as JSON; extra: the key of `per`;
                       numbers: the entry number, and the run's id (lo, hi) */
  RECORD_STEP, /* a primitive's step; data: its recorded verdict, if it has one */
  RECORD_INTENT, /* numbers: the idempotency key, by store_intent_name; data: the body; more: the URL; extra: see
                       intent_line; as they will be sent, secrets hidden */
  RECORD_ATTEMPT, /* how one attempt ended, for people; numbers: status, microseconds. With a third one it is one of record_attempt_notes
                       instead */
  RECORD_RESULT, /* the response as the script sees it. name: the result; data: the body; more: headers; numbers: status,
                       attempts, microseconds, and bits of record_result_bits */
  RECORD_WRITE, /* name: an attribute of the person; data: its value as JSON; extra: the person's id, which is not
                       journalled. Changes the person's attributes, too */
  RECORD_WOKE, /* a wait is over because its time is */
  RECORD_TAKEN, /* a wait is over by an event. name, data: the event; numbers[0]: its number in the inbox, which it
                       leaves; 0: it was in none */
  RECORD_RESTART, /* a new incarnation. data: its state as JSON. What stands before it is not read again */
  RECORD_END,     /* the run ended, or is held: `to` says how */
  RECORD_MOVE,    /* changes counters alone: nothing is journalled */
  RECORD_REDRIVE, /* an operator lets a held or dropped run go on. numbers: the step from which on what stands before it is
                     void (0: none), how often that was done, and whether the result of that step alone is void: its call is
                     sent again as its intent says */
  RECORD_KINDS,
} record_kind;

enum record_attempt_notes {
  ATTEMPT_RECALLED =
      1, /* the runtime ended in order, and what the last intent says had not left, or was refused: it may be sent */
  ATTEMPT_ENDED = 2, /* an operator has ended the run: it goes no further than this call */
};

enum record_result_bits {
  RESULT_TRUNCATED = 1, /* the body was cut to keep_body */
  RESULT_UNCLEAR = 2,   /* it has left, or may have, and nobody knows whether it was done */
};

/* What is kept of a run in its row; told when it is settled. */
typedef struct store_settle {
  run_id id;
  const char *person;
  const char *per; /* the key within which one run lives at a time; NULL: none */
  uint32_t entry;  /* the person's first, second, ... run of this journey (and per) */
  int64_t entered_ms;
  uint32_t element; /* where it is */
  int64_t due_ms;   /* when it has to be woken; INT64_MAX: by its time never */
  const char *
      listens; /* the events that concern it while it is parked, and its goal when it is over, one name a line; NULL */
  int64_t goal_ms; /* until when its goal counts although it is over; 0: as it was, at first not at all */
  int64_t converted_ms; /* when it has reached it; 0: as it was */
  uint64_t fed; /* print of the profile that came with it, before what scripts have written; 0: as it was */
} store_settle;

/* What a record has of those before it that was read: only store/ looks inside. */
typedef struct store_before {
  uint32_t format; /* of the segment; 0: none was told, it is the present one */
  uint64_t step;   /* the fingerprint of the last step, and what that had */
  const char *step_name, *step_extra;
  size_t step_extra_length;
  const char *url, *request; /* of the last intent: more and extra */
  size_t url_length, request_length;
  const char *headers; /* of the segment's first result with headers, packed */
  size_t headers_length;
} store_before;

typedef struct store_record {
  record_kind kind;
  uint32_t incarnation, step;
  uint64_t
      fingerprint; /* of the step: kind, name, connection and path as written; two steps that share one have the same name
                            and `extra` */
  int64_t at_ms;    /* logical */
  const char *name; /* a text; NULL without */
  const char *data; /* bytes; copied by store_append, as all texts are; NULL and empty are told apart */
  size_t data_length;
  const char *more;
  size_t more_length;
  const char *extra;
  size_t extra_length;
  const char *
      newer; /* of a record that lets the script go on: what it reads of its person from there on, a JSON object of
                        the attributes that have changed, null where one is gone; NULL: none has */
  size_t newer_length;
  int64_t numbers[4];
  /* What it changes in the counters. */
  uint32_t journey;   /* the run's version, as store_journey numbered it */
  run_state from, to; /* both RUN_NONE: no change of state */
  uint32_t element;   /* as store_element gave it; NO_ELEMENT */
  uint8_t counts;     /* bits, 1 << element_count, each adding one at `element` */
  const char *reason; /* why it was dropped, held or has exited (closed list), NULL without; static text */
  const char *detail; /* beside the reason, short: "503"; NULL without; copied */
  bool control;       /* the run is of the control group */
  int8_t converts; /* 1: it has reached its goal; -1: that counts in another version from here on; else 0 */
  const store_settle *settle; /* settles the run with this record, in state `to`; NULL: not now */
  store_before before;        /* left alone by who appends */
} store_record;

typedef struct store store;
typedef struct store_lane store_lane;

/* The line of an intent's `extra`, not ended by a NUL; NULL where there is none, or nothing in it. INTENT_ONCE: there is
 * something in it where the request carries no key, and must not be sent twice. */
enum intent_line {
  INTENT_METHOD,
  INTENT_CONNECTION,
  INTENT_TYPE,
  INTENT_PAYLOAD,
  INTENT_TEMPLATE,
  INTENT_ONCE
};
const char *store_intent_line(const store_record *intent, enum intent_line line, size_t *length);
/* Appends a method or a type for such a line: one that is often there as a byte, which store_intent_line tells in words again. */
void store_intent_word(buf *out, const char *text);
/* The idempotency key (32 hexadecimal digits in lower case) as an intent has it, and back. */
void store_intent_name(store_record *intent, const char *key);
void store_intent_key(const store_record *intent, char out[33]);

/* Appends the lines of the headers ("Name: value", each ended by a line break) of a result that store_record_next has read: its
 * `more` has them packed. */
void store_result_headers(const store_record *result, buf *out);

/* A living run's journal, embedded in the run; only store/ looks inside but for `run`. The memory backend leaves it alone,
 * but for `run`. */
typedef struct store_journal {
  uint64_t run;               /* its number: given with RECORD_ENTER, or set by store_load */
  uint32_t records, segments; /* so far */
  int64_t due_ms;             /* of its timer on disk; INT64_MAX: none */
  uint32_t shard;
  bool has_row;     /* it was settled before */
  bool asleep;      /* settled, and nothing was appended since: its timer is the store's to tell */
  store_lane *lane; /* NULL: nothing was appended or loaded */
  buf tail;         /* encoded records since the last segment */
  uint64_t batch;   /* that the first of them is in */
  int64_t
      at_ms; /* of the last record in the tail, as the next one is told by how it differs: see journal.h */
  uint64_t fingerprint;
  uint32_t incarnation, step, element;
  uint64_t step_print;                                   /* of the last step in the tail; 0: there is none */
  size_t url_at, url_length, request_at, request_length; /* in the tail: the last intent's more and extra */
  size_t headers_at, headers_length;                     /* in the tail: the first result's headers */
  uint32_t from;  /* the segment in which the present incarnation begins */
  list unsettled; /* in the lane's, oldest first */
} store_journal;
void store_journal_init(store_journal *journal);
/* Frees what it holds; its run leaves memory. A run that was settled last is the store's to tell when it is due; any other
 * is found again when the file is opened the next time. */
void store_journal_forget(store_journal *journal);

/* ---- opening ---- */

store *store_open_memory(hash128 store_id);

/* A state is of live runs or of rehearsals, as it was made; see store_open_sqlite. */
typedef enum store_kind { STORE_ANY_KIND, STORE_LIVE, STORE_REHEARSAL } store_kind;

typedef struct store_file {
  const char *path;
  store_kind kind; /* STORE_ANY_KIND: as it is; a new one is of rehearsals */
  bool
      sweeps; /* runs that ended longer than keep_ms ago are taken out. Counters stay, and so does what letting people in asks for */
  int64_t keep_ms;  /* by the clock of live runs; in a rehearsal before the latest thing that happened */
  int64_t now_ms;   /* when a rehearsal goes on; 0: not known yet */
  bool sync_normal; /* PRAGMA synchronous=NORMAL: power loss may lose the last commits, consistently */
  bool has_id;      /* a new file gets `id` instead of a random one: --seed */
  hash128 id;
  size_t cache_bytes; /* of SQLite, for writing; 0: 32 MiB */
  /* A commit fails (text: what, where, what to do: "the state FILE can't be written: database or disk is full; make room:
   * it is tried again"), and then succeeds (NULL); or a read fails. From the committer's thread and from lanes'; may be NULL. */
  void (*trouble)(void *data, const char *text);
  void *data;
} store_file;

/* Opens or makes the file, takes the lock PATH.lock (flock; an error names the process that has it), migrates an older schema,
 * refuses a newer one and one of the other kind, and settles what a crash has left in the log: runs that were in memory then are in state RUN_RUNNING
 * and due at once. Returns NULL and fills `err`. */
store *store_open_sqlite(const store_file *options, error *err);
void store_close(store *s); /* what the lanes hold is committed first; NULL is taken */

hash128 store_id(const store *s);
bool store_keeps(const store *s); /* runs can be read back from it */

/* A version of a journey: its name, the hash of its bundle, and the bundle (kept). Returns its number, for good. */
uint32_t store_journey(store *s, const char *name, const char *version, const char *bundle,
                       size_t bundle_length);
/* Appends the name, version and bundle behind a number; -1 where there is none, -2 where the bundle can't be read now. Any may be NULL. */
int store_journey_read(store *s, uint32_t journey, buf *name, buf *version, buf *bundle);

void store_bound_elements(store *s, size_t most);

/* Operators pause a journey, all versions of its name: since when, 0: it isn't paused. The mark is kept with the state; what
 * store_pause_kept says is durable. Nothing here heeds it. */
void store_pause(store *s, uint32_t journey, int64_t since_ms);
int64_t store_paused(store *s, uint32_t journey);
int64_t store_pause_kept(store *s, uint32_t journey);

/* An element of the journey (of its name: all versions share their elements), found by `name`; `line` orders the funnel. The
 * same number to every worker. NO_ELEMENT where it would be one too many: names may be made of people's data. Kinds that are no
 * primitive's, "start" and "others", are not bounded. */
uint32_t store_element(store *s, uint32_t journey, const char *name, const char *kind, uint32_t line);

/* ---- lanes: all on the worker's own thread ---- */

typedef uint64_t store_position; /* 1 for a lane's first record; 0 is before everything */
#define STORE_NEVER UINT64_MAX   /* what never becomes durable */

typedef struct store_lane_options {
  /* How far records are durable: called from store_flush, on the lane's thread. */
  void (*durable)(void *data, store_position up_to);
  /* Something became durable: call store_flush soon. From any thread; NULL for a backend without threads. */
  void (*wake)(void *data);
  void *data;
  size_t ring_records; /* 0: the default of 65,536 */
  size_t inbox;        /* events that a run's inbox holds, and as many that were taken; 0: any number */
  int index, lanes;    /* it owns the shards with shard % lanes == index; lanes 0: all */
} store_lane_options;

/* `journey` is any version of the journey that the lane's runs are in. Returns NULL and fills `err`. */
store_lane *store_lane_open(store *s, uint32_t journey, const store_lane_options *options, error *err);
/* Waits until what was appended is durable, or can't be made so; tells nobody. The runs' journals are forgotten before. */
void store_lane_close(store_lane *lane);

/* Appends. Returns its position, or 0 when the lane is full: the worker then resumes nothing until `durable` has come. */
store_position store_append(store_lane *lane, store_journal *journal, const store_record *record);
bool store_lane_full(const store_lane *lane); /* fewer than 16 places are left, or too many bytes wait */

/* Hands over what has gathered, and tells (`durable`) how far it is by now. Once per turn; cheap when there is nothing. */
void store_flush(store_lane *lane);
store_position store_durable(const store_lane *lane);
store_position
store_last(const store_lane *lane); /* of what was appended: above store_durable, work is open */

/* ---- reading back: nothing in the memory backend. What is not durable yet is not seen. ---- */

typedef struct store_run {
  uint64_t run;
  run_id id;
  uint32_t journey, entry, incarnation, element;
  char *person, *per, *listens, *reason, *detail; /* NULL without */
  run_state state;
  bool control;
  int64_t entered_ms, since_ms, due_ms; /* since: of the last settling */
  int64_t goal_ms, converted_ms;        /* see store_settle */
  uint64_t fed;
  uint32_t records, segments, from; /* for store_load */
} store_run;
void store_run_free(store_run *run); /* what it holds, not itself */

/* 1, 0: there is none, or -1: it can't be read (told as trouble). The caller frees what is in `out` after a 1. */
int store_find(store_lane *lane, uint64_t run, store_run *out);
/* The person's runs of the lane's journey, newest first. *out is an array to be freed, member by member, and itself. 0 or -1.
 * Of runs that were taken out one for each `per` is told: as completed, with the highest entry number and the time of the last
 * end; store_find does not find it. */
int store_runs_of(store_lane *lane, const char *person, store_run **out, size_t *count);
/* All records of the present incarnation, encoded, appended to `out` (of RECORD_ENTER without the person, `per` and the numbers, which
 * are in `run`); readies `journal` (which store_journal_init made) for
 * what follows. From here on the run is awake: its timer is not told. 0 or -1. */
int store_load(store_lane *lane, const store_run *run, store_journal *journal, buf *out);
/* The same bytes of a run that is only looked at: nothing follows. */
int store_peek(store_lane *lane, const store_run *run, buf *out);
/* Takes the next record off [*at, end); false at the end, or where the bytes are no record. Texts point into the bytes. A
 * record is kept by how it differs from the one before: `out` is zeroed before the first, and left alone in between. Of the
 * counters' part it holds `journey` and `control` (RECORD_ENTER), `to`, `reason` and `detail`; `element` is where the run
 * was last. */
bool store_record_next(const char **at, const char *end, store_record *out);

/* The earliest time at which a settled run of the lane is due, INT64_MAX: none. Cheap. */
int64_t store_next_due(store_lane *lane);
/* Settled runs that are due at `now_ms`, in the order of their times; each is told once for each settling, when that is
 * durable. Returns how many. */
typedef struct store_due_run {
  int64_t due_ms;
  uint64_t run;
} store_due_run;
size_t store_due(store_lane *lane, int64_t now_ms, store_due_run *out, size_t most);

/* What store_due told could not be looked at: it is told again. */
void store_due_again(store_lane *lane, const store_due_run *due);

/* Whether a read failed, since this was asked last, that may go well when it is made again: a disk's fault, not damage. It is told as
 * trouble the first time, and again after store_unread_over. */
bool store_unread(store_lane *lane);
void store_unread_over(store_lane *lane);

typedef struct store_inbox_event {
  uint64_t number;
  uint64_t print; /* tells equal events, of which a run keeps the first */
  char *name, *json;
  size_t length;
  int64_t at_ms;
  bool met;       /* goal and exit_on were asked about it, and said no */
  uint64_t asked; /* the same of a wait_for: which one, as its engine names it; 0: none */
} store_inbox_event;
/* An event that came for a run, whether it is in memory or parked: print, name, JSON and time. Part of the next batch; returns
 * the event's number, which counts up, or 0 when the lane is full. *position (may be NULL): where it stands. */
uint64_t store_event(store_lane *lane, uint64_t run, const store_inbox_event *event,
                     store_position *position);
/* How many events have given way to newer ones in full inboxes since the lane was opened; *run (may be NULL): whose was the last. */
uint64_t store_crowded_out(const store_lane *lane, uint64_t *run);
/* A run's events that were not taken, oldest first; freed with store_events_free. They go when the run ends. 0 or -1. */
int store_events(store_lane *lane, uint64_t run, store_inbox_event **out, size_t *count);
/* Whether an event with this print came for the run, taken or not, as far as its inbox goes back: 1, 0, or -1. */
int store_has_event(store_lane *lane, uint64_t run, uint64_t print);
/* What predicates have said no to: those of goal and exit_on to the run's events up to a number (`name` NULL), or a wait_for
 * (`asked`) to those of this name. Part of the next batch; its position, or 0 when the lane is full. */
typedef struct store_refusal {
  uint64_t run, number, asked;
  const char *name;
} store_refusal;
store_position store_refuse(store_lane *lane, const store_refusal *refusal);
/* A run that is over or held has reached its goal. Nothing else of it changes. The same. */
store_position store_convert(store_lane *lane, const store_run *run, int64_t at_ms);
void store_events_free(store_inbox_event *events, size_t count);

/* What scripts have written to a person, over all journeys: calls `each` for every attribute. 0 or -1. */
typedef void (*store_attribute)(void *data, const char *name, const char *json, size_t length, int64_t at_ms);
int store_attributes(store_lane *lane, const char *person, store_attribute each, void *data);

/* The newest profile that came with a person, where it is not the one that their newest run has entered with. */
typedef struct store_profile {
  char *json; /* to be freed */
  size_t length;
  uint64_t fed; /* its print */
  int64_t at_ms;
} store_profile;
/* Keeps it, until the person's last run that has a row is taken out. Part of the next batch; its position, or 0 when the lane is full. */
store_position store_profile_came(store_lane *lane, const char *person, const store_profile *profile);
int store_profile_of(store_lane *lane, const char *person,
                     store_profile *out); /* 1, 0: there is none, or -1 */
/* A run in memory that has not been settled yet gets its row, as one that is under way. */
void store_give_row(store_journal *journal);

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
  uint64_t entered, control, converted;
  uint64_t states[RUN_STATES]; /* entered is the sum of them */
  uint64_t records;
  store_element_row *elements; /* in script order */
  size_t element_count;
  store_reason *exits; /* why runs exited: "goal", "exit_on", "script", ... */
  size_t exit_count;
} store_report;

/* `journey` is any version's number: all versions of its name are added up, unless `version_only`. */
void store_ledger(store *s, uint32_t journey, uint64_t *entered, uint64_t states[RUN_STATES]);
store_report *store_report_new(store *s, uint32_t journey, bool version_only);
void store_report_free(store_report *report);

#endif
