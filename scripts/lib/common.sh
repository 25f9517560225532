# Sourced by the scripts beside this folder: where the project is, and how a script speaks.
# shellcheck shell=bash
set -euo pipefail

# The scripts may be called from anywhere.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; else bold='' plain=''; fi

say() { printf '%s\n' "$*"; }
heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# What to undo when the script ends, however it ends: each line is a command, the newest runs first.
cleanups=()
at_exit() { cleanups=("$*" ${cleanups[@]+"${cleanups[@]}"}); }
run_cleanups() {
  local command
  for command in ${cleanups[@]+"${cleanups[@]}"}; do eval "$command" || true; done
  cleanups=()
}
trap run_cleanups EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
