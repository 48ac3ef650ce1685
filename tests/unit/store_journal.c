/* Records as bytes: what was written is read, and what was cut is never read as something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"
#include "store/journal.h"
#include "store/varint.h"

static bool same_bytes(const char *a, size_t a_length, const char *b, size_t b_length) {
  return (a == NULL) == (b == NULL) && a_length == b_length && (!a || memcmp(a, b, a_length) == 0);
}

static bool same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Of a result its headers' lines. */
static void assert_same_more(const store_record *got, const store_record *wanted) {
  buf lines = BUF_EMPTY;
  if (got->kind != RECORD_RESULT || !got->more) {
    assert_true(same_bytes(got->more, got->more_length, wanted->more, wanted->more_length));
    return;
  }
  store_result_headers(got, &lines);
  assert_non_null(wanted->more);
  assert_int_equal(lines.len, wanted->more_length);
  if (lines.len) assert_memory_equal(lines.data, wanted->more, lines.len);
  buf_free(&lines);
}

static void assert_same(const store_record *got, const store_record *wanted) {
  assert_int_equal(got->kind, wanted->kind);
  assert_int_equal(got->incarnation, wanted->incarnation);
  assert_int_equal(got->step, wanted->step);
  assert_int_equal(got->fingerprint, wanted->fingerprint);
  assert_int_equal(got->at_ms, wanted->at_ms);
  assert_int_equal(got->element, wanted->element);
  for (int i = 0; i < 4; i++) assert_int_equal(got->numbers[i], wanted->numbers[i]);
  assert_true(same_text(got->name, wanted->name));
  assert_true(same_text(got->reason, wanted->reason));
  assert_true(same_text(got->detail, wanted->detail));
  assert_true(same_bytes(got->data, got->data_length, wanted->data, wanted->data_length));
  assert_same_more(got, wanted);
  assert_true(same_bytes(got->extra, got->extra_length, wanted->extra, wanted->extra_length));
  assert_true(same_bytes(got->newer, got->newer_length, wanted->newer, wanted->newer_length));
}

#define HEADERS "Server: nginx/1.22.1\nDate: Thu, 26 Nov 2026 18:54:24 GMT\nContent-Length: 2\nX-Own: \n"

enum { RECORDS = 20 };
static const store_record story[RECORDS] = {
    {.kind = RECORD_ENTER,
     .at_ms = 1700000000123,
     .element = NO_ELEMENT,
     .name = "ada",
     .data = "{}",
     .data_length = 2,
     .more = "",
     .extra = "cart\0x",
     .extra_length = 6,
     .numbers = {1, INT64_MIN, INT64_MAX, -1},
     .journey = 300,
     .control = true},
    {.kind = RECORD_STEP,
     .step = 1,
     .fingerprint = 0xfedcba9876543210,
     .at_ms = 1700000000123,
     .name = "",
     .element = 0,
     .data = "",
     .data_length = 0},
    {.kind = RECORD_INTENT,
     .step = 1,
     .fingerprint = 0xfedcba9876543210,
     .at_ms = 1699999999999,
     .element = 0,
     .name = "0123456789abcdef0123456789abcdef",
     .data = "\0\1\2",
     .data_length = 3},
    {.kind = RECORD_RESULT,
     .step = 1,
     .fingerprint = 0xfedcba9876543210,
     .at_ms = 1700000090000,
     .element = 0,
     .name = "ok",
     .numbers = {200, -(1LL << 54), 1LL << 54, (1LL << 54) - 1},
     .reason = "unknown",
     .detail = "reset"},
    {.kind = RECORD_STEP, .step = 2, .fingerprint = 7, .at_ms = INT64_MAX, .element = 70000},
    {.kind = RECORD_STEP,
     .step = 3,
     .fingerprint = 9,
     .at_ms = 8,
     .element = 3,
     .name = "note",
     .extra = "call_api",
     .extra_length = 8},
    {.kind = RECORD_INTENT,
     .step = 3,
     .fingerprint = 9,
     .at_ms = 8,
     .element = 3,
     .more = "http://x/",
     .more_length = 9,
     .extra = "POST\ncrm",
     .extra_length = 8,
     .numbers = {INT64_MIN, INT64_MAX}},
    {.kind = RECORD_RESULT,
     .step = 3,
     .fingerprint = 9,
     .at_ms = 9,
     .element = 3,
     .name = "failed",
     .data = "no",
     .data_length = 2,
     .more = HEADERS,
     .more_length = sizeof HEADERS - 1},
    {.kind = RECORD_STEP,
     .step = 4,
     .fingerprint = 9,
     .at_ms = 9,
     .element = 3,
     .name = "note",
     .extra = "call_api",
     .extra_length = 8},
    {.kind = RECORD_INTENT,
     .step = 4,
     .fingerprint = 9,
     .at_ms = 10,
     .element = 3,
     .data = "",
     .more = "http://x/",
     .more_length = 9,
     .extra = "POST\ncrm",
     .extra_length = 8,
     .numbers = {1, 0}},
    {.kind = RECORD_INTENT,
     .step = 4,
     .fingerprint = 9,
     .at_ms = 10,
     .element = 3,
     .more = "http://x/",
     .more_length = 9,
     .extra = "POST\nsms",
     .extra_length = 8,
     .numbers = {1, 0}},
    {.kind = RECORD_RESULT,
     .step = 4,
     .fingerprint = 9,
     .at_ms = 11,
     .element = 3,
     .name = "ok",
     .data = "no",
     .data_length = 2,
     .more = HEADERS "ETag: 2\nrest",
     .more_length = sizeof HEADERS + 11},
    {.kind = RECORD_TAKEN,
     .step = 2,
     .fingerprint = 7,
     .at_ms = INT64_MIN,
     .element = 3,
     .numbers = {0, 0, 0, 5}},
    {.kind = RECORD_RESTART,
     .incarnation = 1,
     .element = NO_ELEMENT,
     .at_ms = 5,
     .data = "[1]",
     .data_length = 3},
    {.kind = RECORD_STEP,
     .incarnation = 1,
     .step = UINT32_MAX,
     .element = NO_ELEMENT,
     .fingerprint = 8,
     .at_ms = 5},
    {.kind = RECORD_END,
     .incarnation = 1,
     .step = UINT32_MAX,
     .fingerprint = 8,
     .at_ms = 6,
     .element = 3,
     .to = RUN_DROPPED,
     .reason = "status",
     .detail = "503"},
    {.kind = RECORD_REDRIVE,
     .incarnation = 1,
     .step = UINT32_MAX,
     .fingerprint = 8,
     .at_ms = 7,
     .element = 3,
     .numbers = {UINT32_MAX, 1},
     .reason = "redriven",
     .detail = "status"},
    {.kind = RECORD_WOKE, .incarnation = 1, .step = UINT32_MAX, .fingerprint = 8, .at_ms = 8, .element = 3},
    {.kind = RECORD_WOKE,
     .incarnation = 1,
     .step = UINT32_MAX,
     .fingerprint = 8,
     .at_ms = 9,
     .element = 3,
     .newer = "{\"plan\":null}",
     .newer_length = 13},
    {.kind = RECORD_RESULT,
     .incarnation = 1,
     .step = UINT32_MAX,
     .fingerprint = 8,
     .at_ms = 9,
     .element = 3,
     .name = "unknown",
     .more = HEADERS,
     .more_length = sizeof HEADERS - 1,
     .reason = "unknown",
     .detail = "cut",
     .newer = "{}",
     .newer_length = 2},
};

static void write_story(store_journal *journal) {
  store_journal_init(journal);
  for (int i = 0; i < RECORDS; i++) journal_add(journal, &story[i]);
}

static void what_was_written_is_read(void **state) {
  (void)state;
  store_journal journal;
  store_record record = {0};
  write_story(&journal);
  const char *at = journal.tail.data, *end = at + journal.tail.len;
  for (int i = 0; i < RECORDS; i++) {
    assert_true(store_record_next(&at, end, &record));
    assert_same(&record, &story[i]);
    assert_int_equal(record.to, story[i].to);
  }
  assert_false(store_record_next(&at, end, &record));
  assert_ptr_equal(at, end);
  assert_int_equal(journal.records, RECORDS);
  store_journal_forget(&journal);
}

static void who_entered_is_told_whole(void **state) {
  (void)state;
  store_journal journal;
  store_record record = {0};
  write_story(&journal);
  const char *at = journal.tail.data;
  assert_true(store_record_next(&at, at + journal.tail.len, &record));
  assert_int_equal(record.journey, 300);
  assert_true(record.control);
  store_journal_forget(&journal);
}

/* Each piece lies at the very end of memory of its own, so that a sanitizer sees a look beyond. */
static void a_journal_that_was_cut_gives_its_whole_records_and_no_other(void **state) {
  (void)state;
  store_journal journal;
  write_story(&journal);
  for (size_t length = 0; length <= journal.tail.len; length++) {
    char *piece = malloc(length + !length);
    memcpy(piece, journal.tail.data, length);
    const char *at = piece;
    store_record record = {0};
    int count = 0;
    while (store_record_next(&at, piece + length, &record)) assert_same(&record, &story[count++]);
    assert_int_equal(count == RECORDS, length == journal.tail.len);
    assert_true(at <= piece + length);
    free(piece);
  }
  store_journal_forget(&journal);
}

static void a_damaged_journal_is_read_within_its_bounds(void **state) {
  (void)state;
  store_journal journal;
  uint64_t dice = 1;
  write_story(&journal);
  for (int round = 0; round < 20000; round++) {
    char *bytes = malloc(journal.tail.len);
    memcpy(bytes, journal.tail.data, journal.tail.len);
    for (int i = 0; i < 3; i++) bytes[random_next(&dice) % journal.tail.len] = (char)random_next(&dice);
    const char *at = bytes, *end = bytes + journal.tail.len;
    store_record record = {0};
    while (store_record_next(&at, end, &record)) assert_true(at <= end);
    free(bytes);
  }
  store_journal_forget(&journal);
}

static void how_a_call_ended_is_told_or_the_journal_is_damaged(void **state) {
  (void)state;
  static const record_kind kinds[] = {RECORD_RESULT, RECORD_ATTEMPT};
  for (size_t i = 0; i < 2; i++) {
    store_journal journal = {.tail = BUF_EMPTY};
    store_record written = {.kind = kinds[i], .element = NO_ELEMENT}, read = {0};
    journal_add(&journal, &written);
    const char *at = journal.tail.data;
    assert_false(store_record_next(&at, at + journal.tail.len, &read));
    buf_free(&journal.tail);
  }
}

static void another_format_is_not_read(void **state) {
  (void)state;
  store_journal journal;
  store_record record = {0};
  write_story(&journal);
  const char *at = journal.tail.data;
  journal.tail.data[3] = JOURNAL_FORMAT + 1; /* behind length, kind and bits */
  assert_false(store_record_next(&at, at + journal.tail.len, &record));
  store_journal_forget(&journal);
}

/* As jaunt wrote it before it had lists of words and packed headers. */
static void the_first_format_is_read(void **state) {
  (void)state;
  static const char old[] = "\x0c\x51\x06\x01\x02\x08\x01\x02{}\x02{}"
                            "\x1b\x22\x69\x00\x02"
                            "12345678\x00\x04"
                            "sms\0\x08"
                            "call_api"
                            "\x0b\x03\x01\x02\x07"
                            "abcdef\0"
                            "\x16\x05\x07\x02\x03ok\0\x02no\x0b"
                            "Server: x\n\n"
                            "\x0d\x4a\x00\x0c\x00\x06\x07status\0";
  store_record record = {0};
  buf lines = BUF_EMPTY;
  const char *at = old, *end = old + sizeof old - 1;
  assert_true(store_record_next(&at, end, &record));
  assert_int_equal(record.at_ms, 4);
  assert_true(store_record_next(&at, end, &record));
  assert_string_equal(record.name, "sms");
  assert_memory_equal(record.extra, "call_api", 8);
  assert_true(store_record_next(&at, end, &record));
  char key[33];
  store_intent_key(&record, key);
  assert_string_equal(key, "abcdef");
  assert_true(store_record_next(&at, end, &record));
  assert_string_equal(record.name, "ok");
  store_result_headers(&record, &lines);
  assert_string_equal(buf_text(&lines), "Server: x\n\n");
  assert_true(store_record_next(&at, end, &record));
  assert_string_equal(record.reason, "status");
  assert_ptr_equal(at, end);
  buf_clear(&lines);
  journal_strip(old, sizeof old - 1, &lines); /* what comes after it was written like it */
  assert_int_equal(lines.len, sizeof old - 1);
  buf_free(&lines);
}

static void what_was_said_before_is_not_said_again(void **state) {
  (void)state;
  store_journal journal;
  store_journal_init(&journal);
  size_t lengths[RECORDS + 1] = {0};
  for (int i = 0; i < RECORDS; i++) {
    journal_add(&journal, &story[i]);
    lengths[i + 1] = journal.tail.len;
  }
  assert_true(lengths[9] - lengths[8] < 8);    /* the step again */
  assert_true(lengths[10] - lengths[9] < 10);  /* the request again */
  assert_true(lengths[11] - lengths[10] > 18); /* another one */
  assert_int_equal(lengths[12] - lengths[11],
                   5 + 3 + 1 + 4 + 2 + 6);        /* head, body, length, four headers, and two more */
  assert_int_equal(lengths[18] - lengths[17], 4); /* the end of a wait: length, kind, bits and time */
  assert_int_equal(lengths[19] - lengths[18], 4 + 1 + 1 + 13); /* with what has changed of the person */
  store_journal_forget(&journal);
}

static void a_key_comes_back_from_its_numbers(void **state) {
  (void)state;
  static const char *const keys[] = {"0123456789abcdef0123456789abcdef",
                                     "00000000000000000000000000000000",
                                     "ffffffffffffffff0000000000000001",
                                     "0123456789ABCDEF0123456789abcdef",
                                     "short",
                                     ""};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    store_record intent = {.kind = RECORD_INTENT};
    char key[33];
    store_intent_name(&intent, keys[i]);
    assert_int_equal(intent.name == NULL, i < 3);
    store_intent_key(&intent, key);
    assert_string_equal(key, keys[i]);
  }
}

static void a_request_is_told_line_by_line(void **state) {
  (void)state;
  buf extra = BUF_EMPTY;
  store_intent_word(&extra, "POST");
  buf_text_add(&extra, "\n\x11\n"); /* a connection is never taken for one of the list */
  store_intent_word(&extra, "text/csv");
  buf_text_add(&extra, "\nhello");
  store_record intent = {.kind = RECORD_INTENT, .extra = extra.data, .extra_length = extra.len};
  static const char *const wanted[] = {"POST", "\x11", "text/csv", "hello"};
  assert_true(extra.len < strlen("POST") + strlen("text/csv") + 8);
  for (int line = 0; line < 4; line++) {
    size_t length;
    const char *text = store_intent_line(&intent, (enum intent_line)line, &length);
    assert_int_equal(length, strlen(wanted[line]));
    assert_memory_equal(text, wanted[line], length);
  }
  buf_free(&extra);
}

static void a_stripped_segment_keeps_everything_but_who_it_is(void **state) {
  (void)state;
  store_journal journal;
  store_record record = {0};
  buf out = BUF_EMPTY;
  write_story(&journal);
  buf_text_add(&out, "before");
  journal_strip(journal.tail.data, journal.tail.len, &out);
  const char *at = out.data + 6, *end = out.data + out.len;
  store_record entry = story[0];
  entry.name = entry.extra = NULL;
  entry.extra_length = 0;
  memset(entry.numbers, 0, sizeof entry.numbers);
  for (int i = 0; i < RECORDS; i++) {
    assert_true(store_record_next(&at, end, &record));
    assert_same(&record, i ? &story[i] : &entry);
  }
  assert_ptr_equal(at, end);
  buf_free(&out);
  store_journal_forget(&journal);
}

static void numbers_of_any_size_come_back(void **state) {
  (void)state;
  for (int shift = 0; shift < 64; shift++) {
    for (int around = -1; around <= 1; around++) {
      uint64_t number = ((uint64_t)1 << shift) + (uint64_t)around, got;
      buf out = BUF_EMPTY;
      varint_add(&out, number);
      const char *at = out.data;
      assert_true(varint_next(&at, out.data + out.len, &got));
      assert_int_equal(got, number);
      at = out.data;
      assert_false(varint_next(&at, out.data + out.len - 1, &got));
      buf_free(&out);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_written_is_read),
      cmocka_unit_test(who_entered_is_told_whole),
      cmocka_unit_test(a_journal_that_was_cut_gives_its_whole_records_and_no_other),
      cmocka_unit_test(a_damaged_journal_is_read_within_its_bounds),
      cmocka_unit_test(how_a_call_ended_is_told_or_the_journal_is_damaged),
      cmocka_unit_test(another_format_is_not_read),
      cmocka_unit_test(the_first_format_is_read),
      cmocka_unit_test(what_was_said_before_is_not_said_again),
      cmocka_unit_test(a_key_comes_back_from_its_numbers),
      cmocka_unit_test(a_request_is_told_line_by_line),
      cmocka_unit_test(a_stripped_segment_keeps_everything_but_who_it_is),
      cmocka_unit_test(numbers_of_any_size_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
