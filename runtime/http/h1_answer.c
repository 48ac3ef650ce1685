/* Answers in HTTP/1.1: see h1_answer.h. One function for each state; lines first. */
#include "http/h1_answer.h"

#include <string.h>
#include <strings.h>

enum { CHUNK_LINE_MOST = 1024, KEPT_MOST = 16384 };

void h1_answer_begin(h1_answer *a, const h1_sink *sink, void *owner, bool to_head, size_t head_most) {
  buf kept = a->kept;
  buf_clear(&kept);
  *a = (h1_answer){.sink = sink, .owner = owner, .to_head = to_head, .head_left = head_most, .kept = kept};
}

void h1_answer_free(h1_answer *a) {
  buf_free(&a->kept);
}

static h1_verdict broken(h1_answer *a, const char *problem) {
  a->problem = problem;
  return H1_BROKEN;
}

/* ---- lines ---- */

typedef struct reader {
  const char *at, *end;
} reader;

typedef struct line {
  const char *text;
  size_t length; /* without its end */
  bool by_crlf;
} line;

/* Takes the next line; false when its end has not come. A line that came in pieces is put together in
 * `kept`, where it stays until the next call. */
static bool next_line(h1_answer *a, reader *r, line *l) {
  size_t there = (size_t)(r->end - r->at);
  const char *feed = memchr(r->at, '\n', there);
  if (!feed) {
    buf_add(&a->kept, r->at, there);
    r->at = r->end;
    return false;
  }
  *l = (line){.text = r->at, .length = (size_t)(feed - r->at)};
  if (a->kept.len > 0) {
    buf_add(&a->kept, r->at, l->length);
    *l = (line){.text = a->kept.data, .length = a->kept.len};
    buf_clear(&a->kept); /* its bytes stay where they are */
  }
  r->at = feed + 1;
  l->by_crlf = l->length > 0 && l->text[l->length - 1] == '\r';
  if (l->by_crlf) l->length--;
  return true;
}

/* A line of a head or a trailer, within the cap. A lone LF ends it, too: RFC 9112, 2.2 allows it, and who
 * reads so reads the same. */
static h1_verdict head_line(h1_answer *a, reader *r, line *l) {
  const char *from = r->at;
  bool whole = next_line(a, r, l);
  size_t taken = (size_t)(r->at - from);
  if (taken > a->head_left) return H1_OVER;
  a->head_left -= taken;
  if (!whole) return H1_MORE;
  if (memchr(l->text, '\0', l->length)) return broken(a, "its headers hold a NUL byte");
  if (memchr(l->text, '\r', l->length)) return broken(a, "its headers hold a stray carriage return");
  return H1_WHOLE;
}

/* ---- the head ---- */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the words behind the number may be missing, and the space before them. */
static h1_verdict read_status(h1_answer *a, const line *l) {
  const char *t = l->text;
  bool fits = l->length >= 12 && memcmp(t, "HTTP/1.", 7) == 0 && is_digit(t[7]) && t[8] == ' ' &&
              t[9] >= '1' && t[9] <= '9' && is_digit(t[10]) && is_digit(t[11]) &&
              (l->length == 12 || t[12] == ' ');
  if (!fits) return broken(a, "its first line is no status line of HTTP/1.1");
  a->status = (t[9] - '0') * 100 + (t[10] - '0') * 10 + t[11] - '0';
  if (a->status == 101) return broken(a, "it changes to a protocol that nobody asked for");
  a->old = t[7] == '0';
  a->says_close = a->says_stay = a->has_length = a->is_chunked = false;
  a->left = 0;
  a->state = H1_HEADER_LINE;
  return a->sink->line(a->owner, l->text, l->length) ? H1_WHOLE : H1_STOPPED;
}

typedef struct text {
  const char *at;
  size_t length;
} text;

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static text trimmed(const char *at, size_t length) {
  while (length > 0 && is_blank(*at)) at++, length--;
  while (length > 0 && is_blank(at[length - 1])) length--;
  return (text){at, length};
}

static bool is(text t, const char *word) {
  return strlen(word) == t.length && strncasecmp(t.at, word, t.length) == 0;
}

/* More than one is only allowed where all say the same (RFC 9110, 8.6). */
static h1_verdict of_length(h1_answer *a, text value) {
  uint64_t length = 0;
  if (value.length == 0) return broken(a, "its Content-Length is not a number");
  for (size_t i = 0; i < value.length; i++) {
    if (!is_digit(value.at[i])) return broken(a, "its Content-Length is not a number");
    if (length > (INT64_MAX - 9) / 10) return broken(a, "its Content-Length is beyond all bounds");
    length = length * 10 + (uint64_t)(value.at[i] - '0');
  }
  if (a->has_length && length != a->left) return broken(a, "it has two lengths that differ");
  a->has_length = true;
  a->left = length;
  return H1_WHOLE;
}

/* Nothing else was offered (there is no TE header), and whatever else it is, its end cannot be told. */
static h1_verdict of_transfer(h1_answer *a, text value) {
  if (a->is_chunked || !is(value, "chunked")) return broken(a, "its Transfer-Encoding is not just chunked");
  a->is_chunked = true;
  return H1_WHOLE;
}

static h1_verdict of_connection(h1_answer *a, text value) {
  while (value.length > 0) {
    const char *comma = memchr(value.at, ',', value.length);
    size_t length = comma ? (size_t)(comma - value.at) : value.length;
    text word = trimmed(value.at, length);
    a->says_close |= is(word, "close");
    a->says_stay |= is(word, "keep-alive");
    if (!comma) break;
    value = (text){comma + 1, value.length - length - 1};
  }
  return H1_WHOLE;
}

static const struct {
  const char *name;
  h1_verdict (*of)(h1_answer *a, text value);
} framing[] = {
    {"connection", of_connection}, {"content-length", of_length}, {"transfer-encoding", of_transfer}};

static h1_verdict read_framing(h1_answer *a, text name, text value) {
  if (name.length != 10 && name.length != 14 && name.length != 17) return H1_WHOLE;
  for (size_t i = 0; i < sizeof framing / sizeof *framing; i++) {
    if (is(name, framing[i].name)) return framing[i].of(a, value);
  }
  return H1_WHOLE;
}

/* Splits a header or trailer. What could be taken for another header, or for none, is refused. */
static h1_verdict split(h1_answer *a, const line *l, text *name, text *value) {
  if (is_blank(*l->text)) return broken(a, "its headers hold a line that is folded");
  const char *colon = memchr(l->text, ':', l->length);
  if (!colon || colon == l->text) return broken(a, "its headers hold a line without a name");
  if (is_blank(colon[-1])) return broken(a, "its headers hold a blank before a colon");
  *name = (text){l->text, (size_t)(colon - l->text)};
  *value = trimmed(colon + 1, l->length - name->length - 1);
  return H1_WHOLE;
}

static h1_verdict read_header(h1_answer *a, const line *l) {
  text name, value;
  h1_verdict verdict = split(a, l, &name, &value);
  if (verdict == H1_WHOLE) verdict = read_framing(a, name, value);
  if (verdict != H1_WHOLE) return verdict;
  return a->sink->line(a->owner, l->text, l->length) ? H1_WHOLE : H1_STOPPED;
}

/* ---- what follows a head (RFC 9112, 6.3) ---- */

static h1_verdict begin_body(h1_answer *a) {
  bool none = a->to_head || a->status == 204 || a->status == 304;
  if (a->is_chunked && a->has_length && !none)
    return broken(a, "it has both a Content-Length and a Transfer-Encoding");
  if (!a->sink->head(a->owner)) return H1_STOPPED;
  if (none || (a->has_length && a->left == 0))
    a->state = H1_ENDED;
  else if (a->is_chunked)
    a->state = H1_CHUNK_SIZE;
  else
    a->state = a->has_length ? H1_BODY_OF_LENGTH : H1_BODY_UNTIL_CLOSE;
  return H1_WHOLE;
}

static h1_verdict end_head(h1_answer *a) {
  if (!a->sink->line(a->owner, "", 0)) return H1_STOPPED;
  if (a->status >= 200) return begin_body(a);
  a->state = H1_STATUS_LINE; /* an interim answer: the next one may be it */
  return H1_WHOLE;
}

static h1_verdict take_head(h1_answer *a, reader *r) {
  line l;
  h1_verdict verdict = head_line(a, r, &l);
  if (verdict != H1_WHOLE) return verdict;
  if (a->state == H1_STATUS_LINE) return read_status(a, &l);
  return l.length > 0 ? read_header(a, &l) : end_head(a);
}

/* ---- bodies ---- */

/* Bytes of the body or of a chunk, as many as are there. */
static h1_verdict take_bytes(h1_answer *a, reader *r, h1_state then) {
  uint64_t there = (uint64_t)(r->end - r->at);
  size_t part = (size_t)(there < a->left ? there : a->left);
  const char *from = r->at;
  r->at += part;
  a->left -= part;
  if (part > 0 && !a->sink->body(a->owner, from, part)) return H1_STOPPED;
  if (a->left > 0) return H1_MORE;
  a->state = then;
  return H1_WHOLE;
}

static h1_verdict take_rest(h1_answer *a, reader *r) {
  const char *from = r->at;
  r->at = r->end;
  return a->sink->body(a->owner, from, (size_t)(r->end - from)) ? H1_MORE : H1_STOPPED;
}

static int hex_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* "1a", "1A;name=value". What an extension says is nobody's concern. */
static h1_verdict read_size(h1_answer *a, const line *l) {
  size_t i = 0;
  uint64_t size = 0;
  for (; i < l->length && hex_of(l->text[i]) >= 0; i++) {
    if (size >> 59) return broken(a, "a chunk is larger than anything");
    size = size << 4 | (uint64_t)hex_of(l->text[i]);
  }
  bool any = i > 0;
  while (i < l->length && is_blank(l->text[i])) i++;
  if (!any || (i < l->length && l->text[i] != ';')) return broken(a, "a chunk's size is not a number");
  a->left = size;
  a->state = size > 0 ? H1_CHUNK_BYTES : H1_TRAILER_LINE;
  return H1_WHOLE;
}

/* Here a lone LF is not taken for the end of a line: readers differ about it. */
static h1_verdict take_size(h1_answer *a, reader *r) {
  line l;
  bool whole = next_line(a, r, &l);
  if ((whole ? l.length : a->kept.len) > CHUNK_LINE_MOST) return broken(a, "a chunk's size does not end");
  if (!whole) return H1_MORE;
  if (!l.by_crlf || memchr(l.text, '\r', l.length) || memchr(l.text, '\0', l.length))
    return broken(a, "a chunk's size is not a line");
  return read_size(a, &l);
}

static h1_verdict take_chunk_end(h1_answer *a, reader *r) {
  line l;
  bool whole = next_line(a, r, &l);
  if (!whole && (a->kept.len > 1 || *a->kept.data != '\r'))
    return broken(a, "a chunk is not over where it ends");
  if (!whole) return H1_MORE;
  if (l.length > 0 || !l.by_crlf) return broken(a, "a chunk is not over where it ends");
  a->state = H1_CHUNK_SIZE;
  return H1_WHOLE;
}

static h1_verdict take_trailer(h1_answer *a, reader *r) {
  line l;
  text name, value;
  h1_verdict verdict = head_line(a, r, &l);
  if (verdict != H1_WHOLE) return verdict;
  if (l.length > 0) return split(a, &l, &name, &value);
  a->state = H1_ENDED;
  return H1_WHOLE;
}

/* ---- all of it ---- */

/* H1_WHOLE: the state is over, and another begins. */
static h1_verdict take(h1_answer *a, reader *r) {
  switch (a->state) {
  case H1_STATUS_LINE:
  case H1_HEADER_LINE: return take_head(a, r);
  case H1_BODY_OF_LENGTH: return take_bytes(a, r, H1_ENDED);
  case H1_BODY_UNTIL_CLOSE: return take_rest(a, r);
  case H1_CHUNK_SIZE: return take_size(a, r);
  case H1_CHUNK_BYTES: return take_bytes(a, r, H1_CHUNK_END);
  case H1_CHUNK_END: return take_chunk_end(a, r);
  case H1_TRAILER_LINE: return take_trailer(a, r);
  case H1_ENDED: break;
  }
  return H1_MORE;
}

h1_verdict h1_answer_feed(h1_answer *a, const char *bytes, size_t length, size_t *used) {
  reader r = {bytes, bytes + length};
  h1_verdict verdict = H1_WHOLE;
  while (verdict == H1_WHOLE && a->state != H1_ENDED && r.at < r.end) verdict = take(a, &r);
  *used = (size_t)(r.at - bytes);
  if (verdict != H1_WHOLE && verdict != H1_MORE) return verdict;
  if (a->state != H1_ENDED) return H1_MORE;
  if (a->kept.cap > KEPT_MOST) buf_free(&a->kept);
  return H1_WHOLE;
}

h1_verdict h1_answer_end(h1_answer *a) {
  if (a->state == H1_BODY_UNTIL_CLOSE) a->state = H1_ENDED;
  return a->state == H1_ENDED ? H1_WHOLE : H1_MORE;
}

bool h1_answer_stays(const h1_answer *a) {
  bool until_close = !a->has_length && !a->is_chunked && !a->to_head && a->status != 204 && a->status != 304;
  bool doubtful = a->has_length && a->is_chunked; /* of an answer without body */
  if (until_close || doubtful || a->says_close || (a->old && a->is_chunked)) return false;
  return !a->old || a->says_stay;
}
