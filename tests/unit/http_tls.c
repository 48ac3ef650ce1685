/* TLS: who is trusted, and who is not. Certificates and names are verified, whatever the request says. */
#include "http_trial.h"

static http_request trusting(trial *t, fault_port which, const char *path) {
  http_request request = get(at(t, which, path));
  request.ca_file = fault_server_ca(t->server);
  return request;
}

static void a_good_certificate_is_accepted_with_its_authority(void **state) {
  trial *t = *state;
  http_request request = trusting(t, FAULT_HTTPS, "/ok");
  for (int i = 0; i < 3; i++) expect_answer(t, &request, 200, "ok");
  assert_int_equal(fault_server_connections(t->server), 1);
}

/* No byte of a request is shown to a server that isn't who it should be. */
static void refused(trial *t, const http_request *request, const char *word) {
  ending e = ask(t, request);
  assert_outcome(&e, HTTP_TLS);
  assert_has(e.detail, word);
  assert_false(e.sent);
  assert_int_equal(e.sends, 0);
  assert_int_equal(e.status, 0);
  assert_int_equal(fault_server_count(t->server, "/ok"), 0);
  ending_free(&e);
}

static void an_expired_certificate_is_refused(void **state) {
  http_request request = trusting(*state, FAULT_EXPIRED, "/ok");
  refused(*state, &request, "expired");
}

static void a_certificate_for_another_name_is_refused(void **state) {
  http_request request = trusting(*state, FAULT_WRONG_NAME, "/ok");
  refused(*state, &request, "another name");
}

static void a_self_signed_certificate_is_refused(void **state) {
  http_request request = trusting(*state, FAULT_SELF_SIGNED, "/ok");
  refused(*state, &request, "self-signed");
}

static void an_authority_that_nobody_named_is_not_trusted(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTPS, "/ok"));
  refused(t, &request, "not accepted");
}

/* Handles are used again: what one request trusts must not be left for the next, nor taken from it. */
static void what_one_request_trusts_the_next_does_not(void **state) {
  trial *t = *state;
  http_request request = trusting(t, FAULT_HTTPS, "/status/204"), without = get(at(t, FAULT_HTTPS, "/ok"));
  for (int i = 0; i < 3; i++) {
    expect_answer(t, &request, 204, "");
    refused(t, &without, "not accepted");
  }
}

static void a_ca_file_that_is_not_there_is_named(void **state) {
  trial *t = *state;
  http_request request = get(at(t, FAULT_HTTPS, "/ok"));
  request.ca_file = "/nowhere/ca.pem";
  refused(t, &request, "/nowhere/ca.pem");
  request.ca_file = fault_server_ca(t->server);
  expect_answer(t, &request, 200, "ok");
}

static void a_server_without_tls_is_a_failed_handshake(void **state) {
  trial *t = *state;
  char url[64];
  snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", fault_server_port(t->server, FAULT_HTTP));
  http_request request = get(url);
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_TLS);
  assert_false(e.sent);
  ending_free(&e);
}

static void a_handshake_that_never_ends_is_ended_by_the_connect_timeout(void **state) {
  trial *t = *state;
  char url[64];
  snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", fault_server_port(t->server, FAULT_MUTE));
  http_request request = get(url);
  request.connect_ms = SHORT_MS;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_CONNECT);
  assert_has(e.detail, "no TLS connection to");
  assert_true(e.ms >= SHORT_MS - ROUNDING_MS);
  assert_false(e.sent);
  ending_free(&e);
  request = trusting(t, FAULT_HTTPS, "/ok");
  expect_answer(t, &request, 200, "ok");
}

static void faults_are_the_same_behind_tls(void **state) {
  static const struct {
    const char *path;
    http_outcome outcome;
  } faults[] = {
      {"/reset-early", HTTP_RESET},   {"/close-early", HTTP_RESET},  {"/short", HTTP_RESET},
      {"/short-headers", HTTP_RESET}, {"/bad-chunk", HTTP_PROTOCOL}, {"/many-headers", HTTP_TOO_LARGE},
      {"/garbage", HTTP_PROTOCOL},
  };
  trial *t = *state;
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    http_request request = trusting(t, FAULT_HTTPS, faults[i].path);
    expect_failure(t, &request, faults[i].outcome, "127.0.0.1:");
    request = trusting(t, FAULT_HTTPS, "/ok");
    expect_answer(t, &request, 200, "ok");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TRIAL(a_good_certificate_is_accepted_with_its_authority),
      TRIAL(an_expired_certificate_is_refused),
      TRIAL(a_certificate_for_another_name_is_refused),
      TRIAL(a_self_signed_certificate_is_refused),
      TRIAL(an_authority_that_nobody_named_is_not_trusted),
      TRIAL(what_one_request_trusts_the_next_does_not),
      TRIAL(a_ca_file_that_is_not_there_is_named),
      TRIAL(a_server_without_tls_is_a_failed_handshake),
      TRIAL(a_handshake_that_never_ends_is_ended_by_the_connect_timeout),
      TRIAL(faults_are_the_same_behind_tls),
  };
  return cmocka_run_group_tests(tests, trial_process, NULL);
}
