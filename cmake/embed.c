/* Writes Lua modules as C: jaunt-embed OUTPUT.c FOLDER FILE...
 *
 * Each FILE is a path within FOLDER; "jaunt/cli.lua" becomes the module "jaunt.cli", "jaunt/x/init.lua" the module
 * "jaunt.x". They are compiled here, by the Lua that jaunt is linked with: to do so at each start would take most of
 * it. Names and lines stay in them, for messages. One that does not compile is told with its line, and there is no
 * output. The output defines the table that runtime/base/lualib.h declares. Run by the build only. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is written of one module: how many bytes there were so far. */
typedef struct literal {
  FILE *out;
  size_t length;
} literal;

/* A lua_Writer. Octal escapes of three digits: unlike hexadecimal ones they end where they should. A literal compiles
 * many times faster than a list of numbers. */
static int write_bytes(lua_State *L, const void *bytes, size_t count, void *data) {
  literal *code = data;
  (void)L;
  for (const unsigned char *at = bytes, *end = at + count; at < end; at++) {
    if (code->length++ % 64 == 0) fputs("\"\n   \"", code->out);
    if (*at < 32 || *at > 126 || *at == '"' || *at == '\\' || *at == '?')
      fprintf(code->out, "\\%03o", (unsigned)*at);
    else
      putc(*at, code->out);
  }
  return ferror(code->out);
}

typedef struct source {
  FILE *in;
  char part[16384];
} source;

/* A lua_Reader. */
static const char *read_part(lua_State *L, void *data, size_t *length) {
  source *text = data;
  (void)L;
  *length = fread(text->part, 1, sizeof text->part, text->in);
  return *length > 0 ? text->part : NULL;
}

/* Leaves the module's function on the stack, or what is wrong with it, which is told. Returns 0, or -1. */
static int compile(lua_State *L, const char *folder, const char *path) {
  char full[4096], name[4096];
  source text;
  snprintf(full, sizeof full, "%s/%s", folder, path);
  snprintf(name, sizeof name, "@lualib/%s", path);
  text.in = fopen(full, "rb");
  if (text.in == NULL) {
    perror(full);
    return -1;
  }
  int status = lua_load(L, read_part, &text, name, "t");
  int failed = ferror(text.in);
  fclose(text.in);
  if (status == LUA_OK && !failed) return 0;
  fprintf(stderr, "%s\n", failed ? full : lua_tostring(L, -1));
  return -1;
}

static void write_module_name(FILE *out, const char *path) {
  static const char init[] = "/init.lua";
  size_t length = strlen(path) - strlen(".lua");
  size_t whole = strlen(path);
  if (whole > sizeof init && strcmp(path + whole - (sizeof init - 1), init) == 0)
    length = whole - (sizeof init - 1);
  for (size_t i = 0; i < length; i++) putc(path[i] == '/' ? '.' : path[i], out);
}

static int write_module(lua_State *L, FILE *out, const char *folder, const char *path) {
  literal code = {.out = out};
  if (compile(L, folder, path) != 0) return -1;
  fputs("  {\"", out);
  write_module_name(out, path);
  fprintf(out, "\", \"lualib/%s\",\n   \"", path);
  int status = lua_dump(L, write_bytes, &code, 0);
  fprintf(out, "\",\n   %zu},\n", code.length);
  lua_settop(L, 0);
  return status == 0 ? 0 : -1;
}

static int write_modules(lua_State *L, FILE *out, const char *folder, int count, char **paths) {
  int status = 0;
  fputs("/* Written by jaunt-embed from lualib/. */\n#include \"base/lualib.h\"\n\n", out);
  fputs("const lualib_module lualib_embedded[] = {\n", out);
  for (int i = 0; i < count && status == 0; i++) status = write_module(L, out, folder, paths[i]);
  fputs("  {0, 0, 0, 0},\n};\n", out);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: jaunt-embed OUTPUT.c FOLDER FILE...\n", stderr);
    return 1;
  }
  lua_State *L = luaL_newstate();
  FILE *out = fopen(argv[1], "wb");
  if (L == NULL || out == NULL) {
    perror(argv[1]);
    return 1;
  }
  int status = write_modules(L, out, argv[2], argc - 3, argv + 3);
  lua_close(L);
  if (ferror(out) | fclose(out)) {
    perror(argv[1]);
    status = -1;
  }
  if (status != 0) remove(argv[1]); /* half a file is not to be taken for a whole one by the next build */
  return status == 0 ? 0 : 1;
}
