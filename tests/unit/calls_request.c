/* What is put on the wire: the URL, the headers, the body, and where secrets are and are not. */
#include "calls_fake.h"

static secret token = {"CRM_TOKEN", "s3cret/+&?"};

static pair text_pair(const char *name, const char *value) {
  return (pair){.name = mem_text(name), .value = mem_text(value)};
}

static pair secret_pair(const char *name, const secret *hidden) {
  return (pair){.name = mem_text(name), .hidden = hidden};
}

static void add_pair(pair **headers, size_t *count, pair p) {
  *headers = mem_grow(*headers, (*count + 1) * sizeof p);
  (*headers)[(*count)++] = p;
}

static void via_header(rig *r, pair p) {
  add_pair(&r->via->headers, &r->via->header_count, p);
}

static void call_header(call *c, pair p) {
  add_pair(&c->headers, &c->header_count, p);
}

static void use_auth(rig *r, auth_kind kind, const char *name) {
  r->via->auth = (auth){.kind = kind, .name = mem_text(name), .value = {.hidden = &token}};
}

static const char *sent_headers(rig *r) {
  return buf_text(&last_sent(r)->headers);
}

static void send_and_end(rig *r, call *c) {
  start(r, c);
  answer(r, 200);
  assert_int_equal(c->result, CALL_OK);
}

/* ---- headers ---- */

static void headers_of_the_connection_come_first_and_then_the_calls(void **state) {
  rig *r = *state;
  via_header(r, text_pair("X-Team", "growth"));
  call *c = a_call(r);
  call_header(c, text_pair("X-Trace", "7"));
  call_header(c, text_pair("X-Empty", ""));
  c->content_type = "application/json";
  send_and_end(r, c);
  assert_string_equal(sent_headers(r),
                      "X-Team: growth\nX-Trace: 7\nX-Empty: \nContent-Type: application/json\n"
                      "Idempotency-Key: 00000000000000000000000000000001\n");
  assert_string_equal(last_sent(r)->method, "POST");
  assert_string_equal(last_sent(r)->url, "https://api.example.com/leads");
}

static void a_calls_header_replaces_the_connections_of_the_same_name(void **state) {
  rig *r = *state;
  via_header(r, text_pair("accept", "text/html"));
  via_header(r, text_pair("X-Team", "growth"));
  r->via->idempotent[0] = 'i';
  call *c = a_call(r);
  call_header(c, text_pair("Accept", "application/json"));
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "X-Team: growth\nAccept: application/json\n"
                                       "idempotency-Key: 00000000000000000000000000000001\n");
}

static void a_written_content_type_stands_above_that_of_the_payload(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  c->key_header = NULL;
  c->content_type = "application/json";
  call_header(c, text_pair("content-type", "application/vnd.api+json"));
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "content-type: application/vnd.api+json\n");

  via_header(r, text_pair("Content-type", "text/json"));
  c = a_call(r);
  c->key_header = NULL;
  c->content_type = "application/json";
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "Content-type: text/json\n");
}

static void the_key_is_above_the_connections_header_and_below_the_calls(void **state) {
  rig *r = *state;
  via_header(r, text_pair("idempotency-key", "the same for all"));
  send_and_end(r, a_call(r));
  assert_string_equal(sent_headers(r), "Idempotency-Key: 00000000000000000000000000000001\n");
  call *c = a_call(r);
  call_header(c, text_pair("IDEMPOTENCY-KEY", "order-7"));
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "IDEMPOTENCY-KEY: order-7\n");
}

/* ---- auth ---- */

static void bearer_basic_and_header_auth_set_one_header(void **state) {
  rig *r = *state;
  use_auth(r, AUTH_BEARER, NULL);
  call *c = a_call(r);
  c->key_header = NULL;
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "Authorization: Bearer s3cret/+&?\n");

  use_auth(r, AUTH_HEADER, "X-Api-Key");
  c = a_call(r);
  c->key_header = NULL;
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "X-Api-Key: s3cret/+&?\n");
  assert_string_equal(buf_text(&last_sent(r)->hidden), "X-Api-Key\n");
}

static void basic_auth_is_encoded_as_the_standard_has_it(void **state) {
  rig *r = *state;
  static const struct {
    const char *user, *password, *header;
  } cases[] = {/* RFC 7617, 2 and 2.1 */
               {"Aladdin", "open sesame", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"},
               {"test", "123\xC2\xA3", "Authorization: Basic dGVzdDoxMjPCow==\n"},
               {"a", "b", "Authorization: Basic YTpi\n"},
               {"a", "bc", "Authorization: Basic YTpiYw==\n"},
               {"", "", "Authorization: Basic Og==\n"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    free(r->via->auth.name);
    free(r->via->auth.value.value);
    r->via->auth = (auth){AUTH_BASIC, mem_text(cases[i].user), text_pair(NULL, cases[i].password)};
    call *c = a_call(r);
    c->key_header = NULL;
    send_and_end(r, c);
    assert_string_equal(sent_headers(r), cases[i].header);
  }
}

static void a_query_key_is_added_to_the_url_encoded(void **state) {
  rig *r = *state;
  static const char *const urls[][2] = {{"https://h/p", "https://h/p?api%20key=s3cret%2F%2B%26%3F"},
                                        {"https://h/p?a=1", "https://h/p?a=1&api%20key=s3cret%2F%2B%26%3F"},
                                        {"https://h/p?", "https://h/p?api%20key=s3cret%2F%2B%26%3F"},
                                        {"https://h/p?a=1&", "https://h/p?a=1&api%20key=s3cret%2F%2B%26%3F"}};
  use_auth(r, AUTH_QUERY, "api key");
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    call *c = a_call(r);
    set_text(&c->url, urls[i][0]);
    send_and_end(r, c);
    assert_string_equal(last_sent(r)->url, urls[i][1]);
    assert_string_equal(c->url, urls[i][0]);
  }
}

static void a_calls_own_header_stands_above_auth(void **state) {
  rig *r = *state;
  use_auth(r, AUTH_BEARER, NULL);
  via_header(r, text_pair("authorization", "of the connection"));
  call *c = a_call(r);
  c->key_header = NULL;
  call_header(c, text_pair("AUTHORIZATION", "mine"));
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "AUTHORIZATION: mine\n");
  c = a_call(r);
  c->key_header = NULL;
  send_and_end(r, c);
  assert_string_equal(sent_headers(r), "Authorization: Bearer s3cret/+&?\n");
}

/* ---- secrets ---- */

static void headers_that_hold_secrets_are_named_to_the_wire(void **state) {
  rig *r = *state;
  via_header(r, secret_pair("X-Account", &token));
  via_header(r, text_pair("X-Open", "yes"));
  call *c = a_call(r);
  call_header(c, secret_pair("X-Mine", &token));
  send_and_end(r, c);
  assert_string_equal(buf_text(&last_sent(r)->hidden), "X-Account\nX-Mine\n");
  assert_non_null(strstr(sent_headers(r), "X-Mine: s3cret/+&?\n"));
}

static void nothing_with_a_secret_is_kept_once_it_was_sent(void **state) {
  rig *r = *state;
  use_auth(r, AUTH_QUERY, "key");
  via_header(r, secret_pair("X-Account", &token));
  call *c = a_call(r);
  start(r, c);
  assert_null(c->wire_url.data);
  assert_null(c->wire_headers);
  break_off(r, HTTP_PROTOCOL, true, 0, "bad answer from https://api.example.com/leads?key=s3cret");
  assert_ended(c, CALL_FAILED, REASON_PROTOCOL, "bad answer from https://api.example.com/leads");
}

/* ---- what is refused ---- */

static void assert_refused(rig *r, call *c, const char *detail) {
  size_t sent = r->sent_count;
  buf_clear(&r->log);
  start(r, c);
  assert_ended(c, CALL_MISTAKE, REASON_CONFIG, detail);
  assert_int_equal(r->sent_count, sent);
  assert_log(r, "done "); /* no intent is recorded for what can't be sent */
}

static void line_breaks_in_headers_are_refused(void **state) {
  rig *r = *state;
  static const char *const values[] = {"a\rb", "a\nb", "\r\nX-Evil: 1", "a\n"};
  for (size_t i = 0; i < 4; i++) {
    call *c = a_call(r);
    call_header(c, text_pair("X-Name", values[i]));
    assert_refused(r, c, "the value of the header \"X-Name\" holds a line break: take it out");
  }
}

static void names_that_are_none_are_refused(void **state) {
  rig *r = *state;
  static const char *const bad[][2] = {
      {"", ""}, {"X Name", "X Name"}, {"X:", "X:"}, {"X\r\nY", ""}, {"N\xC3\xA4me", "N\xC3\xA4me"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char detail[128];
    snprintf(detail, sizeof detail, "\"%s\" is no header's name: it is made of letters, digits and -",
             bad[i][1]);
    call *c = a_call(r);
    call_header(c, text_pair(bad[i][0], "x"));
    assert_refused(r, c, detail);
  }
}

static void headers_that_frame_the_body_are_refused(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  call_header(c, text_pair("content-length", "1"));
  assert_refused(r, c, "the header \"content-length\" is set by jaunt itself: leave it out");
}

static void a_connections_mistake_names_it_and_never_shows_the_secret(void **state) {
  rig *r = *state;
  static secret broken = {"CRM_TOKEN", "hush\n"}, none = {"CRM_TOKEN", NULL};
  r->via->auth = (auth){.kind = AUTH_BEARER, .value = {.hidden = &broken}};
  assert_refused(r, a_call(r),
                 "connection \"crm\": the secret \"CRM_TOKEN\" holds a line break, which no header can "
                 "carry: take it out");
  static const auth_kind kinds[] = {AUTH_BEARER, AUTH_BASIC, AUTH_QUERY, AUTH_HEADER};
  r->via->auth.name = mem_text("X-Key");
  r->via->auth.value.hidden = &none;
  for (size_t i = 0; i < 4; i++) {
    r->via->auth.kind = kinds[i];
    assert_refused(r, a_call(r), "connection \"crm\": the secret \"CRM_TOKEN\" has no value");
  }
}

/* ---- the rest of the request ---- */

static void the_request_carries_what_connection_and_call_say(void **state) {
  rig *r = *state;
  r->via->connect_ms = 1234;
  r->via->max_body = 99;
  set_text(&r->via->ca_file, "ca.pem");
  call *c = a_call(r);
  c->timeout_ms = 0;
  c->follow = 3;
  set_text(&c->save_to, "answer.bin");
  start(r, c);
  const http_request *request = &last_sent(r)->request;
  assert_int_equal(request->connect_ms, 1234);
  assert_int_equal(request->total_ms, r->via->timeout_ms);
  assert_int_equal(request->max_body_bytes, 99);
  assert_int_equal(request->follow, 3);
  assert_string_equal(request->ca_file, "ca.pem");
  assert_string_equal(request->save_to, "answer.bin");
  assert_ptr_equal(request->body, c->body.data); /* not copied */
  answer(r, 200);
  c = a_call(r);
  c->timeout_ms = 777;
  start(r, c);
  assert_int_equal(last_sent(r)->request.total_ms, 777);
  answer(r, 200);
}

static void a_body_with_nuls_goes_out_whole_and_no_body_is_told_from_an_empty_one(void **state) {
  rig *r = *state;
  call *c = a_call(r);
  buf_clear(&c->body);
  buf_add(&c->body, "a\0b", 3);
  send_and_end(r, c);
  assert_int_equal(last_sent(r)->body.len, 3);
  assert_memory_equal(last_sent(r)->body.data, "a\0b", 3);
  c = a_call(r);
  buf_free(&c->body);
  send_and_end(r, c);
  assert_non_null(last_sent(r)->request.body);
  assert_int_equal(last_sent(r)->request.body_length, 0);
  c = a_call(r);
  c->has_body = false;
  send_and_end(r, c);
  assert_null(last_sent(r)->request.body);
  assert_int_equal(last_sent(r)->request.body_length, 0);
}

/* ---- rehearsals ---- */

static void sends_to(rig *r, const char *url, const char *where) {
  call *c = a_call(r);
  set_text(&c->url, url);
  send_and_end(r, c);
  assert_string_equal(last_sent(r)->url, where);
}

static void a_rehearsal_sends_whole_urls_to_the_vendor_by_host(void **state) {
  rig *r = *state;
  rig_reroute(r, "http://127.0.0.1:4000");
  sends_to(r, "https://api.example.com/v2/leads?a=b", "http://127.0.0.1:4000/api.example.com/v2/leads?a=b");
  sends_to(r, "https://api.example.com:8443/x", "http://127.0.0.1:4000/api.example.com/x");
  sends_to(r, "https://api.example.com", "http://127.0.0.1:4000/api.example.com");
  sends_to(r, "https://api.example.com?q=1:2", "http://127.0.0.1:4000/api.example.com?q=1:2");
  sends_to(r, "http://[::1]:80/x", "http://127.0.0.1:4000/%5B%3A%3A1%5D/x");
}

static void a_rehearsal_sends_a_connection_to_its_stand_in(void **state) {
  rig *r = *state;
  rig_reroute(r, "http://127.0.0.1:4000");
  set_text(&r->via->base_url, "https://api.example.com/v2");
  set_text(&r->via->reroute, "http://127.0.0.1:4000/crm");
  sends_to(r, "https://api.example.com/v2/leads", "http://127.0.0.1:4000/crm/leads");
  sends_to(r, "https://api.example.com/v2", "http://127.0.0.1:4000/crm");
  sends_to(r, "https://api.example.com/v2?a=b", "http://127.0.0.1:4000/crm?a=b");
  sends_to(r, "http://127.0.0.1:4000/crm/leads", "http://127.0.0.1:4000/crm/leads");
  /* nobody outside is reached, whatever URL a script makes up */
  sends_to(r, "https://api.example.com/v20/leads", "http://127.0.0.1:4000/api.example.com/v20/leads");
  sends_to(r, "https://other.example.com/x", "http://127.0.0.1:4000/other.example.com/x");
}

static void reaches(rig *r, http_reach reach) {
  send_and_end(r, a_call(r));
  assert_int_equal(last_sent(r)->request.reach, reach);
}

static void a_call_reaches_the_internet_or_what_its_connection_allows(void **state) {
  rig *r = *state;
  reaches(r, HTTP_REACH_PUBLIC);
  r->via->private_network = true;
  reaches(r, HTTP_REACH_ANY);
  rig_reroute(r, "http://127.0.0.1:4000");
  reaches(r, HTTP_REACH_LOOPBACK); /* a rehearsal: whatever is allowed, nothing leaves this machine */
  r->via->private_network = false;
  reaches(r, HTTP_REACH_LOOPBACK);
  rig_reroute(r, NULL);
  set_text(&r->via->base_url, "https://h");
  set_text(&r->via->reroute, "http://127.0.0.1:4000/crm");
  reaches(r, HTTP_REACH_LOOPBACK);
}

static void live_calls_go_where_they_say(void **state) {
  rig *r = *state;
  sends_to(r, "https://api.example.com/v2/leads", "https://api.example.com/v2/leads");
  set_text(&r->via->base_url, "https://api.example.com/v2");
  sends_to(r, "https://api.example.com/v2/leads", "https://api.example.com/v2/leads");
}

static void a_connection_has_the_defaults_that_are_documented(void **state) {
  rig *r = *state;
  const connection *c = r->via;
  assert_string_equal(c->name, "crm");
  assert_string_equal(c->idempotent, "Idempotency-Key");
  assert_int_equal(c->connect_ms, 10000);
  assert_int_equal(c->timeout_ms, 30000);
  assert_int_equal(c->retry.attempts, 4);
  assert_int_equal(c->retry.base_ms, 1000);
  assert_int_equal(c->retry.cap_ms, 60000);
  for (int status = 0; status < 600; status++)
    assert_int_equal(status_set_has(&c->success, status), status >= 200 && status < 300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      RIG_TEST(headers_of_the_connection_come_first_and_then_the_calls),
      RIG_TEST(a_calls_header_replaces_the_connections_of_the_same_name),
      RIG_TEST(a_written_content_type_stands_above_that_of_the_payload),
      RIG_TEST(the_key_is_above_the_connections_header_and_below_the_calls),
      RIG_TEST(bearer_basic_and_header_auth_set_one_header),
      RIG_TEST(basic_auth_is_encoded_as_the_standard_has_it),
      RIG_TEST(a_query_key_is_added_to_the_url_encoded),
      RIG_TEST(a_calls_own_header_stands_above_auth),
      RIG_TEST(headers_that_hold_secrets_are_named_to_the_wire),
      RIG_TEST(nothing_with_a_secret_is_kept_once_it_was_sent),
      RIG_TEST(line_breaks_in_headers_are_refused),
      RIG_TEST(names_that_are_none_are_refused),
      RIG_TEST(headers_that_frame_the_body_are_refused),
      RIG_TEST(a_connections_mistake_names_it_and_never_shows_the_secret),
      RIG_TEST(the_request_carries_what_connection_and_call_say),
      RIG_TEST(a_body_with_nuls_goes_out_whole_and_no_body_is_told_from_an_empty_one),
      RIG_TEST(a_rehearsal_sends_whole_urls_to_the_vendor_by_host),
      RIG_TEST(a_rehearsal_sends_a_connection_to_its_stand_in),
      RIG_TEST(a_call_reaches_the_internet_or_what_its_connection_allows),
      RIG_TEST(live_calls_go_where_they_say),
      RIG_TEST(a_connection_has_the_defaults_that_are_documented),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
