/* Records as bytes: how a journal is kept in the log and in segments. Reading is store_record_next, in store.h.
 *
 * A record is a length and what it has that the one before it had not: times and steps as differences, a fingerprint only where
 * it is another. The first record of a segment, and a RECORD_RESTART, stand alone. Numbers are varints (7 bits a byte, the
 * lowest first; signed ones zigzag), texts end with a NUL.
 *
 *   length | kind, bits | bits | [version] [bits] | time | [step] [fingerprint] [incarnation] [journey] [to] [element]
 *          | [numbers] [name] [data] [more] [extra] [reason] [detail]
 */
#ifndef JAUNT_STORE_JOURNAL_H
#define JAUNT_STORE_JOURNAL_H

#include "store/store.h"

enum { JOURNAL_VERSION = 1 };

/* Appends the record to the journal's tail, and counts it. */
void journal_add(store_journal *journal, const store_record *record);

/* Appends the records of a first segment without what the run's row says as well: its RECORD_ENTER keeps no person, no `per` and
 * no numbers. */
void journal_strip(const char *bytes, size_t length, buf *out);

void varint_add(buf *out, uint64_t number);
/* Takes a number off [*at, end); false where there is none. */
bool varint_next(const char **at, const char *end, uint64_t *out);

#endif
