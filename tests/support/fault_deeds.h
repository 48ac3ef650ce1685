/* What the fault server does for each path: the list is in fault_server.h. */
#ifndef JAUNT_TESTS_SUPPORT_FAULT_DEEDS_H
#define JAUNT_TESTS_SUPPORT_FAULT_DEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "support/fault_link.h"
#include "support/fault_server.h"

/* One request, read whole, and the connection that it came on. */
typedef struct fault_visit {
  fault_server *server;
  fault_link *link;
  fault_request request;
  size_t before; /* requests on this connection before this one */
  bool reset;    /* the connection has to end with a reset */
} fault_visit;

/* Answers, or does what the path says instead. True when the connection stays. */
bool fault_deed(fault_visit *visit);

/* From fault_server.c: "PATH COUNT\n" for each path so far; and what is held back is let go, from now on. */
void fault_server_write_counts(fault_server *server, buf *out);
void fault_server_let_go(fault_server *server);
bool fault_server_lets_go(fault_server *server);

#endif
