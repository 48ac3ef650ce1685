/* Steps that a worker has seen: see known_steps.h. A table with one place for each step: one that comes to the place of another takes
 * it over. */
#include "engine/known_steps.h"

#include <stddef.h>
#include <string.h>

typedef struct piece {
  const char *text;
  size_t length; /* plus 1; 0: there is none */
} piece;

static piece piece_of(const char *text) {
  return (piece){text, text ? strlen(text) + 1 : 0};
}

/* Elements differ in how they begin or end, or in how long they are. */
static size_t mix(size_t hash, piece p) {
  if (p.length < 2) return hash;
  return hash * 31 + p.length + 7 * (unsigned char)p.text[0] + 13 * (unsigned char)p.text[p.length - 2] +
         29 * (unsigned char)p.text[(p.length - 1) / 2];
}

static size_t bytes_of(piece p) {
  return p.length ? p.length - 1 : 0;
}

static bool is_of(const known_step *step, const char *kind, piece name, piece written) {
  size_t name_bytes = bytes_of(name);
  return step->kind == kind && step->name_length == name.length && step->written_length == written.length &&
         (!name_bytes || memcmp(step->text, name.text, name_bytes) == 0) &&
         (!written.length || memcmp(step->text + name_bytes, written.text, bytes_of(written)) == 0);
}

static void take(known_step *step, piece name, piece written) {
  step->kind = NULL;
  step->name_length = (uint16_t)name.length;
  step->written_length = (uint16_t)written.length;
  if (name.length) memcpy(step->text, name.text, bytes_of(name));
  if (written.length) memcpy(step->text + bytes_of(name), written.text, bytes_of(written));
}

known_step *known_steps_place(known_steps *steps, const char *kind, const char *name, const char *written,
                              bool *is_known) {
  piece its_name = piece_of(name), its_written = piece_of(written);
  known_step *step = &steps->places[mix(mix((size_t)kind[0], its_name), its_written) % KNOWN_STEPS];
  *is_known = false;
  if (its_name.length > KNOWN_STEP_TEXT / 2 || its_written.length > KNOWN_STEP_TEXT / 2)
    return &steps->unkept;
  *is_known = is_of(step, kind, its_name, its_written);
  if (!*is_known) take(step, its_name, its_written);
  return step;
}
