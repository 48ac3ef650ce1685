/* What the end of a transfer means: one of the outcomes, and a sentence for the person who looks for the
 * cause. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "http/http_parts.h"

static const char *const names[] = {
    [HTTP_ANSWERED] = "answered",
    [HTTP_CONNECT] = "connect",
    [HTTP_DNS] = "dns",
    [HTTP_TLS] = "tls",
    [HTTP_TIMEOUT] = "timeout",
    [HTTP_RESET] = "reset",
    [HTTP_TOO_LARGE] = "too_large",
    [HTTP_PROTOCOL] = "protocol",
    [HTTP_REDIRECT] = "redirect",
    [HTTP_FILE] = "file",
    [HTTP_EGRESS] = "egress",
    [HTTP_CUT] = "cut",
};

const char *http_outcome_name(http_outcome outcome) {
  return names[outcome];
}

/* libcurl's own words, on one line. */
static const char *words(http_exchange *ex, CURLcode code) {
  char *text = ex->transfer->error;
  if (!*text) return curl_easy_strerror(code);
  for (char *c = text; *c; c++) {
    if (*c == '\n' || *c == '\r') *c = ' ';
  }
  size_t length = strlen(text);
  while (length > 0 && text[length - 1] == ' ') text[--length] = '\0';
  return text;
}

static const char *duration(int64_t ms, char out[32]) {
  duration_format(ms, out);
  return out;
}

/* ---- what both ways may come to ---- */

void outcome_of_connect_timeout(http_exchange *ex) {
  char time[32];
  if (!ex->at->literal) resolver_doubt(&ex->wire->names, ex->at->host);
  answer_say(ex, HTTP_CONNECT, "no %sconnection to %s within %s", ex->at->tls ? "TLS " : "", ex->at->name,
             duration(ex->connect_ms, time));
}

void outcome_of_garbage(http_exchange *ex, const char *text) {
  answer_say(ex, HTTP_PROTOCOL, "%s did not answer in proper HTTP: %s", ex->at->name, text);
}

void outcome_of_break(http_exchange *ex) {
  const char *at = ex->at->name;
  if (ex->resend_stopped)
    answer_say(ex, HTTP_RESET,
               "%s closed a reused connection without an answer; the request was not sent again", at);
  else if (ex->headers_whole)
    answer_say(ex, HTTP_RESET, "%s broke the connection in the middle of its answer, after %zu bytes of body",
               at, ex->body_bytes);
  else if (ex->answer.status)
    answer_say(ex, HTTP_RESET, "%s broke the connection within its answer's headers", at);
  else
    answer_say(ex, HTTP_RESET, "%s closed the connection without an answer", at);
}

void outcome_of_answer(http_exchange *ex) {
  error err;
  ex->answer.outcome = HTTP_ANSWERED;
  ex->answer.detail[0] = '\0';
  if (!ex->file.path || ex->answer.status < 200 || ex->answer.status > 299) return;
  if (save_keep(&ex->file, &err) != 0) answer_say(ex, HTTP_FILE, "%s", err.text);
}

/* ---- libcurl's, by kind ---- */

static void of_connect(http_exchange *ex, CURLcode code) {
  long number = 0;
  const char *at = ex->at->name;
  curl_easy_getinfo(ex->transfer->easy, CURLINFO_OS_ERRNO, &number);
  if (!ex->at->literal) resolver_doubt(&ex->wire->names, ex->at->host);
  if (ex->socket_error) number = ex->socket_error; /* else it may be from before */
  if (number == ECONNREFUSED)
    answer_say(ex, HTTP_CONNECT, "connection refused by %s", at);
  else if (number == ENETUNREACH || number == EHOSTUNREACH)
    answer_say(ex, HTTP_CONNECT, "no route to %s", at);
  else if (number)
    answer_say(ex, HTTP_CONNECT, "could not connect to %s: %s", at, strerror((int)number));
  else
    answer_say(ex, HTTP_CONNECT, "could not connect to %s: %s", at, words(ex, code));
}

/* The total is not libcurl's to watch, so its timeout is that of connecting. */
static void of_connect_timeout(http_exchange *ex, CURLcode code) {
  (void)code;
  outcome_of_connect_timeout(ex);
}

static void of_dns(http_exchange *ex, CURLcode code) {
  answer_say(ex, HTTP_DNS, "%s does not resolve: %s", ex->at->host, words(ex, code));
}

static void of_certificate(http_exchange *ex, CURLcode code) {
  static const char problem[] = "SSL certificate problem: ";
  const char *text = words(ex, code), *found = strstr(text, problem);
  if (found) {
    answer_say(ex, HTTP_TLS, "the certificate of %s is not accepted: %s", ex->at->name,
               found + strlen(problem));
  } else if (strstr(text, "subject name")) {
    answer_say(ex, HTTP_TLS, "the certificate of %s is not accepted: it was issued for another name",
               ex->at->name);
  } else {
    answer_say(ex, HTTP_TLS, "the certificate of %s is not accepted: %s", ex->at->name, text);
  }
}

static void of_ca_file(http_exchange *ex, CURLcode code) {
  if (ex->ca_file)
    answer_say(ex, HTTP_TLS, "the CA file %s can't be read, or holds no certificate", ex->ca_file);
  else
    answer_say(ex, HTTP_TLS, "the system's CA certificates can't be read: %s", words(ex, code));
}

static void of_tls(http_exchange *ex, CURLcode code) {
  answer_say(ex, HTTP_TLS, "the TLS handshake with %s failed: %s", ex->at->name, words(ex, code));
}

static void of_protocol(http_exchange *ex, CURLcode code) {
  outcome_of_garbage(ex, words(ex, code));
}

static void of_too_large(http_exchange *ex, CURLcode code) {
  (void)code;
  answer_say(ex, HTTP_TOO_LARGE, "the body of %s's answer is over the cap of %zu bytes", ex->at->name,
             ex->max_body_bytes);
}

static void of_memory(http_exchange *ex, CURLcode code) {
  /* libcurl says so of a header line that is longer than it takes, too */
  if (ex->answer.sent && !ex->headers_whole)
    answer_say(ex, HTTP_TOO_LARGE, "a header line of %s's answer is too long", ex->at->name);
  else
    of_protocol(ex, code);
}

static void of_reset(http_exchange *ex, CURLcode code) {
  const char *text = words(ex, code);
  if (strstr(text, "chunk"))
    of_protocol(ex, code); /* garbage for a chunk's length comes as an error of receiving */
  else if (strstr(text, "Too large response headers"))
    of_memory(ex, CURLE_OUT_OF_MEMORY);
  else
    outcome_of_break(ex);
}

/* A chunk that isn't one is an error of the encoding, an end before the last chunk is one of the connection.
 */
static const struct {
  CURLcode code;
  void (*of)(http_exchange *ex, CURLcode code);
} kinds[] = {
    {CURLE_COULDNT_CONNECT, of_connect},
    {CURLE_INTERFACE_FAILED, of_connect},
    {CURLE_OPERATION_TIMEDOUT, of_connect_timeout},
    {CURLE_COULDNT_RESOLVE_HOST, of_dns},
    {CURLE_PEER_FAILED_VERIFICATION, of_certificate},
    {CURLE_SSL_ISSUER_ERROR, of_certificate},
    {CURLE_SSL_CACERT_BADFILE, of_ca_file},
    {CURLE_SSL_CONNECT_ERROR, of_tls},
    {CURLE_SSL_CERTPROBLEM, of_tls},
    {CURLE_SSL_CIPHER, of_tls},
    {CURLE_SSL_ENGINE_INITFAILED, of_tls},
    {CURLE_SSL_INVALIDCERTSTATUS, of_tls},
    {CURLE_SSL_CLIENTCERT, of_tls},
    {CURLE_USE_SSL_FAILED, of_tls},
    {CURLE_SEND_ERROR, of_reset},
    {CURLE_RECV_ERROR, of_reset},
    {CURLE_GOT_NOTHING, of_reset},
    {CURLE_PARTIAL_FILE, of_reset},
    {CURLE_HTTP2_STREAM, of_reset},
    {CURLE_FILESIZE_EXCEEDED, of_too_large},
    {CURLE_OUT_OF_MEMORY, of_memory},
};

void outcome_of_transfer(http_exchange *ex, CURLcode code) {
  if (ex->spoiled) return;
  if (ex->resend_stopped) {
    outcome_of_break(ex);
    return;
  }
  if (code == CURLE_OK && ex->headers_whole) {
    outcome_of_answer(ex);
    return;
  }
  if (ex->refused && !ex->reached) return;         /* sock.c has told why */
  if (code == CURLE_OK) code = CURLE_PARTIAL_FILE; /* libcurl is content with an end within the headers */
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (kinds[i].code != code) continue;
    kinds[i].of(ex, code);
    return;
  }
  of_protocol(ex, code);
}

void outcome_of_timeout(http_exchange *ex) {
  char time[32];
  duration(ex->total_ms, time);
  if (ex->state == EXCHANGE_LOOKUP)
    answer_say(ex, HTTP_DNS, "%s does not resolve: the look-up took longer than %s", ex->at->host, time);
  else if (ex->headers_whole)
    answer_say(ex, HTTP_TIMEOUT, "the answer of %s was not whole within %s: %zu bytes of its body had come",
               ex->at->name, time, ex->body_bytes);
  else if (ex->answer.sent)
    answer_say(ex, HTTP_TIMEOUT, "no answer from %s within %s", ex->at->name, time);
  else
    answer_say(ex, HTTP_TIMEOUT, "no connection to %s within %s", ex->at->name, time);
}
