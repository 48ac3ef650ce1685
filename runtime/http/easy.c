/* libcurl's options for one transfer: those that are always the same once for each handle, the others for
 * each hop.
 *
 * Handles go back to a pool as they are, so whatever easy_start_hop may set it sets every time. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/http_parts.h"

/* The other hop's addresses stay in a multi handle for 60 s; they are told again well before. */
enum { ADDRESSES_LIVE_S = 60, TELL_AGAIN_MS = 30000 };

static const struct {
  CURLoption option;
  long value;
} fixed[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_NOPROGRESS, 1},
    {CURLOPT_BUFFERSIZE, 4096}, /* each transfer has one; answers are small */
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS}, /* by ALPN only */
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_FOLLOWLOCATION, 0}, /* redirect.c does that */
    {CURLOPT_DNS_CACHE_TIMEOUT, ADDRESSES_LIVE_S},
};

/* CURLOPT_PREREQFUNCTION: libcurl is about to send the request. It comes once more when a reused connection
 * has died and libcurl wants to send it again on another: here that is counted, or stopped. */
static int about_to_send(void *exchange, char *remote, char *local, int remote_port, int local_port) {
  http_exchange *ex = exchange;
  (void)remote;
  (void)local;
  (void)remote_port;
  (void)local_port;
  if (ex->hop_sends > 0 && ex->resend_forbidden) {
    ex->resend_stopped = true;
    return CURL_PREREQFUNC_ABORT;
  }
  if (ex->hop_sends > 0 || ex->answer.sends == 0) ex->answer.sends++;
  ex->hop_sends++;
  ex->answer.sent = true;
  return CURL_PREREQFUNC_OK;
}

static int set_callbacks(http_exchange *ex, CURL *easy) {
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PRIVATE, ex);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, ex->error);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, sock_open);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, ex);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, sock_close);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, ex->wire);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PREREQDATA, ex);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_header);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, ex);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_body);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, ex);
  return failed;
}

CURL *easy_new(http_exchange *ex, error *err) {
  http *h = ex->wire;
  CURL *easy = curl_easy_init();
  int failed = easy ? set_callbacks(ex, easy) : 1;
  for (size_t i = 0; !failed && i < sizeof fixed / sizeof *fixed; i++)
    failed = (int)curl_easy_setopt(easy, fixed[i].option, fixed[i].value);
  if (!failed) failed |= (int)curl_easy_setopt(easy, CURLOPT_SHARE, h->share);
  if (!failed) failed |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!failed) failed |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor one from the environment */
  if (!failed)
    failed |= (int)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""); /* it decodes; request.c asks */
  if (!failed) return easy;
  error_set(err, "libcurl can't make a handle for a request");
  curl_easy_cleanup(easy);
  return NULL;
}

/* ---- what differs ---- */

/* The URL, taken apart; nothing to do for the same as last time. Given a text, libcurl takes it apart, puts
 * it together and apart again for every transfer. One that it can't read it is given as a text, to say why.
 */
static int set_url(http_exchange *ex) {
  const char *url = ex->hop_url ? ex->hop_url : ex->url;
  if (ex->place_text && strcmp(ex->place_text, url) == 0) return 0;
  free(ex->place_text);
  ex->place_text = NULL;
  if (!ex->place) ex->place = curl_url();
  bool read = ex->place && curl_url_set(ex->place, CURLUPART_URL, url, 0) == CURLUE_OK;
  if (read) ex->place_text = mem_text(url);
  int failed = (int)curl_easy_setopt(ex->easy, CURLOPT_URL, read ? NULL : url);
  return failed | (int)curl_easy_setopt(ex->easy, CURLOPT_CURLU, read ? ex->place : NULL);
}

static bool wants_length(const char *method) {
  return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

/* The body is handed to libcurl as a pointer, and read from there as the socket takes it. */
static int set_method(http_exchange *ex) {
  CURL *easy = ex->easy;
  const char *method = ex->method;
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* takes back NOBODY and POST */
  if (strcmp(method, "HEAD") == 0) {
    failed |= (int)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    method = NULL;
  } else if (ex->body || wants_length(method)) {
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POST, 1L);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ex->body_length);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ex->body ? ex->body : "");
  }
  return failed | (int)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* With a CA file of its own, a request trusts that and nothing else. */
static int set_ca(http_exchange *ex) {
  const http *h = ex->wire;
  bool own = ex->ca_file != NULL;
  int failed = 0;
  if (!own && !ex->own_ca) return 0;
  failed |= (int)curl_easy_setopt(ex->easy, CURLOPT_CAINFO, own ? ex->ca_file : h->system_ca_file);
  failed |= (int)curl_easy_setopt(ex->easy, CURLOPT_CAPATH, own ? NULL : h->system_ca_path);
  ex->own_ca = own;
  return failed;
}

/* Tells the multi handle the host's addresses, unless it has them. */
static int set_addresses(http_exchange *ex, const known_host *of, multi *m) {
  spot *s = destination_spot(ex->at, m->index);
  struct curl_slist *addresses = NULL;
  int64_t now = http_now_ms();
  ex->feed_node.data = NULL;
  if (of && (s->fed != of->number || now - s->fed_ms > TELL_AGAIN_MS)) {
    s->fed = of->number;
    s->fed_ms = now;
    buf_clear(&ex->feed);
    buf_format(&ex->feed, "+%s:%d:%s", ex->at->host, ex->at->port, of->addresses);
    ex->feed_node = (struct curl_slist){.data = (char *)buf_text(&ex->feed)};
    addresses = &ex->feed_node;
  }
  return (int)curl_easy_setopt(ex->easy, CURLOPT_RESOLVE, addresses);
}

int easy_start_hop(http_exchange *ex, const known_host *of) {
  CURL *easy = ex->easy;
  multi *m = destination_pick(ex->at);
  if (!m) return -1;
  int64_t spent = http_now_ms() - ex->hop_ns / 1000000;
  int64_t connect_ms = ex->connect_ms > spent ? ex->connect_ms - spent : 1;
  curl_off_t most = strcmp(ex->method, "HEAD") == 0 ? 0 : (curl_off_t)ex->max_body_bytes;
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, ex->sent_headers);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                                  most); /* known lengths; answer.c does the rest */
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, ex->at->speaks == PROTOCOL_1 ? 0L : 1L);
  failed |= set_url(ex) | set_method(ex) | set_ca(ex) | set_addresses(ex, of, m);
  return failed || multi_add(m, ex) ? -1 : 0;
}
