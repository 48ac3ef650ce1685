/* The steps that a worker has seen: their elements and fingerprints, which people who go the same way have all alike. To look a
 * step up costs a tenth of hashing it again. What is not here is found the long way. */
#ifndef JAUNT_ENGINE_KNOWN_STEPS_H
#define JAUNT_ENGINE_KNOWN_STEPS_H

#include <stdbool.h>
#include <stdint.h>

enum { KNOWN_STEPS = 64, KNOWN_STEP_TEXT = 88 };

typedef struct known_step {
  const char *kind; /* static text; NULL: free */
  uint64_t fingerprint;
  uint32_t element;
  uint16_t name_length, written_length; /* plus 1; 0: there is none */
  char text[KNOWN_STEP_TEXT];           /* both, one behind the other */
} known_step;

typedef struct known_steps {
  known_step places[KNOWN_STEPS], unkept;
} known_steps;

/* The place of the step (kind, name, written), of which the last two may be NULL. `is_known`: its fingerprint and element are those of
 * this step. Otherwise it is another one's no more, and the caller's to fill in, `kind` last. */
known_step *known_steps_place(known_steps *steps, const char *kind, const char *name, const char *written,
                              bool *is_known);

#endif
