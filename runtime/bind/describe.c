/* What would be sent, for a person to read: the intent of a call as JSON, secrets hidden; and what its payload is rendered from. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/utf8.h"
#include "bind/primitive.h"

/* A text as a JSON string; bytes that are no UTF-8 are shown as U+FFFD. */
static void put_text(buf *out, const char *bytes, size_t length) {
  if (json_write_string(out, bytes, length) == 0) return;
  buf clean = BUF_EMPTY;
  while (length) {
    size_t good = utf8_valid_length(bytes, length);
    buf_add(&clean, bytes, good);
    if (good < length) buf_text_add(&clean, "\xef\xbf\xbd"), good++;
    bytes += good;
    length -= good;
  }
  json_write_string(out, clean.data ? clean.data : "", clean.len);
  buf_free(&clean);
}

static void put_field(buf *out, const char *name, const char *text) {
  if (out->data[out->len - 1] != '{') buf_char(out, ',');
  put_text(out, name, strlen(name));
  buf_char(out, ':');
  put_text(out, text, strlen(text));
}

static void put_pair(buf *out, const char *name, const char *prefix, const pair *value) {
  buf text = BUF_EMPTY;
  buf_text_add(&text, prefix);
  if (value->hidden)
    buf_format(&text, "\xe2\x80\xb9secret %s\xe2\x80\xba", value->hidden->name);
  else
    buf_text_add(&text, value->value ? value->value : "");
  put_field(out, name, buf_text(&text));
  buf_free(&text);
}

static bool among(const pair *headers, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (strcasecmp(headers[i].name, name) == 0) return true;
  }
  return false;
}

static bool overridden(const call *c, const char *name) {
  return among(c->headers, c->header_count, name);
}

/* The header that auth sets; NULL where it sets none. */
static const char *auth_header(const auth *a) {
  return a->kind == AUTH_BEARER || a->kind == AUTH_BASIC ? "Authorization"
         : a->kind == AUTH_HEADER                        ? a->name
                                                         : NULL;
}

static void put_auth(buf *out, const auth *a) {
  if (a->kind == AUTH_BEARER) put_pair(out, "Authorization", "Bearer ", &a->value);
  if (a->kind == AUTH_HEADER) put_pair(out, a->name, "", &a->value);
  if (a->kind != AUTH_BASIC) return;
  buf prefix = BUF_EMPTY;
  buf_format(&prefix, "Basic %s:", a->name ? a->name : "");
  put_pair(out, "Authorization", buf_text(&prefix), &a->value);
  buf_free(&prefix);
}

/* Which header stands above which is as in calls/attempt.c. */
static void put_headers(buf *out, const call *c) {
  const connection *via = c->via;
  const char *by_auth = auth_header(&via->auth);
  buf_char(out, '{');
  for (size_t i = 0; i < via->header_count; i++) {
    const char *name = via->headers[i].name;
    bool replaced = overridden(c, name) || (by_auth && strcasecmp(by_auth, name) == 0) ||
                    (c->key_header && strcasecmp(c->key_header, name) == 0);
    if (!replaced) put_pair(out, name, "", &via->headers[i]);
  }
  for (size_t i = 0; i < c->header_count; i++) put_pair(out, c->headers[i].name, "", &c->headers[i]);
  if (c->content_type && !overridden(c, "Content-Type") &&
      !among(via->headers, via->header_count, "Content-Type"))
    put_field(out, "Content-Type", c->content_type);
  if (c->key_header && !overridden(c, c->key_header)) put_field(out, c->key_header, c->key);
  if (by_auth && !overridden(c, by_auth)) put_auth(out, &via->auth);
  buf_char(out, '}');
}

static void put_url(buf *out, const call *c) {
  buf url = BUF_EMPTY;
  buf_text_add(&url, c->url);
  const auth *a = &c->via->auth;
  if (a->kind == AUTH_QUERY) {
    buf_format(&url, "%c%s=", strchr(c->url, '?') ? '&' : '?', a->name);
    if (a->value.hidden)
      buf_format(&url, "\xe2\x80\xb9secret %s\xe2\x80\xba", a->value.hidden->name);
    else
      buf_text_add(&url, a->value.value);
  }
  put_field(out, "url", buf_text(&url));
  buf_free(&url);
}

void describe_call(buf *out, const char *person, const call *c) {
  buf_char(out, '{');
  put_field(out, "person", person);
  put_field(out, "element", c->label ? c->label : "");
  if (c->via->name && *c->via->name) put_field(out, "via", c->via->name);
  put_field(out, "key", c->key);
  put_field(out, "method", c->method);
  put_url(out, c);
  buf_text_add(out, ",\"headers\":");
  put_headers(out, c);
  if (c->has_body) {
    buf_text_add(out, ",\"body\":");
    put_text(out, c->body.data ? c->body.data : "", c->body.len);
  }
  buf_char(out, '}');
}

/* tell(text): a trace of its own, {"person":…, "element":…, "told": text}; `text` is JSON, the element that of the call that is being
 * made or rendered. */
int vocabulary_tell(lua_State *L) {
  const run *r = worker_of(L)->current;
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  if (!r) return luaL_error(L, "nobody's run is under way");
  buf out = BUF_EMPTY;
  buf_char(&out, '{');
  put_field(&out, "person", r->person);
  if (r->call && r->call->label) put_field(&out, "element", r->call->label);
  buf_text_add(&out, ",\"told\":");
  buf_add(&out, text, length);
  buf_char(&out, '}');
  shared_say(r->in->shared, SAY_TRACE, out.data, out.len);
  buf_free(&out);
  return 0;
}
