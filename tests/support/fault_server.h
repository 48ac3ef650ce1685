/* An HTTP server with faults, for tests: what it does wrong is chosen by the path.
 *
 *   /ok                 200 "ok"                      /status/N         status N, body "status N"
 *   /echo               the request's head, its body's length and CRC-32
 *   /bytes/N            N bytes of body
 *   /redirect/N?URL     status N, Location: URL       /loop             302 to itself
 *   /gzip /br           "hello " five times, encoded  /bomb             64 MiB of "a" in 400 KiB of gzip
 *   /interim            100 and 103 before the answer /trailer          chunks, and a header behind them
 *   /close              200, and Connection: close    /counts           "PATH COUNT\n" for each path so far
 *   /until-close        a body that ends with it      /ok-then-close    closed, as if it were to stay
 *   /reset-early        reset before the answer       /reset-middle     reset within its body
 *   /close-early        closed before the answer      /short            closed within its body
 *   /never              no answer                     /slow             one byte a second, from the first on
 *   /held/N             status N, but not before      /let-go           was asked for
 *   /slow-body          headers, then one byte a second
 *   /big-header         a header line of 1 MB         /many-headers     1 MB of short header lines
 *   /big-known          64 MiB with their length      /big-unknown      64 MiB in chunks
 *   /big-failure        the same with status 500
 *   /bad-chunk          garbage for a chunk's length  /bad-gzip         garbage called gzip
 *   /short-headers      closed within its headers     /garbage          no status line
 *   /false-status       lines like a status line among headers and trailers
 *   /close-reused       200; from the second request on a connection on it is read, and the connection closed
 *   /reset-reused       likewise, but reset
 *
 * One thread for each connection. Everything is on 127.0.0.1. */
#ifndef JAUNT_TESTS_SUPPORT_FAULT_SERVER_H
#define JAUNT_TESTS_SUPPORT_FAULT_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct fault_server fault_server;

typedef enum fault_port {
  FAULT_HTTP,
  FAULT_HTTP_TOO, /* the same on another port */
  FAULT_HTTPS,    /* with a good certificate, as the next three have others */
  FAULT_EXPIRED,
  FAULT_WRONG_NAME,
  FAULT_SELF_SIGNED,
  FAULT_REFUSED, /* nobody listens, but who is sent there by its number may */
  FAULT_FULL,    /* connecting never comes to an end */
  FAULT_MUTE,    /* connecting does, but nothing is read or said: no TLS handshake */
  FAULT_PORTS,
} fault_port;

fault_server *fault_server_start(error *err); /* NULL and `err` when it can't be */
void fault_server_stop(fault_server *server);

int fault_server_port(const fault_server *server, fault_port which);
const char *fault_server_port_name(fault_port which);    /* "http", "expired", ... */
const char *fault_server_ca(const fault_server *server); /* the file of the authority behind FAULT_HTTPS */

/* Requests for `path` that were read whole, the query left out. */
size_t fault_server_count(fault_server *server, const char *path);
size_t fault_server_connections(fault_server *server);  /* so far */
uint64_t fault_server_body_bytes(fault_server *server); /* of all requests */

#endif
