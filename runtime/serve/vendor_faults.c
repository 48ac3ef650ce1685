/* Draws faults: see vendor_faults.h. */
#include "serve/vendor_faults.h"

#include "base/hash.h"

enum { LATENCY_MOST_MS = 3600 * 1000 };

vendor_fault vendor_fault_draw(const vendor_faults *faults, uint64_t seed, const char *key, size_t length,
                               uint64_t attempt) {
  const hash128 faults_of = {seed, 0x7072657465647321};
  uint8_t number[8];
  for (int i = 0; i < 8; i++) number[i] = (uint8_t)(attempt >> (8 * i));
  const hash_part parts[] = {{key, length}, {number, sizeof number}};
  uint64_t stream = hash_parts(faults_of, parts, 2).lo;
  double drawn = random_unit(&stream);
  if (drawn < faults->reset) return random_unit(&stream) < 0.5 ? FAULT_RESET_BEFORE : FAULT_RESET_AFTER;
  return drawn < faults->reset + faults->fail ? FAULT_FAIL : FAULT_NONE;
}

int vendor_faults_check(const vendor_faults *faults, const char *whose, error *err) {
  if (!(faults->fail >= 0 && faults->fail <= 1) || !(faults->reset >= 0 && faults->reset <= 1))
    return error_set(err, "%s: fail and reset are shares from 0 to 1 (or \"0%%\" to \"100%%\")", whose);
  if (faults->fail + faults->reset > 1)
    return error_set(err, "%s: fail and reset together are more than all attempts", whose);
  if (faults->latency_ms < 0 || faults->latency_ms > LATENCY_MOST_MS)
    return error_set(err, "%s: a latency is from 0s to 1h", whose);
  return 0;
}
