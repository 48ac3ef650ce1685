/* Certificates for tests: see certs.h. */
#include "support/certs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { DAY_S = 24 * 3600 };

static const char own_names[] = "DNS:localhost,IP:127.0.0.1,IP:::1";

static const struct {
  const char *common_name, *names;
  long from_s, to_s; /* of its validity, from now */
  bool self_signed;
} kinds[] = {
    [CERT_GOOD] = {"localhost", own_names, -DAY_S, DAY_S, false},
    [CERT_EXPIRED] = {"localhost", own_names, -2 * DAY_S, -DAY_S, false},
    [CERT_WRONG_NAME] = {"wrong.example", "DNS:wrong.example", -DAY_S, DAY_S, false},
    [CERT_SELF_SIGNED] = {"localhost", own_names, -DAY_S, DAY_S, true},
};

static int add_extension(X509 *cert, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
  X509V3_set_ctx_nodb(&context);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  int added = extension && X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}

static X509 *cert_new(EVP_PKEY *key, const char *common_name, long from_s, long to_s) {
  static long serial = 1;
  X509 *cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
  X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
  X509_gmtime_adj(X509_getm_notAfter(cert), to_s);
  X509_set_pubkey(cert, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                             (const unsigned char *)common_name, -1, -1, 0);
  return cert;
}

static int make_authority(certs *c) {
  c->authority = cert_new(c->key, "Test authority", -30L * DAY_S, DAY_S);
  X509_set_issuer_name(c->authority, X509_get_subject_name(c->authority));
  return add_extension(c->authority, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(c->authority, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         X509_sign(c->authority, c->key, EVP_sha256());
}

static int write_authority(certs *c) {
  strcpy(c->ca_file, "/tmp/jaunt-test-ca-XXXXXX");
  int fd = mkstemp(c->ca_file);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  int written = file && PEM_write_X509(file, c->authority);
  if (file) written &= fclose(file) == 0;
  return written;
}

int certs_make(certs *c, error *err) {
  *c = (certs){.key = EVP_EC_gen("P-256")};
  if (c->key && make_authority(c) && write_authority(c)) return 0;
  certs_drop(c);
  return error_set(err, "no test authority could be made");
}

void certs_drop(certs *c) {
  if (c->ca_file[0]) unlink(c->ca_file);
  X509_free(c->authority);
  EVP_PKEY_free(c->key);
  *c = (certs){0};
}

/* Server and authority share one key: it is the certificates that are told apart. */
SSL_CTX *certs_context(const certs *c, cert_kind kind, error *err) {
  X509 *cert = cert_new(c->key, kinds[kind].common_name, kinds[kind].from_s, kinds[kind].to_s);
  X509 *issuer = kinds[kind].self_signed ? cert : c->authority;
  X509_set_issuer_name(cert, X509_get_subject_name(issuer));
  int made =
      add_extension(cert, NID_subject_alt_name, kinds[kind].names) && X509_sign(cert, c->key, EVP_sha256());
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (!made || !context || SSL_CTX_use_certificate(context, cert) != 1 ||
      SSL_CTX_use_PrivateKey(context, c->key) != 1) {
    error_set(err, "no test certificate of kind %d could be made", (int)kind);
    SSL_CTX_free(context);
    context = NULL;
  }
  X509_free(cert);
  return context;
}
