/* jaunt.native.fs: what commands need to know of files and Lua's io does not tell. Blocking; paths are bytes.
 *
 * Functions that can fail return nil and a message, as io's do. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/native.h"

static int failed(lua_State *L, const char *path, int why) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(why));
  return 2;
}

/* ---- list(dir): the names in it, but "." and "..", sorted ---- */

static int not_dots(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int fs_list(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct dirent **entries = NULL;
  int count = scandir(path, &entries, not_dots, by_bytes);
  if (count < 0) return failed(L, path, errno);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, entries[i]->d_name);
    lua_seti(L, -2, i + 1);
    free(entries[i]);
  }
  free(entries);
  return 1;
}

/* ---- kind(path): "file", "dir", "other" (a pipe, a device), or nil where there is nothing; follows links ---- */

static int fs_kind(lua_State *L) {
  struct stat st;
  const char *path = luaL_checkstring(L, 1);
  if (stat(path, &st) != 0) return failed(L, path, errno);
  lua_pushstring(L, S_ISREG(st.st_mode) ? "file" : S_ISDIR(st.st_mode) ? "dir" : "other");
  return 1;
}

/* ---- mode(path): the permission bits (tonumber("600", 8)), and whether the file is ours ---- */

static int fs_mode(lua_State *L) {
  struct stat st;
  const char *path = luaL_checkstring(L, 1);
  if (stat(path, &st) != 0) return failed(L, path, errno);
  lua_pushinteger(L, (lua_Integer)(st.st_mode & 07777));
  lua_pushboolean(L, st.st_uid == geteuid());
  return 2;
}

/* ---- mtime(path): the last change, seconds since 1970 with a fraction ---- */

static int fs_mtime(lua_State *L) {
  struct stat st;
  const char *path = luaL_checkstring(L, 1);
  if (stat(path, &st) != 0) return failed(L, path, errno);
  lua_pushnumber(L, (lua_Number)st.st_mtim.tv_sec + (lua_Number)st.st_mtim.tv_nsec / 1e9);
  return 1;
}

/* ---- make_folder(path): with those above it; true also where it was there ---- */

static int fs_make_folder(lua_State *L) {
  char path[PATH_MAX];
  const char *wanted = luaL_checkstring(L, 1);
  if (snprintf(path, sizeof path, "%s", wanted) >= (int)sizeof path) return failed(L, wanted, ENAMETOOLONG);
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return failed(L, path, errno);
    *slash = '/';
  }
  if (mkdir(path, 0777) != 0 && errno != EEXIST) return failed(L, path, errno);
  lua_pushboolean(L, true);
  return 1;
}

/* ---- absolute(path): without links, "." and ".."; the path has to exist ---- */

static int fs_absolute(lua_State *L) {
  char whole[PATH_MAX];
  const char *path = luaL_checkstring(L, 1);
  if (realpath(path, whole) == NULL) return failed(L, path, errno);
  lua_pushstring(L, whole);
  return 1;
}

/* ---- read(path): all bytes ---- */

static int fs_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  luaL_Buffer text;
  FILE *file = fopen(path, "rb");
  if (file == NULL) return failed(L, path, errno);
  luaL_buffinit(L, &text);
  for (size_t got = 1; got > 0;) {
    got = fread(luaL_prepbuffer(&text), 1, LUAL_BUFFERSIZE, file);
    luaL_addsize(&text, got);
  }
  luaL_pushresult(&text);
  int why = ferror(file) ? errno : 0;
  fclose(file);
  return why != 0 ? failed(L, path, why) : 1;
}

static const luaL_Reg functions[] = {
    {"list", fs_list},
    {"kind", fs_kind},
    {"mode", fs_mode},
    {"mtime", fs_mtime},
    {"absolute", fs_absolute},
    {"read", fs_read},
    {"make_folder", fs_make_folder},
    {NULL, NULL},
};

int native_fs_open(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
