/* CSV and TSV: rows of cells under a header.
 *
 * libcsv takes the rows with quotes apart, strictly: as RFC 4180 has it, white space belongs to the cell. Rows
 * without need no parser. What is decided here: commas, semicolons or tabs part the cells, whichever the header has most of (of as many,
 * the rarer one in names: tabs, then semicolons); lines end as the header's line does; a cell becomes a JSON
 * string; an empty cell is an absent attribute; an empty line is no row.
 *
 * libcsv is fed one line at a time, so that a row's raw bytes are known. Where the quoting of a row is broken
 * only its first line is rejected and reading goes on with the next one: a quote that is never closed costs
 * one row, not all that follow it. */
#include "people/rows.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_text.h"
#include "people/columns.h"

enum { CELL_STEP = 65536 }; /* how libcsv's buffer for one cell grows */

typedef struct csv_rows {
  rows base;
  input *in;
  columns columns;
  struct csv_parser parser;
  char newline; /* '\n', or '\r' where nothing follows it (old Macs) */
  char parts;   /* what stands between cells */
  buf head;
  /* While a row is read: */
  row *out;
  size_t cells, rows_ended;
  bool sound;        /* all of it is known to be UTF-8 */
  const column *bad; /* the first whose cell is not UTF-8 */
} csv_rows;

/* ---- what is done with cells ---- */

static void on_name(void *bytes, size_t length, void *data) {
  csv_rows *r = data;
  columns_add(&r->columns, bytes, length);
}

static void add_cell(csv_rows *r, const char *bytes, size_t length) {
  size_t index = r->cells++;
  if (index >= r->columns.count || length == 0) return;
  const column *c = &r->columns.items[index];
  if (index == r->columns.id) buf_add(&r->out->id, bytes, length);
  if (c->kind == COLUMN_IGNORED) return;
  if (r->out->counts) {
    if (!r->sound && !r->bad && !utf8_valid(bytes, length)) r->bad = c;
    return;
  }
  buf *object = c->kind == COLUMN_EVENT ? &r->out->event : &r->out->profile;
  row_add_key(object, c->key.data, c->key.len);
  if (json_write_string(object, bytes, length) != 0 && !r->bad) r->bad = c;
}

static void on_cell(void *bytes, size_t length, void *data) {
  add_cell(data, bytes, length);
}

static void on_row(int end, void *data) {
  csv_rows *r = data;
  (void)end;
  r->rows_ended++;
}

static int no_space(unsigned char c) {
  (void)c;
  return 0;
}

/* ---- feeding it ---- */

typedef void (*cell_callback)(void *bytes, size_t length, void *data);
typedef enum fed { FED_ROW, FED_OPEN, FED_BROKEN, FED_LONE_END } fed;

/* Makes it forget a row that was not finished. */
static void parser_reset(csv_rows *r) {
  csv_fini(&r->parser, NULL, NULL, NULL);
}

/* Where the line's own text ends, before its line end. */
static size_t text_end(const csv_rows *r, const char *line, size_t length) {
  if (length > 0 && line[length - 1] == r->newline) length--;
  if (length > 0 && r->newline == '\n' && line[length - 1] == '\r') length--;
  return length;
}

/* Feeds one line, and a line end where the input ends without one. FED_OPEN: a quoted cell goes on in the
 * next line. FED_BROKEN: *at is the offset of the fault. */
static fed feed_line(csv_rows *r, const char *line, size_t length, cell_callback on_field, size_t *at) {
  size_t text = text_end(r, line, length);
  *at = csv_parse(&r->parser, line, text, on_field, on_row, r);
  if (*at < text) return FED_BROKEN;
  if (r->rows_ended > 0) return FED_LONE_END;
  if (text < length) {
    csv_parse(&r->parser, line + text, length - text, on_field, on_row, r);
  } else {
    csv_parse(&r->parser, &r->newline, 1, on_field, on_row, r);
  }
  return r->rows_ended > 0 ? FED_ROW : FED_OPEN;
}

/* The first separator from `at` on, or `end`. Cells are short: memchr is quick only once it runs. */
static const char *cell_end(const csv_rows *r, const char *at, const char *end) {
  uint64_t parts = JSON_ONES * (unsigned char)r->parts;
  for (; end - at >= 8; at += 8) {
    uint64_t x = json_eight(at) ^ parts, found = (x - JSON_ONES) & ~x & JSON_TOPS;
    if (found) return at + json_first_of(found);
  }
  while (at < end && *at != r->parts) at++;
  return at;
}

/* Takes apart a line that is a row as it stands: without quotes, and without a line end within it, whatever
 * stands between two separators is a cell. libcsv would say the same, ten times slower. Returns false, and
 * has done nothing, when the line is of another kind. */
static bool read_plain_line(csv_rows *r, const char *line, size_t length) {
  size_t left = text_end(r, line, length);
  if (memchr(line, '"', left) || memchr(line, '\r', left)) return false;
  if (r->newline == '\r' && memchr(line, '\n', left)) return false;
  r->sound = r->out->counts && utf8_valid(line, left);
  const char *at = line, *end = line + left, *stop;
  while ((stop = cell_end(r, at, end)) < end) {
    add_cell(r, at, (size_t)(stop - at));
    at = stop + 1;
  }
  add_cell(r, at, (size_t)(end - at));
  return true;
}

static bool is_empty_line(const csv_rows *r, const char *line, size_t length) {
  for (size_t i = 0; i < length; i++) {
    bool passed_over =
        line[i] == '\n' || line[i] == '\r' || line[i] == ' ' || (line[i] == '\t' && r->parts != '\t');
    if (!passed_over) return false;
  }
  return true;
}

/* ---- rows ---- */

static row_found reject_fault(row *out, const char *line, size_t at) {
  size_t characters = 1;
  for (size_t i = 0; i < at; i++) characters += ((unsigned char)line[i] & 0xC0) != 0x80;
  return row_reject(
      out, REJECT_QUOTING,
      "broken quoting at character %zu: a cell that holds a quote stands in quotes as a whole, and "
      "quotes in it are doubled",
      characters);
}

static row_found reject_lone_end(row *out) {
  return row_reject(
      out, REJECT_QUOTING,
      "broken quoting: a cell holds a line end of another kind than the file's lines have; such a "
      "cell must stand in quotes");
}

/* All lines of the row are there: is it a person? */
static row_found judge(csv_rows *r, row *out) {
  char shown[SHOWN_MOST];
  size_t wanted = r->columns.count;
  if (r->cells != wanted)
    return row_reject(out, REJECT_FIELDS, "%zu field%s where the header has %zu", r->cells,
                      r->cells == 1 ? "" : "s", wanted);
  if (r->bad)
    return row_reject(out, REJECT_UTF8, "the column \"%s\" is not valid UTF-8 here",
                      show_text(shown, r->bad->name.data, r->bad->name.len));
  return row_finish(out, r->columns.add_id);
}

/* Rejects the row's first line; the next line is looked at as a row of its own. */
static row_found give_up_line(csv_rows *r, row *out, size_t first_line, fed how, size_t lines, size_t at) {
  parser_reset(r);
  out->length = first_line;
  out->lines = 1;
  if (how == FED_LONE_END) return reject_lone_end(out);
  if (how == FED_BROKEN && lines == 1) return reject_fault(out, input_at(r->in), at);
  if (how == FED_BROKEN)
    return row_reject(out, REJECT_QUOTING,
                      "broken quoting: a quote is opened here, and what would close it stands amid text on "
                      "line %llu",
                      (unsigned long long)(r->in->line + lines - 1));
  return row_reject(out, REJECT_QUOTING, "broken quoting: a quote is opened here and never closed%s",
                    r->in->ended ? "" : " within 16 MiB");
}

/* Reads the row whose first line ends at the offset `first_line`, by libcsv. */
static row_found read_quoted(csv_rows *r, row *out, size_t first_line, error *err) {
  size_t from = 0, behind = first_line, at = 0;
  for (size_t lines = 1;; lines++) {
    fed how = feed_line(r, input_at(r->in) + from, behind - from, on_cell, &at);
    if (how == FED_ROW) {
      out->length = behind;
      out->lines = lines;
      return judge(r, out);
    }
    if (how != FED_OPEN) return give_up_line(r, out, first_line, how, lines, at);
    from = behind;
    line_found next = input_line(r->in, from, r->newline, ROW_MOST, &behind, err);
    if (next == LINE_FAILED) return ROW_FAILED;
    if (next == LINE_LATER) {
      parser_reset(r);
      return ROW_LATER;
    }
    if (next != LINE_WHOLE) return give_up_line(r, out, first_line, how, lines, at);
  }
}

static row_found read_row(csv_rows *r, row *out, size_t first_line, error *err) {
  r->out = out;
  r->cells = r->rows_ended = 0;
  r->bad = NULL;
  r->sound = false;
  if (!read_plain_line(r, input_at(r->in), first_line)) return read_quoted(r, out, first_line, err);
  out->length = first_line;
  out->lines = 1;
  return judge(r, out);
}

static row_found csv_next(rows *base, row *out, error *err) {
  csv_rows *r = (csv_rows *)base;
  for (;;) {
    size_t behind;
    switch (input_line(r->in, 0, r->newline, ROW_MOST, &behind, err)) {
    case LINE_FAILED: return ROW_FAILED;
    case LINE_NONE: return ROW_END;
    case LINE_LATER: return ROW_LATER;
    case LINE_TOO_LONG: return row_reject_long_line(out, r->in);
    case LINE_WHOLE: break;
    }
    if (!is_empty_line(r, input_at(r->in), behind)) return read_row(r, out, behind, err);
    input_take(r->in, behind, 1);
  }
}

static int csv_rest(rows *base, row *out, error *err) {
  csv_rows *r = (csv_rows *)base;
  return row_rest_of_line(out, r->in, r->newline, err);
}

static void csv_close(rows *base) {
  csv_rows *r = (csv_rows *)base;
  csv_free(&r->parser);
  columns_free(&r->columns);
  buf_free(&r->head);
  free(r);
}

/* ---- the header ---- */

typedef struct sniffed {
  size_t commas, semicolons, tabs;
  bool quoted, ended;
  char newline;
} sniffed;

static void sniff_char(sniffed *s, char c) {
  if (c == '"') s->quoted = !s->quoted;
  if (s->quoted) return;
  s->commas += c == ',';
  s->semicolons += c == ';';
  s->tabs += c == '\t';
  s->ended = c == '\n' || c == '\r';
}

/* Runs over the header, outside of quotes, to learn what parts its cells and what ends its line. Returns 0,
 * INPUT_LATER or -1. */
static int sniff(csv_rows *r, error *err) {
  sniffed s = {0};
  size_t at = 0;
  char last = '\n';
  while (!s.ended && at < ROW_MOST) {
    int more = at < input_held(r->in) ? 1 : input_more(r->in, err);
    if (more < 0 || more == INPUT_LATER) return more;
    if (more == 0) break;
    last = input_at(r->in)[at++];
    sniff_char(&s, last);
  }
  if (last == '\r' && at == input_held(r->in)) {
    int more = input_more(r->in, err);
    if (more < 0 || more == INPUT_LATER) return more;
  }
  bool alone = last == '\r' && at < input_held(r->in) && input_at(r->in)[at] != '\n';
  r->newline = s.ended && alone ? '\r' : '\n';
  r->parts = ',';
  if (s.semicolons > 0 && s.semicolons >= s.commas) r->parts = ';';
  if (s.tabs > 0 && s.tabs >= s.commas && s.tabs >= s.semicolons) r->parts = '\t';
  r->base.format = r->parts == '\t' ? "tsv" : "csv";
  return 0;
}

static int fail_header(const csv_rows *r, const char *what, error *err) {
  return error_set(err, "%s:%llu: %s", r->in->name, (unsigned long long)r->in->line, what);
}

/* Feeds the header's lines to on_name. Returns 0 and sets *length and *lines; INPUT_LATER; -1 when they make no
 * header. */
static int feed_header(csv_rows *r, size_t *length, uint64_t *lines, error *err) {
  size_t from = 0, behind = 0, at = 0;
  for (*lines = 1;; ++*lines) {
    switch (input_line(r->in, from, r->newline, ROW_MOST, &behind, err)) {
    case LINE_FAILED: return -1;
    case LINE_LATER: return INPUT_LATER;
    case LINE_NONE: return fail_header(r, "a quote is opened in the header and never closed", err);
    case LINE_TOO_LONG: return fail_header(r, "the header is longer than 16 MiB", err);
    case LINE_WHOLE: break;
    }
    fed how = feed_line(r, input_at(r->in) + from, behind - from, on_name, &at);
    *length = from = behind;
    if (how == FED_ROW) return 0;
    if (how != FED_OPEN) return fail_header(r, "broken quoting in the header, which names the columns", err);
  }
}

/* Reads the header. Its bytes are kept for the rejects file, with the byte order mark, by which Excel knows
 * UTF-8. */
static int read_header(csv_rows *r, const char *id_name, error *err) {
  size_t length = 0;
  uint64_t lines = 0;
  int status = feed_header(r, &length, &lines, err);
  if (status != 0) return status;
  if (columns_settle(&r->columns, id_name, err) != 0)
    return error_before(err, "%s:%llu: ", r->in->name, (unsigned long long)r->in->line);
  if (r->in->marked) buf_text_add(&r->head, "\xEF\xBB\xBF");
  buf_add(&r->head, input_at(r->in), length);
  if (r->head.data[r->head.len - 1] != r->newline) buf_char(&r->head, r->newline);
  r->base.head = r->head.data;
  r->base.head_length = r->head.len;
  input_take(r->in, length, lines);
  return 0;
}

int rows_csv_open(rows **out, input *in, const char *id_name, error *err) {
  csv_rows *r = mem_zero(sizeof *r);
  r->base = (rows){.next = csv_next, .rest = csv_rest, .free = csv_close};
  r->in = in;
  csv_init(&r->parser, CSV_STRICT);
  csv_set_realloc_func(&r->parser, mem_grow);
  csv_set_space_func(&r->parser, no_space);
  csv_set_blk_size(&r->parser, CELL_STEP);
  int status = sniff(r, err);
  if (status == 0) {
    csv_set_delim(&r->parser, (unsigned char)r->parts);
    status = read_header(r, id_name, err);
  }
  if (status == 0)
    *out = &r->base;
  else
    csv_close(&r->base);
  return status;
}
