/* The audience as a whole: recognising, files that cannot be read, pipes, borders of chunks, hostile strings.
 */
#include "unit/people_reading.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/hash.h"
#include "base/json.h"

static audience *open_path(const char *path, const char *rejects_path, error *err) {
  audience_options options = {.path = path, .rejects_path = rejects_path};
  return audience_open(&options, err);
}

/* ---- recognising ---- */

static void the_format_is_seen_in_the_content(void **state) {
  (void)state;
  static const struct {
    const char *text, *format;
    unsigned people;
  } cases[] = {
      {"id,name\n1,Ada\n", "csv", 1},
      {"id;name\n1;Ada\n", "csv", 1},
      {"id\tname\n1\tAda\n", "tsv", 1},
      {"{\"id\":1}\n", "ndjson", 1},
      {"[{\"id\":1}]", "json", 1},
      {" \n\t [ {\"id\":1} ]", "json", 1},
      {"\xEF\xBB\xBFid,a\n1,b\n", "csv", 1},
      {"\xEF\xBB\xBF{\"id\":1}", "ndjson", 1},
      {"\xEF\xBB\xBF[{\"id\":1}]", "json", 1},
      {"id\n", "csv", 0},
      {"", "empty", 0},
      {" \n\n\t", "empty", 0},
      {"\xEF\xBB\xBF", "empty", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    reading r = reading_of(cases[i].text);
    if (r.status != 0) fail_msg("%s: %s", cases[i].text, r.err.text);
    assert_string_equal(r.counts.format, cases[i].format);
    assert_int_equal(r.counts.people, cases[i].people);
    assert_int_equal(r.counts.rejected, 0);
    reading_end(&r);
  }
}

static void what_is_no_text_in_utf8_is_refused_in_words(void **state) {
  (void)state;
  expect_refused("\xFF\xFEi\0d\0\n\0", 8, NULL,
                 "people is UTF-16, not UTF-8: in Excel save it as \"CSV UTF-8\"");
  expect_refused("\xFE\xFF\0i\0d\0\n", 8, NULL, "iconv -f UTF-16 -t UTF-8");
  expect_refused("i\0d\0,\0a\0\n\0", 10, NULL, "UTF-16 without a mark");
  expect_refused("PK\x03\x04....", 8, NULL, "is an Excel workbook");
  expect_refused("\x1F\x8B\x08\x00", 4, NULL, "gunzip -c FILE | jaunt ... --people -");
}

/* ---- files ---- */

static void a_file_that_is_not_there_is_told_by_its_path(void **state) {
  (void)state;
  error err;
  assert_null(open_path("/nowhere/people.csv", NULL, &err));
  assert_string_equal(err.text, "there is no file /nowhere/people.csv");
}

static void what_cannot_be_read_is_told_by_its_path(void **state) {
  (void)state;
  error err;
  assert_null(open_path("/tmp", NULL, &err));
  assert_string_equal(err.text, "cannot read /tmp: Is a directory");
}

static void rejects_that_cannot_be_written_are_an_error_that_stays(void **state) {
  (void)state;
  reading r;
  reading_init(&r);
  reading_save(r.input, "id\n1\n1\n2\n", 9);
  audience *a = open_path(r.input, "/nowhere/rejects.csv", &r.err);
  assert_non_null(a);
  person_row row;
  assert_int_equal(audience_next(a, &row, &r.err), 1);
  assert_int_equal(audience_next(a, &row, &r.err), -1);
  assert_string_equal(r.err.text,
                      "cannot write the rejected rows to /nowhere/rejects.csv: No such file or directory");
  r.err.text[0] = '\0';
  assert_int_equal(audience_next(a, &row, &r.err), -1);
  assert_non_null(strstr(r.err.text, "/nowhere/rejects.csv"));
  audience_close(a);
  reading_end(&r);
}

static void a_full_disk_is_told_at_the_end(void **state) {
  (void)state;
  if (access("/dev/full", W_OK) != 0) skip();
  reading r;
  reading_init(&r);
  reading_save(r.input, "id\n1\n1\n", 7);
  audience *a = open_path(r.input, "/dev/full", &r.err);
  person_row row;
  assert_int_equal(audience_next(a, &row, &r.err), 1);
  assert_int_equal(audience_next(a, &row, &r.err), -1);
  assert_non_null(strstr(r.err.text, "cannot write the rejected rows to /dev/full: No space left"));
  audience_close(a);
  reading_end(&r);
}

static void the_rejects_file_cannot_be_the_file_that_is_read(void **state) {
  (void)state;
  reading r;
  reading_init(&r);
  reading_save(r.input, "id\n1\n1\n", 7);
  assert_int_equal(symlink(r.input, r.rejects_path), 0);
  assert_null(open_path(r.input, r.rejects_path, &r.err));
  assert_non_null(strstr(r.err.text, "cannot be both read and the rejects file"));
  reading_load(&r.people, r.input);
  assert_int_equal(r.people.len, 7);
  reading_end(&r);
}

static void the_rejects_file_is_its_owners_alone(void **state) {
  (void)state;
  reading r = reading_of("id\n1\n1\n");
  struct stat facts;
  assert_int_equal(stat(r.rejects_path, &facts), 0);
  assert_int_equal(facts.st_mode & 0777, 0600);
  reading_end(&r);
}

static void standard_input_is_waited_for(void **state) {
  (void)state;
  int ends[2], kept = dup(STDIN_FILENO);
  assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
  pid_t writer = fork();
  assert_true(writer >= 0);
  if (writer == 0) _exit(write(ends[1], "id,name\n1,Ada\n", 14) == 14 ? 0 : 1);
  close(ends[1]);
  dup2(ends[0], STDIN_FILENO);
  close(ends[0]);
  error err;
  person_row row;
  audience *a = open_path("-", NULL, &err);
  assert_non_null(a);
  assert_int_equal(audience_next(a, &row, &err), 1);
  assert_string_equal(row.profile, "{\"id\":\"1\",\"name\":\"Ada\"}");
  assert_int_equal(audience_next(a, &row, &err), 0);
  assert_int_equal(audience_count(a).bytes_total, 0);
  assert_int_equal(audience_count(a).bytes_read, 14);
  audience_close(a);
  assert_int_equal(waitpid(writer, NULL, 0), writer);
  dup2(kept, STDIN_FILENO);
  close(kept);
}

static void every_reason_has_a_name(void **state) {
  (void)state;
  for (int i = 0; i < REJECT_REASONS; i++) {
    assert_string_not_equal(reject_reason_name((reject_reason)i), "unknown");
  }
}

/* ---- borders of chunks ---- */

static void expect_same_at_every_chunk(const char *text) {
  reading whole = reading_of(text);
  for (size_t chunk = 1; chunk < 40; chunk++) {
    reading r = reading_of_bytes(text, strlen(text), NULL, chunk);
    assert_int_equal(r.status, whole.status);
    assert_string_equal(r.people.data, whole.people.data);
    assert_string_equal(r.rejected.data, whole.rejected.data);
    assert_string_equal(r.rejects.data, whole.rejects.data);
    assert_string_equal(r.counts.format, whole.counts.format);
    reading_end(&r);
  }
  reading_end(&whole);
}

static void where_a_read_ends_makes_no_difference(void **state) {
  (void)state;
  expect_same_at_every_chunk(
      "\xEF\xBB\xBF\r\n\"id\",name,\"event.x\"\r\n1,\"A\r\nda\",x\r\n2,\"B\"\"ob\",\"ü\"\r\n"
      ",no,id\r\n1,twice,\r\n3,Bro\"ken,\r\n4,\"open\r\n5,few\r\n6,last,€");
  expect_same_at_every_chunk("id\tname\r1\t\"a\rb\"\r2\tb\r2\tc\r\r");
  expect_same_at_every_chunk("\n{\"id\":1,\"name\":\"ü\\n\"}\r\n{\"id\":2,\n\n{\"id\":1}\n{\"id\":\"€\"}");
  expect_same_at_every_chunk(
      " [ {\"id\":1,\"o\":{\"a\":[1,\"]\\\"}\"]}} ,\n{\"id\":1},{\"id\":},12,{\"id\":\"€\"\n} ] \n ");
}

/* ---- hostile strings ---- */

/* The strings of blns.json; false where it is absent. */
static bool load_hostile(buf *text) {
  const char *folder = getenv("JAUNT_DATA");
  char path[1024];
  snprintf(path, sizeof path, "%s/people/blns.json", folder ? folder : "../shared/data");
  reading_load(text, path);
  return text->len > 0;
}

typedef enum style { STYLE_CSV, STYLE_NDJSON } style;

static void add_row(buf *rows, style how, size_t number, const char *bytes, size_t length) {
  buf_format(rows, how == STYLE_CSV ? "%zu,\"" : "{\"id\":%zu,\"name\":", number);
  if (how == STYLE_NDJSON) {
    json_write_string(rows, bytes, length);
    buf_char(rows, '}');
  } else {
    for (size_t i = 0; i < length; i++) {
      if (bytes[i] == '"') buf_char(rows, '"');
      buf_char(rows, bytes[i]);
    }
    buf_char(rows, '"');
  }
  buf_char(rows, '\n');
}

static void expect_names_unharmed(style how, const buf *text) {
  const char *end = text->data + text->len, *at = json_read_start(text->data, end) + 1;
  buf scratch = BUF_EMPTY, rows = BUF_EMPTY, wanted = BUF_EMPTY, profiles = BUF_EMPTY;
  if (how == STYLE_CSV) buf_text_add(&rows, "id,name\n");
  size_t count = 0;
  for (at = json_read_start(at, end); *at == '"'; at = json_read_start(at + (*at == ','), end)) {
    const char *bytes;
    size_t length;
    at = json_read_start(json_read_string(at, end, &scratch, &bytes, &length), end);
    add_row(&rows, how, count++, bytes, length);
    buf_char(&wanted, '|');
    if (length > 0 || how == STYLE_NDJSON) json_write_string(&wanted, bytes, length);
  }
  reading r;
  reading_init(&r);
  reading_save(r.input, rows.data, rows.len);
  error err;
  audience *a = open_path(r.input, r.rejects_path, &err);
  assert_non_null(a);
  person_row row;
  static const char name[] = "\"name\":";
  while (audience_next(a, &row, &err) == 1) {
    assert_int_equal(json_scan(row.profile, row.profile_length, JSON_DEPTH, NULL, &err), 0);
    const char *value = strstr(row.profile, name);
    buf_char(&profiles, '|');
    if (!value) continue;
    value += sizeof name - 1;
    const char *behind =
        json_read_string(value, row.profile + row.profile_length, &scratch, &(const char *){0}, &(size_t){0});
    buf_add(&profiles, value, (size_t)(behind - value));
  }
  assert_int_equal(audience_count(a).people, count);
  assert_true(count > 400);
  assert_string_equal(buf_text(&profiles), buf_text(&wanted));
  audience_close(a);
  reading_end(&r);
  buf_free(&scratch);
  buf_free(&rows);
  buf_free(&wanted);
  buf_free(&profiles);
}

static void strings_that_break_software_pass_unharmed(void **state) {
  (void)state;
  buf text = BUF_EMPTY;
  if (!load_hostile(&text)) {
    print_message("skipped: people/blns.json is not in the data folder (JAUNT_DATA)\n");
    buf_free(&text);
    skip();
  }
  expect_names_unharmed(STYLE_CSV, &text);
  expect_names_unharmed(STYLE_NDJSON, &text);
  buf_free(&text);
}

/* ---- bytes that mean nothing ---- */

static void no_bytes_are_read_as_more_than_they_are(void **state) {
  (void)state;
  static const char *const pieces[] = {
      "id",  ",", "\t",   "\"", "\n",   "\r", "{",        "}",      "[",      "]",         ":",          "\\",
      "\\u", "1", "\xFF", "ü",  "null", " ",  "\"id\":1", "event.", "id,a\n", "[{\"id\":", "{\"id\":\"x"};
  uint64_t dice = 7;
  for (int round = 0; round < 3000; round++) {
    buf text = BUF_EMPTY;
    for (uint64_t left = random_next(&dice) % 60; left > 0; left--)
      buf_text_add(&text, pieces[random_next(&dice) % (sizeof pieces / sizeof *pieces)]);
    buf_text(&text);
    reading r = reading_of_bytes(text.data, text.len, NULL, 1 + random_next(&dice) % 64);
    if (r.status != -2) {
      assert_true(r.counts.bytes_read <= text.len);
      if (r.status == 0) assert_int_equal(r.counts.bytes_read, text.len);
      assert_true(r.rejected.len > 0 || r.counts.rejected == 0);
    }
    reading_end(&r);
    buf_free(&text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_format_is_seen_in_the_content),
      cmocka_unit_test(what_is_no_text_in_utf8_is_refused_in_words),
      cmocka_unit_test(a_file_that_is_not_there_is_told_by_its_path),
      cmocka_unit_test(what_cannot_be_read_is_told_by_its_path),
      cmocka_unit_test(rejects_that_cannot_be_written_are_an_error_that_stays),
      cmocka_unit_test(a_full_disk_is_told_at_the_end),
      cmocka_unit_test(the_rejects_file_cannot_be_the_file_that_is_read),
      cmocka_unit_test(the_rejects_file_is_its_owners_alone),
      cmocka_unit_test(standard_input_is_waited_for),
      cmocka_unit_test(every_reason_has_a_name),
      cmocka_unit_test(where_a_read_ends_makes_no_difference),
      cmocka_unit_test(strings_that_break_software_pass_unharmed),
      cmocka_unit_test(no_bytes_are_read_as_more_than_they_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
