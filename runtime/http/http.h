/* HTTP out: one attempt. A request goes in, one callback comes back.
 *
 * It knows nothing of journeys, retries, queues or Lua: calls/ decides what is sent, when and how often.
 * Behind this header are two transports on the worker's libuv loop: HTTP/1.1 spoken by us, for http:// URLs, on
 * connections that libcurl makes; and libcurl's multi interface for all else, https:// above all. Nobody can tell
 * them apart by what comes of a request, but that an answer in brotli is taken by the second alone. One `http`
 * belongs to one thread and one loop. */
#ifndef JAUNT_HTTP_HTTP_H
#define JAUNT_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct http http;
typedef struct http_exchange http_exchange;

/* How an attempt ended on the wire. HTTP_ANSWERED says that a whole answer came, whatever its status. */
typedef enum http_outcome {
  HTTP_ANSWERED,
  HTTP_CONNECT,   /* refused, unreachable, or not connected within connect_ms */
  HTTP_DNS,       /* the name does not resolve */
  HTTP_TLS,       /* handshake or certificate */
  HTTP_TIMEOUT,   /* total_ms is over */
  HTTP_RESET,     /* the connection broke before the answer was whole */
  HTTP_TOO_LARGE, /* headers or body over their cap */
  HTTP_PROTOCOL,  /* not HTTP, or a broken encoding of it */
  HTTP_REDIRECT,  /* too many redirects, or one that is not allowed */
  HTTP_FILE,      /* save_to could not be written */
  HTTP_EGRESS,    /* to where the request's reach does not go: nothing was sent there */
  HTTP_CUT,       /* cancelled by http_cancel or http_close */
} http_outcome;

const char *http_outcome_name(http_outcome outcome); /* "connect", "dns", ... */

/* How far a request may go: judged by the resolved address on every connect, redirects included. Connections that
 * were opened under one reach are not used under another. What is what stands in egress.h. */
typedef enum http_reach {
  HTTP_REACH_PUBLIC,   /* the internet alone */
  HTTP_REACH_ANY,      /* private networks and this machine, too; never link-local and metadata addresses */
  HTTP_REACH_LOOPBACK, /* this machine alone, and no other name is looked up: a rehearsal */
} http_reach;

typedef struct http_request {
  const char *method;         /* "POST" */
  const char *url;            /* absolute, percent-encoded, http or https */
  const char *const *headers; /* "Name: value" each, NULL at the end; may be NULL */
  const char *body;           /* not copied: stays valid until the callback; NULL without one */
  size_t body_length;
  int64_t connect_ms;      /* for name, connection and handshake */
  int64_t total_ms;        /* for the whole attempt */
  size_t max_header_bytes; /* of the answer, all header lines together; 0 for the default of 256 KiB */
  size_t max_body_bytes;   /* of the answer, decoded; 0 for the default of 16 MiB */
  bool resend_forbidden;   /* never put on the wire twice, not even where a connection was dead */
  int follow;              /* how many redirects are followed; 0 (default): a redirect is an answer.
                              Headers in `headers` named Authorization, Cookie, or listed in `private_headers`
                              never go to another host, port or scheme */
  const char *const *private_headers; /* names, NULL at the end; may be NULL */
  const char *ca_file; /* PEM; NULL for the system's. Certificates and names are always verified */
  const char *save_to; /* stream the body of a 2xx answer into this file instead of memory; NULL: keep it */
  const char *save_below; /* the folder that save_to is in: see save.h. NULL: save_to is any path */
  http_reach reach;       /* the public internet by default */
} http_request;

typedef struct http_answer {
  http_outcome outcome;
  char detail[256];    /* what went wrong, for a person: "connection refused by 127.0.0.1:81" */
  int status;          /* 0 without an answer; kept when the body broke later */
  const char *headers; /* the final answer's header lines, each "Name: value\n"; never NULL */
  size_t headers_length;
  buf body;           /* decoded (gzip, br, deflate); the callback may take it with buf_take */
  size_t saved_bytes; /* written to save_to */
  bool sent;          /* a byte of the request may have left: without an answer its fate is unclear */
  bool off_public;    /* HTTP_EGRESS, and HTTP_REACH_ANY would have let it through */
  int sends;          /* how often the request went out: 2 when it was sent again on a fresh connection */
  double ms;          /* real time of the attempt */
} http_answer;

/* Called exactly once for each http_send, never from within it. `answer` and what it points at are gone after
 * the callback. The callback may send and cancel others. */
typedef void (*http_done)(http_exchange *exchange, http_answer *answer, void *data);

/* What all requests of this `http` share. Zero values give the defaults. */
typedef struct http_options {
  const char *user_agent;   /* "jaunt/VERSION" */
  int multis;               /* multi handles for each reach that is used; default 16 */
  int max_connections;      /* idle ones kept for each multi handle; default 160 */
  bool all_through_libcurl; /* plain http, too; for tests */
} http_options;

/* Costs next to nothing: libcurl is loaded for the first request. */
http *http_new(uv_loop_t *loop, const http_options *options);

/* Loads libcurl and sets it up, once for the process; from any thread. http_send does so where nobody did before, which makes
 * the first request wait. Returns -1 and fills `err` where it can't be had. */
int http_process_init(error *err);

/* Sends. `request` and its strings are copied, its body is not. Returns NULL and fills `err` for a request
 * that can't be made (a malformed URL, a header with CR or LF, another scheme, no libcurl); the callback is not
 * called then. */
http_exchange *http_send(http *h, const http_request *request, http_done done, void *data, error *err);

/* Ends an exchange; its callback comes with HTTP_CUT, on a later turn of the loop. */
void http_cancel(http_exchange *exchange);

/* Cuts what is open (their callbacks come), closes every handle, then calls `closed`, after which `h` is
 * gone. The loop has to run until then. */
void http_close(http *h, void (*closed)(void *data), void *data);

size_t http_open_count(const http *h); /* exchanges under way */

#endif
