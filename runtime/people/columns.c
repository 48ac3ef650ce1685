/* The columns of a CSV or TSV file: see columns.h. */
#include "people/columns.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/json.h"
#include "people/rows.h"

enum { COLUMNS_MOST = 16384, LISTED_MOST = 12, COMPARED_MOST = 64 };

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

void columns_add(columns *c, const char *name, size_t length) {
  while (length > 0 && is_space(name[0])) name++, length--;
  while (length > 0 && is_space(name[length - 1])) length--;
  if (c->count == c->room) {
    c->room = c->room ? c->room * 2 : 16;
    c->items = mem_grow(c->items, c->room * sizeof(column));
  }
  column *added = &c->items[c->count++];
  *added = (column){.kind = COLUMN_IGNORED};
  buf_add(&added->name, name, length);
  buf_text(&added->name);
}

void columns_free(columns *c) {
  for (size_t i = 0; i < c->count; i++) {
    buf_free(&c->items[i].name);
    buf_free(&c->items[i].key);
  }
  free(c->items);
  *c = (columns){0};
}

static bool is_named(const column *c, const char *name) {
  return c->name.len == strlen(name) && memcmp(c->name.data, name, c->name.len) == 0;
}

/* ---- which name may be meant ---- */

/* How many letters have to be changed, added, left out or swapped to make `b` of `a`, upper and lower case
 * being equal (the optimal string alignment distance). */
static size_t letters_apart(const char *a, size_t a_length, const char *b, size_t b_length) {
  size_t lines[3][COMPARED_MOST + 1], *before = lines[0], *last = lines[1], *now = lines[2];
  if (a_length > COMPARED_MOST || b_length > COMPARED_MOST) return SIZE_MAX;
  for (size_t j = 0; j <= b_length; j++) last[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    now[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
      size_t least = last[j - 1] + (same ? 0 : 1);
      if (last[j] + 1 < least) least = last[j] + 1;
      if (now[j - 1] + 1 < least) least = now[j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && before[j - 2] + 1 < least) least = before[j - 2] + 1;
      now[j] = least;
    }
    size_t *oldest = before;
    before = last, last = now, now = oldest;
  }
  return last[b_length];
}

/* True where `name` ends in the word `wanted`: customer_id, "Customer ID", customerId. */
static bool ends_in_word(const buf *name, const char *wanted) {
  size_t length = strlen(wanted);
  if (name->len <= length) return false;
  const char *tail = name->data + name->len - length;
  if (strncasecmp(tail, wanted, length) != 0) return false;
  return !isalnum((unsigned char)tail[-1]) ||
         (islower((unsigned char)tail[-1]) && isupper((unsigned char)*tail));
}

/* The column that `wanted` may mean; NULL when none is near. */
static const column *nearest(const columns *c, const char *wanted) {
  const column *best = NULL;
  size_t length = strlen(wanted), best_score = 2 + (length + 1) / 3;
  for (size_t i = 0; i < c->count; i++) {
    const column *candidate = &c->items[i];
    if (candidate->name.len == 0) continue;
    size_t apart = letters_apart(candidate->name.data, candidate->name.len, wanted, length);
    size_t score = ends_in_word(&candidate->name, wanted) ? 1 : SIZE_MAX;
    if (apart == 0) score = 0;
    if (apart <= length / 3 && apart + 1 < score) score = apart + 1;
    if (score < best_score) best = candidate, best_score = score;
  }
  return best;
}

/* ---- checking ---- */

static int fail_no_id(const columns *c, const char *id_name, error *err) {
  buf said = BUF_EMPTY;
  char shown[SHOWN_MOST];
  buf_format(&said, "there is no column \"%s\" among those that the first line names: ",
             show_text(shown, id_name, strlen(id_name)));
  for (size_t i = 0; i < c->count && i < LISTED_MOST; i++) {
    const buf *name = &c->items[i].name;
    buf_format(&said, "%s\"%s\"", i ? ", " : "", show_text(shown, name->data, name->len));
  }
  if (c->count > LISTED_MOST) buf_format(&said, " and %zu more", c->count - LISTED_MOST);
  const column *near = nearest(c, id_name);
  if (near) {
    show_text(shown, near->name.data, near->name.len);
    const char *quote = strpbrk(shown, " \t$&;|<>()*?!'\"\\`#") ? "\"" : "";
    buf_format(&said, ". Is it \"%s\"? Then say --id %s%s%s", shown, quote, shown, quote);
  } else {
    buf_text_add(&said, ". Name the one that holds the id: --id COLUMN");
  }
  error_set(err, "%s", buf_text(&said));
  buf_free(&said);
  return -1;
}

static int find_id(columns *c, const char *id_name, error *err) {
  for (size_t i = 0; i < c->count; i++) {
    if (!is_named(&c->items[i], id_name)) continue;
    c->id = i;
    c->add_id = strcmp(id_name, "id") != 0;
    return 0;
  }
  return fail_no_id(c, id_name, err);
}

static int by_name(const void *a, const void *b) {
  const buf *x = &((const column *)a)->name, *y = &((const column *)b)->name;
  int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
  return order ? order : (x->len > y->len) - (x->len < y->len);
}

static int check_twice(const columns *c, error *err) {
  column *sorted = mem_alloc(c->count * sizeof(column)); /* the names stay c's */
  memcpy(sorted, c->items, c->count * sizeof(column));
  qsort(sorted, c->count, sizeof(column), by_name);
  int status = 0;
  for (size_t i = 1; i < c->count && status == 0; i++) {
    char shown[SHOWN_MOST];
    const buf *name = &sorted[i].name;
    if (name->len > 0 && by_name(&sorted[i - 1], &sorted[i]) == 0) {
      status = error_set(err, "two columns are called \"%s\": rename one of them",
                         show_text(shown, name->data, name->len));
    }
  }
  free(sorted);
  return status;
}

/* Decides where the column's cells go, and prepares what is written before them. */
static int settle_one(columns *c, size_t index, error *err) {
  static const char event[] = "event.";
  column *it = &c->items[index];
  const char *name = it->name.data;
  size_t length = it->name.len, before = sizeof event - 1;
  it->kind = COLUMN_PROFILE;
  if (length >= before && memcmp(name, event, before) == 0) {
    it->kind = COLUMN_EVENT;
    name += before;
    length -= before;
  }
  if (length == 0 || (is_named(it, "id") && c->id != index)) it->kind = COLUMN_IGNORED;
  if (json_write_string(&it->key, name, length) != 0)
    return error_set(err,
                     "the name of column %zu is not valid UTF-8: save the file as UTF-8 (in Excel: \"CSV "
                     "UTF-8\"), or convert it: iconv -f WINDOWS-1252 -t UTF-8",
                     index + 1);
  buf_char(&it->key, ':');
  return 0;
}

int columns_settle(columns *c, const char *id_name, error *err) {
  if (c->count > COLUMNS_MOST)
    return error_set(err, "there are %zu columns; at most %d are taken", c->count, COLUMNS_MOST);
  if (find_id(c, id_name, err) != 0) return -1;
  if (check_twice(c, err) != 0) return -1;
  for (size_t i = 0; i < c->count; i++) {
    if (settle_one(c, i, err) != 0) return -1;
  }
  return 0;
}
