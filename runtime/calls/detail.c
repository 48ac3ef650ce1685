/* The words that stand beside a reason: see detail.h. */
#include "calls/detail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/utf8.h"

/* RFC 9110, 15, and RFC 6585. */
static const struct {
  int status;
  const char *phrase;
} phrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

static const char *phrase_of(int status) {
  for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
    if (phrases[i].status == status) return phrases[i].phrase;
  }
  return NULL;
}

ending ending_say(call_result result, call_reason reason, const char *format, ...) {
  ending e;
  e.result = result;
  e.reason = reason;
  va_list args;
  va_start(args, format);
  int needed = vsnprintf(e.detail, sizeof e.detail, format, args);
  va_end(args);
  if (needed >= (int)sizeof e.detail) e.detail[utf8_valid_length(e.detail, sizeof e.detail - 1)] = '\0';
  return e;
}

ending ending_status(int status) {
  const char *phrase = phrase_of(status);
  return ending_say(CALL_FAILED, REASON_STATUS, phrase ? "%d %s" : "%d", status, phrase);
}

ending ending_too_late(const call *c, int64_t pause_ms) {
  char pause[32], within[32];
  /* Whole seconds, upwards: the wall clock has moved on by milliseconds since the vendor named a date. */
  duration_format((pause_ms + 999) / 1000 * 1000, pause);
  duration_format(c->within_ms, within);
  ending e = ending_status(c->status);
  return ending_say(CALL_FAILED, REASON_STATUS,
                    "%s; it asks to be called again in %s, which is after `within` (%s)", e.detail, pause,
                    within);
}

static const char *before_any_attempt(call_state state) {
  switch (state) {
  case CALL_GATED: return "no attempt, it was not yet safely recorded";
  case CALL_TURN: return "no attempt, it was being rendered";
  default: return "no attempt, it waited for a place at its connection";
  }
}

static ending how_the_last_ended(const call *c) {
  if (c->overdue) return ending_say(CALL_FAILED, c->reason, "was still on the wire");
  if (c->reason == REASON_STATUS)
    return ending_say(CALL_FAILED, c->reason, "ended with status %d", c->status);
  return ending_say(CALL_FAILED, c->reason, "ended with %s (%s)", call_reason_name(c->reason), c->detail);
}

ending ending_within(const call *c) {
  char within[32];
  duration_format(c->within_ms, within);
  if (c->attempts == 0)
    return ending_say(CALL_FAILED, REASON_WITHIN, "not done within %s: %s", within,
                      before_any_attempt(c->state));
  return ending_say(CALL_FAILED, REASON_WITHIN, "not done within %s: %d attempt%s, the last %s", within,
                    c->attempts, c->attempts == 1 ? "" : "s", how_the_last_ended(c).detail);
}

ending ending_cut(void) {
  return ending_say(CALL_UNDECIDED, REASON_CUT, "it was stopped while it was under way");
}

/* The length of a query, whose ? is at `at`: it ends where something stands that no URL holds. A URL may hold
 * a ', so that one ends it only where nothing more of a URL follows. */
static size_t query_length(const char *at) {
  size_t length = 0;
  for (;;) {
    length += strcspn(at + length, " \t\r\n\"'<>");
    if (at[length] != '\'' || strspn(at + length + 1, " \t\r\n") > 0 || at[length + 1] == '\0') return length;
    length++;
  }
}

static void hide_queries(char *text) {
  char *to = text;
  for (const char *from = text; *from;) {
    if (*from == '?') from += query_length(from);
    if (*from) *to++ = *from++;
  }
  *to = '\0';
}

ending ending_broken(call_reason reason, const char *said) {
  ending e = ending_say(CALL_FAILED, reason, "%s", said);
  hide_queries(e.detail);
  return e;
}

ending ending_mistake(call_reason reason, const char *said) {
  return ending_say(CALL_MISTAKE, reason, "%s", said);
}
