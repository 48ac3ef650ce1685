/* Answers in HTTP/1.1, taken apart: the same in whatever pieces they come, and refused where two readers could
 * read two things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/h1_answer.h"

enum { HEAD_MOST = 1000 };

/* What has come of an answer. */
typedef struct reading {
  h1_answer answer;
  buf lines, body; /* each line with a "|" behind it */
  int heads;
  size_t stop_after; /* bytes of body; 0: never */
  h1_verdict verdict;
  size_t used;
} reading;

static bool take_line(void *owner, const char *line, size_t length) {
  reading *r = owner;
  buf_add(&r->lines, line, length);
  buf_char(&r->lines, '|');
  return true;
}

static bool take_head(void *owner) {
  ((reading *)owner)->heads++;
  return true;
}

static bool take_body(void *owner, const char *bytes, size_t length) {
  reading *r = owner;
  buf_add(&r->body, bytes, length);
  return !r->stop_after || r->body.len < r->stop_after;
}

static const h1_sink sink = {take_line, take_head, take_body};

static void begin(reading *r, bool to_head) {
  *r = (reading){.verdict = H1_MORE};
  h1_answer_begin(&r->answer, &sink, r, to_head, HEAD_MOST);
}

static void feed(reading *r, const char *bytes, size_t length) {
  size_t used = 0;
  if (r->verdict != H1_MORE) return;
  r->verdict = h1_answer_feed(&r->answer, bytes, length, &used);
  r->used += used;
}

static void end(reading *r) {
  buf_free(&r->lines);
  buf_free(&r->body);
  h1_answer_free(&r->answer);
}

/* ---- what an answer is ---- */

static const struct answer {
  const char *text; /* what follows the first "\1" is not of the answer any more */
  const char *lines, *body;
  bool to_head, ends_with_it /* the connection has to end */, stays;
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK|Content-Length: 5||", "hello", 0,
     0, 1},
    {"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", "HTTP/1.1 200|content-length:0||", "", 0, 0, 1},
    {"HTTP/1.1 200 \r\nCONTENT-LENGTH: \t 2 \t\r\n\r\nok", "HTTP/1.1 200 |CONTENT-LENGTH: \t 2 \t||", "ok", 0,
     0, 1},
    {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "HTTP/1.1 200 OK|Content-Length: 2||", "ok", 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
     "HTTP/1.1 200 OK|Content-Length: 2|Content-Length: 2||", "ok", 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
     "HTTP/1.1 200 OK|Transfer-Encoding: Chunked||", "hello world", 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00a;x=\"y\"\r\n0123456789\r\nA "
     "\t;z\r\nabcdefghij\r\n"
     "000;end\r\nX-Sum: 20\r\nX-More: yes\r\n\r\n",
     "HTTP/1.1 200 OK|Transfer-Encoding: chunked||", "0123456789abcdefghij", 0, 0, 1},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
     "HTTP/1.1 100 Continue||HTTP/1.1 103 Early Hints|Link: </a>|Content-Length: 9||HTTP/1.1 201 "
     "Created|Content-Length: 1||",
     "x", 0, 0, 1},
    {"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", "HTTP/1.1 204 No Content|X: y||", "", 0, 0, 1},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
     "HTTP/1.1 304 Not Modified|Content-Length: 100||", "", 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 200 OK|Content-Length: 100||", "", 1, 0, 1},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||",
     "", 1, 0, 1},
    {"HTTP/1.1 200 OK\r\nX:\r\n\r\nall there is", "HTTP/1.1 200 OK|X:||", "all there is", 0, 1, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
     "HTTP/1.1 200 OK|Content-Length: 2|Connection: close||", "ok", 0, 0, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\nConnection: y\r\n\r\nok",
     "HTTP/1.1 200 OK|Content-Length: 2|Connection: x, Close|Connection: y||", "ok", 0, 0, 0},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 200 OK|Content-Length: 2||", "ok", 0, 0, 0},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok",
     "HTTP/1.0 200 OK|Content-Length: 2|Connection: Keep-Alive||", "ok", 0, 0, 1},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n1\r\nx\r\n0\r\n\r\n",
     "HTTP/1.0 200 OK|Transfer-Encoding: chunked|Connection: keep-alive||", "x", 0, 0, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\1HTTP/1.1 200 OK\r\n",
     "HTTP/1.1 200 OK|Content-Length: 2||", "ok", 0, 0, 1},
    {"HTTP/1.1 200 OK\r\nHTTP/1.1 500: no\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 200 OK|HTTP/1.1 500: no|Content-Length: 0||", "", 0, 0, 1},
};

enum { ANSWERS = sizeof answers / sizeof *answers };

static void assert_read(reading *r, const struct answer *a, size_t length) {
  if (a->ends_with_it && r->verdict == H1_MORE) r->verdict = h1_answer_end(&r->answer);
  if (r->verdict != H1_WHOLE)
    print_message("%s: %s\n", a->text, r->answer.problem ? r->answer.problem : "more");
  assert_int_equal(r->verdict, H1_WHOLE);
  assert_string_equal(buf_text(&r->lines), a->lines);
  assert_string_equal(buf_text(&r->body), a->body);
  assert_int_equal(r->heads, 1);
  assert_int_equal(r->used, length);
  assert_int_equal(h1_answer_stays(&r->answer), a->stays);
}

/* Where the answer ends. */
static size_t length_of(const struct answer *a) {
  return strcspn(a->text, "\1");
}

static void an_answer_is_read_for_what_it_is(void **state) {
  (void)state;
  for (size_t i = 0; i < ANSWERS; i++) {
    reading r;
    begin(&r, answers[i].to_head);
    feed(&r, answers[i].text, strlen(answers[i].text));
    assert_read(&r, &answers[i], length_of(&answers[i]));
    end(&r);
  }
}

static void where_it_is_split_changes_nothing(void **state) {
  (void)state;
  for (size_t i = 0; i < ANSWERS; i++) {
    size_t length = length_of(&answers[i]);
    for (size_t first = 1; first < length; first++) {
      for (size_t second = first; second < length; second++) {
        reading r;
        begin(&r, answers[i].to_head);
        feed(&r, answers[i].text, first);
        if (second > first) feed(&r, answers[i].text + first, second - first);
        feed(&r, answers[i].text + second, length - second);
        assert_read(&r, &answers[i], length);
        end(&r);
      }
    }
  }
}

static void byte_by_byte_it_is_the_same(void **state) {
  (void)state;
  for (size_t i = 0; i < ANSWERS; i++) {
    size_t length = length_of(&answers[i]);
    reading r;
    begin(&r, answers[i].to_head);
    for (size_t at = 0; at < length; at++) {
      assert_int_equal(r.verdict, H1_MORE); /* not before its last byte */
      feed(&r, answers[i].text + at, 1);
    }
    assert_read(&r, &answers[i], length);
    end(&r);
  }
}

static void an_end_before_its_last_byte_is_none(void **state) {
  (void)state;
  for (size_t i = 0; i < ANSWERS; i++) {
    const char *blank = answers[i].ends_with_it ? strstr(answers[i].text, "\r\n\r\n") : NULL;
    size_t length = blank ? (size_t)(blank + 4 - answers[i].text) : length_of(&answers[i]);
    for (size_t at = 0; at < length; at++) {
      reading r;
      begin(&r, answers[i].to_head);
      feed(&r, answers[i].text, at);
      assert_int_equal(r.verdict, H1_MORE);
      assert_int_equal(h1_answer_end(&r.answer), H1_MORE);
      end(&r);
    }
  }
}

/* ---- what it is not ---- */

#define OK      "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static const struct {
  const char *text, *word;
} refused[] = {
    /* two lengths, or one that is none */
    {OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both"},
    {OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "both"},
    {OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "differ"},
    {OK "Content-Length: 5, 5\r\n\r\nhello", "not a number"},
    {OK "Content-Length: +5\r\n\r\nhello", "not a number"},
    {OK "Content-Length: -5\r\n\r\nhello", "not a number"},
    {OK "Content-Length: 0x5\r\n\r\nhello", "not a number"},
    {OK "Content-Length: 5 5\r\n\r\nhello", "not a number"},
    {OK "Content-Length:\r\n\r\nhello", "not a number"},
    {OK "Content-Length: 99999999999999999999\r\n\r\nhello", "beyond"},
    {OK "Content-Length: 18446744073709551621\r\n\r\nhello", "beyond"},
    /* encodings of the transfer that nobody offered */
    {OK "Transfer-Encoding: gzip, chunked\r\n\r\n", "not just chunked"},
    {OK "Transfer-Encoding: chunked, identity\r\n\r\n", "not just chunked"},
    {OK "Transfer-Encoding: xchunked\r\n\r\n", "not just chunked"},
    {OK "Transfer-Encoding: \"chunked\"\r\n\r\n", "not just chunked"},
    {OK "Transfer-Encoding:\r\n\r\n", "not just chunked"},
    {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "not just chunked"},
    /* chunks */
    {CHUNKED "zebra\r\n", "not a number"},
    {CHUNKED "\r\nhello", "not a number"},
    {CHUNKED "+5\r\nhello\r\n", "not a number"},
    {CHUNKED " 5\r\nhello\r\n", "not a number"},
    {CHUNKED "0x5\r\nhello\r\n", "not a number"},
    {CHUNKED "5 6\r\nhello\r\n", "not a number"},
    {CHUNKED "10000000000000005\r\nhello\r\n", "larger than anything"},
    {CHUNKED "5\nhello\r\n0\r\n\r\n", "not a line"},
    {CHUNKED "5;a\rb\r\nhello\r\n", "not a line"},
    {CHUNKED "5\r\nhello\n0\r\n\r\n", "not over where it ends"},
    {CHUNKED "5\r\nhello!\r\n0\r\n\r\n", "not over where it ends"},
    {CHUNKED "5\r\nhelloX", "not over where it ends"},
    {CHUNKED "5\r\nhello\rX", "not over where it ends"},
    {CHUNKED "0\r\n folded\r\n\r\n", "folded"},
    {CHUNKED "0\r\nnonsense\r\n\r\n", "without a name"},
    /* headers */
    {OK "X-A: b\r\n c\r\n\r\n", "folded"},
    {OK "X-A: b\r\n\tContent-Length: 5\r\n\r\n", "folded"},
    {OK " X-A: b\r\n\r\n", "folded"},
    {OK "Content-Length : 5\r\n\r\nhello", "blank before a colon"},
    {OK "Transfer-Encoding\t: chunked\r\n\r\n", "blank before a colon"},
    {OK "nonsense\r\n\r\n", "without a name"},
    {OK ": nameless\r\n\r\n", "without a name"},
    {OK "X-A: b\rContent-Length: 5\r\n\r\nhello", "carriage return"},
    {OK "X-A: b\r\r\n\r\n", "carriage return"},
    /* first lines */
    {"220 mail.example ESMTP ready\r\n", "status line"},
    {"HTTP/2 200 OK\r\n\r\n", "status line"},
    {"HTTP/1.1 20 OK\r\n\r\n", "status line"},
    {"HTTP/1.1 2000 OK\r\n\r\n", "status line"},
    {"HTTP/1.1 +20 OK\r\n\r\n", "status line"},
    {"HTTP/1.1 099 OK\r\n\r\n", "status line"},
    {"HTTP/1.1  200 OK\r\n\r\n", "status line"},
    {"HTTP/1.1\t200 OK\r\n\r\n", "status line"},
    {"HTTP/11 200 OK\r\n\r\n", "status line"},
    {"http/1.1 200 OK\r\n\r\n", "status line"},
    {" HTTP/1.1 200 OK\r\n\r\n", "status line"},
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", "status line"},
    {"\r\n", "status line"},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "protocol that nobody asked for"},
};

static void what_could_be_read_in_two_ways_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    size_t length = strlen(refused[i].text);
    for (size_t split = 0; split < length; split++) {
      reading r;
      begin(&r, false);
      feed(&r, refused[i].text, split);
      feed(&r, refused[i].text + split, length - split);
      if (r.verdict != H1_BROKEN) print_message("not refused: %s\n", refused[i].text);
      assert_int_equal(r.verdict, H1_BROKEN);
      if (!strstr(r.answer.problem, refused[i].word))
        print_message("%s: %s\n", refused[i].text, r.answer.problem);
      assert_non_null(strstr(r.answer.problem, refused[i].word));
      end(&r);
    }
  }
}

static void a_nul_byte_in_a_head_is_refused(void **state) {
  static const char in_header[] = OK "X-A: b\0c\r\n\r\n", in_status[] = "HTTP/1.1 200 O\0K\r\n\r\n",
                    in_chunk[] = CHUNKED "5;\0\r\nhello\r\n";
  (void)state;
  const struct {
    const char *bytes;
    size_t length;
  } all[] = {
      {in_header, sizeof in_header - 1}, {in_status, sizeof in_status - 1}, {in_chunk, sizeof in_chunk - 1}};
  for (size_t i = 0; i < 3; i++) {
    reading r;
    begin(&r, false);
    feed(&r, all[i].bytes, all[i].length);
    assert_int_equal(r.verdict, H1_BROKEN);
    end(&r);
  }
}

static void a_nul_byte_in_a_body_is_a_byte(void **state) {
  static const char text[] = OK "Content-Length: 3\r\n\r\na\0b";
  (void)state;
  reading r;
  begin(&r, false);
  feed(&r, text, sizeof text - 1);
  assert_int_equal(r.verdict, H1_WHOLE);
  assert_memory_equal(r.body.data, "a\0b", 3);
  end(&r);
}

/* ---- bounds ---- */

static void a_head_over_its_cap_is_told_before_it_ends(void **state) {
  static const char *const beginnings[] = {"HTTP/1.1 200 ", OK "X-Long: ", OK "X-Short: 1\r\nX-Long: ",
                                           "HTTP/1.1 100 C\r\n\r\n" OK "X-Long: ", CHUNKED "0\r\nX-Long: "};
  (void)state;
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
    reading r;
    begin(&r, false);
    feed(&r, beginnings[i], strlen(beginnings[i]));
    for (int bytes = 0; bytes < HEAD_MOST && r.verdict == H1_MORE; bytes++) feed(&r, "x", 1);
    assert_int_equal(r.verdict, H1_OVER);
    assert_true(r.answer.kept.len <= HEAD_MOST + 1);
    end(&r);
  }
}

static void interim_answers_do_not_go_on_for_ever(void **state) {
  static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
  (void)state;
  reading r;
  begin(&r, false);
  for (int i = 0; i < HEAD_MOST && r.verdict == H1_MORE; i++) feed(&r, interim, sizeof interim - 1);
  assert_int_equal(r.verdict, H1_OVER);
  end(&r);
}

static void a_head_of_just_its_cap_is_taken(void **state) {
  (void)state;
  for (int more = 0; more < 2; more++) {
    char text[HEAD_MOST + 2];
    int fixed = snprintf(text, sizeof text, OK "X: ");
    memset(text + fixed, 'x', sizeof text - (size_t)fixed);
    memcpy(text + HEAD_MOST - 4 + more, "\r\n\r\n", 4);
    reading r;
    begin(&r, true);
    feed(&r, text, (size_t)(HEAD_MOST + more));
    assert_int_equal(r.verdict, more ? H1_OVER : H1_WHOLE);
    end(&r);
  }
}

static void a_chunks_size_that_does_not_end_is_refused(void **state) {
  (void)state;
  reading r;
  begin(&r, false);
  feed(&r, CHUNKED "5;", sizeof CHUNKED + 1);
  for (int bytes = 0; bytes < 2000 && r.verdict == H1_MORE; bytes++) feed(&r, "x", 1);
  assert_int_equal(r.verdict, H1_BROKEN);
  end(&r);
}

static void who_wants_no_more_gets_no_more(void **state) {
  static const char text[] = CHUNKED "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
  (void)state;
  reading r;
  begin(&r, false);
  r.stop_after = 5;
  feed(&r, text, sizeof text - 1);
  assert_int_equal(r.verdict, H1_STOPPED);
  assert_int_equal(r.body.len, 5);
  end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_is_read_for_what_it_is),
      cmocka_unit_test(where_it_is_split_changes_nothing),
      cmocka_unit_test(byte_by_byte_it_is_the_same),
      cmocka_unit_test(an_end_before_its_last_byte_is_none),
      cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
      cmocka_unit_test(a_nul_byte_in_a_head_is_refused),
      cmocka_unit_test(a_nul_byte_in_a_body_is_a_byte),
      cmocka_unit_test(a_head_over_its_cap_is_told_before_it_ends),
      cmocka_unit_test(interim_answers_do_not_go_on_for_ever),
      cmocka_unit_test(a_head_of_just_its_cap_is_taken),
      cmocka_unit_test(a_chunks_size_that_does_not_end_is_refused),
      cmocka_unit_test(who_wants_no_more_gets_no_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
