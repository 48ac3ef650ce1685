/* Which attempts deserve another one, and after what pause: see retry.h and calls.h. */
#include "calls/retry.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/moment.h"

/* A pause longer than any `within`; far from where adding it to a time would overflow. */
#define PAUSE_MOST_MS (INT64_MAX / 4)

/* "Not now", in words that nobody sends after having done it. */
static bool is_refusal(int status) {
  return status == 429 || status == 503;
}

static bool is_passing(int status) {
  return is_refusal(status) || status == 408 || status == 500 || status == 502 || status == 504;
}

static bool breaks_in_passing(http_outcome outcome) {
  switch (outcome) {
  case HTTP_CONNECT:
  case HTTP_DNS:
  case HTTP_TIMEOUT:
  case HTTP_RESET: return true;
  default: return false; /* the same would come again, or it was cut */
  }
}

bool retry_allowed(const call *c, const http_answer *answer) {
  bool once = !c->key_header;
  if (answer->outcome == HTTP_ANSWERED) return once ? is_refusal(answer->status) : is_passing(answer->status);
  if (once && answer->sent) return is_refusal(answer->status);
  return breaks_in_passing(answer->outcome);
}

bool retry_is_outage(const http_answer *answer) {
  if (answer->outcome == HTTP_ANSWERED) return is_passing(answer->status);
  return answer->outcome == HTTP_TLS || breaks_in_passing(answer->outcome);
}

/* It was sent, and no answer says what came of it. */
static bool is_lost(const http_answer *answer) {
  return answer->outcome != HTTP_ANSWERED && answer->sent && answer->status < 400;
}

bool retry_fate_unclear(const call *c, const http_answer *answer) {
  return !c->key_header && is_lost(answer);
}

void retry_note_fate(call *c, const http_answer *answer, call_result judged) {
  if (!answer->sent) return;
  if (is_lost(answer) || judged == CALL_MISTAKE) /* or nobody could say what the answer means */
    c->unclear = true;
  else if (!is_passing(answer->status))
    c->unclear = false;
}

double calls_random_backoff(const retry_policy *retry, int attempt, const char *key) {
  double most = (double)retry->base_ms;
  for (int n = 1; n < attempt && most < (double)retry->cap_ms; n++) most *= 2;
  if (most > (double)retry->cap_ms) most = (double)retry->cap_ms;
  hash_part parts[] = {{key, strlen(key)}, {&attempt, sizeof attempt}};
  uint64_t seed = hash_parts((hash128){0x6a61756e74, 2}, parts, 2).lo;
  return random_unit(&seed) * most;
}

/* ---- Retry-After ---- */

/* Delta-seconds; -1 when it is not made of digits. */
static int64_t seconds_ms(const char *text) {
  int64_t ms = 0;
  if (!*text) return -1;
  for (; *text; text++) {
    if (!isdigit((unsigned char)*text)) return -1;
    ms = ms > PAUSE_MOST_MS / 10 - 9000 ? PAUSE_MOST_MS : ms * 10 + (*text - '0') * 1000;
  }
  return ms;
}

static int64_t date_ms(const char *text, int64_t now_ms) {
  int64_t at = moment_http_date(text);
  if (at < 0) return -1;
  return at > now_ms ? at - now_ms : 0;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static int64_t read_value(const char *value, size_t length, int64_t now_ms) {
  while (length && is_space(*value)) value++, length--;
  while (length && is_space(value[length - 1])) length--;
  char text[64];
  if (length >= sizeof text) return -1;
  memcpy(text, value, length);
  text[length] = '\0';
  int64_t ms = seconds_ms(text);
  return ms >= 0 ? ms : date_ms(text, now_ms);
}

int64_t calls_retry_after(const char *headers, size_t length, int64_t now_ms) {
  static const char name[] = "Retry-After:";
  const size_t name_length = sizeof name - 1;
  const char *end = headers + length;
  for (const char *line = headers; line < end;) {
    const char *next = memchr(line, '\n', (size_t)(end - line));
    size_t line_length = (size_t)((next ? next : end) - line);
    if (line_length >= name_length && strncasecmp(line, name, name_length) == 0)
      return read_value(line + name_length, line_length - name_length, now_ms);
    line += line_length + 1;
  }
  return -1;
}

int64_t retry_pause(const call *c, const http_answer *answer, bool *asked) {
  int64_t drawn = (int64_t)calls_random_backoff(&c->retry, c->attempts, c->key), wanted = -1;
  /* A date is on the vendor's calendar, which is the wall clock's, not that of a rehearsal. */
  if (answer->status >= 300)
    wanted = calls_retry_after(answer->headers, answer->headers_length, clock_wall_ms());
  *asked = wanted >= 0;
  return wanted > drawn ? wanted : drawn;
}
