/* Hashes and seeded streams: they are the ones that are documented, and parts do not run together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/hash.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The key of the reference implementation's vectors: the bytes 0 to 15. */
static const hash128 reference_key = {.lo = 0x0706050403020100, .hi = 0x0f0e0d0c0b0a0908};

static void to_bytes(hash128 h, uint8_t out[16]) {
  for (int i = 0; i < 8; i++) {
    out[i] = (uint8_t)(h.lo >> (8 * i));
    out[8 + i] = (uint8_t)(h.hi >> (8 * i));
  }
}

static bool same(hash128 a, hash128 b) {
  return a.lo == b.lo && a.hi == b.hi;
}

static void a_hash_is_that_of_the_reference_implementation(void **state) {
  (void)state;
  static const struct {
    size_t length; /* of the message 0, 1, 2, … */
    const char *digits;
  } vectors[] = {{0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
                 {2, "8177228da4a45dc7fca38bdef60affe4"},  {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
                 {8, "3b62a9ba6258f5610f83e264f31497b4"},  {9, "264499060ad9baabc47f8b02bb6d71ed"},
                 {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {16, "6ee2a4ca67b054bbfd3315bf85230577"}};
  uint8_t message[64], out[16];
  for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)i;
  for (size_t i = 0; i < COUNT(vectors); i++) {
    char digits[33];
    to_bytes(hash_bytes(reference_key, message, vectors[i].length), out);
    for (int n = 0; n < 16; n++) snprintf(digits + 2 * n, 3, "%02x", out[n]);
    assert_string_equal(digits, vectors[i].digits);
  }
}

/* OpenSSL's SipHash-2-4 with 16 bytes. */
static void openssl_hash(EVP_MAC_CTX *mac, const uint8_t key[16], const uint8_t *bytes, size_t length,
                         uint8_t out[16]) {
  size_t size = 16, got = 0;
  OSSL_PARAM settings[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                           OSSL_PARAM_construct_end()};
  assert_int_equal(EVP_MAC_init(mac, key, 16, settings), 1);
  assert_int_equal(EVP_MAC_update(mac, bytes, length), 1);
  assert_int_equal(EVP_MAC_final(mac, out, &got, 16), 1);
  assert_int_equal(got, 16);
}

static void a_hash_is_that_of_openssl_for_every_length(void **state) {
  (void)state;
  EVP_MAC *kind = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
  if (!kind) {
    print_message("this OpenSSL has no SipHash\n");
    skip();
  }
  EVP_MAC_CTX *mac = EVP_MAC_CTX_new(kind);
  uint64_t seed = 1;
  uint8_t message[600], key[16], ours[16], theirs[16];
  for (size_t length = 0; length < sizeof message; length++) {
    hash128 k = {random_next(&seed), random_next(&seed)};
    to_bytes(k, key);
    for (size_t i = 0; i < length; i++) message[i] = (uint8_t)random_next(&seed);
    openssl_hash(mac, key, message, length, theirs);
    to_bytes(hash_bytes(k, message, length), ours);
    assert_memory_equal(ours, theirs, 16);
    assert_int_equal(hash_bytes64(k, message, length), hash_bytes(k, message, length).lo);
  }
  EVP_MAC_CTX_free(mac);
  EVP_MAC_free(kind);
}

static hash128 of_two(const char *a, size_t a_length, const char *b, size_t b_length) {
  const hash_part parts[] = {{a, a_length}, {b, b_length}};
  return hash_parts(reference_key, parts, 2);
}

static void parts_do_not_run_together(void **state) {
  (void)state;
  static const char text[] = "a text that is cut in two, at every place there is";
  hash128 seen[sizeof text];
  for (size_t cut = 0; cut < sizeof text; cut++) {
    seen[cut] = of_two(text, cut, text + cut, sizeof text - 1 - cut);
    for (size_t other = 0; other < cut; other++) assert_false(same(seen[cut], seen[other]));
    assert_true(same(seen[cut], of_two(text, cut, text + cut, sizeof text - 1 - cut)));
  }
  const hash_part whole[] = {{text, sizeof text - 1}};
  assert_false(same(hash_parts(reference_key, whole, 1), seen[0]));
  assert_false(same(hash_parts(reference_key, whole, 1), seen[sizeof text - 1]));
  assert_false(same(hash_parts(reference_key, whole, 1), hash_bytes(reference_key, text, sizeof text - 1)));
}

static void parts_may_be_empty_and_their_order_counts(void **state) {
  (void)state;
  const hash_part none[] = {{NULL, 0}, {NULL, 0}};
  hash128 by_count[] = {hash_parts(reference_key, none, 0), hash_parts(reference_key, none, 1),
                        hash_parts(reference_key, none, 2)};
  assert_false(same(by_count[0], by_count[1]));
  assert_false(same(by_count[1], by_count[2]));
  assert_false(same(of_two("ab", 2, "cd", 2), of_two("cd", 2, "ab", 2)));
}

static void many_and_long_parts_hash_like_short_ones(void **state) {
  (void)state;
  char *bytes = malloc(100000);
  memset(bytes, 'x', 100000);
  for (size_t length = 100; length <= 100000; length *= 10) { /* the small ones fit a buffer on the stack */
    hash128 h = of_two(bytes, length, "y", 1);
    assert_true(same(h, of_two(bytes, length, "y", 1)));
    assert_false(same(h, of_two(bytes, length - 1, "y", 1)));
    assert_false(same(h, of_two(bytes, length, "z", 1)));
  }
  free(bytes);
}

/* What stands in states hangs on it: each part behind its length, in 8 bytes. */
static uint64_t by_hand(const hash_part *parts, size_t count) {
  static char joined[2000];
  size_t used = 0;
  for (size_t i = 0; i < count; used += parts[i++].length) {
    uint64_t length = parts[i].length;
    memcpy(joined + used, &length, sizeof length);
    used += sizeof length;
    memcpy(joined + used, parts[i].bytes, parts[i].length);
  }
  return hash_bytes64(reference_key, joined, used);
}

static void parts_may_be_taken_in_two_goes(void **state) {
  (void)state;
  static char bytes[600];
  memset(bytes, 'x', sizeof bytes);
  for (size_t length = 0; length < sizeof bytes; length += length < 40 ? 1 : 37) {
    const hash_part parts[] = {{"kind", 4}, {bytes, length}, {"ada", 3}, {bytes, length / 2}};
    uint64_t wanted = by_hand(parts, 4);
    assert_int_equal(wanted, hash_parts64(reference_key, parts, 4));
    assert_int_equal(wanted, hash_parts(reference_key, parts, 4).lo);
    for (size_t count = 0; count <= 4; count++) {
      hash_begun begun = hash_begin(reference_key, parts, count);
      for (int again = 0; again < 2; again++)
        assert_int_equal(wanted, hash_end64(&begun, parts + count, 4 - count));
    }
  }
}

static void another_key_gives_another_hash(void **state) {
  (void)state;
  for (int bit = 0; bit < 128; bit++) {
    hash128 key = reference_key;
    if (bit < 64)
      key.lo ^= (uint64_t)1 << bit;
    else
      key.hi ^= (uint64_t)1 << (bit - 64);
    assert_false(same(hash_bytes(key, "ada", 3), hash_bytes(reference_key, "ada", 3)));
  }
}

static void a_hash_is_written_with_its_lower_half_first(void **state) {
  (void)state;
  char digits[33];
  hash_hex((hash128){.lo = 0x0123456789abcdef, .hi = 0xfedcba9876543210}, digits);
  assert_string_equal(digits, "0123456789abcdeffedcba9876543210");
  hash_hex((hash128){0, 0}, digits);
  assert_string_equal(digits, "00000000000000000000000000000000");
}

static void shards_are_filled_evenly(void **state) {
  (void)state;
  enum { SHARDS = 256, PEOPLE = 256000 };
  static int filled[SHARDS];
  for (int i = 0; i < PEOPLE; i++) {
    char id[32];
    int length = snprintf(id, sizeof id, "person-%d", i);
    filled[hash_bytes64(reference_key, id, (size_t)length) % SHARDS]++;
  }
  for (int i = 0; i < SHARDS; i++)
    assert_in_range(filled[i], 800, 1200); /* 1000 each, with a deviation of 32 */
}

static void the_stream_of_a_seed_is_splitmix64(void **state) {
  (void)state;
  uint64_t zero = 0, seed = 1234567;
  assert_true(random_next(&zero) == 0xe220a8397b1dcdafu);
  static const uint64_t expected[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u};
  for (size_t i = 0; i < COUNT(expected); i++) assert_true(random_next(&seed) == expected[i]);
}

static void the_unit_stays_below_one_and_spreads(void **state) {
  (void)state;
  uint64_t seed = 7;
  double sum = 0;
  for (int i = 0; i < 100000; i++) {
    double x = random_unit(&seed);
    assert_true(x >= 0 && x < 1);
    sum += x;
  }
  assert_true(sum > 49000 && sum < 51000);
}

static void the_system_gives_other_numbers_each_time(void **state) {
  (void)state;
  hash128 a, b;
  assert_int_equal(random_system(&a), 0);
  assert_int_equal(random_system(&b), 0);
  assert_false(same(a, b));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_hash_is_that_of_the_reference_implementation),
      cmocka_unit_test(a_hash_is_that_of_openssl_for_every_length),
      cmocka_unit_test(parts_do_not_run_together),
      cmocka_unit_test(parts_may_be_empty_and_their_order_counts),
      cmocka_unit_test(many_and_long_parts_hash_like_short_ones),
      cmocka_unit_test(parts_may_be_taken_in_two_goes),
      cmocka_unit_test(another_key_gives_another_hash),
      cmocka_unit_test(a_hash_is_written_with_its_lower_half_first),
      cmocka_unit_test(shards_are_filled_evenly),
      cmocka_unit_test(the_stream_of_a_seed_is_splitmix64),
      cmocka_unit_test(the_unit_stays_below_one_and_spreads),
      cmocka_unit_test(the_system_gives_other_numbers_each_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
