/* Content codings taken off as the bytes come: gzip and deflate, by zlib, and several on top of each other.
 *
 * What it accepts and refuses is what libcurl does, so that it doesn't matter which way an answer came. */
#ifndef JAUNT_HTTP_H1_DECODE_H
#define JAUNT_HTTP_H1_DECODE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct h1_decoder h1_decoder;

/* Takes decoded bytes; returns false to stop. */
typedef bool (*h1_decoded)(void *owner, const char *bytes, size_t length);

/* Adds the codings of a Content-Encoding header, "gzip, identity", to `old`, which may be NULL. Returns the
 * decoder, or NULL while there is nothing to take off. */
h1_decoder *h1_decoder_add(h1_decoder *old, const char *value, size_t length);
void h1_decoder_free(h1_decoder *d); /* also NULL */

/* Decodes, and hands on. Returns false when `to` has stopped or the bytes are broken: then, and only then,
 * h1_decoder_problem says how, in words that live as long as the decoder. */
bool h1_decode(h1_decoder *d, const char *bytes, size_t length, h1_decoded to, void *owner);
const char *h1_decoder_problem(const h1_decoder *d);

#endif
