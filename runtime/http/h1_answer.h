/* An answer in HTTP/1.1, taken apart as it comes, whatever the pieces that it comes in.
 *
 * It is strict where two readers could understand two things (RFC 9112, 5, 6 and 11.1): such an answer is
 * refused, and its connection with it. It knows no socket and keeps no answer: lines and bytes of the body go
 * to whoever is its sink, at once. */
#ifndef JAUNT_HTTP_H1_ANSWER_H
#define JAUNT_HTTP_H1_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum h1_verdict {
  H1_MORE,    /* it goes on */
  H1_WHOLE,   /* that was all of it */
  H1_STOPPED, /* the sink wants no more */
  H1_OVER,    /* its headers are over their cap */
  H1_BROKEN,  /* it is no proper HTTP: h1_answer.problem says why */
} h1_verdict;

/* Where it goes. Each returns false to stop; none may touch the h1_answer. */
typedef struct h1_sink {
  /* Status lines (interim ones, too), header lines, and an empty one after each head; without their ends. */
  bool (*line)(void *owner, const char *line, size_t length);
  /* The final head was whole. */
  bool (*head)(void *owner);
  /* The body, without its chunks; still encoded. */
  bool (*body)(void *owner, const char *bytes, size_t length);
} h1_sink;

typedef enum h1_state {
  H1_STATUS_LINE,
  H1_HEADER_LINE,
  H1_BODY_OF_LENGTH,
  H1_BODY_UNTIL_CLOSE,
  H1_CHUNK_SIZE,
  H1_CHUNK_BYTES,
  H1_CHUNK_END,
  H1_TRAILER_LINE,
  H1_ENDED,
} h1_state;

typedef struct h1_answer {
  const h1_sink *sink;
  void *owner;
  h1_state state;
  size_t head_left; /* bytes that status lines, headers and trailers may still have */
  uint64_t left;    /* bytes to come, of the body or the chunk */
  buf kept;         /* the beginning of a line whose end has not come */
  int status;
  bool to_head;               /* it answers a HEAD: no body */
  bool old;                   /* HTTP/1.0 */
  bool says_close, says_stay; /* what stands in Connection */
  bool has_length, is_chunked;
  const char *problem;
} h1_answer;

/* Before the first byte. `kept` has to be empty memory or from before. */
void h1_answer_begin(h1_answer *a, const h1_sink *sink, void *owner, bool to_head, size_t head_most);
void h1_answer_free(h1_answer *a);

/* Takes what came. `used` is how much of it belongs to the answer, unless the verdict is H1_BROKEN. */
h1_verdict h1_answer_feed(h1_answer *a, const char *bytes, size_t length, size_t *used);

/* The connection has ended. H1_WHOLE for a body that ends so, else H1_MORE: something is missing. */
h1_verdict h1_answer_end(h1_answer *a);

/* Of a whole answer: may the connection be used again? */
bool h1_answer_stays(const h1_answer *a);

#endif
