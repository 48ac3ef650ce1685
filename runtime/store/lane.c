/* Lanes, as callers see them: what all backends do alike, and the way to the one that does the rest. And the end of a store, which
 * is that of its lanes. */
#include <stdlib.h>

#include "base/alloc.h"
#include "store/store_parts.h"

void store_journal_init(store_journal *journal) {
  *journal = (store_journal){.due_ms = INT64_MAX, .element = NO_ELEMENT};
  list_init(&journal->unsettled);
}

void store_journal_forget(store_journal *journal) {
  if (journal->lane) journal->lane->does->forget(journal);
  list_remove(&journal->unsettled);
  buf_free(&journal->tail);
}

static void lane_free(store_lane *lane) {
  pthread_mutex_destroy(&lane->lock);
  tally_set_free(&lane->counted);
  free(lane);
}

store_lane *store_lane_open(store *s, uint32_t journey, const store_lane_options *options, error *err) {
  store_lane *lane = mem_zero(s->does->lane_size);
  lane->in = s;
  lane->does = s->does;
  lane->options = *options;
  lane->room = options->ring_records ? options->ring_records : RING_RECORDS;
  pthread_mutex_init(&lane->lock, NULL);
  pthread_mutex_lock(&s->lock);
  lane->family = store_family(s, journey);
  pthread_mutex_unlock(&s->lock);
  if (lane->does->lane_open(lane, err)) {
    lane_free(lane);
    return NULL;
  }
  pthread_mutex_lock(&s->lock);
  s->lanes = mem_grow(s->lanes, (s->lane_count + 1) * sizeof *s->lanes);
  s->lanes[s->lane_count++] = lane;
  pthread_mutex_unlock(&s->lock);
  return lane;
}

void store_lane_close(store_lane *lane) {
  if (lane->closed) return;
  lane->options.durable = NULL;
  lane->does->lane_close(lane);
  lane->closed = true;
}

void store_lane_free(store_lane *lane) {
  store_lane_close(lane);
  lane_free(lane);
}

store_position store_append(store_lane *lane, store_journal *journal, const store_record *record) {
  return lane->does->append(lane, journal, record);
}

bool store_lane_full(const store_lane *lane) {
  return lane->does->full(lane);
}

void store_flush(store_lane *lane) {
  lane->does->flush(lane);
}

store_position store_durable(const store_lane *lane) {
  return lane->durable;
}

store_position store_last(const store_lane *lane) {
  return lane->last;
}

int store_find(store_lane *lane, uint64_t run, store_run *out) {
  return lane->does->find(lane, run, out);
}

int store_runs_of(store_lane *lane, const char *person, store_run **out, size_t *count) {
  return lane->does->runs_of(lane, person, out, count);
}

int store_load(store_lane *lane, const store_run *run, store_journal *journal, buf *out) {
  return lane->does->load(lane, run, journal, out);
}

int store_peek(store_lane *lane, const store_run *run, buf *out) {
  return lane->does->peek(lane, run, out);
}

int64_t store_next_due(store_lane *lane) {
  return lane->does->next_due(lane);
}

size_t store_due(store_lane *lane, int64_t now_ms, store_due_run *out, size_t most) {
  return lane->does->due(lane, now_ms, out, most);
}

void store_due_again(store_lane *lane, const store_due_run *due) {
  lane->does->due_again(lane, due);
}

bool store_unread(store_lane *lane) {
  bool unread = lane->unread;
  lane->unread = false;
  return unread;
}

void store_unread_over(store_lane *lane) {
  lane->unread = lane->unread_told = false;
}

uint64_t store_event(store_lane *lane, uint64_t run, const store_inbox_event *event,
                     store_position *position) {
  return lane->does->event(lane, run, event, position);
}

uint64_t store_crowded_out(const store_lane *lane, uint64_t *run) {
  return lane->does->crowded_out(lane, run);
}

int store_events(store_lane *lane, uint64_t run, store_inbox_event **out, size_t *count) {
  return lane->does->events(lane, run, out, count);
}

int store_has_event(store_lane *lane, uint64_t run, uint64_t print) {
  return lane->does->has_event(lane, run, print);
}

store_position store_refuse(store_lane *lane, const store_refusal *refusal) {
  return lane->does->refuse(lane, refusal);
}

store_position store_convert(store_lane *lane, const store_run *run, int64_t at_ms) {
  return lane->does->convert(lane, run, at_ms);
}

int store_attributes(store_lane *lane, const char *person, store_attribute each, void *data) {
  return lane->does->attributes(lane, person, each, data);
}

store_position store_profile_came(store_lane *lane, const char *person, const store_profile *profile) {
  return lane->does->profile_came(lane, person, profile);
}

void store_give_row(store_journal *journal) {
  if (journal->lane) journal->lane->does->give_row(journal);
}

int store_profile_of(store_lane *lane, const char *person, store_profile *out) {
  return lane->does->profile_of(lane, person, out);
}

/* ---- the end ---- */

static void journey_free(store_journey_name *journey) {
  free(journey->name);
  free(journey->version);
  free(journey->bundle);
}

void store_close(store *s) {
  if (!s) return;
  for (size_t i = 0; i < s->lane_count; i++) store_lane_close(s->lanes[i]);
  if (s->does->close) s->does->close(s);
  for (size_t i = 0; i < s->lane_count; i++) store_lane_free(s->lanes[i]);
  for (size_t i = 0; i < s->journey_count; i++) journey_free(&s->journeys[i]);
  for (size_t i = 0; i < s->element_count; i++) free(s->elements[i].name), free(s->elements[i].kind);
  free(s->lanes);
  free(s->journeys);
  free(s->elements);
  tally_set_free(&s->totals);
  pthread_mutex_destroy(&s->lock);
  free(s);
}
