/* Errors as values: the words that were put together, and never half a character at their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/utf8.h"

static void an_error_says_what_was_put_together(void **state) {
  (void)state;
  error err;
  assert_int_equal(error_set(&err, "%s:%d", "a.lua", 7), -1);
  assert_string_equal(err.text, "a.lua:7");
  assert_int_equal(error_before(&err, "crm: "), -1);
  assert_string_equal(err.text, "crm: a.lua:7");
}

static void nobody_has_to_want_it(void **state) {
  (void)state;
  assert_int_equal(error_set(NULL, "lost"), -1);
  assert_int_equal(error_before(NULL, "lost"), -1);
}

/* Characters of four bytes, behind 0 to 3 others, so that each way of cutting one comes. */
static void what_is_too_long_is_cut_between_characters(void **state) {
  (void)state;
  char words[4 * 600 + 1] = "";
  for (int i = 0; i < 600; i++) memcpy(words + 4 * i, "\xF0\x9F\x92\xA5", 5);
  for (int ahead = 0; ahead < 4; ahead++) {
    error err;
    error_set(&err, "%.*s%s", ahead, "abc", words);
    size_t length = strlen(err.text);
    assert_true(length < ERROR_TEXT && length > ERROR_TEXT - 5);
    assert_true(utf8_valid(err.text, length));
    error_set(&err, "%.1020s", words);
    error_before(&err, "%.*s:", ahead, "abc");
    assert_true(utf8_valid(err.text, strlen(err.text)));
  }
}

static void only_a_characters_beginning_is_trimmed(void **state) {
  (void)state;
  assert_int_equal(utf8_trim("", 0), 0);
  assert_int_equal(utf8_trim("ab", 2), 2);
  assert_int_equal(utf8_trim("a\xC3\xA4", 3), 3);
  assert_int_equal(utf8_trim("a\xC3", 2), 1);
  assert_int_equal(utf8_trim("\xF0\x9F\x92", 3), 0);
  assert_int_equal(utf8_trim("a\xF0\x9F\x92\xA5", 5), 5);
  assert_int_equal(utf8_trim("a\x92\xA5\x92\xA5", 5),
                   5); /* begins no character: whoever reads it has to say so */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_error_says_what_was_put_together),
      cmocka_unit_test(nobody_has_to_want_it),
      cmocka_unit_test(what_is_too_long_is_cut_between_characters),
      cmocka_unit_test(only_a_characters_beginning_is_trimmed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
