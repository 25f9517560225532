# Sourced: a real S3 server for as long as the calling script runs.
# shellcheck shell=bash

# start_s3 : starts it on free ports of the loopback interface with an empty folder, and exports DIMPLE_TEST_S3_ENDPOINT,
# DIMPLE_TEST_S3_KEY, DIMPLE_TEST_S3_SECRET and DIMPLE_TEST_S3_REGION. It stops, and its folder goes, when the script ends.
start_s3() {
  local folder settings attempt line
  mkdir -p "$root/.build"
  # Not the system's temporary folder: the server keeps metadata in extended attributes, which that may not have.
  folder=$(mktemp -d "$root/.build/s3-XXXXXX")
  at_exit "rm -rf '$folder'"
  at_exit "scripts/s3-server stop '$folder' >/dev/null"
  for attempt in 1 2 3; do
    settings=$(scripts/s3-server start "$(free_port)" "$folder") && break
    [ "$attempt" -lt 3 ] || die "the S3 server did not start."
  done
  while IFS= read -r line; do
    case $line in DIMPLE_TEST_S3_*=*) export "${line%%=*}=${line#*=}" ;; esac
  done <<<"$settings"
  say "S3 server: ${DIMPLE_TEST_S3_ENDPOINT:?scripts/s3-server printed no endpoint}"
}

# The first of four ports in a row that nobody listens on; the server takes all four.
free_port() {
  local port offset busy
  while :; do
    port=$((20000 + RANDOM % 5000 * 4)) busy=
    for offset in 0 1 2 3; do
      # A connection that succeeds means somebody listens.
      if (exec 3<>"/dev/tcp/127.0.0.1/$((port + offset))") 2>/dev/null; then busy=1; fi
    done
    [ -n "$busy" ] || { echo "$port"; return; }
  done
}

# make_bucket NAME : on that server.
make_bucket() { python3 scripts/lib/make-bucket.py "$1" || die "the S3 server would not make the bucket $1."; }
