#!/usr/bin/env bash
# Looks at the C files without running them: cmake/lint.sh BUILD-FOLDER JOBS. Ends with 1 when anything is found.
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1
jobs=$2
failed=0

mapfile -t files < <(find runtime tests cmake -name '*.[ch]' | sort)
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.c$')

echo "clang-format"
clang-format --dry-run -Werror "${files[@]}" || failed=1

# A layer includes only what lies below it (or itself): base < store, http, people < calls < engine < bind < serve, repl.
echo "layers"
layers="base:base
store:base store
http:base http
people:base people
calls:base store http people calls
engine:base store http people calls engine
bind:base store http people calls engine bind
serve:base store http people calls engine bind serve
repl:base store http people calls engine bind repl"
while IFS=: read -r layer below; do
  [ -d "runtime/$layer" ] || continue
  while IFS=: read -r file line text; do
    included=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<<"$text")
    case " $below " in *" $included "*) continue ;; esac
    echo "$file:$line: $layer/ looks up at $included/: $text"
    failed=1
  done < <(grep -rnE '^#include "[a-z]+/' "runtime/$layer")
done <<<"$layers"

echo "cppcheck"
cppcheck --quiet --error-exitcode=1 -j "$jobs" --std=c11 --enable=warning,portability --inline-suppr \
  --suppress=missingIncludeSystem --suppress=unknownMacro --suppress='*:/usr/*' -D_GNU_SOURCE \
  -DJAUNT_VERSION='"0"' -Iruntime -Itests -Itests/support "${sources[@]}" || failed=1

echo "clang-tidy"
known=$(grep -oE '"file": "[^"]+"' "$build/compile_commands.json" | cut -d'"' -f4)
printf '%s\n' "$known" | grep -E "^$PWD/(runtime|tests|cmake)/" | sort -u |
  xargs -r -P "$jobs" -n 4 clang-tidy -p "$build" --quiet 2> >(grep -vE 'warnings? generated' >&2) || failed=1

exit $failed
