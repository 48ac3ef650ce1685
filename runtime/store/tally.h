/* Counters: the ledger's columns and the funnel's rows, for each version of a journey.
 *
 * They are changed by records as a batch is committed and added up for a report. A tally has no lock: its owner's guards
 * it. */
#ifndef JAUNT_STORE_TALLY_H
#define JAUNT_STORE_TALLY_H

#include "store/store.h"

typedef struct tally_reason {
  const char *reason; /* static text, or the store's for as long as it lives */
  char *detail;
  uint64_t count;
  bool held;
} tally_reason;

typedef struct tally_row {
  uint64_t counts[ELEMENT_COUNTS];
  tally_reason *reasons;
  size_t reason_count;
} tally_row;

typedef struct tally {
  uint64_t entered, control, records, converted;
  uint64_t states[RUN_STATES];
  tally_row *rows; /* by element */
  size_t row_count;
  tally_row exits; /* its reasons only */
} tally;

/* Longer ones are cut, so that those which a report shows alike are counted as one. */
enum { TALLY_DETAIL_MOST = sizeof((store_reason *)0)->detail - 1 };

/* What a record changes in the counters; what is left of it once its bytes have been dealt with. */
typedef struct tally_change {
  uint32_t journey;
  uint32_t element;
  run_state from, to;
  uint8_t counts;
  bool control;
  int8_t converts; /* see store_record */
  const char *reason;
  char *detail; /* owned; NULL without */
} tally_change;

/* Its detail is a copy, cut between characters. */
tally_change tally_change_of(const store_record *record);

tally_row *tally_row_of(tally *t, size_t element); /* made where it is missing */
/* `reason` is kept as a pointer, `detail` copied. With many different details for one row the rest counts as "others". */
void tally_reason_add(tally_row *row, const char *reason, const char *detail, bool held, uint64_t count);

void tally_free(tally *t);
void tally_apply(tally *t, const tally_change *change);

/* The counters of several versions of journeys. */
typedef struct tally_version {
  uint32_t journey;
  tally counts;
} tally_version;

typedef struct tally_set {
  tally_version *versions;
  size_t count, used; /* used: the one that was asked for last */
} tally_set;

tally *tally_find(tally_set *set, uint32_t journey); /* made where it is missing */
static inline tally *tally_of(tally_set *set, uint32_t journey) {
  if (set->used < set->count && set->versions[set->used].journey == journey)
    return &set->versions[set->used].counts;
  return tally_find(set, journey);
}
void tally_set_free(tally_set *set);  /* it is empty again */
void tally_set_clear(tally_set *set); /* so it is, but keeps its room */
void tally_set_add(tally_set *into, const tally_set *from);
/* Where `into` would count a reason of `from` as one of the others, `from` is made to say so, too. */
void tally_set_fit(tally_set *from, tally_set *into);

/* Adds the counters of `from` to `into`; both may hold rows that the other lacks. */
void tally_add(tally *into, const tally *from);

#endif
