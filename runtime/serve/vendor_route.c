/* Reads and matches path patterns: see vendor_route.h. */
#include "serve/vendor_route.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static bool is_method(const char *text, size_t length) {
  return length > 0 && length < 32 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

static int add_segment(vendor_route *route, const char *at, size_t length, bool last) {
  if (length == 1 && *at == '*') {
    route->open = true;
    return last ? 0 : -1;
  }
  route->segments = mem_grow(route->segments, (route->count + 1) * sizeof *route->segments);
  route->segments[route->count++] = vendor_text_of(at, length);
  return length == 1 && *at == ':' ? -1 : 0;
}

int vendor_route_read(vendor_route *route, const char *pattern, error *err) {
  size_t method = strcspn(pattern, " ");
  const char *at = pattern + method + strspn(pattern + method, " ");
  *route = (vendor_route){0};
  if (!is_method(pattern, method) || *at != '/') goto wrong;
  if (method != 3 || memcmp(pattern, "ANY", 3) != 0) route->method = mem_text_of(pattern, method);
  while (*at == '/') {
    size_t length = strcspn(++at, "/");
    if (add_segment(route, at, length, at[length] == '\0') != 0) goto wrong;
    at += length;
  }
  return 0;
wrong:
  vendor_route_free(route);
  return error_set(
      err, "\"%s\" is no route: one looks like \"POST /leads\", \"GET /orders/:id\" or \"ANY /files/*\"",
      pattern);
}

void vendor_route_free(vendor_route *route) {
  for (size_t i = 0; i < route->count; i++) free(route->segments[i].bytes);
  free(route->segments);
  free(route->method);
  *route = (vendor_route){0};
}

/* 0 for an exact segment, 1 for ":name", 2 for "*", 3 for none. */
static int openness(const vendor_route *route, size_t at) {
  if (at < route->count) return route->segments[at].bytes[0] == ':';
  return route->open ? 2 : 3;
}

int vendor_route_compare(const void *left, const void *right) {
  const vendor_route *a = left, *b = right;
  for (size_t i = 0; i < a->count || i < b->count || a->open != b->open; i++) {
    int order = openness(a, i) - openness(b, i);
    if (order == 0 && i < a->count) order = strcmp(a->segments[i].bytes, b->segments[i].bytes);
    if (order != 0) return order;
    if (i >= a->count) break;
  }
  if (a->method == NULL || b->method == NULL) return (a->method == NULL) - (b->method == NULL);
  return strcmp(a->method, b->method);
}

bool vendor_route_matches(const vendor_route *route, const vendor_request *r, size_t first) {
  size_t given = first < r->segment_count ? r->segment_count - first : 0;
  if (route->method != NULL && strcmp(route->method, r->method) != 0) return false;
  if (route->open ? given < route->count : given != route->count) return false;
  for (size_t i = 0; i < route->count; i++) {
    const vendor_text *wanted = &route->segments[i], *found = &r->segments[first + i];
    if (wanted->bytes[0] == ':') continue;
    if (wanted->length != found->length || memcmp(wanted->bytes, found->bytes, found->length) != 0)
      return false;
  }
  return true;
}
