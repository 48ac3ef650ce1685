/* Going on where an answer points.
 *
 * libcurl could do it, but keeps only the headers it knows to itself; here whatever is private stays with the
 * origin: the scheme, host and port that the request was made for. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http/http_parts.h"

static bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* 303 always goes on with GET, 301 and 302 do after a POST (RFC 9110, 15.4); 307 and 308 never change the
 * request. */
static bool becomes_get(int status, const char *method) {
  if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) return false;
  return status == 303 || ((status == 301 || status == 302) && strcmp(method, "POST") == 0);
}

static int check_target(http_exchange *ex, const char *url, url_target *next) {
  if (ex->hops >= ex->follow) {
    answer_say(ex, HTTP_REDIRECT, "more than %d redirects; the last was answered by %s", ex->follow,
               ex->at->name);
    return -1;
  }
  /* It isn't quoted: an answer may repeat what was asked, and with it a key in the query. */
  if (url_target_read(url, next, NULL) != 0) {
    answer_say(ex, HTTP_REDIRECT,
               "%s redirects to a place that can't be followed: it is no http or https URL", ex->at->name);
    return -1;
  }
  if (ex->target.tls && !next->tls) {
    answer_say(ex, HTTP_REDIRECT, "%s redirects from https to http, to %s", ex->at->name, next->name);
    return -1;
  }
  return 0;
}

/* Looks at a whole answer. True when it points elsewhere and the exchange is ready for its next hop; false
 * when it is the end, which it also is, with an outcome of its own, when it may not be followed. */
bool redirect_prepare(http_exchange *ex) {
  char *url = NULL;
  url_target next;
  if (ex->follow <= 0 || !is_redirect(ex->answer.status)) return false;
  curl_easy_getinfo(ex->easy, CURLINFO_REDIRECT_URL, &url);
  if (!url || check_target(ex, url, &next) != 0) return false;
  if (becomes_get(ex->answer.status, ex->method)) {
    ex->method = "GET";
    ex->body = NULL;
    ex->body_length = 0;
  }
  char *copy = mem_text(url); /* before the old one goes */
  free(ex->hop_url);
  ex->hop_url = copy;
  ex->target = next;
  ex->hops++;
  request_chain_headers(ex, url_target_same(&ex->origin, &next), ex->body != NULL);
  answer_restart(ex);
  return true;
}
