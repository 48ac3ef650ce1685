/* A small table of things that are found by a text: destinations and host names.
 *
 * The entry lives inside its owner's structure, and so does the text it points at. One thread only. */
#ifndef JAUNT_HTTP_TABLE_H
#define JAUNT_HTTP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct table_entry {
  struct table_entry *next; /* in the same bucket */
  uint64_t hash;
  const char *key;
} table_entry;

typedef struct table {
  table_entry **buckets;
  size_t room, count; /* room is a power of two, or 0 */
} table;

void table_free(table *t); /* the entries are left alone */
table_entry *table_find(const table *t, const char *key);
void table_add(table *t, table_entry *entry, const char *key); /* which isn't in it */
void table_remove(table *t, table_entry *entry);

/* Takes out every entry for which `wanted` returns false; it may free the entry then. */
void table_sift(table *t, bool (*wanted)(table_entry *entry, void *data), void *data);

#endif
