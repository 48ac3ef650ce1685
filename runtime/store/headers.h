/* The headers of an answer as a journal keeps them: packed, and to the byte as they came.
 *
 * It is the way of HPACK (RFC 7541), made for a journal: there is a static table of names and of names with their values, as in its
 * appendix A; and what an earlier answer of the same segment had is told by its place there. Beside that, a date in the form that is
 * sent today (IMF-fixdate; RFC 9110, 5.6.7) is 4 bytes, and a value that is the length of the answer's body none. Whatever the
 * headers are, they are given back as they were: names in their own case, several of one name, bytes that are no header.
 *
 * Packed headers are entries, one for each line, by their first byte:
 *
 *   0            what comes after the last line break: length (a varint) and bytes
 *   1            a line that is none of the others: the same
 *   2            all entries of the segment's first answer with headers
 *   4 to 63      as entry (first byte - 4) of the segment's first answer with headers, read for this answer
 *   64 to 255    entry (first byte - 64) / 2 of the table, its name in lower case where the byte is odd. Where the table has no value, it
 *                follows: a varint, 0 for a date (seconds since 1970, 4 bytes, the lowest first), 1 for the body's length, or
 *                the value's own length plus 2, and its bytes */
#ifndef JAUNT_STORE_HEADERS_H
#define JAUNT_STORE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Packed headers that later ones refer to: `length` 0: there are none. */
typedef struct headers_packed {
  const char *bytes;
  size_t length;
} headers_packed;

/* Appends to `out`, packed, what is in `lines`. The first answer's stand in `out` itself, at `first_at`. */
void headers_pack(buf *out, const char *lines, size_t length, size_t body_length, size_t first_at,
                  size_t first_length);

/* Whether these are packed headers, so that they can be unpacked; `first` was found to be. */
bool headers_are_packed(headers_packed packed, headers_packed first);

/* Appends the lines. What headers_are_packed says no to gives an unspecified part of them. */
void headers_unpack(headers_packed packed, headers_packed first, size_t body_length, buf *out);

#endif
