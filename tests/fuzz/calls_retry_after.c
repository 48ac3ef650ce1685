/* Retry-After in a vendor's headers: never a pause below nothing, nor one whose end could not be computed. */
#include "calls/calls.h"
#include "fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
    "Server: x\nRetry-After: 120\nDate: y\n",
    "retry-after:   Wed, 21 Oct 2026 07:28:00 GMT  \n",
    "Retry-After:\n",
    "Retry-After: 99999999999999999999999\n",
    "Retry-After: -1\nRetry-After: 5",
    NULL,
};

const char *const fuzz_words[] = {"Retry-After:", "\n", "\r\n", "0",    "9999999999",
                                  "GMT",          " ",  "\t",   "9999", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const int64_t now_ms = 1790000000123;
  int64_t pause = calls_retry_after((const char *)bytes, length, now_ms);
  FUZZ_HOLDS(pause >= -1 && pause <= INT64_MAX / 4);
  return 0;
}
