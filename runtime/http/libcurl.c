/* libcurl's functions, as far as this layer uses them, each passed on to the library once libcurl_load has found it. See
 * libcurl.h. A function that is not here does not link: it gets a row in FUNCTIONS and a line below. */
#include "http/libcurl.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdint.h>

#include "base/shared_library.h"

#undef curl_easy_setopt /* macros that check types, or stand in for a C++ */
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

#define FUNCTIONS(each)                                                                                      \
  each(curl_global_init) each(curl_version_info) each(curl_easy_init) each(curl_easy_cleanup)                \
      each(curl_easy_setopt) each(curl_easy_getinfo) each(curl_easy_strerror) each(curl_multi_init)          \
          each(curl_multi_cleanup) each(curl_multi_setopt) each(curl_multi_add_handle)                       \
              each(curl_multi_remove_handle) each(curl_multi_socket_action) each(curl_multi_info_read)       \
                  each(curl_share_init) each(curl_share_setopt) each(curl_share_cleanup) each(curl_url)      \
                      each(curl_url_set) each(curl_url_get) each(curl_url_cleanup) each(curl_free)

FUNCTIONS(SHARED_HIDE)

static struct { FUNCTIONS(SHARED_POINTER) } lib;
SHARED_LIBRARY(lib, FUNCTIONS, "libcurl.so.4", "libcurl4", "calls need");

int libcurl_load(error *err) {
  return shared_library_load(&library, err);
}

/* ---- passed on as they are ---- */

CURLcode curl_global_init(long flags) {
  return lib.curl_global_init(flags);
}

curl_version_info_data *curl_version_info(CURLversion age) {
  return lib.curl_version_info(age);
}

CURL *curl_easy_init(void) {
  return lib.curl_easy_init();
}

const char *curl_easy_strerror(CURLcode code) {
  return lib.curl_easy_strerror(code);
}

CURLM *curl_multi_init(void) {
  return lib.curl_multi_init();
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) {
  return lib.curl_multi_add_handle(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy) {
  return lib.curl_multi_remove_handle(multi, easy);
}

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events, int *running) {
  return lib.curl_multi_socket_action(multi, fd, events, running);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left) {
  return lib.curl_multi_info_read(multi, left);
}

CURLMcode curl_multi_cleanup(CURLM *multi) {
  return lib.curl_multi_cleanup(multi);
}

CURLSH *curl_share_init(void) {
  return lib.curl_share_init();
}

CURLSHcode curl_share_cleanup(CURLSH *share) {
  return lib.curl_share_cleanup(share);
}

CURLU *curl_url(void) {
  return lib.curl_url();
}

CURLUcode curl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned flags) {
  return lib.curl_url_set(url, part, text, flags);
}

CURLUcode curl_url_get(CURLU *url, CURLUPart part, char **text, unsigned flags) {
  return lib.curl_url_get(url, part, text, flags);
}

void curl_free(void *memory) {
  lib.curl_free(memory);
}

/* Who never had anything made has nothing to clean up, and perhaps no library. */
void curl_easy_cleanup(CURL *easy) {
  if (easy) lib.curl_easy_cleanup(easy);
}

void curl_url_cleanup(CURLU *url) {
  if (url) lib.curl_url_cleanup(url);
}

/* ---- with one argument of any type ---- */

/* It is a long, a curl_off_t, a pointer to data or to a function: on the machines that Debian 12 has for 64 bits, all of
 * them are passed alike, as one word, and so they are passed on. */
_Static_assert(sizeof(void *) == 8 && sizeof(long) == sizeof(void *) &&
                   sizeof(curl_off_t) == sizeof(void *) && sizeof(void (*)(void)) == sizeof(void *),
               "libcurl's options are passed on as one word");

#define PASS_ON(call)                                                                                        \
  va_list args;                                                                                              \
  va_start(args, option);                                                                                    \
  void *word = va_arg(args, void *);                                                                         \
  va_end(args);                                                                                              \
  return call

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  PASS_ON(lib.curl_easy_setopt(easy, option, word));
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO option, ...) {
  PASS_ON(lib.curl_easy_getinfo(easy, option, word));
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...) {
  PASS_ON(lib.curl_multi_setopt(multi, option, word));
}

CURLSHcode curl_share_setopt(CURLSH *share, CURLSHoption option, ...) {
  PASS_ON(lib.curl_share_setopt(share, option, word));
}
