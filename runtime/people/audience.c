/* The audience: recognises the format, lets each id in once, counts, and writes what is rejected. See
 * audience.h.
 *
 * The formats are rows_csv.c and rows_json.c. */
#include "people/audience.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "people/audience_parts.h"
#include "people/input.h"
#include "people/rejects.h"
#include "people/rows.h"
#include "people/seen.h"

enum { CHUNK = 256 * 1024 };

struct audience {
  input in;
  rows *rows; /* NULL: the file is empty */
  row row;
  seen *seen;
  rejects rejects;
  audience_counts counts;
  char *id_name;
  void (*rejected)(void *data, uint64_t line, const char *why);
  void *data;
  bool recognised;
  bool failed; /* for good, with `failure` */
  error failure;
};

const char *reject_reason_name(reject_reason reason) {
  static const char *const names[REJECT_REASONS] = {
      [REJECT_NO_ID] = "no id",
      [REJECT_DUPLICATE] = "duplicate id",
      [REJECT_QUOTING] = "broken quoting",
      [REJECT_FIELDS] = "wrong number of fields",
      [REJECT_UTF8] = "bad UTF-8",
      [REJECT_JSON] = "not a JSON object",
      [REJECT_TOO_LONG] = "row too long",
  };
  return (unsigned)reason < REJECT_REASONS ? names[reason] : "unknown";
}

/* ---- recognising ---- */

/* Files that begin like none of ours, and what to do with them. */
static const struct {
  const char *bytes;
  size_t length;
  const char *words;
} strangers[] = {
    {"\xFF\xFE", 2,
     "is UTF-16, not UTF-8: in Excel save it as \"CSV UTF-8\", or convert it: iconv -f UTF-16 -t UTF-8"},
    {"\xFE\xFF", 2,
     "is UTF-16, not UTF-8: in Excel save it as \"CSV UTF-8\", or convert it: iconv -f UTF-16 -t UTF-8"},
    {"PK\x03\x04", 4, "is an Excel workbook or some other zip archive: save its sheet as \"CSV UTF-8\""},
    {"\xD0\xCF\x11\xE0", 4, "is an old Excel workbook: save its sheet as \"CSV UTF-8\""},
    {"\x1F\x8B", 2,
     "is compressed: unpack it with gunzip, or read it from a pipe: gunzip -c FILE | jaunt ... --people -"},
};

static int refuse_strangers(const input *in, error *err) {
  const char *bytes = input_at(in);
  size_t held = input_held(in);
  for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
    size_t length = strangers[i].length;
    if (held >= length && memcmp(bytes, strangers[i].bytes, length) == 0)
      return error_set(err, "%s %s", in->name, strangers[i].words);
  }
  if (held > 0 && memchr(bytes, '\0', held < 4 ? held : 4))
    return error_set(err, "%s is binary, or UTF-16 without a mark: a text in UTF-8 is needed", in->name);
  return 0;
}

/* Makes `least` bytes be held, if there are as many. Returns 0, INPUT_LATER or -1. */
static int hold(input *in, size_t least, error *err) {
  while (input_held(in) < least) {
    int more = input_more(in, err);
    if (more != 1) return more;
  }
  return 0;
}

/* Takes the empty lines at the beginning off, and sets *first to the first byte that is no white space. What
 * stands before it on its line stays: in TSV, a tab at the beginning is an empty name. Returns 1, 0 where
 * there is no such byte, INPUT_LATER, -1. */
static int find_first(input *in, char *first, error *err) {
  size_t at = 0;
  for (;;) {
    if (at == ROW_MOST) return error_set(err, "%s begins with a line of 16 MiB of white space", in->name);
    if (at == input_held(in)) {
      int more = input_more(in, err);
      if (more != 1) return more;
    }
    *first = input_at(in)[at++];
    if (*first == '\n') {
      input_take(in, at, 1);
      at = 0;
    } else if (*first != ' ' && *first != '\t' && *first != '\r') {
      return 1;
    }
  }
}

/* Looks at how the input begins. Returns 0 and sets a->rows (NULL where there is nothing in it), INPUT_LATER or
 * -1. When it begins anew, white space and the byte order mark may be gone already. */
static int find_format(audience *a, error *err) {
  input *in = &a->in;
  int held = hold(in, 4, err);
  if (held != 0) return held;
  if (refuse_strangers(in, err) != 0) return -1;
  if (!in->marked && input_held(in) >= 3 && memcmp(input_at(in), "\xEF\xBB\xBF", 3) == 0) {
    input_take(in, 3, 0);
    in->marked = true;
  }
  char first;
  int found = find_first(in, &first, err);
  if (found == 0) input_take(in, input_held(in), 0);
  if (found != 1) return found;
  if (first == '[' || first == '{') {
    while (*input_at(in) != first) input_take(in, 1, 0);
  }
  switch (first) {
  case '[': a->rows = rows_json_array_open(in, a->id_name); return 0;
  case '{': return rows_json_lines_open(&a->rows, in, a->id_name, err);
  default: return rows_csv_open(&a->rows, in, a->id_name, err);
  }
}

/* Returns 0 once the format is known, INPUT_LATER or -1. */
static int recognise(audience *a, error *err) {
  int status = a->recognised ? 0 : find_format(a, err);
  if (a->recognised || status != 0) return status;
  a->recognised = true;
  a->counts.format = a->rows ? a->rows->format : "empty";
  if (!a->rows) return 0;
  a->rejects.head = a->rows->head;
  a->rejects.head_length = a->rows->head_length;
  a->rejects.one_line = a->rows->one_line;
  return 0;
}

/* ---- opening ---- */

static int open_parts(audience *a, const audience_options *options, size_t chunk, error *err) {
  if (input_open(&a->in, options->path, chunk, err) != 0) return -1;
  if (rejects_init(&a->rejects, options->rejects_path, a->in.fd, err) != 0) return -1;
  a->seen = seen_new(err);
  if (!a->seen) return -1;
  a->counts.bytes_total = a->in.total;
  a->counts.format = "unknown";
  return recognise(a, err) < 0 ? -1 : 0;
}

audience *audience_open_chunked(const audience_options *options, size_t chunk, error *err) {
  audience *a = mem_zero(sizeof *a);
  bool named = options->id_column && *options->id_column;
  a->id_name = mem_text(named ? options->id_column : "id");
  a->rejected = options->rejected;
  a->data = options->data;
  if (open_parts(a, options, chunk, err) != 0) {
    audience_close(a);
    return NULL;
  }
  return a;
}

audience *audience_open(const audience_options *options, error *err) {
  return audience_open_chunked(options, CHUNK, err);
}

void audience_close(audience *a) {
  if (!a) return;
  rejects_close(&a->rejects);
  if (a->rows) a->rows->free(a->rows);
  seen_free(a->seen);
  row_free(&a->row);
  input_close(&a->in);
  free(a->id_name);
  free(a);
}

/* ---- the next person ---- */

/* Writes the rejected part at the front to the rejects file, and takes it off. */
static int take_part(audience *a, error *err) {
  if (rejects_add(&a->rejects, input_at(&a->in), a->row.length, err) != 0) return -1;
  input_take(&a->in, a->row.length, a->row.lines);
  return a->row.more ? 0 : rejects_end_row(&a->rejects, err);
}

/* Takes off what follows of a rejected row, if anything does. Returns 0, INPUT_LATER or -1. */
static int take_rest(audience *a, error *err) {
  while (a->row.more) {
    int status = a->rows->rest(a->rows, &a->row, err);
    if (status != 0) return status;
    if (take_part(a, err) != 0) return -1;
  }
  return 0;
}

static int reject(audience *a, error *err) {
  a->counts.rejected++;
  a->counts.by_reason[a->row.reason]++;
  if (a->rejected) a->rejected(a->data, a->in.line, a->row.why);
  return take_part(a, err);
}

/* Lets in whom it does not know yet; another is rejected. ROW_FAILED where there is no memory. */
static row_found check_seen(audience *a, error *err) {
  const buf *id = &a->row.id;
  char shown[SHOWN_MOST];
  uint64_t earlier = 0;
  int is_new = seen_add(a->seen, id->data, id->len, a->in.line, &earlier, err);
  if (is_new != 0) return is_new > 0 ? ROW_USABLE : ROW_FAILED;
  show_text(shown, id->data, id->len);
  if (earlier == 0) return row_reject(&a->row, REJECT_DUPLICATE, "the id \"%s\" was there before", shown);
  return row_reject(&a->row, REJECT_DUPLICATE, "the id \"%s\" was there before, on line %llu", shown,
                    (unsigned long long)earlier);
}

static void hand_out(audience *a, person_row *out) {
  row *r = &a->row;
  *out = (person_row){.id = buf_text(&r->id),
                      .id_length = r->id.len,
                      .profile = buf_text(&r->profile),
                      .profile_length = r->profile.len,
                      .event = buf_text(&r->event),
                      .event_length = r->event.len,
                      .line = a->in.line};
  a->counts.people++;
  input_take(&a->in, r->length, r->lines);
}

static int next_person(audience *a, person_row *out, error *err) {
  int status = recognise(a, err);
  if (status != 0) return status;
  if (!a->rows) return 0;
  for (;;) {
    status = take_rest(a, err);
    if (status != 0) return status;
    row_clear(&a->row);
    row_found found = a->rows->next(a->rows, &a->row, err);
    if (found == ROW_USABLE) found = check_seen(a, err);
    switch (found) {
    case ROW_FAILED: return -1;
    case ROW_LATER: return AUDIENCE_LATER;
    case ROW_END: return rejects_flush(&a->rejects, err);
    case ROW_USABLE: hand_out(a, out); return 1;
    case ROW_REJECTED: break;
    }
    if (reject(a, err) != 0) return -1;
  }
}

_Static_assert((int)AUDIENCE_LATER == (int)INPUT_LATER, "one is handed through as the other");

static int next(audience *a, person_row *out, error *err) {
  int status = a->failed ? -1 : next_person(a, out, &a->failure);
  a->failed = status < 0;
  if (a->failed && err) *err = a->failure;
  return status;
}

int audience_next(audience *a, person_row *out, error *err) {
  a->row.counts = false;
  return next(a, out, err);
}

int audience_skip(audience *a, error *err) {
  person_row passed_over;
  a->row.counts = true;
  return next(a, &passed_over, err);
}

audience_counts audience_count(const audience *a) {
  audience_counts counts = a->counts;
  counts.bytes_read = a->in.taken;
  return counts;
}
