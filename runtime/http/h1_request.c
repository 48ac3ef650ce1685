/* The bytes of a request in HTTP/1.1, all but its body.
 *
 * What is in it has been checked before (request.c, destination.c): there is no line break in any of it. */
#include <string.h>

#include "http/http_parts.h"

#define WORDS(out, words) buf_add(out, words, sizeof(words) - 1)

static void write_number(buf *out, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + number % 10);
  while (number /= 10);
  buf_add(out, digits + at, sizeof digits - at);
}

/* Path and query as they stand in the URL; a fragment is not sent (RFC 9112, 3.2.1). */
static void write_first_line(const http_exchange *ex, buf *out) {
  const char *path = destination_path(ex->at, request_url(ex));
  buf_text_add(out, ex->method);
  buf_char(out, ' ');
  if (*path != '/') buf_char(out, '/');
  buf_add(out, path, strcspn(path, "#"));
  WORDS(out, " HTTP/1.1\r\n");
}

static void write_host(const http_exchange *ex, buf *out) {
  WORDS(out, "Host: ");
  buf_text_add(out, ex->at->port == 80 ? ex->at->host : ex->at->name);
  WORDS(out, "\r\n");
}

static void write_headers(const http_exchange *ex, buf *out) {
  for (size_t i = 0; i < ex->headers_count; i++) {
    const request_header *h = &ex->headers[i];
    if (!request_goes(ex, h)) continue;
    buf_add(out, h->node.data, h->kind & HEADER_EMPTY ? h->name_length : h->length);
    if (h->kind & HEADER_EMPTY) buf_char(out, ':');
    WORDS(out, "\r\n");
  }
}

/* As libcurl sends them. */
static void write_defaults(const http_exchange *ex, buf *out) {
  if (!(ex->given & HEADER_AGENT)) {
    buf_text_add(out, ex->wire->user_agent);
    WORDS(out, "\r\n");
  }
  if (!(ex->given & HEADER_ACCEPT)) WORDS(out, "Accept: */*\r\n");
  if (!(ex->given & HEADER_ENCODINGS)) WORDS(out, "Accept-Encoding: gzip, deflate\r\n");
}

void h1_request_write(const http_exchange *ex, buf *out) {
  bool own_host = ex->given & HEADER_HOST && ex->at == ex->origin;
  write_first_line(ex, out);
  if (!own_host) write_host(ex, out);
  write_headers(ex, out);
  write_defaults(ex, out);
  if (request_has_length(ex)) {
    WORDS(out, "Content-Length: ");
    write_number(out, ex->body_length);
    WORDS(out, "\r\n");
  }
  WORDS(out, "\r\n");
}
