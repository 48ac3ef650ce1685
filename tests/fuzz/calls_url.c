/* URLs from scripts: what is put together is a URL of ASCII without spaces, and put together again it is the
 * same. */
#include <string.h>

#include "calls/url.h"
#include "fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "https://api.example.com/v2/leads?limit=10&q=a%20b",
    "http://127.0.0.1:8080/x",
    "http://[::1]:80/",
    "HTTPS://h",
    "/leads/\xC3\xA4 b/%zz/%41",
    "https://user:secret@h/",
    "https://h/a#b",
    "http://h:65536/",
    NULL,
};

const char *const fuzz_words[] = {"://", "@",  "#",  "?",    "%", "%2",   "[", "]",
                                  ":",   "..", "//", "\r\n", " ", "\xFF", NULL};

static void check_url(buf *url) {
  FUZZ_HOLDS(url->len > 8 || (url->len == 8 && memcmp(url->data, "http://", 7) == 0));
  FUZZ_HOLDS(memcmp(url->data, "http://", 7) == 0 || memcmp(url->data, "https://", 8) == 0);
  FUZZ_HOLDS(memchr(url->data, '#', url->len) == NULL);
  for (size_t i = 0; i < url->len; i++) FUZZ_HOLDS(url->data[i] > ' ' && url->data[i] < 0x7f);
  buf again = BUF_EMPTY;
  FUZZ_HOLDS(url_whole(&again, url->data, url->len, NULL) == 0);
  FUZZ_HOLDS(again.len == url->len && memcmp(again.data, url->data, url->len) == 0);
  buf_free(&again);
  FUZZ_HOLDS(url_same_place(buf_text(url), buf_text(url), NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const char base[] = "https://api.example.com/v2";
  const char *text = (const char *)bytes;
  buf out = BUF_EMPTY;
  error err = {""};
  if (url_whole(&out, text, length, &err) == 0)
    check_url(&out);
  else
    FUZZ_HOLDS(err.text[0] != '\0');
  buf_clear(&out);
  if (url_join(&out, base, text, length, NULL) == 0) {
    check_url(&out);
    FUZZ_HOLDS(memcmp(out.data, base, sizeof base - 1) == 0); /* no path leads elsewhere */
  }
  buf_clear(&out);
  url_encode(&out, text, length);
  FUZZ_HOLDS(length == 0 || strcspn(buf_text(&out), "&=+?/ #") == out.len);
  buf_free(&out);
  return 0;
}
