# Sourced: installs what is missing, and says what it does. Nothing is installed that is there already.
# shellcheck shell=bash

# need CAPABILITY… : makes sure of each, through apt where it is missing. See `has` and `package_of` for the names.
need() {
  local capability output missing=() packages=()
  for capability in "$@"; do
    has "$capability" || { missing+=("$capability"); packages+=("$(package_of "$capability")"); }
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || die "missing: ${missing[*]}. This script installs with apt only, and there is no apt-get\
 here; install what Debian calls ${packages[*]} and run it again."
  say "Missing: ${missing[*]}. Installing with apt: ${packages[*]}"
  as_root apt-get -qq -o DPkg::Lock::Timeout=300 update || say "apt-get update failed in part; trying with what it has."
  # Quiet unless it fails: apt says much that nobody needs to know.
  output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    install -y --no-install-recommends "${packages[@]}" 2>&1) || die "apt-get could not install ${packages[*]}: $output"
  for capability in "${missing[@]}"; do
    has "$capability" || die "$capability is still missing after installing $(package_of "$capability")."
  done
}

# What the package links.
need_libraries() { need pkg-config sqlite3 libcurl libcrypto zlib; }

has() {
  case $1 in
    sqlite3 | libcurl | libcrypto | zlib) command -v pkg-config >/dev/null && pkg-config --exists "$1" ;;
    python-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

package_of() {
  case $1 in
    sqlite3) echo libsqlite3-dev ;;
    libcurl) echo libcurl4-openssl-dev ;;
    libcrypto) echo libssl-dev ;;
    zlib) echo zlib1g-dev ;;
    python-venv) echo python3-venv ;;
    *) echo "$1" ;;
  esac
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "not root, and there is no sudo; as root, run: $*"
  fi
}

need_swift() {
  command -v swift >/dev/null || die "there is no swift; install Swift 6.2 or later from https://www.swift.org/install"
}
