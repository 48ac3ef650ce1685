/* Content codings: taken off in whatever pieces they come; broken ones are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/h1_decode.h"

static const char text[] =
    "hello hello hello hello hello, and something else that does not repeat: 0123456789";

enum { RAW = -15, ZLIB = 15, GZIP = 31 };

/* Puts a coding on; the caller frees it. */
static buf encoded(const char *bytes, size_t length, int format) {
  buf out = BUF_EMPTY;
  z_stream z = {0};
  assert_int_equal(deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_in = (Bytef *)(uintptr_t)bytes;
  z.avail_in = (uInt)length;
  z.avail_out = (uInt)deflateBound(&z, length);
  z.next_out = (Bytef *)buf_room(&out, z.avail_out);
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.len = z.total_out;
  deflateEnd(&z);
  return out;
}

static bool add(void *owner, const char *bytes, size_t length) {
  buf_add(owner, bytes, length);
  return true;
}

static h1_decoder *decoder_for(const char *value) {
  return h1_decoder_add(NULL, value, strlen(value));
}

static void decodes_to_text(const char *value, const buf *bytes) {
  for (size_t split = 0; split <= bytes->len; split++) {
    buf out = BUF_EMPTY;
    h1_decoder *d = decoder_for(value);
    assert_true(h1_decode(d, bytes->data, split, add, &out));
    assert_true(h1_decode(d, bytes->data + split, bytes->len - split, add, &out));
    assert_string_equal(buf_text(&out), text);
    h1_decoder_free(d);
    buf_free(&out);
  }
}

static void each_coding_is_taken_off_wherever_it_is_split(void **state) {
  static const struct {
    const char *value;
    int format;
  } all[] = {{"gzip", GZIP},    {" X-Gzip ", GZIP}, {"gzip", ZLIB},
             {"deflate", ZLIB}, {"Deflate", RAW},   {"identity, gzip", GZIP}};
  (void)state;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    buf bytes = encoded(text, sizeof text - 1, all[i].format);
    decodes_to_text(all[i].value, &bytes);
    buf_free(&bytes);
  }
}

static void codings_on_top_of_each_other_are_taken_off_in_turn(void **state) {
  (void)state;
  buf inner = encoded(text, sizeof text - 1, ZLIB), outer = encoded(inner.data, inner.len, GZIP);
  decodes_to_text("deflate, gzip", &outer);
  buf_free(&inner);
  buf_free(&outer);
}

static void nothing_to_take_off_needs_no_decoder(void **state) {
  (void)state;
  assert_null(decoder_for("identity"));
  assert_null(decoder_for(" , "));
  assert_null(decoder_for(""));
}

static void fails(const char *value, const char *bytes, size_t length, const char *word) {
  buf out = BUF_EMPTY;
  h1_decoder *d = decoder_for(value);
  assert_false(h1_decode(d, bytes, length, add, &out));
  assert_non_null(h1_decoder_problem(d));
  if (!strstr(h1_decoder_problem(d), word)) print_message("%s\n", h1_decoder_problem(d));
  assert_non_null(strstr(h1_decoder_problem(d), word));
  h1_decoder_free(d);
  buf_free(&out);
}

static void what_is_broken_is_told(void **state) {
  (void)state;
  fails("gzip", "this was never compressed", 25, "incorrect header check");
  fails("deflate", "\xff\xff\xff\xff\xff", 5, "Error while processing");
  fails("br", "x", 1, "encoded as \"br\"");
  fails("gzip, gzip, gzip, gzip, gzip, gzip", "x", 1, "more than 5");
  buf bytes = encoded(text, sizeof text - 1, GZIP);
  bytes.data[bytes.len - 5] ^= 1; /* of the checksum */
  fails("gzip", bytes.data, bytes.len, "incorrect data check");
  bytes.data[bytes.len - 5] ^= 1;
  buf_char(&bytes, 'x');
  fails("gzip", bytes.data, bytes.len, "bytes follow its end");
  buf_free(&bytes);
}

static bool stop_at(void *owner, const char *bytes, size_t length) {
  (void)bytes;
  size_t *left = owner;
  *left = *left > length ? *left - length : 0;
  return *left > 0;
}

static void who_wants_no_more_stops_a_bomb(void **state) {
  (void)state;
  buf zeros = BUF_EMPTY;
  memset(buf_room(&zeros, 1 << 24), 0, 1 << 24);
  zeros.len = 1 << 24;
  buf bomb = encoded(zeros.data, zeros.len, GZIP);
  size_t left = 100000;
  h1_decoder *d = decoder_for("gzip");
  assert_false(h1_decode(d, bomb.data, bomb.len, stop_at, &left));
  assert_null(h1_decoder_problem(d)); /* nothing is wrong with it */
  h1_decoder_free(d);
  buf_free(&bomb);
  buf_free(&zeros);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_coding_is_taken_off_wherever_it_is_split),
      cmocka_unit_test(codings_on_top_of_each_other_are_taken_off_in_turn),
      cmocka_unit_test(nothing_to_take_off_needs_no_decoder),
      cmocka_unit_test(what_is_broken_is_told),
      cmocka_unit_test(who_wants_no_more_stops_a_bomb),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
