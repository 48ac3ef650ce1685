#!/usr/bin/env bash
# Installs the Debian packages of the named groups of packages.txt that are missing.
#   cmake/install-packages.sh product build tests
# As root or through `sudo -n`; otherwise it prints the one command to type and exits with 1.
# Where there is no dpkg the packages are taken to be there: CMake says what it does not find.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=()
while read -r group package _; do
  case " $* " in *" $group "*) wanted+=("$package") ;; esac
done < <(grep -v '^ *#' packages.txt)

# Names what is not unpacked. A service that could not be started leaves its package half-configured; its
# files are all there, and nobody here needs the service.
missing() {
  local present
  present=" $(dpkg-query -W -f '${db:Status-Status}:${binary:Package} ' "${wanted[@]}" 2>/dev/null || true)"
  for package in "${wanted[@]}"; do
    case "$present" in
    *" installed:$package "* | *" installed:$package:"*) ;;
    *" half-configured:$package "* | *" half-configured:$package:"*) ;;
    *" triggers-"*":$package "* | *" triggers-"*":$package:"*) ;;
    *) echo "$package" ;;
    esac
  done
}

command -v dpkg-query >/dev/null || exit 0
mapfile -t packages < <(missing)
[ ${#packages[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=(env)
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n env)
else
  echo "Some Debian packages are missing. Type this, then try again:" >&2
  echo "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${packages[*]}" >&2
  exit 1
fi

echo "Installing ${packages[*]}"
"${as_root[@]}" apt-get update --quiet=2 || echo "apt-get update failed; trying with what is known" >&2
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
  apt-get install --quiet=2 --yes --no-install-recommends "${packages[@]}" || true

mapfile -t packages < <(missing)
if [ ${#packages[@]} -gt 0 ]; then
  echo "These Debian packages could not be installed: ${packages[*]}" >&2
  exit 1
fi
