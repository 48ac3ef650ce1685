/* The SQLite backend's own structures, and what its files do for each other:
 *
 *   sqlite_sql.c       statements: preparing, binding, stepping
 *   sqlite_schema.c    the tables, their version, migrating
 *   sqlite_open.c      the lock, opening and closing, what is read into memory at the start
 *   sqlite_counters.c  counters as rows
 *   sqlite_recover.c   what a crash has left in the log becomes segments
 *   sqlite_batch.c     what a lane hands over
 *   sqlite_lane.c      the worker's side: batches are filled and handed over
 *   sqlite_commit.c    batches become rows, within a transaction
 *   sqlite_thread.c    the committer: transactions, another try where one fails, checkpoints
 *   sqlite_read.c      runs, segments, events and attributes are read back, by the lane's own connection
 *   sqlite_timers.c    what is due next, of a million that are parked
 *   sqlite_entered.c   which runs a person has, and has had
 *   sqlite_spare.c     which old runs are to stay
 *   sqlite_sweep.c     the others are taken out
 *   sqlite_backup.c    backup.h: a copy of a state
 *   sqlite_reader.c    reader.h: a state looked at from outside
 *
 * Threads: the committer's connection is the only one that writes and checkpoints. Each lane has a connection of its own that only
 * reads. Between them there are batches, handed over under sqlite_file.lock, and a few atomic numbers. */
#ifndef JAUNT_STORE_SQLITE_PARTS_H
#define JAUNT_STORE_SQLITE_PARTS_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "store/journal.h"
#include "store/store_parts.h"

struct sqlite_file;

/* ---- statements ---- */

int sql_failed(sqlite3 *db, error *err); /* fills `err` with what went wrong last, and the file; -1 */
/* Prepares `count` statements; -1 with the reason. */
int sql_prepare(sqlite3 *db, const char *const texts[], size_t count, sqlite3_stmt **out, error *err);
void sql_finalize(sqlite3_stmt **statements, size_t count);
int sql_run(sqlite3 *db, const char *text,
            error *err);       /* one or several without results; -1 with the reason */
int sql_done(sqlite3_stmt *s); /* steps one without rows, resets it; SQLITE_OK or what went wrong */
bool sql_is_damage(sqlite3 *db, int status); /* the file is: nothing is to be hoped for from another try */
/* What went wrong, in words, with the system's own where there are any. */
void sql_words(sqlite3 *db, int status, char *out, size_t room);
/* Tells whoever opened the store. From any thread. */
void file_trouble(struct sqlite_file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bind; their bytes have to live until the statement is reset. NULL binds NULL. */
void sql_text(sqlite3_stmt *s, int at, const char *text);
void sql_blob(sqlite3_stmt *s, int at, const void *bytes, size_t length);
void sql_number(sqlite3_stmt *s, int at, uint64_t number);
/* The run in the row at hand of a statement that selects RUN_COLUMNS; to be freed with store_run_free. */
#define RUN_COLUMNS                                                                                          \
  "number, journey, person, per, entry, id, entered, since, due, state, element, listens, reason, detail,"   \
  " control, incarnation, segments, records, start, goal, converted, fed"
store_run sql_take_run(sqlite3_stmt *s);
/* The events of a run, by the statement EVENTS_OF_RUN. Returns the last status of stepping. */
#define EVENTS_OF_RUN                                                                                        \
  "SELECT number, name, json, at, print, met, asked FROM inbox WHERE run = ?1 AND taken = 0 ORDER BY number"
int sql_events(sqlite3_stmt *s, uint64_t run, store_inbox_event **out, size_t *count);
/* What was written to a person, by the statement ATTRIBUTES_OF_PERSON. The same. */
#define ATTRIBUTES_OF_PERSON "SELECT name, json, at FROM attribute WHERE person = ?1"
int sql_attributes(sqlite3_stmt *s, const char *person, store_attribute each, void *data);
char *sql_column_text(sqlite3_stmt *s, int at);                       /* a copy; NULL gives NULL */
int64_t sql_single(sqlite3 *db, const char *text, int64_t otherwise); /* the one number that it gives */
bool sql_has_rows(sqlite3 *db, const char *table); /* true, too, where it can't be read now */

/* ---- schema ---- */

enum { SEGMENTS_MOST = 1 << 20 }; /* of one run: a segment's key is run * SEGMENTS_MOST + n */

/* A new file gets its tables; an older one is brought forward; a newer one, and one that is not ours, is refused. */
int schema_ready(sqlite3 *db, const char *path, const store_file *options, error *err);
/* Brings a file from version `from` to version `to`, within one transaction; steps[v] leads from v to v + 1. */
int schema_migrate(sqlite3 *db, const char *const steps[], int64_t from, int64_t to, error *err);
/* Whether this jaunt can read the file as it is: 0, or -1 and why not. */
int schema_readable(sqlite3 *db, const char *path, error *err);

/* ---- batches ---- */

typedef struct text_at {
  size_t at, length;
} text_at; /* in the batch's texts; at == NO_TEXT: none */
#define NO_TEXT SIZE_MAX

/* A run's row as it is to be, with the segment and the timer that go with it. */
typedef struct settled {
  uint64_t run;
  size_t order; /* among those of one commit */
  struct batch *in;
  bool is_new, control, has_segment;
  run_state state;
  uint32_t family; /* of the journey */
  uint32_t journey, shard, entry, element, incarnation, records, segments, from;
  uint32_t segment; /* with has_segment: which one the bytes are */
  int64_t who;      /* with is_new: see entered_who */
  run_id id;
  int64_t entered_ms, since_ms, due_ms, old_due_ms;
  int64_t goal_ms, converted_ms; /* 0: as it was */
  uint64_t fed;                  /* the same */
  text_at person, per, listens, reason, detail, bytes;
} settled;

typedef struct written {
  text_at person, name, json;
  int64_t at_ms;
} written;

typedef struct arrived {
  uint64_t run, number, print;
  text_at name, json;
  int64_t at_ms;
  bool met;
  uint64_t asked;
} arrived;

typedef struct taken_event {
  uint64_t run, number;
} taken_event;

typedef struct refused {
  uint64_t run, number, asked;
  text_at name;
} refused;

typedef struct converted {
  uint64_t run;
  int64_t at_ms;
} converted;

typedef struct came_profile {
  text_at person, json;
  uint64_t fed;
  int64_t at_ms;
} came_profile;

/* What happened to a lane's runs between two hand-overs. */
typedef struct batch {
  list link;
  struct sqlite_lane *lane;
  uint64_t number; /* its place in the log; 0: nothing is in it */
  uint64_t
      oldest; /* the oldest batch with records that are in no segment when this one is over; UINT64_MAX: none */
  store_position last;
  uint32_t records;
  buf log; /* run, the record's place among the run's, record; again and again */
  buf texts;
  settled *settles;
  size_t settle_count, settle_room;
  written *writes;
  size_t write_count, write_room;
  arrived *events;
  size_t event_count, event_room;
  /* By the last try to commit it: how many events gave way, and whose was the last. */
  uint64_t crowded_out, crowded_run;
  taken_event *taken;
  size_t taken_count, taken_room;
  refused *refusals;
  size_t refusal_count, refusal_room;
  converted *conversions;
  size_t conversion_count, conversion_room;
  came_profile *profiles;
  size_t profile_count, profile_room;
  tally_set counts;
} batch;

/* The text's bytes, valid until another one is added. */
static inline const char *batch_bytes_at(const batch *b, text_at t) {
  return t.at == NO_TEXT ? NULL : b->texts.data + t.at;
}

batch *batch_new(struct sqlite_lane *lane);
void batch_clear(batch *b);
void batch_free(batch *b);
size_t batch_bytes(const batch *b);
text_at batch_segment(batch *b, const buf *bytes,
                      bool is_first); /* a run's first one is stripped: see journal.h */
/* A record in the log: whose it is, its place among the run's (from 1), and its bytes, as journal_add wrote them. */
typedef struct logged_record {
  uint64_t run, place;
  const char *bytes;
  size_t length;
} logged_record;
void batch_log(batch *b, const logged_record *record);
/* Takes one off the log of a batch, [*at, end). False where there is none: it is damaged. */
bool batch_log_next(const char **at, const char *end, logged_record *out);

text_at batch_text(batch *b, const char *bytes,
                   size_t length); /* copied, with a NUL behind it; NULL: NO_TEXT */

/* store_settle's `fed`, where nobody knows it but the record of the entry. */
static inline uint64_t fed_as(const store_record *enter) {
  return store_print(enter->data, enter->data_length);
}

/* ---- timers ---- */

/* What the lane knows better than the file, or has read ahead. */
typedef enum timer_state {
  TIMER_NONE,
  TIMER_AHEAD,    /* in the heap: will be told */
  TIMER_AWAKE,    /* its run lives: not to be told, whatever the file says */
  TIMER_SETTLING, /* settled, but not durable yet */
} timer_state;

typedef struct timer_slot {
  uint64_t run; /* 0: free */
  int64_t due_ms;
  store_position settled_at; /* with TIMER_SETTLING */
  timer_state state;
} timer_slot;

typedef struct settling {
  store_position position;
  uint64_t run;
} settling;

typedef struct lane_timers {
  store_due_run *heap; /* heap[0] is the earliest; holds some that are no longer to be told */
  size_t count, room;
  size_t ahead;      /* of them, those that are */
  timer_slot *slots; /* a hash table by run */
  size_t used, slots_room;
  settling *settling; /* in order of position: a ring */
  size_t settling_first, settling_count, settling_room;
  store_due_run horizon; /* what is before it (by time, then run) is in the heap; what is not, in the file */
} lane_timers;

void timers_open(struct sqlite_lane *lane);
void timers_close(struct sqlite_lane *lane);
void timers_awake(struct sqlite_lane *lane, uint64_t run, int64_t due_ms);
/* The run was read, and is forgotten without a change. */
void timers_asleep(struct sqlite_lane *lane, uint64_t run, int64_t due_ms);
void timers_settled(struct sqlite_lane *lane, uint64_t run, int64_t due_ms, store_position position);
void timers_durable(struct sqlite_lane *lane);
int64_t timers_next_due(store_lane *lane);
size_t timers_due(store_lane *lane, int64_t now_ms, store_due_run *out, size_t most);
void timers_due_again(store_lane *lane, const store_due_run *due);

/* ---- lanes ---- */

enum { TAILS_KEPT = 1024, READS = 16 };

typedef struct sqlite_lane {
  store_lane base;
  struct sqlite_file *file;
  batch *front;          /* being filled */
  buf tails[TAILS_KEPT]; /* empty ones, for journals */
  int tail_count;
  list spare;      /* used batches; under the file's lock */
  int spares;      /* of them */
  list unsettled;  /* journals with records that are in no segment, oldest first */
  uint64_t pinned; /* a batch that must stay in the log; UINT64_MAX: none */
  _Atomic store_position committed;
  _Atomic uint64_t crowded_out, crowded_run;
  _Atomic size_t waiting_bytes; /* in batches that were handed over */
  bool has_news;                /* the committer's, too */
  uint64_t oldest_next;         /* the committer's: batch.oldest of the last one */
  sqlite3 *db;                  /* reads only */
  sqlite3_stmt *reads[READS];
  lane_timers timers;
} sqlite_lane;

int lane_open(store_lane *base, error *err);
void lane_close(store_lane *base);
store_position lane_append(store_lane *base, store_journal *journal, const store_record *record);
bool lane_full(const store_lane *base);
int lane_load(store_lane *base, const store_run *run, store_journal *journal, buf *out);
void lane_flush(store_lane *base);
void lane_forget(store_journal *journal);
uint64_t lane_event(store_lane *base, uint64_t run, const store_inbox_event *event, store_position *position);
uint64_t lane_crowded_out(const store_lane *base, uint64_t *run);
store_position lane_refuse(store_lane *base, const store_refusal *refusal);
store_position lane_convert(store_lane *base, const store_run *run, int64_t at_ms);
void lane_give_row(store_journal *journal);
store_position lane_profile_came(store_lane *base, const char *person, const store_profile *profile);

/* ---- reading ---- */

/* A connection that only reads. On an error *db may be set all the same: it is to be closed. */
int read_connection(const char *path, sqlite3 **db, error *err);
/* The same for a file that nobody changes: nothing is made beside it. */
int read_unchanging(const char *path, sqlite3 **db, error *err);
int read_open(sqlite_lane *lane, error *err);
void read_close(sqlite_lane *lane);
int read_find(store_lane *base, uint64_t run, store_run *out);
int read_runs_of(store_lane *base, const char *person, store_run **out, size_t *count);
int read_peek(store_lane *base, const store_run *run, buf *out);
int read_events(store_lane *base, uint64_t run, store_inbox_event **out, size_t *count);
int read_has_event(store_lane *base, uint64_t run, uint64_t print);
int read_attributes(store_lane *base, const char *person, store_attribute each, void *data);
int read_profile_of(store_lane *base, const char *person, store_profile *out);
int read_bundle(store *s, uint32_t journey, buf *out);
/* Timers of a shard from (due, run) on, in order: at most `most`. Returns how many, -1 when they can't be read. */
int read_timers(sqlite_lane *lane, uint32_t shard, store_due_run from, store_due_run *out, int most);

/* ---- who entered ---- */

typedef struct who_run {
  int64_t who;
  uint64_t run;
} who_run;

/* A hash table; run 0: free. */
typedef struct young {
  who_run *slots;
  size_t count, room;
} young;

void young_add(young *y, int64_t who, uint64_t run);
/* Those of the table `fresh`, by the statement FRESH_RUNS. Returns the last status of stepping. */
#define FRESH_RUNS "SELECT who, run FROM fresh"
int young_read(young *y, sqlite3_stmt *s);
bool young_has(const young *y, int64_t who, uint64_t run);
/* All of them by who, then run, in a list of its own: the caller's to free. Never NULL. */
who_run *young_in_order(const young *y, size_t *count);
/* Appends the numbers (uint64_t) of those in such a list that are of `who`. */
void ordered_find(const who_run *all, size_t count, int64_t who, buf *out);

enum { ENTERED_WRITES = 4 };

typedef struct entered_index {
  pthread_mutex_t lock; /* lanes look into what follows, up to frozen_count */
  young active;
  who_run *frozen; /* in order, as they are moved; NULL: none */
  size_t frozen_count;
  _Atomic bool has_moved; /* something may be in the table `entered` */
  /* The committer's own. */
  size_t moved, moving; /* of `frozen`: so many are, and so many more by this transaction */
  int64_t frozen_to;    /* the last of their rows */
  sqlite3_stmt *writes[ENTERED_WRITES];
} entered_index;

/* Half the hash of a person's id. */
int64_t entered_who(const char *person, size_t length);
/* Appends the numbers (uint64_t) of those of the person's runs, and of whoever else has the same half, that are not yet in the table
 * `entered`. To be asked before the table is. From any thread. */
void entered_find(struct sqlite_file *f, int64_t who, buf *out);

int entered_prepare(struct sqlite_file *f, error *err);
int entered_load(struct sqlite_file *f, error *err); /* reads `fresh` */
void entered_close(struct sqlite_file *f);
/* Within a transaction; SQLITE_OK or what went wrong. */
int entered_begin(struct sqlite_file *f); /* before anything is added */
int entered_add(struct sqlite_file *f, int64_t who, uint64_t run);
int entered_move(struct sqlite_file *f, size_t came);   /* a few, after `came` were added */
int entered_settle(struct sqlite_file *f, size_t most); /* as many, however few there are */
/* After it has succeeded, with all that was settled. */
void entered_committed(struct sqlite_file *f, settled *const *rows, size_t count);
bool entered_is_settled(const struct sqlite_file *f);

/* What is left of a run that was taken out. */
typedef struct entered_past {
  uint32_t family, entry;
  int64_t ended_ms;
  const char *per; /* NULL without; not ended by a NUL */
  size_t per_length;
} entered_past;
void past_write(buf *out, const char *person, const entered_past *past);
/* False where it is somebody else's, or can't be read. */
bool past_read(const char *bytes, size_t length, const char *person, entered_past *out);

/* ---- taking out ---- */

enum { SWEEP_WRITES = 12 };

/* A run that has ended, with records in the log. */
typedef struct logged_end {
  uint64_t batch, run;
} logged_end;

typedef struct sweep {
  pthread_mutex_t lock; /* held while runs are taken out; guards `spared` */
  young spared;         /* runs that an operator has sent on */
  /* The committer's own. */
  int64_t newest_ms, pass_ms; /* INT64_MIN: none */
  uint64_t next;              /* the run to go on with; 0: no pass is under way */
  bool gives_back;            /* there may be room to give back */
  logged_end *logged;
  size_t logged_count, logged_room;
  sqlite3_stmt *writes[SWEEP_WRITES];
} sweep;

int sweep_open(struct sqlite_file *f, error *err);
void sweep_close(struct sqlite_file *f);
/* Something is to be taken out, or given back; begins a pass when it is time to. */
bool sweep_has_work(struct sqlite_file *f);
/* A little of it, in a transaction of its own; SQLITE_OK or what went wrong. */
int sweep_slice(struct sqlite_file *f);
void sweep_give_up(struct sqlite_file *f); /* till the next pass */

/* Runs that have ended are not to be taken out before their records are out of the log. */
void spare_committed(struct sqlite_file *f, settled *const *rows, size_t count);
void spare_trimmed(struct sqlite_file *f, uint64_t before);
/* The run is not to be taken out while this process has the state. From any thread. */
void spare_run(struct sqlite_file *f, uint64_t run);

/* ---- the file ---- */

enum { WRITES = 24, SQLITE_BUSY_MS = 5000 };

/* A batch that is in the log. */
typedef struct log_row {
  uint64_t number, bytes, records;
} log_row;

typedef struct sqlite_file {
  store *in;
  store_file options;
  char *path, *lock_path;
  int lock;
  sqlite3 *db; /* the committer's, once it runs */
  sqlite3_stmt *writes[WRITES];

  pthread_t committer;
  bool has_committer;
  pthread_mutex_t lock_handed; /* guards what follows */
  pthread_cond_t something;    /* for the committer */
  pthread_cond_t tried;        /* for who waits for it */
  list handed;
  bool names, closing, hurry; /* hurry: somebody waits: don't wait before the next try */
  uint64_t tries, failed_try; /* numbered from 1; the last that failed */
  bool broken;                /* no try can succeed any more */

  _Atomic uint64_t next_batch, next_event;
  _Atomic uint64_t settle_before; /* runs with older records in no segment are to get an interim one */
  _Atomic bool has_inbox;         /* an event may be in it */
  _Atomic bool has_profiles;      /* the same of the table `profile` */
  _Atomic bool has_attributes;    /* and of `attribute` */

  /* The committer's own. */
  bool troubled;
  size_t journeys_written, elements_written, journeys_tried, elements_tried;
  uint64_t pauses_written, pauses_tried;
  int wal_pages, wal_tried;
  uint64_t trimmed; /* by the transaction under way: batches before it; 0: none */
  log_row *log;
  size_t log_count, log_room;
  settled **ordered;
  size_t ordered_room, ordered_count;
  entered_index entered;
  sweep sweep;
  tally_set change;
  char **reasons; /* that came from the file */
  size_t reason_count;
} sqlite_file;

int commit_prepare(sqlite_file *f, error *err);
/* The batches of a list as one transaction, all or nothing: SQLITE_OK or what went wrong. */
int commit_batches(sqlite_file *f, list *batches);
/* A transaction of another kind: begins it, takes out of the log all that nobody needs, and ends it, as `status` says. Each returns
 * SQLITE_OK or what went wrong. */
int commit_begin(sqlite_file *f);
int commit_trim_all(sqlite_file *f);
int commit_end(sqlite_file *f, int status);
/* Writes the row, the segment and the timer of a run; within a transaction. SQLITE_OK or what went wrong. */
int commit_settled(sqlite_file *f, const settled *row);
/* Counters of a version, within a transaction. */
int commit_counters(sqlite_file *f, const tally_set *change);

int thread_start(sqlite_file *f, error *err);
void thread_stop(sqlite_file *f); /* what is left is committed, or told as lost */

/* Reads journeys and elements into the store. */
int names_load(sqlite_file *f, error *err);
/* Reads the counters into the store's totals. */
int counters_load(sqlite_file *f, error *err);
/* Adds `change` to the rows of counters; SQLITE_OK or what went wrong. */
int counters_write(sqlite3_stmt *upsert, const tally_set *change);

int recover(sqlite_file *f, error *err);

#endif
