/* What the backends share: names, counters, and the table of functions that a backend is. */
#ifndef JAUNT_STORE_STORE_PARTS_H
#define JAUNT_STORE_STORE_PARTS_H

#include <pthread.h>

#include "store/store.h"
#include "store/tally.h"

enum {
  RING_RECORDS = 65536, /* a lane takes so many that are not durable yet */
  RING_RESERVE = 16,    /* it calls itself full while so few places are left */
};

typedef struct store_element_name {
  uint64_t print; /* of the name */
  uint32_t family;
  char *name, *kind;
  uint32_t line;
} store_element_name;

typedef struct store_journey_name {
  uint32_t family; /* the number of the first version of its name: what all versions share hangs on it */
  char *name, *version, *bundle;
  size_t bundle_length;
  uint64_t
      removed; /* as it was when the file was opened, as is removed_to_ms; of the first version of its name */
  int64_t removed_to_ms;
  int64_t paused_ms, paused_tried_ms,
      paused_kept_ms; /* of the first version of its name; the last is on disk */
} store_journey_name;

/* A backend: the functions of store.h without their prefix. Those marked so may be NULL. */
typedef struct store_backend {
  size_t lane_size;        /* of its lanes, which begin with a store_lane */
  void (*close)(store *s); /* its part of the store, before the lanes are freed; NULL */
  void (*named)(store *s); /* a journey or an element was added; NULL */
  int (*bundle)(store *s, uint32_t journey, buf *out); /* of a journey whose bundle is not in memory; NULL */
  int (*lane_open)(store_lane *lane, error *err);
  void (*lane_close)(store_lane *lane);
  store_position (*append)(store_lane *lane, store_journal *journal, const store_record *record);
  bool (*full)(const store_lane *lane);
  void (*flush)(store_lane *lane);
  void (*forget)(store_journal *journal);
  int (*find)(store_lane *lane, uint64_t run, store_run *out);
  int (*runs_of)(store_lane *lane, const char *person, store_run **out, size_t *count);
  int (*load)(store_lane *lane, const store_run *run, store_journal *journal, buf *out);
  int (*peek)(store_lane *lane, const store_run *run, buf *out);
  int64_t (*next_due)(store_lane *lane);
  size_t (*due)(store_lane *lane, int64_t now_ms, store_due_run *out, size_t most);
  void (*due_again)(store_lane *lane, const store_due_run *due); /* where `due` tells of any; else NULL */
  uint64_t (*event)(store_lane *lane, uint64_t run, const store_inbox_event *event, store_position *position);
  uint64_t (*crowded_out)(const store_lane *lane, uint64_t *run);
  int (*events)(store_lane *lane, uint64_t run, store_inbox_event **out, size_t *count);
  int (*has_event)(store_lane *lane, uint64_t run, uint64_t print);
  store_position (*refuse)(store_lane *lane, const store_refusal *refusal);
  store_position (*convert)(store_lane *lane, const store_run *run, int64_t at_ms);
  int (*attributes)(store_lane *lane, const char *person, store_attribute each, void *data);
  void (*give_row)(store_journal *journal);
  store_position (*profile_came)(store_lane *lane, const char *person, const store_profile *profile);
  int (*profile_of)(store_lane *lane, const char *person, store_profile *out);
} store_backend;

struct store {
  const store_backend *does;
  hash128 id;
  void *file;                   /* the backend's own; NULL in memory */
  _Atomic uint64_t next_run;    /* the number of the run that enters next */
  pthread_mutex_t lock;         /* guards what follows */
  store_journey_name *journeys; /* number n at n - 1 */
  size_t journey_count;
  uint64_t pauses;                     /* how often a paused_ms was changed */
  store_element_name *elements;        /* number n at n */
  size_t element_count, elements_most; /* most: of each journey */
  store_lane **lanes;                  /* open and closed ones: a closed lane's counters still count */
  size_t lane_count;
  tally_set totals; /* of what is in no lane */
};

/* The beginning of every lane. */
struct store_lane {
  store *in;
  const store_backend *does;
  uint32_t family;
  store_lane_options options;
  size_t room;
  store_position last, durable;
  bool closed;
  bool unread, unread_told; /* a read failed in passing: since it was asked; since it was told */
  pthread_mutex_t lock;     /* guards the counters: the lane's worker writes, reports read */
  tally_set counted;
};

/* Add without a look at what is there. The caller holds the lock, or is alone. */
void store_journey_add(store *s, const char *name, const char *version, const char *bundle, size_t length);
void store_element_add(store *s, uint32_t family, const char *name, const char *kind, uint32_t line);

void store_lane_free(store_lane *lane);

store *store_new(const store_backend *does);
/* The number of the first version of the journey's name; 0 where there is no such journey. The caller holds the lock. */
uint32_t store_family(const store *s, uint32_t journey);

#endif
