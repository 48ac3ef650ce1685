/* For the tests of people/: reads a whole audience from bytes and tells in text what came of it. */
#ifndef JAUNT_TESTS_PEOPLE_READING_H
#define JAUNT_TESTS_PEOPLE_READING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/error.h"
#include "people/audience.h"
#include "people/audience_parts.h"

typedef struct reading {
  char folder[64], input[96], rejects_path[96];
  buf people;   /* "LINE ID PROFILE EVENT\n" for each */
  buf rejected; /* "LINE WHY\n" for each */
  buf rejects;  /* the rejects file's bytes; empty where there is none */
  audience_counts counts;
  int status; /* of the last audience_next; -2 where opening failed */
  error err;
} reading;

static inline void reading_note_rejected(void *data, uint64_t line, const char *why) {
  reading *r = data;
  buf_format(&r->rejected, "%llu %s\n", (unsigned long long)line, why);
}

static inline void reading_load(buf *out, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return;
  size_t got;
  while ((got = fread(buf_room(out, 65536), 1, 65536, file)) > 0) out->len += got;
  fclose(file);
}

static inline void reading_save(const char *path, const void *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

static inline void reading_init(reading *r) {
  memset(r, 0, sizeof *r);
  strcpy(r->folder, "/tmp/jaunt-people-XXXXXX");
  assert_non_null(mkdtemp(r->folder));
  snprintf(r->input, sizeof r->input, "%s/people", r->folder);
  snprintf(r->rejects_path, sizeof r->rejects_path, "%s/rejects", r->folder);
}

static inline void reading_end(reading *r) {
  unlink(r->input);
  unlink(r->rejects_path);
  rmdir(r->folder);
  buf_free(&r->people);
  buf_free(&r->rejected);
  buf_free(&r->rejects);
}

/* Reads the file r->input; `chunk` 0 is the usual one. */
static inline void reading_run(reading *r, const char *id_column, size_t chunk) {
  audience_options options = {.path = r->input,
                              .id_column = id_column,
                              .rejects_path = r->rejects_path,
                              .rejected = reading_note_rejected,
                              .data = r};
  audience *a = audience_open_chunked(&options, chunk ? chunk : 65536, &r->err);
  r->status = -2;
  buf_text(&r->people);
  buf_text(&r->rejected);
  buf_text(&r->rejects);
  if (!a) return;
  person_row row;
  while ((r->status = audience_next(a, &row, &r->err)) == 1) {
    buf_format(&r->people, "%llu ", (unsigned long long)row.line);
    buf_add(&r->people, row.id, row.id_length);
    buf_char(&r->people, ' ');
    buf_add(&r->people, row.profile, row.profile_length);
    buf_char(&r->people, ' ');
    buf_add(&r->people, row.event, row.event_length);
    buf_char(&r->people, '\n');
  }
  r->counts = audience_count(a);
  audience_close(a);
  reading_load(&r->rejects, r->rejects_path);
  buf_text(&r->people);
  buf_text(&r->rejected);
  buf_text(&r->rejects);
}

static inline reading reading_of_bytes(const void *bytes, size_t length, const char *id_column,
                                       size_t chunk) {
  reading r;
  reading_init(&r);
  reading_save(r.input, bytes, length);
  reading_run(&r, id_column, chunk);
  return r;
}

static inline reading reading_of(const char *text) {
  return reading_of_bytes(text, strlen(text), NULL, 0);
}

/* Reads `text` and checks who came of it, what was told about the others, and what the rejects file holds. */
static inline void expect_reading(const char *text, const char *id_column, const char *people,
                                  const char *rejected, const char *rejects) {
  reading r = reading_of_bytes(text, strlen(text), id_column, 0);
  if (r.status != 0) fail_msg("%s", r.err.text);
  assert_string_equal(r.people.data, people);
  assert_string_equal(r.rejected.data, rejected);
  assert_string_equal(r.rejects.data, rejects);
  reading_end(&r);
}

/* Checks that `bytes` cannot be opened, and that the error has `words` in it. */
static inline void expect_refused(const void *bytes, size_t length, const char *id_column,
                                  const char *words) {
  reading r = reading_of_bytes(bytes, length, id_column, 0);
  assert_int_equal(r.status, -2);
  if (!strstr(r.err.text, words)) fail_msg("\"%s\" is not in: %s", words, r.err.text);
  assert_null(strchr(r.err.text, '\n'));
  reading_end(&r);
}

#endif
