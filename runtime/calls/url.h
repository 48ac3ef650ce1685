/* URLs put together from parts, with percent-encoding as RFC 3986 wants it. */
#ifndef JAUNT_CALLS_URL_H
#define JAUNT_CALLS_URL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Appends `bytes` for use as one query key or value: everything but unreserved characters is encoded (a space as
 * %20, a plus as %2B). The same rule makes one path segment. */
void url_encode(buf *out, const char *bytes, size_t length);

/* Appends `bytes` for application/x-www-form-urlencoded (a space as +; WHATWG URL, 5.2). */
void url_encode_form(buf *out, const char *bytes, size_t length);

/* Appends a path as a script wrote it: what is not allowed in a URL (spaces, quotes, controls, bytes above 127,
 * a % that begins no %XX) is encoded, the rest stays. */
void url_encode_path(buf *out, const char *path, size_t length);

/* base + path. A base has scheme http or https and a host; a path starts with / or is empty. -1 with the reason. */
int url_join(buf *out, const char *base, const char *path, size_t path_length, error *err);

/* The same, where `start` is what url_join made of the base and an empty path. */
int url_join_start(buf *out, const char *start, const char *path, size_t path_length, error *err);

/* Checks a whole URL given by a script and appends it encoded as url_encode_path does. No userinfo, no fragment,
 * http or https, a host. -1 with the reason. */
int url_whole(buf *out, const char *url, size_t length, error *err);

/* Whether `url` has the scheme, host and port of `base`; both are URLs that the two above have let through. -1 with the
 * reason. */
int url_same_place(const char *base, const char *url, error *err);

#endif
