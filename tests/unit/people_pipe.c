/* A pipe that stops in the midst of a row: wherever that is, the reader is told "later", nothing is lost or taken
 * twice, and the people are those of the same bytes in a file. */
#include <fcntl.h>

#include "people_reading.h"

static void note_person(reading *r, const person_row *row) {
  buf_format(&r->people, "%llu %s %s %s\n", (unsigned long long)row->line, row->id, row->profile, row->event);
}

static void put(int fd, const char *bytes, size_t length) {
  assert_int_equal(write(fd, bytes, length), length);
}

/* Reads until the pipe gives nothing; returns what audience_next said then. */
static int drain(reading *r, audience *a) {
  person_row row;
  int status;
  while ((status = audience_next(a, &row, &r->err)) == 1) note_person(r, &row);
  return status;
}

/* Reads `text` from standard input, of which what follows `split` bytes comes only when the rest was read. */
static void read_split(reading *r, const char *text, size_t length, size_t split) {
  int ends[2], standard = dup(STDIN_FILENO);
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  put(ends[1], text, split);
  audience *a = audience_open(
      &(audience_options){
          .path = "-", .rejects_path = r->rejects_path, .rejected = reading_note_rejected, .data = r},
      &r->err);
  assert_non_null(a);
  assert_int_equal(drain(r, a), AUDIENCE_LATER);
  put(ends[1], text + split, length - split);
  close(ends[1]);
  r->status = drain(r, a);
  r->counts = audience_count(a);
  audience_close(a);
  dup2(standard, STDIN_FILENO);
  close(standard);
  close(ends[0]);
  reading_load(&r->rejects, r->rejects_path);
}

static void assert_same_texts(const buf *a, const buf *b) {
  assert_int_equal(a->len, b->len);
  if (a->len) assert_memory_equal(a->data, b->data, a->len);
}

/* Every place where `text` can be split. */
static void check(const char *text) {
  size_t length = strlen(text);
  reading whole;
  reading_init(&whole);
  reading_save(whole.input, text, length);
  reading_run(&whole, NULL, 0);
  assert_int_equal(whole.status, 0);
  for (size_t split = 0; split <= length; split++) {
    reading parts;
    reading_init(&parts);
    read_split(&parts, text, length, split);
    assert_int_equal(parts.status, 0);
    assert_same_texts(&parts.people, &whole.people);
    assert_same_texts(&parts.rejected, &whole.rejected);
    assert_same_texts(&parts.rejects, &whole.rejects);
    assert_int_equal(parts.counts.people, whole.counts.people);
    assert_string_equal(parts.counts.format, whole.counts.format);
    reading_end(&parts);
  }
  reading_end(&whole);
}

static void csv_may_stop_anywhere(void **state) {
  (void)state;
  check("\xEF\xBB\xBFid,n\r\n\"\xC3\xA4\",\"a\r\n\"\"b\"\r\n,x\r\nc,\xF0\x9F\x8E\x81");
}

static void ndjson_may_stop_anywhere(void **state) {
  (void)state;
  check("\n{\"id\":\"\xC3\xA4\"}\r\n{\"id\":\n{\"id\":2,\"event\":{}}");
}

static void an_array_may_stop_anywhere(void **state) {
  (void)state;
  check(" [{\"id\":\"},\"} ,\n{\"no\":[1]},{\"id\":\"\\\"\xC3\xA4\"}\n] ");
}

static void a_pipe_without_anything_is_an_empty_audience_in_the_end(void **state) {
  (void)state;
  check("");
}

/* A row above the bound is given up in parts, and those may come late as well. */
static void a_row_that_is_too_long_may_stop_too(void **state) {
  (void)state;
  enum { PIECE = 1024 * 1024, LONG = 17 * PIECE };
  static char piece[PIECE];
  reading r;
  reading_init(&r);
  int ends[2], standard = dup(STDIN_FILENO);
  assert_int_equal(pipe(ends), 0);
  dup2(ends[0], STDIN_FILENO);
  assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, PIECE), PIECE);
  put(ends[1], "id,n\n", 5);
  audience *a = audience_open(
      &(audience_options){
          .path = "-", .rejects_path = r.rejects_path, .rejected = reading_note_rejected, .data = &r},
      &r.err);
  assert_non_null(a);
  memset(piece, 'x', sizeof piece);
  assert_int_equal(drain(&r, a), AUDIENCE_LATER);
  for (size_t sent = 0; sent < LONG; sent += PIECE) {
    put(ends[1], piece, PIECE);
    assert_int_equal(drain(&r, a), AUDIENCE_LATER);
  }
  put(ends[1], "\nb,2\n", 5);
  close(ends[1]);
  r.status = drain(&r, a);
  assert_int_equal(r.status, 0);
  assert_int_equal(audience_count(a).rejected, 1);
  assert_int_equal(audience_count(a).by_reason[REJECT_TOO_LONG], 1);
  audience_close(a);
  dup2(standard, STDIN_FILENO);
  close(standard);
  close(ends[0]);
  assert_string_equal(buf_text(&r.people), "3 b {\"id\":\"b\",\"n\":\"2\"} {}\n");
  reading_load(&r.rejects, r.rejects_path);
  assert_int_equal(r.rejects.len, 5 + LONG + 1);
  reading_end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(csv_may_stop_anywhere),
      cmocka_unit_test(ndjson_may_stop_anywhere),
      cmocka_unit_test(an_array_may_stop_anywhere),
      cmocka_unit_test(a_pipe_without_anything_is_an_empty_audience_in_the_end),
      cmocka_unit_test(a_row_that_is_too_long_may_stop_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
