# Sourced: a long run as named steps, each with its time, and a summary however it ends.
# shellcheck shell=bash

step_names=() step_seconds=() step_began=0 complete='' test_totals=()

# step NAME : ends the step before and begins this one.
step() {
  end_step
  step_names+=("$1")
  step_began=$SECONDS
  heading "$1"
}

end_step() {
  if [ ${#step_names[@]} -gt ${#step_seconds[@]} ]; then step_seconds+=($((SECONDS - step_began))); fi
}

# run_tests ARGUMENT… : `swift test`, whose closing line is kept for the summary. Running no test is a failure, and so is
# running for longer than $test_minutes: a test that waits for what never comes must not hold everything up.
test_minutes=40
run_tests() {
  local log total limit=()
  if command -v timeout >/dev/null; then limit=(timeout --kill-after 10 "${test_minutes}m"); fi
  log=$(mktemp "$root/.build/tests-XXXXXX.log")
  at_exit "rm -f '$log'"
  ${limit[@]+"${limit[@]}"} swift test "$@" 2>&1 | tee "$log" || {
    say "Failed; the failures again:"
    grep -aE '^✘|^↳|: error:' "$log" | cut -c 1-400 | head -n 60 || true
    return 1
  }
  total=$(grep -E 'Test run with [0-9]+ test' "$log" | grep -v 'with 0 tests' | tail -n 1) || die "no test ran."
  test_totals+=("$total")
}

# Call at the end of the script: without it the summary says that the last step failed.
finish() {
  end_step
  complete=1
}

summarise() {
  local status=$? index mark
  end_step
  heading "Summary"
  for index in "${!step_names[@]}"; do
    mark=ok
    if [ -z "$complete" ] && [ "$index" -eq $((${#step_names[@]} - 1)) ]; then mark=FAILED; fi
    printf '%-7s %5d s  %s\n' "$mark" "${step_seconds[$index]}" "${step_names[$index]}"
  done
  for index in "${!test_totals[@]}"; do say "${test_totals[$index]}"; done
  if [ -n "$complete" ]; then
    say "All ${#step_names[@]} steps passed in $SECONDS s."
  else
    say "Stopped in the step \"${step_names[${#step_names[@]} - 1]}\" after $SECONDS s (exit code $status)."
  fi
  run_cleanups
}
trap summarise EXIT
