/* The set of ids that were let in: exact, and at most 24 bytes each. */
#include "unit/people_reading.h"

#include "people/seen.h"

static int add_number(seen *s, uint64_t number, uint64_t *earlier) {
  char id[32];
  int length = snprintf(id, sizeof id, "customer-%llu", (unsigned long long)number);
  error err;
  return seen_add(s, id, (size_t)length, number + 1, earlier, &err);
}

static void an_id_is_new_once_and_then_known_with_its_line(void **state) {
  (void)state;
  enum { PEOPLE = 300000 };
  seen *s = seen_new(NULL);
  uint64_t earlier;
  for (uint64_t i = 0; i < PEOPLE; i++) assert_int_equal(add_number(s, i, &earlier), 1);
  for (uint64_t i = 0; i < PEOPLE; i++) {
    assert_int_equal(add_number(s, i, &earlier), 0);
    assert_int_equal(earlier, i + 1);
  }
  assert_int_equal(seen_count(s), PEOPLE);
  seen_free(s);
}

static void known_ids_are_found_while_the_set_grows(void **state) {
  (void)state;
  seen *s = seen_new(NULL);
  uint64_t earlier, pick = 12345;
  for (uint64_t i = 0; i < 100000; i++) {
    assert_int_equal(add_number(s, i, &earlier), 1);
    pick = pick * 6364136223846793005u + 1442695040888963407u;
    uint64_t old = (pick >> 33) % (i + 1);
    assert_int_equal(add_number(s, old, &earlier), 0);
    assert_int_equal(earlier, old + 1);
  }
  seen_free(s);
}

static void it_holds_at_most_24_bytes_an_id_at_every_size(void **state) {
  (void)state;
  enum { PEOPLE = 2000000, FEW = 5000 };
  seen *s = seen_new(NULL);
  uint64_t earlier;
  assert_true(seen_bytes(s) <= 24 * 1024);
  for (uint64_t i = 0; i < PEOPLE; i++) {
    add_number(s, i, &earlier);
    if (i >= FEW) assert_true(seen_bytes(s) <= 24 * (i + 1));
  }
  assert_int_equal(seen_count(s), PEOPLE);
  seen_free(s);
}

static void ids_are_bytes(void **state) {
  (void)state;
  seen *s = seen_new(NULL);
  uint64_t earlier;
  error err;
  assert_int_equal(seen_add(s, "a\0b", 3, 1, &earlier, &err), 1);
  assert_int_equal(seen_add(s, "a\0c", 3, 2, &earlier, &err), 1);
  assert_int_equal(seen_add(s, "a", 1, 3, &earlier, &err), 1);
  assert_int_equal(seen_add(s, "A", 1, 4, &earlier, &err), 1);
  assert_int_equal(seen_add(s, "a\0c", 3, 5, &earlier, &err), 0);
  assert_int_equal(earlier, 2);
  seen_free(s);
}

static void a_line_above_four_billion_is_not_told_wrongly(void **state) {
  (void)state;
  seen *s = seen_new(NULL);
  uint64_t earlier = 7;
  error err;
  assert_int_equal(seen_add(s, "late", 4, (uint64_t)1 << 40, &earlier, &err), 1);
  assert_int_equal(seen_add(s, "late", 4, 5, &earlier, &err), 0);
  assert_int_equal(earlier, 0);
  seen_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_id_is_new_once_and_then_known_with_its_line),
      cmocka_unit_test(known_ids_are_found_while_the_set_grows),
      cmocka_unit_test(it_holds_at_most_24_bytes_an_id_at_every_size),
      cmocka_unit_test(ids_are_bytes),
      cmocka_unit_test(a_line_above_four_billion_is_not_told_wrongly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
