/* What comes in: header lines and body, and their caps, whichever way they come.
 *
 * libcurl's callbacks are here, too. They keep bytes and, when a cap or a file says no, note why and stop the
 * transfer; nothing else may be done in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_parts.h"

void answer_say(http_exchange *ex, http_outcome outcome, const char *format, ...) {
  va_list args;
  ex->answer.outcome = outcome;
  va_start(args, format);
  vsnprintf(ex->answer.detail, sizeof ex->answer.detail, format, args);
  va_end(args);
}

/* The outcome is set, and stands. */
static bool spoil(http_exchange *ex) {
  ex->spoiled = true;
  return false;
}

void answer_restart(http_exchange *ex) {
  buf_clear(&ex->headers_in);
  buf_clear(&ex->answer.body);
  ex->answer.status = 0;
  ex->header_bytes = ex->body_bytes = 0;
  ex->in_headers = ex->headers_whole = ex->spoiled = ex->resend_stopped = false;
  ex->hop_sends = ex->socket_error = 0;
}

/* ---- headers ---- */

/* "HTTP/1.1 200 OK", "HTTP/2 200": the status, or 0 for another line. */
static int status_of(const char *line, size_t length) {
  if (length < 10 || memcmp(line, "HTTP/", 5) != 0) return 0;
  const char *digit = memchr(line, ' ', length), *end = line + length;
  int status = 0;
  while (digit && ++digit < end && *digit >= '0' && *digit <= '9' && status < 1000)
    status = status * 10 + *digit - '0';
  return status;
}

/* What looks like this line and comes later is a header. The final answer's headers begin after those of
 * interim ones. */
static void begin_headers(http_exchange *ex, const char *line, size_t length) {
  ex->answer.status = status_of(line, length);
  ex->in_headers = true;
  buf_clear(&ex->headers_in);
}

/* A blank line ends the headers, unless they were those of an interim answer such as 100. */
static void end_headers(http_exchange *ex) {
  ex->in_headers = false;
  ex->headers_whole = ex->answer.status >= 200;
}

static void add_header(http_exchange *ex, const char *line, size_t length) {
  bool continues = (*line == ' ' || *line == '\t') && ex->headers_in.len > 0;
  if (continues) {
    while (length > 0 && (*line == ' ' || *line == '\t')) line++, length--;
    ex->headers_in.data[ex->headers_in.len - 1] = ' '; /* where the line before it ended */
  }
  char *into = buf_room(&ex->headers_in, length + 1);
  memcpy(into, line, length);
  into[length] = '\n';
  ex->headers_in.len += length + 1;
}

void answer_line(http_exchange *ex, const char *line, size_t length) {
  if (!ex->in_headers) {
    begin_headers(ex, line, length);
  } else if (length == 0) {
    end_headers(ex);
  } else {
    add_header(ex, line, length);
  }
}

void answer_over_headers(http_exchange *ex) {
  answer_say(ex, HTTP_TOO_LARGE, "the headers of %s's answer are over the cap of %zu bytes", ex->at->name,
             ex->max_header_bytes);
  spoil(ex);
}

size_t answer_header(char *bytes, size_t size, size_t count, void *data) {
  http_exchange *ex = ((const transfer *)data)->of;
  size_t given = size * count, length = given;
  ex->header_bytes += given;
  if (ex->header_bytes > ex->max_header_bytes) {
    answer_over_headers(ex);
    return 0; /* not the count of what it was given: that stops the transfer */
  }
  while (length > 0 && (bytes[length - 1] == '\r' || bytes[length - 1] == '\n')) length--;
  if (!ex->headers_whole) answer_line(ex, bytes, length); /* else it is a trailer */
  return given;
}

/* ---- body ---- */

static bool is_saved(const http_exchange *ex) {
  return ex->file.path && ex->answer.status >= 200 && ex->answer.status < 300;
}

/* A cap that is meant for a file says nothing of memory, where other answers than that to be saved go. */
static size_t body_cap(const http_exchange *ex) {
  bool for_file = ex->file.path && !is_saved(ex);
  return for_file && ex->max_body_bytes > BODY_BYTES_DEFAULT ? BODY_BYTES_DEFAULT : ex->max_body_bytes;
}

static bool over(http_exchange *ex, size_t cap) {
  answer_say(ex, HTTP_TOO_LARGE, "the body of %s's answer is over the cap of %zu bytes", ex->at->name, cap);
  return spoil(ex);
}

bool answer_check_length(http_exchange *ex, uint64_t length) {
  size_t cap = body_cap(ex);
  return length <= cap || over(ex, cap);
}

/* The cap counts decoded bytes, so that a small answer can't unpack into a large one. */
bool answer_bytes(http_exchange *ex, const char *bytes, size_t length) {
  size_t cap = body_cap(ex);
  error err;
  ex->body_bytes += length;
  if (ex->body_bytes > cap) return over(ex, cap);
  if (!is_saved(ex)) {
    buf_add(&ex->answer.body, bytes, length);
  } else if (save_write(&ex->file, bytes, length, &err) != 0) {
    answer_say(ex, HTTP_FILE, "%s", err.text);
    return spoil(ex);
  }
  return true;
}

size_t answer_body(char *bytes, size_t size, size_t count, void *data) {
  return answer_bytes(((const transfer *)data)->of, bytes, size * count) ? size * count : 0;
}
