/* Path patterns of the pretend vendor's behaviour: "POST /leads", "GET /orders/:id".
 *
 * A pattern's segment is exact, a ":name" that takes any one segment, or, at the end, a "*" that takes all
 * that is left. "ANY" stands for every method. No Lua in here. */
#ifndef JAUNT_SERVE_VENDOR_ROUTE_H
#define JAUNT_SERVE_VENDOR_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "serve/vendor_request.h"

typedef struct vendor_route {
  char *method;          /* NULL: any */
  vendor_text *segments; /* ":name" with its colon */
  size_t count;
  bool open; /* a "*" follows */
  int function;
} vendor_route;

/* Reads "POST /leads". Returns 0, or -1 and says in `err` what a pattern looks like. */
int vendor_route_read(vendor_route *route, const char *pattern, error *err);
void vendor_route_free(vendor_route *route);

/* Orders routes so that the first one that matches is the most exact one. For qsort. */
int vendor_route_compare(const void *a, const void *b);

/* True when the route takes the request's path from segment `first` on. */
bool vendor_route_matches(const vendor_route *route, const vendor_request *r, size_t first);

#endif
