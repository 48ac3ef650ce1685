/* Answers from foreign servers: read in one piece or byte by byte they are the same, within their cap, and what was
 * handed on is of what came. Codings of the body are taken off as it comes. */
#include <string.h>

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "http/h1_answer.h"
#include "http/h1_decode.h"

enum { HEAD_MOST = 600, BODY_MOST = 1 << 20 };

const char *const fuzz_seeds[] = {
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\nConnection: "
    "keep-alive\r\n\r\n{\"id\":\"4711\"}",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: "
    "11\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nall there is",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, "
    "identity\r\n\r\n\x1f\x8b\x08\x01\x01\x01\x01\x01\x02\x03\xcb\x48\xcd\xc9\xc9\x57",
    "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01",
    NULL,
};

const char *const fuzz_words[] = {
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    ":",
    " ",
    "\t",
    "0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 ",
    "Content-Length: 5\r\n",
    "Content-Length: 6\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Content-Encoding: gzip\r\n",
    "Content-Encoding: deflate\r\n",
    "Content-Encoding: br\r\n",
    "ffffffffffffffff\r\n",
    "1\r\nx\r\n",
    ";a=b",
    ",",
    NULL,
};

typedef struct reading {
  h1_answer answer;
  h1_decoder *decoder;
  buf lines, body;
  size_t raw; /* bytes of body before they were decoded */
  bool spoiled, over;
  int heads;
} reading;

static bool take_line(void *owner, const char *line, size_t length) {
  static const char name[] = "Content-Encoding:";
  reading *r = owner;
  FUZZ_HOLDS(!memchr(line, '\n', length) && !memchr(line, '\r', length) && !memchr(line, '\0', length));
  if (length > sizeof name - 1 && memcmp(line, name, sizeof name - 1) == 0)
    r->decoder = h1_decoder_add(r->decoder, line + sizeof name - 1, length - (sizeof name - 1));
  buf_add(&r->lines, line, length);
  buf_char(&r->lines, '\n');
  return true;
}

static bool take_head(void *owner) {
  ((reading *)owner)->heads++;
  return true;
}

static bool take_decoded(void *owner, const char *bytes, size_t length) {
  reading *r = owner;
  buf_add(&r->body, bytes, length);
  r->over = r->body.len > BODY_MOST;
  return !r->over;
}

static bool take_body(void *owner, const char *bytes, size_t length) {
  reading *r = owner;
  FUZZ_HOLDS(r->heads == 1 && length > 0);
  r->raw += length;
  if (!r->decoder) return take_decoded(r, bytes, length);
  if (h1_decode(r->decoder, bytes, length, take_decoded, r)) return true;
  r->spoiled = true;
  FUZZ_HOLDS(r->over || h1_decoder_problem(r->decoder));
  return false;
}

static const h1_sink sink = {take_line, take_head, take_body};

/* Feeds it in pieces of `piece` bytes. */
static h1_verdict read_in(reading *r, const char *bytes, size_t length, size_t piece, bool to_head) {
  h1_verdict verdict = H1_MORE;
  size_t used = 0;
  memset(r, 0, sizeof *r);
  h1_answer_begin(&r->answer, &sink, r, to_head, HEAD_MOST);
  for (size_t at = 0; at < length && verdict == H1_MORE; at += piece) {
    size_t part = length - at < piece ? length - at : piece;
    verdict = h1_answer_feed(&r->answer, bytes + at, part, &used);
    FUZZ_HOLDS(used <= part && (verdict != H1_MORE || used == part));
    FUZZ_HOLDS(r->answer.kept.len <= HEAD_MOST + 1025);
  }
  FUZZ_HOLDS((verdict == H1_BROKEN) == (r->answer.problem != NULL));
  FUZZ_HOLDS((verdict == H1_STOPPED) == r->spoiled);
  if (verdict == H1_MORE) verdict = h1_answer_end(&r->answer);
  return verdict;
}

static void end(reading *r) {
  h1_answer_free(&r->answer);
  h1_decoder_free(r->decoder);
  buf_free(&r->lines);
  buf_free(&r->body);
}

static bool same(const buf *a, const buf *b) {
  return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const size_t pieces[] = {1, 7};
  const char *text = (const char *)bytes;
  bool to_head = length > 0 && bytes[length - 1] == '!';
  reading whole, apart;
  h1_verdict verdict = read_in(&whole, text, length, length ? length : 1, to_head);
  FUZZ_HOLDS(whole.lines.len <= length + (size_t)whole.heads && whole.heads <= 1);
  if (verdict == H1_WHOLE) FUZZ_HOLDS(whole.heads == 1 && whole.answer.status >= 200);
  if (verdict == H1_WHOLE && to_head) FUZZ_HOLDS(whole.raw == 0);
  for (size_t i = 0; i < 2; i++) {
    h1_verdict again = read_in(&apart, text, length, pieces[i], to_head);
    FUZZ_HOLDS(again == verdict);
    FUZZ_HOLDS(same(&whole.lines, &apart.lines));
    if (verdict != H1_STOPPED) FUZZ_HOLDS(same(&whole.body, &apart.body) || verdict != H1_WHOLE);
    if (verdict == H1_WHOLE) FUZZ_HOLDS(h1_answer_stays(&whole.answer) == h1_answer_stays(&apart.answer));
    end(&apart);
  }
  end(&whole);
  return 0;
}
