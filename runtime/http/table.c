/* Things found by a text: see table.h. */
#include "http/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

enum { FIRST_ROOM = 64 };

static uint64_t hash_of(const char *key) {
  return hash_bytes64((hash128){0}, key, strlen(key));
}

static table_entry **bucket_of(const table *t, uint64_t hash) {
  return &t->buckets[hash & (t->room - 1)];
}

static void grow(table *t) {
  table old = *t;
  t->room = old.room ? old.room * 2 : FIRST_ROOM;
  t->buckets = mem_zero(t->room * sizeof *t->buckets);
  for (size_t i = 0; i < old.room; i++) {
    for (table_entry *e = old.buckets[i], *next; e; e = next) {
      next = e->next;
      table_entry **bucket = bucket_of(t, e->hash);
      e->next = *bucket;
      *bucket = e;
    }
  }
  free(old.buckets);
}

void table_free(table *t) {
  free(t->buckets);
  *t = (table){0};
}

table_entry *table_find(const table *t, const char *key) {
  if (!t->room) return NULL;
  uint64_t hash = hash_of(key);
  for (table_entry *e = *bucket_of(t, hash); e; e = e->next) {
    if (e->hash == hash && strcmp(e->key, key) == 0) return e;
  }
  return NULL;
}

void table_add(table *t, table_entry *entry, const char *key) {
  if (t->count >= t->room) grow(t);
  entry->key = key;
  entry->hash = hash_of(key);
  table_entry **bucket = bucket_of(t, entry->hash);
  entry->next = *bucket;
  *bucket = entry;
  t->count++;
}

void table_remove(table *t, table_entry *entry) {
  table_entry **at = bucket_of(t, entry->hash);
  while (*at != entry) at = &(*at)->next;
  *at = entry->next;
  t->count--;
}

void table_sift(table *t, bool (*wanted)(table_entry *entry, void *data), void *data) {
  for (size_t i = 0; i < t->room; i++) {
    for (table_entry **at = &t->buckets[i]; *at;) {
      table_entry *entry = *at, *next = entry->next;
      if (wanted(entry, data)) {
        at = &entry->next;
      } else {
        *at = next;
        t->count--;
      }
    }
  }
}
