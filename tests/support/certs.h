/* Certificates for tests, made when they are needed and never kept: an authority of their own, and server
 * certificates for localhost, 127.0.0.1 and ::1, one as it should be and the others each wrong in one way. */
#ifndef JAUNT_TESTS_SUPPORT_CERTS_H
#define JAUNT_TESTS_SUPPORT_CERTS_H

#include <openssl/ssl.h>

#include "base/error.h"

typedef enum cert_kind {
  CERT_GOOD,
  CERT_EXPIRED,
  CERT_WRONG_NAME,  /* issued for wrong.example */
  CERT_SELF_SIGNED, /* not by the authority */
  CERT_KINDS,
} cert_kind;

typedef struct certs {
  EVP_PKEY *key;
  X509 *authority;
  char ca_file[128]; /* the authority's certificate, as PEM; a temporary file */
} certs;

/* Returns 0, or -1 and fills `err`. */
int certs_make(certs *c, error *err);
void certs_drop(certs *c); /* takes the file away, too */

/* A TLS server's context with a certificate of that kind; the caller frees it. NULL and `err` when it can't
 * be. */
SSL_CTX *certs_context(const certs *c, cert_kind kind, error *err);

#endif
