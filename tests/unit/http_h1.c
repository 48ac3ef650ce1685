/* HTTP/1.1 spoken by us, on the wire: what is promised of connections and of answers that come in odd ways. The
 * other side is this program itself, step by step. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_trial.h"

/* ---- the other side ---- */

typedef struct peer {
  int listening;
  char url[64];
} peer;

static peer peer_open(void) {
  peer p = {.listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  assert_int_equal(bind(p.listening, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(p.listening, 16), 0);
  assert_int_equal(getsockname(p.listening, (struct sockaddr *)&at, &length), 0);
  snprintf(p.url, sizeof p.url, "http://127.0.0.1:%d/path", ntohs(at.sin_port));
  return p;
}

/* Runs the loop until a connection comes. */
static int peer_accept(trial *t, const peer *p) {
  int fd;
  while ((fd = accept4(p->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
    uv_run(&t->loop, UV_RUN_NOWAIT);
  return fd;
}

static bool nobody_comes(const peer *p) {
  return accept4(p->listening, NULL, NULL, SOCK_CLOEXEC) < 0 && errno == EAGAIN;
}

/* Runs the loop until a request without a body, or the head of one, is there; gives what was read. */
static const char *peer_read(trial *t, int fd) {
  static char text[8192];
  size_t length = 0;
  do {
    ssize_t n = recv(fd, text + length, sizeof text - 1 - length, 0);
    assert_true(n > 0 || (n < 0 && errno == EAGAIN));
    if (n > 0) length += (size_t)n;
    text[length] = '\0';
    if (n < 0) uv_run(&t->loop, UV_RUN_NOWAIT);
  } while (!strstr(text, "\r\n\r\n") && length < sizeof text - 1);
  return text;
}

static void peer_say(int fd, const char *text) {
  assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Runs the loop until the other side has closed the connection, and closes it, too. */
static void peer_sees_the_end(trial *t, int fd) {
  char bytes[65536];
  ssize_t n;
  while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0 || (n < 0 && errno == EAGAIN))
    uv_run(&t->loop, UV_RUN_NOWAIT);
  close(fd);
}

static void peer_reset(int fd) {
  struct linger at_once = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

#define ANSWER(body, length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body

static void is_answered(trial *t, ending *e, int status, const char *body) {
  run_until_told(t, e, 1);
  assert_outcome(e, HTTP_ANSWERED);
  assert_int_equal(e->status, status);
  assert_string_equal(buf_text(&e->body), body);
  ending_free(e);
}

/* One request and its answer, on a connection that is open, or on a new one (-1). Gives the connection. */
static int talk(trial *t, const peer *p, int fd, const http_request *request) {
  ending e;
  begin(t, request, &e);
  if (fd < 0) fd = peer_accept(t, p);
  peer_read(t, fd);
  peer_say(fd, ANSWER("ok", "2"));
  is_answered(t, &e, 200, "ok");
  return fd;
}

/* ---- requests ---- */

static void a_path_arrives_as_it_stands_and_without_its_fragment(void **state) {
  static const struct {
    const char *after_host, *line;
  } paths[] = {
      {"", "GET / HTTP/1.1\r\n"},
      {"?a=b", "GET /?a=b HTTP/1.1\r\n"},
      {"#part", "GET / HTTP/1.1\r\n"},
      {"/a%2Fb/.well-known/c.d?e=/../#part", "GET /a%2Fb/.well-known/c.d?e=/../ HTTP/1.1\r\n"},
      {"/a/../b/./c", "GET /b/c HTTP/1.1\r\n"}, /* libcurl takes that away, so it is left to it */
      {"/a/..", "GET / HTTP/1.1\r\n"},
  };
  trial *t = *state;
  char url[100];
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    peer p = peer_open();
    snprintf(url, sizeof url, "%.*s%s", (int)(strlen(p.url) - 5), p.url, paths[i].after_host);
    http_request request = get(url);
    ending e;
    begin(t, &request, &e);
    int fd = peer_accept(t, &p);
    const char *text = peer_read(t, fd);
    assert_memory_equal(text, paths[i].line, strlen(paths[i].line));
    assert_has(text, "\r\nHost: 127.0.0.1:");
    peer_say(fd, ANSWER("ok", "2"));
    is_answered(t, &e, 200, "ok");
    close(fd);
    close(p.listening);
  }
}

static void a_host_header_of_the_users_own_is_the_only_one(void **state) {
  static const char *const headers[] = {"Host: crm.example.com", "Accept: text/csv", "User-Agent:", NULL};
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTP, "/echo"));
  request.headers = headers;
  ending e = ask(t, &request);
  assert_has(buf_text(&e.body), "\r\nHost: crm.example.com\r\n");
  assert_lacks(buf_text(&e.body), "127.0.0.1");
  assert_lacks(buf_text(&e.body), "*/*");
  assert_lacks(buf_text(&e.body), "jaunt");
  ending_free(&e);
}

/* ---- answers ---- */

static void an_answer_in_the_smallest_pieces_is_whole(void **state) {
  static const char text[] =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n0\r\nX: y\r\n\r\n";
  trial *t = *state;
  peer p = peer_open();
  http_request request = get(p.url);
  ending e;
  begin(t, &request, &e);
  int fd = peer_accept(t, &p), on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  peer_read(t, fd);
  for (size_t i = 0; i < sizeof text - 1; i++) {
    assert_int_equal(e.told, 0);
    assert_int_equal(send(fd, text + i, 1, MSG_NOSIGNAL), 1);
    uv_run(&t->loop, UV_RUN_NOWAIT);
  }
  is_answered(t, &e, 200, "hello");
  fd = talk(t, &p, fd, &request); /* and the connection stays */
  close(fd);
  close(p.listening);
}

static void what_is_no_proper_answer_is_refused_with_its_connection(void **state) {
  static const struct {
    const char *text, *word;
  } bad[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both"},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok",
       "\"br\", which was not asked for"},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
       "Error while processing content unencoding: incorrect header check"},
  };
  trial *t = *state;
  peer p = peer_open();
  http_request request = get(p.url);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ending e;
    begin(t, &request, &e);
    int fd = peer_accept(t, &p);
    peer_read(t, fd);
    peer_say(fd, bad[i].text);
    run_until_told(t, &e, 1);
    assert_outcome(&e, HTTP_PROTOCOL);
    assert_has(e.detail, "did not answer in proper HTTP: ");
    assert_has(e.detail, bad[i].word);
    ending_free(&e);
    peer_sees_the_end(t, fd);
  }
  close(p.listening);
}

static void an_answer_before_the_request_was_read_is_taken_and_ends_the_connection(void **state) {
  enum { LENGTH = 32 << 20 };
  trial *t = *state;
  peer p = peer_open();
  char *body = mem_zero(LENGTH);
  http_request request = post(p.url, "");
  request.body = body;
  request.body_length = LENGTH;
  ending e;
  begin(t, &request, &e);
  int fd = peer_accept(t, &p);
  peer_read(t, fd);
  peer_say(fd, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  is_answered(t, &e, 413, "no");
  request = get(p.url);
  begin(t, &request, &e); /* at once, on another connection */
  peer_sees_the_end(t, fd);
  fd = peer_accept(t, &p);
  peer_read(t, fd);
  peer_say(fd, ANSWER("ok", "2"));
  is_answered(t, &e, 200, "ok");
  close(fd);
  free(body);
  close(p.listening);
}

/* ---- connections ---- */

static void an_answer_that_nobody_asked_for_is_nobodys(void **state) {
  trial *t = *state;
  peer p = peer_open();
  http_request request = get(p.url);
  int fd = talk(t, &p, -1, &request);
  peer_say(fd, ANSWER("not yours", "9"));
  peer_sees_the_end(t, fd);
  close(talk(t, &p, -1, &request));
  close(p.listening);
}

static void nor_is_one_that_comes_with_another(void **state) {
  trial *t = *state;
  peer p = peer_open();
  http_request request = get(p.url);
  ending e;
  begin(t, &request, &e);
  int fd = peer_accept(t, &p);
  peer_read(t, fd);
  peer_say(fd, ANSWER("ok", "2") ANSWER("not yours", "9"));
  is_answered(t, &e, 200, "ok");
  peer_sees_the_end(t, fd);
  close(talk(t, &p, -1, &request));
  close(p.listening);
}

/* The end of the connection is there, but the loop has not looked. */
static void what_must_not_be_sent_twice_is_not_sent_on_a_dead_connection(void **state) {
  trial *t = *state;
  peer p = peer_open();
  http_request request = get(p.url);
  request.resend_forbidden = true;
  int fd = talk(t, &p, -1, &request);
  struct tcp_info info = {0};
  socklen_t length = sizeof info;
  shutdown(fd, SHUT_WR);
  while (info.tcpi_state != TCP_FIN_WAIT2) getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
  int second = talk(t, &p, -1, &request);
  close(fd);
  close(second);
  close(p.listening);
}

static void the_connection_that_was_used_last_is_used_first(void **state) {
  trial *t = *state;
  peer p = peer_open();
  http_request request = get(p.url);
  ending a, b;
  begin(t, &request, &a);
  int first = peer_accept(t, &p);
  peer_read(t, first);
  begin(t, &request, &b);
  int second = peer_accept(t, &p);
  peer_read(t, second);
  peer_say(second, ANSWER("b", "1"));
  is_answered(t, &b, 200, "b");
  peer_say(first, ANSWER("a", "1"));
  is_answered(t, &a, 200, "a");
  for (int i = 0; i < 3; i++) talk(t, &p, first, &request);
  assert_true(nobody_comes(&p));
  close(first);
  close(second);
  close(p.listening);
}

static void of_idle_connections_no_more_are_kept_than_is_said(void **state) {
  trial *t = *state;
  char url[64];
  snprintf(url, sizeof url, "http://localhost:%d/ok", fault_server_port(t->server, FAULT_HTTP));
  http_request first = get(at(t, FAULT_HTTP, "/ok")), second = get(at(t, FAULT_HTTP_TOO, "/ok")),
               third = get(url);
  for (int i = 0; i < 3; i++) expect_answer(t, &third, 200, "ok");
  expect_answer(t, &second, 200, "ok");
  expect_answer(t, &first, 200, "ok"); /* the oldest goes, which is the third's */
  assert_int_equal(fault_server_connections(t->server), 3);
  expect_answer(t, &second, 200, "ok");
  expect_answer(t, &first, 200, "ok");
  assert_int_equal(fault_server_connections(t->server), 3);
  expect_answer(t, &third, 200, "ok");
  assert_int_equal(fault_server_connections(t->server), 4);
}

static int begin_with_two_places(void **state) {
  return trial_begin_with(state, &(http_options){.multis = 1, .max_connections = 2});
}

/* ---- once more ---- */

static void once_more_is_only_once(void **state) {
  trial *t = *state;
  peer p = peer_open();
  http_request request = post(p.url, "{}");
  ending e;
  int fd = talk(t, &p, -1, &request);
  begin(t, &request, &e);
  peer_read(t, fd);
  peer_reset(fd);
  fd = peer_accept(t, &p);
  peer_read(t, fd);
  peer_reset(fd);
  run_until_told(t, &e, 1);
  assert_outcome(&e, HTTP_RESET);
  assert_int_equal(e.sends, 2);
  assert_true(nobody_comes(&p));
  ending_free(&e);
  close(p.listening);
}

/* Another one that is idle may be as dead as the first. */
static void once_more_is_on_a_new_connection(void **state) {
  trial *t = *state;
  peer p = peer_open();
  http_request request = post(p.url, "{}");
  ending both[2], e;
  int fds[2];
  for (int i = 0; i < 2; i++) {
    begin(t, &request, &both[i]);
    fds[i] = peer_accept(t, &p);
    peer_read(t, fds[i]);
  }
  for (int i = 0; i < 2; i++) {
    peer_say(fds[i], ANSWER("ok", "2"));
    is_answered(t, &both[i], 200, "ok");
  }
  begin(t, &request, &e);
  peer_read(t, fds[1]);
  peer_reset(fds[1]);
  int fresh = peer_accept(t, &p);
  peer_read(t, fresh);
  peer_say(fresh, ANSWER("ok", "2"));
  is_answered(t, &e, 200, "ok");
  close(fresh);
  close(fds[0]);
  close(p.listening);
}

static void what_has_been_heard_of_is_not_sent_once_more(void **state) {
  static const char *const begun[] = {"H", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\n"};
  trial *t = *state;
  peer p = peer_open();
  http_request request = post(p.url, "{}");
  for (size_t i = 0; i < 3; i++) {
    ending e;
    int fd = talk(t, &p, -1, &request);
    begin(t, &request, &e);
    peer_read(t, fd);
    peer_say(fd, begun[i]);
    close(fd);
    run_until_told(t, &e, 1);
    assert_outcome(&e, HTTP_RESET);
    assert_int_equal(e.sends, 1);
    assert_true(nobody_comes(&p));
    ending_free(&e);
  }
  close(p.listening);
}

static void on_a_new_connection_there_is_no_once_more(void **state) {
  trial *t = *state;
  peer p = peer_open();
  http_request request = post(p.url, "{}");
  ending e;
  begin(t, &request, &e);
  int fd = peer_accept(t, &p);
  peer_read(t, fd);
  peer_reset(fd);
  run_until_told(t, &e, 1);
  assert_outcome(&e, HTTP_RESET);
  assert_int_equal(e.sends, 1);
  assert_true(nobody_comes(&p));
  ending_free(&e);
  close(p.listening);
}

/* ---- waiting for a connection ---- */

enum { MANY = 700 }; /* more than are made at once */

static void who_waits_for_a_connection_too_long_is_told_as_if_it_were_being_made(void **state) {
  trial *t = *state;
  ending *all = mem_zero(MANY * sizeof *all);
  http_request request = get(at(t, FAULT_FULL, "/ok"));
  request.connect_ms = SHORT_MS;
  for (int i = 0; i < MANY; i++) begin(t, &request, &all[i]);
  run_until_told(t, all, MANY);
  for (int i = 0; i < MANY; i++) {
    assert_outcome(&all[i], HTTP_CONNECT);
    assert_has(all[i].detail, "no connection to 127.0.0.1:");
    assert_true(all[i].ms >= SHORT_MS - ROUNDING_MS);
    assert_false(all[i].sent);
    ending_free(&all[i]);
  }
  free(all);
}

static void who_waits_is_not_held_up_by_those_who_are_cut(void **state) {
  trial *t = *state;
  ending *all = mem_zero(MANY * sizeof *all);
  http_exchange *exchanges[MANY];
  http_request request = get(at(t, FAULT_HTTP, "/ok"));
  for (int i = 0; i < MANY; i++) exchanges[i] = begin(t, &request, &all[i]);
  for (int i = 0; i < MANY; i += 2) http_cancel(exchanges[i]);
  run_until_told(t, all, MANY);
  for (int i = 0; i < MANY; i++) {
    assert_outcome(&all[i], i % 2 ? HTTP_ANSWERED : HTTP_CUT);
    ending_free(&all[i]);
  }
  free(all);
}

static void refusals_let_all_who_wait_have_their_turn(void **state) {
  trial *t = *state;
  ending *all = mem_zero(MANY * sizeof *all);
  http_request request = get(at(t, FAULT_REFUSED, "/ok"));
  for (int i = 0; i < MANY; i++) begin(t, &request, &all[i]);
  run_until_told(t, all, MANY);
  for (int i = 0; i < MANY; i++) {
    assert_outcome(&all[i], HTTP_CONNECT);
    assert_has(all[i].detail, "refused");
    ending_free(&all[i]);
  }
  free(all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TRIAL(a_path_arrives_as_it_stands_and_without_its_fragment),
      TRIAL(a_host_header_of_the_users_own_is_the_only_one),
      TRIAL(an_answer_in_the_smallest_pieces_is_whole),
      TRIAL(what_is_no_proper_answer_is_refused_with_its_connection),
      TRIAL(an_answer_before_the_request_was_read_is_taken_and_ends_the_connection),
      TRIAL(an_answer_that_nobody_asked_for_is_nobodys),
      TRIAL(nor_is_one_that_comes_with_another),
      TRIAL(what_must_not_be_sent_twice_is_not_sent_on_a_dead_connection),
      TRIAL(the_connection_that_was_used_last_is_used_first),
      cmocka_unit_test_setup_teardown(of_idle_connections_no_more_are_kept_than_is_said,
                                      begin_with_two_places, trial_end),
      TRIAL(once_more_is_only_once),
      TRIAL(once_more_is_on_a_new_connection),
      TRIAL(what_has_been_heard_of_is_not_sent_once_more),
      TRIAL(on_a_new_connection_there_is_no_once_more),
      TRIAL(who_waits_for_a_connection_too_long_is_told_as_if_it_were_being_made),
      TRIAL(who_waits_is_not_held_up_by_those_who_are_cut),
      TRIAL(refusals_let_all_who_wait_have_their_turn),
  };
  return cmocka_run_group_tests(tests, trial_process, NULL);
}
