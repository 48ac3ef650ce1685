/* Addresses of host names, looked up once.
 *
 * libcurl by itself starts a thread for every cold transfer. Here one uv_getaddrinfo serves all who ask for
 * the same name meanwhile; what it found is kept for a minute, that it found nothing for three seconds. */
#ifndef JAUNT_HTTP_RESOLVER_H
#define JAUNT_HTTP_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "http/table.h"

typedef struct resolver {
  uv_loop_t *loop;
  table hosts;
  size_t under_way;                 /* look-ups that libuv has */
  uint64_t found;                   /* successful look-ups so far: numbers their results */
  void (*idle)(struct resolver *r); /* called when under_way falls to 0 */
} resolver;

/* A host name and what is known of it. */
typedef struct known_host {
  table_entry entry; /* in resolver.hosts, by name */
  resolver *in;
  char *name;
  char *addresses;   /* "127.0.0.1,[::1]", as CURLOPT_RESOLVE takes them; NULL when it does not resolve */
  const char *error; /* then: why */
  uint64_t number;   /* of the look-up: another one means that the addresses may have changed */
  int64_t since_ms, until_ms; /* mono: when they were found, and how long they hold */
  list waiters;
  bool asking;  /* a look-up is under way */
  bool telling; /* its waiters are being called */
  uv_getaddrinfo_t request;
} known_host;

/* One who waits for a look-up; lives inside its owner's structure. */
typedef struct host_waiter {
  list link;
  void (*found)(struct host_waiter *waiter, const known_host *of);
} host_waiter;

void resolver_init(resolver *r, uv_loop_t *loop, void (*idle)(resolver *r));
void resolver_free(resolver *r);   /* when nothing is under way */
void resolver_cancel(resolver *r); /* hurries what is under way; nobody may wait any more */

/* Returns what is known of the name; or NULL, and then `waiter` is called once, later, unless it leaves. */
const known_host *resolver_ask(resolver *r, const char *name, host_waiter *waiter);
void resolver_leave(host_waiter *waiter);

/* Nobody answers at this name's addresses: they are looked up anew next time, at most once a second. */
void resolver_doubt(resolver *r, const char *name);

#endif
