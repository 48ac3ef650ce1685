/* What the formats have in common: see rows.h. */
#include "people/rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

void row_clear(row *r) {
  r->length = 0;
  r->lines = 0;
  r->more = false;
  buf_clear(&r->id);
  buf_clear(&r->profile);
  buf_clear(&r->event);
}

void row_free(row *r) {
  buf_free(&r->id);
  buf_free(&r->profile);
  buf_free(&r->event);
}

row_found row_reject(row *r, reject_reason reason, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(r->why, sizeof r->why, format, args);
  va_end(args);
  r->reason = reason;
  return ROW_REJECTED;
}

row_found row_reject_long_line(row *r, const input *in) {
  r->length = input_held(in) < ROW_MOST ? input_held(in) : ROW_MOST;
  r->lines = 0;
  r->more = true;
  return row_reject(r, REJECT_TOO_LONG, "the row is longer than 16 MiB");
}

int row_rest_of_line(row *r, input *in, char newline, error *err) {
  size_t behind = ROW_MOST;
  line_found found = input_line(in, 0, newline, ROW_MOST, &behind, err);
  if (found == LINE_FAILED) return -1;
  if (found == LINE_LATER) return INPUT_LATER;
  r->length = found == LINE_NONE ? 0 : behind;
  r->more = found == LINE_TOO_LONG;
  r->lines = found == LINE_WHOLE && input_at(in)[behind - 1] == newline;
  return 0;
}

static bool is_blank(const buf *text) {
  for (size_t i = 0; i < text->len; i++) {
    if (!strchr(" \t\r\n", text->data[i]) || text->data[i] == '\0') return false;
  }
  return true;
}

static void close_object(buf *object) {
  if (object->len == 0) buf_char(object, '{');
  buf_char(object, '}');
}

row_found row_finish(row *r, bool add_id) {
  if (is_blank(&r->id)) return row_reject(r, REJECT_NO_ID, "no id");
  if (memchr(r->id.data, '\0', r->id.len)) return row_reject(r, REJECT_NO_ID, "the id holds a NUL byte");
  if (add_id) {
    row_add_key(&r->profile, "\"id\":", 5);
    if (json_write_string(&r->profile, r->id.data, r->id.len) != 0)
      return row_reject(r, REJECT_UTF8, "the id is not valid UTF-8");
  }
  close_object(&r->profile);
  close_object(&r->event);
  return ROW_USABLE;
}

/* True for what a terminal might obey, and for the marks that turn the direction of writing. */
static bool is_control(const char *at, size_t step) {
  const unsigned char *c = (const unsigned char *)at;
  if (step == 1) return c[0] < 0x20 || c[0] == 0x7F;
  if (step == 2) return c[0] == 0xC2 && c[1] < 0xA0;
  if (step == 3 && c[0] == 0xE2)
    return (c[1] == 0x80 && c[2] >= 0xA8 && c[2] <= 0xAE) || (c[1] == 0x81 && c[2] >= 0xA6);
  return false;
}

const char *show_text(char out[SHOWN_MOST], const char *bytes, size_t length) {
  static const char cut[] = "…";
  size_t used = 0, at = 0;
  while (at < length) {
    size_t step = utf8_sequence(bytes + at, length - at);
    bool bad = step == 0 || is_control(bytes + at, step);
    size_t wide = bad ? 1 : step;
    if (used + wide + sizeof cut > SHOWN_MOST) {
      memcpy(out + used, cut, sizeof cut - 1);
      used += sizeof cut - 1;
      break;
    }
    if (bad) {
      out[used] = '?';
    } else {
      memcpy(out + used, bytes + at, step);
    }
    used += wide;
    at += step ? step : 1;
  }
  out[used] = '\0';
  return out;
}
