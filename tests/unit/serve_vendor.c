/* The pretend vendor: its faults fall the same way in any order, nothing is processed twice under one key,
 * and it remembers what it was sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "serve/vendor.h"
#include "serve_talk.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static vendor *start(vendor_options options) {
  error err;
  vendor *v = vendor_start(&options, &err);
  if (v == NULL) fail_msg("%s", err.text);
  return v;
}

/* A behaviour file of its own, removed by the caller. */
static void write_file(char path[64], const char *text) {
  strcpy(path, "/tmp/jaunt-vendor-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static vendor *start_with(const char *behaviour, vendor_options options) {
  char path[64];
  write_file(path, behaviour);
  options.behaviour = path;
  vendor *v = start(options);
  unlink(path);
  return v;
}

static int post_key(int port, const char *key, const char *body) {
  char header[128];
  snprintf(header, sizeof header, "Idempotency-Key: %s\r\n", key);
  return talk_status(port, "POST", "/crm/v2/leads", header, body);
}

static void assert_answers(int port, const char *method, const char *target, const char *headers,
                           const char *body, int status, const char *expected) {
  reply r = talk_once(port, method, target, headers, body);
  assert_int_equal(r.status, status);
  if (strstr(buf_text(&r.body), expected) == NULL) fail_msg("%s is not in %s", expected, r.body.data);
  reply_free(&r);
}

static void assert_received(int port, const char *query, const char *expected) {
  char target[256];
  snprintf(target, sizeof target, "/_received%s", query);
  assert_answers(port, "GET", target, "", "", 200, expected);
}

/* ---- answering and remembering ---- */

static void every_path_is_answered_and_counted(void **state) {
  (void)state;
  vendor *v = start((vendor_options){0});
  int port = vendor_port(v);
  assert_answers(port, "GET", "/_health", "", "", 200, "{\"ok\":true}");
  assert_answers(port, "POST", "/crm/v2/leads", "", "{}", 200, "{\"ok\":true}");
  assert_answers(port, "PATCH", "/crm/v2/leads/caf%C3%A9%2F1?a=1", "", "", 200, "{\"ok\":true}");
  assert_answers(port, "GET", "/", "", "", 200, "{\"ok\":true}");
  assert_received(port, "", "\"requests\":3,\"accepted\":3,");
  assert_received(port, "", "\"by_connection\":{\"\":{\"requests\":1,");
  assert_received(port, "", "\"crm\":{\"requests\":2,");
  assert_received(port, "", "\"PATCH /crm/v2/leads/café/1\":{\"requests\":1,");
  assert_int_equal(vendor_count(v).requests, 3);
  assert_answers(port, "GET", "/_reset", "", "", 405, "POST");
  assert_answers(port, "GET", "/_nothing", "", "", 404, "_received");
  assert_answers(port, "POST", "/_reset", "", "", 200, "ok");
  assert_received(port, "?items=1", "\"by_path\":{},\"items\":[],\"next_offset\":null}");
  vendor_stop(v);
}

static void what_was_sent_is_told_without_secrets(void **state) {
  (void)state;
  vendor *v = start((vendor_options){0});
  int port = vendor_port(v);
  int status =
      talk_status(port, "POST", "/crm/leads?q=a%20b%26&api_key=hush1",
                  "Idempotency-Key: k1\r\nAuthorization: Bearer hush2\r\nX-Api-Key: hush3\r\nX-Name: a\r\n"
                  "x-name: b\r\n",
                  "{\"name\":\"Zo\u00eb \\\"x\\\"\"}");
  assert_int_equal(status, 200);
  reply r = talk_once(port, "GET", "/_received?key=k1", "", "");
  assert_int_equal(r.status, 200);
  static const char *const told[] = {"\"key\":\"k1\"",
                                     "\"method\":\"POST\"",
                                     "\"path\":\"/crm/leads\"",
                                     "\"q\":\"a b&\"",
                                     "\"api_key\":true",
                                     "\"authorization\":true",
                                     "\"x-api-key\":true",
                                     "\"idempotency-key\":\"k1\"",
                                     "\"x-name\":\"a, b\"",
                                     "\"attempts\":1,\"accepted\":1,\"statuses\":[200]",
                                     "\"body\":\"{\\\"name\\\":\\\"Zo\u00eb \\\\\\\"x\\\\\\\"\\\"}\""};
  for (size_t i = 0; i < COUNT(told); i++)
    if (strstr(r.body.data, told[i]) == NULL) fail_msg("%s is not in %s", told[i], r.body.data);
  assert_null(strstr(r.body.data, "hush"));
  reply_free(&r);
  assert_answers(port, "GET", "/_received?key=k2", "", "", 404, "error");
  vendor_stop(v);
}

static void a_body_that_is_no_text_is_told_by_its_length(void **state) {
  (void)state;
  vendor *v = start((vendor_options){0});
  int fd = talk_connect(vendor_port(v));
  talk_send(fd, "PUT", "/files/1", "Idempotency-Key: bin\r\n", "\xff\x00\x01", 3);
  reply r = talk_receive(fd);
  assert_int_equal(r.status, 200);
  reply_free(&r);
  enum { LARGE = 3000000 };
  char *large = malloc(LARGE);
  memset(large, 'x', LARGE);
  talk_send(fd, "PUT", "/files/2", "Idempotency-Key: large\r\n", large, LARGE);
  r = talk_receive(fd);
  assert_int_equal(r.status, 200);
  reply_free(&r);
  free(large);
  close(fd);
  assert_received(vendor_port(v), "?key=bin", "\"body\":{\"bytes\":3}");
  assert_received(vendor_port(v), "?key=large", "\"body\":{\"bytes\":3000000}");
  vendor_stop(v);
}

static void what_was_received_is_told_page_by_page_and_the_oldest_is_forgotten(void **state) {
  (void)state;
  vendor *v = start((vendor_options){.remember = 10});
  int port = vendor_port(v);
  for (int i = 0; i < 25; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(post_key(port, key, "{}"), 200);
  }
  assert_received(port, "", "\"requests\":25,\"accepted\":25,");
  assert_received(port, "", "\"remembered\":10,\"forgotten\":15");
  assert_received(port, "?items=1&limit=1", "\"items\":[{\"key\":\"k15\"");
  assert_received(port, "?items=1&limit=4&offset=4", "\"next_offset\":8}");
  assert_received(port, "?items=1&limit=4&offset=9", "\"items\":[{\"key\":\"k24\"");
  assert_received(port, "?items=1&limit=4&offset=9", "\"next_offset\":null}");
  assert_received(port, "?items=1&offset=99", "\"items\":[],\"next_offset\":null}");
  vendor_stop(v);
}

/* ---- keys ---- */

static const char counting[] = "local n = 0\n"
                               "return { crm = { ['POST /leads'] = function(request)\n"
                               "  n = n + 1\n"
                               "  return 201, { n = n }, { ['X-N'] = tostring(n) }\n"
                               "end } }\n";

static void a_key_that_was_accepted_is_answered_again_and_not_processed_again(void **state) {
  (void)state;
  vendor *v = start_with(counting, (vendor_options){0});
  int port = vendor_port(v);
  static const char key[] = "Idempotency-Key: one\r\n";
  for (int i = 0; i < 3; i++) {
    reply r = talk_once(port, "POST", "/crm/v2/leads", key, "{}");
    assert_int_equal(r.status, 201);
    assert_string_equal(r.body.data, "{\"n\":1}");
    assert_memory_equal(reply_header(&r, "x-n"), "1\r\n", 3);
    assert_int_equal(reply_header(&r, "idempotent-replay") != NULL, i > 0);
    reply_free(&r);
  }
  vendor_counts counts = vendor_count(v);
  assert_int_equal(counts.requests, 3);
  assert_int_equal(counts.accepted, 1);
  assert_int_equal(counts.repeats, 2);
  assert_received(port, "?key=one", "\"attempts\":3,\"accepted\":1,\"statuses\":[201,201,201]");
  vendor_stop(v);
}

static void one_key_with_two_bodies_is_refused_and_told(void **state) {
  (void)state;
  vendor *v = start((vendor_options){0});
  int port = vendor_port(v);
  assert_int_equal(post_key(port, "k", "{\"a\":1}"), 200);
  assert_int_equal(post_key(port, "k", "{\"a\":2}"), 422);
  assert_int_equal(post_key(port, "k", "{\"a\":1}"), 200);
  vendor_counts counts = vendor_count(v);
  assert_int_equal(counts.two_bodies, 1);
  assert_int_equal(counts.refused, 1);
  assert_int_equal(counts.repeats, 1);
  vendor_stop(v);
}

static void what_has_no_key_is_accepted_each_time_and_told_as_double(void **state) {
  (void)state;
  vendor *v = start_with("return { crm = { idempotent = 'X-Own-Key' }, sms = { idempotent = false } }",
                         (vendor_options){0});
  int port = vendor_port(v);
  static const char key[] = "Idempotency-Key: k\r\n", own[] = "X-Own-Key: k2\r\n";
  for (int i = 0; i < 2; i++) {
    assert_int_equal(talk_status(port, "POST", "/sms/send", key, "same"), 200);
    assert_int_equal(talk_status(port, "POST", "/crm/leads", own, "same"), 200);
    assert_int_equal(talk_status(port, "POST", "/email/send", "", "same"), 200);
  }
  vendor_counts counts = vendor_count(v);
  assert_int_equal(counts.requests, 6);
  assert_int_equal(counts.accepted, 5);
  assert_int_equal(counts.doubles, 2);
  assert_int_equal(counts.repeats, 1);
  vendor_stop(v);
}

/* ---- faults ---- */

enum { KEYS = 300, ATTEMPTS = 3 };

/* Sends every key ATTEMPTS times, in the order that `stride` gives, and notes how each attempt ended. */
static vendor_counts send_all(uint64_t seed, int stride, int outcomes[KEYS][ATTEMPTS]) {
  vendor *v = start((vendor_options){.seed = seed, .fail = 0.2, .reset = 0.2});
  int seen[KEYS] = {0};
  for (int i = 0; i < KEYS * ATTEMPTS; i++) {
    char key[32];
    int k = (int)((long)i * stride % KEYS);
    snprintf(key, sizeof key, "key-%d", k);
    outcomes[k][seen[k]++] = post_key(vendor_port(v), key, "{}");
  }
  vendor_counts counts = vendor_count(v);
  vendor_stop(v);
  return counts;
}

static void faults_do_not_depend_on_the_order_of_arrival(void **state) {
  (void)state;
  static int forward[KEYS][ATTEMPTS], shuffled[KEYS][ATTEMPTS], other[KEYS][ATTEMPTS];
  vendor_counts a = send_all(7, 1, forward), b = send_all(7, 77 + KEYS * 2, shuffled);
  send_all(8, 1, other);
  assert_memory_equal(forward, shuffled, sizeof forward);
  assert_memory_equal(&a, &b, sizeof a);
  assert_memory_not_equal(forward, other, sizeof forward);
  assert_int_equal(a.requests, a.accepted + a.refused + a.failed + a.repeats + (a.reset - a.lost));
  assert_in_range(a.failed, 120, 240); /* 180 expected */
  assert_in_range(a.reset, 120, 240);
  assert_in_range(a.lost, 50, 130);
}

static void a_reset_is_seen_as_one_and_half_of_them_come_after_it_was_accepted(void **state) {
  (void)state;
  vendor *v = start((vendor_options){.reset = 1, .seed = 3});
  for (int i = 0; i < 200; i++) {
    char key[16];
    snprintf(key, sizeof key, "%d", i);
    assert_int_equal(post_key(vendor_port(v), key, "{}"), 0); /* ECONNRESET, and nothing else */
  }
  vendor_counts counts = vendor_count(v);
  assert_int_equal(counts.reset, 200);
  assert_int_equal(counts.accepted, counts.lost);
  assert_in_range(counts.accepted, 70, 130);
  assert_received(vendor_port(v), "?key=0", "\"statuses\":[0]");
  vendor_stop(v);
}

static void a_connection_may_have_faults_of_its_own(void **state) {
  (void)state;
  vendor *v =
      start_with("return { sms = { fail = '100%' }, crm = { fail = 0, reset = 0.0, latency = '1ms' } }",
                 (vendor_options){.reset = 1});
  int port = vendor_port(v);
  assert_int_equal(talk_status(port, "POST", "/sms/x", "", ""), 503);
  assert_int_equal(talk_status(port, "POST", "/crm/x", "", ""), 200);
  assert_int_equal(talk_status(port, "POST", "/email/x", "", ""), 0);
  vendor_stop(v);
}

/* ---- latency ---- */

static void latency_holds_answers_back_and_nobody_else(void **state) {
  (void)state;
  enum { CLIENTS = 50, LATENCY = 400 };
  vendor *v = start((vendor_options){.latency_ms = LATENCY});
  int port = vendor_port(v), fds[CLIENTS];
  int64_t began = clock_mono_ns();
  for (int i = 0; i < CLIENTS; i++) {
    fds[i] = talk_connect(port);
    talk_send(fds[i], "POST", "/crm/leads", "", "{}", 2);
  }
  assert_answers(port, "GET", "/_health", "", "", 200, "ok");
  for (int i = 0; i < CLIENTS; i++) {
    reply r = talk_receive(fds[i]);
    assert_int_equal(r.status, 200);
    reply_free(&r);
    close(fds[i]);
    assert_true(clock_mono_ns() - began >= (int64_t)LATENCY * 1000000);
  }
  /* one after another they would have taken 20 s */
  assert_true(clock_mono_ns() - began < (int64_t)CLIENTS * LATENCY * 1000000 / 2);
  vendor_stop(v);
}

static void it_stops_while_answers_are_held_back(void **state) {
  (void)state;
  vendor *v = start((vendor_options){.latency_ms = 3600 * 1000});
  int fds[20];
  for (size_t i = 0; i < COUNT(fds); i++) {
    fds[i] = talk_connect(vendor_port(v));
    talk_send(fds[i], "POST", "/crm/leads", "", "{}", 2);
  }
  while (vendor_count(v).requests < COUNT(fds)) usleep(1000);
  vendor_stop(v);
  for (size_t i = 0; i < COUNT(fds); i++) {
    reply r = talk_receive(fds[i]);
    assert_true(r.status <= 0);
    reply_free(&r);
    close(fds[i]);
  }
}

/* ---- connections ---- */

static void hundreds_of_connections_are_kept_alive(void **state) {
  (void)state;
  enum { CLIENTS = 200, ROUNDS = 5 };
  vendor *v = start((vendor_options){.latency_ms = 1});
  int fds[CLIENTS];
  for (int i = 0; i < CLIENTS; i++) fds[i] = talk_connect(vendor_port(v));
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < CLIENTS; i++) {
      char key[64];
      snprintf(key, sizeof key, "Idempotency-Key: %d-%d\r\n", round, i);
      talk_send(fds[i], "POST", "/crm/leads", key, "{}", 2);
    }
    for (int i = 0; i < CLIENTS; i++) {
      reply r = talk_receive(fds[i]);
      assert_int_equal(r.status, 200);
      reply_free(&r);
    }
  }
  for (int i = 0; i < CLIENTS; i++) close(fds[i]);
  assert_int_equal(vendor_count(v).accepted, CLIENTS * ROUNDS);
  vendor_stop(v);
}

/* ---- behaviour ---- */

static const char behaving[] =
    "return {\n"
    "  shop = {\n"
    "    ['GET /orders/:id'] = function(r) return 200, { id = r.params.id, q = r.query.q } end,\n"
    "    ['GET /orders/new'] = function(r) return 200, 'a text' end,\n"
    "    ['ANY /files/*'] = function(r) return 200, { rest = r.params.rest, method = r.method } end,\n"
    "    ['POST /json'] = function(r) return r.json and 200 or 400, { n = r.json and r.json.n, why = "
    "r.json_error } end,\n"
    "    ['POST /form'] = function(r) return 200, r.form end,\n"
    "    ['POST /about'] = function(r) return 200, { r.key or 'none', r.attempt, r.path, r.connection, "
    "r.body,\n"
    "      r.headers['x-name'], #r.id, json.encode { 1 } } end,\n"
    "    ['POST /headers'] = function() return 202, nil, { ['X-Message-Id'] = 'm1' } end,\n"
    "    ['POST /nothing'] = function() end,\n"
    "    ['POST /fails'] = function(r) return r.missing.field end,\n"
    "    ['POST /status'] = function() return 'ok' end,\n"
    "    ['POST /body'] = function() return 200, print end,\n"
    "    ['POST /split'] = function() return 200, '', { ['X-A'] = 'a\\r\\nX-B: b' } end,\n"
    "    ['POST /nan'] = function() return 200, { price = 0 / 0 } end,\n"
    "    ['POST /hungry'] = function() return 200, ('x'):rep(1 << 29) end,\n"
    "    ['POST /thrown'] = function() error({}) end,\n"
    "  },\n"
    "  old = { prefix = '/v1', ['GET /a'] = function() return 200, { old = true } end },\n"
    "}\n";

static void a_behaviour_says_how_paths_answer(void **state) {
  (void)state;
  vendor *v = start_with(behaving, (vendor_options){0});
  int port = vendor_port(v);
  static const char is_form[] = "Content-Type: application/x-www-form-urlencoded\r\n";
  assert_answers(port, "GET", "/shop/orders/a%2Fb?q=x+y", "", "", 200, "{\"id\":\"a/b\",\"q\":\"x y\"}");
  assert_answers(port, "GET", "/shop/api/v2/orders/7", "", "", 200, "{\"id\":\"7\"}");
  assert_answers(port, "GET", "/shop/orders/new", "", "", 200, "a text");
  assert_answers(port, "DELETE", "/shop/files/a/b%20c", "", "", 200,
                 "{\"method\":\"DELETE\",\"rest\":\"/a/b c\"}");
  assert_answers(port, "POST", "/shop/json", "", "{\"n\":12345678901234567}", 200,
                 "{\"n\":12345678901234567}");
  assert_answers(port, "POST", "/shop/json", "", "{\"n\":", 400, "line 1");
  assert_answers(port, "POST", "/shop/form", is_form, "a=1%2B&b=%F0%9F%8E%89", 200,
                 "{\"a\":\"1+\",\"b\":\"🎉\"}");
  assert_answers(port, "POST", "/shop/about", "X-Name: x\r\n", "body", 200,
                 "[\"none\",1,\"/about\",\"shop\",\"body\",\"x\",32,\"[1]\"]");
  assert_answers(port, "POST", "/shop/about", "X-Name: x\r\nIdempotency-Key: k\r\n", "body", 200,
                 "[\"k\",1,");
  assert_answers(port, "POST", "/shop/nothing", "", "", 200, "{\"ok\":true}");
  assert_answers(port, "POST", "/shop/unknown", "", "", 200, "{\"ok\":true}");
  assert_answers(port, "GET", "/old/v1/a", "", "", 200, "{\"old\":true}");
  assert_answers(port, "GET", "/old/a", "", "", 200, "{\"ok\":true}");
  reply r = talk_once(port, "POST", "/shop/headers", "", "");
  assert_int_equal(r.status, 202);
  assert_int_equal(r.body.len, 0);
  assert_memory_equal(reply_header(&r, "x-message-id"), "m1", 2);
  reply_free(&r);
  vendor_stop(v);
}

static void an_error_in_the_behaviour_answers_500_with_its_text(void **state) {
  (void)state;
  static const struct {
    const char *target, *expected;
  } errors[] = {
      {"/shop/fails", "field 'missing'"},  {"/shop/status", "whole number from 200 to 599"},
      {"/shop/body", "is a function"},     {"/shop/split", "X-A"},
      {"/shop/nan", "body.price is NaN"},  {"/shop/hungry", "not enough memory"},
      {"/shop/thrown", "that is no text"},
  };
  vendor *v = start_with(behaving, (vendor_options){0});
  for (int again = 0; again < 3; again++) /* the state is sound afterwards */
    for (size_t i = 0; i < COUNT(errors); i++)
      assert_answers(vendor_port(v), "POST", errors[i].target, "", "", 500, errors[i].expected);
  assert_int_equal(vendor_count(v).errors, 3 * COUNT(errors));
  assert_int_equal(vendor_count(v).refused, 3 * COUNT(errors));
  vendor_stop(v);
}

static void a_behaviour_file_that_makes_no_sense_is_refused_in_words(void **state) {
  (void)state;
  static const struct {
    const char *text, *expected;
  } files[] = {
      {"return {", "unexpected symbol"},
      {"return 1", "returns no table"},
      {"error('own words')", "own words"},
      {"return { crm = 1 }", "crm is no table"},
      {"return { function() end }", "not named"},
      {"return { crm = { latancy = '1s' } }", "crm.latancy is not known"},
      {"return { crm = { latency = 'soon' } }", "crm.latency"},
      {"return { crm = { fail = 2 } }", "from 0 to 1"},
      {"return { crm = { fail = '60%', reset = 0.5 } }", "more than all"},
      {"return { crm = { fail = '60' } }", "is a share"},
      {"return { crm = { idempotent = true } }", "crm.idempotent"},
      {"return { crm = { prefix = 'v2' } }", "crm.prefix"},
      {"return { crm = { ['POST leads'] = print } }", "is no route"},
      {"return { crm = { ['POST /a/*/b'] = print } }", "is no route"},
      {"return { crm = { ['POST /a'] = {} } }", "is no function"},
  };
  for (size_t i = 0; i < COUNT(files); i++) {
    char path[64];
    error err = {""};
    write_file(path, files[i].text);
    assert_null(vendor_start(&(vendor_options){.behaviour = path}, &err));
    unlink(path);
    if (strstr(err.text, files[i].expected) == NULL)
      fail_msg("\"%s\" is not in \"%s\"", files[i].expected, err.text);
  }
  error err = {""};
  assert_null(vendor_start(&(vendor_options){.behaviour = "/nowhere/vendor.lua"}, &err));
  assert_non_null(strstr(err.text, "/nowhere/vendor.lua"));
}

static void options_that_make_no_sense_are_refused_in_words(void **state) {
  (void)state;
  error err = {""};
  vendor *v = start((vendor_options){0});
  assert_null(vendor_start(&(vendor_options){.port = vendor_port(v)}, &err));
  assert_non_null(strstr(err.text, "already in use"));
  vendor_stop(v);
  assert_null(vendor_start(&(vendor_options){.fail = 0.6, .reset = 0.6}, &err));
  assert_null(vendor_start(&(vendor_options){.fail = -0.1}, &err));
  assert_null(vendor_start(&(vendor_options){.port = 70000}, &err));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_path_is_answered_and_counted),
      cmocka_unit_test(what_was_sent_is_told_without_secrets),
      cmocka_unit_test(a_body_that_is_no_text_is_told_by_its_length),
      cmocka_unit_test(what_was_received_is_told_page_by_page_and_the_oldest_is_forgotten),
      cmocka_unit_test(a_key_that_was_accepted_is_answered_again_and_not_processed_again),
      cmocka_unit_test(one_key_with_two_bodies_is_refused_and_told),
      cmocka_unit_test(what_has_no_key_is_accepted_each_time_and_told_as_double),
      cmocka_unit_test(faults_do_not_depend_on_the_order_of_arrival),
      cmocka_unit_test(a_reset_is_seen_as_one_and_half_of_them_come_after_it_was_accepted),
      cmocka_unit_test(a_connection_may_have_faults_of_its_own),
      cmocka_unit_test(latency_holds_answers_back_and_nobody_else),
      cmocka_unit_test(it_stops_while_answers_are_held_back),
      cmocka_unit_test(hundreds_of_connections_are_kept_alive),
      cmocka_unit_test(a_behaviour_says_how_paths_answer),
      cmocka_unit_test(an_error_in_the_behaviour_answers_500_with_its_text),
      cmocka_unit_test(a_behaviour_file_that_makes_no_sense_is_refused_in_words),
      cmocka_unit_test(options_that_make_no_sense_are_refused_in_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
