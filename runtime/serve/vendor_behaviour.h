/* The behaviour file of the pretend vendor: a Lua file that says how paths answer.
 *
 *   return {
 *     whatsapp = {                           -- a connection's name
 *       prefix = "/v2",                      -- optional: stands before its paths. Without it, leading
 *                                            -- segments that no route begins with are passed over
 *       latency = "50ms", fail = "2%", reset = 0.005,   -- optional: instead of the vendor's own
 *       idempotent = "X-Key",                -- optional: the header that carries the key; false: none does
 *       ["POST /messages"] = function(request) return 200, { id = "wamid." .. request.id } end,
 *     },
 *   }
 *
 * request has method, path (behind the connection's name), connection, params (what ":name" took, and "rest"
 * for "*"), query, headers (names in lower case), body, json (decoded; nil where it is none, and json_error
 * says why), form (nil where it is none), key (nil without one), attempt, and id: 32 digits that
 * are the same whenever this request comes with this key and seed.
 * A route returns status, body, headers and how long the answer takes ("50ms"), all but the first optional: a table as body
 * becomes JSON, nil none; nothing at all is 200 {"ok":true}; "reset" as the status cuts the connection off instead. An error in it
 * answers 500 with its text.
 *
 * The file has the standard libraries, `json`, and `require` for files beside it, in a state of its own. One
 * call may take 5 seconds, and the state 256 MiB. One thread at a time. */
#ifndef JAUNT_SERVE_VENDOR_BEHAVIOUR_H
#define JAUNT_SERVE_VENDOR_BEHAVIOUR_H

#include "base/error.h"
#include "serve/vendor_faults.h"
#include "serve/vendor_request.h"

typedef struct vendor_behaviour vendor_behaviour;

/* A connection's look-alike, as the file describes it. */
typedef struct vendor_lookalike {
  vendor_faults faults;
  char *key_header; /* lower case; NULL: the usual ones; "": none */
} vendor_lookalike;

/* Loads the file; connections get `faults` where it gives them none of their own. Returns NULL and fills
 * `err`. */
vendor_behaviour *vendor_behaviour_load(const char *path, uint64_t seed, const vendor_faults *faults,
                                        error *err);
void vendor_behaviour_free(vendor_behaviour *b); /* NULL is taken */

/* The look-alike of a connection, or NULL where the file says nothing of it. */
const vendor_lookalike *vendor_behaviour_find(const vendor_behaviour *b, const char *connection);

typedef enum vendor_behaved { BEHAVED_NOT, BEHAVED_WELL, BEHAVED_IN_ERROR } vendor_behaved;

/* Asks the file for an answer, which is empty before. BEHAVED_NOT: no route takes the request. */
vendor_behaved vendor_behaviour_answer(vendor_behaviour *b, const vendor_request *r, vendor_answer *answer);

#endif
