/* Writes Lua modules as C: jaunt-embed OUTPUT.c FOLDER FILE...
 *
 * Each FILE is a path within FOLDER; "jaunt/cli.lua" becomes the module "jaunt.cli", "jaunt/x/init.lua" the module
 * "jaunt.x". The output defines the table that runtime/base/lualib.h declares. Run by the build only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_or_die(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  return file;
}

/* Octal escapes of three digits: unlike hexadecimal ones they end where they should. A literal compiles
 * many times faster than a list of numbers. */
static size_t write_bytes(FILE *out, FILE *in) {
  size_t length = 0;
  int c;
  fputs("   \"", out);
  while ((c = getc(in)) != EOF) {
    length++;
    if (c == '\n') {
      fputs("\\n\"\n   \"", out);
    } else if (c < 32 || c > 126 || c == '"' || c == '\\' || c == '?') {
      fprintf(out, "\\%03o", (unsigned)c);
    } else {
      putc(c, out);
    }
  }
  putc('"', out);
  return length;
}

static void write_module_name(FILE *out, const char *path) {
  static const char init[] = "/init.lua";
  size_t length = strlen(path) - strlen(".lua");
  size_t whole = strlen(path);
  if (whole > sizeof init && strcmp(path + whole - (sizeof init - 1), init) == 0)
    length = whole - (sizeof init - 1);
  for (size_t i = 0; i < length; i++) putc(path[i] == '/' ? '.' : path[i], out);
}

static void write_module(FILE *out, const char *folder, const char *path) {
  char full[4096];
  snprintf(full, sizeof full, "%s/%s", folder, path);
  FILE *in = open_or_die(full, "rb");
  fputs("  {\"", out);
  write_module_name(out, path);
  fprintf(out, "\", \"lualib/%s\",\n", path);
  size_t length = write_bytes(out, in);
  fprintf(out, ",\n   %zu},\n", length);
  fclose(in);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: jaunt-embed OUTPUT.c FOLDER FILE...\n", stderr);
    return 1;
  }
  FILE *out = open_or_die(argv[1], "wb");
  fputs("/* Written by jaunt-embed from lualib/. */\n#include \"base/lualib.h\"\n\n", out);
  fputs("const lualib_module lualib_embedded[] = {\n", out);
  for (int i = 3; i < argc; i++) write_module(out, argv[2], argv[i]);
  fputs("  {0, 0, 0, 0},\n};\n", out);
  if (ferror(out) | fclose(out)) {
    perror(argv[1]);
    return 1;
  }
  return 0;
}
