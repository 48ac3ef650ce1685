/* Handles for libcurl's transfers: what is the same for all of them is set once, and they go back to a pool as they are. */
#include <stdlib.h>

#include "base/alloc.h"
#include "http/http_parts.h"

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
static int about_to_send(void *data, char *remote, char *local, int remote_port, int local_port) {
  const transfer *t = data;
  http_exchange *ex = t->of;
  (void)remote;
  (void)local;
  (void)remote_port;
  (void)local_port;
  if (ex->connecting) return CURL_PREREQFUNC_OK; /* it sends nothing */
  return request_about_to_send(ex) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static int set_callbacks(transfer *t) {
  CURL *easy = t->easy;
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, sock_open);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, sock_close);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, t->wire);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_header);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_body);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
  return failed;
}

static int set_fixed(transfer *t) {
  CURL *easy = t->easy;
  int failed = set_callbacks(t);
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    failed |= (int)curl_easy_setopt(easy, fixed[i].option, fixed[i].value);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_SHARE, t->wire->share);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, "");           /* nor one from the environment */
  failed |= (int)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""); /* it decodes; easy.c asks */
  return failed;
}

/* ---- the pool ---- */

void transfer_free(transfer *t) {
  curl_easy_cleanup(t->easy);
  curl_url_cleanup(t->place);
  free(t->place_text);
  buf_free(&t->feed);
  free(t);
}

static transfer *transfer_new(http *h, error *err) {
  if (http_prepare(h, err) != 0) return NULL;
  transfer *t = mem_zero(sizeof *t);
  t->wire = h;
  list_init(&t->link);
  t->easy = curl_easy_init();
  if (t->easy && set_fixed(t) == 0) return t;
  error_set(err, "libcurl can't make a handle for a request");
  transfer_free(t);
  return NULL;
}

int transfer_take(http_exchange *ex, transfer_done done, error *err) {
  http *h = ex->wire;
  transfer *t;
  if (list_empty(&h->transfers)) {
    t = transfer_new(h, err);
    if (!t) return -1;
  } else {
    list *newest = h->transfers.prev; /* its memory is the warmest */
    list_remove(newest);
    h->transfers_count--;
    t = LIST_OF(transfer, link, newest);
  }
  t->error[0] = '\0';
  t->of = ex;
  t->done = done;
  ex->transfer = t;
  return 0;
}

void transfer_give(http_exchange *ex) {
  http *h = ex->wire;
  transfer *t = ex->transfer;
  if (!t) return;
  ex->transfer = NULL;
  t->of = NULL;
  if (h->transfers_count >= POOL_MOST || h->torn) {
    transfer_free(t);
    return;
  }
  h->transfers_count++;
  list_push(&h->transfers, &t->link);
}
