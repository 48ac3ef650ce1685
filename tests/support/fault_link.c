/* One connection of the fault server: see fault_link.h. */
#include "support/fault_link.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 65536, TLS_HANDSHAKE = 0x16 }; /* the latter begins what speaks TLS to a port that does not */

static uint32_t crc_table[256];

static void crc_fill(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    crc_table[i] = crc;
  }
}

uint32_t fault_crc(uint32_t crc, const void *bytes, size_t length) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const unsigned char *at = bytes;
  pthread_once(&once, crc_fill);
  crc = ~crc;
  for (size_t i = 0; i < length; i++) crc = crc >> 8 ^ crc_table[(crc ^ at[i]) & 255];
  return ~crc;
}

static bool more(fault_link *l) {
  char *room = buf_room(&l->in, CHUNK);
  long n = l->tls ? SSL_read(l->tls, room, CHUNK) : recv(l->fd, room, CHUNK, 0);
  if (n > 0) l->in.len += (size_t)n;
  return n > 0;
}

static void use(fault_link *l, size_t length) {
  memmove(l->in.data, l->in.data + length, l->in.len - length);
  l->in.len -= length;
}

static bool read_head(fault_link *l, fault_request *request) {
  char *end;
  while (!l->in.len || !(end = strstr(buf_text(&l->in), "\r\n\r\n"))) {
    if (!more(l) || l->in.data[0] == TLS_HANDSHAKE) return false;
  }
  size_t length = (size_t)(end - l->in.data) + 2;
  buf_clear(&request->head);
  buf_add(&request->head, l->in.data, length);
  use(l, length + 2);
  request->path[0] = request->query[0] = '\0';
  return sscanf(buf_text(&request->head), "%15s %127[^? ]?%1023s", request->method, request->path,
                request->query) >= 2;
}

static bool read_body(fault_link *l, fault_request *request) {
  const char *header = strcasestr(buf_text(&request->head), "\r\nContent-Length:");
  uint64_t left = header ? strtoull(header + 17, NULL, 10) : 0;
  request->body_bytes = left;
  request->body_sum = 0;
  while (left > 0) {
    if (!l->in.len && !more(l)) return false;
    size_t part = l->in.len < left ? l->in.len : (size_t)left;
    request->body_sum = fault_crc(request->body_sum, l->in.data, part);
    use(l, part);
    left -= part;
  }
  return true;
}

bool fault_link_read(fault_link *l, fault_request *request) {
  return read_head(l, request) && read_body(l, request);
}

bool fault_link_write(fault_link *l, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    long n = l->tls ? SSL_write(l->tls, at, (int)(length < CHUNK ? length : CHUNK))
                    : send(l->fd, at, length, MSG_NOSIGNAL);
    if (n <= 0) return false;
    at += n;
    length -= (size_t)n;
  }
  return true;
}

bool fault_link_text(fault_link *l, const char *text) {
  return fault_link_write(l, text, strlen(text));
}

bool fault_link_wait(fault_link *l, int ms) {
  struct pollfd ready = {.fd = l->fd, .events = POLLRDHUP};
  return poll(&ready, 1, ms) == 0;
}

void fault_link_close(fault_link *l, bool reset) {
  const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (reset) setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  SSL_free(l->tls);
  buf_free(&l->in);
  if (!reset) shutdown(l->fd, SHUT_WR); /* an end of its own would come before the reset */
  close(l->fd);
}
