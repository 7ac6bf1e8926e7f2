// eval_commands.cc: EVAL, EVALSHA, FCALL and their read-only forms: all of them run something.
#include "engine/call.h"
#include "scripting/scripting.h"

namespace roxdb::scripting {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Flags;
using engine::kReadOnly;

constexpr Flags kRunFlags =
    engine::kNoScript | engine::kSkipMonitor | engine::kStale | engine::kNoMandatoryKeys;
// What may write is held back where writes are.
constexpr Flags kWriteFlags = kRunFlags | engine::kMayReplicate;
constexpr std::string_view kComplexity = "Depends on the script that is executed.";

// EVAL script numkeys [key ...] [arg ...] -> what the script returns
Status eval_command(Call& call) { return call.service<Scripting>().eval(call, false, false); }
constexpr CommandSpec kEval{
    .name = "EVAL",
    .syntax = "script numkeys [key...] [arg...]",
    .summary = "Runs a script.",
    .since = "2.6.0",
    .complexity = kComplexity,
    .flags = kWriteFlags,
    .keys = "count@2:RW",
    .handler = eval_command,
};

Status eval_ro_command(Call& call) { return call.service<Scripting>().eval(call, false, true); }
constexpr CommandSpec kEvalRo{
    .name = "EVAL_RO",
    .syntax = "script numkeys [key...] [arg...]",
    .summary = "Runs a script that changes nothing.",
    .since = "7.0.0",
    .complexity = kComplexity,
    .flags = kRunFlags | kReadOnly,
    .keys = "count@2:RO",
    .acl = engine::kCategoryNotRead,
    .handler = eval_ro_command,
};

// EVALSHA sha1 numkeys [key ...] [arg ...] -> as EVAL
Status evalsha_command(Call& call) { return call.service<Scripting>().eval(call, true, false); }
constexpr CommandSpec kEvalSha{
    .name = "EVALSHA",
    .syntax = "sha1 numkeys [key...] [arg...]",
    .summary = "Runs a script that the server knows by its SHA1.",
    .since = "2.6.0",
    .complexity = kComplexity,
    .flags = kWriteFlags,
    .keys = "count@2:RW",
    .handler = evalsha_command,
};

Status evalsha_ro_command(Call& call) { return call.service<Scripting>().eval(call, true, true); }
constexpr CommandSpec kEvalShaRo{
    .name = "EVALSHA_RO",
    .syntax = "sha1 numkeys [key...] [arg...]",
    .summary = "Runs a script that the server knows by its SHA1, and that changes nothing.",
    .since = "7.0.0",
    .complexity = kComplexity,
    .flags = kRunFlags | kReadOnly,
    .keys = "count@2:RO",
    .acl = engine::kCategoryNotRead,
    .handler = evalsha_ro_command,
};

// FCALL function numkeys [key ...] [arg ...] -> what the function returns
Status fcall_command(Call& call) { return call.service<Scripting>().call_function(call, false); }
constexpr CommandSpec kFcall{
    .name = "FCALL",
    .syntax = "function numkeys [key...] [arg...]",
    .summary = "Calls a function of a library.",
    .since = "7.0.0",
    .complexity = "Depends on the function that is executed.",
    .flags = kWriteFlags,
    .keys = "count@2:RW",
    .handler = fcall_command,
};

Status fcall_ro_command(Call& call) { return call.service<Scripting>().call_function(call, true); }
constexpr CommandSpec kFcallRo{
    .name = "FCALL_RO",
    .syntax = "function numkeys [key...] [arg...]",
    .summary = "Calls a function of a library that changes nothing.",
    .since = "7.0.0",
    .complexity = "Depends on the function that is executed.",
    .flags = kRunFlags | kReadOnly,
    .keys = "count@2:RO",
    .acl = engine::kCategoryNotRead,
    .handler = fcall_ro_command,
};

constexpr const CommandSpec* kCommands[] = {&kEval,      &kEvalRo, &kEvalSha,
                                            &kEvalShaRo, &kFcall,  &kFcallRo};

}  // namespace

extern constinit const CommandFamily kEvalCommandsFamily;
constinit const CommandFamily kEvalCommandsFamily{"scripting", kCommands};

}  // namespace roxdb::scripting
