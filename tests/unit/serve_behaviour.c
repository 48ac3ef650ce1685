/* The behaviour file's bounds: whatever a route does, it is over in time, and the next request is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "serve/vendor_behaviour_parts.h"

static const char FILE_TEXT[] =
    "local function for_ever() while true do end end\n"
    "local function caught() while true do pcall(for_ever) end end\n"
    "return { crm = {\n"
    "  ['GET /plain'] = for_ever,\n"
    "  ['GET /caught'] = caught,\n"
    "  ['GET /deeper'] = function() while true do pcall(caught) end end,\n"
    "  ['GET /wrapped'] = function() coroutine.wrap(for_ever)() end,\n"
    "  ['GET /resumed'] = function()\n"
    "    while true do coroutine.resume(coroutine.create(caught)) end\n"
    "  end,\n"
    "  ['GET /large'] = function() local s = 'x' while true do s = s .. s end end,\n"
    "  ['GET /well'] = function() return 201 end,\n"
    "} }\n";

static int load(void **state) {
  char path[] = "/tmp/behaviour-XXXXXX";
  int fd = mkstemp(path);
  error err = {""};
  assert_true(fd >= 0);
  assert_int_equal(write(fd, FILE_TEXT, sizeof FILE_TEXT - 1), (ssize_t)(sizeof FILE_TEXT - 1));
  close(fd);
  vendor_behaviour *b = vendor_behaviour_load(path, 1, &(vendor_faults){0}, &err);
  unlink(path);
  if (!b) fail_msg("%s", err.text);
  b->call_most_ns = 10000000;
  *state = b;
  return 0;
}

static int unload(void **state) {
  vendor_behaviour_free(*state);
  return 0;
}

/* What the file answers; its body is added to `said`. */
static vendor_behaved ask(vendor_behaviour *b, const char *target, int *status, buf *said) {
  vendor_request *r = vendor_request_new(target);
  vendor_answer answer = {0};
  r->method = mem_text("GET");
  vendor_request_settle(r, NULL);
  vendor_behaved behaved = vendor_behaviour_answer(b, r, &answer);
  *status = answer.status;
  buf_add(said, answer.body.data, answer.body.len);
  vendor_answer_free(&answer);
  vendor_request_free(r);
  return behaved;
}

static void assert_ended(vendor_behaviour *b, const char *target, const char *why) {
  int status;
  buf said = BUF_EMPTY;
  assert_int_equal(ask(b, target, &status, &said), BEHAVED_IN_ERROR);
  assert_int_equal(status, 500);
  assert_non_null(strstr(buf_text(&said), why));
  buf_clear(&said);
  assert_int_equal(ask(b, "/crm/well", &status, &said), BEHAVED_WELL);
  assert_int_equal(status, 201);
  buf_free(&said);
}

static void a_route_that_never_ends_is_ended(void **state) {
  assert_ended(*state, "/crm/plain", "took longer");
}

static void a_route_cannot_catch_the_end_of_its_time(void **state) {
  assert_ended(*state, "/crm/caught", "took longer");
  assert_ended(*state, "/crm/deeper", "took longer");
}

static void a_coroutine_does_not_escape_the_time(void **state) {
  assert_ended(*state, "/crm/wrapped", "took longer");
  assert_ended(*state, "/crm/resumed", "took longer");
}

static void memory_is_bounded(void **state) {
  ((vendor_behaviour *)*state)->call_most_ns = INT64_MAX / 4;
  assert_ended(*state, "/crm/large", "not enough memory");
}

#define BEHAVIOUR_TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)

int main(void) {
  const struct CMUnitTest tests[] = {
      BEHAVIOUR_TEST(a_route_that_never_ends_is_ended),
      BEHAVIOUR_TEST(a_route_cannot_catch_the_end_of_its_time),
      BEHAVIOUR_TEST(a_coroutine_does_not_escape_the_time),
      BEHAVIOUR_TEST(memory_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
