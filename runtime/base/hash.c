/* Keyed hashes and seeded streams: see hash.h. */
#include "base/hash.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"

static inline uint64_t rotl(uint64_t x, int b) {
  return (x << b) | (x >> (64 - b));
}

typedef struct sip {
  uint64_t v0, v1, v2, v3;
} sip;

static inline void sip_rounds(sip *s, int rounds) {
  for (int i = 0; i < rounds; i++) {
    s->v0 += s->v1, s->v1 = rotl(s->v1, 13), s->v1 ^= s->v0, s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3, s->v3 = rotl(s->v3, 16), s->v3 ^= s->v2;
    s->v0 += s->v3, s->v3 = rotl(s->v3, 21), s->v3 ^= s->v0;
    s->v2 += s->v1, s->v1 = rotl(s->v1, 17), s->v1 ^= s->v2, s->v2 = rotl(s->v2, 32);
  }
}

/* All of the input; what is left to do gives one half of the hash, and four rounds more the other. */
static inline sip sip_take(hash128 key, const void *bytes, size_t length) {
  sip s = {key.lo ^ 0x736f6d6570736575ULL, key.hi ^ 0x646f72616e646f6dULL ^ 0xee,
           key.lo ^ 0x6c7967656e657261ULL, key.hi ^ 0x7465646279746573ULL};
  const unsigned char *at = bytes;
  size_t whole = length / 8;
  for (size_t i = 0; i < whole; i++, at += 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    s.v3 ^= word;
    sip_rounds(&s, 2);
    s.v0 ^= word;
  }
  uint64_t last = (uint64_t)length << 56;
  for (size_t i = 0; i < (length & 7); i++) last |= (uint64_t)at[i] << (8 * i);
  s.v3 ^= last;
  sip_rounds(&s, 2);
  s.v0 ^= last;
  s.v2 ^= 0xee;
  sip_rounds(&s, 4);
  return s;
}

static inline uint64_t sip_half(const sip *s) {
  return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_bytes64(hash128 key, const void *bytes, size_t length) {
  sip s = sip_take(key, bytes, length);
  return sip_half(&s);
}

hash128 hash_bytes(hash128 key, const void *bytes, size_t length) {
  sip s = sip_take(key, bytes, length);
  hash128 out = {.lo = sip_half(&s)};
  s.v1 ^= 0xdd;
  sip_rounds(&s, 4);
  out.hi = sip_half(&s);
  return out;
}

/* ---- parts ---- */

enum { PARTS_SMALL = 256 };

/* The parts as one: in `small` where there is room. Returns how many bytes. */
static size_t join_parts(const hash_part *parts, size_t count, char small[PARTS_SMALL], buf *large,
                         const char **out) {
  size_t needed = 0;
  for (size_t i = 0; i < count; i++) needed += parts[i].length + sizeof(uint64_t);
  char *all = needed <= PARTS_SMALL ? small : buf_room(large, needed);
  size_t used = 0;
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

hash128 hash_parts(hash128 key, const hash_part *parts, size_t count) {
  char small[PARTS_SMALL];
  const char *all;
  buf large = BUF_EMPTY;
  size_t length = join_parts(parts, count, small, &large, &all);
  hash128 out = hash_bytes(key, all, length);
  buf_free(&large);
  return out;
}

uint64_t hash_parts64(hash128 key, const hash_part *parts, size_t count) {
  char small[PARTS_SMALL];
  const char *all;
  buf large = BUF_EMPTY;
  size_t length = join_parts(parts, count, small, &large, &all);
  uint64_t out = hash_bytes64(key, all, length);
  buf_free(&large);
  return out;
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
