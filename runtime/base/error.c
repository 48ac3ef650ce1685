/* An error as a value: see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* What was cut does not end in half a character, which nobody could show. `needed` is what printf returned.
 */
static void end_well(error *err, int needed) {
  if (needed >= ERROR_TEXT) err->text[utf8_trim(err->text, ERROR_TEXT - 1)] = '\0';
}

int error_set(error *err, const char *format, ...) {
  if (err) {
    va_list args;
    va_start(args, format);
    int needed = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    end_well(err, needed);
  }
  return -1;
}

int error_before(error *err, const char *format, ...) {
  if (err) {
    char said[ERROR_TEXT];
    memcpy(said, err->text, sizeof said);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (used >= 0 && used < ERROR_TEXT)
      used += snprintf(err->text + used, sizeof err->text - (size_t)used, "%s", said);
    end_well(err, used);
  }
  return -1;
}
