/* A command whose engine does not start, because the system gives it no thread: it says so, and leaves nothing open.
 *
 * This program has a pthread_create of its own, which libuv and the watchdog find before that of the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/json_module.h"
#include "native/control.h"
#include "native/native.h"

static int threads_left;

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *data) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  if (threads_left-- <= 0) return EAGAIN;
  return real(thread, how, run, data);
}

/* What a plain script needs. */
static const luaL_Reg natives[] = {
    {"json", bind_json_open},
    {"jaunt.native.audience", native_audience_open},
    {"jaunt.native.connections", native_connections_open},
    {"jaunt.native.engine", native_engine_open},
    {"jaunt.native.control", native_control_open},
    {"jaunt.native.fs", native_fs_open},
    {"jaunt.native.host", native_host_open},
    {"jaunt.native.term", native_term_open},
    {"jaunt.native.text", native_text_open},
    {NULL, NULL},
};

/* Runs an empty script with so many threads to be had, and looks at what control_free has to say. */
static void expect_failure(int threads, const char *words) {
  char path[] = "/tmp/jaunt-start-XXXXXX.lua", said[256] = "";
  error err;
  close(mkstemps(path, 4));
  control *c = control_new(natives, &err);
  assert_non_null(c);
  threads_left = threads;
  char *args[] = {"run", path};
  assert_int_equal(control_run(c, "jaunt.cli", 2, args), 2);
  assert_non_null(strstr(buf_text(&c->complaint), words));
  FILE *told = tmpfile();
  int own = dup(STDERR_FILENO);
  dup2(fileno(told), STDERR_FILENO);
  control_free(c);
  dup2(own, STDERR_FILENO);
  close(own);
  rewind(told);
  (void)!fread(said, 1, sizeof said - 1, told);
  fclose(told);
  unlink(path);
  assert_string_equal(said, "");
}

static void without_a_thread_for_the_worker_nothing_is_left_open(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) expect_failure(0, "no thread for another worker");
}

static void without_a_thread_for_the_watchdog_nothing_is_left_open(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) expect_failure(1, "no thread for the watchdog");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_thread_for_the_worker_nothing_is_left_open),
      cmocka_unit_test(without_a_thread_for_the_watchdog_nothing_is_left_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
