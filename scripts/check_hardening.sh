#!/bin/sh
# Looks into linked programs for the protections they were built with.
#
#   check_hardening.sh PROGRAM...
#
#   PIE        may be loaded at any address           RELRO+NOW  the jump table becomes read-only
#   NX         no executable stack                    CANARY     stack frames are guarded
#   FORTIFY    some libc calls check their bounds
set -eu
status=0
for program in "$@"; do
  headers=$(readelf -hlW "$program")
  dynamic=$(readelf -dW "$program")
  symbols=$(readelf --dyn-syms -W "$program")
  missing=
  echo "$headers" | grep -q 'Type: *DYN' && echo "$dynamic" | grep -q 'FLAGS_1.*PIE' ||
    missing="$missing PIE"
  echo "$headers" | grep -q 'GNU_RELRO' && echo "$dynamic" | grep -q 'FLAGS_1.*NOW' ||
    missing="$missing RELRO+NOW"
  echo "$headers" | grep -q 'GNU_STACK.* RW ' || missing="$missing NX"
  echo "$symbols" | grep -q '__stack_chk_fail' || missing="$missing CANARY"
  fortified=$(echo "$symbols" | grep -c '_chk@' || true)
  [ "$fortified" -gt 0 ] || missing="$missing FORTIFY"
  if [ -z "$missing" ]; then
    echo "  ok    $program: PIE, full RELRO, NX, stack canaries, $fortified fortified calls"
  else
    echo "  FAIL  $program: missing$missing"
    status=1
  fi
done
exit $status
