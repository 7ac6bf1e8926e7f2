#!/bin/sh
# Runs each fuzz target under libFuzzer for some seconds.
#
#   run_fuzzers.sh build/fuzz SECONDS TARGET...
#
# Starts from test/fuzz/corpus/<target>; what the fuzzer adds, and the inputs that crash, go below
# build/fuzz and are kept from run to run. Ends with `N passed, N failed`.
set -eu
build=$1
seconds=$2
shift 2

passed=0
failed=0
for target in "$@"; do
  found=$build/corpus/$target
  mkdir -p "$found" "$build/crashes"
  seeds=test/fuzz/corpus/$target
  [ -d "$seeds" ] || seeds=
  printf '  FUZZ  %s, %s s\n' "$target" "$seconds"
  # shellcheck disable=SC2086  # no seeds, no word
  if "$build/fuzz/$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="$build/crashes/$target-" "$found" $seeds \
    >"$build/$target.log" 2>&1; then
    passed=$((passed + 1))
    grep -h 'number_of_executed_units' "$build/$target.log" | sed 's/^stat::/        /'
  else
    failed=$((failed + 1))
    sed '/^INFO/d; /^Shadow bytes/,/ABORTING/d' "$build/$target.log" | cut -c 1-200 | head -60
    echo "        all of it: $build/$target.log"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
