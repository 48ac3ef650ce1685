/* Records as bytes: see journal.h. Reading them is in journal_read.c. */
#include "store/journal.h"

#include "store/headers.h"
#include "store/journal_parts.h"

#define LARGE ((int64_t)1 << 54) /* from here on 8 bytes are not more than a varint */

/* ---- numbers ---- */

/* A byte says which there are: the lower bits as varints, the upper ones, being large, as 8 bytes. */
static void numbers_add(buf *out, const int64_t numbers[4]) {
  size_t mask_at = out->len;
  unsigned mask = 0;
  buf_char(out, 0);
  for (int i = 0; i < 4; i++) {
    int64_t number = numbers[i];
    if (number == 0) continue;
    bool is_large = number >= LARGE || number < -LARGE;
    mask |= 1u << (is_large ? i + 4 : i);
    if (is_large)
      buf_add(out, &number, 8);
    else
      varint_add_signed(out, number);
  }
  out->data[mask_at] = (char)mask;
}

static bool has_numbers(const store_record *record) {
  const int64_t *n = record->numbers;
  return n[0] || n[1] || n[2] || n[3];
}

/* ---- texts ---- */

static void bytes_add(buf *out, const char *bytes, size_t length) {
  varint_add(out, length);
  buf_add(out, bytes, length);
}

static void text_add(buf *out, const char *text) {
  size_t length = strlen(text) + 1;
  varint_add(out, length << 1);
  buf_add(out, text, length);
}

/* Of what is often in the list. */
static void word_add(buf *out, const char *text) {
  int word = *text ? journal_find_word(text, strlen(text)) : -1;
  if (word < 0)
    text_add(out, text);
  else
    varint_add(out, (uint64_t)word << 1 | 1);
}

static void step_extra_add(buf *out, const char *bytes, size_t length) {
  int word = length ? journal_find_word(bytes, length) : -1;
  if (word >= 0) {
    varint_add(out, (uint64_t)word << 1 | 1);
  } else {
    varint_add(out, (uint64_t)length << 1);
    buf_add(out, bytes, length);
  }
}

/* ---- records ---- */

static bool is_in_tail(const store_journal *journal, size_t at, size_t length, const char *bytes,
                       size_t wanted) {
  return length == wanted && (length == 0 || memcmp(journal->tail.data + at, bytes, length) == 0);
}

/* What BIT_SAME stands for. */
static bool is_same(const store_journal *journal, const store_record *record) {
  if (record->kind == RECORD_STEP) return record->fingerprint && record->fingerprint == journal->step_print;
  if (record->kind != RECORD_INTENT || !record->more || !record->extra || !journal->request_at) return false;
  return is_in_tail(journal, journal->url_at, journal->url_length, record->more, record->more_length) &&
         is_in_tail(journal, journal->request_at, journal->request_length, record->extra,
                    record->extra_length);
}

static uint8_t bits_of(const store_journal *journal, const store_record *record) {
  uint8_t bits = 0;
  if (record->name) bits |= BIT_NAME;
  if (record->data) bits |= BIT_DATA;
  if (record->more) bits |= BIT_MORE;
  if (record->extra && record->kind != RECORD_WRITE) bits |= BIT_EXTRA;
  if (is_same(journal, record)) {
    bits |= BIT_SAME;
    bits &= (uint8_t) ~(record->kind == RECORD_STEP ? BIT_NAME | BIT_EXTRA : BIT_MORE | BIT_EXTRA);
  }
  if (has_numbers(record)) bits |= BIT_NUMBERS;
  if (record->fingerprint && record->fingerprint != journal->fingerprint) bits |= BIT_FINGERPRINT;
  if (record->element != NO_ELEMENT && record->element != journal->element) bits |= BIT_ELEMENT;
  return bits;
}

static uint8_t rare_bits_of(const store_journal *journal, const store_record *record) {
  uint8_t bits = 0;
  if (record->incarnation != journal->incarnation) bits |= RARE_INCARNATION;
  if (record->kind == RECORD_ENTER) bits |= RARE_JOURNEY;
  if (record->kind == RECORD_ENTER && record->control) bits |= RARE_CONTROL;
  if (record->kind == RECORD_END) bits |= RARE_TO;
  if (record->reason) bits |= RARE_REASON;
  if (record->detail && *record->detail) bits |= RARE_DETAIL;
  if (record->newer) bits |= RARE_NEWER;
  return bits;
}

/* Room for the length of what comes next, which is short as a rule. Returns where it is. */
static size_t open_bytes(buf *out) {
  buf_char(out, 0);
  return out->len - 1;
}

/* Writes the length of what has come since then. Returns by how many bytes that was moved. */
static size_t close_bytes(buf *out, size_t start) {
  char length[VARINT_MOST];
  size_t body = out->len - start - 1, used = varint_put(length, body), moved = used - 1;
  if (moved) {
    char *room = buf_room(out, moved);
    memmove(room - body + moved, room - body, body);
    out->len += moved;
  }
  memcpy(out->data + start, length, used);
  return moved;
}

/* The headers of a result; the first in the segment are what later ones refer to. */
static void add_headers(store_journal *journal, const store_record *record) {
  buf *out = &journal->tail;
  size_t start = open_bytes(out);
  headers_pack(out, record->more, record->more_length, record->data_length, journal->headers_at,
               journal->headers_length);
  size_t length = out->len - start - 1;
  close_bytes(out, start);
  if (journal->headers_length) return;
  journal->headers_at = out->len - length;
  journal->headers_length = length;
}

static void add_name(buf *out, const store_record *record) {
  if (record->kind == RECORD_RESULT || record->kind == RECORD_ATTEMPT)
    word_add(out, record->name);
  else
    text_add(out, record->name);
}

static void add_extra(buf *out, const store_record *record) {
  if (record->kind == RECORD_STEP)
    step_extra_add(out, record->extra, record->extra_length);
  else
    bytes_add(out, record->extra, record->extra_length);
}

static void add_texts(store_journal *journal, const store_record *record, uint8_t bits) {
  buf *out = &journal->tail;
  if (bits & BIT_NAME) add_name(out, record);
  if (bits & BIT_DATA) bytes_add(out, record->data, record->data_length);
  if (bits & BIT_MORE && record->kind == RECORD_RESULT) add_headers(journal, record);
  if (bits & BIT_MORE && record->kind != RECORD_RESULT) bytes_add(out, record->more, record->more_length);
  size_t more_end = out->len;
  if (bits & BIT_EXTRA) add_extra(out, record);
  if (record->kind != RECORD_INTENT || !(bits & BIT_MORE) || !(bits & BIT_EXTRA)) return;
  journal->url_at = more_end - record->more_length;
  journal->url_length = record->more_length;
  journal->request_at = out->len - record->extra_length;
  journal->request_length = record->extra_length;
}

static void add_body(store_journal *before, const store_record *record, uint8_t bits, uint8_t rare) {
  buf *out = &before->tail;
  varint_add_signed(out, (int64_t)((uint64_t)record->at_ms - (uint64_t)before->at_ms));
  if (record->step != before->step) varint_add_signed(out, (int64_t)record->step - before->step);
  if (bits & BIT_FINGERPRINT) buf_add(out, &record->fingerprint, 8);
  if (rare & RARE_INCARNATION) varint_add(out, record->incarnation);
  if (rare & RARE_JOURNEY) varint_add(out, record->journey);
  if (rare & RARE_TO) buf_char(out, (char)record->to);
  if (bits & BIT_ELEMENT) varint_add(out, record->element);
  if (bits & BIT_NUMBERS) numbers_add(out, record->numbers);
  add_texts(before, record, bits);
  if (rare & RARE_REASON) word_add(out, record->reason);
  if (rare & RARE_DETAIL) text_add(out, record->detail);
  if (rare & RARE_NEWER) bytes_add(out, record->newer, record->newer_length);
}

/* The length comes before the record, and moves what later ones refer to in it. */
static void close_record(store_journal *journal, size_t start) {
  size_t moved = close_bytes(&journal->tail, start);
  if (journal->url_at > start) journal->url_at += moved, journal->request_at += moved;
  if (journal->headers_at > start) journal->headers_at += moved;
}

static void begin_alone(store_journal *journal) {
  journal->at_ms = 0;
  journal->fingerprint = journal->step_print = 0;
  journal->incarnation = journal->step = 0;
  journal->element = NO_ELEMENT;
  journal->url_at = journal->request_at = 0;
  journal->headers_at = journal->headers_length = 0;
}

void journal_add(store_journal *journal, const store_record *record) {
  buf *out = &journal->tail;
  size_t start = open_bytes(out);
  bool alone = start == 0 || record->kind == RECORD_RESTART;
  if (alone) begin_alone(journal);
  uint8_t bits = bits_of(journal, record), rare = rare_bits_of(journal, record);
  unsigned head = (unsigned)record->kind;
  if (alone) head |= HEAD_ALONE;
  if (record->step != journal->step) head |= HEAD_STEP;
  if (rare) head |= HEAD_MORE_BITS;
  buf_char(out, (char)head);
  buf_char(out, (char)bits);
  if (alone) buf_char(out, JOURNAL_FORMAT);
  if (rare) buf_char(out, (char)rare);
  add_body(journal, record, bits, rare);
  close_record(journal, start);
  journal->at_ms = record->at_ms;
  journal->step = record->step;
  journal->incarnation = record->incarnation;
  if (record->fingerprint) journal->fingerprint = record->fingerprint;
  if (record->kind == RECORD_STEP) journal->step_print = record->fingerprint;
  if (record->element != NO_ELEMENT) journal->element = record->element;
  journal->records++;
}

void journal_strip(const char *bytes, size_t length, buf *out) {
  const char *at = bytes, *end = bytes + length;
  store_record record = {0};
  if (store_record_next(&at, end, &record) && record.kind == RECORD_ENTER &&
      record.before.format == JOURNAL_FORMAT) {
    store_journal first = {.tail = BUF_EMPTY};
    record.name = record.extra = NULL;
    memset(record.numbers, 0, sizeof record.numbers);
    journal_add(&first, &record);
    buf_add(out, first.tail.data, first.tail.len);
    buf_free(&first.tail);
  } else {
    at = bytes;
  }
  buf_add(out, at, (size_t)(end - at));
}
