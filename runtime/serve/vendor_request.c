/* Requests and answers of the pretend vendor, taken apart and put together: see vendor_request.h. */
#include "serve/vendor_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/json.h"

/* ---- texts and pairs ---- */

vendor_text vendor_text_of(const char *bytes, size_t length) {
  return (vendor_text){mem_text_of(bytes, length), length};
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

vendor_text vendor_unescape(const char *bytes, size_t length, bool plus_is_space) {
  vendor_text text = {mem_alloc(length + 1), 0};
  for (size_t i = 0; i < length; i++) {
    char c = bytes[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%' && length - i > 2 && hex_digit(bytes[i + 1]) >= 0 && hex_digit(bytes[i + 2]) >= 0) {
      c = (char)(hex_digit(bytes[i + 1]) * 16 + hex_digit(bytes[i + 2]));
      i += 2;
    }
    text.bytes[text.length++] = c;
  }
  text.bytes[text.length] = '\0';
  return text;
}

void vendor_pairs_add(vendor_pairs *pairs, vendor_text name, vendor_text value) {
  if (pairs->count == VENDOR_PAIRS_MOST) {
    free(name.bytes);
    free(value.bytes);
    return;
  }
  if (pairs->count == pairs->room) {
    pairs->room = pairs->room ? pairs->room * 2 : 8;
    pairs->items = mem_grow(pairs->items, pairs->room * sizeof *pairs->items);
  }
  pairs->items[pairs->count++] = (vendor_pair){name, value};
}

void vendor_pairs_free(vendor_pairs *pairs) {
  for (size_t i = 0; i < pairs->count; i++) {
    free(pairs->items[i].name.bytes);
    free(pairs->items[i].value.bytes);
  }
  free(pairs->items);
  *pairs = (vendor_pairs){0};
}

const vendor_text *vendor_pairs_find(const vendor_pairs *pairs, const char *name) {
  for (size_t i = pairs->count; i-- > 0;)
    if (strcmp(pairs->items[i].name.bytes, name) == 0) return &pairs->items[i].value;
  return NULL;
}

void vendor_pairs_read(vendor_pairs *pairs, const char *text, size_t length) {
  const char *end = text + length;
  while (text < end) {
    const char *stop = memchr(text, '&', (size_t)(end - text));
    if (stop == NULL) stop = end;
    const char *equals = memchr(text, '=', (size_t)(stop - text));
    const char *name_end = equals ? equals : stop, *value = equals ? equals + 1 : stop;
    if (stop > text)
      vendor_pairs_add(pairs, vendor_unescape(text, (size_t)(name_end - text), true),
                       vendor_unescape(value, (size_t)(stop - value), true));
    text = stop + 1;
  }
}

/* ---- answers ---- */

void vendor_answer_free(vendor_answer *answer) {
  buf_free(&answer->body);
  vendor_pairs_free(&answer->headers);
  answer->status = 0;
}

static void add_content_type(vendor_answer *answer, const char *type) {
  vendor_pairs_add(&answer->headers, vendor_text_of("Content-Type", 12), vendor_text_of(type, strlen(type)));
}

void vendor_answer_copy(vendor_answer *to, const vendor_answer *from) {
  to->status = from->status;
  buf_add(&to->body, from->body.data, from->body.len);
  for (size_t i = 0; i < from->headers.count; i++) {
    const vendor_pair *pair = &from->headers.items[i];
    vendor_pairs_add(&to->headers, vendor_text_of(pair->name.bytes, pair->name.length),
                     vendor_text_of(pair->value.bytes, pair->value.length));
  }
}

void vendor_answer_json(vendor_answer *answer, int status, const char *json, size_t length) {
  answer->status = status;
  buf_add(&answer->body, json, length);
  add_content_type(answer, "application/json");
}

void vendor_answer_error(vendor_answer *answer, int status, const char *what) {
  buf json = BUF_EMPTY;
  buf_text_add(&json, "{\"error\":");
  if (json_write_string(&json, what, strlen(what)) != 0) buf_text_add(&json, "\"an error that is no UTF-8\"");
  buf_text_add(&json, "}\n");
  vendor_answer_json(answer, status, json.data, json.len);
  buf_free(&json);
}

/* ---- requests ---- */

static void read_path(vendor_request *r, const char *path, size_t length) {
  const char *at = path, *end = path + length;
  if (at < end && *at == '/') at++;
  r->segments = mem_alloc(VENDOR_SEGMENTS_MOST * sizeof *r->segments);
  for (;;) {
    const char *stop =
        r->segment_count + 1 < VENDOR_SEGMENTS_MOST ? memchr(at, '/', (size_t)(end - at)) : NULL;
    if (stop == NULL) stop = end;
    r->segments[r->segment_count++] = vendor_unescape(at, (size_t)(stop - at), false);
    if (stop == end) break;
    at = stop + 1;
  }
  r->segments = mem_grow(r->segments, r->segment_count * sizeof *r->segments);
}

vendor_request *vendor_request_new(const char *target) {
  vendor_request *r = mem_zero(sizeof *r);
  size_t path_length = strcspn(target, "?");
  r->target = mem_text(target);
  read_path(r, target, path_length);
  if (target[path_length] == '?')
    vendor_pairs_read(&r->query, target + path_length + 1, strlen(target + path_length + 1));
  return r;
}

void vendor_request_free(vendor_request *r) {
  if (r == NULL) return;
  for (size_t i = 0; i < r->segment_count; i++) free(r->segments[i].bytes);
  free(r->segments);
  free(r->method);
  free(r->target);
  free(r->key.bytes);
  vendor_pairs_free(&r->query);
  vendor_pairs_free(&r->headers);
  buf_free(&r->body);
  free(r);
}

static void join_value(vendor_text *old, const char *value, size_t length) {
  buf joined = BUF_EMPTY;
  buf_add(&joined, old->bytes, old->length);
  buf_add(&joined, ", ", 2);
  buf_add(&joined, value, length);
  free(old->bytes);
  old->bytes = buf_take(&joined, &old->length);
}

void vendor_request_header(vendor_request *r, const char *name, const char *value, size_t value_length) {
  for (size_t i = 0; i < r->headers.count; i++) {
    if (strcasecmp(r->headers.items[i].name.bytes, name) != 0) continue;
    join_value(&r->headers.items[i].value, value, value_length);
    return;
  }
  vendor_text lower = vendor_text_of(name, strlen(name));
  for (size_t i = 0; i < lower.length; i++) lower.bytes[i] = (char)tolower((unsigned char)lower.bytes[i]);
  vendor_pairs_add(&r->headers, lower, vendor_text_of(value, value_length));
}

static const vendor_text *find_key(const vendor_request *r, const char *key_header) {
  static const char *const usual[] = {"idempotency-key", "x-idempotency-key"};
  if (key_header != NULL) return vendor_pairs_find(&r->headers, key_header);
  for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
    const vendor_text *found = vendor_pairs_find(&r->headers, usual[i]);
    if (found != NULL) return found;
  }
  return NULL;
}

void vendor_request_settle(vendor_request *r, const char *key_header) {
  static const hash128 contents = {0x6a61756e74207665, 0x6e646f7220626f64};
  const hash_part parts[] = {
      {r->method, strlen(r->method)}, {r->target, strlen(r->target)}, {r->body.data, r->body.len}};
  r->content = hash_parts(contents, parts, 3);
  const vendor_text *key = find_key(r, key_header);
  r->keyless = key == NULL || key->length == 0;
  if (r->keyless) {
    char digits[33];
    hash_hex(r->content, digits);
    r->key = vendor_text_of(digits, 32);
  } else {
    r->key = vendor_text_of(key->bytes, key->length);
  }
}

const char *vendor_request_connection(const vendor_request *r) {
  return r->segments[0].bytes;
}

void vendor_request_path(const vendor_request *r, size_t first, buf *out) {
  if (first >= r->segment_count) buf_char(out, '/');
  for (size_t i = first; i < r->segment_count; i++) {
    buf_char(out, '/');
    buf_add(out, r->segments[i].bytes, r->segments[i].length);
  }
}

const char *vendor_request_header_of(const vendor_request *r, const char *name) {
  const vendor_text *value = vendor_pairs_find(&r->headers, name);
  return value != NULL ? value->bytes : "";
}
