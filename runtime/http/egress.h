/* The egress guard: which addresses may be connected to.
 *
 * Whoever can write a value into a URL, a name server or a Location header would otherwise have the runtime
 * call what is reachable from here alone. So sock.c asks about the resolved address on every connect: a name,
 * an odd spelling of an address and a redirect are all seen for where they lead.
 *
 * What is what comes from IANA's special-purpose address registries (RFC 6890 and its successors, as of 2025:
 * iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry), and from what the large
 * clouds document of their metadata services.
 *
 * A connection that may reach private networks (HTTP_REACH_ANY) may reach whatever is not public, too, but
 * for link-local and metadata addresses and those that are no host's: the first two hand out the credentials
 * of this machine, and nothing that a journey is for is there. */
#ifndef JAUNT_HTTP_EGRESS_H
#define JAUNT_HTTP_EGRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "http/http.h"

typedef enum egress_grade {
  EGRESS_PUBLIC,
  EGRESS_LOOPBACK, /* this machine, without a way around */
  EGRESS_PRIVATE,  /* whatever else is not public */
  EGRESS_NEVER,    /* no call goes there, whatever its reach */
} egress_grade;

typedef struct egress_finding {
  egress_grade grade;
  const char *words; /* "a private address" */
  char text[80];     /* "10.0.0.7"; "64:ff9b::a00:7 (10.0.0.7 within)" */
} egress_finding;

/* An IPv6 address that carries an IPv4 one (mapped, translated, tunnelled) is judged by that. */
egress_finding egress_judge(const struct sockaddr *address);

bool egress_allows(http_reach reach, egress_grade grade);

#endif
