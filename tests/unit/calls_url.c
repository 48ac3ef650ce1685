/* URLs: what is encoded, what stays, what is refused and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "calls/url.h"

typedef void (*encoder)(buf *out, const char *bytes, size_t length);

static void assert_encodes(encoder encode, const char *bytes, size_t length, const char *expected) {
  buf out = BUF_EMPTY;
  encode(&out, bytes, length);
  assert_string_equal(buf_text(&out), expected);
  buf_free(&out);
}

#define ENCODES(encode, text, expected) assert_encodes(encode, text, sizeof(text) - 1, expected)

/* ---- encoding ---- */

static void a_query_value_keeps_only_what_is_unreserved(void **state) {
  (void)state;
  ENCODES(url_encode, "AZaz09-._~", "AZaz09-._~");
  ENCODES(url_encode, "a b+c&d=e/f?g#h%41", "a%20b%2Bc%26d%3De%2Ff%3Fg%23h%2541");
  ENCODES(url_encode, "!$'()*,;:@[]\"<>\\^`{|}",
          "%21%24%27%28%29%2A%2C%3B%3A%40%5B%5D%22%3C%3E%5C%5E%60%7B%7C%7D");
  ENCODES(url_encode, "Zo\xC3\xAB \xE2\x82\xAC \xF0\x9F\x98\x80", "Zo%C3%AB%20%E2%82%AC%20%F0%9F%98%80");
  ENCODES(url_encode, "\0\r\n\x7f\xff", "%00%0D%0A%7F%FF");
  ENCODES(url_encode, "", "");
}

static void a_form_writes_spaces_as_plus_and_a_plus_as_2b(void **state) {
  (void)state;
  ENCODES(url_encode_form, "a b+c&d=e~*-._", "a+b%2Bc%26d%3De%7E*-._");
  ENCODES(url_encode_form, "Zo\xC3\xAB\r\n%", "Zo%C3%AB%0D%0A%25");
}

static void every_byte_comes_back_from_its_encoding(void **state) {
  (void)state;
  for (int c = 0; c < 256; c++) {
    char byte = (char)c;
    unsigned back = 0;
    buf out = BUF_EMPTY;
    url_encode(&out, &byte, 1);
    const char *text = buf_text(&out);
    if (out.len == 1)
      back = (unsigned char)text[0];
    else
      assert_true(out.len == 3 && sscanf(text, "%%%2X", &back) == 1);
    assert_int_equal(back, c);
    buf_free(&out);
  }
}

static void a_path_keeps_what_a_url_allows_and_encodes_the_rest(void **state) {
  (void)state;
  ENCODES(url_encode_path, "/a/b;v=1/c,d:e@f!$&'()*+=~?x=1&y=/?z", "/a/b;v=1/c,d:e@f!$&'()*+=~?x=1&y=/?z");
  ENCODES(url_encode_path, "/a b\"c<d>e\\f^g`h{i|j}k[l]",
          "/a%20b%22c%3Cd%3Ee%5Cf%5Eg%60h%7Bi%7Cj%7Dk%5Bl%5D");
  ENCODES(url_encode_path, "/Zo\xC3\xAB", "/Zo%C3%AB");
  ENCODES(url_encode_path, "/\0\t\r\n\x7f", "/%00%09%0D%0A%7F");
}

static void a_percent_stays_only_where_it_begins_an_encoding(void **state) {
  (void)state;
  ENCODES(url_encode_path, "/a%20b%c3%AB", "/a%20b%c3%AB");
  ENCODES(url_encode_path, "/100%", "/100%25");
  ENCODES(url_encode_path, "/100%2", "/100%252");
  ENCODES(url_encode_path, "/%zz%4g%%41", "/%25zz%254g%25%41");
}

/* ---- base and path ---- */

static void assert_joins(const char *base, const char *path, const char *expected) {
  buf out = BUF_EMPTY;
  error err = {""};
  int failed = url_join(&out, base, path, strlen(path), &err);
  assert_string_equal(err.text, "");
  assert_int_equal(failed, 0);
  assert_string_equal(buf_text(&out), expected);
  buf_free(&out);
}

static void assert_join_refused(const char *base, const char *path, const char *why) {
  buf out = BUF_EMPTY;
  error err = {""};
  assert_int_equal(url_join(&out, base, path, strlen(path), &err), -1);
  assert_string_equal(err.text, why);
  assert_int_equal(out.len, 0);
  buf_free(&out);
}

static void a_path_is_put_behind_its_base(void **state) {
  (void)state;
  assert_joins("https://api.example.com", "/leads", "https://api.example.com/leads");
  assert_joins("https://api.example.com/", "/leads", "https://api.example.com/leads");
  assert_joins("https://api.example.com/v2", "/leads", "https://api.example.com/v2/leads");
  assert_joins("https://api.example.com/v2//", "/leads/", "https://api.example.com/v2/leads/");
  assert_joins("https://api.example.com/v2", "", "https://api.example.com/v2");
  assert_joins("https://api.example.com", "", "https://api.example.com");
  assert_joins("HTTP://127.0.0.1:8080/a b", "/c d?e=f g", "http://127.0.0.1:8080/a%20b/c%20d?e=f%20g");
  assert_joins("http://[::1]:81/x", "//y", "http://[::1]:81/x//y");
}

static void a_path_can_not_lead_to_another_host(void **state) {
  (void)state;
  assert_joins("https://api.example.com", "//evil.example", "https://api.example.com//evil.example");
  assert_joins("https://api.example.com", "/@evil.example", "https://api.example.com/@evil.example");
  assert_joins("https://api.example.com", "/\r\nHost: evil", "https://api.example.com/%0D%0AHost:%20evil");
  assert_join_refused("https://api.example.com", "@evil.example",
                      "the path \"@evil.example\" has to begin with /");
  assert_join_refused("https://api.example.com", ".evil.example",
                      "the path \".evil.example\" has to begin with /");
  assert_join_refused("https://api.example.com", ":81/x", "the path \":81/x\" has to begin with /");
}

static void paths_and_bases_that_are_none_are_refused(void **state) {
  (void)state;
  assert_join_refused("https://h", "leads?key=hush", "the path \"leads...\" has to begin with /");
  assert_join_refused("https://h", "/leads#12",
                      "\"/leads#12\" holds a #, and what follows it is never sent: write %23 "
                      "if it belongs to the path");
  assert_join_refused(
      "https://h/x?key=hush", "/y",
      "the base URL \"https://h/x...\" must not have a query or a fragment: give `query` with the call");
  assert_join_refused(
      "https://h/#x", "/y",
      "the base URL \"https://h/#x\" must not have a query or a fragment: give `query` with the call");
  assert_join_refused("h/x", "/y", "\"h/x\" is no URL for a call: it has to begin with http:// or https://");
  assert_join_refused("", "/y", "\"\" is no URL for a call: it has to begin with http:// or https://");
}

/* ---- whole URLs ---- */

static void assert_whole(const char *url, const char *expected) {
  buf out = BUF_EMPTY;
  error err = {""};
  int failed = url_whole(&out, url, strlen(url), &err);
  assert_string_equal(err.text, "");
  assert_int_equal(failed, 0);
  assert_string_equal(buf_text(&out), expected);
  buf_free(&out);
}

static void refused(const char *url, size_t length, const char *why) {
  buf out = BUF_EMPTY;
  error err = {""};
  assert_int_equal(url_whole(&out, url, length, &err), -1);
  assert_string_equal(err.text, why);
  assert_int_equal(out.len, 0);
  buf_free(&out);
}

static void assert_refused(const char *url, const char *why) {
  refused(url, strlen(url), why);
}

static void a_whole_url_is_taken_encoded(void **state) {
  (void)state;
  assert_whole("https://api.example.com", "https://api.example.com");
  assert_whole("https://api.example.com/", "https://api.example.com/");
  assert_whole("https://api.example.com?a=b c", "https://api.example.com?a=b%20c");
  assert_whole("HtTpS://API.example.com/a b/\xC3\xAB?q=\"x\"&r=%41%",
               "https://API.example.com/a%20b/%C3%AB?q=%22x%22&r=%41%25");
  assert_whole("http://my_host.internal:65535/x@y:z", "http://my_host.internal:65535/x@y:z");
  assert_whole("http://[2001:db8::1]/x", "http://[2001:db8::1]/x");
  assert_whole("http://[::ffff:127.0.0.1]:1/x", "http://[::ffff:127.0.0.1]:1/x");
}

static void a_whole_url_is_at_a_base_by_scheme_host_and_port(void **state) {
  (void)state;
  static const struct {
    const char *base, *url, *elsewhere; /* NULL: at the same place */
  } pairs[] = {
      {"https://api.example.com/v2", "https://api.example.com/v2/x", NULL},
      {"https://api.example.com/v2", "https://API.example.com/other?a=b", NULL},
      {"https://api.example.com/v2", "https://api.example.com:443", NULL},
      {"http://api.example.com:80", "http://api.example.com/x", NULL},
      {"http://[::1]:80", "http://[::1]/x", NULL},
      {"https://api.example.com", "http://api.example.com/x", "http://api.example.com"},
      {"https://api.example.com", "https://api.example.com:80/x", "https://api.example.com:80"},
      {"https://api.example.com", "https://api.example.com.evil.example/",
       "https://api.example.com.evil.example"},
      {"https://api.example.com", "https://api.example.co", "https://api.example.co"},
      {"https://api.example.com", "https://evil.example?https://api.example.com/", "https://evil.example"},
      {"http://[::1]:8080", "http://[::1]/", "http://[::1]"},
      {"http://h:8443", "http://h:443", "http://h:443"},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    error err = {""};
    char why[200] = "";
    if (pairs[i].elsewhere) {
      snprintf(why, sizeof why,
               "%s is not where base_url leads: call it without via, or by a connection of its own",
               pairs[i].elsewhere);
    }
    assert_int_equal(url_same_place(pairs[i].base, pairs[i].url, &err), pairs[i].elsewhere ? -1 : 0);
    assert_string_equal(err.text, why);
  }
}

static void other_schemes_are_refused(void **state) {
  (void)state;
  static const char *const urls[] = {
      "ftp://h/x", "file:///etc/passwd", "//h/x",     "/x",          "h", "http:/h",
      "http:h",    "httpx://h",          " http://h", "javascript:x"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    char why[128];
    snprintf(why, sizeof why, "\"%s\" is no URL for a call: it has to begin with http:// or https://",
             urls[i]);
    assert_refused(urls[i], why);
  }
}

static void users_and_passwords_are_refused_and_not_shown(void **state) {
  (void)state;
  static const char why[] = "a URL must not carry a user or password: use the connection's `auth`";
  assert_refused("https://ada:hush@h/x", why);
  assert_refused("https://ada@h", why);
  assert_refused("https://@h/x", why);
  assert_refused("https://good.example@evil.example/", why);
  assert_refused("https://good.example\\@evil.example/", why);
  assert_refused("ftp://ada:hush@h/x",
                 "\"...\" is no URL for a call: it has to begin with http:// or https://");
}

static void fragments_are_refused(void **state) {
  (void)state;
  assert_refused(
      "https://h/x?key=hush#y",
      "\"/x...\" holds a #, and what follows it is never sent: write %23 if it belongs to the path");
  assert_refused("https://h#y",
                 "\"#y\" holds a #, and what follows it is never sent: write %23 if it belongs to the path");
}

static void hosts_that_are_none_are_refused(void **state) {
  (void)state;
  static const char nameless[] = "the URL names no host; it looks like https://api.example.com/path";
  assert_refused("https://", nameless);
  assert_refused("https:///x", nameless);
  assert_refused("https://:80/x", nameless);
  assert_refused("https://?a", nameless);
  assert_refused("https://a b/x", "the host \"a b\" holds a character that no host has");
  assert_refused("https://a%41/x", "the host \"a%41\" holds a character that no host has");
  assert_refused("https://a\\b/x", "the host \"a\\b\" holds a character that no host has");
  assert_refused("https://a\r\nb/x", "the host \"a..b\" holds a character that no host has");
  refused("https://a\0b/x", 13, "the host \"a.b\" holds a character that no host has");
  assert_refused("https://b\xC3\xBC"
                 "cher.example/x",
                 "the host \"b\xC3\xBC"
                 "cher.example\" is not ASCII: write it in its "
                 "xn-- form");
  char url[512] = "https://";
  memset(url + 8, 'a', 254);
  assert_refused(url, "the URL's host is longer than 253 characters");
  url[8 + 253] = '\0';
  assert_whole(url, url);
}

static void addresses_in_brackets_that_are_none_are_refused(void **state) {
  (void)state;
  static const char *const hosts[] = {"[::1", "[]", "[1.2.3.4]", "[::g]", "[fe80::1%25eth0]", "["};
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    char url[64], why[128];
    snprintf(url, sizeof url, "http://%s/x", hosts[i]);
    snprintf(why, sizeof why, "the host \"%s\" is no IPv6 address in brackets, such as [::1]", hosts[i]);
    assert_refused(url, why);
  }
  assert_refused("http://[::1]x/", "after the IPv6 address in the URL comes a port or a path");
}

static void ports_that_are_none_are_refused(void **state) {
  (void)state;
  static const char *const ports[] = {"", "0", "65536", "99999999999999999999", "8a", "-1", "80:81"};
  for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
    char url[64], why[128];
    snprintf(url, sizeof url, "http://h:%s/x", ports[i]);
    snprintf(why, sizeof why,
             "\"%s\" is not a port: it is a number from 1 to 65535, or left out with its colon", ports[i]);
    assert_refused(url, why);
  }
}

static void long_and_hostile_urls_are_shown_short_in_messages(void **state) {
  (void)state;
  char url[2048];
  memset(url, 'x', sizeof url);
  memcpy(url + 119, "\xC3\xAB", 2); /* not cut in two */
  buf out = BUF_EMPTY;
  error err = {""};
  assert_int_equal(url_whole(&out, url, sizeof url, &err), -1);
  assert_memory_equal(err.text + 1 + 119, "...\" is no URL", 14);
  memset(url, 0x80, sizeof url);
  assert_int_equal(url_whole(&out, url, sizeof url, &err), -1);
  assert_memory_equal(err.text, "\"...\" is no URL", 15);
  buf_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_query_value_keeps_only_what_is_unreserved),
      cmocka_unit_test(a_form_writes_spaces_as_plus_and_a_plus_as_2b),
      cmocka_unit_test(every_byte_comes_back_from_its_encoding),
      cmocka_unit_test(a_path_keeps_what_a_url_allows_and_encodes_the_rest),
      cmocka_unit_test(a_percent_stays_only_where_it_begins_an_encoding),
      cmocka_unit_test(a_path_is_put_behind_its_base),
      cmocka_unit_test(a_path_can_not_lead_to_another_host),
      cmocka_unit_test(paths_and_bases_that_are_none_are_refused),
      cmocka_unit_test(a_whole_url_is_taken_encoded),
      cmocka_unit_test(a_whole_url_is_at_a_base_by_scheme_host_and_port),
      cmocka_unit_test(other_schemes_are_refused),
      cmocka_unit_test(users_and_passwords_are_refused_and_not_shown),
      cmocka_unit_test(fragments_are_refused),
      cmocka_unit_test(hosts_that_are_none_are_refused),
      cmocka_unit_test(addresses_in_brackets_that_are_none_are_refused),
      cmocka_unit_test(ports_that_are_none_are_refused),
      cmocka_unit_test(long_and_hostile_urls_are_shown_short_in_messages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
