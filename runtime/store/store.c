/* The store's names and its reports: journeys, elements, and the counters of all lanes added up. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "store/registry.h"

const char *run_state_name(run_state state) {
  static const char *const names[] = {
      [RUN_NONE] = "none",       [RUN_RUNNING] = "running", [RUN_QUEUED] = "queued",
      [RUN_WAITING] = "waiting", [RUN_HELD] = "held",       [RUN_COMPLETED] = "completed",
      [RUN_DROPPED] = "dropped", [RUN_EXITED] = "exited",
  };
  return names[state];
}

store *store_open_memory(hash128 id) {
  store *s = mem_zero(sizeof *s);
  s->id = id;
  pthread_mutex_init(&s->lock, NULL);
  return s;
}

hash128 store_id(const store *s) {
  return s->id;
}

void store_close(store *s) {
  if (!s) return;
  for (size_t i = 0; i < s->lane_count; i++) store_lane_free(s->lanes[i]);
  for (size_t i = 0; i < s->journey_count; i++) free(s->journeys[i].name), free(s->journeys[i].version);
  for (size_t i = 0; i < s->element_count; i++) free(s->elements[i].name), free(s->elements[i].kind);
  free(s->lanes);
  free(s->journeys);
  free(s->elements);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

uint16_t store_journey(store *s, const char *name, const char *version) {
  pthread_mutex_lock(&s->lock);
  size_t i = 0;
  while (i < s->journey_count &&
         (strcmp(s->journeys[i].name, name) != 0 || strcmp(s->journeys[i].version, version) != 0))
    i++;
  if (i == s->journey_count) {
    s->journeys = mem_grow(s->journeys, (i + 1) * sizeof *s->journeys);
    s->journeys[s->journey_count++] = (store_journey_name){mem_text(name), mem_text(version)};
  }
  pthread_mutex_unlock(&s->lock);
  return (uint16_t)i;
}

uint16_t store_element(store *s, uint16_t journey, const char *name, const char *kind, uint32_t line) {
  pthread_mutex_lock(&s->lock);
  size_t i = 0;
  while (i < s->element_count &&
         (s->elements[i].journey != journey || strcmp(s->elements[i].name, name) != 0))
    i++;
  if (i == s->element_count && i < NO_ELEMENT) {
    s->elements = mem_grow(s->elements, (i + 1) * sizeof *s->elements);
    s->elements[s->element_count++] = (store_element_name){journey, mem_text(name), mem_text(kind), line};
  }
  pthread_mutex_unlock(&s->lock);
  return (uint16_t)i;
}

/* The counters of all lanes of a journey, added up. The caller holds the store's lock and frees the tally. */
static tally sum_lanes(store *s, uint16_t journey) {
  tally sum = {0};
  for (size_t i = 0; i < s->lane_count; i++) {
    store_lane *lane = s->lanes[i];
    if (lane->journey != journey) continue;
    pthread_mutex_lock(&lane->lock);
    tally_add(&sum, &lane->tally);
    pthread_mutex_unlock(&lane->lock);
  }
  return sum;
}

void store_ledger(store *s, uint16_t journey, uint64_t *entered, uint64_t states[RUN_STATES]) {
  *entered = 0;
  memset(states, 0, RUN_STATES * sizeof *states);
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->lane_count; i++) {
    store_lane *lane = s->lanes[i];
    if (lane->journey != journey) continue;
    pthread_mutex_lock(&lane->lock);
    *entered += lane->tally.entered;
    for (int state = 0; state < RUN_STATES; state++) states[state] += lane->tally.states[state];
    pthread_mutex_unlock(&lane->lock);
  }
  pthread_mutex_unlock(&s->lock);
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

store_report *store_report_new(store *s, uint16_t journey) {
  store_report *report = mem_zero(sizeof *report);
  pthread_mutex_lock(&s->lock);
  tally sum = sum_lanes(s, journey);
  report->entered = sum.entered;
  report->control = sum.control;
  report->records = sum.records;
  memcpy(report->states, sum.states, sizeof report->states);
  report->elements = mem_zero((s->element_count + 1) * sizeof *report->elements);
  for (size_t i = 0; i < s->element_count; i++) {
    if (s->elements[i].journey != journey) continue;
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
