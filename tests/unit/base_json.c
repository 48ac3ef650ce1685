/* The JSON scanner, what takes accepted texts apart, and the writer of strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"

static int scan(const char *text, json_marks *marks, error *err) {
  return json_scan(text, strlen(text), JSON_DEPTH, marks, err);
}

static void accepted_texts_are_marked(void **state) {
  (void)state;
  static const struct {
    const char *text;
    json_marks marks;
  } cases[] = {
      {"null", {.depth = 0}},
      {" \"x\" \r\n\t", {.depth = 0}},
      {"0", {.integers = true}},
      {"-1", {.integers = true}},
      {"-0.5e+10", {.depth = 0}},
      {"9223372036854775807", {.integers = true}},
      {"-9223372036854775808", {.integers = true}},
      {"9223372036854775808", {.big_numbers = true}},
      {"-9223372036854775809", {.big_numbers = true}},
      {"1e5", {.depth = 0}},
      {"1e-999", {.depth = 0}},
      {"[]", {.empties = true, .arrays = true, .depth = 1}},
      {"{\"a\":[{ }]}", {.empties = true, .arrays = true, .depth = 3}},
      {"{\"a\":{\"b\":\"[\"}}", {.depth = 2}},
      {"{\"\\n\":1.5}", {.escapes = true, .depth = 1}},
      {"[[1],[true,false,null]]", {.integers = true, .arrays = true, .depth = 2}},
      {"\xEF\xBB\xBF{\"a\":\"\\ud83d\\ude00 \xF0\x9F\x98\x80\"}", {.escapes = true, .depth = 1}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_marks marks;
    error err = {""};
    if (scan(cases[i].text, &marks, &err) != 0) fail_msg("%s: %s", cases[i].text, err.text);
    assert_int_equal(marks.integers, cases[i].marks.integers);
    assert_int_equal(marks.big_numbers, cases[i].marks.big_numbers);
    assert_int_equal(marks.empties, cases[i].marks.empties);
    assert_int_equal(marks.arrays, cases[i].marks.arrays);
    assert_int_equal(marks.escapes, cases[i].marks.escapes);
    assert_int_equal(marks.depth, cases[i].marks.depth);
  }
}

static void refused_texts_are_told_with_line_and_column(void **state) {
  (void)state;
  static const struct {
    const char *text, *place, *words;
  } cases[] = {
      {"", "line 1, column 1: ", "the text ends here"},
      {"[1,\n 2,]", "line 2, column 4: ", "comma too many"},
      {"{\"\xC3\xA9\": x}", "line 1, column 7: ", "true, false and null"},
      {"{a:1}", "line 1, column 2: ", "double quotes"},
      {"{\"a\" 1}", "line 1, column 6: ", "':'"},
      {"['a']", "line 1, column 2: ", "double quotes"},
      {"[1 2]", "line 1, column 4: ", "',' or ']'"},
      {"{\"a\":1]", "line 1, column 7: ", "',' or '}'"},
      {"NaN", "line 1, column 1: ", "expected a value"},
      {"nulL", "line 1, column 1: ", "expected a value"},
      {"// x\n1", "line 1, column 1: ", "no comments"},
      {"1\n\n  2", "line 3, column 3: ", "end of the text"},
      {"\"a\tb\"", "line 1, column 3: ", "0x09"},
      {"\"\\x\"", "line 1, column 3: ", "after the backslash"},
      {"\"\\u12g4\"", "line 1, column 6: ", "hexadecimal"},
      {"\"ab\\ud800\"", "line 1, column 4: ", "surrogate"},
      {"\"\\ud800\\u0041\"", "line 1, column 2: ", "surrogate"},
      {"\"\\udc00\"", "line 1, column 2: ", "surrogate"},
      {"\"\xC0\x80\"", "line 1, column 2: ", "UTF-8"},
      {"\"\xED\xA0\x80\"", "line 1, column 2: ", "UTF-8"},
      {"01", "line 1, column 1: ", "begin with a 0"},
      {"-", "line 1, column 2: ", "digit"},
      {"1.", "line 1, column 3: ", "digit"},
      {"1e+", "line 1, column 4: ", "digit"},
      {"+1", "line 1, column 1: ", "digit"},
      {"[1e309]", "line 1, column 2: ", "too big"},
      {"\xEF\xBB\xBF]", "line 1, column 1: ", "expected a value"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    error err = {""};
    if (scan(cases[i].text, NULL, &err) == 0) fail_msg("accepted: %s", cases[i].text);
    bool told =
        strncmp(err.text, cases[i].place, strlen(cases[i].place)) == 0 && strstr(err.text, cases[i].words);
    if (!told) fail_msg("%s: %s", cases[i].text, err.text);
  }
}

static void nesting_is_bounded(void **state) {
  (void)state;
  enum { DEEP = 3000 };
  char *text = mem_alloc(2 * DEEP);
  error err;
  memset(text, '[', DEEP);
  memset(text + DEEP, ']', DEEP);
  const char *middle = text + DEEP;
  assert_int_equal(json_scan(middle - 256, 512, JSON_DEPTH, NULL, &err), 0);
  assert_int_equal(json_scan(middle - 257, 514, JSON_DEPTH, NULL, &err), -1);
  assert_string_equal(err.text, "line 1, column 257: nested more than 256 deep");
  assert_int_equal(json_scan(middle - 1024, 2048, 100000, NULL, &err), 0);
  assert_int_equal(json_scan(middle - 1025, 2050, 100000, NULL, &err), -1);
  assert_int_equal(json_scan("[]", 2, 0, NULL, &err), -1);
  assert_int_equal(json_scan("1", 1, 0, NULL, &err), 0);
  free(text);
}

/* ---- streams ---- */

static void a_stream_is_taken_value_by_value(void **state) {
  (void)state;
  static const char stream[] = " {\"a\":1}\n[2] 3\n\"four\"true ";
  static const size_t ends[] = {8, 12, 14, 21, 25};
  size_t at = 0;
  bool short_of;
  error err;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    size_t step = json_skip(stream + at, sizeof stream - 1 - at, JSON_DEPTH, &short_of, &err);
    assert_int_equal(at + step, ends[i]);
    assert_false(short_of);
    at += step;
  }
  assert_int_equal(json_skip(stream + at, sizeof stream - 1 - at, JSON_DEPTH, &short_of, &err), 0);
  assert_true(short_of);
}

static void a_value_that_is_cut_anywhere_wants_more(void **state) {
  (void)state;
  static const char text[] =
      "{\"k\xC3\xA9y\":[true,null,-1.5e+3,\"\\ud83d\\ude00\\n\xF0\x9F\x98\x80\"],\"n\":{}}";
  bool short_of;
  error err;
  for (size_t length = 0; length < sizeof text - 1; length++) {
    char *copy = mem_alloc(length);
    memcpy(copy, text, length);
    size_t step = json_skip(copy, length, JSON_DEPTH, &short_of, &err);
    if (step != 0 || !short_of) fail_msg("cut at %zu: %s", length, err.text);
    free(copy);
  }
  assert_int_equal(json_skip(text, sizeof text - 1, JSON_DEPTH, &short_of, &err), sizeof text - 1);
  assert_int_equal(json_skip("12", 2, JSON_DEPTH, &short_of, &err), 0);
  assert_true(short_of);
  assert_int_equal(json_skip("12\n", 3, JSON_DEPTH, &short_of, &err), 2);
  assert_int_equal(json_skip("[1,}", 4, JSON_DEPTH, &short_of, &err), 0);
  assert_false(short_of);
  assert_string_equal(err.text, "line 1, column 4: expected a value, found '}' (is there a comma too many?)");
}

/* ---- reading and writing again ---- */

static const char *rewrite(const char *at, const char *end, buf *scratch, buf *out);

static const char *rewrite_members(const char *at, const char *end, buf *scratch, buf *out) {
  char close = *at == '{' ? '}' : ']';
  buf_char(out, *at);
  at = json_read_start(at + 1, end);
  while (*at != close) {
    if (*at == ',' || *at == ':') {
      buf_char(out, *at);
      at++;
    } else {
      at = rewrite(at, end, scratch, out);
    }
    at = json_read_start(at, end);
  }
  buf_char(out, close);
  return at + 1;
}

/* Takes an accepted value apart and writes it again; returns what follows it. */
static const char *rewrite(const char *at, const char *end, buf *scratch, buf *out) {
  at = json_read_start(at, end);
  if (*at == '{' || *at == '[') return rewrite_members(at, end, scratch, out);
  if (*at == 't' || *at == 'n' || *at == 'f') {
    size_t length = *at == 'f' ? 5 : 4;
    buf_add(out, at, length);
    return at + length;
  }
  if (*at == '"') {
    const char *bytes;
    size_t length;
    at = json_read_string(at, end, scratch, &bytes, &length);
    assert_int_equal(json_write_string(out, bytes, length), 0);
    return at;
  }
  json_number number;
  at = json_read_number(at, end, &number);
  if (number.is_integer) {
    json_write_integer(out, number.integer);
  } else {
    assert_int_equal(json_write_double(out, number.real), 0);
  }
  return at;
}

static void rewritten(const char *text, size_t length, buf *out) {
  buf scratch = BUF_EMPTY;
  buf_clear(out);
  rewrite(text, text + length, &scratch, out);
  buf_free(&scratch);
}

static void what_was_read_is_written_the_same(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"[1, 2.50 ,-0.0,1E2, 12345678901234567890]", "[1,2.5,-0.0,100.0,1.2345678901234567e19]"},
      {"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\\\\\\u0000\\u001F\\u007f\"",
       "\"A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80/\\b\\f\\n\\r\\t\\\"\\\\\\u0000\\u001f\x7F\""},
      {"\"\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA\"", "\"\\u2028\\u2029\xE2\x80\xAA\""},
      {"{\"\" : {} , \"a\":[ [ ] ]}", "{\"\":{},\"a\":[[]]}"},
      {"\xEF\xBB\xBF null", "null"},
  };
  buf out = BUF_EMPTY;
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    rewritten(pairs[i][0], strlen(pairs[i][0]), &out);
    assert_string_equal(buf_text(&out), pairs[i][1]);
  }
  buf_free(&out);
}

static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed * 0x9E3779B97F4A7C15u >> 8;
}

/* A copy in memory of its exact size, so that the sanitizers see a step too far. */
static char *mutate(const char *text, size_t *length, uint64_t *seed) {
  static const char likely[] = "{}[]\",:\\ue0-+.E1234567890 \n\x00\x7F\x80\xC3\xE2\xED\xF0\xFF";
  size_t cut = next_random(seed) % 8 == 0 ? next_random(seed) % (*length + 1) : *length;
  char *copy = mem_alloc(cut);
  memcpy(copy, text, cut);
  for (uint64_t changes = next_random(seed) % 4; changes > 0 && cut > 0; changes--) {
    copy[next_random(seed) % cut] = likely[next_random(seed) % (sizeof likely - 1)];
  }
  *length = cut;
  return copy;
}

static void damaged_texts_are_refused_or_whole(void **state) {
  (void)state;
  static const char *const seeds[] = {
      "{\"id\":12345678901234567,\"items\":[{\"sku\":\"A\\u00e9\\n\",\"price\":9.99},[],{}],\"ok\":true}",
      ("[\"\\ud83d\\ude00\",\"\xF0\x9F\x98\x80\xE2\x80\xA8 and a text that is "
       "longer\",-1.5e-7,1e308,null,false]"),
      "\xEF\xBB\xBF[[[[1,0.1],[]],{\"\":{\"\":[0]}}],-9223372036854775808]",
  };
  uint64_t seed = 20240607;
  buf once = BUF_EMPTY, twice = BUF_EMPTY;
  unsigned taken = 0;
  for (int i = 0; i < 60000; i++) {
    const char *text = seeds[i % 3];
    size_t length = strlen(text);
    char *copy = mutate(text, &length, &seed);
    error err = {""};
    bool short_of;
    if (json_scan(copy, length, JSON_DEPTH, NULL, &err) == 0) {
      taken++;
      rewritten(copy, length, &once);
      assert_int_equal(json_scan(once.data, once.len, JSON_DEPTH, NULL, &err), 0);
      rewritten(once.data, once.len, &twice);
      assert_int_equal(once.len, twice.len);
      assert_memory_equal(once.data, twice.data, once.len);
    } else {
      assert_true(strncmp(err.text, "line ", 5) == 0);
    }
    json_skip(copy, length, JSON_DEPTH, &short_of, &err);
    free(copy);
  }
  assert_true(taken > 1000);
  buf_free(&once);
  buf_free(&twice);
}

/* ---- UTF-8 ---- */

static size_t put_utf8(char *to, unsigned code) {
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
  for (size_t i = length; i-- > 1; code >>= 6) to[i] = (char)(0x80 | (code & 0x3F));
  to[0] = (char)(leads[length] | code);
  return length;
}

static void every_code_point_is_valid_but_surrogates(void **state) {
  (void)state;
  for (unsigned code = 0; code < 0x1FFFFF; code++) {
    char bytes[4];
    size_t length = put_utf8(bytes, code);
    bool good = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    if (utf8_sequence(bytes, length) != (good ? length : 0)) fail_msg("U+%X", code);
    if (length > 1 && utf8_sequence(bytes, length - 1) != 0) fail_msg("U+%X, cut", code);
  }
}

static void what_is_not_utf8_is_not_written(void **state) {
  (void)state;
  static const char *const bad[] = {
      "\x80",         "abc\xFF",          "\xC0\x80",           "\xC1\xBF", "\xE0\x9F\xBF",
      "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",   "\xC3",     "\xE2\x82",
      "\xF0\x9F\x98", "\xF5\x80\x80\x80", "12345678901234\xC3("};
  buf out = BUF_EMPTY;
  buf_text_add(&out, "kept");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_false(utf8_valid(bad[i], strlen(bad[i])));
    assert_int_equal(json_write_string(&out, bad[i], strlen(bad[i])), -1);
    assert_int_equal(out.len, 4);
  }
  assert_int_equal(utf8_valid_length("12345678901234\xC3(", 16), 14);
  assert_true(utf8_valid(NULL, 0));
  assert_int_equal(json_write_string(&out, NULL, 0), 0);
  assert_string_equal(buf_text(&out), "kept\"\"");
  buf_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accepted_texts_are_marked),
      cmocka_unit_test(refused_texts_are_told_with_line_and_column),
      cmocka_unit_test(nesting_is_bounded),
      cmocka_unit_test(a_stream_is_taken_value_by_value),
      cmocka_unit_test(a_value_that_is_cut_anywhere_wants_more),
      cmocka_unit_test(what_was_read_is_written_the_same),
      cmocka_unit_test(damaged_texts_are_refused_or_whole),
      cmocka_unit_test(every_code_point_is_valid_but_surrogates),
      cmocka_unit_test(what_is_not_utf8_is_not_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
