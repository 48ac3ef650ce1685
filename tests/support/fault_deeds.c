/* What the fault server does for each path: see fault_deeds.h. */
#include "support/fault_deeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { BLOCK = 16384, LOOK_MS = 5, SECOND_MS = 1000, FOR_EVER = -1 };

#define BIG_BYTES ((size_t)64 << 20)
#define BOMB_CRC  0xD2E73AC4u /* of BIG_BYTES times "a" */

/* "hello " five times */
static const unsigned char gzipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                        0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0xc0, 0x41, 0x02,
                                        0x00, 0xbe, 0xcb, 0x8a, 0xbd, 0x1e, 0x00, 0x00, 0x00};
static const unsigned char brotlied[] = {0x1b, 0x1d, 0x00, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x55,
                                         0x86, 0x96, 0x6c, 0x20, 0x6f, 0x41, 0x4f, 0x1c, 0x40, 0x71};

/* ---- whole answers ---- */

/* Where the server is done with the connection, but not by a reset. */
static bool close_after(bool written) {
  (void)written;
  return false;
}

static bool reset_after(fault_visit *v) {
  v->reset = true;
  return false;
}

/* `headers` are whole lines, or "". */
static bool answer(fault_visit *v, int status, const char *headers, const void *body, size_t length) {
  buf out = BUF_EMPTY;
  buf_format(&out, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n", status, length, headers);
  if (strcmp(v->request.method, "HEAD") != 0) buf_add(&out, body, length);
  bool written = fault_link_write(v->link, out.data, out.len);
  buf_free(&out);
  return written;
}

static bool answer_text(fault_visit *v, int status, const char *headers, const char *text) {
  return answer(v, status, headers, text, strlen(text));
}

/* What stands behind the path's second slash. */
static uint64_t number(const fault_visit *v) {
  const char *slash = strchr(v->request.path + 1, '/');
  return slash ? strtoull(slash + 1, NULL, 10) : 0;
}

static bool ok(fault_visit *v) {
  return answer_text(v, 200, "Content-Type: text/plain\r\n", "ok");
}

static bool with_status(fault_visit *v) {
  char text[32];
  snprintf(text, sizeof text, "status %d", (int)number(v));
  return answer_text(v, (int)number(v), "", text);
}

/* Of the body its length and CRC-32. */
static bool echo(fault_visit *v) {
  buf text = BUF_EMPTY;
  buf_add(&text, v->request.head.data, v->request.head.len);
  buf_format(&text, "\r\n%" PRIu64 " %08" PRIx32, v->request.body_bytes, v->request.body_sum);
  bool stays = answer(v, 200, "", text.data, text.len);
  buf_free(&text);
  return stays;
}

static bool counts(fault_visit *v) {
  buf text = BUF_EMPTY;
  fault_server_write_counts(v->server, &text);
  bool stays = answer_text(v, 200, "", buf_text(&text));
  buf_free(&text);
  return stays;
}

static bool redirect(fault_visit *v) {
  char location[1100];
  snprintf(location, sizeof location, "Location: %s\r\n", v->request.query);
  return answer_text(v, (int)number(v), location, "elsewhere");
}

static bool loop(fault_visit *v) {
  return answer_text(v, 302, "Location: /loop\r\n", "again");
}

static bool gzip(fault_visit *v) {
  return answer(v, 200, "Content-Encoding: gzip\r\n", gzipped, sizeof gzipped);
}

static bool brotli(fault_visit *v) {
  return answer(v, 200, "Content-Encoding: br\r\n", brotlied, sizeof brotlied);
}

static bool interim(fault_visit *v) {
  return fault_link_text(v->link, "HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\n"
                                  "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n") &&
         answer_text(v, 200, "X-Final: yes\r\n", "final");
}

static bool trailer(fault_visit *v) {
  return fault_link_text(v->link, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                                  "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n");
}

/* Lines that look like the first line of an answer where none can be. */
static bool false_status(fault_visit *v) {
  return fault_link_text(v->link, "HTTP/1.1 200 OK\r\nX-Before: yes\r\nHTTP/1.1 500: no\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n"
                                  "2\r\nok\r\n0\r\nHTTP/1.1 501: no\r\n\r\n");
}

static bool closing(fault_visit *v) {
  return close_after(answer_text(v, 200, "Connection: close\r\n", "bye"));
}

/* It ends where the connection does. */
static bool until_close(fault_visit *v) {
  return close_after(fault_link_text(v->link, "HTTP/1.1 200 OK\r\n\r\nall there is"));
}

/* As if it were to stay. */
static bool ok_then_close(fault_visit *v) {
  return close_after(ok(v));
}

/* ---- long ones ---- */

/* `length` bytes of `body`, again and again until they are `total`; in chunks, or as they are. */
static bool repeat(fault_visit *v, char byte, uint64_t total, bool chunked) {
  char block[BLOCK];
  memset(block, byte, sizeof block);
  for (uint64_t left = total; left > 0;) {
    size_t part = left < sizeof block ? (size_t)left : sizeof block;
    char size[32];
    snprintf(size, sizeof size, "%zx\r\n", part);
    if (chunked && !fault_link_text(v->link, size)) return false;
    if (!fault_link_write(v->link, block, part)) return false;
    if (chunked && !fault_link_text(v->link, "\r\n")) return false;
    left -= part;
  }
  return !chunked || fault_link_text(v->link, "0\r\n\r\n");
}

static bool announce(fault_visit *v, uint64_t length) {
  char head[128];
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %" PRIu64 "\r\n\r\n", length);
  return fault_link_text(v->link, head);
}

static bool of_bytes(fault_visit *v) {
  return announce(v, number(v)) && repeat(v, 'b', number(v), false);
}

static bool big_known(fault_visit *v) {
  return announce(v, BIG_BYTES) && repeat(v, 'b', BIG_BYTES, false);
}

static bool big_unknown(fault_visit *v) {
  return fault_link_text(v->link, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") &&
         repeat(v, 'b', BIG_BYTES, true);
}

static bool big_failure(fault_visit *v) {
  return fault_link_text(v->link, "HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\n\r\n") &&
         repeat(v, 'b', BIG_BYTES, true);
}

static void add_bits(buf *out, unsigned *held, int *count, unsigned bits, int width) {
  *held |= bits << *count;
  for (*count += width; *count >= 8; *count -= 8, *held >>= 8) buf_char(out, (char)*held);
}

static void add_32(buf *out, uint32_t value) {
  for (int i = 0; i < 4; i++) buf_char(out, (char)(value >> 8 * i));
}

/* One block with the fixed codes (RFC 1951, 3.2.6): an "a", then repetitions of 258 bytes, 13 bits each. */
static void bomb_write(buf *out) {
  enum { LONGEST = 258 };
  static const unsigned char head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
  unsigned held = 0;
  int count = 0;
  size_t singles = 1 + (BIG_BYTES - 1) % LONGEST;
  buf_add(out, head, sizeof head);
  add_bits(out, &held, &count, 3, 3);
  for (size_t i = 0; i < singles; i++) add_bits(out, &held, &count, 0x89, 8); /* 0x91 from its other end */
  for (size_t i = 0; i < (BIG_BYTES - singles) / LONGEST; i++) {
    add_bits(out, &held, &count, 0xa3, 8); /* 285: 258 bytes */
    add_bits(out, &held, &count, 0, 5);    /* from one byte back */
  }
  add_bits(out, &held, &count, 0, 7);
  add_bits(out, &held, &count, 0, 7);
  add_32(out, BOMB_CRC);
  add_32(out, (uint32_t)BIG_BYTES);
}

static bool bomb(fault_visit *v) {
  buf body = BUF_EMPTY;
  bomb_write(&body);
  bool stays = answer(v, 200, "Content-Encoding: gzip\r\n", body.data, body.len);
  buf_free(&body);
  return stays;
}

static bool big_header(fault_visit *v) {
  return fault_link_text(v->link, "HTTP/1.1 200 OK\r\nX-Big: ") && repeat(v, 'h', 1 << 20, false) &&
         fault_link_text(v->link, "\r\nContent-Length: 2\r\n\r\nok");
}

static bool many_headers(fault_visit *v) {
  static const char line[] = "X-Short: header line\r\n";
  buf out = BUF_EMPTY;
  buf_text_add(&out, "HTTP/1.1 200 OK\r\n");
  while (out.len < 1 << 20) buf_text_add(&out, line);
  buf_text_add(&out, "Content-Length: 2\r\n\r\nok");
  bool stays = fault_link_write(v->link, out.data, out.len);
  buf_free(&out);
  return stays;
}

/* ---- faults ---- */

static bool half(fault_visit *v) {
  return fault_link_text(v->link, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
}

static bool reset_early(fault_visit *v) {
  return reset_after(v);
}

/* More than two sockets' buffers hold, so that the other side has read most of it before the reset. */
static bool reset_middle(fault_visit *v) {
  enum { MOST = 15 << 20 };
  announce(v, MOST + 1);
  repeat(v, 'b', MOST, false);
  return reset_after(v);
}

static bool close_early(fault_visit *v) {
  (void)v;
  return false;
}

static bool in_body_closed(fault_visit *v) {
  return close_after(half(v));
}

static bool in_headers_closed(fault_visit *v) {
  return close_after(fault_link_text(v->link, "HTTP/1.1 200 OK\r\nX-Half: yes\r\nContent-Le"));
}

static bool never(fault_visit *v) {
  fault_link_wait(v->link, FOR_EVER);
  return false;
}

static bool held(fault_visit *v) {
  while (!fault_server_lets_go(v->server)) {
    if (!fault_link_wait(v->link, LOOK_MS)) return false;
  }
  return with_status(v);
}

static bool let_go(fault_visit *v) {
  fault_server_let_go(v->server);
  return ok(v);
}

static bool drip(fault_visit *v, const char *text) {
  for (; *text; text++) {
    if (!fault_link_write(v->link, text, 1) || !fault_link_wait(v->link, SECOND_MS)) return false;
  }
  return true;
}

static bool slow(fault_visit *v) {
  return drip(v, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static bool slow_body(fault_visit *v) {
  return announce(v, 26) && drip(v, "abcdefghijklmnopqrstuvwxyz");
}

static bool bad_chunk(fault_visit *v) {
  return close_after(fault_link_text(
      v->link, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzebra\r\nok\r\n0\r\n\r\n"));
}

static bool bad_gzip(fault_visit *v) {
  return answer_text(v, 200, "Content-Encoding: gzip\r\n", "this was never compressed by anybody");
}

static bool garbage(fault_visit *v) {
  return close_after(fault_link_text(v->link, "220 mail.example ESMTP ready\r\n250 what do you want?\r\n"));
}

static bool close_reused(fault_visit *v) {
  return v->before == 0 && ok(v);
}

static bool reset_reused(fault_visit *v) {
  return v->before == 0 ? ok(v) : reset_after(v);
}

/* ---- which ---- */

static const struct {
  const char *path; /* the part before its second slash */
  bool (*deed)(fault_visit *v);
} deeds[] = {
    {"/ok", ok},
    {"/status", with_status},
    {"/echo", echo},
    {"/bytes", of_bytes},
    {"/redirect", redirect},
    {"/loop", loop},
    {"/gzip", gzip},
    {"/br", brotli},
    {"/bomb", bomb},
    {"/interim", interim},
    {"/trailer", trailer},
    {"/false-status", false_status},
    {"/close", closing},
    {"/until-close", until_close},
    {"/ok-then-close", ok_then_close},
    {"/counts", counts},
    {"/reset-early", reset_early},
    {"/reset-middle", reset_middle},
    {"/close-early", close_early},
    {"/short", in_body_closed},
    {"/short-headers", in_headers_closed},
    {"/never", never},
    {"/held", held},
    {"/let-go", let_go},
    {"/slow", slow},
    {"/slow-body", slow_body},
    {"/big-header", big_header},
    {"/many-headers", many_headers},
    {"/big-known", big_known},
    {"/big-unknown", big_unknown},
    {"/big-failure", big_failure},
    {"/bad-chunk", bad_chunk},
    {"/bad-gzip", bad_gzip},
    {"/garbage", garbage},
    {"/close-reused", close_reused},
    {"/reset-reused", reset_reused},
};

bool fault_deed(fault_visit *v) {
  size_t length = 1 + strcspn(v->request.path + 1, "/");
  for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
    if (strlen(deeds[i].path) == length && memcmp(deeds[i].path, v->request.path, length) == 0)
      return deeds[i].deed(v);
  }
  return answer_text(v, 404, "", "no such fault");
}
