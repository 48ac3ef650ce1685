/* A journal that was damaged on disk: what is read of it is read within its bounds, and what was read and is written again reads the
 * same. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "store/journal.h"

const char *const fuzz_seeds[] = {
    "\x0f\x31\x03\x02\x01\x22\x02\x80\x01\x08"
    "ada\x02{}",
    "\x0f\x31\x03\x01\x22\x02\x80\x01\x04"
    "ada\x02{}",
    "\x08\x15\x03\x02\x02\x11\x02no"
    "\x0c\x05\x07\x02\x11\x02no\x04\x42\x01\x04\x48",
    "\x0a\x19\x01\x02\x0a\x06\x05\x0fstatus",
    "\x09\x57\x40\x02\x40\x02\x01\x02{}",
    NULL,
};

const char *const fuzz_words[] = {"\x11", "\x12", "\x03", "\x1a", "\x7f", "\x01\x01", "\x80\x80\x80\x01",
                                  "ok",   NULL};

static int same(const char *a, size_t a_length, const char *b, size_t b_length) {
  return (a == NULL) == (b == NULL) && a_length == b_length && (!a || memcmp(a, b, a_length) == 0);
}

static int same_headers(const store_record *a, const store_record *b) {
  buf mine = BUF_EMPTY, theirs = BUF_EMPTY;
  store_result_headers(a, &mine);
  store_result_headers(b, &theirs);
  int is = same(mine.data, mine.len, theirs.data, theirs.len);
  buf_free(&mine);
  buf_free(&theirs);
  return is;
}

/* Written by itself: it stands alone, so that it has to say everything. */
static void check_again(const store_record *record) {
  store_journal journal;
  store_record again = {0}, given = *record;
  buf lines = BUF_EMPTY;
  store_journal_init(&journal);
  if (record->kind == RECORD_RESULT && record->more) {
    store_result_headers(record, &lines);
    given.more = lines.data ? lines.data : "";
    given.more_length = lines.len;
  }
  journal_add(&journal, &given);
  buf_free(&lines);
  const char *at = journal.tail.data, *end = at + journal.tail.len;
  FUZZ_HOLDS(store_record_next(&at, end, &again) && at == end);
  FUZZ_HOLDS(again.kind == record->kind && again.at_ms == record->at_ms && again.step == record->step);
  FUZZ_HOLDS(again.incarnation == record->incarnation && again.fingerprint == record->fingerprint);
  FUZZ_HOLDS(again.element == record->element);
  FUZZ_HOLDS(memcmp(again.numbers, record->numbers, sizeof again.numbers) == 0);
  FUZZ_HOLDS(!record->name == !again.name && (!again.name || strcmp(again.name, record->name) == 0));
  FUZZ_HOLDS(same(again.data, again.data_length, record->data, record->data_length));
  FUZZ_HOLDS(record->kind == RECORD_RESULT
                 ? same_headers(&again, record)
                 : same(again.more, again.more_length, record->more, record->more_length));
  FUZZ_HOLDS(same(again.newer, again.newer_length, record->newer, record->newer_length));
  if (record->kind != RECORD_WRITE)
    FUZZ_HOLDS(same(again.extra, again.extra_length, record->extra, record->extra_length));
  store_journal_forget(&journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  const char *at = (const char *)bytes, *end = at + length;
  store_record record = {0};
  buf stripped = BUF_EMPTY;
  while (store_record_next(&at, end, &record)) {
    FUZZ_HOLDS(at <= end);
    check_again(&record);
  }
  journal_strip((const char *)bytes, length, &stripped);
  buf_free(&stripped);
  return 0;
}
