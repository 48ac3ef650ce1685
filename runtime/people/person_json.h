/* A person from a JSON object: takes the id and the event out of it. */
#ifndef JAUNT_PEOPLE_PERSON_JSON_H
#define JAUNT_PEOPLE_PERSON_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "people/rows.h"

/* Fills id, profile and event of `out` from `text`, which starts on `line`, or rejects it. The id is a string
 * or a whole number; the profile's "id" is always a string. The member "event" (an object) and members called
 * `event.NAME` make the event; the others stay in the profile as they stand. */
row_found person_from_json(const char *text, size_t length, const char *id_name, uint64_t line, row *out);

#endif
