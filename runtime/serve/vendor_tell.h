/* What the pretend vendor tells about what it received, as JSON. */
#ifndef JAUNT_SERVE_VENDOR_TELL_H
#define JAUNT_SERVE_VENDOR_TELL_H

#include "serve/vendor_record.h"

/* Appends the answer to GET /_received: all counts, and with ?items=1 the requests; with ?key= one of them.
 * Returns the status: 200, or 404 for a key that is not there. */
int vendor_tell(vendor_record *record, const vendor_pairs *query, buf *out);

#endif
