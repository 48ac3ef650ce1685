/* A small HTTP client on plain sockets for tests of serve/: it shows what the wire shows, resets included. */
#ifndef JAUNT_TESTS_SERVE_TALK_H
#define JAUNT_TESTS_SERVE_TALK_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"

typedef struct reply {
  int status; /* 0 when the connection was reset, -1 for anything else that is no answer */
  buf head, body;
} reply;

static inline void reply_free(reply *r) {
  buf_free(&r->head);
  buf_free(&r->body);
}

static inline int talk_connect(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  const struct timeval patience = {60, 0};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) abort();
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/* `headers`: lines, each with its CRLF; "" without. */
static inline void talk_send(int fd, const char *method, const char *target, const char *headers,
                             const char *body, size_t length) {
  buf request = BUF_EMPTY;
  buf_format(&request, "%s %s HTTP/1.1\r\nHost: vendor\r\n%sContent-Length: %zu\r\n\r\n", method, target,
             headers, length);
  buf_add(&request, body, length);
  for (size_t sent = 0; sent < request.len;) {
    ssize_t n = send(fd, request.data + sent, request.len - sent, MSG_NOSIGNAL);
    if (n <= 0) break; /* what became of it is seen when reading */
    sent += (size_t)n;
  }
  buf_free(&request);
}

/* Reads until `in` holds `wanted` bytes or, for 0, a whole head. False when the connection ends before. */
static inline bool talk_fill(int fd, buf *in, size_t wanted) {
  while (wanted > 0 ? in->len < wanted : strstr(buf_text(in), "\r\n\r\n") == NULL) {
    ssize_t n = recv(fd, buf_room(in, 4096), 4096, 0);
    if (n == 0) errno = 0;
    if (n <= 0) return false;
    in->len += (size_t)n;
  }
  return true;
}

static inline const char *reply_header(reply *r, const char *name) {
  const char *line = buf_text(&r->head);
  while ((line = strstr(line, "\r\n")) != NULL) {
    line += 2;
    if (strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
      return line + strlen(name) + 2;
  }
  return NULL;
}

static inline reply talk_receive(int fd) {
  reply r = {.status = -1};
  buf in = BUF_EMPTY;
  if (!talk_fill(fd, &in, 0)) {
    r.status = errno == ECONNRESET ? 0 : -1;
  } else {
    size_t head = (size_t)(strstr(in.data, "\r\n\r\n") - in.data) + 4;
    buf_add(&r.head, in.data, head);
    const char *length = reply_header(&r, "content-length");
    if (talk_fill(fd, &in, head + (length ? strtoul(length, NULL, 10) : 0))) {
      r.status = atoi(in.data + 9);
      buf_add(&r.body, in.data + head, in.len - head);
    }
    buf_text(&r.body);
  }
  buf_free(&in);
  return r;
}

/* One request on a connection of its own. */
static inline reply talk_once(int port, const char *method, const char *target, const char *headers,
                              const char *body) {
  int fd = talk_connect(port);
  talk_send(fd, method, target, headers, body, strlen(body));
  reply r = talk_receive(fd);
  close(fd);
  return r;
}

static inline int talk_status(int port, const char *method, const char *target, const char *headers,
                              const char *body) {
  reply r = talk_once(port, method, target, headers, body);
  int status = r.status;
  reply_free(&r);
  return status;
}

#endif
