/* What packing and reading a record share: its bits, and the list of words. The form of a record is told in journal.h. */
#ifndef JAUNT_STORE_JOURNAL_PARTS_H
#define JAUNT_STORE_JOURNAL_PARTS_H

#include "store/journal.h"
#include "store/varint.h"

enum { /* beside the kind, which has the lower half */
       HEAD_ALONE = 0x10,
       HEAD_STEP = 0x20,
       HEAD_MORE_BITS = 0x40,
       HEAD_KIND = 0x0f,
};
enum {
  BIT_NAME = 1,
  BIT_DATA = 2,
  BIT_MORE = 4,
  BIT_EXTRA = 8,
  BIT_NUMBERS = 0x10,
  BIT_FINGERPRINT = 0x20,
  BIT_ELEMENT = 0x40,
  BIT_SAME = 0x80, /* of a step its name and extra, of an intent its more and extra: as in the last one */
};
enum { /* seldom there */
       RARE_INCARNATION = 1,
       RARE_JOURNEY = 2,
       RARE_TO = 4,
       RARE_REASON = 8,
       RARE_DETAIL = 0x10,
       RARE_CONTROL = 0x20,
       RARE_NEWER = 0x40,
};

/* What many records say, so that its place stands for it. */
enum { JOURNAL_WORDS = 39 };
extern const char *const journal_words[JOURNAL_WORDS];

/* The word's place, or -1. */
int journal_find_word(const char *text, size_t length);

#endif
