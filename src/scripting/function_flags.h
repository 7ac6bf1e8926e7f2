// function_flags.h: the first line of a script or library, and the flags of scripts by name.
//
//   #!lua flags=no-writes,allow-stale        a script of EVAL
//   #!lua name=mylib                         a library of FUNCTION LOAD
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "scripting/script_run.h"

namespace roxdb::scripting {

// In the order in which FUNCTION LIST shows them.
inline constexpr std::array<std::pair<std::string_view, ScriptFlags>, 5> kFlagNames = {{
    {"no-writes", kNoWrites},
    {"allow-oom", kAllowOom},
    {"allow-stale", kAllowStale},
    {"no-cluster", kNoCluster},
    {"allow-cross-slot-keys", kAllowCrossSlotKeys},
}};

// 0: there is no such flag. In any case of letters.
ScriptFlags flag_by_name(std::string_view name);

struct Header {
  ScriptFlags flags = kSaysNothing;
  std::string name;       // of a library
  std::string_view body;  // from the end of the first line on, so that lines keep their numbers
};

// Both: false and the error, without its code, in `why`.
bool read_script_header(std::string_view text, Header& header, std::string& why);
bool read_library_header(std::string_view text, Header& header, std::string& why);

}  // namespace roxdb::scripting
