#!/bin/sh
# clang-format over all C and C++ files: says what differs, or with --fix rewrites them.
# Version 14 only, since every version formats a little differently; without it nothing is checked.
set -eu
format=
for candidate in clang-format-14 clang-format; do
  if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q 'version 14\.'; then
    format=$candidate
    break
  fi
done
if [ -z "$format" ]; then
  echo "  skip  format: clang-format 14 is not installed"
  exit 0
fi
files=$(find src include test tools -name '*.h' -o -name '*.cc' -o -name '*.c' | sort)
if [ "${1:-}" = --fix ]; then
  echo "$files" | xargs "$format" -i
elif echo "$files" | xargs "$format" --dry-run -Werror --ferror-limit=1; then
  echo "  ok    format: $(echo "$files" | wc -l) files"
else
  echo "  FAIL  format: \`make format\` repairs it"
  exit 1
fi
