/* NDJSON and JSON arrays: what becomes of each row, and what is written to the rejects file. */
#include "unit/people_reading.h"

static void a_row_is_an_object_with_an_id(void **state) {
  (void)state;
  reading r = reading_of(
      "{\"id\":\"a\",\"age\":36,\"tags\":[],\"price\":1.50}\n\n{\"n\":12345678901234567890, \"id\" : 7}");
  assert_string_equal(r.people.data, "1 a {\"age\":36,\"tags\":[],\"price\":1.50,\"id\":\"a\"} {}\n"
                                     "3 7 {\"n\":12345678901234567890,\"id\":\"7\"} {}\n");
  assert_string_equal(r.counts.format, "ndjson");
  reading_end(&r);
}

static void an_array_holds_the_same_rows(void **state) {
  (void)state;
  reading r =
      reading_of(" [\n  {\"id\":\"a\",\n   \"note\":\"] , }\"}\n ,{\"id\":-3,\"o\":{\"x\":[1,{}]}}\n]\n");
  assert_string_equal(r.people.data, "2 a {\"note\":\"] , }\",\"id\":\"a\"} {}\n"
                                     "4 -3 {\"o\":{\"x\":[1,{}]},\"id\":\"-3\"} {}\n");
  assert_string_equal(r.counts.format, "json");
  assert_int_equal(r.counts.bytes_read, r.counts.bytes_total);
  reading_end(&r);
  r = reading_of("[]");
  assert_int_equal(r.status, 0);
  assert_string_equal(r.people.data, "");
  assert_string_equal(r.counts.format, "json");
  reading_end(&r);
}

static void event_members_make_the_event(void **state) {
  (void)state;
  expect_reading("{\"id\":1,\"event\":{ \"cart_id\":\"c7\", \"total\":9.5 },\"event.why\":[1]}\n"
                 "{\"id\":2,\"event\":{ }}\n{\"id\":3,\"event\":null}\n{\"id\":4,\"event.a\\nb\":true}\n",
                 NULL,
                 "1 1 {\"id\":\"1\"} {\"cart_id\":\"c7\", \"total\":9.5 ,\"why\":[1]}\n"
                 "2 2 {\"id\":\"2\"} {}\n"
                 "3 3 {\"id\":\"3\"} {}\n"
                 "4 4 {\"id\":\"4\"} {\"a\\nb\":true}\n",
                 "", "");
}

static void another_member_can_hold_the_id(void **state) {
  (void)state;
  expect_reading("{\"id\":1,\"email\":\"a@x.org\"}\n{\"email\":42}\n", "email",
                 "1 a@x.org {\"email\":\"a@x.org\",\"id\":\"a@x.org\"} {}\n"
                 "2 42 {\"email\":42,\"id\":\"42\"} {}\n",
                 "", "");
}

static void names_and_ids_are_read_through_their_escapes(void **state) {
  (void)state;
  expect_reading("{\"\\u0069d\":\"\\u00e4\\n\",\"\\u00fc\":1}\n", NULL,
                 "1 ä\n {\"\\u00fc\":1,\"id\":\"ä\\n\"} {}\n", "", "");
}

static void each_reason_is_told_with_its_line_and_the_row_is_kept_as_it_stood(void **state) {
  (void)state;
  reading r = reading_of("{\"id\":1}\r\n"
                         "{\"name\":\"Ada\"}\r\n"
                         "{\"id\":\"\"}\n"
                         "{\"id\":1.5}\n"
                         "{\"id\":null}\n"
                         "{\"id\":\"a\\u0000b\"}\n"
                         "{\"id\":\"1\"}\n"
                         "{\"id\":8,\"id\":9}\n"
                         "[1]\n"
                         "{\"id\":2,\"name\":}\n"
                         "{\"id\":3,\"name\":\"\xFF\"}\n"
                         "{\"id\":4,\"event\":\"none\"}\n"
                         "{\"id\":5,");
  assert_string_equal(r.people.data, "1 1 {\"id\":\"1\"} {}\n");
  assert_string_equal(
      r.rejected.data,
      "2 no id: there is no \"id\" in it\n"
      "3 no id\n"
      "4 the id must be a text or a whole number, not 1.5\n"
      "5 the id must be a text or a whole number, not null\n"
      "6 the id holds a NUL byte\n"
      "7 the id \"1\" was there before, on line 1\n"
      "8 two members are called \"id\"\n"
      "9 not a JSON object but a list\n"
      "10 not a JSON object: at its character 16: expected a value, found '}' (is there a comma too "
      "many?)\n"
      "11 not a JSON object: at its character 17: the text is not valid UTF-8\n"
      "12 \"event\" must be an object, not a text\n"
      "13 not a JSON object: at its character 9: expected a key in double quotes, but the text ends "
      "here\n");
  assert_string_equal(r.rejects.data, "{\"name\":\"Ada\"}\r\n{\"id\":\"\"}\n{\"id\":1.5}\n{\"id\":null}\n"
                                      "{\"id\":\"a\\u0000b\"}\n{\"id\":\"1\"}\n{\"id\":8,\"id\":9}\n[1]\n"
                                      "{\"id\":2,\"name\":}\n{\"id\":3,\"name\":\"\xFF\"}\n"
                                      "{\"id\":4,\"event\":\"none\"}\n{\"id\":5,");
  assert_int_equal(r.counts.by_reason[REJECT_NO_ID], 6);
  assert_int_equal(r.counts.by_reason[REJECT_DUPLICATE], 1);
  assert_int_equal(r.counts.by_reason[REJECT_JSON], 4);
  assert_int_equal(r.counts.by_reason[REJECT_UTF8], 1);
  reading_end(&r);
}

static void an_arrays_rejects_are_lines_that_can_be_fed_again(void **state) {
  (void)state;
  reading r = reading_of(
      "[{\"id\":1},\n {\"id\":1,\n  \"name\":\"Bob\"},\n {\"id\":2, \"x\":},\n 7, \"a,]\", {\"id\":3},\n"
      " {\"id\":\"4\xFF\"} ]");
  assert_string_equal(r.people.data, "1 1 {\"id\":\"1\"} {}\n5 3 {\"id\":\"3\"} {}\n");
  assert_string_equal(
      r.rejected.data,
      "2 the id \"1\" was there before, on line 1\n"
      "4 not a JSON object: at its character 14: expected a value, found '}' (is there a comma too "
      "many?)\n"
      "5 not a JSON object but a number\n"
      "5 not a JSON object but a text\n"
      "6 not a JSON object: at its character 9: the text is not valid UTF-8\n");
  assert_string_equal(r.rejects.data,
                      "{\"id\":1,   \"name\":\"Bob\"}\n{\"id\":2, \"x\":}\n7\n\"a,]\"\n{\"id\":\"4\xFF\"}\n");
  *strchr(r.rejects.data, '1') = '9';
  reading again = reading_of(r.rejects.data);
  assert_string_equal(again.people.data, "1 9 {\"name\":\"Bob\",\"id\":\"9\"} {}\n");
  assert_int_equal(again.counts.rejected, 4);
  reading_end(&again);
  reading_end(&r);
}

static void a_fault_within_an_element_is_told_by_the_files_line(void **state) {
  (void)state;
  expect_reading(
      "[\n{\"id\":1,\n \"a\": nul}\n,{\"id\":2}]", NULL, "4 2 {\"id\":\"2\"} {}\n",
      "2 not a JSON object: line 3, column 7: expected a value (its only words are true, false and null), "
      "found 'n'\n",
      "{\"id\":1,  \"a\": nul}\n");
}

static void a_quote_that_is_not_closed_ends_with_its_line(void **state) {
  (void)state;
  reading r = reading_of("[\n{\"id\":1,\"name\":\"Ada\n},\n{\"id\":2},}\n{\"id\":3}]");
  assert_int_equal(r.status, 0);
  assert_string_equal(r.people.data, "4 2 {\"id\":\"2\"} {}\n5 3 {\"id\":\"3\"} {}\n");
  assert_string_equal(r.rejects.data, "{\"id\":1,\"name\":\"Ada }\n}\n");
  assert_int_equal(r.counts.by_reason[REJECT_JSON], 2);
  reading_end(&r);
}

static void an_array_that_is_cut_off_is_an_error_after_its_people(void **state) {
  (void)state;
  reading r = reading_of("[{\"id\":1},\n");
  assert_int_equal(r.status, -1);
  assert_non_null(
      strstr(r.err.text, "people ends on line 2, before its array is closed: is the file cut off?"));
  assert_string_equal(r.people.data, "1 1 {\"id\":\"1\"} {}\n");
  reading_end(&r);
  r = reading_of("[{\"id\":1},\n{\"id\":2,\"na");
  assert_int_equal(r.status, -1);
  assert_string_equal(r.rejected.data,
                      "2 not a JSON object: the file ends within it, or a quote or bracket in it is "
                      "not closed\n");
  assert_string_equal(r.rejects.data, "{\"id\":2,\"na\n");
  reading_end(&r);
}

static void text_behind_an_array_is_an_error(void **state) {
  (void)state;
  reading r = reading_of("[{\"id\":1}]\n[{\"id\":2}]");
  assert_int_equal(r.status, -1);
  assert_non_null(strstr(r.err.text, "people:2: more text follows"));
  reading_end(&r);
}

static void objects_that_span_lines_are_refused_at_once(void **state) {
  (void)state;
  const char *text = "{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}\n";
  expect_refused(text, strlen(text), NULL,
                 "people:1: this object goes on in the next line; write one object on each line");
}

static void an_element_over_16_mib_is_rejected_and_reading_goes_on(void **state) {
  (void)state;
  size_t most = 16 * 1024 * 1024;
  const char *const formats[] = {"{\"id\":1}\n{\"id\":2,\"x\":\"%c", "[{\"id\":1},\n{\"id\":2,\"x\":\"%c"};
  const char *const tails[] = {"\"}\n{\"id\":3}\n", "\"},\n{\"id\":3}]"};
  for (int i = 0; i < 2; i++) {
    buf text = BUF_EMPTY;
    buf_format(&text, formats[i], 'x');
    memset(buf_room(&text, 2 * most), 'x', 2 * most);
    text.len += 2 * most;
    buf_text_add(&text, tails[i]);
    reading r = reading_of_bytes(text.data, text.len, NULL, 0);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.people.data, "1 1 {\"id\":\"1\"} {}\n3 3 {\"id\":\"3\"} {}\n");
    assert_int_equal(r.counts.by_reason[REJECT_TOO_LONG], 1);
    assert_int_equal(r.rejects.len, strlen("{\"id\":2,\"x\":\"x\"}\n") + 2 * most);
    assert_string_equal(r.rejects.data + r.rejects.len - 4, "x\"}\n");
    reading_end(&r);
    buf_free(&text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_is_an_object_with_an_id),
      cmocka_unit_test(an_array_holds_the_same_rows),
      cmocka_unit_test(event_members_make_the_event),
      cmocka_unit_test(another_member_can_hold_the_id),
      cmocka_unit_test(names_and_ids_are_read_through_their_escapes),
      cmocka_unit_test(each_reason_is_told_with_its_line_and_the_row_is_kept_as_it_stood),
      cmocka_unit_test(an_arrays_rejects_are_lines_that_can_be_fed_again),
      cmocka_unit_test(a_fault_within_an_element_is_told_by_the_files_line),
      cmocka_unit_test(a_quote_that_is_not_closed_ends_with_its_line),
      cmocka_unit_test(an_array_that_is_cut_off_is_an_error_after_its_people),
      cmocka_unit_test(text_behind_an_array_is_an_error),
      cmocka_unit_test(objects_that_span_lines_are_refused_at_once),
      cmocka_unit_test(an_element_over_16_mib_is_rejected_and_reading_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
