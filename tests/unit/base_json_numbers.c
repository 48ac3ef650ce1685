/* Numbers in JSON: written exactly and as short as can be, read to the nearest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <locale.h>
#include <math.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_powers.h"

static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed * 0x9E3779B97F4A7C15u;
}

static double double_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* The digits of a number's text without point, exponent and zeros at either end; returns how many. */
static size_t significant(const char *text, char *digits) {
  size_t count = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) digits[count++] = *text;
  }
  while (count > 0 && digits[count - 1] == '0') count--;
  digits[count] = '\0';
  return count;
}

/* How many digits printf needs for a text that reads back. Where the next double below is half as far as the
 * one above, a text shorter by one exists at times; printf, which rounds to the nearest, does not see it. */
static size_t needed_digits(double value, char *digits) {
  char text[64];
  int places = 0;
  do {
    snprintf(text, sizeof text, "%.*e", places++, value);
  } while (strtod(text, NULL) != value);
  return significant(text, digits);
}

static void check_double(double value) {
  buf out = BUF_EMPTY;
  assert_int_equal(json_write_double(&out, value), 0);
  const char *text = buf_text(&out);
  double again = strtod(text, NULL);
  json_number number;
  const char *behind = json_read_number(text, text + out.len, &number);
  bool same = memcmp(&again, &value, sizeof value) == 0;
  bool read =
      !number.is_integer && behind == text + out.len && memcmp(&number.real, &value, sizeof value) == 0;
  char ours[64], theirs[64];
  size_t most = value == 0 ? 0 : needed_digits(value, theirs), count = significant(text, ours);
  bool shortest = count < most || (count == most && (most == 0 || strcmp(ours, theirs) == 0));
  if (!same || !read || !shortest)
    fail_msg("%a is written %s (same %d, read %d, shortest %d)", value, text, same, read, shortest);
  buf_free(&out);
}

static void doubles_of_all_bit_patterns_read_back(void **state) {
  (void)state;
  uint64_t seed = 42;
  for (int i = 0; i < 60000; i++) {
    double value = double_of(next_random(&seed));
    if (isfinite(value)) check_double(value);
  }
}

static void doubles_that_people_use_read_back(void **state) {
  (void)state;
  uint64_t seed = 43;
  for (int i = 0; i < 20000; i++) {
    uint64_t random = next_random(&seed);
    check_double((double)(int64_t)(random >> (random & 63)));
    check_double((double)(random % 1000000) / 100);
    check_double((double)(random >> 11) * 0x1p-53);
  }
}

/* Where rounding intervals change their width, and where their ends meet decimals. */
static void doubles_at_the_edges_read_back(void **state) {
  (void)state;
  for (uint64_t exponent = 0; exponent < 2047; exponent++) {
    for (int64_t beside = -2; beside <= 2; beside++) {
      uint64_t bits = (exponent << 52) + (uint64_t)beside;
      if (isfinite(double_of(bits))) check_double(double_of(bits));
    }
  }
  for (int power = -324; power <= 308; power++) {
    char text[16];
    snprintf(text, sizeof text, "1e%d", power);
    double value = strtod(text, NULL);
    check_double(value);
    check_double(nextafter(value, 0));
    check_double(nextafter(value, 1e308));
  }
}

static void doubles_are_written_as_people_expect(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.0, "1.0"},
      {-42.0, "-42.0"},
      {0.1, "0.1"},
      {9.99, "9.99"},
      {1e15, "1000000000000000.0"},
      {1e16, "1e16"},
      {12345678901234567.0, "1.2345678901234568e16"},
      {0.0001, "0.0001"},
      {0.00001, "1e-5"},
      {1e23, "1e23"},
      {9007199254740993.0, "9007199254740992.0"},
      {5e-324, "5e-324"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {1.7976931348623157e308, "1.7976931348623157e308"},
      {0x1p-44, "5.684341886080802e-14"},
      {9.5367431640625e-07, "9.5367431640625e-7"},
  };
  buf out = BUF_EMPTY;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    buf_clear(&out);
    assert_int_equal(json_write_double(&out, cases[i].value), 0);
    assert_string_equal(buf_text(&out), cases[i].text);
  }
  buf_clear(&out);
  assert_int_equal(json_write_double(&out, NAN), -1);
  assert_int_equal(json_write_double(&out, INFINITY), -1);
  assert_int_equal(json_write_double(&out, -INFINITY), -1);
  assert_int_equal(out.len, 0);
  buf_free(&out);
}

static void integers_are_exact(void **state) {
  (void)state;
  uint64_t seed = 44;
  buf out = BUF_EMPTY;
  for (int i = 0; i < 20000; i++) {
    uint64_t random = next_random(&seed);
    int64_t value = (int64_t)random >> (i % 64);
    if (i == 0) value = INT64_MIN;
    if (i == 1) value = INT64_MAX;
    char expected[32];
    snprintf(expected, sizeof expected, "%lld", (long long)value);
    buf_clear(&out);
    json_write_integer(&out, value);
    assert_string_equal(buf_text(&out), expected);
    json_number number;
    json_read_number(out.data, out.data + out.len, &number);
    assert_true(number.is_integer);
    assert_int_equal(number.integer, value);
  }
  buf_free(&out);
}

static void check_read(const char *text, size_t length) {
  json_number number;
  double expected = strtod(text, NULL);
  assert_ptr_equal(json_read_number(text, text + length, &number), text + length);
  assert_false(number.is_integer);
  if (memcmp(&number.real, &expected, sizeof expected) != 0)
    fail_msg("%.60s is read as %a", text, number.real);
}

static void decimals_are_read_to_the_nearest_double(void **state) {
  (void)state;
  uint64_t seed = 45;
  for (int i = 0; i < 50000; i++) {
    char text[80];
    int exponent = (int)(next_random(&seed) % 640) - 330;
    if (i % 2) exponent = (int)(next_random(&seed) % 50) - 25;
    uint64_t digits = next_random(&seed) >> (next_random(&seed) & 63);
    int length = snprintf(text, sizeof text, "%s%llu.%llue%d", i % 3 ? "" : "-", (unsigned long long)digits,
                          (unsigned long long)next_random(&seed) >> (i & 63), exponent);
    check_read(text, (size_t)length);
  }
}

static void long_numbers_are_read_whole(void **state) {
  (void)state;
  /* halfway between two doubles, and a hair above it, a thousand digits later */
  char text[1200] = "9007199254740993.";
  size_t length = strlen(text);
  memset(text + length, '0', 1000);
  check_read(text, length + 1000);
  text[length + 999] = '1';
  check_read(text, length + 1000);
  memset(text, '7', 300);
  text[300] = '\0';
  check_read(text, 300);
  check_read("0.0e99999999999999999999", 24);
  check_read("1e-99999999999999999999", 23);
  check_read("18446744073709551616", 20);
}

static void numbers_know_no_locale(void **state) {
  (void)state;
  static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
  const char *set = NULL;
  for (size_t i = 0; i < sizeof commas / sizeof *commas && !set; i++) set = setlocale(LC_NUMERIC, commas[i]);
  if (!set) skip();
  json_number number;
  static const char text[] = "1.2345678901234567890123";
  json_read_number(text, text + strlen(text), &number);
  setlocale(LC_NUMERIC, "C");
  assert_true(number.real == strtod(text, NULL));
}

/* ---- the powers of ten, computed anew with long integers ---- */

enum { WORDS = 40 };

typedef struct number {
  uint32_t words[WORDS]; /* the lowest first */
} number;

static void multiply(number *n, uint32_t by) {
  uint64_t carry = 0;
  for (int i = 0; i < WORDS; i++) {
    carry += (uint64_t)n->words[i] * by;
    n->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
  assert_int_equal(carry, 0);
}

static int compare(const number *a, const number *b) {
  for (int i = WORDS; i-- > 0;) {
    if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
  }
  return 0;
}

static number difference(const number *a, const number *b) {
  number result;
  int64_t borrow = 0;
  for (int i = 0; i < WORDS; i++) {
    borrow += (int64_t)a->words[i] - b->words[i];
    result.words[i] = (uint32_t)borrow;
    borrow >>= 32;
  }
  assert_int_equal(borrow, 0);
  return result;
}

static number from_power(json_power power) {
  return (number){
      {(uint32_t)power.low, (uint32_t)(power.low >> 32), (uint32_t)power.high, (uint32_t)(power.high >> 32)}};
}

static number ten_to(int exponent) {
  number n = {{1}};
  for (; exponent > 0; exponent--) multiply(&n, 10);
  return n;
}

static int top_bit(const number *n) {
  int bit = WORDS * 32 - 1;
  while (bit > 0 && !(n->words[bit / 32] >> (bit % 32) & 1)) bit--;
  return bit;
}

static number two_to(int exponent) {
  number n = {{0}};
  n.words[exponent / 32] = (uint32_t)1 << (exponent % 32);
  return n;
}

/* g is the least whole number such that g * 2^s >= 10^k. */
static void check_large_power(int k, json_power power) {
  number exact = ten_to(k), scaled = from_power(power);
  int top = top_bit(&exact), shift = top - 127;
  if (shift <= 0) {
    for (int i = 0; i < -shift; i++) multiply(&exact, 2);
    assert_int_equal(compare(&scaled, &exact), 0);
    return;
  }
  for (int i = 0; i < shift; i++) multiply(&scaled, 2);
  number unit = two_to(shift);
  assert_true(compare(&scaled, &exact) >= 0);
  number over = difference(&scaled, &exact);
  assert_true(compare(&over, &unit) < 0);
}

/* g is the least whole number such that g * 10^-k >= 2^s. */
static void check_small_power(int k, json_power power) {
  number ten = ten_to(-k), scaled = from_power(power);
  for (int i = 0; i < -k; i++) multiply(&scaled, 10);
  number exact = two_to(top_bit(&scaled));
  number over = difference(&scaled, &exact);
  assert_true(compare(&over, &ten) < 0);
}

static void powers_of_ten_are_right_to_the_last_bit(void **state) {
  (void)state;
  for (int k = JSON_POWER_FIRST; k <= JSON_POWER_LAST; k++) {
    json_power power = json_powers[k - JSON_POWER_FIRST];
    assert_true(power.high >> 63);
    if (k >= 0) {
      check_large_power(k, power);
    } else {
      check_small_power(k, power);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(powers_of_ten_are_right_to_the_last_bit),
      cmocka_unit_test(doubles_of_all_bit_patterns_read_back),
      cmocka_unit_test(doubles_that_people_use_read_back),
      cmocka_unit_test(doubles_at_the_edges_read_back),
      cmocka_unit_test(doubles_are_written_as_people_expect),
      cmocka_unit_test(integers_are_exact),
      cmocka_unit_test(decimals_are_read_to_the_nearest_double),
      cmocka_unit_test(long_numbers_are_read_whole),
      cmocka_unit_test(numbers_know_no_locale),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
