/* A batch: what happened to a lane's runs between two hand-overs. The lane fills it, the committer writes and clears it. */
#include <stdlib.h>

#include "base/alloc.h"
#include "store/sqlite_parts.h"
#include "store/varint.h"

enum { BUFFER_KEPT = 1 << 20 }; /* for the next one */

batch *batch_new(sqlite_lane *lane) {
  batch *b = mem_zero(sizeof *b);
  b->lane = lane;
  list_init(&b->link);
  return b;
}

static void clear(buf *b) {
  if (b->cap > BUFFER_KEPT)
    buf_free(b);
  else
    buf_clear(b);
}

void batch_clear(batch *b) {
  if (b->settle_room * sizeof *b->settles > BUFFER_KEPT) {
    free(b->settles);
    b->settles = NULL;
    b->settle_room = 0;
  }
  b->number = 0;
  b->last = 0;
  b->records = 0;
  clear(&b->log);
  clear(&b->texts);
  b->settle_count = b->write_count = b->event_count = b->taken_count = 0;
  b->crowded_out = 0;
  b->refusal_count = b->conversion_count = b->profile_count = 0;
  tally_set_clear(&b->counts);
}

void batch_free(batch *b) {
  buf_free(&b->log);
  buf_free(&b->texts);
  free(b->settles);
  free(b->writes);
  free(b->events);
  free(b->taken);
  free(b->refusals);
  free(b->conversions);
  free(b->profiles);
  tally_set_free(&b->counts);
  free(b);
}

size_t batch_bytes(const batch *b) {
  return b->log.len + b->texts.len + b->settle_count * sizeof *b->settles;
}

text_at batch_text(batch *b, const char *bytes, size_t length) {
  if (!bytes) return (text_at){NO_TEXT, 0};
  size_t at = b->texts.len;
  buf_room(&b->texts, length + 1);
  buf_add(&b->texts, bytes, length);
  buf_char(&b->texts, '\0');
  return (text_at){at, length};
}

text_at batch_segment(batch *b, const buf *bytes, bool is_first) {
  size_t at = b->texts.len;
  if (!is_first) return batch_text(b, bytes->data, bytes->len);
  journal_strip(bytes->data, bytes->len, &b->texts);
  return (text_at){at, b->texts.len - at};
}

/* ---- the log ---- */

void batch_log(batch *b, const logged_record *record) {
  varint_add(&b->log, record->run);
  varint_add(&b->log, record->place);
  buf_add(&b->log, record->bytes, record->length);
  b->records++;
}

bool batch_log_next(const char **at, const char *end, logged_record *out) {
  uint64_t length;
  if (!varint_next(at, end, &out->run) || !varint_next(at, end, &out->place)) return false;
  out->bytes = *at;
  if (!varint_next(at, end, &length) || length > (uint64_t)(end - *at)) return false;
  *at += length;
  out->length = (size_t)(*at - out->bytes);
  return true;
}
