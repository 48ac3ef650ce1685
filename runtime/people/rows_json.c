/* NDJSON and JSON arrays: rows of JSON objects.
 *
 * NDJSON has a row a line. An array's elements are parted by counting brackets outside of strings, which
 * finds the end of a broken element, too, as a rule; then each is looked at like a line. Commas between
 * elements are passed over, whether there is one or not: they say nothing about a person. */
#include "people/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "people/person_json.h"

/* Where the search for an element's end stands; it goes on when more was read. */
typedef struct search {
  size_t at; /* the offset of the next byte */
  uint64_t depth;
  bool in_string, escaped, found;
} search;

typedef struct json_rows {
  rows base;
  input *in;
  const char *id_name;
  bool ended; /* the array was closed, or the input ended within it */
  search search;
} json_rows;

/* ---- NDJSON ---- */

static bool is_json_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_empty_line(const char *line, size_t length) {
  while (length > 0 && is_json_space(line[length - 1])) length--;
  return length == 0;
}

static row_found lines_next(rows *base, row *out, error *err) {
  json_rows *r = (json_rows *)base;
  for (;;) {
    size_t behind;
    switch (input_line(r->in, 0, '\n', ROW_MOST, &behind, err)) {
    case LINE_FAILED: return ROW_FAILED;
    case LINE_NONE: return ROW_END;
    case LINE_LATER: return ROW_LATER;
    case LINE_TOO_LONG: return row_reject_long_line(out, r->in);
    case LINE_WHOLE: break;
    }
    if (!is_empty_line(input_at(r->in), behind)) {
      out->length = behind;
      out->lines = 1;
      return person_from_json(input_at(r->in), behind, r->id_name, r->in->line, out);
    }
    input_take(r->in, behind, 1);
  }
}

static int lines_rest(rows *base, row *out, error *err) {
  json_rows *r = (json_rows *)base;
  return row_rest_of_line(out, r->in, '\n', err);
}

/* ---- arrays ---- */

static size_t count_lines(const char *bytes, size_t length) {
  size_t lines = 0;
  const char *at = bytes, *end = bytes + length;
  while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) at++, lines++;
  return lines;
}

/* A string never spans lines: a line end ends one that was not closed. */
static void search_string(search *s, char c) {
  if (s->escaped) {
    s->escaped = false;
  } else if (c == '\\') {
    s->escaped = true;
  } else if (c == '"' || c == '\n') {
    s->in_string = false;
  }
}

/* Takes one byte outside of strings. Returns true when it belongs to what comes behind the element. */
static bool search_structure(search *s, char c) {
  bool closes = c == '}' || c == ']';
  if (s->depth == 0 && s->at > 0 && (closes || c == ',')) return true;
  if (c == '"') s->in_string = true;
  if (c == '{' || c == '[') s->depth++;
  if (closes) s->found = s->depth == 0 || --s->depth == 0;
  return false;
}

/* Goes on through what is held, until s->found: then s->at is where the element ends. */
static void search_end(search *s, const char *bytes, size_t held) {
  for (; s->at < held && !s->found; s->at++) {
    if (s->in_string) {
      search_string(s, bytes[s->at]);
    } else if (search_structure(s, bytes[s->at])) {
      s->found = true;
      return;
    }
  }
}

/* Takes commas and white space off the front, and the array's closing bracket. Returns 1 where an element
 * begins, 0 behind the bracket, INPUT_LATER, -1 when reading fails or the input ends. */
static int find_element(json_rows *r, error *err) {
  for (;;) {
    if (input_held(r->in) == 0) {
      int more = input_more(r->in, err);
      if (more < 0 || more == INPUT_LATER) return more;
      if (more == 0)
        return error_set(err, "%s ends on line %llu, before its array is closed: is the file cut off?",
                         r->in->name, (unsigned long long)r->in->line);
    }
    char c = *input_at(r->in);
    if (c != ',' && c != ']' && !is_json_space(c)) return 1;
    input_take(r->in, 1, c == '\n');
    if (c == ']') return 0;
  }
}

/* Nothing but white space may follow the array. */
static row_found check_end(json_rows *r, error *err) {
  for (;;) {
    if (input_held(r->in) == 0) {
      int more = input_more(r->in, err);
      if (more <= 0) return more < 0 ? ROW_FAILED : ROW_END;
      if (more == INPUT_LATER) return ROW_LATER;
    }
    char c = *input_at(r->in);
    if (!is_json_space(c)) {
      error_set(err, "%s:%llu: more text follows the array that ends here; nobody in it was read",
                r->in->name, (unsigned long long)r->in->line);
      return ROW_FAILED;
    }
    input_take(r->in, 1, c == '\n');
  }
}

/* Reads on until the element's end is found. Returns 1; 0 when the input ends before or it is too long;
 * INPUT_LATER; -1. */
static int read_element(json_rows *r, error *err) {
  r->search = (search){0};
  for (;;) {
    search_end(&r->search, input_at(r->in), input_held(r->in));
    if (r->search.at > ROW_MOST) return 0;
    if (r->search.found) return 1;
    int more = input_more(r->in, err);
    if (more != 1) return more;
  }
}

static row_found array_next(rows *base, row *out, error *err) {
  json_rows *r = (json_rows *)base;
  if (!r->ended) {
    int element = find_element(r, err);
    if (element < 0) return ROW_FAILED;
    if (element == INPUT_LATER) return ROW_LATER;
    r->ended = element == 0;
  }
  if (r->ended) return check_end(r, err);
  int whole = read_element(r, err);
  if (whole < 0) return ROW_FAILED;
  if (whole == INPUT_LATER) return ROW_LATER;
  const char *bytes = input_at(r->in);
  out->length = r->search.at;
  out->lines = count_lines(bytes, out->length);
  if (whole) return person_from_json(bytes, out->length, r->id_name, r->in->line, out);
  if (r->in->ended && r->search.at <= ROW_MOST)
    return row_reject(
        out, REJECT_JSON,
        "not a JSON object: the file ends within it, or a quote or bracket in it is not closed");
  out->more = !r->search.found;
  return row_reject(out, REJECT_TOO_LONG, "the element is longer than 16 MiB");
}

static int array_rest(rows *base, row *out, error *err) {
  json_rows *r = (json_rows *)base;
  int more = input_held(r->in) > 0 ? 1 : input_more(r->in, err);
  if (more < 0 || more == INPUT_LATER) return more;
  r->search.at = 0;
  search_end(&r->search, input_at(r->in), input_held(r->in));
  out->length = r->search.at;
  out->lines = count_lines(input_at(r->in), out->length);
  out->more = !r->search.found && more > 0;
  return 0;
}

/* ---- both ---- */

static void json_close(rows *base) {
  free(base);
}

static rows *json_open(rows base, input *in, const char *id_name) {
  json_rows *r = mem_zero(sizeof *r);
  r->base = base;
  r->base.free = json_close;
  r->in = in;
  r->id_name = id_name;
  return &r->base;
}

/* Where the first line ends in the midst of an object, each line would be rejected: say it once. Returns 0,
 * INPUT_LATER or -1. */
static int check_first_line(input *in, error *err) {
  size_t length;
  line_found found = input_line(in, 0, '\n', ROW_MOST, &length, err);
  if (found == LINE_LATER) return INPUT_LATER;
  if (found != LINE_WHOLE) return found == LINE_FAILED ? -1 : 0;
  const char *line = input_at(in);
  while (length > 0 && is_json_space(line[length - 1])) length--;
  if (length == 0 || !strchr("{[,:", line[length - 1])) return 0;
  return error_set(
      err,
      "%s:%llu: this object goes on in the next line; write one object on each line (jq -c . FILE does "
      "it), or one JSON array of all",
      in->name, (unsigned long long)in->line);
}

int rows_json_lines_open(rows **out, input *in, const char *id_name, error *err) {
  int status = check_first_line(in, err);
  if (status == 0)
    *out = json_open((rows){.format = "ndjson", .next = lines_next, .rest = lines_rest}, in, id_name);
  return status;
}

rows *rows_json_array_open(input *in, const char *id_name) {
  input_take(in, 1, 0); /* the bracket */
  return json_open((rows){.format = "json", .next = array_next, .rest = array_rest, .one_line = true}, in,
                   id_name);
}
