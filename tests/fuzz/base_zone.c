/* Zone files from outside: what zone_read takes gives offsets that there are, and instants that fit what the clocks show;
 * what it refuses, it refuses in words.
 *
 * A text is tried as a whole file, as the rule at the end of a small sound file, and as changes to such a file: each pair of
 * its bytes says where another byte is put, the first pair how much of the file there is. */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/zone.h"
#include "fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "<+0330>-3:30",
    "EST5EDT,J60/-167,365/167",
    "AAA-14BBB-24:59:59,0,J365/23:59:59",
    "XXX3<+02>-2,M3.4.4/50,M10.4.4/50",
    "\x7f\x7f\x2c\x01\x29\x02",
    "\xff\x30\x60\x7f\x61\xff\x62\xff\x63\xff",
    "TZif2",
    NULL,
};

const char *const fuzz_words[] = {",M3.5.0", ",M10.5.0/3", ",J365", "<+02>", "CEST",  "-24:59:59",
                                  "/167",    "/-167",      ",0",    "TZif2", "TZif3", NULL};

static void put_number(buf *out, uint64_t number, int bytes) {
  while (bytes-- > 0) buf_char(out, (char)(number >> 8 * bytes));
}

static void put_type(buf *out, int32_t offset, int summer, int name) {
  put_number(out, (uint32_t)offset, 4);
  buf_char(out, (char)summer);
  buf_char(out, (char)name);
}

/* A block with `times` changes between two types, in numbers of `size` bytes. */
static void put_block(buf *out, int times, int size) {
  static const int64_t at[] = {-1000000000, 0, 1600000000};
  const uint32_t counts[] = {0, 0, 0, (uint32_t)times, 2, 8};
  buf_text_add(out, "TZif2");
  for (int i = 0; i < 15; i++) buf_char(out, '\0');
  for (int i = 0; i < 6; i++) put_number(out, counts[i], 4);
  for (int i = 0; i < times; i++) put_number(out, (uint64_t)at[i], size);
  for (int i = 0; i < times; i++) buf_char(out, (char)(i % 2));
  put_type(out, 3600, 0, 0);
  put_type(out, 7200, 1, 4);
  buf_add(out, "CET\0CES\0", 8);
}

static buf file_with(const char *rule, size_t length) {
  buf file = BUF_EMPTY;
  put_block(&file, 0, 4);
  put_block(&file, 3, 8);
  buf_char(&file, '\n');
  buf_add(&file, rule, length);
  buf_char(&file, '\n');
  return file;
}

/* The instant that is found for what the clocks show is the first: not after the one that was asked about. */
static void check_instant(const zone *z, int64_t at_ms) {
  civil shown, first;
  int32_t offset = zone_offset_at(z, at_ms / 1000);
  FUZZ_HOLDS(offset > -26 * 3600 && offset < 27 * 3600);
  zone_local(z, at_ms, &shown);
  int64_t found = zone_instant(z, &shown);
  FUZZ_HOLDS(found <= at_ms);
  zone_local(z, found, &first);
  FUZZ_HOLDS(civil_ms(&first) >= civil_ms(&shown));
}

static void check(const void *bytes, size_t length) {
  static const int64_t step_ms = (int64_t)163 * 24 * 3600 * 1000 + 1234567;
  error err = {""};
  zone *z = zone_read("Fuzz/Zone", bytes, length, &err);
  FUZZ_HOLDS((z != NULL) == (err.text[0] == '\0'));
  if (!z) return;
  FUZZ_HOLDS(strcmp(zone_name(z), "Fuzz/Zone") == 0);
  for (int i = -100; i < 200; i++) check_instant(z, i * step_ms);
  zone_free(z);
}

static void check_changed(const uint8_t *bytes, size_t length) {
  buf file = file_with("CET-1CEST,M3.5.0,M10.5.0/3", 26);
  size_t kept = file.len;
  if (length > 1 && bytes[0] < 0x80) kept = file.len * bytes[0] / 0x80;
  for (size_t i = 2; i + 1 < length; i += 2) file.data[bytes[i] % file.len] = (char)bytes[i + 1];
  check(file.data, kept);
  buf_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  buf with_rule = file_with((const char *)bytes, length);
  check(bytes, length);
  check(with_rule.data, with_rule.len);
  check_changed(bytes, length);
  buf_free(&with_rule);
  return 0;
}
