/* Redirects: followed only if asked, and never with what is private to another place. */
#include "http_trial.h"

/* /redirect/STATUS?URL at one port, the URL being `path` at another. */
static const char *pointing(trial *t, int status, fault_port from, fault_port to, const char *path) {
  char text[600];
  snprintf(text, sizeof text, "/redirect/%d?%s", status, at(t, to, path));
  return at(t, from, text);
}

static const char *const secrets[] = {"Authorization: Bearer hush", "Cookie: session=hush", "X-Api-Key: hush",
                                      "X-Public: everybody", NULL};
static const char *const private_names[] = {"x-api-key", NULL};

static http_request following(const char *url) {
  http_request request = get(url);
  request.follow = 5;
  request.headers = secrets;
  request.private_headers = private_names;
  return request;
}

static void a_redirect_is_an_answer_unless_following_is_asked_for(void **state) {
  trial *t = *state;
  http_request request = get(pointing(t, 302, FAULT_HTTP, FAULT_HTTP, "/ok"));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 302);
  assert_has(buf_text(&e.headers), "Location: http://127.0.0.1:");
  assert_int_equal(fault_server_count(t->server, "/ok"), 0);
  ending_free(&e);
}

static void a_followed_redirect_gives_only_the_last_answer(void **state) {
  trial *t = *state;
  http_request request = following(pointing(t, 302, FAULT_HTTP, FAULT_HTTP, "/ok"));
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 200);
  assert_string_equal(buf_text(&e.body), "ok");
  assert_lacks(buf_text(&e.headers), "Location");
  assert_int_equal(e.sends, 1);
  ending_free(&e);
}

static void a_loop_ends(void **state) {
  trial *t = *state;
  http_request request = following(at(t, FAULT_HTTP, "/loop"));
  expect_failure(t, &request, HTTP_REDIRECT, "more than 5 redirects");
  assert_int_equal(fault_server_count(t->server, "/loop"), 6);
}

/* ---- what stays at home ---- */

static void private_headers_stay_within_their_origin(void **state) {
  trial *t = *state;
  http_request request = following(pointing(t, 302, FAULT_HTTP, FAULT_HTTP, "/echo"));
  ending e = ask(t, &request);
  assert_has(buf_text(&e.body), "Authorization: Bearer hush\r\n");
  assert_has(buf_text(&e.body), "Cookie: session=hush\r\n");
  assert_has(buf_text(&e.body), "X-Api-Key: hush\r\n");
  ending_free(&e);
}

static void nothing_private_arrives(trial *t, const http_request *request) {
  ending e = ask(t, request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_int_equal(e.status, 200);
  assert_has(buf_text(&e.body), "X-Public: everybody\r\n");
  assert_lacks(buf_text(&e.body), "hush");
  ending_free(&e);
}

static void private_headers_never_go_to_another_port(void **state) {
  static const int statuses[] = {301, 302, 303, 307, 308};
  trial *t = *state;
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    http_request request = following(pointing(t, statuses[i], FAULT_HTTP, FAULT_HTTP_TOO, "/echo"));
    nothing_private_arrives(t, &request);
  }
}

static void private_headers_never_go_to_another_host(void **state) {
  trial *t = *state;
  char path[600];
  snprintf(path, sizeof path, "/redirect/302?http://localhost:%d/echo",
           fault_server_port(t->server, FAULT_HTTP));
  http_request request = following(at(t, FAULT_HTTP, path));
  nothing_private_arrives(t, &request);
}

static void private_headers_never_go_to_another_scheme(void **state) {
  trial *t = *state;
  http_request request = following(pointing(t, 302, FAULT_HTTP, FAULT_HTTPS, "/echo"));
  request.ca_file = fault_server_ca(t->server);
  nothing_private_arrives(t, &request);
}

/* By way of another port, and on from there to a third place. */
static void private_headers_do_not_come_back_further_on(void **state) {
  trial *t = *state;
  char first[1000];
  snprintf(first, sizeof first, "/redirect/302?%s",
           pointing(t, 307, FAULT_HTTP_TOO, FAULT_HTTP_TOO, "/echo"));
  http_request request = following(at(t, FAULT_HTTP, first));
  nothing_private_arrives(t, &request);
}

/* A handle is used again: what was left out once is there for the next request. */
static void what_was_left_out_is_sent_by_the_next_request(void **state) {
  trial *t = *state;
  http_request request = following(pointing(t, 302, FAULT_HTTP, FAULT_HTTP_TOO, "/echo"));
  nothing_private_arrives(t, &request);
  request = following(at(t, FAULT_HTTP, "/echo"));
  ending e = ask(t, &request);
  assert_has(buf_text(&e.body), "Authorization: Bearer hush\r\n");
  ending_free(&e);
}

/* ---- where it may not lead ---- */

static void a_redirect_never_leads_from_https_to_http(void **state) {
  trial *t = *state;
  http_request request = following(pointing(t, 302, FAULT_HTTPS, FAULT_HTTP, "/echo"));
  request.ca_file = fault_server_ca(t->server);
  expect_failure(t, &request, HTTP_REDIRECT, "from https to http");
  assert_int_equal(fault_server_count(t->server, "/echo"), 0);
}

static void a_redirect_to_another_scheme_or_with_a_password_is_not_followed(void **state) {
  static const char *const places[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "http://me:hush@127.0.0.1/"};
  trial *t = *state;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    char path[200];
    snprintf(path, sizeof path, "/redirect/302?%s", places[i]);
    http_request request = following(at(t, FAULT_HTTP, path));
    ending e = ask(t, &request);
    assert_outcome(&e, HTTP_REDIRECT);
    assert_int_equal(e.status, 302);
    ending_free(&e);
  }
}

static void a_redirect_without_a_place_is_an_answer(void **state) {
  trial *t = *state;
  http_request request = following(at(t, FAULT_HTTP, "/status/302"));
  expect_answer(t, &request, 302, "status 302");
}

static void faults_behind_a_redirect_are_told_of_where_it_led(void **state) {
  trial *t = *state;
  http_request request = following(pointing(t, 302, FAULT_HTTP, FAULT_REFUSED, "/ok"));
  ending e = ask(t, &request);
  char place[40];
  snprintf(place, sizeof place, "refused by 127.0.0.1:%d", fault_server_port(t->server, FAULT_REFUSED));
  assert_outcome(&e, HTTP_CONNECT);
  assert_has(e.detail, place);
  assert_true(e.sent); /* to where it pointed from */
  assert_int_equal(e.status, 0);
  ending_free(&e);
  request = following(at(t, FAULT_HTTP, "/redirect/302?http://nowhere.invalid/"));
  expect_failure(t, &request, HTTP_DNS, "nowhere.invalid");
}

static void the_total_is_for_all_hops_together(void **state) {
  trial *t = *state;
  http_request request = following(pointing(t, 302, FAULT_HTTP, FAULT_HTTP_TOO, "/never"));
  request.total_ms = SHORT_MS;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_TIMEOUT);
  assert_true(e.ms >= SHORT_MS - ROUNDING_MS);
  ending_free(&e);
}

/* ---- methods and bodies ---- */

static void arrives_as(trial *t, int status, const char *line, const char *body) {
  static const char *const json[] = {"Content-Type: application/json", NULL};
  http_request request = post(pointing(t, status, FAULT_HTTP, FAULT_HTTP_TOO, "/echo"), "{\"a\":1}");
  request.follow = 1;
  request.headers = json;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_ANSWERED);
  assert_memory_equal(buf_text(&e.body), line, strlen(line));
  assert_has(buf_text(&e.body), body);
  if (strncmp(line, "GET", 3) == 0) assert_lacks(buf_text(&e.body), "Content-Type");
  ending_free(&e);
}

static void a_post_goes_on_as_the_status_says(void **state) {
  arrives_as(*state, 301, "GET /echo ", "\r\n\r\n0 ");
  arrives_as(*state, 302, "GET /echo ", "\r\n\r\n0 ");
  arrives_as(*state, 303, "GET /echo ", "\r\n\r\n0 ");
  arrives_as(*state, 307, "POST /echo ", "\r\n\r\n7 ");
  arrives_as(*state, 308, "POST /echo ", "\r\n\r\n7 ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TRIAL(a_redirect_is_an_answer_unless_following_is_asked_for),
      TRIAL(a_followed_redirect_gives_only_the_last_answer),
      TRIAL(a_loop_ends),
      TRIAL(private_headers_stay_within_their_origin),
      TRIAL(private_headers_never_go_to_another_port),
      TRIAL(private_headers_never_go_to_another_host),
      TRIAL(private_headers_never_go_to_another_scheme),
      TRIAL(private_headers_do_not_come_back_further_on),
      TRIAL(what_was_left_out_is_sent_by_the_next_request),
      TRIAL(a_redirect_never_leads_from_https_to_http),
      TRIAL(a_redirect_to_another_scheme_or_with_a_password_is_not_followed),
      TRIAL(a_redirect_without_a_place_is_an_answer),
      TRIAL(faults_behind_a_redirect_are_told_of_where_it_led),
      TRIAL(the_total_is_for_all_hops_together),
      TRIAL(a_post_goes_on_as_the_status_says),
  };
  return TRIAL_RUN_BOTH(tests);
}
