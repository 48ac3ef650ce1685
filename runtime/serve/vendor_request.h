/* A request as the pretend vendor reads it, and the answer it will get. No sockets and no Lua in here. */
#ifndef JAUNT_SERVE_VENDOR_REQUEST_H
#define JAUNT_SERVE_VENDOR_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"

enum {
  VENDOR_SEGMENTS_MOST = 256, /* of a path; what follows stays in the last one */
  VENDOR_PAIRS_MOST = 1000,   /* of a query, a form or headers; the rest is passed over */
};

/* Bytes with a NUL behind them, which may also hold some. */
typedef struct vendor_text {
  char *bytes;
  size_t length;
} vendor_text;

typedef struct vendor_pair {
  vendor_text name, value;
} vendor_pair;

typedef struct vendor_pairs {
  vendor_pair *items;
  size_t count, room;
} vendor_pairs;

void vendor_pairs_add(vendor_pairs *pairs, vendor_text name, vendor_text value); /* takes both */
void vendor_pairs_free(vendor_pairs *pairs);
/* The last value of that name, or NULL. */
const vendor_text *vendor_pairs_find(const vendor_pairs *pairs, const char *name);

/* Reads "a=1&b=%20", as in a query (RFC 3986; a plus is a space, as browsers write it) and in a form. */
void vendor_pairs_read(vendor_pairs *pairs, const char *text, size_t length);

vendor_text vendor_text_of(const char *bytes, size_t length);

/* Takes percent-encoding away; a % that begins no %XX stays. */
vendor_text vendor_unescape(const char *bytes, size_t length, bool plus_is_space);

typedef struct vendor_answer {
  int status;
  buf body;
  vendor_pairs headers; /* Content-Type among them */
  bool reset;           /* cut the connection off instead */
  int64_t latency_ms;   /* before it; 0: as long as all others take */
} vendor_answer;

void vendor_answer_free(vendor_answer *answer);
void vendor_answer_copy(vendor_answer *to, const vendor_answer *from); /* `to` is empty */
/* Sets the status, a JSON body and its content type; the answer is empty before. */
void vendor_answer_json(vendor_answer *answer, int status, const char *json, size_t length);
/* {"error": what} */
void vendor_answer_error(vendor_answer *answer, int status, const char *what);

typedef struct vendor_request {
  char *method;
  char *target;          /* as it stood on the wire: path and query */
  vendor_text *segments; /* of the path, decoded; segments[0] is the connection's name */
  size_t segment_count;
  vendor_pairs query, headers; /* headers' names in lower case */
  buf body;

  /* Filled by vendor_request_settle. */
  hash128 content; /* of method, target and body */
  vendor_text key; /* the idempotency key, or digits of `content` when it has none */
  bool keyless;
  uint64_t attempt; /* how often this key came, this time included */
} vendor_request;

/* Makes one from its target; the path is taken apart. */
vendor_request *vendor_request_new(const char *target);
void vendor_request_free(vendor_request *r);

/* Adds a header; one that comes several times is joined by ", ". */
void vendor_request_header(vendor_request *r, const char *name, const char *value, size_t value_length);

/* When method, headers and body are whole: finds its key. `key_header` is the name, in lower case, of the
 * header that carries it; NULL for the usual ones, "" for none. */
void vendor_request_settle(vendor_request *r, const char *key_header);

/* The connection's name, "" for the path "/". */
const char *vendor_request_connection(const vendor_request *r);

/* Appends the decoded path from segment `first` on: "/v2/leads", "/" when nothing is left. */
void vendor_request_path(const vendor_request *r, size_t first, buf *out);

/* The value of a header, or "". `name` in lower case. */
const char *vendor_request_header_of(const vendor_request *r, const char *name);

#endif
