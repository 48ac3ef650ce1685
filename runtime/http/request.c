/* What is sent: checked, and copied into one block of memory that the exchange owns. The body is not copied.
 * How it is put on the wire is not known here. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "http/http_parts.h"

enum { METHOD_MOST = 32, EXTRA_BYTES = 8 };

/* ---- checks ---- */

/* RFC 9110, 5.6.2 */
static bool is_of_token(unsigned char c) {
  static const char marks[128] = {
      ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1,
      ['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1,  ['~'] = 1};
  unsigned char letter = c | 0x20;
  return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || (c < 128 && marks[c]);
}

static bool is_token(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!is_of_token((unsigned char)text[i])) return false;
  }
  return length > 0;
}

static int check_method(const http_request *request, error *err) {
  const char *method = request->method;
  if (!method || strlen(method) > METHOD_MOST || !is_token(method, strlen(method)))
    return error_set(err, "\"%.40s\" is not a method of HTTP", method ? method : "");
  if (strcmp(method, "CONNECT") == 0 || strcmp(method, "TRACE") == 0)
    return error_set(err, "the method %s can't be sent", method);
  if (strcmp(method, "HEAD") == 0 && request->body) return error_set(err, "a HEAD request has no body");
  return 0;
}

/* The wire sets those that are ours from the body itself; another value would make the other side read a
 * different request. */
#define KNOWN(name, kind)                                                                                    \
  { name, sizeof(name) - 1, kind }
static const struct {
  const char *name;
  size_t length;
  unsigned kind;
} known[] = {
    KNOWN("Content-Length", HEADER_OURS),
    KNOWN("Transfer-Encoding", HEADER_OURS),
    KNOWN("Connection", HEADER_OURS),
    KNOWN("Expect", HEADER_OURS),
    KNOWN("Upgrade", HEADER_OURS),
    KNOWN("TE", HEADER_OURS),
    KNOWN("Trailer", HEADER_OURS),
    KNOWN("Authorization", HEADER_PRIVATE),
    KNOWN("Cookie", HEADER_PRIVATE),
    KNOWN("Proxy-Authorization", HEADER_PRIVATE),
    KNOWN("Content-Type", HEADER_OF_BODY | HEADER_TYPE),
    KNOWN("Content-Encoding", HEADER_OF_BODY),
    KNOWN("Content-Language", HEADER_OF_BODY),
    KNOWN("Content-MD5", HEADER_OF_BODY),
    KNOWN("Digest", HEADER_OF_BODY),
    KNOWN("Content-Digest", HEADER_OF_BODY),
    KNOWN("Host", HEADER_HOST),
    KNOWN("User-Agent", HEADER_AGENT),
    KNOWN("Accept", HEADER_ACCEPT),
    KNOWN("Accept-Encoding", HEADER_ENCODINGS),
};

static unsigned kind_of(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (known[i].length == length && strncasecmp(known[i].name, name, length) == 0) return known[i].kind;
  }
  return 0;
}

static int check_header(const char *header, size_t length, size_t name, unsigned kind, error *err) {
  if (memchr(header, '\n', length) || memchr(header, '\r', length))
    return error_set(err, "the header %.*s holds a line break",
                     (int)(name < 60 ? strcspn(header, ":\r\n") : 60), header);
  if (header[name] != ':' || !is_token(header, name))
    return error_set(err, "\"%.60s\" is not a header: it has to be \"Name: value\"", header);
  if (kind & HEADER_OURS)
    return error_set(err, "the header %.*s is set by the runtime: leave it out", (int)name, header);
  return 0;
}

/* ---- the copy ---- */

/* With a NUL behind it. */
static char *put(char **at, const char *text, size_t length) {
  char *copy = *at;
  memcpy(copy, text, length + 1);
  *at += length + 1;
  return copy;
}

static bool is_listed(const char *name, size_t length, const char *const *names) {
  for (; names && *names; names++) {
    if (strncasecmp(*names, name, length) == 0 && (*names)[length] == '\0') return true;
  }
  return false;
}

static bool is_empty(const char *value) {
  return value[strspn(value, " \t")] == '\0';
}

/* Room for what stands in front of the strings comes first, as the number of headers is known by then. */
static size_t block_size(const http_request *request, size_t count) {
  size_t bytes = strlen(request->url);
  for (size_t i = 0; i < count; i++) bytes += strlen(request->headers[i]) + 1;
  return bytes;
}

static int put_header(http_exchange *ex, char **at, const char *header, const char *const *private_names,
                      error *err) {
  size_t length = strlen(header);
  const char *colon = memchr(header, ':', length);
  size_t name = colon ? (size_t)(colon - header) : length;
  unsigned kind = kind_of(header, name);
  if (check_header(header, length, name, kind, err) != 0) return -1;
  if (is_listed(header, name, private_names)) kind |= HEADER_PRIVATE;
  if (is_empty(header + name + 1)) kind |= HEADER_EMPTY;
  ex->given |= kind;
  ex->headers[ex->headers_count++] = (request_header){
      .node = {.data = put(at, header, length)}, .length = length, .name_length = name, .kind = kind};
  return 0;
}

static int put_all(http_exchange *ex, const http_request *request, error *err) {
  size_t count = 0;
  while (request->headers && request->headers[count]) count++;
  size_t bytes = block_size(request, count), rows = count * sizeof(request_header);
  if (bytes > REQUEST_BYTES_MOST)
    return error_set(err, "the request's URL and headers have %zu bytes; at most %zu can be sent", bytes,
                     REQUEST_BYTES_MOST);
  ex->block = mem_alloc(rows + bytes + strlen(request->method) +
                        (request->ca_file ? strlen(request->ca_file) : 0) + EXTRA_BYTES);
  char *at = ex->block + rows;
  ex->headers = (request_header *)(void *)ex->block;
  ex->headers_count = 0;
  ex->given = 0;
  ex->method = put(&at, request->method, strlen(request->method));
  ex->url = put(&at, request->url, strlen(request->url));
  ex->ca_file = request->ca_file ? put(&at, request->ca_file, strlen(request->ca_file)) : NULL;
  for (size_t i = 0; i < count; i++) {
    if (put_header(ex, &at, request->headers[i], request->private_headers, err) != 0) return -1;
  }
  return 0;
}

static int64_t time_of(int64_t ms, int64_t otherwise) {
  if (ms <= 0) return otherwise;
  return ms < MS_MOST ? ms : MS_MOST;
}

int request_copy(http_exchange *ex, const http_request *request, error *err) {
  if (check_method(request, err) != 0) return -1;
  if (!request->url) return error_set(err, "the request has no URL");
  if (put_all(ex, request, err) != 0) return -1;
  ex->origin = destination_of(ex->wire, ex->url, ex->ca_file, request->reach, err);
  if (!ex->origin) return -1;
  ex->body = request->body;
  ex->body_length = request->body ? request->body_length : 0;
  ex->connect_ms = time_of(request->connect_ms, CONNECT_MS_DEFAULT);
  ex->total_ms = time_of(request->total_ms, TOTAL_MS_DEFAULT);
  ex->max_header_bytes = request->max_header_bytes ? request->max_header_bytes : HEADER_BYTES_DEFAULT;
  ex->max_body_bytes = request->max_body_bytes ? request->max_body_bytes
                       : request->save_to      ? SAVED_BYTES_DEFAULT
                                               : BODY_BYTES_DEFAULT;
  ex->resend_forbidden = request->resend_forbidden;
  ex->follow = request->follow;
  ex->reach = request->reach;
  return 0;
}

/* ---- of the present hop ---- */

/* Private ones and Host stay with the origin, those that describe the body with the body. */
bool request_goes(const http_exchange *ex, const request_header *header) {
  if (header->kind & (HEADER_PRIVATE | HEADER_HOST) && ex->at != ex->origin) return false;
  return !(header->kind & HEADER_OF_BODY && ex->drops_body_headers);
}

const char *request_url(const http_exchange *ex) {
  return ex->hop_url ? ex->hop_url : ex->url;
}

bool request_has_length(const http_exchange *ex) {
  const char *method = ex->method;
  return ex->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
         strcmp(method, "PATCH") == 0;
}

bool request_about_to_send(http_exchange *ex) {
  if (ex->hop_sends > 0 && ex->resend_forbidden) {
    ex->resend_stopped = true;
    return false;
  }
  if (ex->hop_sends > 0 || ex->answer.sends == 0) ex->answer.sends++;
  ex->hop_sends++;
  ex->answer.sent = true;
  return true;
}

void request_forget(http_exchange *ex) {
  if (ex->origin) destination_leave(ex->origin);
  free(ex->block);
  free(ex->hop_url);
  ex->origin = NULL;
  ex->block = ex->hop_url = NULL;
  ex->body = NULL;
}
