/* Keyed hashes: names of runs, idempotency keys, shards, and every die that must fall the same way twice.
 *
 * SipHash-2-4 with a 128-bit output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the
 * wide output is that of its reference implementation). Not a secret: a name that does not collide. */
#ifndef JAUNT_BASE_HASH_H
#define JAUNT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct hash128 {
  uint64_t lo, hi;
} hash128;

hash128 hash_bytes(hash128 key, const void *bytes, size_t length);
uint64_t hash_bytes64(hash128 key, const void *bytes, size_t length); /* the lower half of the same */

/* A hash over several parts, each told by its length, so that ("ab","c") and ("a","bc") differ. */
typedef struct hash_part {
  const void *bytes;
  size_t length;
} hash_part;
hash128 hash_parts(hash128 key, const hash_part *parts, size_t count);
uint64_t hash_parts64(hash128 key, const hash_part *parts, size_t count); /* the lower half of the same */

/* The same over parts of which the first ones are always alike: hash_begin takes these, once, and hash_end64 gives what
 * hash_parts64 would of all. */
typedef struct hash_state {
  uint64_t v0, v1, v2, v3;
} hash_state;
typedef struct hash_begun {
  hash_state state;
  size_t length; /* so far */
  char rest[8];  /* the last of it, which is not in the state yet */
} hash_begun;
hash_begun hash_begin(hash128 key, const hash_part *parts, size_t count);
uint64_t hash_end64(const hash_begun *begun, const hash_part *parts, size_t count);

/* 32 lower-case hexadecimal digits and a NUL. */
void hash_hex(hash128 h, char out[33]);
/* Reads what hash_hex writes; -1 where it is something else. */
int hash_from_hex(const char *text, hash128 *out);

/* A stream of random numbers from a seed (SplitMix64, Steele, Lea and Flood 2014): same seed, same stream. */
uint64_t random_next(uint64_t *state);
double random_unit(uint64_t *state); /* 0 <= x < 1 */

/* 128 bits from the system's generator. Returns 0, or -1 where it has none. */
int random_system(hash128 *out);

#endif
