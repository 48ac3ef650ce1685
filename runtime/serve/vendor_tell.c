/* Tells what was received: see vendor_tell.h. */
#include "serve/vendor_tell.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { ITEMS_DEFAULT = 100, ITEMS_MOST = 10000, BYTES_MOST = 32 << 20 };

static void write_text(buf *out, const char *bytes, size_t length) {
  if (json_write_string(out, bytes, length) != 0) buf_format(out, "{\"bytes\":%zu}", length);
}

/* "name":n for each count, without braces. */
static void write_counts(buf *out, const vendor_counts *counts) {
  for (const vendor_count_name *c = vendor_count_names; c->name != NULL; c++) {
    uint64_t value;
    memcpy(&value, (const char *)counts + c->offset, sizeof value);
    buf_format(out, "%s\"%s\":", c == vendor_count_names ? "" : ",", c->name);
    json_write_integer(out, (int64_t)value);
  }
}

static int by_name(const vendor_tally *a, const vendor_tally *b) {
  return strcmp(a->name, b->name);
}

static void write_tallies(buf *out, const char *title, vendor_tally **tallies) {
  buf_format(out, ",\"%s\":{", title);
  HASH_SORT(*tallies, by_name);
  for (vendor_tally *t = *tallies; t != NULL; t = t->hh.next) {
    if (t != *tallies) buf_char(out, ',');
    write_text(out, t->name, strlen(t->name));
    buf_text_add(out, ":{");
    write_counts(out, &t->counts);
    buf_char(out, '}');
  }
  buf_char(out, '}');
}

static void write_body(buf *out, const vendor_item *item) {
  if (item->body == NULL || json_write_string(out, item->body, item->body_length) != 0)
    buf_format(out, "{\"bytes\":%zu}", item->body_length);
}

static void write_item(buf *out, const vendor_item *item) {
  buf_text_add(out, "{\"key\":");
  write_text(out, item->key.bytes, item->key.length);
  if (item->keyless) buf_text_add(out, ",\"keyless\":true");
  buf_text_add(out, ",\"method\":");
  write_text(out, item->method, strlen(item->method));
  buf_text_add(out, ",\"path\":");
  write_text(out, item->path, strlen(item->path));
  if (item->query.len > 0) {
    buf_text_add(out, ",\"query\":");
    buf_add(out, item->query.data, item->query.len);
  }
  buf_format(out, ",\"attempts\":%llu,\"accepted\":%llu,\"statuses\":[", (unsigned long long)item->attempts,
             (unsigned long long)item->accepted);
  for (size_t i = 0; i < item->status_count; i++) buf_format(out, i ? ",%u" : "%u", item->statuses[i]);
  buf_text_add(out, "],\"body\":");
  write_body(out, item);
  if (item->headers.len > 0) {
    buf_text_add(out, ",\"headers\":");
    buf_add(out, item->headers.data, item->headers.len);
  }
  buf_char(out, '}');
}

static uint64_t number_of(const vendor_pairs *query, const char *name, uint64_t otherwise) {
  const vendor_text *text = vendor_pairs_find(query, name);
  if (text == NULL || text->length == 0 || strspn(text->bytes, "0123456789") != text->length)
    return otherwise;
  return strtoull(text->bytes, NULL, 10);
}

static void write_items(buf *out, const vendor_record *record, const vendor_pairs *query) {
  uint64_t offset = number_of(query, "offset", 0), at = 0, told = 0;
  uint64_t limit = number_of(query, "limit", ITEMS_DEFAULT);
  size_t start = out->len;
  const list *link = record->items.next;
  if (limit > ITEMS_MOST) limit = ITEMS_MOST;
  for (; link != &record->items && at < offset; at++) link = link->next;
  buf_text_add(out, ",\"items\":[");
  for (; link != &record->items && told < limit && out->len - start < BYTES_MOST; link = link->next, told++) {
    if (told > 0) buf_char(out, ',');
    write_item(out, LIST_OF(vendor_item, link, link));
  }
  buf_text_add(out, "],\"next_offset\":");
  if (link == &record->items)
    buf_text_add(out, "null");
  else
    buf_format(out, "%llu", (unsigned long long)(at + told));
}

static bool asks_for_items(const vendor_pairs *query) {
  const vendor_text *items = vendor_pairs_find(query, "items");
  return items != NULL && strcmp(items->bytes, "0") != 0;
}

static void tell_all(vendor_record *record, const vendor_pairs *query, buf *out) {
  buf_char(out, '{');
  write_counts(out, &record->counts);
  buf_format(out, ",\"remembered\":%u,\"forgotten\":%llu", HASH_COUNT(record->by_key),
             (unsigned long long)record->forgotten);
  write_tallies(out, "by_connection", &record->by_connection);
  write_tallies(out, "by_path", &record->by_path);
  if (asks_for_items(query)) write_items(out, record, query);
  buf_text_add(out, "}\n");
}

static int tell_one(vendor_record *record, const vendor_text *key, buf *out) {
  vendor_item *item;
  HASH_FIND(hh, record->by_key, key->bytes, key->length, item);
  if (item == NULL) {
    buf_text_add(out, "{\"error\":\"no request came with that key, or it was forgotten\"}\n");
    return 404;
  }
  write_item(out, item);
  buf_char(out, '\n');
  return 200;
}

int vendor_tell(vendor_record *record, const vendor_pairs *query, buf *out) {
  int status = 200;
  const vendor_text *key = vendor_pairs_find(query, "key");
  pthread_mutex_lock(&record->lock);
  if (key != NULL)
    status = tell_one(record, key, out);
  else
    tell_all(record, query, out);
  pthread_mutex_unlock(&record->lock);
  return status;
}
