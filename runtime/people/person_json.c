/* A person from a JSON object: see person_json.h.
 *
 * The text is validated once, as a whole; then its members are gone through, and those that stay are copied
 * as they stand, so that no number loses a digit. */
#include "people/person_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

typedef struct slice {
  const char *bytes;
  size_t length;
} slice;

/* One member of an object. */
typedef struct member {
  slice name;  /* without quotes and escapes */
  slice key;   /* as it stands, in quotes */
  slice value; /* as it stands */
} member;

typedef struct person {
  const char *id_name;
  row *out;
  bool has_id;
  buf names, texts; /* room for what has escapes */
} person;

static bool slice_is(slice s, const char *text) {
  return s.length == strlen(text) && memcmp(s.bytes, text, s.length) == 0;
}

/* Reads the member at `at` and returns what follows it. */
static const char *read_member(const char *at, const char *end, buf *names, member *m) {
  bool short_of;
  m->key.bytes = at;
  at = json_read_string(at, end, names, &m->name.bytes, &m->name.length);
  m->key.length = (size_t)(at - m->key.bytes);
  at = json_read_start(at, end) + 1; /* the colon */
  at = json_read_start(at, end);
  m->value.bytes = at;
  m->value.length = json_skip(at, (size_t)(end - at), JSON_DEPTH, &short_of, NULL);
  return at + m->value.length;
}

/* What a JSON value is called in a message. */
static const char *kind_of(slice value) {
  static const struct {
    char first;
    const char *kind;
  } kinds[] = {{'{', "an object"}, {'[', "a list"}, {'"', "a text"},
               {'t', "true"},      {'f', "false"},  {'n', "null"}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (kinds[i].first == value.bytes[0]) return kinds[i].kind;
  }
  return "a number";
}

static bool is_whole_number(slice value) {
  for (size_t i = 0; i < value.length; i++) {
    char c = value.bytes[i];
    if (!(c >= '0' && c <= '9') && !(c == '-' && i == 0)) return false;
  }
  return true;
}

static row_found take_id(person *p, slice value) {
  row *out = p->out;
  char shown[SHOWN_MOST];
  if (p->has_id)
    return row_reject(out, REJECT_NO_ID, "two members are called \"%s\"",
                      show_text(shown, p->id_name, strlen(p->id_name)));
  p->has_id = true;
  if (value.bytes[0] == '"') {
    slice text;
    json_read_string(value.bytes, value.bytes + value.length, &p->texts, &text.bytes, &text.length);
    buf_add(&out->id, text.bytes, text.length);
  } else if (is_whole_number(value)) {
    buf_add(&out->id, value.bytes, value.length);
  } else {
    bool number = strchr("-0123456789", value.bytes[0]);
    return row_reject(out, REJECT_NO_ID, "the id must be a text or a whole number, not %s",
                      number ? show_text(shown, value.bytes, value.length) : kind_of(value));
  }
  return ROW_USABLE;
}

/* Copies what stands between an object's braces. */
static row_found take_event(person *p, slice value) {
  if (slice_is(value, "null")) return ROW_USABLE;
  if (value.bytes[0] != '{')
    return row_reject(p->out, REJECT_JSON, "\"event\" must be an object, not %s", kind_of(value));
  const char *end = value.bytes + value.length - 1;
  const char *inner = json_read_start(value.bytes + 1, end);
  if (inner < end) row_add_key(&p->out->event, inner, (size_t)(end - inner));
  return ROW_USABLE;
}

static void copy_member(buf *object, slice key, slice value) {
  row_add_key(object, key.bytes, key.length);
  buf_char(object, ':');
  buf_add(object, value.bytes, value.length);
}

static row_found take_member(person *p, const member *m) {
  static const char event[] = "event.";
  size_t before = sizeof event - 1;
  if (slice_is(m->name, p->id_name) && take_id(p, m->value) == ROW_REJECTED) return ROW_REJECTED;
  if (slice_is(m->name, "id")) return ROW_USABLE; /* row_finish puts the person's there, as a string */
  if (slice_is(m->name, "event")) return take_event(p, m->value);
  if (m->name.length > before && memcmp(m->name.bytes, event, before) == 0) {
    row *out = p->out;
    buf_clear(&p->texts);
    json_write_string(&p->texts, m->name.bytes + before, m->name.length - before);
    copy_member(&out->event, (slice){p->texts.data, p->texts.len}, m->value);
  } else {
    copy_member(&p->out->profile, m->key, m->value);
  }
  return ROW_USABLE;
}

static row_found take_members(person *p, const char *at, const char *end) {
  row_found found = ROW_USABLE;
  at = json_read_start(at + 1, end);
  while (*at != '}' && found == ROW_USABLE) {
    member m;
    at = json_read_start(read_member(at, end, &p->names, &m), end);
    if (*at == ',') at = json_read_start(at + 1, end);
    found = take_member(p, &m);
  }
  if (found == ROW_REJECTED) return found;
  if (!p->has_id) {
    char shown[SHOWN_MOST];
    return row_reject(p->out, REJECT_NO_ID, "no id: there is no \"%s\" in it",
                      show_text(shown, p->id_name, strlen(p->id_name)));
  }
  return row_finish(p->out, true);
}

/* Words what the scanner said, with the file's line in place of the row's. */
static row_found reject_scan(row *out, const error *said, bool text_is_utf8, uint64_t line) {
  unsigned long long row_line = 1, column = 1;
  int words = 0;
  reject_reason reason = text_is_utf8 ? REJECT_JSON : REJECT_UTF8;
  if (sscanf(said->text, "line %llu, column %llu: %n", &row_line, &column, &words) < 2)
    return row_reject(out, reason, "not a JSON object: %.300s", said->text);
  if (row_line == 1)
    return row_reject(out, reason, "not a JSON object: at its character %llu: %.300s", column,
                      said->text + words);
  return row_reject(out, reason, "not a JSON object: line %llu, column %llu: %.300s",
                    (unsigned long long)line + row_line - 1, column, said->text + words);
}

row_found person_from_json(const char *text, size_t length, const char *id_name, uint64_t line, row *out) {
  error said;
  if (json_scan(text, length, JSON_DEPTH, NULL, &said) != 0)
    return reject_scan(out, &said, utf8_valid(text, length), line);
  const char *end = text + length, *at = json_read_start(text, end);
  if (*at != '{') return row_reject(out, REJECT_JSON, "not a JSON object but %s", kind_of((slice){at, 1}));
  person p = {.id_name = id_name, .out = out, .names = BUF_EMPTY, .texts = BUF_EMPTY};
  row_found found = take_members(&p, at, end);
  buf_free(&p.names);
  buf_free(&p.texts);
  return found;
}
