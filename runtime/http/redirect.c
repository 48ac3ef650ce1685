/* Going on where an answer points.
 *
 * libcurl could do it, but keeps only the headers it knows to itself; here whatever is private stays with the
 * origin: the scheme, host and port that the request was made for. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* What the answer's first Location header that has a value says; NULL without one. The caller frees it. */
static char *location_of(http_exchange *ex) {
  static const char name[] = "location:";
  const char *line = ex->headers_in.data, *end = line + ex->headers_in.len;
  while (line < end) {
    const char *feed = memchr(line, '\n', (size_t)(end - line)), *stop = feed;
    if ((size_t)(stop - line) >= sizeof name - 1 && strncasecmp(line, name, sizeof name - 1) == 0) {
      line += sizeof name - 1;
      while (line < stop && (*line == ' ' || *line == '\t')) line++;
      while (stop > line && (stop[-1] == ' ' || stop[-1] == '\t')) stop--;
      if (stop > line) return mem_text_of(line, (size_t)(stop - line));
    }
    line = feed + 1;
  }
  return NULL;
}

/* A reference is read from the present URL on. What can't be read so stays as it is: it is refused then. Takes `location`.
 */
static char *resolved(http_exchange *ex, char *location) {
  CURLU *place = curl_url();
  char *whole = NULL;
  bool good = place && curl_url_set(place, CURLUPART_URL, request_url(ex), 0) == CURLUE_OK &&
              curl_url_set(place, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
              curl_url_get(place, CURLUPART_URL, &whole, 0) == CURLUE_OK;
  if (good) {
    free(location);
    location = mem_text(whole);
  }
  curl_free(whole);
  curl_url_cleanup(place);
  return location;
}

/* Returns where it goes on, or NULL when that may not be; the outcome is set then. */
static destination *next_of(http_exchange *ex, const char *url) {
  if (ex->hops >= ex->follow) {
    answer_say(ex, HTTP_REDIRECT, "more than %d redirects; the last was answered by %s", ex->follow,
               ex->at->name);
    return NULL;
  }
  /* It isn't quoted: an answer may repeat what was asked, and with it a key in the query. */
  destination *next = destination_of(ex->wire, url, ex->ca_file, ex->reach, NULL);
  if (!next) {
    answer_say(ex, HTTP_REDIRECT,
               "%s redirects to a place that can't be followed: it is no http or https URL", ex->at->name);
    return NULL;
  }
  if (!ex->at->tls || next->tls) return next;
  answer_say(ex, HTTP_REDIRECT, "%s redirects from https to http, to %s", ex->at->name, next->name);
  destination_leave(next);
  return NULL;
}

/* Looks at a whole answer. True when it points elsewhere and the exchange is ready for its next hop; false
 * when it is the end, which it also is, with an outcome of its own, when it may not be followed. */
bool redirect_prepare(http_exchange *ex) {
  if (ex->follow <= 0 || !is_redirect(ex->answer.status)) return false;
  char *location = location_of(ex);
  if (!location) return false;
  char *url = resolved(ex, location);
  ex->next = next_of(ex, url);
  if (!ex->next) {
    free(url);
    return false;
  }
  if (becomes_get(ex->answer.status, ex->method)) {
    ex->method = "GET";
    ex->body = NULL;
    ex->body_length = 0;
  }
  ex->drops_body_headers = ex->body == NULL;
  free(ex->hop_url);
  ex->hop_url = url;
  ex->hops++;
  answer_restart(ex);
  return true;
}
