/* See shared_library.h. */
#include "base/shared_library.h"

#include <dlfcn.h>
#include <string.h>

static int find_functions(const shared_library *library, void *handle, error *err) {
  for (size_t i = 0; i < library->count; i++) {
    const shared_function *function = &library->functions[i];
    void *at = dlsym(handle, function->name);
    if (!at)
      return error_set(err, "%s has no %s: install a newer %s", library->file, function->name,
                       library->package);
    memcpy((char *)library->table + function->offset, &at, sizeof at);
  }
  return 0;
}

static int load(const shared_library *library, error *err) {
  void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return error_set(err, "%s: %s the Debian package %s", dlerror(), library->user, library->package);
  return find_functions(library, handle, err);
}

int shared_library_load(shared_library *library, error *err) {
  pthread_mutex_lock(&library->loading);
  library->loaded = library->loaded || load(library, err) == 0;
  bool done = library->loaded;
  pthread_mutex_unlock(&library->loading);
  return done ? 0 : -1;
}
