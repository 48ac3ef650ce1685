/* The table that call_api is given, and what becomes of it: its fields on the stack, and the call that is put together from them.
 * What is wrong with the script is a Lua error; what is wrong with the configuration or with a person's data holds the run. */
#ifndef JAUNT_BIND_CALL_SPEC_H
#define JAUNT_BIND_CALL_SPEC_H

#include <lauxlib.h>
#include <lua.h>

#include "engine/run.h"

enum field {
  NO_FIELD,
  GET,
  POST,
  PUT,
  PATCH,
  DELETE,
  HEAD,
  OPTIONS, /* verbs first: each is its method's name */
  VIA,
  METHOD,
  URL,
  QUERY,
  HEADERS,
  PAYLOAD,
  VARS,
  JSON,
  FORM,
  BODY,
  TIMEOUT,
  WITHIN,
  RETRY,
  SUCCESS,
  ON_FAILURE,
  ONLY_IF,
  IDEMPOTENT,
  SAVE_TO,
  REDIRECTS,
  KEEP_BODY,
  FIELDS,
};

extern const char *const call_field_names[FIELDS + 1]; /* by their number, from 1; ends with NULL */

/* What is being put together. */
typedef struct call_spec {
  lua_State *L;
  unsigned char slots[FIELDS]; /* where each field's value stands on the stack; 0: it is not given */
  run *r;
  call *c;
  const char *name; /* the element's, or NULL */
  const char *method;
  const char *path; /* as written: a path behind a connection's base, or a whole URL */
  size_t path_length;
  const char *via; /* "" without */
  on_failure policy;
  const char *hold_reason; /* why the run is to be held; NULL while all is well */
  error hold;              /* filled with it */
} call_spec;

/* ---- call_spec.c ---- */

static inline int spec_slot(const call_spec *s, enum field field) {
  return s->slots[field];
}

static inline bool spec_gives(const call_spec *s, enum field field) {
  return s->slots[field] != 0;
}

static inline bool spec_gives_function(const call_spec *s, enum field field) {
  return spec_gives(s, field) && lua_isfunction(s->L, spec_slot(s, field));
}

/* Spreads the table at 1, which is alone on the stack: each field's value to a slot of its own. `names` is the stack index, or that of
 * an upvalue, of a table from names to numbers. */
void spec_spread(call_spec *s, int names);
/* The text of a field, NULL without; one with a NUL byte is for who asks for the length. */
const char *spec_text(const call_spec *s, enum field field, size_t *length);
void spec_read_target(call_spec *s); /* method, path and connection */
void spec_check(call_spec *s);       /* what can be wrong whatever the connection is; and on_failure */
bool spec_is_whole_url(const char *path);
/* "POST /leads", without a query: what the element is called that has no name. Pushed, so that it stays. */
const char *spec_target_name(const call_spec *s);

/* ---- call_request.c ---- */

/* Puts s->c together: what is sent, and how. Returns 0; or -1 with s->hold and its reason. */
int spec_put_request(call_spec *s);

#endif
