/* Names: looked up once for all who ask, by the wire and never by libcurl, which would start a thread for
 * each.
 *
 * This program has a getaddrinfo of its own, which libuv and libcurl find before that of the C library: it
 * knows the names below, and counts. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>

#include "http_trial.h"

enum { MANY = 200 };

/* ---- the names ---- */

static struct {
  const char *name;
  const char *addresses[2];
  _Atomic int asked;
} known[] = {
    {"vendor.test", {"127.0.0.1", NULL}, 0},
    {"first-refuses.test", {"127.0.0.2", "127.0.0.1"}, 0},
    {"first-is-silent.test", {"127.0.0.1", "127.0.0.2"}, 0},
    {"nobody.test", {NULL, NULL}, 0},
};

typedef int looking_up(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);

/* One result behind the other, as freeaddrinfo takes them. */
static int find(looking_up *real, const char *const *addresses, const struct addrinfo *hints,
                struct addrinfo **found) {
  struct addrinfo **end = found;
  *found = NULL;
  for (size_t i = 0; i < 2 && addresses[i]; i++) {
    int status = real(addresses[i], NULL, hints, end);
    if (status) return status;
    while (*end) end = &(*end)->ai_next;
  }
  return *found ? 0 : EAI_NONAME;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  looking_up *real = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo"); /* as POSIX has it: C knows no such conversion */
  for (size_t i = 0; name && i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].name, name) != 0) continue;
    atomic_fetch_add(&known[i].asked, 1);
    return find(real, known[i].addresses, hints, found);
  }
  return real(name, service, hints, found);
}

static int asked(const char *name) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].name, name) == 0) return atomic_load(&known[i].asked);
  }
  return -1;
}

static int forget(void **state) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) atomic_store(&known[i].asked, 0);
  return trial_begin(state);
}

/* Holds until the next call. */
static const char *named(const trial *t, const char *name, fault_port which) {
  static char url[100];
  snprintf(url, sizeof url, "http://%s:%d/ok", name, fault_server_port(t->server, which));
  return url;
}

static void ask_many(trial *t, const http_request *request, http_outcome outcome) {
  ending *all = mem_zero(MANY * sizeof *all);
  for (int i = 0; i < MANY; i++) begin(t, request, &all[i]);
  run_until_told(t, all, MANY);
  for (int i = 0; i < MANY; i++) {
    assert_outcome(&all[i], outcome);
    ending_free(&all[i]);
  }
  free(all);
}

/* ---- the promises ---- */

static void a_name_is_looked_up_once_for_all_who_ask(void **state) {
  trial *t = *state;
  http_request request = get(named(t, "vendor.test", FAULT_HTTP));
  for (int round = 0; round < 3; round++) ask_many(t, &request, HTTP_ANSWERED);
  assert_int_equal(asked("vendor.test"), 1);
}

static void one_look_up_is_enough_for_every_port(void **state) {
  trial *t = *state;
  http_request request = get(named(t, "vendor.test", FAULT_HTTP));
  expect_answer(t, &request, 200, "ok");
  request = get(named(t, "vendor.test", FAULT_HTTP_TOO));
  expect_answer(t, &request, 200, "ok");
  assert_int_equal(asked("vendor.test"), 1);
}

/* Another request is under way there meanwhile, so that what is known of the place is not forgotten. */
static void a_request_that_is_cut_does_not_take_the_addresses_with_it(void **state) {
  trial *t = *state;
  ending stays, e;
  char url[100];
  snprintf(url, sizeof url, "http://vendor.test:%d/never", fault_server_port(t->server, FAULT_HTTP));
  http_request request = get(url);
  begin(t, &request, &stays);
  while (!fault_server_count(t->server, "/never")) uv_run(&t->loop, UV_RUN_NOWAIT);
  request = get(named(t, "vendor.test", FAULT_HTTP));
  for (int i = 0; i < 50; i++) {
    http_cancel(begin(t, &request, &e));
    run_until_told(t, &e, 1);
    ending_free(&e);
  }
  ask_many(t, &request, HTTP_ANSWERED);
  assert_int_equal(asked("vendor.test"), 1);
  trial_close(t);
  ending_free(&stays);
}

static void a_name_that_does_not_resolve_is_told_to_all_who_asked(void **state) {
  trial *t = *state;
  http_request request = get(named(t, "nobody.test", FAULT_HTTP));
  ask_many(t, &request, HTTP_DNS);
  assert_int_equal(asked("nobody.test"), 1);
  expect_failure(t, &request, HTTP_DNS, "nobody.test does not resolve: there is no such name");
}

static void a_name_is_found_in_whatever_case_it_is_written(void **state) {
  trial *t = *state;
  http_request request = get(named(t, "Vendor.TEST", FAULT_HTTP));
  expect_answer(t, &request, 200, "ok");
  request = get(named(t, "vendor.test", FAULT_HTTP));
  expect_answer(t, &request, 200, "ok");
  assert_int_equal(asked("vendor.test"), 1);
  assert_int_equal(fault_server_connections(t->server), 1);
}

static void where_an_address_refuses_the_next_is_tried(void **state) {
  trial *t = *state;
  http_request request = get(named(t, "first-refuses.test", FAULT_HTTP));
  expect_answer(t, &request, 200, "ok");
}

/* The socket for the second address has the descriptor of the first, which libcurl has closed without a word.
 * How it ends is libcurl's affair (7.88 comes to the second address only when the time is nearly over); the
 * loop lives on. */
static void an_address_that_is_silent_does_no_harm(void **state) {
  trial *t = *state;
  http_request request = get(named(t, "first-is-silent.test", FAULT_FULL));
  request.connect_ms = SHORT_MS;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_CONNECT);
  assert_false(e.sent);
  ending_free(&e);
  request = get(named(t, "vendor.test", FAULT_HTTP));
  expect_answer(t, &request, 200, "ok");
}

#define NAMES(name) cmocka_unit_test_setup_teardown(name, forget, trial_end)

int main(void) {
  const struct CMUnitTest tests[] = {
      NAMES(a_name_is_looked_up_once_for_all_who_ask),
      NAMES(one_look_up_is_enough_for_every_port),
      NAMES(a_request_that_is_cut_does_not_take_the_addresses_with_it),
      NAMES(a_name_that_does_not_resolve_is_told_to_all_who_asked),
      NAMES(a_name_is_found_in_whatever_case_it_is_written),
      NAMES(where_an_address_refuses_the_next_is_tried),
      NAMES(an_address_that_is_silent_does_no_harm),
  };
  return TRIAL_RUN_BOTH(tests);
}
