/* Content codings: see h1_decode.h. */
#include "http/h1_decode.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/alloc.h"

enum { CODINGS_MOST = 5, PIECE = 16384, DEFLATE_TRAILER = 4 };

typedef struct coding {
  z_stream z;
  bool undecided; /* deflate, of which it isn't known yet how it begins */
  char first[2];  /* its first bytes, until then */
  size_t firsts;
  bool ended;      /* its last byte was there */
  size_t trailing; /* bytes that may still follow its end */
} coding;

struct h1_decoder {
  coding codings[CODINGS_MOST]; /* in the order in which they were put on */
  int count;
  bool too_many;
  char unknown[40]; /* a coding that nobody asked for */
  char problem[120];
  h1_decoded to;
  void *owner;
};

const char *h1_decoder_problem(const h1_decoder *d) {
  return d->problem[0] ? d->problem : NULL;
}

void h1_decoder_free(h1_decoder *d) {
  for (int i = 0; d && i < d->count; i++) inflateEnd(&d->codings[i].z);
  free(d);
}

/* ---- which ---- */

static bool is(const char *word, size_t length, const char *name) {
  return strlen(name) == length && strncasecmp(word, name, length) == 0;
}

static void *take_memory(void *nobody, unsigned items, unsigned size) {
  (void)nobody;
  return mem_zero((size_t)items * size);
}

static void give_memory(void *nobody, void *memory) {
  (void)nobody;
  free(memory);
}

static void put_on(h1_decoder *d, bool is_gzip) {
  coding *c = &d->codings[d->count];
  if (d->count == CODINGS_MOST) {
    d->too_many = true;
    return;
  }
  *c = (coding){.z = {.zalloc = take_memory, .zfree = give_memory}, .undecided = !is_gzip};
  inflateInit2(&c->z, is_gzip ? MAX_WBITS + 32 : MAX_WBITS); /* with memory that is always there */
  d->count++;
}

static h1_decoder *add_word(h1_decoder *d, const char *word, size_t length) {
  if (length == 0 || is(word, length, "identity") || is(word, length, "none")) return d;
  if (!d) d = mem_zero(sizeof *d);
  bool is_gzip = is(word, length, "gzip") || is(word, length, "x-gzip");
  if (is_gzip || is(word, length, "deflate"))
    put_on(d, is_gzip);
  else
    snprintf(d->unknown, sizeof d->unknown, "%.*s", (int)(length < 30 ? length : 30), word);
  return d;
}

h1_decoder *h1_decoder_add(h1_decoder *d, const char *value, size_t length) {
  const char *end = value + length;
  while (value < end) {
    const char *comma = memchr(value, ',', (size_t)(end - value)), *stop = comma ? comma : end;
    while (value < stop && (*value == ' ' || *value == '\t')) value++;
    const char *last = stop;
    while (last > value && (last[-1] == ' ' || last[-1] == '\t')) last--;
    d = add_word(d, value, (size_t)(last - value));
    value = comma ? comma + 1 : end;
  }
  return d;
}

/* ---- decoding ---- */

static bool decode_from(h1_decoder *d, int level, const char *bytes, size_t length);

static bool broken(h1_decoder *d, const char *words) {
  snprintf(d->problem, sizeof d->problem, "Error while processing content unencoding: %s",
           words ? words : "Unknown failure within decompression software.");
  return false;
}

/* What follows the end of the coding. */
static bool take_trailing(h1_decoder *d, coding *c, size_t length) {
  if (length > c->trailing) return broken(d, "bytes follow its end");
  c->trailing -= length;
  return true;
}

/* "deflate" is zlib's format (RFC 1950), but some send its inside alone (RFC 1951). */
static bool has_zlib_header(const char first[2]) {
  unsigned a = (unsigned char)first[0], b = (unsigned char)first[1];
  return (a & 15) == 8 && a >> 4 <= 7 && (a << 8 | b) % 31 == 0;
}

/* Hands on what has come out of it. */
static bool hand_on(h1_decoder *d, int level, const char *piece, size_t length) {
  if (length == 0) return true;
  return decode_from(d, level - 1, piece, length);
}

static bool inflate_all(h1_decoder *d, int level, const char *bytes, size_t length) {
  coding *c = &d->codings[level];
  char piece[PIECE];
  c->z.next_in = (Bytef *)(uintptr_t)bytes;
  c->z.avail_in = (uInt)length;
  for (;;) {
    c->z.next_out = (Bytef *)piece;
    c->z.avail_out = PIECE;
    int status = inflate(&c->z, Z_SYNC_FLUSH);
    bool good = status == Z_OK || status == Z_STREAM_END;
    if (good && !hand_on(d, level, piece, PIECE - c->z.avail_out)) return false;
    if (status == Z_BUF_ERROR) break; /* nothing more comes of what is there */
    if (status == Z_STREAM_END) {
      c->ended = true;
      return take_trailing(d, c, c->z.avail_in);
    }
    if (status != Z_OK) return broken(d, c->z.msg);
  }
  return true;
}

/* Looks at the first two bytes, however they come, and then begins. */
static bool decide(h1_decoder *d, int level, const char *bytes, size_t length) {
  coding *c = &d->codings[level];
  for (; c->firsts < 2 && length > 0; length--) c->first[c->firsts++] = *bytes++;
  if (c->firsts < 2) return true;
  c->undecided = false;
  if (!has_zlib_header(c->first)) {
    inflateReset2(&c->z, -MAX_WBITS);
    c->trailing = DEFLATE_TRAILER;
  }
  return decode_from(d, level, c->first, 2) && (length == 0 || decode_from(d, level, bytes, length));
}

/* The last one that was put on is the first to be taken off. */
static bool decode_from(h1_decoder *d, int level, const char *bytes, size_t length) {
  if (level < 0) return d->to(d->owner, bytes, length);
  if (d->codings[level].undecided) return decide(d, level, bytes, length);
  if (d->codings[level].ended) return take_trailing(d, &d->codings[level], length);
  return inflate_all(d, level, bytes, length);
}

bool h1_decode(h1_decoder *d, const char *bytes, size_t length, h1_decoded to, void *owner) {
  d->to = to;
  d->owner = owner;
  if (d->unknown[0]) {
    snprintf(d->problem, sizeof d->problem, "its body is encoded as \"%s\", which was not asked for",
             d->unknown);
    return false;
  }
  if (d->too_many) return broken(d, "more than 5 encodings on top of each other");
  return decode_from(d, d->count - 1, bytes, length);
}
