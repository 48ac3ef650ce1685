/* libcurl's options for one hop. A handle comes from the pool as its last transfer has left it, so whatever one may set the next sets,
 * too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/http_parts.h"

enum { TELL_AGAIN_MS = ADDRESSES_LIVE_S * 1000 / 2 };

/* The URL, taken apart; nothing to do for the same as last time. Given a text, libcurl takes it apart, puts
 * it together and apart again for every transfer. One that it can't read it is given as a text, to say why.
 */
static int set_url(transfer *t, const char *url) {
  if (t->place_text && strcmp(t->place_text, url) == 0) return 0;
  free(t->place_text);
  t->place_text = NULL;
  if (!t->place) t->place = curl_url();
  bool read = t->place && curl_url_set(t->place, CURLUPART_URL, url, 0) == CURLUE_OK;
  if (read) t->place_text = mem_text(url);
  int failed = (int)curl_easy_setopt(t->easy, CURLOPT_URL, read ? NULL : url);
  return failed | (int)curl_easy_setopt(t->easy, CURLOPT_CURLU, read ? t->place : NULL);
}

/* The body is handed to libcurl as a pointer, and read from there as the socket takes it. */
static int set_method(http_exchange *ex) {
  CURL *easy = ex->transfer->easy;
  const char *method = ex->method;
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* takes back NOBODY and POST */
  if (strcmp(method, "HEAD") == 0) {
    failed |= (int)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    method = NULL;
  } else if (request_has_length(ex)) {
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POST, 1L);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ex->body_length);
    failed |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ex->body ? ex->body : "");
  }
  return failed | (int)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* libcurl takes "Name:" for leaving a header out; an empty one is written "Name;". */
static struct curl_slist **chain_own(http_exchange *ex, struct curl_slist **end) {
  for (size_t i = 0; i < ex->headers_count; i++) {
    request_header *h = &ex->headers[i];
    if (!request_goes(ex, h)) continue;
    if (h->kind & HEADER_EMPTY) memcpy(h->node.data + h->name_length, ";", 2);
    *end = &h->node;
    end = &h->node.next;
  }
  return end;
}

/* What is not the user's own. Without the absence of the first libcurl would wait for a 100 before large
 * bodies, and without that of the second call any body a form; the others it would print anew for each
 * request. */
static int set_headers(http_exchange *ex) {
  transfer *t = ex->transfer;
  const struct {
    unsigned kind;
    const char *line;
  } defaults[] = {
      {HEADER_OURS, "Expect:"},
      {HEADER_TYPE, "Content-Type:"},
      {HEADER_AGENT, ex->wire->user_agent},
      {HEADER_ENCODINGS, ex->wire->encodings},
  };
  struct curl_slist *first = NULL, **end = chain_own(ex, &first);
  for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
    if (ex->given & defaults[i].kind) continue;
    t->defaults[i] = (struct curl_slist){.data = (char *)(uintptr_t)defaults[i].line};
    *end = &t->defaults[i];
    end = &t->defaults[i].next;
  }
  *end = NULL;
  return (int)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, first);
}

/* With a CA file of its own, a request trusts that and nothing else. */
static int set_ca(http_exchange *ex) {
  const http *h = ex->wire;
  transfer *t = ex->transfer;
  bool own = ex->ca_file != NULL;
  int failed = 0;
  if (!own && !t->own_ca) return 0;
  failed |= (int)curl_easy_setopt(t->easy, CURLOPT_CAINFO, own ? ex->ca_file : h->system_ca_file);
  failed |= (int)curl_easy_setopt(t->easy, CURLOPT_CAPATH, own ? NULL : h->system_ca_path);
  t->own_ca = own;
  return failed;
}

/* Tells the multi handle the host's addresses, unless it has them. */
static int set_addresses(http_exchange *ex, const known_host *of, multi *m) {
  spot *s = destination_spot(ex->at, m->index);
  transfer *t = ex->transfer;
  struct curl_slist *addresses = NULL;
  int64_t now = http_now_ms();
  t->feed_node.data = NULL;
  if (of && (s->fed != of->number || now - s->fed_ms > TELL_AGAIN_MS)) {
    s->fed = of->number;
    s->fed_ms = now;
    buf_clear(&t->feed);
    buf_format(&t->feed, "+%s:%d:%s", ex->at->host, ex->at->port, of->addresses);
    t->feed_node = (struct curl_slist){.data = (char *)(uintptr_t)buf_text(&t->feed)};
    addresses = &t->feed_node;
  }
  return (int)curl_easy_setopt(t->easy, CURLOPT_RESOLVE, addresses);
}

static int set_connect_timeout(http_exchange *ex) {
  int64_t spent = http_now_ms() - ex->hop_ns / 1000000;
  int64_t connect_ms = ex->connect_ms > spent ? ex->connect_ms - spent : 1;
  return (int)curl_easy_setopt(ex->transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
}

/* What was set is no use without memory for all of it. */
static int go(http_exchange *ex, multi *m, int failed, error *err) {
  if (m && !failed && multi_add(m, ex) == 0) return 0;
  transfer_give(ex);
  return error_set(err, "no memory for a request to %s", ex->at->name);
}

int easy_start_hop(http_exchange *ex, const known_host *of, transfer_done done, error *err) {
  if (transfer_take(ex, done, err) != 0) return -1;
  CURL *easy = ex->transfer->easy;
  multi *m = multi_pick(ex->at);
  if (!m) return go(ex, m, 1, err);
  curl_off_t most = strcmp(ex->method, "HEAD") == 0 ? 0 : (curl_off_t)ex->max_body_bytes;
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 0L);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                                  most); /* known lengths; answer.c does the rest */
  failed |= (int)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, ex->at->speaks == PROTOCOL_1 ? 0L : 1L);
  failed |= set_url(ex->transfer, request_url(ex)) | set_method(ex) | set_headers(ex) | set_ca(ex);
  failed |= set_connect_timeout(ex) | set_addresses(ex, of, m);
  return go(ex, m, failed, err);
}

/* Of the request nothing but where it goes. */
int easy_start_connect(http_exchange *ex, const known_host *of, transfer_done done, error *err) {
  if (transfer_take(ex, done, err) != 0) return -1;
  CURL *easy = ex->transfer->easy;
  multi *m = multi_pick_connect(ex->at);
  if (!m) return go(ex, m, 1, err);
  int failed = 0;
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
  failed |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
  failed |= set_url(ex->transfer, ex->at->origin) | set_connect_timeout(ex) | set_addresses(ex, of, m);
  return go(ex, m, failed, err);
}
