/* The audience: people, one after another, from a file or from standard input.
 *
 * CSV, TSV, NDJSON or one JSON array, recognised by content. Streamed: what is kept for each person read is
 * at most 24 bytes (who was already seen). A row that cannot be used is counted, told and written to
 * the rejects file as it stood, in a form that can be mended and fed again.
 * One thread at a time; knows nothing of journeys or Lua. */
#ifndef JAUNT_PEOPLE_AUDIENCE_H
#define JAUNT_PEOPLE_AUDIENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct audience audience;

typedef struct audience_options {
  const char *path;         /* "-" is standard input */
  const char *id_column;    /* NULL: "id" */
  const char *rejects_path; /* NULL: none is written; created when the first row is rejected */
  /* Told for each rejected row, with its line in the input (the row's first line, from 1); may be NULL. */
  void (*rejected)(void *data, uint64_t line, const char *why);
  void *data;
} audience_options;

/* One person. All texts are ended by a NUL and are gone at the next call.
 * In CSV and TSV an empty cell is an absent attribute, spaces belong to the cell, and a column without a name
 * is passed over. Of JSON, the id may be a text or a whole number. Where another column than "id" holds the
 * id, the profile's "id" is that, whatever a column "id" says. */
typedef struct person_row {
  const char *id; /* never empty, valid UTF-8 */
  size_t id_length;
  const char *profile; /* a JSON object of the attributes, "id" included; CSV's values are strings */
  size_t profile_length;
  const char *event; /* a JSON object of the `event.*` columns (or the row's "event" object), "{}" without */
  size_t event_length;
  uint64_t line;
} person_row;

/* Why rows were rejected. */
typedef enum reject_reason {
  REJECT_NO_ID, /* or none that can be one: empty, a fraction, with a NUL in it, two of them */
  REJECT_DUPLICATE,
  REJECT_QUOTING, /* of a quote that is never closed, the row's first line */
  REJECT_FIELDS,  /* more or fewer than the header has */
  REJECT_UTF8,
  REJECT_JSON,     /* not a JSON object */
  REJECT_TOO_LONG, /* a row over 16 MiB */
  REJECT_REASONS,
} reject_reason;
const char *reject_reason_name(reject_reason reason);

typedef struct audience_counts {
  uint64_t people; /* rows that could be used */
  uint64_t rejected;
  uint64_t by_reason[REJECT_REASONS];
  uint64_t bytes_read, bytes_total; /* total 0 where unknown (a pipe) */
  const char *format; /* "csv", "tsv", "ndjson", "json"; "empty"; "unknown" while nothing has come */
} audience_counts;

/* Opens and recognises. Returns NULL and fills `err` (no such file, no id column: with the columns there
 * are). Of a pipe that has not sent its beginning yet, audience_next tells such things. */
audience *audience_open(const audience_options *options, error *err);

enum { AUDIENCE_LATER = 2 };

/* The next usable person. Returns 1; 0 at the end; AUDIENCE_LATER where nothing has come yet from a pipe: it is
 * waited for only shortly (some 50 ms, or until a signal comes), so that the caller can look after other things
 * and ask again; -1 where reading itself fails, where an array is cut off or followed by more, or where the
 * rejects cannot be written; then for good. */
int audience_next(audience *a, person_row *row, error *err);

/* The same, where the next person is only to be counted: what can be used and what is rejected stays the same. */
int audience_skip(audience *a, error *err);

audience_counts audience_count(const audience *a);
void audience_close(audience *a); /* flushes the rejects file */

#endif
