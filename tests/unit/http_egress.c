/* The egress guard: what an address is, and that no connection is opened to one that a request may not reach.
 *
 * This program has a getaddrinfo, a connect and a clock of its own, which libuv and libcurl find before those
 * of the C library: names lead elsewhere from one look-up to the next, a public address leads to the fault
 * server, and any that is neither that nor loopback leads nowhere and is counted, so that nothing leaves this
 * machine even where the guard fails. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "http/egress.h"
#include "http_trial.h"

#define PUBLIC_ADDRESS "93.184.215.14"

enum { HOLDS_S = 61 }; /* longer than an address is kept for */

/* ---- a network of its own ---- */

/* What a name leads to at its first look-up, and from its second on. */
static struct {
  const char *name;
  const char *addresses[2][2];
  _Atomic int asked;
} known[] = {
    {"public.test", {{PUBLIC_ADDRESS}, {PUBLIC_ADDRESS}}, 0},
    {"internal.test", {{"10.0.0.7"}, {"10.0.0.7"}}, 0},
    {"local.test", {{"127.0.0.1"}, {"127.0.0.1"}}, 0},
    {"mapped.test", {{"::ffff:10.0.0.7"}, {"::ffff:10.0.0.7"}}, 0},
    {"turns.test", {{PUBLIC_ADDRESS}, {"127.0.0.1"}}, 0},
    {"to-metadata.test", {{"127.0.0.1"}, {"169.254.169.254"}}, 0},
    {"both.test", {{"10.0.0.7", PUBLIC_ADDRESS}, {"10.0.0.7", PUBLIC_ADDRESS}}, 0},
};

static _Atomic int strayed;     /* connections that were begun to nowhere */
static _Atomic int64_t later_s; /* by so much the clock is ahead */

typedef int looking_up(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
typedef int connecting(int fd, const struct sockaddr *address, socklen_t length);

static void *real(const char *name) {
  return dlsym(RTLD_NEXT, name);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  looking_up *look_up = NULL;
  *(void **)&look_up = real("getaddrinfo"); /* as POSIX has it: C knows no such conversion */
  for (size_t i = 0; name && i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].name, name) != 0) continue;
    const char *const *addresses = known[i].addresses[atomic_fetch_add(&known[i].asked, 1) > 0];
    int status = look_up(addresses[0], NULL, hints, found);
    return status || !addresses[1] ? status : look_up(addresses[1], NULL, hints, &(*found)->ai_next);
  }
  return look_up(name, service, hints, found);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  connecting *go = NULL;
  (void)length;
  *(void **)&go = real("connect");
  if (address->sa_family == AF_INET) {
    struct sockaddr_in to;
    memcpy(&to, address, sizeof to);
    bool is_public = to.sin_addr.s_addr == inet_addr(PUBLIC_ADDRESS);
    if (is_public) to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is_public || ntohl(to.sin_addr.s_addr) >> 24 == 127) return go(fd, (struct sockaddr *)&to, sizeof to);
  }
  atomic_fetch_add(&strayed, 1);
  errno = ENETUNREACH;
  return -1;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  int status = (int)syscall(SYS_clock_gettime, clock, out);
  if (clock != CLOCK_REALTIME) out->tv_sec += atomic_load(&later_s);
  return status;
}

static int asked(const char *name) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].name, name) == 0) return atomic_load(&known[i].asked);
  }
  return -1;
}

static int begin_alone(void **state) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) atomic_store(&known[i].asked, 0);
  atomic_store(&strayed, 0);
  return trial_begin_alone(state);
}

static int end_here(void **state) {
  assert_int_equal(atomic_load(&strayed), 0);
  return trial_end(state);
}

#define EGRESS(name) cmocka_unit_test_setup_teardown(name, begin_alone, end_here)

/* Holds until the fourth call after it. */
static const char *on(const trial *t, const char *host, const char *path) {
  static char texts[4][600];
  static unsigned next;
  char *text = texts[next++ % 4];
  snprintf(text, sizeof *texts, "http://%s:%d%s", host, fault_server_port(t->server, FAULT_HTTP), path);
  return text;
}

static http_request reaching(const char *url, http_reach reach) {
  http_request request = get(url);
  request.reach = reach;
  return request;
}

/* Nothing was sent, and the detail begins so. */
static void is_refused(trial *t, const http_request *request, const char *detail) {
  size_t before = fault_server_connections(t->server);
  ending e = ask(t, request);
  assert_outcome(&e, HTTP_EGRESS);
  assert_string_equal(e.detail, detail);
  assert_false(e.sent);
  assert_int_equal(e.status, 0);
  assert_int_equal(fault_server_connections(t->server), before);
  ending_free(&e);
}

/* ---- what an address is ---- */

static egress_finding judged(const char *text) {
  struct sockaddr_storage address;
  if (strchr(text, ':'))
    assert_int_equal(uv_ip6_addr(text, 80, (struct sockaddr_in6 *)&address), 0);
  else
    assert_int_equal(uv_ip4_addr(text, 80, (struct sockaddr_in *)&address), 0);
  return egress_judge((struct sockaddr *)&address);
}

static const struct {
  const char *address;
  egress_grade grade;
  const char *words;
} addresses[] = {
    /* the first and the last of a range, and their neighbours */
    {"0.0.0.0", EGRESS_NEVER, "an address of no host"},
    {"0.255.255.255", EGRESS_NEVER, "an address of no host"},
    {"1.0.0.0", EGRESS_PUBLIC, "a public address"},
    {"9.255.255.255", EGRESS_PUBLIC, "a public address"},
    {"10.0.0.0", EGRESS_PRIVATE, "a private address"},
    {"10.255.255.255", EGRESS_PRIVATE, "a private address"},
    {"11.0.0.0", EGRESS_PUBLIC, "a public address"},
    {"100.63.255.255", EGRESS_PUBLIC, "a public address"},
    {"100.64.0.0", EGRESS_PRIVATE, "a provider's shared address"},
    {"100.127.255.255", EGRESS_PRIVATE, "a provider's shared address"},
    {"100.128.0.0", EGRESS_PUBLIC, "a public address"},
    {"126.255.255.255", EGRESS_PUBLIC, "a public address"},
    {"127.0.0.0", EGRESS_LOOPBACK, "a loopback address"},
    {"127.255.255.255", EGRESS_LOOPBACK, "a loopback address"},
    {"128.0.0.0", EGRESS_PUBLIC, "a public address"},
    {"169.253.255.255", EGRESS_PUBLIC, "a public address"},
    {"169.254.0.0", EGRESS_NEVER, "a link-local address"},
    {"169.254.170.2", EGRESS_NEVER, "a link-local address"},
    {"169.254.255.255", EGRESS_NEVER, "a link-local address"},
    {"169.255.0.0", EGRESS_PUBLIC, "a public address"},
    {"172.15.255.255", EGRESS_PUBLIC, "a public address"},
    {"172.16.0.0", EGRESS_PRIVATE, "a private address"},
    {"172.31.255.255", EGRESS_PRIVATE, "a private address"},
    {"172.32.0.0", EGRESS_PUBLIC, "a public address"},
    {"192.0.0.1", EGRESS_PRIVATE, "a reserved address"},
    {"192.0.1.0", EGRESS_PUBLIC, "a public address"},
    {"192.0.2.255", EGRESS_PRIVATE, "an address for documentation"},
    {"192.88.99.1", EGRESS_PRIVATE, "a reserved address"},
    {"192.167.255.255", EGRESS_PUBLIC, "a public address"},
    {"192.168.0.0", EGRESS_PRIVATE, "a private address"},
    {"192.168.255.255", EGRESS_PRIVATE, "a private address"},
    {"192.169.0.0", EGRESS_PUBLIC, "a public address"},
    {"198.17.255.255", EGRESS_PUBLIC, "a public address"},
    {"198.18.0.0", EGRESS_PRIVATE, "an address for benchmarks"},
    {"198.19.255.255", EGRESS_PRIVATE, "an address for benchmarks"},
    {"198.20.0.0", EGRESS_PUBLIC, "a public address"},
    {"198.51.100.1", EGRESS_PRIVATE, "an address for documentation"},
    {"203.0.113.1", EGRESS_PRIVATE, "an address for documentation"},
    {"223.255.255.255", EGRESS_PUBLIC, "a public address"},
    {"224.0.0.0", EGRESS_NEVER, "a multicast address"},
    {"239.255.255.255", EGRESS_NEVER, "a multicast address"},
    {"240.0.0.0", EGRESS_PRIVATE, "a reserved address"},
    {"255.255.255.254", EGRESS_PRIVATE, "a reserved address"},
    {"255.255.255.255", EGRESS_NEVER, "the broadcast address"},
    /* metadata services */
    {"169.254.169.254", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"100.100.100.200", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"192.0.0.192", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"168.63.129.16", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"168.63.129.17", EGRESS_PUBLIC, "a public address"},
    {"fd00:ec2::254", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"fd00:ec2::23", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"fd20:ce::254", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"fd00:ec3::254", EGRESS_PRIVATE, "a private address"},
    /* IPv6 */
    {"::", EGRESS_NEVER, "an address of no host"},
    {"::1", EGRESS_LOOPBACK, "a loopback address"},
    {"fbff::1", EGRESS_PRIVATE, "a reserved address"},
    {"fc00::", EGRESS_PRIVATE, "a private address"},
    {"fdff:ffff::1", EGRESS_PRIVATE, "a private address"},
    {"fe80::1", EGRESS_NEVER, "a link-local address"},
    {"febf::1", EGRESS_NEVER, "a link-local address"},
    {"fec0::1", EGRESS_PRIVATE, "a private address"},
    {"feff::1", EGRESS_PRIVATE, "a private address"},
    {"ff02::1", EGRESS_NEVER, "a multicast address"},
    {"100::1", EGRESS_PRIVATE, "a reserved address"},
    {"5f00::1", EGRESS_PRIVATE, "a reserved address"},
    {"2000::1", EGRESS_PUBLIC, "a public address"},
    {"2001:20::1", EGRESS_PRIVATE, "a reserved address"},
    {"2001:2::1", EGRESS_PRIVATE, "an address for benchmarks"},
    {"2001:200::1", EGRESS_PUBLIC, "a public address"},
    {"2001:db8::1", EGRESS_PRIVATE, "an address for documentation"},
    {"2001:db9::1", EGRESS_PUBLIC, "a public address"},
    {"2606:4700:4700::1111", EGRESS_PUBLIC, "a public address"},
    {"3fff::1", EGRESS_PRIVATE, "an address for documentation"},
    {"3fff:1000::1", EGRESS_PUBLIC, "a public address"},
    {"4000::1", EGRESS_PRIVATE, "a reserved address"},
    /* IPv4 within: mapped, which is this machine itself */
    {"::ffff:127.0.0.1", EGRESS_LOOPBACK, "a loopback address"},
    {"::ffff:10.0.0.7", EGRESS_PRIVATE, "a private address"},
    {"::ffff:169.254.169.254", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"::ffff:8.8.8.8", EGRESS_PUBLIC, "a public address"},
    /* and by way of others: compatible, translated, NAT64, 6to4, Teredo */
    {"::127.0.0.1", EGRESS_PRIVATE, "a loopback address"},
    {"::0.0.0.2", EGRESS_NEVER, "an address of no host"},
    {"::ffff:0:10.0.0.7", EGRESS_PRIVATE, "a private address"},
    {"64:ff9b::127.0.0.1", EGRESS_PRIVATE, "a loopback address"},
    {"64:ff9b::10.0.0.7", EGRESS_PRIVATE, "a private address"},
    {"64:ff9b::169.254.169.254", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"64:ff9b::8.8.8.8", EGRESS_PUBLIC, "a public address"},
    {"64:ff9b:0:1::8.8.8.8", EGRESS_PRIVATE, "a reserved address"},
    {"2002:a00:7::1", EGRESS_PRIVATE, "a private address"},
    {"2002:a9fe:a9fe::1", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"2002:808:808::1", EGRESS_PUBLIC, "a public address"},
    {"2001:0:a00:7::f7f7:f7f7", EGRESS_PRIVATE, "a private address"}, /* its server; the client is 8.8.8.8 */
    {"2001:0:808:808::f5ff:fff8", EGRESS_PRIVATE, "a private address"}, /* its client, 10.0.0.7 */
    {"2001:0:808:808::5601:5601", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"2001:0:808:808::f7f7:f7f7", EGRESS_PUBLIC, "a public address"},
    /* NAT64 with a prefix of one's own: of 96, 48, 56 and 64 bits */
    {"64:ff9b:1::8.8.8.8", EGRESS_PUBLIC, "a public address"},
    {"64:ff9b:1::10.0.0.7", EGRESS_PRIVATE, "a private address"},
    {"64:ff9b:1::169.254.169.254", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"64:ff9b:1:a9fe:a9:fe00::", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"64:ff9b:1:a9:fe:a9fe::", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"64:ff9b:1:0:a9:fea9:fe00:0", EGRESS_NEVER, "the address of a cloud's metadata service"},
    {"64:ff9b:1::0.0.0.9", EGRESS_PRIVATE, "an address of a local translator to IPv4"},
};

static void an_address_is_seen_for_what_it_is(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    egress_finding found = judged(addresses[i].address);
    if (found.grade != addresses[i].grade) print_message("%s: %s\n", addresses[i].address, found.text);
    assert_string_equal(found.words, addresses[i].words);
    assert_int_equal(found.grade, addresses[i].grade);
  }
  assert_int_equal(egress_judge(&(struct sockaddr){.sa_family = AF_UNIX}).grade, EGRESS_NEVER);
}

static void an_address_is_shown_with_the_one_within_it(void **state) {
  (void)state;
  assert_string_equal(judged("10.0.0.7").text, "10.0.0.7");
  assert_string_equal(judged("fc00::1").text, "fc00::1");
  assert_string_equal(judged("64:ff9b::10.0.0.7").text, "64:ff9b::a00:7 (10.0.0.7 within)");
}

static void each_reach_allows_what_it_says(void **state) {
  (void)state;
  static const bool allowed[][4] = {/* public, loopback, private, never */
                                    [HTTP_REACH_PUBLIC] = {true, false, false, false},
                                    [HTTP_REACH_ANY] = {true, true, true, false},
                                    [HTTP_REACH_LOOPBACK] = {false, true, false, false}};
  for (int reach = 0; reach < 3; reach++) {
    for (int grade = 0; grade < 4; grade++)
      assert_int_equal(egress_allows((http_reach)reach, (egress_grade)grade), allowed[reach][grade]);
  }
}

/* ---- on every connect ---- */

static void the_guard_is_on_by_default(void **state) {
  trial *t = *state;
  http_request request = {
      .method = "GET", .url = on(t, "127.0.0.1", "/ok"), .connect_ms = LONG_MS, .total_ms = LONG_MS};
  is_refused(t, &request, "127.0.0.1 is a loopback address");
  request.reach = HTTP_REACH_ANY;
  expect_answer(t, &request, 200, "ok");
}

static void a_public_address_is_reached(void **state) {
  trial *t = *state;
  http_request request = reaching(on(t, PUBLIC_ADDRESS, "/ok"), HTTP_REACH_PUBLIC);
  expect_answer(t, &request, 200, "ok");
  request = reaching(on(t, "public.test", "/ok"), HTTP_REACH_PUBLIC);
  expect_answer(t, &request, 200, "ok");
}

static void a_name_is_judged_by_where_it_leads(void **state) {
  trial *t = *state;
  http_request request = reaching(on(t, "internal.test", "/ok"), HTTP_REACH_PUBLIC);
  is_refused(t, &request, "\"internal.test\" is at 10.0.0.7, a private address");
  request.url = on(t, "local.test", "/ok");
  is_refused(t, &request, "\"local.test\" is at 127.0.0.1, a loopback address");
  request.url = on(t, "mapped.test", "/ok");
  is_refused(t, &request, "\"mapped.test\" is at ::ffff:10.0.0.7 (10.0.0.7 within), a private address");
}

/* Each is 127.0.0.1 or ::1 to whoever resolves it. */
static void an_odd_spelling_of_loopback_is_loopback(void **state) {
  static const char *const hosts[] = {"2130706433",
                                      "0x7f000001",
                                      "017700000001",
                                      "0177.0.0.1",
                                      "127.1",
                                      "127.0.1",
                                      "0x7f.1",
                                      "localhost",
                                      "[::1]",
                                      "[::ffff:127.0.0.1]",
                                      "[::ffff:7f00:1]",
                                      "[::127.0.0.1]",
                                      "[64:ff9b::127.0.0.1]",
                                      "[0:0:0:0:0:0:0:1]"};
  trial *t = *state;
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    http_request request = reaching(on(t, hosts[i], "/ok"), HTTP_REACH_PUBLIC);
    ending e = ask(t, &request);
    if (e.outcome != HTTP_EGRESS) print_message("%s\n", hosts[i]);
    assert_outcome(&e, HTTP_EGRESS);
    assert_has(e.detail, "a loopback address");
    ending_free(&e);
  }
  assert_int_equal(fault_server_connections(t->server), 0);
}

static void a_user_before_the_host_is_no_way_around(void **state) {
  trial *t = *state;
  static const char *const urls[] = {"http://public.test@127.0.0.1/", "http://public.test:80@127.0.0.1/",
                                     "http://127.0.0.1\\@public.test/"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    error err = {""};
    http_request request = reaching(urls[i], HTTP_REACH_PUBLIC);
    assert_null(http_send(t->wire, &request, ending_note, NULL, &err));
    assert_has(err.text, "user name or password");
  }
}

static void metadata_and_link_local_addresses_are_beyond_every_reach(void **state) {
  trial *t = *state;
  http_request request = reaching("http://169.254.169.254/latest/meta-data", HTTP_REACH_ANY);
  is_refused(t, &request, "169.254.169.254 is the address of a cloud's metadata service; no call goes there");
  request.url = "http://[fe80::1]/";
  is_refused(t, &request, "fe80::1 is a link-local address; no call goes there");
  request.url = "http://[::ffff:a9fe:a9fe]/";
  is_refused(t, &request,
             "::ffff:169.254.169.254 (169.254.169.254 within) is the address of a cloud's metadata service; "
             "no call goes there");
  request.url = "http://0.0.0.0/";
  is_refused(t, &request, "0.0.0.0 is an address of no host; no call goes there");
}

static void it_is_told_whether_another_reach_would_do(void **state) {
  trial *t = *state;
  http_request request = reaching("http://10.0.0.7/", HTTP_REACH_PUBLIC);
  ending e = ask(t, &request);
  assert_true(e.off_public);
  ending_free(&e);
  request.url = "http://169.254.169.254/";
  e = ask(t, &request);
  assert_false(e.off_public);
  ending_free(&e);
}

static void of_a_hosts_addresses_those_within_reach_are_tried(void **state) {
  trial *t = *state;
  http_request request = reaching(on(t, "both.test", "/ok"), HTTP_REACH_PUBLIC);
  expect_answer(t, &request, 200, "ok");
  char url[80];
  snprintf(url, sizeof url, "http://both.test:%d/", fault_server_port(t->server, FAULT_REFUSED));
  request.url = url;
  expect_failure(t, &request, HTTP_CONNECT,
                 "connection refused by both.test"); /* by the one that could be tried */
}

/* ---- rehearsals ---- */

static void a_rehearsal_reaches_this_machine_alone(void **state) {
  trial *t = *state;
  http_request request = reaching(on(t, "127.0.0.1", "/ok"), HTTP_REACH_LOOPBACK);
  expect_answer(t, &request, 200, "ok");
  request.url = "http://" PUBLIC_ADDRESS "/";
  is_refused(t, &request,
             PUBLIC_ADDRESS ":80 is not on this machine; here nothing goes further than loopback");
  request.url = "http://10.0.0.7/";
  is_refused(t, &request, "10.0.0.7:80 is not on this machine; here nothing goes further than loopback");
}

static void a_rehearsal_asks_no_name_server(void **state) {
  trial *t = *state;
  http_request request = reaching("http://local.test/", HTTP_REACH_LOOPBACK);
  is_refused(t, &request, "local.test:80 is not on this machine; here nothing goes further than loopback");
  assert_int_equal(asked("local.test"), 0);
}

/* ---- redirects ---- */

static ending led_to(trial *t, const char *from, http_reach reach, const char *to) {
  char path[300];
  snprintf(path, sizeof path, "/redirect/302?%s", to);
  http_request request = reaching(on(t, from, path), reach);
  request.follow = 5;
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_EGRESS);
  assert_true(e.sent); /* to where it pointed from */
  assert_int_equal(e.status, 0);
  assert_int_equal(fault_server_count(t->server, "/ok"), 0);
  assert_int_equal(fault_server_connections(t->server), 1);
  return e;
}

static void a_redirect_to_the_metadata_address_is_not_followed(void **state) {
  ending e = led_to(*state, "public.test", HTTP_REACH_PUBLIC, "http://169.254.169.254/latest/meta-data");
  assert_string_equal(
      e.detail,
      "after a redirect: 169.254.169.254 is the address of a cloud's metadata service; no call goes there");
  ending_free(&e);
}

static void nor_in_whatever_form(void **state) {
  ending e = led_to(*state, "127.0.0.1", HTTP_REACH_ANY, "http://[::ffff:a9fe:a9fe]/");
  assert_has(e.detail, "after a redirect: ::ffff:169.254.169.254 (169.254.169.254 within) is the address of");
  ending_free(&e);
}

static void not_even_from_a_private_network(void **state) {
  ending e = led_to(*state, "127.0.0.1", HTTP_REACH_ANY, "http://169.254.169.254/latest/meta-data");
  assert_has(e.detail, "no call goes there");
  ending_free(&e);
}

static void a_redirect_from_outside_to_this_machine_is_not_followed(void **state) {
  trial *t = *state;
  ending e = led_to(t, "public.test", HTTP_REACH_PUBLIC, on(t, "127.0.0.1", "/ok"));
  assert_string_equal(e.detail, "after a redirect: 127.0.0.1 is a loopback address");
  assert_true(e.off_public);
  ending_free(&e);
}

static void a_redirect_to_a_name_is_judged_by_where_it_leads(void **state) {
  trial *t = *state;
  ending e = led_to(t, "public.test", HTTP_REACH_PUBLIC, on(t, "internal.test", "/ok"));
  assert_string_equal(e.detail, "after a redirect: \"internal.test\" is at 10.0.0.7, a private address");
  ending_free(&e);
}

static void a_redirect_does_not_lead_a_rehearsal_away(void **state) {
  trial *t = *state;
  ending e = led_to(t, "127.0.0.1", HTTP_REACH_LOOPBACK, "http://public.test/");
  assert_string_equal(
      e.detail,
      "after a redirect: public.test:80 is not on this machine; here nothing goes further than loopback");
  assert_int_equal(asked("public.test"), 0);
  ending_free(&e);
}

static void a_redirect_within_reach_is_followed(void **state) {
  trial *t = *state;
  char path[300];
  snprintf(path, sizeof path, "/redirect/302?%s", on(t, PUBLIC_ADDRESS, "/ok"));
  http_request request = reaching(on(t, "public.test", path), HTTP_REACH_PUBLIC);
  request.follow = 1;
  expect_answer(t, &request, 200, "ok");
}

/* ---- the second look-up ---- */

static void a_name_that_turns_to_this_machine_is_refused(void **state) {
  trial *t = *state;
  http_request request = reaching(on(t, "turns.test", "/close"), HTTP_REACH_PUBLIC);
  expect_answer(t, &request, 200, "bye");
  atomic_fetch_add(&later_s, HOLDS_S);
  is_refused(t, &request, "\"turns.test\" is at 127.0.0.1, a loopback address");
  assert_int_equal(asked("turns.test"), 2);
}

/* While it lives, a connection leads where it led when it was opened; it is the next one that is judged anew.
 */
static void a_dead_connection_is_not_replaced_by_one_out_of_reach(void **state) {
  trial *t = *state;
  http_request request = reaching(on(t, "turns.test", "/close-reused"), HTTP_REACH_PUBLIC);
  expect_answer(t, &request, 200, "ok");
  atomic_fetch_add(&later_s, HOLDS_S);
  ending e = ask(t, &request);
  assert_outcome(&e, HTTP_EGRESS);
  assert_string_equal(e.detail, "\"turns.test\" is at 127.0.0.1, a loopback address");
  assert_true(e.sent); /* on the one that died */
  assert_int_equal(fault_server_connections(t->server), 1);
  ending_free(&e);
}

static void nor_is_one_to_a_metadata_address_in_a_private_network(void **state) {
  trial *t = *state;
  http_request request = reaching(on(t, "to-metadata.test", "/close"), HTTP_REACH_ANY);
  expect_answer(t, &request, 200, "bye");
  atomic_fetch_add(&later_s, HOLDS_S);
  is_refused(t, &request,
             "\"to-metadata.test\" is at 169.254.169.254, the address of a cloud's metadata service; no call "
             "goes there");
}

/* ---- connections are kept apart ---- */

static void a_connection_of_one_reach_is_not_used_under_another(void **state) {
  trial *t = *state;
  const char *const hosts[] = {"127.0.0.1", "local.test"};
  for (size_t i = 0; i < 2; i++) {
    http_request request = reaching(on(t, hosts[i], "/ok"), HTTP_REACH_ANY);
    expect_answer(t, &request, 200, "ok");
    request.reach = HTTP_REACH_PUBLIC;
    ending e = ask(t, &request);
    assert_outcome(&e, HTTP_EGRESS);
    ending_free(&e);
    request.reach = HTTP_REACH_ANY; /* its connection is still there */
    expect_answer(t, &request, 200, "ok");
    assert_int_equal(fault_server_connections(t->server), i + 1);
  }
}

static void each_reach_has_connections_of_its_own(void **state) {
  trial *t = *state;
  static const http_reach reaches[] = {HTTP_REACH_ANY, HTTP_REACH_LOOPBACK, HTTP_REACH_ANY,
                                       HTTP_REACH_LOOPBACK};
  for (size_t i = 0; i < 4; i++) {
    http_request request = reaching(on(t, "127.0.0.1", "/ok"), reaches[i]);
    expect_answer(t, &request, 200, "ok");
  }
  assert_int_equal(fault_server_connections(t->server), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_address_is_seen_for_what_it_is),
      cmocka_unit_test(an_address_is_shown_with_the_one_within_it),
      cmocka_unit_test(each_reach_allows_what_it_says),
      EGRESS(the_guard_is_on_by_default),
      EGRESS(a_public_address_is_reached),
      EGRESS(a_name_is_judged_by_where_it_leads),
      EGRESS(an_odd_spelling_of_loopback_is_loopback),
      EGRESS(a_user_before_the_host_is_no_way_around),
      EGRESS(metadata_and_link_local_addresses_are_beyond_every_reach),
      EGRESS(it_is_told_whether_another_reach_would_do),
      EGRESS(of_a_hosts_addresses_those_within_reach_are_tried),
      EGRESS(a_rehearsal_reaches_this_machine_alone),
      EGRESS(a_rehearsal_asks_no_name_server),
      EGRESS(a_redirect_to_the_metadata_address_is_not_followed),
      EGRESS(nor_in_whatever_form),
      EGRESS(not_even_from_a_private_network),
      EGRESS(a_redirect_from_outside_to_this_machine_is_not_followed),
      EGRESS(a_redirect_to_a_name_is_judged_by_where_it_leads),
      EGRESS(a_redirect_does_not_lead_a_rehearsal_away),
      EGRESS(a_redirect_within_reach_is_followed),
      EGRESS(a_name_that_turns_to_this_machine_is_refused),
      EGRESS(a_dead_connection_is_not_replaced_by_one_out_of_reach),
      EGRESS(nor_is_one_to_a_metadata_address_in_a_private_network),
      EGRESS(a_connection_of_one_reach_is_not_used_under_another),
      EGRESS(each_reach_has_connections_of_its_own),
  };
  return TRIAL_RUN_BOTH(tests);
}
