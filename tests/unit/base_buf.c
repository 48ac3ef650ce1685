/* Growable bytes: what was written is there, whole and in order, however long it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"

static void an_empty_buffer_is_an_empty_text(void **state) {
  (void)state;
  buf b = BUF_EMPTY;
  assert_string_equal(buf_text(&b), "");
  assert_int_equal(b.len, 0);
  buf_free(&b);
  assert_null(b.data);
  buf_free(&b); /* twice does no harm */
  buf_add(&b, NULL, 0);
  buf_text_add(&b, "");
  assert_int_equal(b.len, 0);
  buf_free(&b);
}

static void bytes_may_hold_nuls(void **state) {
  (void)state;
  buf b = BUF_EMPTY;
  buf_add(&b, "a\0b", 3);
  buf_char(&b, '\0');
  buf_text_add(&b, "c");
  assert_int_equal(b.len, 5);
  assert_memory_equal(buf_text(&b), "a\0b\0c", 6);
  buf_free(&b);
}

static void what_is_written_in_pieces_is_there_in_order(void **state) {
  (void)state;
  enum { MOST = 200000 };
  uint64_t seed = 4;
  unsigned char *expected = malloc(MOST);
  for (size_t i = 0; i < MOST; i++) expected[i] = (unsigned char)random_next(&seed);
  buf b = BUF_EMPTY;
  for (size_t at = 0, piece; at < MOST; at += piece) {
    piece = (size_t)(random_next(&seed) % 700);
    if (piece > MOST - at) piece = MOST - at;
    if (piece == 1)
      buf_char(&b, (char)expected[at]);
    else
      buf_add(&b, expected + at, piece);
    assert_true(b.len == at + piece && b.cap >= b.len);
  }
  assert_memory_equal(b.data, expected, MOST);
  assert_true(b.cap < 2 * MOST + 1400); /* it doubles, and no more */
  free(expected);
  buf_free(&b);
}

static void room_may_be_written_to_directly(void **state) {
  (void)state;
  buf b = BUF_EMPTY;
  buf_text_add(&b, "head ");
  memset(buf_room(&b, 10000), 'x', 10000);
  b.len += 10000;
  buf_text_add(&b, " tail");
  assert_int_equal(b.len, 10010);
  assert_memory_equal(b.data, "head x", 6);
  assert_memory_equal(b.data + 10004, "x tail", 6);
  buf_free(&b);
}

static void what_is_formatted_is_whole_however_long(void **state) {
  (void)state;
  char *filler = malloc(70001);
  buf b = BUF_EMPTY;
  buf_format(&b, "%s is %d%%", "ada", 42);
  assert_string_equal(buf_text(&b), "ada is 42%");
  buf_format(&b, "%s", "");
  assert_int_equal(b.len, 10);
  for (size_t length = 50; length <= 70000; length += 997) { /* around every size that it grows to */
    memset(filler, 'y', length);
    filler[length] = '\0';
    buf_clear(&b);
    buf_format(&b, "<%s|%d>", filler, 7);
    assert_int_equal(b.len, length + 4);
    assert_memory_equal(buf_text(&b) + length, "y|7>", 5);
  }
  free(filler);
  buf_free(&b);
}

static void a_format_fills_its_room_to_the_last_byte(void **state) {
  (void)state;
  for (int before = 0; before < 70; before++) {
    buf b = BUF_EMPTY;
    for (int i = 0; i < before; i++) buf_char(&b, 'a');
    buf_format(&b, "%s", "0123456789");
    assert_int_equal(b.len, before + 10);
    assert_string_equal(buf_text(&b) + before, "0123456789");
    buf_free(&b);
  }
}

static void a_cleared_buffer_keeps_its_room(void **state) {
  (void)state;
  buf b = BUF_EMPTY;
  memset(buf_room(&b, 5000), 0, 5000);
  b.len += 5000;
  size_t cap = b.cap;
  buf_clear(&b);
  assert_int_equal(b.len, 0);
  assert_int_equal(b.cap, cap);
  assert_string_equal(buf_text(&b), "");
  buf_free(&b);
}

static void taken_bytes_are_the_takers(void **state) {
  (void)state;
  size_t length = 0;
  buf b = BUF_EMPTY;
  buf_add(&b, "x\0y", 3);
  char *taken = buf_take(&b, &length);
  assert_int_equal(length, 3);
  assert_memory_equal(taken, "x\0y", 4); /* and a NUL behind it */
  assert_true(b.data == NULL && b.len == 0 && b.cap == 0);
  buf_text_add(&b, "next");
  assert_string_equal(buf_text(&b), "next");
  free(taken);
  buf_free(&b);
  taken = buf_take(&b, NULL); /* of an empty one: an empty text, not NULL */
  assert_string_equal(taken, "");
  free(taken);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_buffer_is_an_empty_text),
      cmocka_unit_test(bytes_may_hold_nuls),
      cmocka_unit_test(what_is_written_in_pieces_is_there_in_order),
      cmocka_unit_test(room_may_be_written_to_directly),
      cmocka_unit_test(what_is_formatted_is_whole_however_long),
      cmocka_unit_test(a_format_fills_its_room_to_the_last_byte),
      cmocka_unit_test(a_cleared_buffer_keeps_its_room),
      cmocka_unit_test(taken_bytes_are_the_takers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
