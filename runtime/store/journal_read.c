/* Reads what journal.c wrote, now or in an earlier version: see journal.h. Whatever the bytes are, nothing outside of them is looked at. */
#include <string.h>

#include "store/headers.h"
#include "store/journal_parts.h"

/* ---- numbers ---- */

static bool narrow_next(const char **at, const char *end, uint32_t *out) {
  uint64_t number;
  if (!varint_next(at, end, &number) || number > UINT32_MAX) return false;
  *out = (uint32_t)number;
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

static bool numbers_next(const char **at, const char *end, int64_t numbers[4]) {
  uint8_t mask;
  if (!byte_next(at, end, &mask)) return false;
  for (int i = 0; i < 4; i++) {
    if (mask >> i & 1 && !varint_next_signed(at, end, &numbers[i])) return false;
    if (mask >> (i + 4) & 1 && !word_next(at, end, &numbers[i])) return false;
  }
  return true;
}

/* ---- texts ---- */

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
  if (*is_word ? number >= JOURNAL_WORDS : number > (uint64_t)(end - *at)) return false;
  *bytes = *is_word ? journal_words[number] : *at;
  *length = *is_word ? strlen(journal_words[number]) : (size_t)number;
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

/* ---- records ---- */

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
  if (!varint_next_signed(at, end, &time)) return false;
  if (head & HEAD_STEP && !varint_next_signed(at, end, &step)) return false;
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

void store_result_headers(const store_record *result, buf *out) {
  headers_packed packed = {result->more, result->more_length};
  if (!result->more) return;
  if (result->before.format == 1)
    buf_add(out, result->more, result->more_length);
  else
    headers_unpack(packed, first_headers(result), result->data_length, out);
}
