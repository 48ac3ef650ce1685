/* The control socket by itself: clients that say nothing, half a line, or leave. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "serve/control_socket.h"

enum { SHORT_MS = 200, LONG_MS = 100000 };

typedef struct world {
  uv_loop_t loop;
  char folder[64], path[96];
  control_socket *socket;
  int came, closed;
} world;

static void has_come(void *data) {
  ((world *)data)->came++;
}

static void has_closed(void *data) {
  ((world *)data)->closed++;
}

static int begin_with(void **state, uint64_t silence_ms) {
  world *w = calloc(1, sizeof *w);
  error err = {""};
  uv_loop_init(&w->loop);
  snprintf(w->folder, sizeof w->folder, "/tmp/jaunt-control-XXXXXX");
  assert_non_null(mkdtemp(w->folder));
  snprintf(w->path, sizeof w->path, "%s/s.sock", w->folder);
  w->socket = control_socket_listen(
      &w->loop,
      &(control_socket_options){.path = w->path, .silence_ms = silence_ms, .came = has_come, .data = w},
      &err);
  if (!w->socket) fail_msg("%s", err.text);
  *state = w;
  return 0;
}

static int begin(void **state) {
  return begin_with(state, LONG_MS);
}

/* Who is silent is sent away soon. */
static int begin_hasty(void **state) {
  return begin_with(state, SHORT_MS);
}

static int end(void **state) {
  world *w = *state;
  control_socket_close(w->socket, has_closed, w);
  uv_run(&w->loop, UV_RUN_DEFAULT);
  assert_int_equal(w->closed, 1);
  assert_int_equal(access(w->path, F_OK), -1);
  assert_int_equal(uv_loop_close(&w->loop), 0);
  rmdir(w->folder);
  free(w);
  return 0;
}

static int connected(world *w) {
  error err = {""};
  int fd = control_socket_connect(w->path, &err);
  if (fd < 0) fail_msg("%s", err.text);
  return fd;
}

static void say(int fd, const char *text) {
  assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Turns the loop until the other side is closed; what came before that. */
static size_t read_to_the_end(world *w, int fd, char *out, size_t room) {
  size_t length = 0;
  for (;;) {
    ssize_t got = recv(fd, out + length, room - length, MSG_DONTWAIT);
    if (got == 0) return length;
    if (got > 0)
      length += (size_t)got;
    else
      uv_run(&w->loop, UV_RUN_ONCE);
  }
}

static void who_says_nothing_is_sent_away(void **state) {
  world *w = *state;
  char text[256];
  int silent = connected(w), half = connected(w);
  say(half, "{\"half\":");
  assert_int_equal(read_to_the_end(w, silent, text, sizeof text), 0);
  assert_int_equal(read_to_the_end(w, half, text, sizeof text), 0);
  assert_int_equal(w->came, 0);
  close(silent);
  close(half);
}

static void who_waits_for_an_answer_is_not(void **state) {
  world *w = *state;
  control_request request;
  char text[256] = "";
  int asks = connected(w);
  say(asks, "one\ntwo\n");
  while (!w->came) uv_run(&w->loop, UV_RUN_ONCE);
  int silent = connected(w);
  assert_int_equal(read_to_the_end(w, silent, text, sizeof text), 0);
  assert_true(control_socket_next(w->socket, &request));
  assert_int_equal(request.uid, getuid());
  assert_int_equal(request.pid, getpid());
  assert_memory_equal(request.line, "one", request.length);
  control_request other;
  assert_false(control_socket_next(w->socket, &other)); /* one at a time */
  assert_true(control_socket_answer(w->socket, request.client, "more", 4, false));
  assert_false(control_socket_next(w->socket, &other));
  assert_true(control_socket_answer(w->socket, request.client, "over", 4, true));
  assert_true(control_socket_next(w->socket, &request));
  assert_memory_equal(request.line, "two", request.length);
  assert_true(control_socket_answer(w->socket, request.client, "2", 1, true));
  assert_int_equal(read_to_the_end(w, asks, text, sizeof text), 12); /* then it is silent */
  assert_memory_equal(text, "more\nover\n2\n", 12);
  close(asks);
  close(silent);
}

static void who_has_left_gets_no_answer(void **state) {
  world *w = *state;
  control_request request;
  int leaves = connected(w);
  say(leaves, "one\n");
  while (!w->came) uv_run(&w->loop, UV_RUN_ONCE);
  assert_true(control_socket_next(w->socket, &request));
  close(leaves);
  control_socket_answer(w->socket, request.client, "gone", 4, true);
  for (int i = 0; i < 10; i++) uv_run(&w->loop, UV_RUN_NOWAIT);
  assert_false(control_socket_answer(w->socket, request.client, "gone", 4, true));
  assert_false(control_socket_next(w->socket, &request));
}

static void who_does_not_read_is_cut_off(void **state) {
  world *w = *state;
  control_request request;
  char *line = calloc(1, 100000);
  memset(line, 'x', 100000);
  int deaf = connected(w), other = connected(w);
  say(deaf, "one\n");
  while (!w->came) uv_run(&w->loop, UV_RUN_ONCE);
  assert_true(control_socket_next(w->socket, &request));
  int answers = 0;
  while (answers < 1000 && control_socket_answer(w->socket, request.client, line, 100000, false)) answers++;
  assert_in_range(answers, 5, 100);
  say(other, "two\n");
  while (w->came < 2) uv_run(&w->loop, UV_RUN_ONCE);
  assert_true(control_socket_next(w->socket, &request));
  assert_true(control_socket_answer(w->socket, request.client, "2", 1, true));
  close(deaf);
  close(other);
  free(line);
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define HASTY_TEST(name)   cmocka_unit_test_setup_teardown(name, begin_hasty, end)

int main(void) {
  signal(SIGPIPE, SIG_IGN); /* as the program does */
  const struct CMUnitTest tests[] = {
      HASTY_TEST(who_says_nothing_is_sent_away),
      HASTY_TEST(who_waits_for_an_answer_is_not),
      CONTROL_TEST(who_has_left_gets_no_answer),
      CONTROL_TEST(who_does_not_read_is_cut_off),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
