/* Lanes: each worker's bounded ring into the store, its positions, and the memory backend that takes its
 * batches.
 *
 * The memory backend keeps counters and forgets bytes: what a run did is in its coroutine while it lives, and
 * nothing outlives the process. Its batches are taken by store_flush, on the lane's own thread. */
#include <stdlib.h>

#include "base/alloc.h"
#include "store/registry.h"

enum { RING_RECORDS = 65536, RING_RESERVE = 16 };

store_lane *store_lane_open(store *s, uint16_t journey, const store_lane_options *options) {
  store_lane *lane = mem_zero(sizeof *lane);
  lane->in = s;
  lane->journey = journey;
  lane->options = *options;
  lane->room = options->ring_records ? options->ring_records : RING_RECORDS;
  lane->ring = mem_alloc(lane->room * sizeof *lane->ring);
  pthread_mutex_init(&lane->lock, NULL);
  pthread_mutex_lock(&s->lock);
  s->lanes = mem_grow(s->lanes, (s->lane_count + 1) * sizeof *s->lanes);
  s->lanes[s->lane_count++] = lane;
  pthread_mutex_unlock(&s->lock);
  return lane;
}

void store_lane_close(store_lane *lane) {
  lane->options.durable = NULL;
  store_flush(lane);
  free(lane->ring);
  lane->ring = NULL;
}

void store_lane_free(store_lane *lane) {
  if (lane->ring) store_lane_close(lane);
  pthread_mutex_destroy(&lane->lock);
  tally_free(&lane->tally);
  free(lane);
}

store_position store_append(store_lane *lane, const store_record *record) {
  if (lane->last - lane->durable >= lane->room) return 0;
  store_position position = ++lane->last;
  lane->ring[position % lane->room] = (tally_change){
      .from = record->from,
      .to = record->to,
      .element = record->element,
      .counts = record->counts,
      .control = record->control,
      .reason = record->reason,
      .detail = tally_detail(record->detail),
  };
  return position;
}

bool store_lane_full(const store_lane *lane) {
  return lane->room - (lane->last - lane->durable) < RING_RESERVE;
}

void store_flush(store_lane *lane) {
  if (lane->durable == lane->last) return;
  pthread_mutex_lock(&lane->lock);
  while (lane->durable < lane->last) {
    tally_change *change = &lane->ring[++lane->durable % lane->room];
    tally_apply(&lane->tally, change);
    free(change->detail);
  }
  pthread_mutex_unlock(&lane->lock);
  if (lane->options.durable) lane->options.durable(lane->options.data, lane->durable);
}

store_position store_durable(const store_lane *lane) {
  return lane->durable;
}
