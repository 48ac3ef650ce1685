/* What a fuzz target gives: the function that libFuzzer calls, and texts to start from.
 *
 * A target is one file, LAYER_WHAT.c. Linked with driver.c it is a test that tries a few thousand mutated
 * texts, the same ones each time; linked with clang's -fsanitize=fuzzer instead, it searches for as long as
 * it is let. */
#ifndef JAUNT_FUZZ_H
#define JAUNT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Looks at one text, and calls abort() when something does not hold. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Texts that the mutated ones are made of; the last one is NULL. */
extern const char *const fuzz_seeds[];

/* Pieces of the format, which random bytes would seldom hit; the last one is NULL. */
extern const char *const fuzz_words[];

#define FUZZ_HOLDS(what)                                                                                     \
  do {                                                                                                       \
    if (!(what)) {                                                                                           \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);                              \
      abort();                                                                                               \
    }                                                                                                        \
  } while (0)

#endif
