/* Places that requests go to, and what is known of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "http/http_parts.h"

/* ---- the parts of a URL ---- */

enum { HOST_MOST = 253, SHOWN = 100 };

static const struct {
  const char *prefix;
  bool tls;
  int port;
} schemes[] = {{"http://", false, 80}, {"https://", true, 443}};

/* Where the host begins in a URL that has one. */
static size_t host_of(const char *url) {
  return (size_t)(strchr(url, ':') - url) + 3;
}

static int read_scheme(const char **at, url_target *target, error *err) {
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    size_t length = strlen(schemes[i].prefix);
    if (strncasecmp(*at, schemes[i].prefix, length) != 0) continue;
    *at += length;
    target->tls = schemes[i].tls;
    target->port = schemes[i].port;
    return 0;
  }
  return error_set(err, "\"%.*s\" is no URL that can be called: it has to begin with http:// or https://",
                   SHOWN, *at);
}

static bool is_of_host(char c, bool v6) {
  if ((c >= '0' && c <= '9') || c == '.') return true;
  if (v6) return c == ':' || (c >= 'a' && c <= 'f');
  return (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

/* Only what every parser reads the same way is let through: libcurl reads the URL once more. */
static int read_host(const char *from, const char *end, url_target *target, error *err) {
  size_t length = (size_t)(end - from);
  bool v6 = *from == '[';
  if (length == 0) return error_set(err, "the URL names no host");
  if (length > HOST_MOST) return error_set(err, "the URL's host is longer than %d characters", HOST_MOST);
  for (size_t i = 0; i < length; i++) {
    char c = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 'a' - 'A') : from[i];
    bool bracket = v6 && (i == 0 || i == length - 1);
    if (!bracket && !is_of_host(c, v6))
      return error_set(err, "the URL's host \"%.*s\" holds a character that no host has", (int)length, from);
    target->host[i] = c;
  }
  target->host[length] = '\0';
  return 0;
}

static int read_port(const char *from, const char *end, url_target *target, error *err) {
  int port = 0;
  for (const char *c = from; c < end && port <= 65535; c++)
    port = *c >= '0' && *c <= '9' ? port * 10 + *c - '0' : 65536;
  if (port < 1 || port > 65535) return error_set(err, "the URL's port is not a number from 1 to 65535");
  target->port = port;
  return 0;
}

static int check_bytes(const char *url, error *err) {
  for (const char *c = url; *c; c++) {
    if (*c <= ' ' || *c > '~') /* a char may be signed: what is above ASCII is out either way */
      return error_set(err, "the URL holds a space, a control or a character above ASCII: percent-encode it");
  }
  return 0;
}

int url_target_read(const char *url, url_target *target, error *err) {
  const char *at = url;
  if (read_scheme(&at, target, err) != 0 || check_bytes(url, err) != 0) return -1;
  const char *end = at + strcspn(at, "/?#");
  if (memchr(at, '@', (size_t)(end - at)))
    return error_set(err, "the URL holds a user name or password: give them as auth instead");
  const char *bracket = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : at;
  if (!bracket) return error_set(err, "the URL's host begins with [ and has no ]");
  const char *colon = memchr(bracket, ':', (size_t)(end - bracket));
  if (read_host(at, colon ? colon : end, target, err) != 0) return -1;
  if (colon && read_port(colon + 1, end, target, err) != 0) return -1;
  snprintf(target->name, sizeof target->name, "%s:%d", target->host, target->port);
  return 0;
}

bool url_target_is_loopback(const url_target *target) {
  unsigned char bytes[4];
  if (strcmp(target->host, "[::1]") == 0 || strcmp(target->host, "localhost") == 0) return true;
  return uv_inet_pton(AF_INET, target->host, bytes) == 0 && bytes[0] == 127;
}

/* ---- destinations ---- */

static bool is_address(const char *host) {
  unsigned char bytes[16];
  return *host == '[' || uv_inet_pton(AF_INET, host, bytes) == 0;
}

static destination *destination_new(http *h, const url_target *target, const char *ca_file, http_reach reach,
                                    const char *key) {
  destination *at = mem_zero(sizeof *at);
  at->wire = h;
  at->key = mem_text(key);
  at->ca_file = mem_text(ca_file);
  at->name = mem_text(target->name);
  at->host = mem_text(target->host);
  at->port = target->port;
  at->tls = target->tls;
  at->literal = is_address(target->host);
  at->is_here = url_target_is_loopback(target);
  at->reach = reach;
  at->speaks = target->tls ? PROTOCOL_UNKNOWN : PROTOCOL_1;
  at->home = at->last = -1;
  list_init(&at->idle);
  list_init(&at->waiting);
  table_add(&h->destinations, &at->entry, at->key);
  return at;
}

static destination *destination_get(http *h, const url_target *target, const char *ca_file,
                                    http_reach reach) {
  buf key = BUF_EMPTY;
  buf_text_add(&key, target->tls ? "https://" : "http://");
  buf_text_add(&key, target->name);
  buf_char(&key, ' ');
  buf_char(&key, (char)('0' + (int)reach));
  buf_text_add(&key, ca_file ? ca_file : "");
  table_entry *entry = table_find(&h->destinations, buf_text(&key));
  destination *at =
      entry ? LIST_OF(destination, entry, entry) : destination_new(h, target, ca_file, reach, buf_text(&key));
  buf_free(&key);
  return at;
}

/* ---- those that were used lately, by the beginning of a URL ---- */

static bool ends_host(char c) {
  return c == '\0' || c == '/' || c == '?' || c == '#';
}

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool leads_to(const destination *at, const char *url, const char *ca_file, http_reach reach) {
  return at->reach == reach && strncmp(url, at->origin, at->origin_length) == 0 &&
         ends_host(url[at->origin_length]) && same_text(at->ca_file, ca_file);
}

static destination *find_recent(const http *h, const char *url, const char *ca_file, http_reach reach) {
  for (int i = 0; i < RECENT; i++) {
    if (h->recent[i] && leads_to(h->recent[i], url, ca_file, reach)) return h->recent[i];
  }
  return NULL;
}

/* A place that is written in another way than the first time is looked up in the table. */
static void remember(http *h, destination *at, const char *url) {
  if (!at->origin) {
    at->origin_length = host_of(url) + strcspn(url + host_of(url), "/?#");
    at->origin = mem_text_of(url, at->origin_length);
  }
  if (!leads_to(at, url, at->ca_file, at->reach)) return;
  h->recent[h->recent_next] = at;
  h->recent_next = (h->recent_next + 1) % RECENT;
}

static void forget(destination *at) {
  for (int i = 0; i < RECENT; i++) {
    if (at->wire->recent[i] == at) at->wire->recent[i] = NULL;
  }
}

destination *destination_of(http *h, const char *url, const char *ca_file, http_reach reach, error *err) {
  url_target target;
  destination *at = find_recent(h, url, ca_file, reach);
  if (at && check_bytes(url + at->origin_length, err) != 0) return NULL;
  if (!at) {
    if (url_target_read(url, &target, err) != 0) return NULL;
    at = destination_get(h, &target, ca_file, reach);
    remember(h, at, url);
  }
  at->users++;
  return at;
}

const char *destination_path(const destination *at, const char *url) {
  const char *host = url + host_of(url);
  if (strncmp(url, at->origin, at->origin_length) == 0 && ends_host(url[at->origin_length]))
    return url + at->origin_length;
  return host + strcspn(host, "/?#");
}

void destination_leave(destination *at) {
  if (--at->users > 0) return;
  forget(at);
  table_remove(&at->wire->destinations, &at->entry);
  free(at->spots);
  free(at->host);
  free(at->name);
  free(at->ca_file);
  free(at->origin);
  free(at->key);
  free(at);
}

spot *destination_spot(destination *at, int index) {
  if (index >= at->spots_count) {
    int count = at->wire->multis_count;
    at->spots = mem_grow(at->spots, (size_t)count * sizeof *at->spots);
    memset(at->spots + at->spots_count, 0, (size_t)(count - at->spots_count) * sizeof *at->spots);
    at->spots_count = count;
  }
  return &at->spots[index];
}
