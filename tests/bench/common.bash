# What `run` and `durable` share: where things are, vendors, measuring one program, and what is told of the machine. Sourced, in
# this folder. It sets `jaunt`, `tools`, `folder` (removed at the end, with all in `folders`) and `results`.
here=$PWD root=$(cd ../.. && pwd)

jaunt=${JAUNT:-$root/build/release/jaunt}
[[ $jaunt = /* ]] || jaunt=$root/$jaunt
tools=$(dirname "$jaunt")/bench

note() { echo "$*" >&2; }

vendors=()
folders=()
begin() {
  folder=$(mktemp -d)
  folders+=("$folder")
  results=$folder/results
  : >"$results"
  trap end_all EXIT
  ulimit -n "$(ulimit -Hn)"
}
end_all() {
  for pid in "${vendors[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "${folders[@]}"
}

# ---- vendors ----

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_nginx() { # CORES
  local port
  port=$(free_port)
  sed -e "s#FOLDER#$folder#" -e "s#PORT#$port#" nginx.conf.in >"$folder/nginx.conf"
  taskset -c "$1" "$(PATH=$PATH:/usr/sbin command -v nginx)" -c "$folder/nginx.conf" 2>"$folder/nginx.log" &
  vendors+=($!)
  until answers "$port"; do
    kill -0 ${vendors[-1]} 2>/dev/null || { cat "$folder/nginx.log" >&2; exit 2; }
    sleep 0.05
  done
  nginx_url=http://127.0.0.1:$port
  nginx_worker=$(cat "/proc/${vendors[-1]}/task/${vendors[-1]}/children")
}

# What it prints is read from descriptor 4.
start_slow_vendor() { # CORES MILLISECONDS
  local port
  exec 4< <(exec taskset -c "$1" "$tools/bench_slow_vendor" "$2")
  vendors+=($!)
  read -r port <&4
  slow_url=http://127.0.0.1:$port
  slow_worker=${vendors[-1]}
}

# ---- measuring ----

# CPU of a process so far, in clock ticks.
ticks() { awk '{ print $14 + $15 }' "/proc/${1// /}/stat"; }

# cost CORE PROGRAM…: sets wall, cpu_us and peak_kb; what the program prints is in $folder/out. - is any core.
cost() {
  local core=$1
  shift
  "$tools/bench_measure" "$core" "$folder/cost" "$@" >"$folder/out" 2>"$folder/err" ||
    { note "$* failed:"; cat "$folder/err" "$folder/out" >&2; exit 2; }
  read -r wall cpu_us peak_kb <"$folder/cost"
}

record() { printf '%s\t' "$@" >>"$results"; echo >>"$results"; }

number_in() { grep -o "\"$1\":[0-9.]*" "$folder/out" | head -1 | cut -d: -f2; }

quotient() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }

# Waits until a process does nothing any more, looking at it so often.
until_calm() { # PID SECONDS TICKS
  local before=-1000 now
  while sleep "$2" && now=$(ticks "$1") && ((now - before > $3)); do before=$now; done
}

resident_kb() { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }

make_people() { awk -v count="$1" -f people.awk >"$folder/people.csv"; }

# Prints the folder of a package of npm's, installed at need; nothing without npm or a network.
node_package() { # NAME VERSION
  local at=$root/build/bench-node
  command -v node >/dev/null && command -v npm >/dev/null || return 0
  if [ ! -d "$at/node_modules/$1" ]; then
    mkdir -p "$at"
    npm install --prefix "$at" --silent --no-audit --no-fund "$1@$2" >&2 || return 0
  fi
  echo "$at/node_modules/$1"
}

# ---- what is told of all ----

machine() { echo "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) cores, Linux $(uname -r)"; }

nginx_version() { PATH=$PATH:/usr/sbin nginx -v 2>&1 | sed 's/.*: //'; }

# Lines as one, with commas.
in_a_line() { paste -sd, | sed 's/,/, /g'; }
