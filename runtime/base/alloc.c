/* Memory that is always there: see alloc.h. */
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *got, size_t size) {
  if (got) return got;
  fprintf(stderr, "jaunt: out of memory: %zu bytes were refused by the system\n", size);
  abort();
}

void *mem_alloc(size_t size) {
  return or_die(malloc(size ? size : 1), size);
}

void *mem_zero(size_t size) {
  return or_die(calloc(1, size ? size : 1), size);
}

void *mem_grow(void *old, size_t size) {
  return or_die(realloc(old, size ? size : 1), size);
}

char *mem_text_of(const char *bytes, size_t length) {
  char *copy = mem_alloc(length + 1);
  if (length) memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

char *mem_text(const char *text) {
  return text ? mem_text_of(text, strlen(text)) : NULL;
}
