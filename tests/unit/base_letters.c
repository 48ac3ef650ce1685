/* Capital and small letters: all of Unicode's, as libc has them where one letter becomes one; and no bytes do harm. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/letters.h"
#include "base/utf8.h"

typedef size_t change(const char *text, size_t length, char *out);

static void gives(change *made_by, const char *text, const char *wanted) {
  char out[400];
  out[made_by(text, strlen(text), out)] = '\0';
  assert_string_equal(out, wanted);
}

static void letters_of_all_scripts_are_changed(void **state) {
  (void)state;
  gives(letters_upper, "Hello, World 42!", "HELLO, WORLD 42!");
  gives(letters_lower, "Hello, World 42!", "hello, world 42!");
  gives(letters_upper, "grüße aus łódź", "GRÜSSE AUS ŁÓDŹ");
  gives(letters_lower, "ПРИВЕТ ΣΟΦΟΣ ԱՅԲ", "привет σοφοσ այբ");
  gives(letters_upper, "\U00010428\U0001E922", "\U00010400\U0001E900"); /* four bytes each */
  gives(letters_upper, "日本語 🎉", "日本語 🎉");
  gives(letters_upper, "", "");
}

static void one_letter_may_become_several(void **state) {
  (void)state;
  gives(letters_upper, "ß ﬁ ŉ ΐ ᾳ", "SS FI \u02BCN \u0399\u0308\u0301 \u0391\u0399");
  gives(letters_lower, "İ", "i\u0307");
}

static void a_word_s_first_letter_may_be_another_capital(void **state) {
  (void)state;
  gives(letters_capitalize, "éCLAIR ÉCLAIR", "Éclair éclair");
  gives(letters_capitalize, "ǆABC", "ǅabc");
  gives(letters_upper, "ǆ", "Ǆ");
  gives(letters_capitalize, "ßX", "Ssx");
  gives(letters_capitalize, "ﬁX", "Fix");
  gives(letters_capitalize, "ა", "ა"); /* Georgian words begin with no capital */
  gives(letters_upper, "ა", "Ა");
  gives(letters_capitalize, "1ABC", "1abc");
}

static size_t put(uint32_t code, char *out) {
  if (code < 0x80) return out[0] = (char)code, (size_t)1;
  size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
  out[0] = (char)((0xF00 >> length & 0xF0) | code);
  return length;
}

/* Whether the change of `code` is the one letter that libc gives for it, or several. */
static bool agrees(change *made_by, uint32_t code, uint32_t wanted) {
  char text[4], expected[4], out[16];
  size_t length = put(code, text), expected_length = put(wanted, expected);
  size_t written = made_by(text, length, out);
  assert_true(written <= LETTERS_GROWTH * length && utf8_valid(out, written));
  if (written == expected_length && memcmp(out, expected, written) == 0) return true;
  return written > utf8_sequence(out, written);
}

/* Two versions of Unicode may differ by a few letters that one of them lacks. */
static void single_letters_are_libc_s(void **state) {
  (void)state;
  locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  if (!unicode) skip();
  int changed = 0, odd = 0;
  for (uint32_t code = 1; code < 0x110000; code++) {
    if (code >= 0xD800 && code < 0xE000) continue;
    uint32_t upper = towupper_l(code, unicode), lower = towlower_l(code, unicode);
    changed += upper != code || lower != code;
    odd += !agrees(letters_upper, code, upper) + !agrees(letters_lower, code, lower);
  }
  freelocale(unicode);
  print_message("%d letters, %d of which libc has otherwise\n", changed, odd);
  assert_true(changed > 2600);
  assert_true(odd <= 150);
}

static void bytes_that_are_no_characters_stay(void **state) {
  (void)state;
  gives(letters_upper, "a\xFFz\xC3", "A\xFFZ\xC3");
  gives(letters_lower, "A\xE2\x82", "a\xE2\x82");
  gives(letters_capitalize, "\xC3xY", "\xC3xy");
  uint64_t seed = 5;
  for (int n = 0; n < 20000; n++) {
    size_t length = random_next(&seed) % 40;
    char *text = mem_alloc(length + 1),
         *out = mem_alloc(LETTERS_GROWTH * length + 1); /* sanitizers watch their ends */
    for (size_t i = 0; i < length; i++) text[i] = (char)(random_next(&seed) >> 56);
    assert_true(letters_upper(text, length, out) <= LETTERS_GROWTH * length);
    assert_true(letters_lower(text, length, out) <= LETTERS_GROWTH * length);
    assert_true(letters_capitalize(text, length, out) <= LETTERS_GROWTH * length);
    free(text);
    free(out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(letters_of_all_scripts_are_changed),
      cmocka_unit_test(one_letter_may_become_several),
      cmocka_unit_test(a_word_s_first_letter_may_be_another_capital),
      cmocka_unit_test(single_letters_are_libc_s),
      cmocka_unit_test(bytes_that_are_no_characters_stay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
