/* A connection: a configured outside system. Read from connections.lua once, then shared by all workers and
 * not changed; only its limit and its outage have state. */
#ifndef JAUNT_CALLS_CONNECTION_H
#define JAUNT_CALLS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls/limit.h"
#include "calls/outage.h"

/* A secret's value is looked at in one place only: where a request's bytes are put together for the wire.
 * Everywhere else it is `‹secret NAME›`. */
typedef struct secret {
  char *name, *value;
} secret;

void secret_free(secret *s); /* wipes the value */

/* A header or query pair whose value is a text or a secret. */
typedef struct pair {
  char *name;
  char *value;          /* NULL when it is a secret */
  const secret *hidden; /* NULL when it is a text; not owned */
} pair;

typedef enum auth_kind {
  AUTH_NONE,
  AUTH_BEARER, /* Authorization: Bearer VALUE */
  AUTH_BASIC,  /* Authorization: Basic base64(USER:VALUE) */
  AUTH_HEADER, /* NAME: VALUE */
  AUTH_QUERY,  /* ?NAME=VALUE */
} auth_kind;

typedef struct auth {
  auth_kind kind;
  char *name; /* the header's or query key's name, or the user of AUTH_BASIC */
  pair value; /* its `name` is unused */
} auth;

/* After attempt n (from 1) fails, the next one comes after random(0, min(cap, base * 2^(n-1))): exponential
 * backoff with full jitter (Brooker, "Exponential Backoff And Jitter", 2015). */
typedef struct retry_policy {
  int attempts; /* at most, the first one counted; 1: no retry */
  int64_t base_ms, cap_ms;
} retry_policy;

/* Which statuses are a success: a bit for each of 0..599. */
typedef struct status_set {
  uint64_t bits[10];
} status_set;

static inline void status_set_add(status_set *s, int status) {
  if (status >= 0 && status < 600) s->bits[status / 64] |= 1ULL << (status % 64);
}

static inline bool status_set_has(const status_set *s, int status) {
  return status >= 0 && status < 600 && (s->bits[status / 64] >> (status % 64) & 1);
}

typedef struct connection {
  char *name;     /* "crm"; "" for the one that calls without `via` use */
  char *base_url; /* without a slash at its end; NULL when calls give whole URLs */
  char
      *url_start; /* what url_join makes of it, for url_join_start; NULL: it makes nothing, or nobody asked */
  char *reroute;  /* where a rehearsal sends what is meant for base_url; NULL when live */
  pair *headers;
  size_t header_count;
  auth auth;
  int64_t connect_ms; /* default 10 s */
  int64_t timeout_ms; /* one attempt; default 30 s */
  retry_policy retry; /* default 4 attempts, 1 s, 60 s */
  status_set success; /* default 200..299 */
  char *
      idempotent; /* the header that carries the key, "Idempotency-Key" by default; NULL: the vendor knows none */
  limit *limit;         /* max_in_flight; never NULL */
  outage *outage;       /* never NULL */
  bool private_network; /* its calls may leave the public internet: see HTTP_REACH_ANY */
  char *ca_file;        /* NULL: the system's */
  size_t max_body;      /* of an answer; 0: the default of http/ */
} connection;

connection *connection_new(const char *name);            /* with the defaults, and a limit without bound */
void connection_set_base(connection *c, char *base_url); /* takes it; NULL is taken */
void connection_free(connection *c);

#endif
