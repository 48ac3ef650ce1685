/* URLs put together from parts: see url.h. */
#include "calls/url.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { HOST_MOST = 253, SHOWN_MOST = 120 };

/* ---- encoding ---- */

static bool is_alnum(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_hex(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_one_of(unsigned char c, const char *set) {
  return c && strchr(set, c);
}

/* RFC 3986, 2.3 */
static bool is_unreserved(unsigned char c) {
  return is_alnum(c) || is_one_of(c, "-._~");
}

/* What may stand in a path or a query, "/" and "?" included (RFC 3986, 3.3 and 3.4), and the "#" that ends
 * them. */
static bool is_of_path(unsigned char c) {
  return is_alnum(c) || c == '/' || is_one_of(c, "-._~!$&'()*+,;=:@?#");
}

static void add_encoded(buf *out, unsigned char c) {
  static const char digits[] = "0123456789ABCDEF";
  char *at = buf_room(out, 3);
  at[0] = '%';
  at[1] = digits[c >> 4];
  at[2] = digits[c & 15];
  out->len += 3;
}

void url_encode(buf *out, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (is_unreserved(c))
      buf_char(out, (char)c);
    else
      add_encoded(out, c);
  }
}

void url_encode_form(buf *out, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c == ' ')
      buf_char(out, '+');
    else if (is_alnum(c) || is_one_of(c, "*-._"))
      buf_char(out, (char)c);
    else
      add_encoded(out, c);
  }
}

static bool is_encoded_at(const char *path, size_t at, size_t length) {
  return length - at > 2 && is_hex((unsigned char)path[at + 1]) && is_hex((unsigned char)path[at + 2]);
}

static bool stays_in_path(const char *path, size_t at, size_t length) {
  unsigned char c = (unsigned char)path[at];
  return c == '%' ? is_encoded_at(path, at, length) : is_of_path(c);
}

void url_encode_path(buf *out, const char *path, size_t length) {
  for (size_t i = 0; i < length;) {
    size_t first = i;
    while (i < length && stays_in_path(path, i, length)) i++;
    buf_add(out, path + first, i - first);
    if (i < length) add_encoded(out, (unsigned char)path[i++]);
  }
}

/* ---- the parts of a URL ---- */

typedef struct url_parts {
  const char *scheme;    /* "http" or "https" */
  const char *authority; /* host and port */
  size_t authority_length;
  const char *rest; /* path and query */
  size_t rest_length;
} url_parts;

/* For messages: without its query, which may hold what nobody is to read; controls as dots; cut when long. */
static const char *shown(const char *text, size_t length, char out[SHOWN_MOST + 4]) {
  size_t n = 0;
  while (n < length && n < SHOWN_MOST && text[n] != '?') {
    unsigned char c = (unsigned char)text[n];
    out[n++] = c < 0x20 || c == 0x7f ? '.' : (char)c;
  }
  while (n < length && n && ((unsigned char)text[n] & 0xC0) == 0x80) n--; /* not within a character */
  strcpy(out + n, n < length ? "..." : "");
  return out;
}

static int check_port(const char *port, size_t length, error *err) {
  long number = 0;
  for (size_t i = 0; i < length && number <= 65535; i++)
    number = port[i] >= '0' && port[i] <= '9' ? number * 10 + port[i] - '0' : 65536;
  if (number >= 1 && number <= 65535) return 0;
  char text[SHOWN_MOST + 4];
  return error_set(err, "\"%s\" is not a port: it is a number from 1 to 65535, or left out with its colon",
                   shown(port, length, text));
}

static int check_name(const char *host, size_t length, error *err) {
  char text[SHOWN_MOST + 4];
  if (length == 0) return error_set(err, "the URL names no host; it looks like https://api.example.com/path");
  if (length > HOST_MOST) return error_set(err, "the URL's host is longer than %d characters", HOST_MOST);
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)host[i];
    if (c > 0x7f)
      return error_set(err, "the host \"%s\" is not ASCII: write it in its xn-- form",
                       shown(host, length, text));
    if (!is_alnum(c) && !is_one_of(c, "-._"))
      return error_set(err, "the host \"%s\" holds a character that no host has", shown(host, length, text));
  }
  return 0;
}

/* An IPv6 address in its brackets. Returns its length, brackets included, or 0 with the reason. */
static size_t check_brackets(const char *host, size_t length, error *err) {
  size_t n = 1;
  while (n < length && (is_hex((unsigned char)host[n]) || is_one_of((unsigned char)host[n], ":."))) n++;
  if (n > 2 && n < length && host[n] == ']' && memchr(host, ':', n)) return n + 1;
  char text[SHOWN_MOST + 4];
  error_set(err, "the host \"%s\" is no IPv6 address in brackets, such as [::1]", shown(host, length, text));
  return 0;
}

static int check_authority(const char *text, size_t length, error *err) {
  if (memchr(text, '@', length))
    return error_set(err, "a URL must not carry a user or password: use the connection's `auth`");
  size_t host = 0;
  if (length && text[0] == '[') {
    host = check_brackets(text, length, err);
    if (host == 0) return -1;
    if (host < length && text[host] != ':')
      return error_set(err, "after the IPv6 address in the URL comes a port or a path");
  } else {
    while (host < length && text[host] != ':') host++;
    if (check_name(text, host, err)) return -1;
  }
  return host < length ? check_port(text + host + 1, length - host - 1, err) : 0;
}

static const char *scheme_of(const char *url, size_t length, size_t *behind) {
  static const char *const schemes[] = {"http", "https"};
  for (size_t i = 0; i < 2; i++) {
    size_t n = strlen(schemes[i]);
    if (length < n + 3 || strncasecmp(url, schemes[i], n) != 0 || memcmp(url + n, "://", 3) != 0) continue;
    *behind = n + 3;
    return schemes[i];
  }
  return NULL;
}

/* Takes a URL apart and checks its scheme, host and port. */
static int take_apart(url_parts *parts, const char *url, size_t length, error *err) {
  char text[SHOWN_MOST + 4];
  size_t at, end;
  parts->scheme = scheme_of(url, length, &at);
  if (!parts->scheme)
    return error_set(err, "\"%s\" is no URL for a call: it has to begin with http:// or https://",
                     memchr(url, '@', length) ? "..." : shown(url, length, text));
  for (end = at; end < length && !is_one_of((unsigned char)url[end], "/?#");) end++;
  parts->authority = url + at;
  parts->authority_length = end - at;
  parts->rest = url + end;
  parts->rest_length = length - end;
  return check_authority(parts->authority, parts->authority_length, err);
}

static int refuse_fragment(const char *path, size_t length, error *err) {
  if (!memchr(path, '#', length)) return 0;
  char text[SHOWN_MOST + 4];
  return error_set(
      err, "\"%s\" holds a #, and what follows it is never sent: write %%23 if it belongs to the path",
      shown(path, length, text));
}

static int check_path(const char *path, size_t length, error *err) {
  if (length && path[0] != '/') {
    char text[SHOWN_MOST + 4];
    return error_set(err, "the path \"%s\" has to begin with /", shown(path, length, text));
  }
  return refuse_fragment(path, length, err);
}

static void add_start(buf *out, const url_parts *parts) {
  buf_text_add(out, parts->scheme);
  buf_text_add(out, "://");
  buf_add(out, parts->authority, parts->authority_length);
}

/* ---- whole URLs ---- */

int url_join(buf *out, const char *base, const char *path, size_t path_length, error *err) {
  url_parts parts;
  char text[SHOWN_MOST + 4];
  if (take_apart(&parts, base, strlen(base), err)) return -1;
  if (memchr(parts.rest, '?', parts.rest_length) || memchr(parts.rest, '#', parts.rest_length))
    return error_set(err,
                     "the base URL \"%s\" must not have a query or a fragment: give `query` with the call",
                     shown(base, strlen(base), text));
  if (check_path(path, path_length, err)) return -1;
  while (parts.rest_length && parts.rest[parts.rest_length - 1] == '/') parts.rest_length--;
  add_start(out, &parts);
  url_encode_path(out, parts.rest, parts.rest_length);
  url_encode_path(out, path, path_length);
  return 0;
}

int url_join_start(buf *out, const char *start, const char *path, size_t path_length, error *err) {
  if (check_path(path, path_length, err)) return -1;
  size_t length = strlen(start);
  buf_room(out, length + path_length + 1); /* a NUL comes, too: most often it is all that is needed */
  buf_add(out, start, length);
  url_encode_path(out, path, path_length);
  return 0;
}

int url_whole(buf *out, const char *url, size_t length, error *err) {
  url_parts parts;
  if (take_apart(&parts, url, length, err) || refuse_fragment(parts.rest, parts.rest_length, err)) return -1;
  add_start(out, &parts);
  url_encode_path(out, parts.rest, parts.rest_length);
  return 0;
}

/* The authority without the port that its scheme has anyway. */
static size_t bare_length(const url_parts *parts) {
  const char *usual = strcmp(parts->scheme, "https") == 0 ? ":443" : ":80";
  size_t length = parts->authority_length, n = strlen(usual);
  bool has_it = length > n && memcmp(parts->authority + length - n, usual, n) == 0;
  return has_it ? length - n : length;
}

static bool is_same_place(const url_parts *a, const url_parts *b) {
  size_t length = bare_length(a);
  return strcmp(a->scheme, b->scheme) == 0 && length == bare_length(b) &&
         strncasecmp(a->authority, b->authority, length) == 0;
}

int url_same_place(const char *base, const char *url, error *err) {
  url_parts home, other;
  char text[SHOWN_MOST + 4];
  if (take_apart(&home, base, strlen(base), err) || take_apart(&other, url, strlen(url), err)) return -1;
  if (is_same_place(&home, &other)) return 0;
  return error_set(err,
                   "%s://%s is not where base_url leads: call it without via, or by a connection of its own",
                   other.scheme, shown(other.authority, other.authority_length, text));
}
