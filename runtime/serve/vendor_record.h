/* What the pretend vendor remembers: counts for ever, and the latest requests by their idempotency key.
 *
 * Written by the vendor's thread only; what is read from others is locked. Bounded: when more than `remember`
 * requests or 256 MiB are held the oldest are forgotten, and a key that comes again after that is new. */
#ifndef JAUNT_SERVE_VENDOR_RECORD_H
#define JAUNT_SERVE_VENDOR_RECORD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/list.h"
#include "serve/vendor.h"
#include "serve/vendor_request.h"

enum {
  VENDOR_BODY_KEPT = 64 * 1024, /* bytes of a body that are kept; of a longer one only the length */
  VENDOR_STATUSES_MOST = 64,    /* of one key; later ones are not listed */
  VENDOR_NAMES_MOST = 1000,     /* connections, and paths, that are counted apart */
};

/* Counts under one name: a connection's, or a method with a path. */
typedef struct vendor_tally {
  UT_hash_handle hh;
  char *name;
  vendor_counts counts;
} vendor_tally;

/* All that came under one key. Texts are as in its first request. */
typedef struct vendor_item {
  UT_hash_handle hh;
  list link; /* among all, in the order of arrival */
  vendor_text key;
  bool keyless;
  char *method, *path;
  buf query, headers; /* JSON objects, without what is secret; empty when there were none */
  hash128 content;
  char *body; /* NULL when nothing of it is kept */
  size_t body_length;
  uint64_t attempts, accepted;
  uint16_t statuses[VENDOR_STATUSES_MOST]; /* 0: reset */
  size_t status_count;
  vendor_answer answer; /* of the attempt that was accepted */
  size_t weight;        /* bytes */
} vendor_item;

typedef struct vendor_record {
  pthread_mutex_t lock;
  uint64_t remember;
  size_t weight;
  vendor_item *by_key;
  list items;
  uint64_t forgotten;
  vendor_counts counts;
  vendor_tally *by_connection, *by_path;
} vendor_record;

vendor_record *vendor_record_new(uint64_t remember);
void vendor_record_free(vendor_record *record);
void vendor_record_clear(vendor_record *record);
vendor_counts vendor_record_counts(vendor_record *record);

/* A request that came, as the record knows it. Lives until the next one comes. */
typedef struct vendor_arrival {
  vendor_item *item;
  bool two_bodies; /* its key came before with something else */
  vendor_tally *connection, *path;
} vendor_arrival;

/* Notes that a request came, counts it, and sets r->attempt. */
vendor_arrival vendor_record_arrived(vendor_record *record, vendor_request *r);

/* Adds one to a count of all, of the request's connection and of its path. */
#define VENDOR_COUNT(field) offsetof(vendor_counts, field)
void vendor_record_count(vendor_record *record, const vendor_arrival *arrival, size_t count);

/* Notes how an attempt ended: its status, 0 for a reset. */
void vendor_record_status(vendor_record *record, vendor_item *item, int status);

/* Notes that it was accepted, with that answer (copied; its status is 0 for the plain one). */
void vendor_record_accepted(vendor_record *record, vendor_item *item, const vendor_answer *answer);

#endif
