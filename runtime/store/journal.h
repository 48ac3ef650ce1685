/* Records as bytes: how a journal is kept in the log and in segments. Reading is store_record_next, in store.h.
 *
 * A record is a length and what it has that the one before it had not: times and steps as differences, a fingerprint only where
 * it is another. The first record of a segment, and a RECORD_RESTART, stand alone: nothing outside of a segment is asked for to read
 * it. Numbers are varints (varint.h).
 *
 *   length | kind, bits | bits | [format] [bits] | time | [step] [fingerprint] [incarnation] [journey] [to] [element]
 *          | [numbers] [name] [data] [more] [extra] [reason] [detail] [newer]
 *
 * A text is a varint and, unless it is one of a list that both sides have, its bytes: twice its length, a NUL at its end included, or
 * twice its place in the list and 1. So are name, reason, detail, and the extra of a step. `data`, `more` and any other extra are
 * a length and bytes; the headers of a result are packed (headers.h). A step with the fingerprint of the last one says its name and
 * extra not again, and an intent its more and extra where the last one had the same.
 *
 * Format 1, which is still read, had no list: a text was its length and bytes; and it had headers as they came. */
#ifndef JAUNT_STORE_JOURNAL_H
#define JAUNT_STORE_JOURNAL_H

#include "store/store.h"

enum { JOURNAL_FORMAT = 2 };

/* Appends the record to the journal's tail, and counts it. */
void journal_add(store_journal *journal, const store_record *record);

/* Appends the records of a first segment without what the run's row says as well: its RECORD_ENTER keeps no person, no `per` and
 * no numbers. One of an older format is appended as it is. */
void journal_strip(const char *bytes, size_t length, buf *out);

#endif
