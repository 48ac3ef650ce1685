/* The counters of one lane: the ledger's columns and the funnel's rows.
 *
 * They are changed by records as a batch is committed and added up over the lanes for a report. A tally has
 * no lock: its lane's guards it. */
#ifndef JAUNT_STORE_TALLY_H
#define JAUNT_STORE_TALLY_H

#include "store/store.h"

typedef struct tally_reason {
  const char *reason; /* static text */
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
  uint64_t entered, control, records;
  uint64_t states[RUN_STATES];
  tally_row *rows; /* by element */
  size_t row_count;
  tally_row exits; /* its reasons only */
} tally;

/* Longer ones are cut, so that those which a report shows alike are counted as one. */
enum { TALLY_DETAIL_MOST = sizeof((store_reason *)0)->detail - 1 };

/* What a record changes in the counters; what is left of it once its bytes have been dealt with. */
typedef struct tally_change {
  run_state from, to;
  uint16_t element;
  uint8_t counts;
  bool control;
  const char *reason;
  char *detail; /* owned; NULL without */
} tally_change;

/* A detail as it is counted: a copy, cut between characters; NULL without. */
char *tally_detail(const char *detail);

void tally_free(tally *t);
void tally_apply(tally *t, const tally_change *change);

/* Adds the counters of `from` to `into`; both may hold rows that the other lacks. */
void tally_add(tally *into, const tally *from);

#endif
