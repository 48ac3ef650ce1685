#!/usr/bin/env bash
# Looks at the C files, and at which module of lualib requires which, without running them: cmake/lint.sh BUILD-FOLDER JOBS. Ends
# with 1 when anything is found.
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1
jobs=$2
failed=0

mapfile -t files < <(find runtime tests cmake -name '*.[ch]' | sort)
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.c$')

echo "clang-format"
clang-format --dry-run -Werror "${files[@]}" || failed=1

# A layer includes only what lies below it (or itself): base < store, http, people < calls < engine < bind < native < serve, repl.
echo "layers"
layers="base:base
store:base store
http:base http
people:base people
calls:base store http people calls
engine:base store http people calls engine
bind:base store http people calls engine bind
native:base store http people calls engine bind native
serve:base store http people calls engine bind native serve
repl:base store http people calls engine bind native repl"
while IFS=: read -r layer below; do
  [ -d "runtime/$layer" ] || continue
  while IFS=: read -r file line text; do
    included=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<<"$text")
    case " $below " in *" $included "*) continue ;; esac
    echo "$file:$line: $layer/ looks up at $included/: $text"
    failed=1
  done < <(grep -rnE '^#include "[a-z]+/' "runtime/$layer")
done <<<"$layers"

# A room of lualib requires only modules of rooms named before its own (or of its own). Commands are found by their names.
echo "rooms"
rooms=(base lua schema liquid worker project cli state run preview check testing docs new repl commands)
declare -A rank=()
for i in "${!rooms[@]}"; do rank[${rooms[$i]}]=$i; done
while IFS=: read -r file line required; do
  room=$(sed -E 's|^lualib/jaunt/([a-z]+).*|\1|' <<<"$file")
  needed=$(sed -E 's|.*"jaunt\.([a-z]+).*|\1|' <<<"$required")
  if [ -z "${rank[$room]:-}" ]; then
    echo "$file: $room/ is no room of cmake/lint.sh"
    failed=1
  elif [ "${rank[$needed]:--1}" -gt "${rank[$room]}" ]; then
    echo "$file:$line: $room/ looks up at $needed/: $required"
    failed=1
  fi
done < <(grep -rnoE 'require ?\(?"jaunt\.[a-z]+' --include='*.lua' lualib | grep -vE '"jaunt\.(native|commands)$')

echo "cppcheck"
cppcheck --quiet --error-exitcode=1 -j "$jobs" --std=c11 --enable=warning,portability --inline-suppr \
  --suppress=missingIncludeSystem --suppress=unknownMacro --suppress='*:/usr/*' -D_GNU_SOURCE \
  -DJAUNT_VERSION='"0"' -Iruntime -Itests -Itests/support "${sources[@]}" || failed=1

echo "clang-tidy"
known=$(grep -oE '"file": "[^"]+"' "$build/compile_commands.json" | cut -d'"' -f4)
printf '%s\n' "$known" | grep -E "^$PWD/(runtime|tests|cmake)/" | sort -u |
  xargs -r -P "$jobs" -n 4 clang-tidy -p "$build" --quiet 2> >(grep -vE 'warnings? generated' >&2) || failed=1

exit $failed
