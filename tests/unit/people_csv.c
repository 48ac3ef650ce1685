/* CSV and TSV: what becomes of each row, and what is written to the rejects file. */
#include "unit/people_reading.h"

#include "base/hash.h"
#include "base/json.h"

/* ---- rows that can be used ---- */

static void cells_are_strings_and_empty_ones_are_absent(void **state) {
  (void)state;
  expect_reading("id,name,age,city\n1,Ada,36,\n2,,,\"\"\n", NULL,
                 "2 1 {\"id\":\"1\",\"name\":\"Ada\",\"age\":\"36\"} {}\n"
                 "3 2 {\"id\":\"2\"} {}\n",
                 "", "");
}

static void event_columns_make_the_event(void **state) {
  (void)state;
  expect_reading("event.cart_id,id,event.total,name\nc7,1,9.50,Ada\n,2,,Bob\n", NULL,
                 "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {\"cart_id\":\"c7\",\"total\":\"9.50\"}\n"
                 "3 2 {\"id\":\"2\",\"name\":\"Bob\"} {}\n",
                 "", "");
}

static void another_column_can_hold_the_id(void **state) {
  (void)state;
  expect_reading("email,name\na@x.org,Ada\n", "email",
                 "2 a@x.org {\"email\":\"a@x.org\",\"name\":\"Ada\",\"id\":\"a@x.org\"} {}\n", "", "");
}

static void the_profiles_id_is_the_id_that_was_asked_for(void **state) {
  (void)state;
  expect_reading("id,email\n7,a@x.org\n", "email",
                 "2 a@x.org {\"email\":\"a@x.org\",\"id\":\"a@x.org\"} {}\n", "", "");
}

static void tabs_and_semicolons_part_cells_where_the_header_says_so(void **state) {
  (void)state;
  reading r = reading_of("id\tname, first\n1\tAda, Countess\n");
  assert_string_equal(r.people.data, "2 1 {\"id\":\"1\",\"name, first\":\"Ada, Countess\"} {}\n");
  assert_string_equal(r.counts.format, "tsv");
  reading_end(&r);
  r = reading_of("id;name;sum\n1;Ada;9,50\n");
  assert_string_equal(r.people.data, "2 1 {\"id\":\"1\",\"name\":\"Ada\",\"sum\":\"9,50\"} {}\n");
  assert_string_equal(r.counts.format, "csv");
  reading_end(&r);
  r = reading_of("id\n1\n2");
  assert_string_equal(r.people.data, "2 1 {\"id\":\"1\"} {}\n3 2 {\"id\":\"2\"} {}\n");
  reading_end(&r);
}

static void carriage_returns_end_lines_in_all_their_habits(void **state) {
  (void)state;
  const char *people = "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n3 2 {\"id\":\"2\",\"name\":\"Bob\"} {}\n";
  expect_reading("id,name\r\n1,Ada\r\n2,Bob\r\n", NULL, people, "", "");
  expect_reading("id,name\r\n1,\"Ada\"\r\n2,Bob", NULL, people, "", "");
  expect_reading("id,name\r1,Ada\r2,Bob\r", NULL, people, "", "");
  expect_reading("id,name\r1,Ada\r2,Bob", NULL, people, "", "");
  expect_reading("id,name\n1,Ada\r\n2,Bob\r", NULL, people, "", "");
}

static void quoted_cells_hold_newlines_quotes_and_separators(void **state) {
  (void)state;
  expect_reading("id,note\n1,\"two\nlines, \"\"quoted\"\"\"\n2,\"a\r\n\r\nb\"\n3,c\n", NULL,
                 "2 1 {\"id\":\"1\",\"note\":\"two\\nlines, \\\"quoted\\\"\"} {}\n"
                 "4 2 {\"id\":\"2\",\"note\":\"a\\r\\n\\r\\nb\"} {}\n"
                 "7 3 {\"id\":\"3\",\"note\":\"c\"} {}\n",
                 "", "");
}

static void spaces_belong_to_the_cell_but_not_to_a_columns_name(void **state) {
  (void)state;
  expect_reading(" id , name \n1, Ada \n", NULL, "2 1 {\"id\":\"1\",\"name\":\" Ada \"} {}\n", "", "");
}

static void empty_lines_are_no_rows(void **state) {
  (void)state;
  expect_reading("\n \nid,name\n\n1,Ada\n\r\n   \n2,Bob\n\n", NULL,
                 "5 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n8 2 {\"id\":\"2\",\"name\":\"Bob\"} {}\n", "", "");
}

static void a_column_without_a_name_is_passed_over(void **state) {
  (void)state;
  expect_reading(",id,name,\n0,1,Ada,x\n", NULL, "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n", "", "");
  expect_reading("\tid\tname\n0\t1\tAda\n", NULL, "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n", "", "");
}

/* ---- rows that cannot ---- */

static void each_reason_is_told_with_its_line_and_the_row_is_kept_as_it_stood(void **state) {
  (void)state;
  reading r = reading_of("id,name\r\n"
                         "1,Ada\r\n"
                         ",Nobody\r\n"            /* 3 */
                         "1,\"Ada\r\nagain\"\r\n" /* 4 and 5 */
                         "2,Bo\"b\r\n"            /* 6 */
                         "3,a,b\r\n"              /* 7 */
                         "4\n"                    /* 8 */
                         "5,\xFFugo\r\n"          /* 9 */
                         "6,Eve");
  assert_string_equal(r.people.data, "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n"
                                     "10 6 {\"id\":\"6\",\"name\":\"Eve\"} {}\n");
  assert_string_equal(
      r.rejected.data,
      "3 no id\n"
      "4 the id \"1\" was there before, on line 2\n"
      "6 broken quoting at character 5: a cell that holds a quote stands in quotes as a whole, and "
      "quotes in it are doubled\n"
      "7 3 fields where the header has 2\n"
      "8 1 field where the header has 2\n"
      "9 the column \"name\" is not valid UTF-8 here\n");
  assert_string_equal(r.rejects.data,
                      "id,name\r\n,Nobody\r\n1,\"Ada\r\nagain\"\r\n2,Bo\"b\r\n3,a,b\r\n4\n5,\xFFugo\r\n");
  assert_int_equal(r.counts.people, 2);
  assert_int_equal(r.counts.rejected, 6);
  assert_int_equal(r.counts.by_reason[REJECT_NO_ID], 1);
  assert_int_equal(r.counts.by_reason[REJECT_DUPLICATE], 1);
  assert_int_equal(r.counts.by_reason[REJECT_QUOTING], 1);
  assert_int_equal(r.counts.by_reason[REJECT_FIELDS], 2);
  assert_int_equal(r.counts.by_reason[REJECT_UTF8], 1);
  assert_int_equal(r.counts.bytes_read, r.counts.bytes_total);
  reading_end(&r);
}

static void a_quote_that_is_never_closed_costs_one_row(void **state) {
  (void)state;
  expect_reading("id,name\n1,\"Ada\n2,Bob\n3,Eve\n", NULL,
                 "3 2 {\"id\":\"2\",\"name\":\"Bob\"} {}\n4 3 {\"id\":\"3\",\"name\":\"Eve\"} {}\n",
                 "2 broken quoting: a quote is opened here and never closed\n", "id,name\n1,\"Ada\n");
  expect_reading(
      "id,name\n1,\"Ada\n2,Bob\n3,\"Eve\"\n", NULL,
      "3 2 {\"id\":\"2\",\"name\":\"Bob\"} {}\n4 3 {\"id\":\"3\",\"name\":\"Eve\"} {}\n",
      "2 broken quoting: a quote is opened here, and what would close it stands amid text on line 4\n",
      "id,name\n1,\"Ada\n");
  expect_reading("id,name\n1,Ada\n2,\"Bob", NULL, "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n",
                 "3 broken quoting: a quote is opened here and never closed\n", "id,name\n2,\"Bob");
}

static void a_line_end_of_another_kind_must_be_quoted(void **state) {
  (void)state;
  expect_reading(
      "id,name\n1,A\rda\n2,\"B\rob\"\n", NULL, "3 2 {\"id\":\"2\",\"name\":\"B\\rob\"} {}\n",
      "2 broken quoting: a cell holds a line end of another kind than the file's lines have; such a cell "
      "must stand in quotes\n",
      "id,name\n1,A\rda\n");
}

static void a_nul_is_refused_in_an_id_and_kept_in_a_value(void **state) {
  (void)state;
  static const char text[] = "id,name\n1\0,Ada\n2,B\0b\n";
  reading r = reading_of_bytes(text, sizeof text - 1, NULL, 0);
  assert_string_equal(r.people.data, "3 2 {\"id\":\"2\",\"name\":\"B\\u0000b\"} {}\n");
  assert_string_equal(r.rejected.data, "2 the id holds a NUL byte\n");
  assert_memory_equal(r.rejects.data, "id,name\n1\0,Ada\n", 15);
  assert_int_equal(r.counts.by_reason[REJECT_NO_ID], 1);
  reading_end(&r);
}

static void what_is_said_of_an_id_cannot_steer_a_terminal(void **state) {
  (void)state;
  expect_reading("id\n\x1B[2Jx\n\x1B[2Jx\n", NULL, "2 \x1B[2Jx {\"id\":\"\\u001b[2Jx\"} {}\n",
                 "3 the id \"?[2Jx\" was there before, on line 2\n", "id\n\x1B[2Jx\n");
}

static void a_row_over_16_mib_is_rejected_and_reading_goes_on(void **state) {
  (void)state;
  size_t most = 16 * 1024 * 1024;
  buf text = BUF_EMPTY;
  buf_text_add(&text, "id,name\n1,Ada\n2,");
  memset(buf_room(&text, 2 * most + 5), 'x', 2 * most + 5);
  text.len += 2 * most + 5;
  buf_text_add(&text, "\n3,Eve\n");
  reading r = reading_of_bytes(text.data, text.len, NULL, 0);
  assert_string_equal(r.people.data,
                      "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n4 3 {\"id\":\"3\",\"name\":\"Eve\"} {}\n");
  assert_string_equal(r.rejected.data, "3 the row is longer than 16 MiB\n");
  assert_int_equal(r.counts.by_reason[REJECT_TOO_LONG], 1);
  assert_int_equal(r.rejects.len, strlen("id,name\n") + strlen("2,") + 2 * most + 5 + 1);
  assert_memory_equal(r.rejects.data, "id,name\n2,xxx", 13);
  assert_int_equal(r.rejects.data[r.rejects.len - 1], '\n');
  reading_end(&r);
  buf_free(&text);
}

static void an_open_quote_over_16_mib_costs_one_row_too(void **state) {
  (void)state;
  buf text = BUF_EMPTY;
  buf_text_add(&text, "id,name\nx,\"Ada\n");
  size_t people = 0;
  while (text.len < 17 * 1024 * 1024)
    buf_format(&text, "%zu,some quite ordinary name that takes its room\n", people++);
  reading r = reading_of_bytes(text.data, text.len, NULL, 0);
  assert_int_equal(r.counts.people, people);
  assert_string_equal(r.rejected.data,
                      "2 broken quoting: a quote is opened here and never closed within 16 MiB\n");
  assert_string_equal(r.rejects.data, "id,name\nx,\"Ada\n");
  reading_end(&r);
  buf_free(&text);
}

static void mended_rejects_can_be_fed_again(void **state) {
  (void)state;
  reading r = reading_of("\xEF\xBB\xBF\"id\";name\r\n1;Ada\r\n2;B\"ob\"\r\n1;Eve\r\n");
  assert_string_equal(r.people.data, "2 1 {\"id\":\"1\",\"name\":\"Ada\"} {}\n");
  assert_string_equal(r.rejects.data, "\xEF\xBB\xBF\"id\";name\r\n2;B\"ob\"\r\n1;Eve\r\n");
  memcpy(strstr(r.rejects.data, "B\"ob\""), "'Bob'", 5);
  memcpy(strstr(r.rejects.data, "1;Eve"), "3;Eve", 5);
  reading again = reading_of(r.rejects.data);
  assert_string_equal(again.people.data,
                      "2 2 {\"id\":\"2\",\"name\":\"'Bob'\"} {}\n3 3 {\"id\":\"3\",\"name\":\"Eve\"} {}\n");
  assert_int_equal(again.counts.rejected, 0);
  assert_int_not_equal(access(again.rejects_path, F_OK), 0);
  reading_end(&again);
  reading_end(&r);
}

/* ---- headers ---- */

static void expect_header_refused(const char *text, const char *id_column, const char *words) {
  expect_refused(text, strlen(text), id_column, words);
}

static void a_missing_id_column_is_told_with_those_there_are(void **state) {
  (void)state;
  expect_header_refused(
      "Customer ID,name\n1,Ada\n", NULL,
      "/people:1: there is no column \"id\" among those that the first line names: \"Customer "
      "ID\", \"name\". Is it \"Customer ID\"? Then say --id \"Customer ID\"");
  expect_header_refused("\n\nname,ID\n1,Ada\n", NULL, "people:3: there is no column \"id\"");
  expect_header_refused("name,ID\n1,Ada\n", NULL, "Then say --id ID");
  expect_header_refused("name,customerId,valid\n1,Ada\n", NULL, "Then say --id customerId");
  expect_header_refused("name,E-Mail\n1,Ada\n", "email", "Then say --id E-Mail");
  expect_header_refused("name,emial\n1,Ada\n", "email", "Then say --id emial");
  expect_header_refused("name,valid\n1,Ada\n", NULL,
                        "\"valid\". Name the one that holds the id: --id COLUMN");
}

static void a_header_that_cannot_be_right_is_refused(void **state) {
  (void)state;
  expect_header_refused("id,name, name\n1,a,b\n", NULL, "two columns are called \"name\"");
  expect_header_refused("id,na\xFFme\n1,a\n", NULL, "the name of column 2 is not valid UTF-8");
  expect_header_refused("id,\"name\n1,a\n", NULL, "a quote is opened in the header and never closed");
  expect_header_refused("id,na\"me\n1,a\n", NULL, "broken quoting in the header");
}

static void a_wide_header_is_listed_in_part(void **state) {
  (void)state;
  buf text = BUF_EMPTY;
  for (int i = 0; i < 500; i++)
    buf_format(&text, "a rather long name of a column, of which there are many %d,", i);
  reading r = reading_of(buf_text(&text));
  assert_int_equal(r.status, -2);
  assert_true(strlen(r.err.text) < ERROR_TEXT);
  reading_end(&r);
  buf_clear(&text);
  for (int i = 0; i < 500; i++) buf_format(&text, "column%d,", i);
  expect_header_refused(buf_text(&text), NULL, "\"column11\" and 489 more. Name the one that holds the id");
  buf_free(&text);
}

static void a_header_may_be_quoted_and_span_lines(void **state) {
  (void)state;
  expect_reading("\"id\",\"full\nname\"\n1,Ada\n,x\n", NULL,
                 "3 1 {\"id\":\"1\",\"full\\nname\":\"Ada\"} {}\n", "4 no id\n",
                 "\"id\",\"full\nname\"\n,x\n");
}

/* ---- what is written is read ---- */

static uint64_t dice = 20240229;

static size_t roll(size_t sides) {
  return (size_t)(random_next(&dice) % sides);
}

/* A string of what breaks CSV, of 0 to 11 pieces. */
static void add_hostile(buf *out) {
  static const char *const pieces[] = {
      ",",  ";", "\t",  "\"",   "\"\"", "\n", "\r\n", "\r", " ", "a", "ü", "\xE2\x80\xA8", "\xF0\x9F\x8E\x89",
      "\\", "{", "x,y", "\"q\""};
  for (size_t left = roll(12); left > 0; left--)
    buf_text_add(out, pieces[roll(sizeof pieces / sizeof *pieces)]);
}

static void add_csv_cell(buf *csv, const char *bytes, size_t length) {
  bool quotes = length == 0 ? roll(2) == 0 : strpbrk(bytes, ",;\t\"\r\n") != NULL || roll(4) == 0;
  if (quotes) buf_char(csv, '"');
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] == '"') buf_char(csv, '"');
    buf_char(csv, bytes[i]);
  }
  if (quotes) buf_char(csv, '"');
}

static void add_cell_and_member(buf *csv, buf *json, char parts, const char *name, buf *value) {
  buf_char(csv, parts);
  buf_text(value);
  add_csv_cell(csv, value->data, value->len);
  if (value->len == 0) return;
  buf_format(json, ",\"%s\":", name);
  assert_int_equal(json_write_string(json, value->data, value->len), 0);
}

static void strings_written_as_csv_are_read_unharmed(void **state) {
  (void)state;
  for (int round = 0; round < 60; round++) {
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    const char parts = ",;\t"[roll(3)], *end = ends[roll(3)];
    buf csv = BUF_EMPTY, profiles = BUF_EMPTY, value = BUF_EMPTY;
    buf_format(&csv, "id%ca%cb%s", parts, parts, end);
    for (int i = 0; i < 40; i++) {
      buf_format(&csv, "%d", i);
      buf_format(&profiles, "{\"id\":\"%d\"", i);
      for (int cell = 0; cell < 2; cell++) {
        buf_clear(&value);
        add_hostile(&value);
        add_cell_and_member(&csv, &profiles, parts, cell ? "b" : "a", &value);
      }
      buf_text_add(&csv, end);
      buf_text_add(&profiles, "} {}\n");
    }
    reading r = reading_of_bytes(csv.data, csv.len, NULL, 1 + roll(100));
    assert_string_equal(r.rejected.data, "");
    /* The lines' numbers and ids, which stand before the profiles, are left out of the comparison. */
    const char *at = r.people.data, *wanted = buf_text(&profiles);
    for (int i = 0; i < 40; i++) {
      at = strchr(at, '{');
      size_t length = (size_t)(strchr(wanted, '\n') + 1 - wanted);
      assert_memory_equal(at, wanted, length);
      at += length;
      wanted += length;
    }
    assert_string_equal(at, "");
    reading_end(&r);
    buf_free(&csv);
    buf_free(&profiles);
    buf_free(&value);
  }
}

/* ---- both ways to read a row ---- */

/* A row of random cells that hold no quotes, some of them too few, too many, or broken. */
static void add_row_behind_id(buf *out, const char *id, char parts, const char *end) {
  static const char *const pieces[] = {",",    ";",    "\t", "a",    " ",    "ü",  "\\",
                                       "\x01", "\x7F", "{}", "\xFF", "\xE2", "\r", "longer than eight bytes"};
  buf_text_add(out, id);
  for (size_t left = 2 + roll(8) / 7; left > 0; left--) {
    buf_char(out, parts);
    for (size_t more = roll(5); more > 0; more--)
      buf_text_add(out, pieces[roll(roll(4) ? 4 : sizeof pieces / sizeof *pieces)]);
    if (roll(40) == 0) buf_char(out, '\0');
  }
  buf_text_add(out, end);
}

/* Random rows under a header, each id as `format` has it; the same `seed` gives the same rows. */
static void make_rows(buf *out, uint64_t seed, const char *format) {
  static const char *const ends[] = {"\n", "\r\n", "\r"};
  dice = seed;
  const char parts = ",;\t"[roll(3)], *end = ends[roll(3)];
  buf_format(out, "id%ca%cevent.b%s", parts, parts, end);
  for (int i = 0; i < 40; i++) {
    char id[16];
    snprintf(id, sizeof id, format, i);
    add_row_behind_id(out, id, parts, i < 39 ? end : "");
  }
}

static void a_row_without_quotes_is_read_as_if_it_had_some(void **state) {
  (void)state;
  size_t people = 0, rejected = 0;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    buf bare = BUF_EMPTY, quoted = BUF_EMPTY;
    make_rows(&bare, seed, "%d");
    make_rows(&quoted, seed, "\"%d\"");
    reading a = reading_of_bytes(bare.data, bare.len, NULL, 1 + roll(200));
    reading b = reading_of_bytes(quoted.data, quoted.len, NULL, 0);
    assert_int_equal(a.people.len, b.people.len);
    assert_memory_equal(a.people.data, b.people.data, a.people.len);
    assert_string_equal(a.rejected.data, b.rejected.data);
    assert_memory_equal(a.counts.by_reason, b.counts.by_reason, sizeof a.counts.by_reason);
    people += a.counts.people;
    rejected += a.counts.rejected;
    reading_end(&a);
    reading_end(&b);
    buf_free(&bare);
    buf_free(&quoted);
  }
  assert_true(people > 1000 && rejected > 1000);
}

static audience_counts count_of(const char *path) {
  error err;
  audience *a = audience_open(&(audience_options){.path = path}, &err);
  assert_non_null(a);
  int status;
  while ((status = audience_skip(a, &err)) == 1) {}
  assert_int_equal(status, 0);
  audience_counts counts = audience_count(a);
  audience_close(a);
  return counts;
}

static void people_who_are_only_counted_are_the_same_people(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 50; seed++) {
    buf rows = BUF_EMPTY;
    make_rows(&rows, seed, seed % 2 ? "%d" : "\"%d\"");
    reading whole = reading_of_bytes(rows.data, rows.len, NULL, 0);
    audience_counts counted = count_of(whole.input);
    assert_int_equal(counted.people, whole.counts.people);
    assert_memory_equal(counted.by_reason, whole.counts.by_reason, sizeof counted.by_reason);
    reading_end(&whole);
    buf_free(&rows);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cells_are_strings_and_empty_ones_are_absent),
      cmocka_unit_test(event_columns_make_the_event),
      cmocka_unit_test(another_column_can_hold_the_id),
      cmocka_unit_test(the_profiles_id_is_the_id_that_was_asked_for),
      cmocka_unit_test(tabs_and_semicolons_part_cells_where_the_header_says_so),
      cmocka_unit_test(carriage_returns_end_lines_in_all_their_habits),
      cmocka_unit_test(quoted_cells_hold_newlines_quotes_and_separators),
      cmocka_unit_test(spaces_belong_to_the_cell_but_not_to_a_columns_name),
      cmocka_unit_test(empty_lines_are_no_rows),
      cmocka_unit_test(a_column_without_a_name_is_passed_over),
      cmocka_unit_test(each_reason_is_told_with_its_line_and_the_row_is_kept_as_it_stood),
      cmocka_unit_test(a_quote_that_is_never_closed_costs_one_row),
      cmocka_unit_test(a_line_end_of_another_kind_must_be_quoted),
      cmocka_unit_test(a_nul_is_refused_in_an_id_and_kept_in_a_value),
      cmocka_unit_test(what_is_said_of_an_id_cannot_steer_a_terminal),
      cmocka_unit_test(a_row_over_16_mib_is_rejected_and_reading_goes_on),
      cmocka_unit_test(an_open_quote_over_16_mib_costs_one_row_too),
      cmocka_unit_test(mended_rejects_can_be_fed_again),
      cmocka_unit_test(a_missing_id_column_is_told_with_those_there_are),
      cmocka_unit_test(a_header_that_cannot_be_right_is_refused),
      cmocka_unit_test(a_wide_header_is_listed_in_part),
      cmocka_unit_test(a_header_may_be_quoted_and_span_lines),
      cmocka_unit_test(strings_written_as_csv_are_read_unharmed),
      cmocka_unit_test(a_row_without_quotes_is_read_as_if_it_had_some),
      cmocka_unit_test(people_who_are_only_counted_are_the_same_people),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
