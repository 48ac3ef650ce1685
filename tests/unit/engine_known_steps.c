/* Steps that a worker remembers: what is told of one is never another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/known_steps.h"

static const char call[] = "call_api", split[] = "split";

/* Whether it was known; if not, it is from now on, with this fingerprint. */
static bool meet(known_steps *steps, const char *kind, const char *name, const char *written,
                 uint64_t print) {
  bool is_known;
  known_step *step = known_steps_place(steps, kind, name, written, &is_known);
  if (is_known) {
    assert_int_equal(step->fingerprint, print);
    return true;
  }
  step->fingerprint = print;
  step->kind = kind;
  return false;
}

static void a_step_is_known_when_it_comes_again(void **state) {
  (void)state;
  static known_steps steps;
  assert_false(meet(&steps, call, "note", "crm /leads", 1));
  assert_true(meet(&steps, call, "note", "crm /leads", 1));
  assert_false(meet(&steps, split, "copy", NULL, 2));
  assert_true(meet(&steps, split, "copy", NULL, 2));
  assert_true(meet(&steps, call, "note", "crm /leads", 1));
}

/* Each of them differs from every other, and some come to one place. */
static void no_step_is_taken_for_another(void **state) {
  (void)state;
  static known_steps steps;
  static const char *const texts[] = {NULL, "", "a", "b", "ab", "ba", "axa", "aya", "note", "nose"};
  enum { TEXTS = sizeof texts / sizeof *texts };
  for (int round = 0; round < 3; round++) {
    for (uint64_t i = 0; i < 2 * TEXTS * TEXTS; i++)
      meet(&steps, i % 2 ? call : split, texts[i / 2 % TEXTS], texts[i / 2 / TEXTS], i);
  }
}

static void one_that_was_not_filled_in_is_not_known(void **state) {
  (void)state;
  static known_steps steps;
  bool is_known;
  meet(&steps, call, "note", NULL, 1);
  known_steps_place(&steps, call, "nite", NULL, &is_known); /* what makes it may raise an error */
  known_steps_place(&steps, call, "nite", NULL, &is_known);
  assert_false(is_known);
}

static void a_long_one_is_never_kept(void **state) {
  (void)state;
  static known_steps steps;
  char name[300];
  for (size_t length = 1; length < sizeof name - 1; length++) {
    memset(name, 'x', length);
    name[length] = '\0';
    meet(&steps, call, name, name, length);
    assert_int_equal(meet(&steps, call, name, name, length), length < KNOWN_STEP_TEXT / 2);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_is_known_when_it_comes_again),
      cmocka_unit_test(no_step_is_taken_for_another),
      cmocka_unit_test(one_that_was_not_filled_in_is_not_known),
      cmocka_unit_test(a_long_one_is_never_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
