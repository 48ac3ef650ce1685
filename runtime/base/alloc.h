/* Memory that is always there.
 *
 * The host's own structures are small and bounded elsewhere; where malloc fails for one of them nothing
 * sensible can go on, so these end the process with one clear line. What a script asks for goes through
 * Lua's allocator instead, and answers to its limits. */
#ifndef JAUNT_BASE_ALLOC_H
#define JAUNT_BASE_ALLOC_H

#include <stddef.h>

/* Each returns memory that the caller frees with free(); never NULL (size 0 gives a unique pointer). */
void *mem_alloc(size_t size);
void *mem_zero(size_t size);
void *mem_grow(void *old, size_t size);
char *mem_text(const char *text);                    /* a copy; NULL gives NULL */
char *mem_text_of(const char *bytes, size_t length); /* a copy, ended by a NUL */

#endif
