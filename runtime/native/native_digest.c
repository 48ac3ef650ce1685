/* jaunt.native.digest: digests and base64, for payload templates; in workers' states, too. Digests are libcrypto's, which is
 * loaded when the first one is asked for: to load it takes longer than to start.
 *
 *   digest(name, text)       the bytes of a digest; name is "md5", "sha1" or "sha256". nil and why where this machine has none
 *   hmac(name, key, text)    the bytes of its HMAC (RFC 2104); or the same
 *   hex(bytes)               in small hexadecimal digits
 *   base64_encode(bytes [, url_safe])    RFC 4648, 4 and 5, with padding
 *   base64_decode(text [, url_safe])     the bytes, or nil where it is not that, strictly; with url_safe padding may be missing */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/shared_library.h"
#include "native/native.h"

/* ---- libcrypto ---- */

/* Called through the table, under no names of ours: tests that make certificates are linked with libcrypto itself. */
#define FUNCTIONS(each) each(EVP_MD_fetch) each(EVP_Digest) each(HMAC)

static struct { FUNCTIONS(SHARED_POINTER) } lib;
SHARED_LIBRARY(lib, FUNCTIONS, "libcrypto.so.3", "libssl3", "digests need");

/* Fetched once: libcrypto would look each up by its name again and again. They last as long as the process. */
static struct {
  const char *name, *title;
  EVP_MD *method;
} methods[] = {{"md5", "MD5", NULL}, {"sha1", "SHA1", NULL}, {"sha256", "SHA256", NULL}};

static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch_methods(void) {
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    methods[i].method = lib.EVP_MD_fetch(NULL, methods[i].title, NULL);
}

static const EVP_MD *find_method(const char *name, error *err) {
  if (shared_library_load(&library, err) != 0) return NULL;
  pthread_once(&fetched, fetch_methods);
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (strcmp(methods[i].name, name) == 0 && methods[i].method) return methods[i].method;
  }
  error_set(err, "this machine's libcrypto has no %s", name);
  return NULL;
}

/* Pushes what a call of libcrypto's gave; or nil and why it gave none. */
static int push_bytes(lua_State *L, bool done, const unsigned char *bytes, unsigned size) {
  if (done) {
    lua_pushlstring(L, (const char *)bytes, size);
    return 1;
  }
  lua_pushnil(L);
  lua_pushliteral(L, "libcrypto has no memory for a digest");
  return 2;
}

static int digest_digest(lua_State *L) {
  size_t length;
  error err;
  const char *name = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &length);
  const EVP_MD *method = find_method(name, &err);
  if (!method) return native_none(L, &err);
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  bool done = lib.EVP_Digest(text, length, out, &size, method, NULL) == 1;
  return push_bytes(L, done, out, size);
}

static int digest_hmac(lua_State *L) {
  size_t key_length, length;
  error err;
  const char *name = luaL_checkstring(L, 1), *key = luaL_checklstring(L, 2, &key_length);
  const char *text = luaL_checklstring(L, 3, &length);
  luaL_argcheck(L, key_length <= INT32_MAX, 2, "this key is too long");
  const EVP_MD *method = find_method(name, &err);
  if (!method) return native_none(L, &err);
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const unsigned char *made =
      lib.HMAC(method, key, (int)key_length, (const unsigned char *)text, length, out, &size);
  return push_bytes(L, made != NULL, out, size);
}

/* ---- bytes as text ---- */

static int digest_hex(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  luaL_Buffer out;
  char *to = luaL_buffinitsize(L, &out, 2 * length);
  for (size_t i = 0; i < length; i++) {
    *to++ = digits[(unsigned char)bytes[i] >> 4];
    *to++ = digits[(unsigned char)bytes[i] & 15];
  }
  luaL_pushresultsize(&out, 2 * length);
  return 1;
}

static const char *alphabet(lua_State *L, int index) {
  return lua_toboolean(L, index) ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                                 : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

static int digest_base64_encode(lua_State *L) {
  size_t length;
  const unsigned char *at = (const unsigned char *)luaL_checklstring(L, 1, &length);
  const char *letters = alphabet(L, 2);
  luaL_Buffer out;
  size_t size = (length + 2) / 3 * 4;
  char *to = luaL_buffinitsize(L, &out, size);
  for (; length > 0; at += 3, to += 4) {
    size_t now = length < 3 ? length : 3;
    uint32_t bits = (uint32_t)at[0] << 16 | (now > 1 ? (uint32_t)at[1] << 8 : 0) | (now > 2 ? at[2] : 0);
    for (size_t i = 0; i < 4; i++) to[i] = i <= now ? letters[bits >> (18 - 6 * i) & 63] : '=';
    length -= now;
  }
  luaL_pushresultsize(&out, size);
  return 1;
}

/* What each byte stands for, 64 where it is no letter of the alphabet. */
static void fill_values(const char *letters, unsigned char values[256]) {
  memset(values, 64, 256);
  for (unsigned char i = 0; i < 64; i++) values[(unsigned char)letters[i]] = i;
}

/* Four letters at a time, of which the last may be two or three; the bits that these have too many must be 0. Returns how many
 * bytes it wrote, or -1. */
static ptrdiff_t decode64(const char *at, size_t length, const char *letters, char *out) {
  unsigned char values[256];
  char *to = out;
  fill_values(letters, values);
  for (; length > 0;) {
    size_t now = length < 4 ? length : 4;
    uint32_t bits = 0;
    for (size_t i = 0; i < now; i++) {
      unsigned char value = values[(unsigned char)at[i]];
      if (value == 64) return -1;
      bits |= (uint32_t)value << (18 - 6 * i);
    }
    if (now == 1 || (now == 2 && (bits & 0xFFFF) != 0) || (now == 3 && (bits & 0xFF) != 0)) return -1;
    for (size_t i = 0; i + 1 < now; i++) *to++ = (char)(bits >> (16 - 8 * i));
    at += now;
    length -= now;
  }
  return to - out;
}

static int digest_base64_decode(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  bool padded = length % 4 == 0, must_be = !lua_toboolean(L, 2);
  const char *letters = alphabet(L, 2);
  if (must_be && !padded) return 0;
  if (padded && length > 0 && text[length - 1] == '=') length -= text[length - 2] == '=' ? 2 : 1;
  luaL_Buffer out;
  char *room = luaL_buffinitsize(L, &out, length / 4 * 3 + 3);
  ptrdiff_t size = decode64(text, length, letters, room);
  luaL_pushresultsize(&out, size < 0 ? 0 : (size_t)size);
  if (size < 0) lua_pushnil(L);
  return 1;
}

int native_digest_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"digest", digest_digest},
                                       {"hmac", digest_hmac},
                                       {"hex", digest_hex},
                                       {"base64_encode", digest_base64_encode},
                                       {"base64_decode", digest_base64_decode},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
