/* Records as bytes, and back: see journal.h. */
#include "store/journal.h"

#include <stdio.h>

#include "store/headers.h"

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
  BIT_SAME = 0x80, /* of a step its name and extra, of an intent its more and extra: as in the last one */
};
enum { /* seldom there */
       RARE_INCARNATION = 1,
       RARE_JOURNEY = 2,
       RARE_TO = 4,
       RARE_REASON = 8,
       RARE_DETAIL = 0x10,
       RARE_CONTROL = 0x20,
       RARE_NEWER = 0x40,
};

/* ---- numbers ---- */

static size_t varint_put(char out[VARINT_MOST], uint64_t number) {
  size_t length = 0;
  while (number >= 0x80) out[length++] = (char)(number | 0x80), number >>= 7;
  out[length++] = (char)number;
  return length;
}

void varint_add_long(buf *out, uint64_t number) {
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

/* What many records say. Places in it are in files: they never change, and what is new comes last. */
static const char *const words[] = {
    /* kinds of steps */
    "split", "call_api", "wait", "wait_until", "wait_for", "env", "drop", "exit",
    /* results */
    "ok", "failed", "unknown", "skipped", "mistake",
    /* reasons */
    "connect", "dns", "tls", "timeout", "reset", "status", "predicate", "too_large", "protocol", "redirect",
    "file", "egress", "within", "only_if", "cut", "config", "payload", "script", "limit", "diverged", "goal",
    "exit_on", "operator", "redriven", "dropped", "skip"};
enum { WORDS = sizeof words / sizeof *words };

/* Its place, or -1. */
static int find_word(const char *text, size_t length) {
  for (int i = 0; i < WORDS; i++) {
    if (words[i][0] == text[0] && strlen(words[i]) == length && memcmp(words[i], text, length) == 0) return i;
  }
  return -1;
}

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
  int word = *text ? find_word(text, strlen(text)) : -1;
  if (word < 0)
    text_add(out, text);
  else
    varint_add(out, (uint64_t)word << 1 | 1);
}

static void step_extra_add(buf *out, const char *bytes, size_t length) {
  int word = length ? find_word(bytes, length) : -1;
  if (word >= 0) {
    varint_add(out, (uint64_t)word << 1 | 1);
  } else {
    varint_add(out, (uint64_t)length << 1);
    buf_add(out, bytes, length);
  }
}

static bool bytes_next(const char **at, const char *end, const char **bytes, size_t *length) {
  uint64_t number;
  if (!varint_next(at, end, &number) || number > (uint64_t)(end - *at)) return false;
  *bytes = *at;
  *length = (size_t)number;
  *at += number;
  return true;
}

/* A word of the list, its NUL not counted, or bytes. */
static bool coded_next(const char **at, const char *end, const char **bytes, size_t *length, bool *is_word) {
  uint64_t number;
  if (!varint_next(at, end, &number)) return false;
  *is_word = number & 1;
  number >>= 1;
  if (*is_word ? number >= WORDS : number > (uint64_t)(end - *at)) return false;
  *bytes = *is_word ? words[number] : *at;
  *length = *is_word ? strlen(words[number]) : (size_t)number;
  if (!*is_word) *at += number;
  return true;
}

static bool text_next(const char **at, const char *end, const store_record *of, const char **text) {
  size_t length;
  bool is_word = false;
  bool there = of->before.format == 1 ? bytes_next(at, end, text, &length)
                                      : coded_next(at, end, text, &length, &is_word);
  return there && (is_word || (length > 0 && (*text)[length - 1] == '\0'));
}

static bool extra_next(const char **at, const char *end, store_record *out) {
  bool is_word;
  if (out->kind != RECORD_STEP || out->before.format == 1)
    return bytes_next(at, end, &out->extra, &out->extra_length);
  return coded_next(at, end, &out->extra, &out->extra_length, &is_word);
}

/* ---- writing ---- */

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
  signed_add(out, (int64_t)((uint64_t)record->at_ms - (uint64_t)before->at_ms));
  if (record->step != before->step) signed_add(out, (int64_t)record->step - before->step);
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

/* ---- reading ---- */

/* What the next record has of the one before it. */
static store_record left_over(const store_record *before, bool alone) {
  if (alone) return (store_record){.element = NO_ELEMENT};
  return (store_record){
      .before = before->before,
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

static bool texts_next(const char **at, const char *end, store_record *out, uint8_t bits, uint8_t rare) {
  if (bits & BIT_NAME && !text_next(at, end, out, &out->name)) return false;
  if (bits & BIT_DATA && !bytes_next(at, end, &out->data, &out->data_length)) return false;
  if (bits & BIT_MORE && !bytes_next(at, end, &out->more, &out->more_length)) return false;
  if (bits & BIT_EXTRA && !extra_next(at, end, out)) return false;
  if (rare & RARE_REASON && !text_next(at, end, out, &out->reason)) return false;
  if (rare & RARE_DETAIL && !text_next(at, end, out, &out->detail)) return false;
  return !(rare & RARE_NEWER) || bytes_next(at, end, &out->newer, &out->newer_length);
}

/* What BIT_SAME stands for; false where there is no such record before. */
static bool take_same(store_record *out, uint8_t bits) {
  const store_before *before = &out->before;
  if (!(bits & BIT_SAME)) return true;
  if (out->kind == RECORD_STEP && before->step && before->step == out->fingerprint) {
    out->name = before->step_name;
    out->extra = before->step_extra;
    out->extra_length = before->step_extra_length;
    return !(bits & (BIT_NAME | BIT_EXTRA));
  }
  if (out->kind != RECORD_INTENT || !before->request || bits & (BIT_MORE | BIT_EXTRA)) return false;
  out->more = before->url;
  out->more_length = before->url_length;
  out->extra = before->request;
  out->extra_length = before->request_length;
  return true;
}

static headers_packed first_headers(const store_record *of) {
  return (headers_packed){of->before.headers, of->before.headers_length};
}

/* Notes what later records of the segment refer to. False where headers are none. */
static bool take_note(store_record *out) {
  store_before *before = &out->before;
  if (out->kind == RECORD_STEP) {
    before->step = out->fingerprint;
    before->step_name = out->name;
    before->step_extra = out->extra;
    before->step_extra_length = out->extra_length;
  } else if (out->kind == RECORD_INTENT && out->more && out->extra) {
    before->url = out->more;
    before->url_length = out->more_length;
    before->request = out->extra;
    before->request_length = out->extra_length;
  } else if (out->kind == RECORD_RESULT && out->more && before->format != 1) {
    if (!headers_are_packed((headers_packed){out->more, out->more_length}, first_headers(out))) return false;
    if (before->headers_length) return true;
    before->headers = out->more;
    before->headers_length = out->more_length;
  }
  return true;
}

/* How a call or an attempt ended is its record's name: without one it is none of ours. What is only noted as an attempt has none. */
static bool is_whole(const store_record *record) {
  if (record->name) return true;
  return record->kind == RECORD_ATTEMPT ? record->numbers[2] != 0 : record->kind != RECORD_RESULT;
}

static bool read_record(const char *at, const char *end, store_record *out) {
  uint8_t head, bits, format, rare = 0;
  if (!byte_next(&at, end, &head) || !byte_next(&at, end, &bits)) return false;
  bool alone = head & HEAD_ALONE;
  if (alone && (!byte_next(&at, end, &format) || format == 0 || format > JOURNAL_FORMAT)) return false;
  if (head & HEAD_MORE_BITS && !byte_next(&at, end, &rare)) return false;
  *out = left_over(out, alone);
  if (alone) out->before.format = format;
  out->kind = (record_kind)(head & HEAD_KIND);
  if (out->kind == 0 || out->kind == RECORD_MOVE || out->kind >= RECORD_KINDS) return false;
  if (!numbers_of_head(&at, end, out, head, bits, rare)) return false;
  if (!texts_next(&at, end, out, bits, rare)) return false;
  return at == end && take_same(out, bits) && is_whole(out) && take_note(out);
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

void store_result_headers(const store_record *result, buf *out) {
  headers_packed packed = {result->more, result->more_length};
  if (!result->more) return;
  if (result->before.format == 1)
    buf_add(out, result->more, result->more_length);
  else
    headers_unpack(packed, first_headers(result), result->data_length, out);
}

/* ---- intents ---- */

/* What stands for a whole line, as a byte: places in it are in files. */
static const char *const request_words[] = {
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "application/json",
    "application/x-www-form-urlencoded",
    "application/xml",
    "text/html; charset=utf-8",
    "text/plain; charset=utf-8",
};
enum { REQUEST_WORDS = sizeof request_words / sizeof *request_words, FIRST_REQUEST_WORD = 0x10 };
_Static_assert((int)FIRST_REQUEST_WORD + (int)REQUEST_WORDS <= 0x20,
               "no method and no type begins with these");

void store_intent_word(buf *out, const char *text) {
  for (int word = 0; word < REQUEST_WORDS; word++) {
    if (strcmp(request_words[word], text) != 0) continue;
    buf_char(out, (char)(FIRST_REQUEST_WORD + word));
    return;
  }
  buf_text_add(out, text);
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
  unsigned word = *length == 1 ? (unsigned char)*at - (unsigned)FIRST_REQUEST_WORD : REQUEST_WORDS;
  if ((line == INTENT_METHOD || line == INTENT_TYPE) && word < REQUEST_WORDS) {
    at = request_words[word];
    *length = strlen(at);
  }
  return *length ? at : NULL;
}

void store_intent_name(store_record *intent, const char *key) {
  hash128 name;
  if (hash_from_hex(key, &name)) {
    intent->name = key;
    return;
  }
  intent->numbers[0] = (int64_t)name.lo;
  intent->numbers[1] = (int64_t)name.hi;
}

void store_intent_key(const store_record *intent, char out[33]) {
  if (intent->name) /* of the first format */
    snprintf(out, 33, "%s", intent->name);
  else
    hash_hex((hash128){(uint64_t)intent->numbers[0], (uint64_t)intent->numbers[1]}, out);
}
