/* An audience from anywhere: who is let in can be worked with, and where a read ends makes no difference. */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "people/audience_parts.h"

const char *const fuzz_seeds[] = {
    "id,name,event.cart\n1,Ada,\"a,\"\"b\"\"\nc\"\n2,Bob,\n2,Bob again,x\n",
    ("\xEF\xBB\xBF"
     "id;name\r\n1;\xC3\xA4\r\n\r\n2;\"x\r\ny\"\r\n"),
    "id\tname\n1\ta\n2\t\"b\n3\tc\n",
    "id,name\r1,a\r2,b\r",
    "{\"id\":1,\"event\":{\"a\":1},\"event.b\":[2]}\n{\"id\":\"\\u00e4\"}\n{\"id\":1}\nnull\n{\"id\":1.5}\n",
    " [ {\"id\":\"a\",\"x\":{\"y\":[1,\"]}\"]}},\n {\"id\":\"b\"} ,, {\"id\":\"c\" ]\n",
    NULL,
};

const char *const fuzz_words[] = {"\"",   "\"\"",         ",",          "\n",     "\r\n", "\r",
                                  "\t",   "id",           "{\"id\":",   "}",      "[",    "]",
                                  "\xFF", "\xEF\xBB\xBF", "\"event\":", "event.", "\\",   NULL};

/* All that was told, and one sum of it. */
typedef struct outcome {
  int status; /* of the end: 0 or -1; -2 where it did not open */
  audience_counts counts;
  uint64_t sum;
} outcome;

static void add(outcome *o, const void *bytes, size_t length) {
  o->sum = hash_bytes64((hash128){o->sum, length}, bytes, length);
}

static void note_rejected(void *data, uint64_t line, const char *why) {
  FUZZ_HOLDS(line > 0 && *why && utf8_valid(why, strlen(why)));
  add(data, &line, sizeof line);
  add(data, why, strlen(why));
}

static void check_object(const char *text, size_t length) {
  FUZZ_HOLDS(json_scan(text, length, JSON_DEPTH + 2, NULL, NULL) == 0);
  FUZZ_HOLDS(text[0] == '{' && text[length] == '\0');
}

static void check_row(const person_row *row, outcome *o) {
  FUZZ_HOLDS(row->id_length > 0 && strlen(row->id) == row->id_length && utf8_valid(row->id, row->id_length));
  FUZZ_HOLDS(row->line > 0);
  check_object(row->profile, row->profile_length);
  check_object(row->event, row->event_length);
  add(o, row->id, row->id_length);
  add(o, row->profile, row->profile_length);
  add(o, row->event, row->event_length);
  add(o, &row->line, sizeof row->line);
}

static outcome read_all(const char *path, size_t chunk) {
  outcome o = {.status = -2};
  error err = {""};
  person_row row;
  audience_options options = {.path = path, .rejected = note_rejected, .data = &o};
  audience *a = audience_open_chunked(&options, chunk, &err);
  if (a) {
    while ((o.status = audience_next(a, &row, &err)) == 1) check_row(&row, &o);
    o.counts = audience_count(a);
    audience_close(a);
  }
  FUZZ_HOLDS(o.status == 0 || err.text[0]);
  return o;
}

static uint64_t sum_of(const uint64_t *counts, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += counts[i];
  return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  char path[64];
  int fd = memfd_create("people", MFD_CLOEXEC);
  FUZZ_HOLDS(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  outcome whole = read_all(path, 65536), pieces = read_all(path, 1 + length % 7);
  FUZZ_HOLDS(whole.status == pieces.status && whole.sum == pieces.sum);
  FUZZ_HOLDS(whole.counts.people == pieces.counts.people && whole.counts.rejected == pieces.counts.rejected);
  FUZZ_HOLDS(sum_of(whole.counts.by_reason, REJECT_REASONS) == whole.counts.rejected);
  if (whole.status == 0) FUZZ_HOLDS(whole.counts.bytes_read == length);
  close(fd);
  return 0;
}
