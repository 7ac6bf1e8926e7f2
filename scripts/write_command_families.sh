#!/bin/sh
# Writes the table of command families to standard output: the C++ file that ties the command files
# together, so that no list is kept by hand and no constructor runs before main.
#
#   write_command_families.sh src/commands/string.cc src/persist/persist_commands.cc
#
# Each file src/<room>/<name>.cc defines one constant roxdb::<room>::k<Name>Family, the name in
# PascalCase: roxdb::commands::kStringFamily, roxdb::persist::kPersistCommandsFamily.
set -eu

echo '// Written by scripts/write_command_families.sh.'
echo '#include "engine/command.h"'
echo
for file in "$@"; do printf '%s\n' "$file"; done | awk -F/ '
  {
    words = split(substr($NF, 1, length($NF) - 3), word, "_")
    name = ""
    for (i = 1; i <= words; ++i) name = name toupper(substr(word[i], 1, 1)) substr(word[i], 2)
    printf "namespace roxdb::%s {\nextern const engine::CommandFamily k%sFamily;\n}\n", $2, name
    table = table "    &" $2 "::k" name "Family,\n"
  }
  END {
    print "\nnamespace roxdb::engine {"
    # An array cannot be empty; the count says how many entries are real.
    print "const CommandFamily* const kCommandFamilies[] = {\n" (NR ? table : "    nullptr,\n") "};"
    print "const size_t kCommandFamiliesCount = " NR ";"
    print "}  // namespace roxdb::engine"
  }'
