/* libmicrohttpd's functions, as far as this layer uses them, each passed on to the library once libmicrohttpd_load has
 * found it. See libmicrohttpd.h. A function that is not here does not link: it gets a row in FUNCTIONS and a line below. */
#include "serve/libmicrohttpd.h"

#include <microhttpd.h>
#include <stdarg.h>

#include "base/shared_library.h"

#define FUNCTIONS(each)                                                                                      \
  each(MHD_get_version) each(MHD_start_daemon_va) each(MHD_stop_daemon) each(MHD_run) each(MHD_get_timeout)  \
      each(MHD_get_daemon_info) each(MHD_get_connection_info) each(MHD_get_connection_values_n)              \
          each(MHD_suspend_connection) each(MHD_resume_connection) each(MHD_create_response_from_buffer)     \
              each(MHD_add_response_header) each(MHD_queue_response) each(MHD_destroy_response)

FUNCTIONS(SHARED_HIDE)
SHARED_HIDE(MHD_start_daemon)

static struct { FUNCTIONS(SHARED_POINTER) } lib;
SHARED_LIBRARY(lib, FUNCTIONS, "libmicrohttpd.so.12", "libmicrohttpd12", "the pretend vendor needs");

int libmicrohttpd_load(error *err) {
  return shared_library_load(&library, err);
}

/* ---- passed on as they are ---- */

const char *MHD_get_version(void) {
  return lib.MHD_get_version();
}

struct MHD_Daemon *MHD_start_daemon_va(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback policy,
                                       void *policy_data, MHD_AccessHandlerCallback handler,
                                       void *handler_data, va_list options) {
  return lib.MHD_start_daemon_va(flags, port, policy, policy_data, handler, handler_data, options);
}

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback policy,
                                    void *policy_data, MHD_AccessHandlerCallback handler, void *handler_data,
                                    ...) {
  va_list options;
  va_start(options, handler_data);
  struct MHD_Daemon *daemon =
      MHD_start_daemon_va(flags, port, policy, policy_data, handler, handler_data, options);
  va_end(options);
  return daemon;
}

void MHD_stop_daemon(struct MHD_Daemon *daemon) {
  lib.MHD_stop_daemon(daemon);
}

enum MHD_Result MHD_run(struct MHD_Daemon *daemon) {
  return lib.MHD_run(daemon);
}

enum MHD_Result MHD_get_timeout(struct MHD_Daemon *daemon, MHD_UNSIGNED_LONG_LONG *ms) {
  return lib.MHD_get_timeout(daemon, ms);
}

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                MHD_KeyValueIteratorN each, void *data) {
  return lib.MHD_get_connection_values_n(connection, kind, each, data);
}

void MHD_suspend_connection(struct MHD_Connection *connection) {
  lib.MHD_suspend_connection(connection);
}

void MHD_resume_connection(struct MHD_Connection *connection) {
  lib.MHD_resume_connection(connection);
}

struct MHD_Response *MHD_create_response_from_buffer(size_t size, void *bytes,
                                                     enum MHD_ResponseMemoryMode mode) {
  return lib.MHD_create_response_from_buffer(size, bytes, mode);
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *name, const char *value) {
  return lib.MHD_add_response_header(response, name, value);
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned status,
                                   struct MHD_Response *response) {
  return lib.MHD_queue_response(connection, status, response);
}

void MHD_destroy_response(struct MHD_Response *response) {
  lib.MHD_destroy_response(response);
}

/* Both take more for kinds of information that are not asked for here. */
const union MHD_DaemonInfo *MHD_get_daemon_info(struct MHD_Daemon *daemon, enum MHD_DaemonInfoType kind,
                                                ...) {
  return lib.MHD_get_daemon_info(daemon, kind);
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType kind, ...) {
  return lib.MHD_get_connection_info(connection, kind);
}
