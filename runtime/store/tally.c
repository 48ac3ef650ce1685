/* Counters: see tally.h. */
#include "store/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

enum { DETAILS_KEPT = 64 }; /* different details told apart for each element; the others share one row */
static const char others[] = "others";

static char *copy_detail(const char *detail) {
  if (!detail) return NULL;
  size_t length = strnlen(detail, TALLY_DETAIL_MOST + 1);
  if (length > TALLY_DETAIL_MOST) length = utf8_trim(detail, TALLY_DETAIL_MOST);
  return mem_text_of(detail, length);
}

tally_change tally_change_of(const store_record *record) {
  return (tally_change){
      .journey = record->journey,
      .element = record->element,
      .from = record->from,
      .to = record->to,
      .counts = record->counts,
      .control = record->control,
      .converts = record->converts,
      .reason = record->reason,
      .detail = copy_detail(record->detail),
  };
}

static void row_free(tally_row *row) {
  for (size_t i = 0; i < row->reason_count; i++) free(row->reasons[i].detail);
  free(row->reasons);
}

void tally_free(tally *t) {
  for (size_t i = 0; i < t->row_count; i++) row_free(&t->rows[i]);
  row_free(&t->exits);
  free(t->rows);
  *t = (tally){0};
}

tally_row *tally_row_of(tally *t, size_t element) {
  if (element >= t->row_count) {
    t->rows = mem_grow(t->rows, (element + 1) * sizeof *t->rows);
    memset(t->rows + t->row_count, 0, (element + 1 - t->row_count) * sizeof *t->rows);
    t->row_count = element + 1;
  }
  return &t->rows[element];
}

static tally_reason *find_reason(const tally_row *row, const char *reason, const char *detail, bool held) {
  for (size_t i = 0; i < row->reason_count; i++) {
    tally_reason *r = &row->reasons[i];
    if (r->held == held && strcmp(r->reason, reason) == 0 && strcmp(r->detail, detail) == 0) return r;
  }
  return NULL;
}

void tally_reason_add(tally_row *row, const char *reason, const char *detail, bool held, uint64_t count) {
  if (!detail) detail = "";
  tally_reason *found = find_reason(row, reason, detail, held);
  if (!found && row->reason_count >= DETAILS_KEPT) found = find_reason(row, reason, detail = others, held);
  if (!found) {
    row->reasons = mem_grow(row->reasons, (row->reason_count + 1) * sizeof *row->reasons);
    found = &row->reasons[row->reason_count++];
    *found = (tally_reason){.reason = reason, .detail = mem_text(detail), .held = held};
  }
  found->count += count;
}

void tally_apply(tally *t, const tally_change *change) {
  t->records++;
  t->converted += (uint64_t)change->converts;
  if (change->from != change->to) {
    if (change->from == RUN_NONE) {
      t->entered++;
      t->control += change->control;
    } else {
      t->states[change->from]--;
    }
    if (change->to == RUN_NONE) { /* it is another version's from here on */
      t->entered--;
      t->control -= change->control;
    } else {
      t->states[change->to]++;
    }
  }
  if (change->element != NO_ELEMENT) {
    tally_row *row = tally_row_of(t, change->element);
    for (int i = 0; i < ELEMENT_COUNTS; i++) row->counts[i] += change->counts >> i & 1;
    if (change->reason && change->to != RUN_EXITED)
      tally_reason_add(row, change->reason, change->detail, change->to == RUN_HELD, 1);
  }
  if (change->reason && change->to == RUN_EXITED)
    tally_reason_add(&t->exits, change->reason, change->detail, false, 1);
}

static void row_add(tally_row *into, const tally_row *from) {
  for (int i = 0; i < ELEMENT_COUNTS; i++) into->counts[i] += from->counts[i];
  for (size_t i = 0; i < from->reason_count; i++) {
    const tally_reason *r = &from->reasons[i];
    tally_reason_add(into, r->reason, r->detail, r->held, r->count);
  }
}

void tally_add(tally *into, const tally *from) {
  into->entered += from->entered;
  into->control += from->control;
  into->records += from->records;
  into->converted += from->converted;
  for (int i = 0; i < RUN_STATES; i++) into->states[i] += from->states[i];
  for (size_t i = 0; i < from->row_count; i++) row_add(tally_row_of(into, i), &from->rows[i]);
  row_add(&into->exits, &from->exits);
}

tally *tally_find(tally_set *set, uint32_t journey) {
  size_t i = 0;
  while (i < set->count && set->versions[i].journey != journey) i++;
  if (i == set->count) {
    set->versions = mem_grow(set->versions, ++set->count * sizeof *set->versions);
    set->versions[i] = (tally_version){.journey = journey};
  }
  set->used = i;
  return &set->versions[i].counts;
}

void tally_set_free(tally_set *set) {
  for (size_t i = 0; i < set->count; i++) tally_free(&set->versions[i].counts);
  free(set->versions);
  *set = (tally_set){0};
}

static void row_clear(tally_row *row) {
  for (size_t i = 0; i < row->reason_count; i++) free(row->reasons[i].detail);
  memset(row->counts, 0, sizeof row->counts);
  row->reason_count = 0;
}

static void tally_clear(tally *t) {
  t->entered = t->control = t->records = t->converted = 0;
  memset(t->states, 0, sizeof t->states);
  for (size_t i = 0; i < t->row_count; i++) row_clear(&t->rows[i]);
  row_clear(&t->exits);
}

void tally_set_clear(tally_set *set) {
  for (size_t i = 0; i < set->count; i++) tally_clear(&set->versions[i].counts);
}

void tally_set_add(tally_set *into, const tally_set *from) {
  for (size_t i = 0; i < from->count; i++)
    tally_add(tally_of(into, from->versions[i].journey), &from->versions[i].counts);
}

static void row_fit(tally_row *from, const tally_row *into) {
  size_t kept = into->reason_count;
  for (size_t i = 0; i < from->reason_count; i++) {
    tally_reason *r = &from->reasons[i];
    if (find_reason(into, r->reason, r->detail, r->held) || kept++ < DETAILS_KEPT) continue;
    free(r->detail);
    r->detail = mem_text(others);
  }
}

void tally_set_fit(tally_set *from, tally_set *into) {
  for (size_t i = 0; i < from->count; i++) {
    tally *f = &from->versions[i].counts, *t = tally_of(into, from->versions[i].journey);
    for (size_t k = 0; k < f->row_count; k++) row_fit(&f->rows[k], tally_row_of(t, k));
    row_fit(&f->exits, &t->exits);
  }
}
