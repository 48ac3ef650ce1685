/* libmicrohttpd, loaded when the first pretend vendor starts: a live run has no use for it and its TLS library. Who uses it
 * includes <microhttpd.h> and calls its functions as ever. */
#ifndef JAUNT_SERVE_LIBMICROHTTPD_H
#define JAUNT_SERVE_LIBMICROHTTPD_H

#include "base/error.h"

/* Loads libmicrohttpd, once for the process; from any thread. Until it has returned 0, none of its functions may be called.
 * Returns -1 and fills `err` where there is no libmicrohttpd, or one without a function that is used. */
int libmicrohttpd_load(error *err);

#endif
