/* One attempt of a call: see attempt.h.
 *
 * This is the only place where a secret's value is looked at. It stands in wire_url and wire_headers for as
 * long as http_send runs, which copies them, and is wiped then. */
#include "calls/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "calls/url.h"

enum { KEEP_BODY = 64 * 1024 };

/* ---- what can be wrong with it ---- */

/* RFC 9110, 5.6.2 */
static bool is_of_token(char c) {
  char letter = (char)(c | 0x20);
  return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text) {
  const char *at = text;
  while (at && is_of_token(*at)) at++;
  return at && at > text && *at == '\0';
}

static bool has_line_break(const char *value) {
  return strchr(value, '\n') || strchr(value, '\r');
}

static bool same_name(const char *a, const char *b) {
  return strcasecmp(a, b) == 0;
}

/* Their values follow from the body and the URL: others would make the vendor wait, read two requests in one, or take it
 * for one to somebody else. */
static bool is_framing(const char *name) {
  return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding") || same_name(name, "Host");
}

static const char *value_of(const pair *p) {
  return p->hidden ? p->hidden->value : p->value;
}

static int check_value(const char *name, const pair *p, error *err) {
  const char *value = value_of(p);
  if (p->hidden && !value) return error_set(err, "the secret \"%s\" has no value", p->hidden->name);
  if (!value) return error_set(err, "the header \"%s\" has no value", name);
  if (!has_line_break(value)) return 0;
  if (p->hidden)
    return error_set(err, "the secret \"%s\" holds a line break, which no header can carry: take it out",
                     p->hidden->name);
  return error_set(err, "the value of the header \"%s\" holds a line break: take it out", name);
}

static int check_header(const char *name, const pair *p, error *err) {
  if (!is_token(name)) {
    return error_set(err, "\"%s\" is no header's name: it is made of letters, digits and -",
                     name && !strpbrk(name, "\r\n") ? name : "");
  }
  if (is_framing(name)) return error_set(err, "the header \"%s\" is set by jaunt itself: leave it out", name);
  return check_value(name, p, err);
}

static int check_headers(const pair *headers, size_t count, error *err) {
  for (size_t i = 0; i < count; i++) {
    if (check_header(headers[i].name, &headers[i], err)) return -1;
  }
  return 0;
}

static int check_auth(const auth *a, error *err) {
  switch (a->kind) {
  case AUTH_BEARER: return check_value("Authorization", &a->value, err);
  case AUTH_HEADER: return check_header(a->name, &a->value, err);
  case AUTH_BASIC:
  case AUTH_QUERY: /* both are encoded: any value is well */
    return value_of(&a->value) ? 0 : check_value("Authorization", &a->value, err);
  default: return 0;
  }
}

int attempt_check(const call *c, error *err) {
  const connection *via = c->via;
  const pair key = {.value = (char *)c->key};
  if (check_headers(c->headers, c->header_count, err)) return -1;
  if (!check_headers(via->headers, via->header_count, err) && !check_auth(&via->auth, err) &&
      !(c->key_header && check_header(c->key_header, &key, err)))
    return 0;
  return *via->name ? error_before(err, "connection \"%s\": ", via->name) : -1;
}

/* ---- the headers ---- */

/* All in one block of memory, so that there is one thing to wipe: the lines, the names of the hidden ones, then the texts.
 */
typedef struct header_list {
  char **lines;
  size_t count;
  const char **hidden; /* the names of those that hold secrets */
  size_t hidden_count;
  char *at; /* where the next text goes */
} header_list;

static bool names(const pair *headers, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (same_name(headers[i].name, name)) return true;
  }
  return false;
}

static void add_header(header_list *to, const char *name, const char *prefix, const char *value) {
  to->lines[to->count++] = to->at;
  to->at = stpcpy(stpcpy(stpcpy(stpcpy(to->at, name), ": "), prefix), value) + 1;
}

static void add_pair(header_list *to, const pair *p) {
  add_header(to, p->name, "", value_of(p));
  if (p->hidden) to->hidden[to->hidden_count++] = p->name;
}

static void wipe_text(char *text) {
  if (text) explicit_bzero(text, strlen(text));
  free(text);
}

/* RFC 4648, 4. */
static char *base64(const char *bytes, size_t length) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *text = mem_alloc((length + 2) / 3 * 4 + 1), *to = text;
  for (size_t i = 0; i < length; i += 3) {
    size_t left = length - i;
    uint32_t three = (uint32_t)(unsigned char)bytes[i] << 16;
    if (left > 1) three |= (uint32_t)(unsigned char)bytes[i + 1] << 8;
    if (left > 2) three |= (unsigned char)bytes[i + 2];
    *to++ = digits[three >> 18];
    *to++ = digits[three >> 12 & 63];
    *to++ = left > 1 ? digits[three >> 6 & 63] : '=';
    *to++ = left > 2 ? digits[three & 63] : '=';
  }
  *to = '\0';
  return text;
}

static void add_basic(header_list *to, const auth *a) {
  const char *user = a->name ? a->name : "", *value = value_of(&a->value);
  size_t length = strlen(user) + 1 + strlen(value);
  char *plain = mem_alloc(length + 1);
  snprintf(plain, length + 1, "%s:%s", user, value);
  char *encoded = base64(plain, length);
  add_header(to, "Authorization", "Basic ", encoded);
  wipe_text(encoded);
  wipe_text(plain);
}

/* The header that auth sets; NULL where it sets none. */
static const char *auth_header(const auth *a) {
  switch (a->kind) {
  case AUTH_BEARER:
  case AUTH_BASIC: return "Authorization";
  case AUTH_HEADER: return a->name;
  default: return NULL;
  }
}

static void add_auth(header_list *to, const auth *a) {
  switch (a->kind) {
  case AUTH_BEARER: add_header(to, "Authorization", "Bearer ", value_of(&a->value)); break;
  case AUTH_BASIC: add_basic(to, a); break;
  case AUTH_HEADER: add_header(to, a->name, "", value_of(&a->value)); break;
  default: break;
  }
}

/* Room for a line of a name and a value, encoded or not. */
static size_t line_most(const char *name, const char *value) {
  return strlen(name) + sizeof ": Bearer " + strlen(value);
}

static size_t auth_most(const auth *a) {
  const char *value = value_of(&a->value);
  size_t user = a->name ? strlen(a->name) : 0;
  if (!auth_header(a)) return 0;
  return line_most(auth_header(a), value) + (a->kind == AUTH_BASIC ? 2 * (user + strlen(value)) + 4 : 0);
}

static size_t pairs_most(const pair *pairs, size_t count) {
  size_t most = 0;
  for (size_t i = 0; i < count; i++) most += line_most(pairs[i].name, value_of(&pairs[i]));
  return most;
}

/* Makes the block that put_headers fills, the call's own. */
static header_list list_new(call *c) {
  const connection *via = c->via;
  size_t lines = via->header_count + c->header_count + 4; /* type, key, auth and the end */
  size_t texts = pairs_most(via->headers, via->header_count) + pairs_most(c->headers, c->header_count);
  texts += auth_most(&via->auth) + (c->content_type ? line_most("Content-Type", c->content_type) : 0);
  texts += c->key_header ? line_most(c->key_header, c->key) : 0;
  c->wire_headers_size = 2 * lines * sizeof(char *) + texts;
  c->wire_headers = mem_alloc(c->wire_headers_size);
  return (header_list){.lines = c->wire_headers,
                       .hidden = (const char **)c->wire_headers + lines,
                       .at = (char *)(c->wire_headers + 2 * lines)};
}

/* The call's own headers stand above what auth and the key set, and these above the connection's. What a
 * payload's kind says of its type is the least of all: a header that was written down knows better. */
static void put_headers(header_list *to, const call *c) {
  const connection *via = c->via;
  const char *by_auth = auth_header(&via->auth);
  for (size_t i = 0; i < via->header_count; i++) {
    const char *name = via->headers[i].name;
    bool replaced = names(c->headers, c->header_count, name) || (by_auth && same_name(by_auth, name)) ||
                    (c->key_header && same_name(c->key_header, name));
    if (!replaced) add_pair(to, &via->headers[i]);
  }
  for (size_t i = 0; i < c->header_count; i++) add_pair(to, &c->headers[i]);
  if (c->content_type && !names(c->headers, c->header_count, "Content-Type") &&
      !names(via->headers, via->header_count, "Content-Type"))
    add_header(to, "Content-Type", "", c->content_type);
  if (c->key_header && !names(c->headers, c->header_count, c->key_header))
    add_header(to, c->key_header, "", c->key);
  if (by_auth) to->hidden[to->hidden_count++] = by_auth;
  if (by_auth && !names(c->headers, c->header_count, by_auth)) add_auth(to, &via->auth);
  to->lines[to->count] = NULL;
  to->hidden[to->hidden_count] = NULL;
}

/* ---- the URL ---- */

static bool begins(const char *url, const char *base) {
  size_t n = strlen(base);
  return strncmp(url, base, n) == 0 && (url[n] == '\0' || url[n] == '/' || url[n] == '?');
}

/* https://api.example.com:8443/x becomes REROUTE/api.example.com/x. */
static void put_rerouted(buf *out, const char *url, const char *reroute) {
  const char *host = strstr(url, "://");
  host = host ? host + 3 : url;
  size_t authority = strcspn(host, "/?"), length = 0;
  if (*host == '[')
    length = strcspn(host, "]") + 1;
  else
    length = strcspn(host, ":/?");
  buf_text_add(out, reroute);
  buf_char(out, '/');
  url_encode(out, host, length < authority ? length : authority);
  buf_text_add(out, host + authority);
}

/* A rehearsal reaches nobody outside: what does not go to the base URL's stand-in goes to the one for all
 * hosts. */
static void put_address(buf *out, const call *c, const char *reroute) {
  const connection *via = c->via;
  if (via->base_url && via->reroute && begins(c->url, via->base_url)) {
    buf_text_add(out, via->reroute);
    buf_text_add(out, c->url + strlen(via->base_url));
  } else if (reroute && (!via->base_url || (via->reroute && !begins(c->url, via->reroute)))) {
    put_rerouted(out, c->url, reroute);
  } else {
    buf_text_add(out, c->url);
  }
}

static void put_url(buf *out, const call *c, const char *reroute) {
  const auth *a = &c->via->auth;
  const char *value = a->kind == AUTH_QUERY ? value_of(&a->value) : NULL;
  const char *name = a->name ? a->name : "";
  /* Room for all at once: growing would leave a copy of the secret behind. */
  size_t most = 3 * strlen(c->url) + (reroute ? strlen(reroute) : 0) + 8;
  most += c->via->reroute ? strlen(c->via->reroute) : 0;
  buf_room(out, most + (value ? 3 * (strlen(name) + strlen(value)) : 0));
  put_address(out, c, reroute);
  if (value) {
    char last = out->data[out->len - 1];
    if (!memchr(out->data, '?', out->len))
      buf_char(out, '?');
    else if (last != '?' && last != '&')
      buf_char(out, '&');
    url_encode(out, name, strlen(name));
    buf_char(out, '=');
    url_encode(out, value, strlen(value));
  }
}

/* ---- out and back ---- */

/* In a rehearsal nothing leaves this machine, whatever URL it was put together to. */
static http_reach reach_of(const connection *via, const char *reroute) {
  if (reroute || via->reroute) return HTTP_REACH_LOOPBACK;
  return via->private_network ? HTTP_REACH_ANY : HTTP_REACH_PUBLIC;
}

void attempt_wipe(call *c) {
  if (c->wire_url.data) explicit_bzero(c->wire_url.data, c->wire_url.cap);
  buf_free(&c->wire_url);
  if (c->wire_headers) explicit_bzero(c->wire_headers, c->wire_headers_size);
  free(c->wire_headers);
  c->wire_headers = NULL;
}

/* libcurl's own re-send counts as an attempt: it must not be one too many. */
static bool is_last_retry(const call *c) {
  return c->attempts > 0 && c->attempts + 1 >= c->retry.attempts;
}

int attempt_send(call *c, http *wire, const char *reroute, http_done done, error *err) {
  const connection *via = c->via;
  header_list sent = list_new(c);
  put_headers(&sent, c);
  put_url(&c->wire_url, c, reroute);
  http_request request = {
      .method = c->method,
      .url = buf_text(&c->wire_url),
      .headers = (const char *const *)sent.lines,
      .body = !c->has_body  ? NULL
              : c->body.len ? c->body.data
                            : "",
      .body_length = c->has_body ? c->body.len : 0,
      .connect_ms = c->connect_ms > 0 ? c->connect_ms : via->connect_ms,
      .total_ms = c->timeout_ms > 0 ? c->timeout_ms : via->timeout_ms,
      .max_body_bytes = via->max_body,
      .resend_forbidden = !c->key_header || is_last_retry(c),
      .follow = c->follow,
      .private_headers = sent.hidden,
      .ca_file = via->ca_file,
      .save_to = c->save_to,
      .save_below = c->save_below,
      .reach = reach_of(via, reroute),
  };
  c->exchange = http_send(wire, &request, done, c, err);
  attempt_wipe(c);
  return c->exchange ? 0 : -1;
}

static void keep_body(call *c, buf *body) {
  size_t most = c->keep_body ? c->keep_body : KEEP_BODY;
  buf_free(&c->answer);
  c->truncated = body->len > most;
  if (c->truncated) {
    buf_add(&c->answer, body->data, most); /* copied: what is too long to keep is too long to hold on to */
  } else if (body->len) {
    size_t length;
    char *data = buf_take(body, &length);
    c->answer = (buf){data, length, length};
  }
}

void attempt_read(call *c, http_answer *answer) {
  c->sends = answer->sends > 1 ? answer->sends : 1;
  c->attempts += c->sends;
  c->ms = answer->ms;
  if (answer->status == 0) return;
  c->status = answer->status;
  buf_clear(&c->answer_headers);
  buf_add(&c->answer_headers, answer->headers, answer->headers_length);
  keep_body(c, &answer->body);
}
