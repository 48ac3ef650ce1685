/* Addresses of host names: see resolver.h. */
#include "http/resolver.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
  HOLDS_MS = 60000,
  FAILURE_HOLDS_MS = 3000,
  DOUBT_AFTER_MS = 1000,
  HOSTS_MOST = 1024,
  ADDRESSES_MOST = 8
};

static int64_t now_ms(void) {
  return clock_mono_ns() / 1000000;
}

static void host_free(known_host *h) {
  free(h->name);
  free(h->addresses);
  free(h);
}

/* ---- keeping few ---- */

static bool is_fresh(table_entry *entry, void *data) {
  known_host *h = LIST_OF(known_host, entry, entry);
  (void)data;
  if (h->asking || h->telling || h->until_ms > now_ms()) return true;
  host_free(h);
  return false;
}

static bool is_asked_for(table_entry *entry, void *data) {
  known_host *h = LIST_OF(known_host, entry, entry);
  (void)data;
  if (h->asking || h->telling) return true;
  host_free(h);
  return false;
}

static known_host *host_get(resolver *r, const char *name) {
  table_entry *entry = table_find(&r->hosts, name);
  if (entry) return LIST_OF(known_host, entry, entry);
  if (r->hosts.count >= HOSTS_MOST) table_sift(&r->hosts, is_fresh, NULL);
  if (r->hosts.count >= HOSTS_MOST) table_sift(&r->hosts, is_asked_for, NULL);
  known_host *h = mem_zero(sizeof *h);
  h->in = r;
  h->name = mem_text(name);
  list_init(&h->waiters);
  table_add(&r->hosts, &h->entry, h->name);
  return h;
}

/* ---- a look-up ---- */

static void add_address(buf *out, const struct sockaddr *address) {
  char text[UV_IF_NAMESIZE + 64];
  bool v6 = address->sa_family == AF_INET6;
  if (!v6 && address->sa_family != AF_INET) return;
  if (uv_ip_name(address, text, sizeof text) != 0) return;
  buf_format(out, v6 ? "%s[%s]" : "%s%s", out->len ? "," : "", text);
}

static char *addresses_of(const struct addrinfo *found) {
  buf out = BUF_EMPTY;
  int count = 0;
  for (const struct addrinfo *a = found; a && count < ADDRESSES_MOST; a = a->ai_next, count++)
    add_address(&out, a->ai_addr);
  return out.len ? buf_take(&out, NULL) : NULL;
}

static void keep(known_host *h, int status, const struct addrinfo *found) {
  free(h->addresses);
  h->addresses = status == 0 ? addresses_of(found) : NULL;
  h->error = status == 0 ? "it has no address" : uv_strerror(status);
  if (status == UV_EAI_NONAME || status == UV_EAI_NODATA) h->error = "there is no such name";
  if (status == UV_EAI_AGAIN) h->error = "the name server gives no answer";
  h->number = ++h->in->found;
  h->since_ms = now_ms();
  h->until_ms = h->since_ms + (h->addresses ? HOLDS_MS : FAILURE_HOLDS_MS);
}

static void tell(known_host *h) {
  list waiting;
  list_init(&waiting);
  list_move_all(&waiting, &h->waiters);
  h->telling = true;
  while (!list_empty(&waiting)) {
    host_waiter *waiter = LIST_OF(host_waiter, link, list_pop(&waiting));
    waiter->found(waiter, h);
  }
  h->telling = false;
}

static void looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  known_host *h = request->data;
  resolver *r = h->in;
  keep(h, status, found);
  uv_freeaddrinfo(found);
  h->asking = false;
  tell(h);
  if (--r->under_way == 0) r->idle(r);
}

/* Begins a look-up. Returns -1 where there cannot be one, which is then kept as its result. */
static int begin(known_host *h) {
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  h->request.data = h;
  int status = uv_getaddrinfo(h->in->loop, &h->request, looked_up, h->name, NULL, &hints);
  if (status == 0) {
    h->asking = true;
    h->in->under_way++;
    return 0;
  }
  keep(h, status, NULL);
  return -1;
}

/* ---- what is asked from outside ---- */

void resolver_init(resolver *r, uv_loop_t *loop, void (*idle)(resolver *r)) {
  *r = (resolver){.loop = loop, .idle = idle};
}

void resolver_free(resolver *r) {
  table_sift(&r->hosts, is_asked_for, NULL);
  table_free(&r->hosts);
}

static bool cancel(table_entry *entry, void *data) {
  known_host *h = LIST_OF(known_host, entry, entry);
  (void)data;
  if (h->asking) uv_cancel((uv_req_t *)&h->request);
  return true;
}

void resolver_cancel(resolver *r) {
  table_sift(&r->hosts, cancel, NULL);
}

const known_host *resolver_ask(resolver *r, const char *name, host_waiter *waiter) {
  known_host *h = host_get(r, name);
  if (!h->asking && h->until_ms > now_ms()) return h;
  if (!h->asking && begin(h) != 0) return h;
  list_push(&h->waiters, &waiter->link);
  return NULL;
}

void resolver_leave(host_waiter *waiter) {
  list_remove(&waiter->link);
}

void resolver_doubt(resolver *r, const char *name) {
  table_entry *entry = table_find(&r->hosts, name);
  known_host *h = entry ? LIST_OF(known_host, entry, entry) : NULL;
  if (h && h->addresses && now_ms() - h->since_ms >= DOUBT_AFTER_MS) h->until_ms = 0;
}
