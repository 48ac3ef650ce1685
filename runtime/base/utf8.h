/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, at most U+10FFFF. */
#ifndef JAUNT_BASE_UTF8_H
#define JAUNT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length (1 to 4) of the one valid character that starts at `bytes`; 0 when there is none within `left`.
 */
size_t utf8_sequence(const char *bytes, size_t left);

/* How many bytes from the start are valid UTF-8: `length` when all are, else the offset of the first bad one.
 */
size_t utf8_valid_length(const char *bytes, size_t length);

/* True when all bytes are valid UTF-8. */
bool utf8_valid(const char *bytes, size_t length);

/* True when `bytes` is the beginning of a character whose rest is missing: more bytes might make it valid. */
bool utf8_cut(const char *bytes, size_t left);

/* The length without the beginning of a character at the end, whose rest was cut off. */
size_t utf8_trim(const char *bytes, size_t length);

#endif
