/* Headers as a journal keeps them: whatever they are, they come back as they were, and what answers usually have takes little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash.h"
#include "store/headers.h"

#define USUAL                                                                                                \
  "Server: nginx/1.22.1\nDate: Thu, 26 Nov 2026 18:54:24 GMT\nContent-Type: application/json\n"              \
  "Content-Length: 100\nConnection: keep-alive\n"

static const headers_packed none = {0};

/* Packs and unpacks; returns how many bytes it takes. Each piece lies at the very end of memory of its own, so that a sanitizer
 * sees a look beyond. */
static size_t comes_back(const char *lines, size_t length, size_t body_length) {
  buf out = BUF_EMPTY, back = BUF_EMPTY;
  char *given = malloc(length + !length);
  memcpy(given, lines, length);
  headers_pack(&out, given, length, body_length, 0, 0);
  size_t packed_length = out.len;
  char *bytes = malloc(packed_length + !packed_length);
  if (packed_length) memcpy(bytes, out.data, packed_length);
  headers_packed packed = {bytes, packed_length};
  assert_true(headers_are_packed(packed, none));
  headers_unpack(packed, none, body_length, &back);
  assert_int_equal(back.len, length);
  if (length) assert_memory_equal(back.data, lines, length);
  free(given);
  free(bytes);
  buf_free(&out);
  buf_free(&back);
  return packed_length;
}

static size_t text_comes_back(const char *lines) {
  return comes_back(lines, strlen(lines), 100);
}

/* Names of RFC 7541, appendix A, that answers have, and others of the table; some are in none. */
static const char *const names[] = {"Content-Length",
                                    "Date",
                                    "Server",
                                    "Content-Type",
                                    "Connection",
                                    "Keep-Alive",
                                    "Transfer-Encoding",
                                    "Content-Encoding",
                                    "Vary",
                                    "Cache-Control",
                                    "Pragma",
                                    "Expires",
                                    "Last-Modified",
                                    "ETag",
                                    "Age",
                                    "Accept-Ranges",
                                    "Location",
                                    "Content-Location",
                                    "Content-Disposition",
                                    "Content-Language",
                                    "Content-Range",
                                    "Set-Cookie",
                                    "Link",
                                    "Allow",
                                    "Retry-After",
                                    "Refresh",
                                    "Via",
                                    "WWW-Authenticate",
                                    "Proxy-Authenticate",
                                    "Strict-Transport-Security",
                                    "Content-Security-Policy",
                                    "Referrer-Policy",
                                    "Access-Control-Allow-Origin",
                                    "Access-Control-Allow-Credentials",
                                    "Access-Control-Allow-Headers",
                                    "Access-Control-Allow-Methods",
                                    "Access-Control-Expose-Headers",
                                    "X-Content-Type-Options",
                                    "X-Frame-Options",
                                    "X-XSS-Protection",
                                    "X-Powered-By",
                                    "X-Request-Id",
                                    "Request-Id",
                                    "X-Correlation-Id",
                                    "X-Runtime",
                                    "X-RateLimit-Limit",
                                    "X-RateLimit-Remaining",
                                    "X-RateLimit-Reset",
                                    "X-Cache",
                                    "Alt-Svc",
                                    "CF-RAY",
                                    "CF-Cache-Status",
                                    "X-Nobody-Knows",
                                    ":status",
                                    "",
                                    " ",
                                    "content-Type",
                                    "CONTENT-TYPE",
                                    "A"};
enum { NAMES = sizeof names / sizeof *names, UNKNOWN = 7 };

static const char *const values[] = {"",
                                     " ",
                                     "0",
                                     "00",
                                     "100",
                                     "0100",
                                     "99",
                                     "18446744073709551616",
                                     "application/json",
                                     "keep-alive",
                                     "Keep-Alive",
                                     "gzip",
                                     "nosniff",
                                     "Thu, 26 Nov 2026 18:54:24 GMT",
                                     "thu, 26 Nov 2026 18:54:24 GMT",
                                     "Fri, 26 Nov 2026 18:54:24 GMT",
                                     "Thu, 26 Nov 2026 18:54:60 GMT",
                                     "Thu, 26 Nov 2026 18:54:24 UTC",
                                     "Thu, 01 Jan 1970 00:00:00 GMT",
                                     "Sun, 07 Feb 2106 06:28:15 GMT",
                                     "Sun, 07 Feb 2106 06:28:16 GMT",
                                     "Thursday, 26-Nov-26 18:54:24 GMT",
                                     "Thu Nov 26 18:54:24 2026",
                                     "a: b",
                                     ":",
                                     "\t",
                                     "\r",
                                     "\x01\xff\x80",
                                     "max-age=31536000; includeSubDomains"};
enum { VALUES = sizeof values / sizeof *values };

static void each_name_comes_back_with_each_value(void **state) {
  (void)state;
  char line[256], low[256];
  for (int n = 0; n < NAMES; n++) {
    for (int v = 0; v < VALUES; v++) {
      snprintf(line, sizeof line, "%s: %s\n", names[n], values[v]);
      size_t length = text_comes_back(line);
      if (n < NAMES - UNKNOWN) assert_true(length <= 2 + strlen(values[v]));
      strcpy(low, line);
      for (size_t i = 0; i < strlen(names[n]); i++) low[i] = (char)tolower((unsigned char)low[i]);
      length = text_comes_back(low);
      if (n < NAMES - UNKNOWN) assert_true(length <= 2 + strlen(values[v]));
      snprintf(line, sizeof line, "%s:%s\n", names[n], values[v]);
      text_comes_back(line);
    }
  }
}

static void what_is_no_header_comes_back(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "\n",
                                      "\n\n",
                                      "x",
                                      "Date",
                                      "Date:",
                                      "Date: ",
                                      "Date\n",
                                      ": \n",
                                      ":\n",
                                      "Server: a",
                                      "Server: a\n\nServer: b\n",
                                      "Server: a\r\n",
                                      "\n: \n:\n",
                                      (USUAL "rest")};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) text_comes_back(texts[i]);
  comes_back("Ser\0ver: a\0b\n\0\n", 15, 0);
  char *large = malloc(100000);
  memset(large, 'x', 100000);
  comes_back(large, 100000, 0);
  memcpy(large, "Server: ", 8);
  large[99999] = '\n';
  comes_back(large, 100000, 0);
  free(large);
}

static void any_bytes_come_back(void **state) {
  (void)state;
  static const char *const pieces[] = {
      "Date", "date", ": ", ":", "\n", "Server", "100", "Thu, 26 Nov 2026 18:54:24 GMT", "x", "\r"};
  uint64_t dice = 7;
  for (int round = 0; round < 20000; round++) {
    buf lines = BUF_EMPTY;
    for (uint64_t left = random_next(&dice) % 20; left; left--) {
      if (random_next(&dice) % 8)
        buf_text_add(&lines, pieces[random_next(&dice) % 10]);
      else
        buf_char(&lines, (char)random_next(&dice));
    }
    comes_back(lines.data ? lines.data : "", lines.len, random_next(&dice) % 200);
    buf_free(&lines);
  }
}

/* How many bytes the second takes behind the first. */
static size_t second_comes_back(const char *first, size_t first_body, const char *second,
                                size_t second_body) {
  buf out = BUF_EMPTY, back = BUF_EMPTY;
  buf_text_add(&out, "before");
  headers_pack(&out, first, strlen(first), first_body, 0, 0);
  size_t at = out.len;
  headers_pack(&out, second, strlen(second), second_body, 6, at - 6);
  headers_packed one = {out.data + 6, at - 6}, two = {out.data + at, out.len - at};
  assert_true(headers_are_packed(one, none));
  assert_true(headers_are_packed(two, one));
  headers_unpack(one, none, first_body, &back);
  assert_string_equal(buf_text(&back), first);
  buf_clear(&back);
  headers_unpack(two, one, second_body, &back);
  assert_string_equal(buf_text(&back), second);
  size_t length = two.length;
  buf_free(&out);
  buf_free(&back);
  return length;
}

static void an_answer_like_the_first_one_takes_a_byte_or_one_a_header(void **state) {
  (void)state;
  assert_int_equal(text_comes_back(USUAL), 2 + 12 + 2 + 4 + 1 + 2 + 1);
  assert_int_equal(second_comes_back(USUAL, 100, USUAL, 100), 1);
  assert_int_equal(second_comes_back(USUAL, 100, USUAL USUAL, 100), 10);
  assert_int_equal(second_comes_back(USUAL "Age: 1\n", 100, USUAL, 100), 5);
  assert_int_equal(second_comes_back(USUAL, 7, USUAL, 100),
                   4 + 2); /* the first one's length was not its body's */
  assert_int_equal(second_comes_back("Content-Length: 7\n", 7, "Content-Length: 8\n", 8), 1);
  assert_int_equal(
      second_comes_back("Server: a\nServer: b\n", 0, "Server: b\nServer: b\nServer: a\nServer: c\n", 0), 6);
  second_comes_back("no header\nServer: a\nlast", 0, "Server: a\nno header\nno header\nlast", 0);
}

static void of_very_many_headers_all_come_back(void **state) {
  (void)state;
  buf lines = BUF_EMPTY;
  for (int i = 0; i < 200; i++) buf_format(&lines, "X-Header-%d: value %d\n", i, i);
  size_t length = second_comes_back(buf_text(&lines), 0, buf_text(&lines), 0);
  assert_true(length > 60 && length < lines.len + 200); /* those beyond the 60th are told again */
  buf_free(&lines);
}

static void damaged_ones_are_read_within_their_bounds(void **state) {
  (void)state;
  uint64_t dice = 3;
  buf one = BUF_EMPTY, back = BUF_EMPTY;
  headers_pack(&one, USUAL, sizeof USUAL - 1, 100, 0, 0);
  for (int round = 0; round < 50000; round++) {
    size_t length = random_next(&dice) % 12;
    char *bytes = malloc(length + !length);
    for (size_t i = 0; i < length; i++) bytes[i] = (char)(random_next(&dice) % (i % 2 ? 12 : 256));
    headers_packed damaged = {bytes, length}, first = {one.data, one.len};
    buf_clear(&back);
    if (headers_are_packed(damaged, first)) headers_unpack(damaged, first, 5, &back);
    free(bytes);
  }
  headers_packed unknown = {"\x03", 1}, beyond = {"\x09", 1}, all = {"\x02", 1}, first = {one.data, one.len};
  assert_false(headers_are_packed(unknown, first));
  assert_false(headers_are_packed(all, none));
  assert_true(headers_are_packed(all, first));
  assert_false(headers_are_packed(beyond, first)); /* the first one has five */
  assert_false(headers_are_packed(first, (headers_packed){0}) && headers_are_packed(beyond, none));
  buf_free(&one);
  buf_free(&back);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_name_comes_back_with_each_value),
      cmocka_unit_test(what_is_no_header_comes_back),
      cmocka_unit_test(any_bytes_come_back),
      cmocka_unit_test(an_answer_like_the_first_one_takes_a_byte_or_one_a_header),
      cmocka_unit_test(of_very_many_headers_all_come_back),
      cmocka_unit_test(damaged_ones_are_read_within_their_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
