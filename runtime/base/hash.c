/* Keyed hashes and seeded streams: see hash.h. */
#include "base/hash.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"

static inline uint64_t rotl(uint64_t x, int b) {
  return (x << b) | (x >> (64 - b));
}

typedef hash_state sip;

static inline void sip_round(sip *s) {
  s->v0 += s->v1, s->v1 = rotl(s->v1, 13), s->v1 ^= s->v0, s->v0 = rotl(s->v0, 32);
  s->v2 += s->v3, s->v3 = rotl(s->v3, 16), s->v3 ^= s->v2;
  s->v0 += s->v3, s->v3 = rotl(s->v3, 21), s->v3 ^= s->v0;
  s->v2 += s->v1, s->v1 = rotl(s->v1, 17), s->v1 ^= s->v2, s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(sip *s, uint64_t word) {
  s->v3 ^= word;
  sip_round(s);
  sip_round(s);
  s->v0 ^= word;
}

static inline void sip_four_rounds(sip *s) {
  sip_round(s);
  sip_round(s);
  sip_round(s);
  sip_round(s);
}

static inline sip sip_start(hash128 key) {
  return (sip){key.lo ^ 0x736f6d6570736575ULL, key.hi ^ 0x646f72616e646f6dULL ^ 0xee,
               key.lo ^ 0x6c7967656e657261ULL, key.hi ^ 0x7465646279746573ULL};
}

/* As many words as there are whole; returns what is behind them. */
static inline const unsigned char *sip_words(sip *s, const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  for (size_t whole = length / 8; whole > 0; whole--, at += 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    sip_word(s, word);
  }
  return at;
}

/* The last of the input, which had `length` bytes before `bytes`, whole words. What is left to do gives one half of the hash, and four
 * rounds more the other. */
static inline void sip_rest(sip *s, const void *bytes, size_t length, size_t before) {
  const unsigned char *at = sip_words(s, bytes, length);
  uint64_t last = (uint64_t)(before + length) << 56;
  for (size_t i = 0; i < (length & 7); i++) last |= (uint64_t)at[i] << (8 * i);
  sip_word(s, last);
  s->v2 ^= 0xee;
  sip_four_rounds(s);
}

static inline uint64_t sip_half(const sip *s) {
  return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline hash128 sip_both(sip *s) {
  hash128 out = {.lo = sip_half(s)};
  s->v1 ^= 0xdd;
  sip_four_rounds(s);
  out.hi = sip_half(s);
  return out;
}

uint64_t hash_bytes64(hash128 key, const void *bytes, size_t length) {
  sip s = sip_start(key);
  sip_rest(&s, bytes, length, 0);
  return sip_half(&s);
}

hash128 hash_bytes(hash128 key, const void *bytes, size_t length) {
  sip s = sip_start(key);
  sip_rest(&s, bytes, length, 0);
  return sip_both(&s);
}

/* ---- parts ---- */

enum { PARTS_SMALL = 256 };

/* What was begun and the parts as one: in `small` where there is room. Returns how many bytes. */
static inline size_t join_parts(const hash_begun *begun, const hash_part *parts, size_t count,
                                char small[PARTS_SMALL], buf *large, const char **out) {
  size_t used = begun->length % 8, needed = sizeof begun->rest;
  for (size_t i = 0; i < count; i++) needed += parts[i].length + sizeof(uint64_t);
  char *all = needed <= PARTS_SMALL ? small : buf_room(large, needed);
  memcpy(all, begun->rest, sizeof begun->rest);
  for (size_t i = 0; i < count; i++) {
    uint64_t length = parts[i].length;
    memcpy(all + used, &length, sizeof length);
    used += sizeof length;
    if (length) memcpy(all + used, parts[i].bytes, length);
    used += length;
  }
  *out = all;
  return used;
}

static inline sip take_parts(const hash_begun *begun, const hash_part *parts, size_t count) {
  char small[PARTS_SMALL];
  const char *all;
  buf large = BUF_EMPTY;
  size_t length = join_parts(begun, parts, count, small, &large, &all);
  sip s = begun->state;
  sip_rest(&s, all, length, begun->length / 8 * 8);
  buf_free(&large);
  return s;
}

hash_begun hash_begin(hash128 key, const hash_part *parts, size_t count) {
  char small[PARTS_SMALL];
  const char *all;
  buf large = BUF_EMPTY;
  hash_begun begun = {.state = sip_start(key)};
  begun.length = join_parts(&begun, parts, count, small, &large, &all);
  const unsigned char *rest = sip_words(&begun.state, all, begun.length);
  memcpy(begun.rest, rest, begun.length % 8);
  buf_free(&large);
  return begun;
}

uint64_t hash_end64(const hash_begun *begun, const hash_part *parts, size_t count) {
  sip s = take_parts(begun, parts, count);
  return sip_half(&s);
}

hash128 hash_parts(hash128 key, const hash_part *parts, size_t count) {
  sip s = take_parts(&(hash_begun){.state = sip_start(key)}, parts, count);
  return sip_both(&s);
}

uint64_t hash_parts64(hash128 key, const hash_part *parts, size_t count) {
  return hash_end64(&(hash_begun){.state = sip_start(key)}, parts, count);
}

void hash_hex(hash128 h, char out[33]) {
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < 16; i++) {
    out[i] = digits[(h.lo >> (60 - 4 * i)) & 15];
    out[16 + i] = digits[(h.hi >> (60 - 4 * i)) & 15];
  }
  out[32] = '\0';
}

int hash_from_hex(const char *text, hash128 *out) {
  uint64_t halves[2] = {0, 0};
  for (int i = 0; i < 32; i++) {
    char c = text[i];
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return -1; /* its NUL is none, either */
    halves[i / 16] = halves[i / 16] << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  *out = (hash128){.lo = halves[0], .hi = halves[1]};
  return text[32] == '\0' ? 0 : -1;
}

uint64_t random_next(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

double random_unit(uint64_t *state) {
  return (double)(random_next(state) >> 11) * 0x1.0p-53;
}

int random_system(hash128 *out) {
  return getrandom(out, sizeof *out, 0) == (ssize_t)sizeof *out ? 0 : -1;
}
