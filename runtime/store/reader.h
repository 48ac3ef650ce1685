/* A look at a state from outside: what commands show of it, and by what they choose runs.
 *
 * A reader takes no lock and writes nothing, so that it works beside a runtime, and without one. What it shows is what was
 * durable. Rows are read in pages, each a short transaction of its own: a reader that is looked at for long doesn't keep the state
 * from being tidied up. Names of journeys and elements, counters, and what the log holds of runs that are under way are as
 * they were when it was opened; rows are as they are when they are read.
 *
 * Nothing here knows Lua or SQL: another backend has to do the same. A reader belongs to one thread. */
#ifndef JAUNT_STORE_READER_H
#define JAUNT_STORE_READER_H

#include "store/store.h"

typedef struct store_reader store_reader;

/* Opens a file that store_open_sqlite has made. Returns NULL and fills `err`: it isn't there, is no state, was written by a newer
 * jaunt, or can't be read. */
store_reader *reader_open_sqlite(const char *path, error *err);
void reader_close(store_reader *r); /* NULL is taken */

/* A runtime has the state right now. */
bool reader_in_use(const store_reader *r);

/* ---- names ---- */

typedef struct reader_version {
  uint32_t number, family; /* family: the number of the first version of the same name */
  const char *name, *version;
  int64_t paused_ms; /* since when the journey is paused; 0: it isn't */
  uint64_t removed;  /* old runs of the journey that were taken out: counters know of them, nothing else */
  int64_t removed_to_ms; /* when the last of them had ended */
} reader_version;
/* The versions of journeys, in the order in which they came; false after the last. The texts live as long as the reader. */
bool reader_version_at(const store_reader *r, size_t at, reader_version *out);
/* The bundle of a version: 0, or -1 and why it can't be read. */
int reader_bundle(store_reader *r, uint32_t version, buf *out, error *err);

typedef struct reader_element {
  uint32_t number, family, line;
  const char *name, *kind;
} reader_element;
bool reader_element_at(const store_reader *r, size_t at, reader_element *out);

/* Ledger and funnel of a version's number, or of all versions of its name; freed with store_report_free. */
store_report *reader_report(store_reader *r, uint32_t journey, bool version_only);

/* ---- runs ---- */

/* Which runs are meant; all fields have to be true of a run. Zeroed but for `before`, it means all. */
typedef struct reader_selection {
  uint32_t family;     /* of the journey; 0: any */
  uint32_t version;    /* its number; 0: any */
  unsigned states;     /* bits, 1 << run_state; 0: any */
  const char *element; /* where it is, by name; NULL: anywhere */
  const char *reason;  /* NULL: any, and none */
  const char *detail;  /* NULL: any, and none */
  const char *person;  /* the id; NULL: any */
  const char *
      mention; /* bytes that stand in the profile, the event or what the run did first; NULL: whatever. For people who
                          look for a value: it finds too much rather than too little */
  int64_t since_ms;   /* came into its state then or later; 0: whenever */
  int64_t entered_ms; /* entered then or later */
  int64_t until_ms;   /* entered before; 0: whenever */
  uint64_t before;    /* run numbers below this one: to go on with; UINT64_MAX: from the newest run on */
} reader_selection;

/* The newest of the runs that are meant, newest first, `most` at most (one at least); which->before is set to go on from there.
 * Returns how many, 0 after the last, or -1 and fills `err`. store_run_free is the caller's to call for each. */
int reader_runs(store_reader *r, reader_selection *which, store_run *out, int most, error *err);

/* All records of a run, those of earlier incarnations, too, encoded, appended to `out`: for store_record_next. 0, or -1. */
int reader_journal(store_reader *r, uint64_t run, buf *out, error *err);
/* What came for a run and was not taken; see store_events. */
int reader_events(store_reader *r, uint64_t run, store_inbox_event **out, size_t *count, error *err);
/* Calls `each` for every person to whom a script has written this value, as JSON, under any name. 0, or -1. */
int reader_people_with(store_reader *r, const char *json, void (*each)(void *data, const char *person),
                       void *data, error *err);
/* What scripts have written to a person; see store_attributes. */
int reader_attributes(store_reader *r, const char *person, store_attribute each, void *data, error *err);

/* ---- visits: a journal in short ---- */

/* One time that a run was at an element. Two kinds are no primitive's: "start", an end that came at no step, and "redrive", when an
 * operator sent it on. */
typedef struct reader_visit {
  uint32_t element; /* as reader_element numbers it */
  int64_t at_ms;    /* when it came */
  int64_t left_ms;  /* when it went on or ended; -1: it is there */
  bool went_on;
  run_state ended;  /* how its run ended there; RUN_NONE: it went on, or is there */
  const char *kind; /* of the primitive; ends at a NUL or `kind_length` */
  size_t kind_length;
  const char *verdict; /* what was recorded with the step, such as a branch; NULL */
  size_t verdict_length;
  const char *result;          /* of a call; NULL */
  bool answered;               /* the vendor has answered the call once, be it with a refusal */
  bool unclear;                /* the call has left, or may have, and nobody knows whether it was done */
  const char *reason, *detail; /* why it was dropped, held or has exited there, or "unknown"; NULL */
  const char *payload;         /* that was sent, or may have been; NULL */
  size_t payload_length;
  const char *hash; /* of its text as it was then; NULL */
  size_t hash_length;
} reader_visit;

typedef struct reader_visits {
  const char *at, *end;
  store_record record;
  reader_visit open;
  bool has_open;
} reader_visits;

/* Texts point into the bytes of the journal. */
void reader_visits_begin(reader_visits *visits, const buf *journal);
bool reader_visits_next(reader_visits *visits, reader_visit *out);

#endif
