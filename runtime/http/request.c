/* What is sent: checked, and copied into one block of memory that the exchange owns. The body is not copied.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "http/http_parts.h"

enum { METHOD_MOST = 32, EXTRA_HEADERS = 4, EXTRA_BYTES = 64 };

/* ---- checks ---- */

static bool is_token(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) { /* RFC 9110, 5.6.2 */
    unsigned char c = (unsigned char)text[i];
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alnum && !(c && strchr("!#$%&'*+-.^_`|~", c))) return false;
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

/* The wire sets these from the body itself; another value would make the other side read a different request.
 */
static const char *const own_headers[] = {
    "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Upgrade", "TE", "Trailer", NULL};
static const char *const private_always[] = {"Authorization", "Cookie", "Proxy-Authorization", NULL};
static const char *const of_body[] = {
    "Content-Type", "Content-Encoding", "Content-Language", "Content-MD5", "Digest", "Content-Digest", NULL};

static bool is_among(const char *name, size_t length, const char *const *names) {
  for (; names && *names; names++) {
    if (strlen(*names) == length && strncasecmp(*names, name, length) == 0) return true;
  }
  return false;
}

static int check_header(const char *header, error *err) {
  size_t name = strcspn(header, ":");
  if (strpbrk(header, "\r\n"))
    return error_set(err, "the header %.*s holds a line break",
                     (int)(name < 60 ? strcspn(header, ":\r\n") : 60), header);
  if (header[name] != ':' || !is_token(header, name))
    return error_set(err, "\"%.60s\" is not a header: it has to be \"Name: value\"", header);
  if (is_among(header, name, own_headers))
    return error_set(err, "the header %.*s is set by the runtime: leave it out", (int)name, header);
  return 0;
}

static int check(const http_request *request, size_t *count, size_t *bytes, error *err) {
  if (check_method(request, err) != 0) return -1;
  if (!request->url) return error_set(err, "the request has no URL");
  *count = 0;
  *bytes = strlen(request->url);
  for (const char *const *h = request->headers; h && *h; h++) {
    if (check_header(*h, err) != 0) return -1;
    *bytes += strlen(*h) + 2;
    ++*count;
  }
  if (*bytes <= REQUEST_BYTES_MOST) return 0;
  return error_set(err, "the request's URL and headers have %zu bytes; at most %zu can be sent", *bytes,
                   REQUEST_BYTES_MOST);
}

/* ---- the copy ---- */

static char *put(char **at, const char *text) {
  char *copy = strcpy(*at, text);
  *at += strlen(text) + 1;
  return copy;
}

/* libcurl takes "Name:" for leaving a header out; an empty one is written "Name;". */
static void put_header(http_exchange *ex, char **at, const char *header, const char *const *private_names) {
  size_t name = strcspn(header, ":");
  request_header *into = &ex->headers[ex->headers_count++];
  char *copy = put(at, header);
  if (header[name + 1 + strspn(header + name + 1, " \t")] == '\0') memcpy(copy + name, ";", 2);
  *into = (request_header){
      .node = {.data = copy},
      .is_private = is_among(header, name, private_always) || is_among(header, name, private_names),
      .is_of_body = is_among(header, name, of_body),
      .is_host = is_among(header, name, (const char *const[]){"Host", NULL}),
  };
}

static bool has_header(const http_exchange *ex, const char *name) {
  size_t length = strlen(name);
  for (size_t i = 0; i < ex->headers_count; i++) {
    const char *line = ex->headers[i].node.data;
    if (strncasecmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ';')) return true;
  }
  return false;
}

/* What is not the user's own. Without the absence of the first libcurl would wait for a 100 before large
 * bodies, and without that of the second call any body a form; the others it would print anew for each
 * request. */
static void put_defaults(http_exchange *ex) {
  const struct {
    const char *name, *line;
  } defaults[] = {
      {"Expect", "Expect:"},
      {"Content-Type", "Content-Type:"},
      {"User-Agent", ex->wire->user_agent},
      {"Accept-Encoding", ex->wire->encodings},
  };
  for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
    if (has_header(ex, defaults[i].name)) continue;
    ex->headers[ex->headers_count++] = (request_header){.node = {.data = (char *)defaults[i].line}};
  }
}

static int64_t time_of(int64_t ms, int64_t otherwise) {
  if (ms <= 0) return otherwise;
  return ms < MS_MOST ? ms : MS_MOST;
}

int request_copy(http_exchange *ex, const http_request *request, error *err) {
  size_t count = 0, bytes = 0;
  if (check(request, &count, &bytes, err) != 0 || url_target_read(request->url, &ex->target, err) != 0)
    return -1;
  size_t headers_size = (count + EXTRA_HEADERS) * sizeof(request_header);
  bytes += headers_size + strlen(request->method) + EXTRA_BYTES +
           (request->ca_file ? strlen(request->ca_file) : 0);
  ex->block = mem_alloc(bytes);
  ex->headers = (request_header *)(void *)ex->block;
  ex->headers_count = 0;
  char *at = ex->block + headers_size;
  ex->method = put(&at, request->method);
  ex->url = put(&at, request->url);
  ex->ca_file = request->ca_file ? put(&at, request->ca_file) : NULL;
  for (const char *const *h = request->headers; h && *h; h++)
    put_header(ex, &at, *h, request->private_headers);
  put_defaults(ex);
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
  ex->origin = ex->target;
  request_chain_headers(ex, true, true);
  return 0;
}

/* Links those headers that go to this hop: private ones and Host stay with the origin, those that describe
 * the body with the body. */
void request_chain_headers(http_exchange *ex, bool same_origin, bool with_body) {
  struct curl_slist **end = &ex->sent_headers;
  for (size_t i = 0; i < ex->headers_count; i++) {
    request_header *h = &ex->headers[i];
    if (!same_origin && (h->is_private || h->is_host)) continue;
    if (!with_body && h->is_of_body) continue;
    *end = &h->node;
    end = &h->node.next;
  }
  *end = NULL;
}

void request_forget(http_exchange *ex) {
  free(ex->block);
  free(ex->hop_url);
  ex->block = ex->hop_url = NULL;
  ex->body = NULL;
}
