/* One connection of the fault server: reading requests and writing bytes, with TLS or without. */
#ifndef JAUNT_TESTS_SUPPORT_FAULT_LINK_H
#define JAUNT_TESTS_SUPPORT_FAULT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/buf.h"

typedef struct fault_link {
  int fd;
  SSL *tls; /* NULL without */
  buf in;   /* what was read and not used */
} fault_link;

typedef struct fault_request {
  char method[16], path[128], query[1024];
  buf head; /* request line and headers, as they came */
  uint64_t body_bytes;
  uint32_t body_sum; /* CRC-32 */
} fault_request;

/* Reads one whole request, body included. False at the connection's end. */
bool fault_link_read(fault_link *l, fault_request *request);

/* False when the other side is gone. */
bool fault_link_write(fault_link *l, const void *bytes, size_t length);
bool fault_link_text(fault_link *l, const char *text);

/* Waits that long, or until the other side is gone: then false. */
bool fault_link_wait(fault_link *l, int ms);

void fault_link_close(fault_link *l, bool reset); /* frees what it holds */

uint32_t fault_crc(uint32_t crc, const void *bytes, size_t length); /* begins with 0 */

#endif
