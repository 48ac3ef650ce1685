/* An address has room for 107 bytes. A longer path is reached through its folder, held open: /proc/self/fd/N/NAME. */
#include "serve/control_address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

static int through_folder(const char *path, control_address *out, error *err) {
  const char *slash = strrchr(path, '/');
  char *folder = slash ? mem_text_of(path, (size_t)(slash - path) + 1) : mem_text(".");
  out->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int why = errno;
  free(folder);
  if (out->folder < 0) return error_set(err, "the folder of %s can't be opened: %s", path, strerror(why));
  int length = snprintf(out->at.sun_path, sizeof out->at.sun_path, "/proc/self/fd/%d/%s", out->folder,
                        slash ? slash + 1 : path);
  if (length < (int)sizeof out->at.sun_path) return 0;
  control_address_free(out);
  return error_set(err, "the name of %s is too long for a socket", path);
}

int control_address_of(const char *path, control_address *out, error *err) {
  *out = (control_address){.at = {.sun_family = AF_UNIX}, .folder = -1};
  size_t length = strlen(path);
  if (length >= sizeof out->at.sun_path) return through_folder(path, out, err);
  memcpy(out->at.sun_path, path, length + 1);
  return 0;
}

void control_address_free(control_address *address) {
  if (address->folder >= 0) close(address->folder);
  address->folder = -1;
}
