/* libcurl, loaded when it is first needed: it brings some forty libraries along, which take longer to load than most
 * commands take to run. Who uses it includes <curl/curl.h> and calls its functions as ever. */
#ifndef JAUNT_HTTP_LIBCURL_H
#define JAUNT_HTTP_LIBCURL_H

#include "base/error.h"

/* Loads libcurl, once for the process; from any thread. Until it has returned 0, no function of libcurl but those that
 * clean up may be called. Returns -1 and fills `err` where there is no libcurl, or one without a function that is used. */
int libcurl_load(error *err);

#endif
