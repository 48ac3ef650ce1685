/* The names of reasons and results, as reports and scripts show them: see reason.h and calls.h. */
#include "calls/reason.h"

#include "calls/calls.h"

static const char *const reasons[CALL_REASONS] = {
    [REASON_NONE] = "",
    [REASON_CONNECT] = "connect",
    [REASON_DNS] = "dns",
    [REASON_TLS] = "tls",
    [REASON_TIMEOUT] = "timeout",
    [REASON_RESET] = "reset",
    [REASON_STATUS] = "status",
    [REASON_PREDICATE] = "predicate",
    [REASON_TOO_LARGE] = "too_large",
    [REASON_PROTOCOL] = "protocol",
    [REASON_REDIRECT] = "redirect",
    [REASON_FILE] = "file",
    [REASON_EGRESS] = "egress",
    [REASON_WITHIN] = "within",
    [REASON_ONLY_IF] = "only_if",
    [REASON_ABORTED] = "aborted",
    [REASON_CUT] = "cut",
    [REASON_CONFIG] = "config",
    [REASON_PAYLOAD] = "payload",
    [REASON_SCRIPT] = "script",
};

static const char *const results[] = {
    [CALL_OK] = "ok",
    [CALL_FAILED] = "failed",
    [CALL_UNKNOWN] = "unknown",
    [CALL_SKIPPED] = "skipped",
    [CALL_DROPPED] = "dropped",
    [CALL_MISTAKE] = "mistake",
    [CALL_UNDECIDED] = "undecided",
};

const char *call_reason_name(call_reason reason) {
  return reasons[reason];
}

const char *call_result_name(call_result result) {
  return results[result];
}
