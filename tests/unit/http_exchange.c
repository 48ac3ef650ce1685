/* What goes well: requests arrive as they were made, answers as they were given. */
#include <strings.h>

#include "http_trial.h"
#include "support/fault_link.h"

/* ---- requests ---- */

static ending echo(trial *t, const http_request *request) {
  ending e = ask(t, request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 200);
  return e;
}

static void a_request_arrives_as_it_was_made(void **state) {
  static const char *const headers[] = {"Content-Type: application/json", "X-Empty:", "X-Spaced:  a b ",
                                        NULL};
  trial *t = *state;
  http_request request = post(at(t, FAULT_HTTP, "/echo?a=1&b=%20"), "{\"a\":1}");
  request.headers = headers;
  ending e = echo(t, &request);
  const char *text = buf_text(&e.body);
  char sum[40];
  snprintf(sum, sizeof sum, "\r\n\r\n7 %08x", (unsigned)fault_crc(0, "{\"a\":1}", 7));
  assert_memory_equal(text, "POST /echo?a=1&b=%20 HTTP/1.1\r\n", 31);
  assert_has(text, "\r\nContent-Type: application/json\r\n");
  assert_has(text, "\r\nContent-Length: 7\r\n");
  assert_has(text, "\r\nX-Empty:");
  assert_has(text, "\r\nUser-Agent: jaunt/");
  assert_has(text, through_libcurl ? "\r\nAccept-Encoding: gzip, br, deflate\r\n"
                                   : "\r\nAccept-Encoding: gzip, deflate\r\n");
  assert_has(text, "\r\nAccept: */*\r\n");
  assert_lacks(text, "Expect:");
  assert_has(text, sum);
  assert_true(e.sent);
  assert_int_equal(e.sends, 1);
  ending_free(&e);
}

static void every_method_arrives_with_or_without_a_body(void **state) {
  static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"};
  trial *t = *state;
  for (size_t i = 0; i < 2 * sizeof methods / sizeof *methods; i++) {
    http_request request = post(at(t, FAULT_HTTP, "/echo"), i % 2 ? "12345" : "");
    request.method = methods[i / 2];
    if (i % 2 == 0) request.body = NULL;
    ending e = echo(t, &request);
    assert_memory_equal(buf_text(&e.body), methods[i / 2], strlen(methods[i / 2]));
    assert_has(buf_text(&e.body), i % 2 ? "\r\n\r\n5 " : "\r\n\r\n0 ");
    assert_lacks(buf_text(&e.body), "Content-Type"); /* nobody has said what it is */
    ending_free(&e);
  }
}

/* The same handle is used for each: nothing of one may be left for the next. */
static void nothing_of_a_request_is_left_for_the_next(void **state) {
  static const char *const headers[] = {"X-First: yes", "Authorization: hush", "Content-Type: a/b", NULL};
  trial *t = *state;
  http_request request = post(at(t, FAULT_HTTP, "/echo"), "first");
  request.headers = headers;
  ending e = echo(t, &request);
  ending_free(&e);
  request = get(at(t, FAULT_HTTP, "/echo"));
  e = echo(t, &request);
  assert_lacks(buf_text(&e.body), "X-First");
  assert_lacks(buf_text(&e.body), "hush");
  assert_lacks(buf_text(&e.body), "Content-");
  ending_free(&e);
  request.method = "HEAD";
  expect_answer(t, &request, 200, "");
  request = post(at(t, FAULT_HTTP, "/echo"), "second");
  e = echo(t, &request);
  assert_has(buf_text(&e.body), "\r\n\r\n6 ");
  ending_free(&e);
}

static void a_body_of_100_mib_is_sent_whole(void **state) {
  enum { LENGTH = 100 << 20 };
  trial *t = *state;
  char *body = mem_alloc(LENGTH), tail[40];
  uint32_t seed = 1;
  for (size_t i = 0; i < LENGTH; i++) body[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
  http_request request = post(at(t, FAULT_HTTP, "/echo"), "");
  request.body = body;
  request.body_length = LENGTH;
  ending e = echo(t, &request);
  snprintf(tail, sizeof tail, "\r\n\r\n%d %08x", LENGTH, (unsigned)fault_crc(0, body, LENGTH));
  assert_has(buf_text(&e.body), tail);
  assert_int_equal(fault_server_body_bytes(t->server), LENGTH);
  ending_free(&e);
  free(body);
}

/* ---- what is not sent ---- */

static void never(http_exchange *exchange, http_answer *answer, void *data) {
  (void)exchange;
  (void)answer;
  (void)data;
  fail_msg("a request that was refused has been told of");
}

static void is_refused(trial *t, const http_request *request, const char *word) {
  error err = {""};
  assert_null(http_send(t->wire, request, never, NULL, &err));
  assert_has(err.text, word);
  assert_int_equal(http_open_count(t->wire), 0);
}

static void a_line_break_in_a_header_is_refused(void **state) {
  static const char *const bad[] = {"X-A: b\r\nX-Evil: yes", "X-A: b\nX-Evil: yes", "X-A: b\r", "X\r\n-A: b",
                                    "\n: b"};
  trial *t = *state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const char *const headers[] = {"X-Good: yes", bad[i], NULL};
    http_request request = get(at(t, FAULT_HTTP, "/ok"));
    request.headers = headers;
    is_refused(t, &request, "line break");
  }
  trial_close(t);
  assert_int_equal(fault_server_connections(t->server), 0);
}

static void what_is_no_request_is_refused(void **state) {
  static const struct {
    const char *method, *url, *word;
  } bad[] = {
      {"GET", "ftp://127.0.0.1/", "http:// or https://"},
      {"GET", "file:///etc/passwd", "http:// or https://"},
      {"GET", "/ok", "http:// or https://"},
      {"GET", "http:///ok", "no host"},
      {"GET", "http://127.0.0.1:99999/", "port"},
      {"GET", "http://me:hush@127.0.0.1/", "as auth"},
      {"GET", "http://127.0.0.1/a b", "percent-encode"},
      {"GET", "http://127.0.0.1/\r\nX-Evil: yes", "percent-encode"},
      {"GET /", "http://127.0.0.1/", "not a method"},
      {"GET\r\nX-Evil: yes", "http://127.0.0.1/", "not a method"},
      {"", "http://127.0.0.1/", "not a method"},
      {"CONNECT", "http://127.0.0.1/", "CONNECT"},
  };
  trial *t = *state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    http_request request = get(bad[i].url);
    request.method = bad[i].method;
    is_refused(t, &request, bad[i].word);
  }
}

static void headers_that_the_wire_sets_itself_are_refused(void **state) {
  static const char *const own[] = {"content-length: 1", "Transfer-Encoding: chunked", "Connection: close"};
  trial *t = *state;
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    const char *const headers[] = {own[i], NULL};
    http_request request = get(at(t, FAULT_HTTP, "/ok"));
    request.headers = headers;
    is_refused(t, &request, "set by the runtime");
  }
}

/* ---- answers ---- */

static void a_status_is_no_failure_of_the_wire(void **state) {
  static const int statuses[] = {200, 201, 204, 304, 400, 401, 404, 407, 429, 500, 503, 599};
  trial *t = *state;
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    char path[32];
    snprintf(path, sizeof path, "/status/%d", statuses[i]);
    http_request request = get(at(t, FAULT_HTTP, path));
    if (statuses[i] == 204 || statuses[i] == 304) request.method = "HEAD"; /* they have no body */
    expect_answer(t, &request, statuses[i], NULL);
  }
}

static void gzip_and_brotli_are_decoded(void **state) {
  static const char *const paths[] = {"/gzip", "/br"};
  static const char *const asks[] = {"Accept-Encoding: br", NULL};
  trial *t = *state;
  for (size_t i = 0; i < 2; i++) {
    http_request request = get(at(t, FAULT_HTTP, paths[i]));
    if (i == 1) request.headers = asks; /* by itself it is not asked for on every way */
    request.max_body_bytes = 30;        /* it counts what came out of it */
    expect_answer(t, &request, 200, "hello hello hello hello hello ");
    request.max_body_bytes = 29;
    expect_failure(t, &request, HTTP_TOO_LARGE, "29 bytes");
  }
}

static void interim_answers_are_not_the_answer(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/interim"));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 200);
  assert_string_equal(buf_text(&e.body), "final");
  assert_has(buf_text(&e.headers), "X-Final: yes\n");
  assert_lacks(buf_text(&e.headers), "X-Interim");
  assert_lacks(buf_text(&e.headers), "Link");
  ending_free(&e);
}

static void trailers_are_not_headers(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/trailer"));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_string_equal(buf_text(&e.body), "hello world");
  assert_lacks(buf_text(&e.headers), "X-Sum: 11");
  ending_free(&e);
}

static void a_header_that_looks_like_a_status_line_changes_nothing(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/false-status"));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 200);
  assert_string_equal(buf_text(&e.body), "ok");
  assert_has(buf_text(&e.headers), "X-Before: yes\n");
  ending_free(&e);
}

static void a_head_has_headers_and_no_body(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  request.method = "HEAD";
  request.max_body_bytes = 1; /* the length that it tells is not that of what comes */
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 200);
  assert_int_equal(e.body.len, 0);
  assert_has(buf_text(&e.headers), "Content-Length: 2\n");
  ending_free(&e);
  request.method = "GET"; /* on the same connection */
  request.max_body_bytes = 2;
  expect_answer(t, &request, 200, "ok");
  assert_int_equal(fault_server_connections(t->server), 1);
}

static void a_body_without_length_ends_with_the_connection(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/until-close"));
  expect_answer(t, &request, 200, "all there is");
}

static void a_large_answer_comes_whole(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/bytes/10000000"));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.body.len, 10000000);
  ending_free(&e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TRIAL(a_request_arrives_as_it_was_made),
      TRIAL(every_method_arrives_with_or_without_a_body),
      TRIAL(nothing_of_a_request_is_left_for_the_next),
      TRIAL(a_body_of_100_mib_is_sent_whole),
      TRIAL(a_line_break_in_a_header_is_refused),
      TRIAL(what_is_no_request_is_refused),
      TRIAL(headers_that_the_wire_sets_itself_are_refused),
      TRIAL(a_status_is_no_failure_of_the_wire),
      TRIAL(gzip_and_brotli_are_decoded),
      TRIAL(interim_answers_are_not_the_answer),
      TRIAL(trailers_are_not_headers),
      TRIAL(a_header_that_looks_like_a_status_line_changes_nothing),
      TRIAL(a_head_has_headers_and_no_body),
      TRIAL(a_body_without_length_ends_with_the_connection),
      TRIAL(a_large_answer_comes_whole),
  };
  return TRIAL_RUN_BOTH(tests);
}
