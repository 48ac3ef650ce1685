/* An error as a value: see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(error *err, const char *format, ...) {
  if (err) {
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
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
    if (used >= 0 && used < ERROR_TEXT) snprintf(err->text + used, sizeof err->text - (size_t)used, "%s", said);
  }
  return -1;
}
