/* Reports: the counters of all lanes added up, in script order. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "store/store_parts.h"

/* Which versions are added up. */
typedef struct scope {
  const store *s;
  uint32_t journey, family;
  bool version_only;
} scope;

static bool is_within(const scope *which, uint32_t journey) {
  if (journey == which->journey) return true;
  return !which->version_only && which->family && store_family(which->s, journey) == which->family;
}

typedef void (*add_tally)(void *into, const tally *from);

static void add_set(const scope *which, const tally_set *set, add_tally add, void *into) {
  for (size_t i = 0; i < set->count; i++) {
    if (is_within(which, set->versions[i].journey)) add(into, &set->versions[i].counts);
  }
}

/* The caller holds the store's lock. */
static void add_all(store *s, uint32_t journey, bool version_only, add_tally add, void *into) {
  scope which = {s, journey, store_family(s, journey), version_only};
  add_set(&which, &s->totals, add, into);
  for (size_t i = 0; i < s->lane_count; i++) {
    store_lane *lane = s->lanes[i];
    pthread_mutex_lock(&lane->lock);
    add_set(&which, &lane->counted, add, into);
    pthread_mutex_unlock(&lane->lock);
  }
}

typedef struct ledger {
  uint64_t entered, *states;
} ledger;

static void add_to_ledger(void *into, const tally *from) {
  ledger *l = into;
  l->entered += from->entered;
  for (int state = 0; state < RUN_STATES; state++) l->states[state] += from->states[state];
}

void store_ledger(store *s, uint32_t journey, uint64_t *entered, uint64_t states[RUN_STATES]) {
  ledger l = {.states = states};
  memset(states, 0, RUN_STATES * sizeof *states);
  pthread_mutex_lock(&s->lock);
  add_all(s, journey, false, add_to_ledger, &l);
  pthread_mutex_unlock(&s->lock);
  *entered = l.entered;
}

static void add_to_sum(void *into, const tally *from) {
  tally_add(into, from);
}

static int by_count(const void *a, const void *b) {
  const store_reason *x = a, *y = b;
  if (x->count != y->count) return x->count < y->count ? 1 : -1;
  int order = strcmp(x->reason, y->reason);
  return order ? order : strcmp(x->detail, y->detail);
}

/* Cut between characters where it is too long. */
static void copy_text(char *out, size_t room, const char *text) {
  size_t length = strnlen(text, room);
  if (length == room) length = utf8_trim(text, room - 1);
  memcpy(out, text, length);
  out[length] = '\0';
}

static store_reason *copy_reasons(const tally_row *row) {
  store_reason *out = mem_zero((row->reason_count + 1) * sizeof *out);
  for (size_t i = 0; i < row->reason_count; i++) {
    copy_text(out[i].reason, sizeof out[i].reason, row->reasons[i].reason);
    copy_text(out[i].detail, sizeof out[i].detail, row->reasons[i].detail);
    out[i].count = row->reasons[i].count;
    out[i].held = row->reasons[i].held;
  }
  qsort(out, row->reason_count, sizeof *out, by_count);
  return out;
}

static int by_line(const void *a, const void *b) {
  const store_element_row *x = a, *y = b;
  if (x->line != y->line) return x->line < y->line ? -1 : 1;
  return strcmp(x->name, y->name);
}

store_report *store_report_new(store *s, uint32_t journey, bool version_only) {
  store_report *report = mem_zero(sizeof *report);
  tally sum = {0};
  pthread_mutex_lock(&s->lock);
  add_all(s, journey, version_only, add_to_sum, &sum);
  report->entered = sum.entered;
  report->control = sum.control;
  report->converted = sum.converted;
  report->records = sum.records;
  memcpy(report->states, sum.states, sizeof report->states);
  report->elements = mem_zero((s->element_count + 1) * sizeof *report->elements);
  for (size_t i = 0; i < s->element_count; i++) {
    if (s->elements[i].family != store_family(s, journey)) continue;
    store_element_row *row = &report->elements[report->element_count++];
    row->name = mem_text(s->elements[i].name);
    row->kind = mem_text(s->elements[i].kind);
    row->line = s->elements[i].line;
    if (i >= sum.row_count) continue;
    memcpy(row->counts, sum.rows[i].counts, sizeof row->counts);
    row->reasons = copy_reasons(&sum.rows[i]);
    row->reason_count = sum.rows[i].reason_count;
  }
  report->exits = copy_reasons(&sum.exits);
  report->exit_count = sum.exits.reason_count;
  tally_free(&sum);
  pthread_mutex_unlock(&s->lock);
  qsort(report->elements, report->element_count, sizeof *report->elements, by_line);
  return report;
}

void store_report_free(store_report *report) {
  if (!report) return;
  for (size_t i = 0; i < report->element_count; i++) {
    free(report->elements[i].name);
    free(report->elements[i].kind);
    free(report->elements[i].reasons);
  }
  free(report->elements);
  free(report->exits);
  free(report);
}
