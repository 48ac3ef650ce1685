/* The egress guard's judgement of addresses: see egress.h. Tables, and how the IPv4 address within an IPv6
 * one is found.
 */
#include "http/egress.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static const char METADATA[] = "the address of a cloud's metadata service", LOOPBACK[] = "a loopback address",
                  LINK_LOCAL[] = "a link-local address", PRIVATE[] = "a private address",
                  NOBODY[] = "an address of no host", RESERVED[] = "a reserved address",
                  DOCUMENTATION[] = "an address for documentation",
                  BENCHMARKS[] = "an address for benchmarks", MULTICAST[] = "a multicast address",
                  TRANSLATION[] = "an address of a local translator to IPv4", PUBLIC[] = "a public address";

typedef struct range {
  uint8_t prefix[16];
  int bits;
  egress_grade grade;
  const char *words;
} range;

/* The first that holds the address counts. */
static const range ranges_4[] = {
    {{169, 254, 169, 254}, 32, EGRESS_NEVER, METADATA}, /* AWS, Azure, Google Cloud and most others */
    {{100, 100, 100, 200}, 32, EGRESS_NEVER, METADATA}, /* Alibaba Cloud */
    {{192, 0, 0, 192}, 32, EGRESS_NEVER, METADATA},     /* Oracle Cloud */
    {{168, 63, 129, 16}, 32, EGRESS_NEVER, METADATA},   /* Azure's WireServer, in the middle of public ones */
    {{169, 254}, 16, EGRESS_NEVER, LINK_LOCAL},         /* RFC 3927 */
    {{0}, 8, EGRESS_NEVER, NOBODY}, /* "this network", RFC 791; Linux takes 0.0.0.0 for loopback */
    {{255, 255, 255, 255}, 32, EGRESS_NEVER, "the broadcast address"}, /* RFC 919 */
    {{224}, 4, EGRESS_NEVER, MULTICAST},                               /* RFC 1112 */
    {{127}, 8, EGRESS_LOOPBACK, LOOPBACK},                             /* RFC 1122 */
    {{10}, 8, EGRESS_PRIVATE, PRIVATE},                                /* RFC 1918, and the next two */
    {{172, 16}, 12, EGRESS_PRIVATE, PRIVATE},
    {{192, 168}, 16, EGRESS_PRIVATE, PRIVATE},
    {{100, 64}, 10, EGRESS_PRIVATE, "a provider's shared address"}, /* RFC 6598 */
    {{192, 0, 0}, 24, EGRESS_PRIVATE, RESERVED},                    /* RFC 6890, for protocols */
    {{192, 0, 2}, 24, EGRESS_PRIVATE, DOCUMENTATION},               /* RFC 5737, and the next two */
    {{198, 51, 100}, 24, EGRESS_PRIVATE, DOCUMENTATION},
    {{203, 0, 113}, 24, EGRESS_PRIVATE, DOCUMENTATION},
    {{192, 88, 99}, 24, EGRESS_PRIVATE, RESERVED}, /* relays of 6to4, RFC 7526 */
    {{198, 18}, 15, EGRESS_PRIVATE, BENCHMARKS},   /* RFC 2544 */
    {{240}, 4, EGRESS_PRIVATE, RESERVED},          /* RFC 1112; some use it as private */
    {{0}, 0, EGRESS_PUBLIC, PUBLIC},
};

static const range ranges_6[] = {
    {{0xfd, 0x00, 0x0e, 0xc2},
     32,
     EGRESS_NEVER,
     METADATA}, /* AWS: ::254 is metadata, ::23 credentials of pods */
    {{0xfd, 0x20, 0x00, 0xce}, 32, EGRESS_NEVER, METADATA},                  /* Google Cloud */
    {{0xfe, 0x80}, 10, EGRESS_NEVER, LINK_LOCAL},                            /* RFC 4291 */
    {{0xff}, 8, EGRESS_NEVER, MULTICAST},                                    /* RFC 4291 */
    {{0}, 128, EGRESS_NEVER, NOBODY},                                        /* RFC 4291 */
    {{[15] = 1}, 128, EGRESS_LOOPBACK, LOOPBACK},                            /* RFC 4291 */
    {{0xfc}, 7, EGRESS_PRIVATE, PRIVATE},                                    /* RFC 4193 */
    {{0xfe, 0xc0}, 10, EGRESS_PRIVATE, PRIVATE},                             /* site-local, until RFC 3879 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, EGRESS_PRIVATE, TRANSLATION}, /* RFC 8215 */
    {{0x20, 0x01, 0x00, 0x02}, 48, EGRESS_PRIVATE, BENCHMARKS},              /* RFC 5180 */
    {{0x20, 0x01, 0x00}, 23, EGRESS_PRIVATE, RESERVED},                      /* RFC 2928, for protocols */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, EGRESS_PRIVATE, DOCUMENTATION},           /* RFC 3849 */
    {{0x3f, 0xff}, 20, EGRESS_PRIVATE, DOCUMENTATION},                       /* RFC 9637 */
    {{0x20}, 3, EGRESS_PUBLIC, PUBLIC},                                      /* all that is given to hosts */
    {{0}, 0, EGRESS_PRIVATE, RESERVED},
};

/* IPv6 ranges whose addresses carry an IPv4 address, and from which byte on. */
static const struct carrier {
  uint8_t prefix[16];
  int bits;
  uint8_t at[4];    /* where it can stand; 0 ends the list */
  uint8_t flipped;  /* each of its bits is */
  bool goes_around; /* by way of another host, so that 127.0.0.1 within it is not this one's */
} carriers[] = {
    {{[10] = 0xff, [11] = 0xff}, 96, {12}, 0, false},                   /* mapped, RFC 4291 */
    {{[8] = 0xff, [9] = 0xff}, 96, {12}, 0, true},                      /* translated, RFC 2765 */
    {{0}, 96, {12}, 0, true},                                           /* compatible, until RFC 4291 */
    {{0x00, 0x64, 0xff, 0x9b}, 96, {12}, 0, true},                      /* NAT64, RFC 6052 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, {6, 7, 9, 12}, 0, true}, /* NAT64 with a prefix of one's own */
    {{0x20, 0x02}, 16, {2}, 0, true},                                   /* 6to4, RFC 3056 */
    {{0x20, 0x01}, 32, {4}, 0, true},                                   /* Teredo: its server, RFC 4380 */
    {{0x20, 0x01}, 32, {12}, 0xff, true},                               /* and its client */
};

static bool is_within(const uint8_t *address, const uint8_t *prefix, int bits) {
  int bytes = bits / 8, rest = bits % 8;
  if (memcmp(address, prefix, (size_t)bytes) != 0) return false;
  return rest == 0 || (address[bytes] ^ prefix[bytes]) >> (8 - rest) == 0;
}

static const range *range_of(const uint8_t *address, const range *ranges) {
  while (!is_within(address, ranges->prefix, ranges->bits)) ranges++;
  return ranges;
}

/* RFC 6052, 2.2: byte 8 is never part of it. */
static void carried(const struct carrier *by, const uint8_t *address, int from, uint8_t out[4]) {
  for (int i = 0, at = from; i < 4; i++, at++) {
    if (by->bits == 48 && at == 8) at++;
    out[i] = address[at] ^ by->flipped;
  }
}

static egress_grade grade_within(const struct carrier *by, egress_grade inner) {
  return inner == EGRESS_LOOPBACK && by->goes_around ? EGRESS_PRIVATE : inner;
}

static void show(egress_finding *of, int family, const uint8_t *address, const uint8_t *inner) {
  char whole[INET6_ADDRSTRLEN], within[INET_ADDRSTRLEN];
  uv_inet_ntop(family, address, whole, sizeof whole);
  if (inner) uv_inet_ntop(AF_INET, inner, within, sizeof within);
  snprintf(of->text, sizeof of->text, inner ? "%s (%s within)" : "%s", whole, inner ? within : "");
}

static egress_finding judge_4(const uint8_t *address) {
  const range *r = range_of(address, ranges_4);
  egress_finding found = {.grade = r->grade, .words = r->words};
  show(&found, AF_INET, address, NULL);
  return found;
}

/* Makes it the worst that an address within it is. Where it could be read in several ways, one that gives
 * 0.x.x.x is none. Returns whether there was any. */
static bool judge_carried(egress_finding *found, const struct carrier *by, const uint8_t *address) {
  bool any = false;
  for (size_t i = 0; i < sizeof by->at && by->at[i]; i++) {
    uint8_t inner[4];
    carried(by, address, by->at[i], inner);
    if (by->at[1] && inner[0] == 0) continue;
    any = true;
    const range *r = range_of(inner, ranges_4);
    egress_grade grade = grade_within(by, r->grade);
    if (grade <= found->grade) continue;
    *found = (egress_finding){.grade = grade, .words = r->words};
    show(found, AF_INET6, address, inner);
  }
  return any;
}

static bool is_carrier(const struct carrier *c, const uint8_t *address) {
  static const uint8_t zeros[15] = {0};
  bool is_plain = memcmp(address, zeros, sizeof zeros) == 0 && address[15] <= 1; /* :: and ::1 */
  return !is_plain && is_within(address, c->prefix, c->bits);
}

/* What leads to a public address within it is public itself, whatever its own range is for. */
static egress_finding judge_6(const uint8_t *address) {
  egress_finding found = {.grade = EGRESS_PUBLIC, .words = PUBLIC};
  bool carries = false;
  for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++) {
    if (is_carrier(&carriers[i], address)) carries |= judge_carried(&found, &carriers[i], address);
  }
  if (found.text[0]) return found;
  const range *r = range_of(address, ranges_6);
  if (!carries) found = (egress_finding){.grade = r->grade, .words = r->words};
  show(&found, AF_INET6, address, NULL);
  return found;
}

egress_finding egress_judge(const struct sockaddr *address) {
  union { /* the address may stand in a buffer of bytes */
    struct in_addr four;
    struct in6_addr six;
    uint8_t bytes[16];
  } copy;
  if (address->sa_family == AF_INET) {
    memcpy(&copy.four, (const char *)address + offsetof(struct sockaddr_in, sin_addr), sizeof copy.four);
    return judge_4(copy.bytes);
  }
  if (address->sa_family == AF_INET6) {
    memcpy(&copy.six, (const char *)address + offsetof(struct sockaddr_in6, sin6_addr), sizeof copy.six);
    return judge_6(copy.bytes);
  }
  return (egress_finding){
      .grade = EGRESS_NEVER, .words = "no address of the internet", .text = "something else"};
}

bool egress_allows(http_reach reach, egress_grade grade) {
  switch (reach) {
  case HTTP_REACH_PUBLIC: return grade == EGRESS_PUBLIC;
  case HTTP_REACH_LOOPBACK: return grade == EGRESS_LOOPBACK;
  case HTTP_REACH_ANY: return grade != EGRESS_NEVER;
  }
  return false;
}
