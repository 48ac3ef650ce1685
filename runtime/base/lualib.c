/* Finds Lua modules: in the folder JAUNT_LUALIB first, then among the embedded ones. */
#include "base/lualib.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

static const char *override_folder(void) {
  const char *folder = getenv("JAUNT_LUALIB");
  return folder != NULL && folder[0] != '\0' ? folder : NULL;
}

int lualib_check(error *err) {
  struct stat st;
  const char *folder = override_folder();
  if (folder == NULL || (stat(folder, &st) == 0 && S_ISDIR(st.st_mode))) return 0;
  return error_set(err, "JAUNT_LUALIB names %s, which is no folder", folder);
}

/* "jaunt.cli" with "/" for each dot. Returns -1 for what is no module's name, so that no name leaves the folder. */
static int module_path(char *out, size_t room, const char *name) {
  size_t i = 0;
  for (; name[i] != '\0'; i++) {
    char c = name[i];
    if (i + 1 >= room || c == '/' || c == '\\' || (c == '.' && (i == 0 || name[i - 1] == '.'))) return -1;
    out[i] = c == '.' ? '/' : c;
  }
  out[i] = '\0';
  return i > 0 ? 0 : -1;
}

/* Returns 1 with the file's bytes, 0 where there is none, -1 where it cannot be read. */
static int read_file(const char *path, buf *out, error *err) {
  FILE *file = fopen(path, "rb");
  if (file == NULL && (errno == ENOENT || errno == ENOTDIR)) return 0;
  if (file == NULL) return error_set(err, "can't read %s: %s", path, strerror(errno));
  size_t got;
  do {
    char *room = buf_room(out, 16384);
    got = fread(room, 1, 16384, file);
    out->len += got;
  } while (got > 0);
  int status = ferror(file) ? error_set(err, "can't read %s: %s", path, strerror(errno)) : 1;
  fclose(file);
  return status;
}

static int find_in_folder(const char *folder, const char *relative, lualib_source *source, error *err) {
  static const char *const ends[] = {".lua", "/init.lua"};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    buf text = BUF_EMPTY;
    int length = snprintf(source->path, sizeof source->path, "%s/%s%s", folder, relative, ends[i]);
    if (length < 0 || (size_t)length >= sizeof source->path)
      return error_set(err, "the path of the Lua module %s in JAUNT_LUALIB is too long", relative);
    int found = read_file(source->path, &text, err);
    if (found == 1) {
      buf_text(&text);
      source->owned = buf_take(&text, &source->length);
      source->code = source->owned;
      source->mode = "t";
      return 1;
    }
    buf_free(&text);
    if (found < 0) return -1;
  }
  return 0;
}

int lualib_find(const char *name, lualib_source *source, error *err) {
  char relative[256];
  const char *folder = override_folder();
  *source = (lualib_source){0};
  if (module_path(relative, sizeof relative, name) != 0) return 0;
  if (folder != NULL) {
    int found = find_in_folder(folder, relative, source, err);
    if (found != 0) return found;
  }
  for (const lualib_module *m = lualib_embedded; m->name != NULL; m++) {
    if (strcmp(m->name, name) != 0) continue;
    source->code = m->code;
    source->mode = "b";
    source->length = m->length;
    snprintf(source->path, sizeof source->path, "%s", m->path);
    return 1;
  }
  return 0;
}

void lualib_free(lualib_source *source) {
  free(source->owned);
  *source = (lualib_source){0};
}

static void each_in_folder(const char *path, void (*each)(void *data, const char *name), void *data) {
  DIR *dir = opendir(path);
  if (dir == NULL) return;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char name[256];
    size_t length = strlen(entry->d_name);
    if (length <= 4 || length >= sizeof name || strcmp(entry->d_name + length - 4, ".lua") != 0) continue;
    memcpy(name, entry->d_name, length - 4);
    name[length - 4] = '\0';
    if (strchr(name, '.') == NULL) each(data, name);
  }
  closedir(dir);
}

void lualib_each(const char *package, void (*each)(void *data, const char *name), void *data) {
  char relative[256], path[1024];
  const char *folder = override_folder();
  size_t length = strlen(package);
  if (folder != NULL && module_path(relative, sizeof relative, package) == 0) {
    snprintf(path, sizeof path, "%s/%s", folder, relative);
    each_in_folder(path, each, data);
  }
  for (const lualib_module *m = lualib_embedded; m->name != NULL; m++) {
    if (strncmp(m->name, package, length) != 0 || m->name[length] != '.') continue;
    if (strchr(m->name + length + 1, '.') == NULL) each(data, m->name + length + 1);
  }
}
