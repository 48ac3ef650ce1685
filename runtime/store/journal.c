/* Records as bytes, and back: see journal.h. */
#include "store/journal.h"

enum { VARINT_MOST = 10 };
#define LARGE ((int64_t)1 << 54) /* from here on 8 bytes are not more than a varint */

enum { /* beside the kind, which has the lower half */
       HEAD_ALONE = 0x10,
       HEAD_STEP = 0x20,
       HEAD_MORE_BITS = 0x40,
       HEAD_KIND = 0x0f,
};
enum {
  BIT_NAME = 1,
  BIT_DATA = 2,
  BIT_MORE = 4,
  BIT_EXTRA = 8,
  BIT_NUMBERS = 0x10,
  BIT_FINGERPRINT = 0x20,
  BIT_ELEMENT = 0x40,
};
enum { /* seldom there */
       RARE_INCARNATION = 1,
       RARE_JOURNEY = 2,
       RARE_TO = 4,
       RARE_REASON = 8,
       RARE_DETAIL = 0x10,
       RARE_CONTROL = 0x20,
};

/* ---- numbers ---- */

static size_t varint_put(char out[VARINT_MOST], uint64_t number) {
  size_t length = 0;
  while (number >= 0x80) out[length++] = (char)(number | 0x80), number >>= 7;
  out[length++] = (char)number;
  return length;
}

void varint_add(buf *out, uint64_t number) {
  out->len += varint_put(buf_room(out, VARINT_MOST), number);
}

static void signed_add(buf *out, int64_t number) {
  varint_add(out, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

bool varint_next(const char **at, const char *end, uint64_t *out) {
  uint64_t number = 0;
  const char *p = *at;
  for (int shift = 0; shift < 64; shift += 7, p++) {
    if (p == end) return false;
    number |= (uint64_t)(*p & 0x7f) << shift;
    if (*p & 0x80) continue;
    *at = p + 1;
    *out = number;
    return true;
  }
  return false;
}

static bool narrow_next(const char **at, const char *end, uint32_t *out) {
  uint64_t number;
  if (!varint_next(at, end, &number) || number > UINT32_MAX) return false;
  *out = (uint32_t)number;
  return true;
}

static bool signed_next(const char **at, const char *end, int64_t *out) {
  uint64_t number;
  if (!varint_next(at, end, &number)) return false;
  *out = (int64_t)(number >> 1 ^ (0 - (number & 1)));
  return true;
}

static bool byte_next(const char **at, const char *end, uint8_t *out) {
  if (*at == end) return false;
  *out = (uint8_t) * (*at)++;
  return true;
}

/* As they are in memory: little-endian on all machines that jaunt runs on. */
static bool word_next(const char **at, const char *end, void *out) {
  if (end - *at < 8) return false;
  memcpy(out, *at, 8);
  *at += 8;
  return true;
}

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
      signed_add(out, number);
  }
  out->data[mask_at] = (char)mask;
}

static bool numbers_next(const char **at, const char *end, int64_t numbers[4]) {
  uint8_t mask;
  if (!byte_next(at, end, &mask)) return false;
  for (int i = 0; i < 4; i++) {
    if (mask >> i & 1 && !signed_next(at, end, &numbers[i])) return false;
    if (mask >> (i + 4) & 1 && !word_next(at, end, &numbers[i])) return false;
  }
  return true;
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
  bytes_add(out, text, strlen(text) + 1);
}

static bool bytes_next(const char **at, const char *end, const char **bytes, size_t *length) {
  uint64_t number;
  if (!varint_next(at, end, &number) || number > (uint64_t)(end - *at)) return false;
  *bytes = *at;
  *length = (size_t)number;
  *at += number;
  return true;
}

static bool text_next(const char **at, const char *end, const char **text) {
  size_t length;
  return bytes_next(at, end, text, &length) && length > 0 && (*text)[length - 1] == '\0';
}

/* ---- writing ---- */

static uint8_t bits_of(const store_journal *journal, const store_record *record) {
  uint8_t bits = 0;
  if (record->name) bits |= BIT_NAME;
  if (record->data) bits |= BIT_DATA;
  if (record->more) bits |= BIT_MORE;
  if (record->extra && record->kind != RECORD_WRITE) bits |= BIT_EXTRA;
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
  return bits;
}

static void add_body(buf *out, const store_journal *before, const store_record *record, uint8_t bits,
                     uint8_t rare) {
  signed_add(out, (int64_t)((uint64_t)record->at_ms - (uint64_t)before->at_ms));
  if (record->step != before->step) signed_add(out, (int64_t)record->step - before->step);
  if (bits & BIT_FINGERPRINT) buf_add(out, &record->fingerprint, 8);
  if (rare & RARE_INCARNATION) varint_add(out, record->incarnation);
  if (rare & RARE_JOURNEY) varint_add(out, record->journey);
  if (rare & RARE_TO) buf_char(out, (char)record->to);
  if (bits & BIT_ELEMENT) varint_add(out, record->element);
  if (bits & BIT_NUMBERS) numbers_add(out, record->numbers);
  if (bits & BIT_NAME) text_add(out, record->name);
  if (bits & BIT_DATA) bytes_add(out, record->data, record->data_length);
  if (bits & BIT_MORE) bytes_add(out, record->more, record->more_length);
  if (bits & BIT_EXTRA) bytes_add(out, record->extra, record->extra_length);
  if (rare & RARE_REASON) text_add(out, record->reason);
  if (rare & RARE_DETAIL) text_add(out, record->detail);
}

/* Puts the length before what stands from `start` on. */
static void close_record(buf *out, size_t start) {
  char length[VARINT_MOST];
  size_t body = out->len - start, used = varint_put(length, body);
  buf_room(out, used);
  memmove(out->data + start + used, out->data + start, body);
  memcpy(out->data + start, length, used);
  out->len += used;
}

void journal_add(store_journal *journal, const store_record *record) {
  buf *out = &journal->tail;
  size_t start = out->len;
  bool alone = start == 0 || record->kind == RECORD_RESTART;
  if (alone) {
    journal->at_ms = 0;
    journal->fingerprint = 0;
    journal->incarnation = journal->step = 0;
    journal->element = NO_ELEMENT;
  }
  uint8_t bits = bits_of(journal, record), rare = rare_bits_of(journal, record);
  unsigned head = (unsigned)record->kind;
  if (alone) head |= HEAD_ALONE;
  if (record->step != journal->step) head |= HEAD_STEP;
  if (rare) head |= HEAD_MORE_BITS;
  buf_char(out, (char)head);
  buf_char(out, (char)bits);
  if (alone) buf_char(out, JOURNAL_VERSION);
  if (rare) buf_char(out, (char)rare);
  add_body(out, journal, record, bits, rare);
  close_record(out, start);
  journal->at_ms = record->at_ms;
  journal->step = record->step;
  journal->incarnation = record->incarnation;
  if (record->fingerprint) journal->fingerprint = record->fingerprint;
  if (record->element != NO_ELEMENT) journal->element = record->element;
  journal->records++;
}

/* ---- reading ---- */

/* What the next record has of the one before it. */
static store_record left_over(const store_record *before, bool alone) {
  if (alone) return (store_record){.element = NO_ELEMENT};
  return (store_record){
      .incarnation = before->incarnation,
      .step = before->step,
      .fingerprint = before->fingerprint,
      .at_ms = before->at_ms,
      .element = before->element,
  };
}

static bool numbers_of_head(const char **at, const char *end, store_record *out, uint8_t head, uint8_t bits,
                            uint8_t rare) {
  int64_t time, step = 0;
  uint8_t to = RUN_NONE;
  if (!signed_next(at, end, &time)) return false;
  if (head & HEAD_STEP && !signed_next(at, end, &step)) return false;
  if (bits & BIT_FINGERPRINT && !word_next(at, end, &out->fingerprint)) return false;
  if (rare & RARE_INCARNATION && !narrow_next(at, end, &out->incarnation)) return false;
  if (rare & RARE_JOURNEY && !narrow_next(at, end, &out->journey)) return false;
  if (rare & RARE_TO && (!byte_next(at, end, &to) || to >= RUN_STATES)) return false;
  if (bits & BIT_ELEMENT && !narrow_next(at, end, &out->element)) return false;
  out->at_ms = (int64_t)((uint64_t)out->at_ms + (uint64_t)time);
  out->step += (uint32_t)step;
  out->to = (run_state)to;
  out->control = rare & RARE_CONTROL;
  return !(bits & BIT_NUMBERS) || numbers_next(at, end, out->numbers);
}

static bool read_record(const char *at, const char *end, store_record *out) {
  uint8_t head, bits, version, rare = 0;
  if (!byte_next(&at, end, &head) || !byte_next(&at, end, &bits)) return false;
  bool alone = head & HEAD_ALONE;
  if (alone && (!byte_next(&at, end, &version) || version != JOURNAL_VERSION)) return false;
  if (head & HEAD_MORE_BITS && !byte_next(&at, end, &rare)) return false;
  *out = left_over(out, alone);
  out->kind = (record_kind)(head & HEAD_KIND);
  if (out->kind == 0 || out->kind == RECORD_MOVE || out->kind >= RECORD_KINDS) return false;
  if (!numbers_of_head(&at, end, out, head, bits, rare)) return false;
  if (bits & BIT_NAME && !text_next(&at, end, &out->name)) return false;
  if (bits & BIT_DATA && !bytes_next(&at, end, &out->data, &out->data_length)) return false;
  if (bits & BIT_MORE && !bytes_next(&at, end, &out->more, &out->more_length)) return false;
  if (bits & BIT_EXTRA && !bytes_next(&at, end, &out->extra, &out->extra_length)) return false;
  if (rare & RARE_REASON && !text_next(&at, end, &out->reason)) return false;
  if (rare & RARE_DETAIL && !text_next(&at, end, &out->detail)) return false;
  return at == end;
}

bool store_record_next(const char **at, const char *end, store_record *out) {
  uint64_t length;
  const char *body = *at;
  if (!varint_next(&body, end, &length) || length > (uint64_t)(end - body)) return false;
  store_record next = *out;
  if (!read_record(body, body + length, &next)) return false;
  *out = next;
  *at = body + length;
  return true;
}

void journal_strip(const char *bytes, size_t length, buf *out) {
  const char *at = bytes, *end = bytes + length;
  store_record record = {0};
  if (store_record_next(&at, end, &record) && record.kind == RECORD_ENTER) {
    store_journal first = {.tail = BUF_EMPTY};
    record.name = record.extra = NULL;
    memset(record.numbers, 0, sizeof record.numbers);
    journal_add(&first, &record);
    buf_add(out, first.tail.data, first.tail.len);
    buf_free(&first.tail);
  }
  buf_add(out, at, (size_t)(end - at));
}

const char *store_intent_line(const store_record *intent, enum intent_line line, size_t *length) {
  const char *at = intent->extra, *end = at ? at + intent->extra_length : NULL;
  for (int before = 0; before < (int)line && at; before++) {
    at = memchr(at, '\n', (size_t)(end - at));
    if (at) at++;
  }
  if (!at) return NULL;
  const char *stop = memchr(at, '\n', (size_t)(end - at));
  *length = (size_t)((stop ? stop : end) - at);
  return *length ? at : NULL;
}
