/* What store.c keeps for all lanes, and how its parts see each other. */
#ifndef JAUNT_STORE_REGISTRY_H
#define JAUNT_STORE_REGISTRY_H

#include <pthread.h>

#include "store/store.h"
#include "store/tally.h"

typedef struct store_element_name {
  uint16_t journey;
  char *name, *kind;
  uint32_t line;
} store_element_name;

typedef struct store_journey_name {
  char *name, *version;
} store_journey_name;

struct store {
  hash128 id;
  pthread_mutex_t lock; /* guards what follows */
  store_journey_name *journeys;
  size_t journey_count;
  store_element_name *elements;
  size_t element_count;
  store_lane **lanes; /* open and closed ones: a closed lane's counters still count */
  size_t lane_count;
};

struct store_lane {
  store *in;
  uint16_t journey;
  store_lane_options options;
  tally_change *ring; /* position p lives at ring[p % room] */
  size_t room;
  store_position last, durable;
  pthread_mutex_t lock; /* guards the tally: the lane's worker writes, reports read */
  tally tally;
};

void store_lane_free(store_lane *lane);

#endif
