/* Remembers what came and counts it: see vendor_record.h. What is told of it is in vendor_tell.c. */
#include "serve/vendor_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/utf8.h"

enum { REMEMBER_DEFAULT = 100000, WEIGHT_MOST = 256 << 20 };

static const char OTHERS[] = "(others)"; /* names above VENDOR_NAMES_MOST */

const vendor_count_name vendor_count_names[] = {
    {"requests", VENDOR_COUNT(requests)},
    {"accepted", VENDOR_COUNT(accepted)},
    {"refused", VENDOR_COUNT(refused)},
    {"failed", VENDOR_COUNT(failed)},
    {"reset", VENDOR_COUNT(reset)},
    {"lost", VENDOR_COUNT(lost)},
    {"repeats", VENDOR_COUNT(repeats)},
    {"two_bodies", VENDOR_COUNT(two_bodies)},
    {"doubles", VENDOR_COUNT(doubles)},
    {"errors", VENDOR_COUNT(errors)},
    {NULL, 0},
};

/* ---- items ---- */

static void item_free(vendor_item *item) {
  free(item->key.bytes);
  free(item->method);
  free(item->path);
  free(item->body);
  buf_free(&item->query);
  buf_free(&item->headers);
  vendor_answer_free(&item->answer);
  free(item);
}

static void add_json_text(buf *out, const char *bytes, size_t length) {
  if (json_write_string(out, bytes, length) != 0) buf_format(out, "{\"bytes\":%zu}", length);
}

static bool names_a_secret(const char *name) {
  static const char *const parts[] = {"authorization", "cookie",  "token",  "secret",
                                      "password",      "api-key", "apikey", "api_key"};
  static const char *const whole[] = {"key", "x-key", "auth", "x-auth", "sig", "signature"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (strcasestr(name, parts[i]) != NULL) return true;
  for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
    if (strcasecmp(name, whole[i]) == 0) return true;
  return false;
}

/* A JSON object of the pairs; of what may be a secret it tells only that it was there. */
static void write_pairs(buf *out, const vendor_pairs *pairs) {
  if (pairs->count == 0) return;
  for (size_t i = 0; i < pairs->count; i++) {
    const vendor_pair *pair = &pairs->items[i];
    buf_char(out, i == 0 ? '{' : ',');
    if (json_write_string(out, pair->name.bytes, pair->name.length) != 0)
      buf_format(out, "\"(%zu bytes)\"", pair->name.length);
    buf_char(out, ':');
    if (names_a_secret(pair->name.bytes))
      buf_text_add(out, "true");
    else
      add_json_text(out, pair->value.bytes, pair->value.length);
  }
  buf_char(out, '}');
}

/* The decoded path, where that is text; as it was sent, where it is not. */
static char *path_of(const vendor_request *r) {
  buf path = BUF_EMPTY;
  vendor_request_path(r, 0, &path);
  if (!utf8_valid(path.data, path.len) || memchr(path.data, 0, path.len) != NULL) {
    buf_clear(&path);
    buf_add(&path, r->target, strcspn(r->target, "?"));
  }
  return buf_take(&path, NULL);
}

static vendor_item *item_new(const vendor_request *r, const char *path) {
  vendor_item *item = mem_zero(sizeof *item);
  item->key = vendor_text_of(r->key.bytes, r->key.length);
  item->keyless = r->keyless;
  item->method = mem_text(r->method);
  item->path = mem_text(path);
  write_pairs(&item->query, &r->query);
  write_pairs(&item->headers, &r->headers);
  item->content = r->content;
  item->body_length = r->body.len;
  if (r->body.len <= VENDOR_BODY_KEPT)
    item->body = mem_text_of(r->body.data ? r->body.data : "", r->body.len);
  item->weight = sizeof *item + item->key.length + strlen(item->path) + item->query.cap + item->headers.cap +
                 (item->body ? item->body_length : 0);
  return item;
}

static void forget_item(vendor_record *record, vendor_item *item) {
  record->weight -= item->weight;
  HASH_DELETE(hh, record->by_key, item);
  list_remove(&item->link);
  item_free(item);
}

static void make_room(vendor_record *record) {
  while (!list_empty(&record->items) &&
         (HASH_COUNT(record->by_key) >= record->remember || record->weight > WEIGHT_MOST)) {
    forget_item(record, LIST_OF(vendor_item, link, record->items.next));
    record->forgotten++;
  }
}

/* ---- counts ---- */

static void add_one(vendor_counts *counts, size_t count) {
  ++*(uint64_t *)(void *)((char *)counts + count);
}

static vendor_tally *tally_of(vendor_tally **tallies, const char *name) {
  vendor_tally *found;
  HASH_FIND_STR(*tallies, name, found);
  if (found == NULL && HASH_COUNT(*tallies) >= VENDOR_NAMES_MOST) {
    name = OTHERS;
    HASH_FIND_STR(*tallies, name, found);
  }
  if (found != NULL) return found;
  found = mem_zero(sizeof *found);
  found->name = mem_text(name);
  HASH_ADD_KEYPTR(hh, *tallies, found->name, strlen(found->name), found);
  return found;
}

static void tallies_free(vendor_tally **tallies) {
  vendor_tally *tally, *next;
  HASH_ITER(hh, *tallies, tally, next) {
    HASH_DELETE(hh, *tallies, tally);
    free(tally->name);
    free(tally);
  }
}

static void count_locked(vendor_record *record, const vendor_arrival *arrival, size_t count) {
  add_one(&record->counts, count);
  add_one(&arrival->connection->counts, count);
  add_one(&arrival->path->counts, count);
}

void vendor_record_count(vendor_record *record, const vendor_arrival *arrival, size_t count) {
  pthread_mutex_lock(&record->lock);
  count_locked(record, arrival, count);
  pthread_mutex_unlock(&record->lock);
}

vendor_counts vendor_record_counts(vendor_record *record) {
  pthread_mutex_lock(&record->lock);
  vendor_counts counts = record->counts;
  pthread_mutex_unlock(&record->lock);
  return counts;
}

/* ---- the record ---- */

vendor_record *vendor_record_new(uint64_t remember) {
  vendor_record *record = mem_zero(sizeof *record);
  pthread_mutex_init(&record->lock, NULL);
  list_init(&record->items);
  record->remember = remember > 0 ? remember : REMEMBER_DEFAULT;
  return record;
}

static void forget_all(vendor_record *record) {
  while (!list_empty(&record->items)) forget_item(record, LIST_OF(vendor_item, link, record->items.next));
  tallies_free(&record->by_connection);
  tallies_free(&record->by_path);
  record->counts = (vendor_counts){0};
  record->forgotten = 0;
}

void vendor_record_clear(vendor_record *record) {
  pthread_mutex_lock(&record->lock);
  forget_all(record);
  pthread_mutex_unlock(&record->lock);
}

void vendor_record_free(vendor_record *record) {
  if (record == NULL) return;
  forget_all(record);
  pthread_mutex_destroy(&record->lock);
  free(record);
}

static vendor_item *item_of(vendor_record *record, const vendor_request *r, const char *path) {
  vendor_item *item;
  HASH_FIND(hh, record->by_key, r->key.bytes, r->key.length, item);
  if (item != NULL) return item;
  make_room(record);
  item = item_new(r, path);
  HASH_ADD_KEYPTR(hh, record->by_key, item->key.bytes, item->key.length, item);
  list_push(&record->items, &item->link);
  record->weight += item->weight;
  return item;
}

vendor_arrival vendor_record_arrived(vendor_record *record, vendor_request *r) {
  vendor_arrival arrival = {0};
  char *path = path_of(r);
  buf name = BUF_EMPTY;
  buf_format(&name, "%s %s", r->method, path);
  const char *connection = vendor_request_connection(r);
  if (!utf8_valid(connection, strlen(connection))) connection = OTHERS;
  pthread_mutex_lock(&record->lock);
  arrival.item = item_of(record, r, path);
  arrival.connection = tally_of(&record->by_connection, connection);
  arrival.path = tally_of(&record->by_path, buf_text(&name));
  arrival.two_bodies = arrival.item->content.lo != r->content.lo || arrival.item->content.hi != r->content.hi;
  r->attempt = ++arrival.item->attempts;
  count_locked(record, &arrival, VENDOR_COUNT(requests));
  if (arrival.two_bodies) count_locked(record, &arrival, VENDOR_COUNT(two_bodies));
  pthread_mutex_unlock(&record->lock);
  buf_free(&name);
  free(path);
  return arrival;
}

void vendor_record_status(vendor_record *record, vendor_item *item, int status) {
  pthread_mutex_lock(&record->lock);
  if (item->status_count < VENDOR_STATUSES_MOST) item->statuses[item->status_count++] = (uint16_t)status;
  pthread_mutex_unlock(&record->lock);
}

void vendor_record_accepted(vendor_record *record, vendor_item *item, const vendor_answer *answer) {
  pthread_mutex_lock(&record->lock);
  if (item->accepted++ == 0 && !item->keyless) {
    vendor_answer_copy(&item->answer, answer);
    item->weight += answer->body.len;
    record->weight += answer->body.len;
  }
  pthread_mutex_unlock(&record->lock);
}
