/* A connection's life in memory: its defaults, and what it owns. See connection.h. */
#include "calls/connection.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "calls/url.h"

enum {
  CONNECT_MS = 10000,
  TIMEOUT_MS = 30000,
  RETRY_ATTEMPTS = 4,
  RETRY_BASE_MS = 1000,
  RETRY_CAP_MS = 60000
};

connection *connection_new(const char *name) {
  connection *c = mem_zero(sizeof *c);
  c->name = mem_text(name);
  c->connect_ms = CONNECT_MS;
  c->timeout_ms = TIMEOUT_MS;
  c->retry = (retry_policy){RETRY_ATTEMPTS, RETRY_BASE_MS, RETRY_CAP_MS};
  for (int status = 200; status < 300; status++) status_set_add(&c->success, status);
  c->idempotent = mem_text("Idempotency-Key");
  c->limit = limit_new(0);
  c->outage = outage_new();
  return c;
}

void connection_set_base(connection *c, char *base_url) {
  buf start = BUF_EMPTY;
  free(c->base_url);
  free(c->url_start);
  c->base_url = base_url;
  c->url_start = NULL;
  if (base_url && url_join(&start, base_url, "", 0, NULL) == 0)
    c->url_start = buf_take(&start, NULL);
  else
    buf_free(&start);
}

void connection_free(connection *c) {
  if (!c) return;
  for (size_t i = 0; i < c->header_count; i++) {
    free(c->headers[i].name);
    free(c->headers[i].value);
  }
  free(c->headers);
  free(c->auth.name);
  free(c->auth.value.name);
  free(c->auth.value.value);
  free(c->name);
  free(c->base_url);
  free(c->url_start);
  free(c->reroute);
  free(c->idempotent);
  free(c->ca_file);
  limit_free(c->limit);
  outage_free(c->outage);
  free(c);
}
