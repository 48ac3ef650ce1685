/* Capital and small letters in UTF-8, of all scripts that have them: Unicode's full mappings without those that ask for a
 * language or for neighbours (so that a final sigma is a sigma, and "I" is "i" in Turkish, too). No locale is asked. */
#ifndef JAUNT_BASE_LETTERS_H
#define JAUNT_BASE_LETTERS_H

#include <stddef.h>

enum { LETTERS_GROWTH = 3 }; /* a text gets at most so many times as long */

/* Each writes `text` to `out`, which has room for LETTERS_GROWTH * length bytes, and returns how many it wrote. Bytes that are
 * not UTF-8 stay as they are. */
size_t letters_upper(const char *text, size_t length, char *out);
size_t letters_lower(const char *text, size_t length, char *out);

/* The first character as a word starts with it, all others small. */
size_t letters_capitalize(const char *text, size_t length, char *out);

#endif
