/* What the two halves of the behaviour share: vendor_behaviour.c reads the file, vendor_behaviour_call.c asks
 * it. */
#ifndef JAUNT_SERVE_VENDOR_BEHAVIOUR_PARTS_H
#define JAUNT_SERVE_VENDOR_BEHAVIOUR_PARTS_H

#include <lauxlib.h>
#include <lua.h>

#include "serve/vendor_behaviour.h"
#include "serve/vendor_route.h"

typedef struct lookalike {
  vendor_lookalike told; /* the first field: what others see of it */
  char *name;
  bool own_fail, own_reset; /* told.faults has them from the file */
  vendor_text *prefix;      /* segments */
  size_t prefix_count;
  vendor_route *routes; /* the most exact first */
  size_t route_count;
} lookalike;

struct vendor_behaviour {
  lua_State *L;
  uint64_t seed;
  size_t memory;        /* what the state holds, in bytes */
  int64_t call_most_ns; /* how long one call may take */
  int64_t deadline_ns;  /* of the call under way, mono */
  vendor_faults faults;
  lookalike *list;
  size_t count;
};

/* Calls the function below its `nargs` arguments, all on top of the stack, within its time: lua_pcall. */
int behaviour_call(vendor_behaviour *b, int nargs, int nresults);

lookalike *behaviour_lookalike(const vendor_behaviour *b, const char *connection);

#endif
