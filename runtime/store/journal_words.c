/* The list of words that records are full of. */
#include <string.h>

#include "store/journal_parts.h"

/* Places in it are in files: they never change, and what is new comes last. */
const char *const journal_words[JOURNAL_WORDS] = {
    /* kinds of steps */
    "split", "call_api", "wait", "wait_until", "wait_for", "env", "drop", "exit",
    /* results */
    "ok", "failed", "unknown", "skipped", "mistake",
    /* reasons */
    "connect", "dns", "tls", "timeout", "reset", "status", "predicate", "too_large", "protocol", "redirect",
    "file", "egress", "within", "only_if", "cut", "config", "payload", "script", "limit", "diverged", "goal",
    "exit_on", "operator", "redriven", "dropped", "skip"};

int journal_find_word(const char *text, size_t length) {
  for (int i = 0; i < JOURNAL_WORDS; i++) {
    if (journal_words[i][0] == text[0] && strlen(journal_words[i]) == length &&
        memcmp(journal_words[i], text, length) == 0)
      return i;
  }
  return -1;
}
