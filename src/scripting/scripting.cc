#include "scripting/scripting.h"

#include "base/numbers.h"
#include "base/text.h"
#include "commands/server/server_info.h"
#include "engine/errors.h"
#include "engine/memory_gate.h"
#include "persist/persistence.h"

namespace roxdb::scripting {
namespace {

using engine::Call;
using engine::Verdict;
namespace errors = engine::errors;

constexpr Status kNoScript = user_error("NOSCRIPT No matching script. Please use EVAL.");
constexpr Status kBusyScript = user_error(
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
constexpr Status kBusyFunction = user_error(
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");

constexpr size_t kFirstKey = 3;
constexpr uint64_t kNsPerMs = 1'000'000;

// numkeys: argument 2.
Result<size_t> count_keys(const Call& call, const Status& not_a_number) {
  const auto keys = parse_int64(call.arg(2));
  if (!keys) return not_a_number;
  if (*keys > static_cast<int64_t>(call.argc() - kFirstKey)) {
    return user_error("ERR Number of keys can't be greater than number of args");
  }
  if (*keys < 0) return user_error("ERR Number of keys can't be negative");
  return static_cast<size_t>(*keys);
}

}  // namespace

Scripting::Scripting(engine::Engine& engine, int gate_order)
    : scripts(engine), libraries(engine), engine_(engine), gate_order_(gate_order) {
  const auto prepare = [this](Interpreter& interpreter) {
    interpreter.on_interval = [this](ScriptRun& run) { return on_interval(run); };
    interpreter.may_run = [this](engine::Session& session, const engine::Command& command,
                                 engine::Args args) {
      return !may_run || may_run(session, command, args);
    };
  };
  scripts.on_made = prepare;
  libraries.on_made = prepare;
  engine_.services.provide(this);
  engine_.services.provide<engine::ExtraState>(&libraries);
  engine_.settings.add_integer("busy-reply-threshold", &threshold_ms_, 0, INT64_MAX)
      .aliases.emplace_back("lua-time-limit");
  register_info();
}

Scripting::~Scripting() { engine_.disarm(this); }

void Scripting::register_info() {
  engine_.info.add("memory", [this](engine::InfoWriter& out) {
    const size_t eval_bytes = scripts.interpreter_bytes();
    const size_t function_bytes = libraries.interpreter_bytes();
    out.field("used_memory_lua", eval_bytes);
    out.field("used_memory_vm_eval", eval_bytes);
    out.field("used_memory_lua_human", commands::human_bytes(eval_bytes));
    out.field("used_memory_scripts_eval", scripts.script_bytes());
    out.field("number_of_cached_scripts", scripts.size());
    out.field("number_of_functions", libraries.functions());
    out.field("number_of_libraries", libraries.libraries().size());
    out.field("used_memory_vm_functions", function_bytes);
    out.field("used_memory_vm_total", eval_bytes + function_bytes);
    out.field("used_memory_vm_total_human", commands::human_bytes(eval_bytes + function_bytes));
    out.field("used_memory_functions", libraries.library_bytes());
    const size_t kept = scripts.script_bytes() + libraries.library_bytes();
    out.field("used_memory_scripts", kept);
    out.field("used_memory_scripts_human", commands::human_bytes(kept));
  });
  engine_.info.add("stats", [this](engine::InfoWriter& out) {
    out.field("evicted_scripts", scripts.evicted());
  });
}

// ---- what runs ----

Status Scripting::eval(Call& call, bool by_sha1, bool is_read_only) {
  if (by_sha1 && call.arg(1).size() != 40) return kNoScript;
  ROX_TRY(const size_t keys, count_keys(call, errors::kNotInteger));
  Script* script = nullptr;
  if (by_sha1) {
    script = scripts.find(call.arg(1));
    if (script == nullptr) return kNoScript;
  } else {
    std::string why;
    script = scripts.find_or_add(call.arg(1), false, why);
    if (script == nullptr) return call.fail("{}", why);
  }
  ROX_TRY(check_flags(call, script->flags, is_read_only));
  ScriptRun run(call.session());
  run.name = script->sha1;
  run.is_read_only = is_read_only || (script->flags & (kSaysNothing | kNoWrites)) == kNoWrites;
  return this->run(call, run, scripts.interpreter(), script->flags, script->function, keys);
}

Status Scripting::call_function(Call& call, bool is_read_only) {
  const Function* const function = libraries.find(call.arg(1));
  if (function == nullptr) return user_error("ERR Function not found");
  ROX_TRY(const size_t keys, count_keys(call, user_error("ERR Bad number of keys provided")));
  ROX_TRY(check_flags(call, function->flags, is_read_only));
  ScriptRun run(call.session());
  run.name = function->name;
  run.is_eval = false;
  run.is_read_only = is_read_only || (function->flags & kNoWrites) != 0;
  return this->run(call, run, libraries.interpreter(), function->flags, function->reference, keys);
}

bool Scripting::says_no_writes(const engine::CommandSpec& spec, engine::Args args) const {
  ScriptFlags flags = kSaysNothing;
  if (args.size() < 2) return false;
  if (spec.name == "EVAL") {
    Header header;
    std::string why;
    if (read_script_header(args[1], header, why)) flags = header.flags;
  } else if (spec.name == "EVALSHA") {
    const Script* const script = scripts.find(args[1]);
    if (script != nullptr) flags = script->flags;
  } else if (spec.name == "FCALL") {
    const Function* const function = libraries.find(args[1]);
    if (function != nullptr) flags = function->flags;
  }
  return (flags & (kSaysNothing | kNoWrites)) == kNoWrites;
}

// What a script says of itself decides before it begins.
Status Scripting::check_flags(Call& call, ScriptFlags flags, bool is_read_only) {
  if ((flags & kSaysNothing) != 0) return kOk;
  auto* const memory_gate = engine_.services.find<engine::MemoryGate>();
  if ((flags & (kAllowOom | kNoWrites)) == 0 && memory_gate != nullptr &&
      !memory_gate->make_room()) {
    return user_error("OOM command not allowed when used memory > 'maxmemory'.");
  }
  if ((flags & kNoWrites) != 0) return kOk;
  if (is_read_only) {
    return user_error("ERR Can not execute a script with write flag using *_ro command.");
  }
  auto* const persistence = engine_.services.find<persist::Persistence>();
  if (persistence == nullptr) return kOk;
  // As a command that writes would be asked.
  engine::CommandSpec writer = *call.command().spec;
  writer.flags |= engine::kWrite;
  Status refusal;
  if (persistence->check(call.session(), writer, call.args(), refusal) != Verdict::kRefuse) {
    return kOk;
  }
  return call.fail("{}", refusal.text);
}

Status Scripting::run(Call& call, ScriptRun& run, Interpreter& interpreter, ScriptFlags flags,
                      int function, size_t keys) {
  if (running_ != nullptr) return user_error("ERR a script cannot run within another");
  run.request = call.args();
  run.began_ns = engine_.environment().monotonic_ns();
  run.allows_growth = (flags & (kSaysNothing | kAllowOom)) == kAllowOom;
  running_ = &run;
  const engine::Args values = call.args().subspan(kFirstKey);
  const Status status =
      interpreter.run(run, function, values.first(keys), values.subspan(keys), call.reply());
  running_ = nullptr;
  if (run.is_late) end_being_late();
  return status;
}

// ---- what takes long ----

uint64_t Scripting::running_ms() const {
  return (engine_.environment().monotonic_ns() - running_->began_ns) / kNsPerMs;
}

bool Scripting::on_interval(ScriptRun& run) {
  if (run.is_killed) return true;
  if (!run.is_late) {
    if (threshold_ms_ == 0 || running_ms() < static_cast<uint64_t>(threshold_ms_)) return false;
    run.is_late = true;
    engine_.log().warning(
        "Slow script detected: still in execution after {} milliseconds. You can try killing the "
        "script using the {} command. Script name is: {}.",
        running_ms(), run.is_eval ? "SCRIPT KILL" : "FUNCTION KILL", run.name);
    engine_.arm(this, gate_order_);
  }
  if (auto* const host = engine_.services.find<engine::BusyHost>()) {
    const engine::Engine::Aside aside(engine_);
    host->serve_others();
  }
  return run.is_killed;
}

void Scripting::end_being_late() {
  engine_.disarm(this);
  engine_.waiting.retry_postponed();
}

Status Scripting::kill(bool is_eval) {
  if (running_ == nullptr) {
    return user_error("NOTBUSY No scripts in execution right now.");
  }
  if (running_->has_written) {
    return user_error(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can "
        "either wait the script termination or kill the server in a hard way using the SHUTDOWN "
        "NOSAVE command.");
  }
  if (is_eval && !running_->is_eval) return kBusyFunction;
  if (!is_eval && running_->is_eval) return kBusyScript;
  running_->is_killed = true;
  engine_.log().notice("Script killed by user with {} KILL.", is_eval ? "SCRIPT" : "FUNCTION");
  return kOk;
}

Verdict Scripting::check(engine::Session& session, const engine::CommandSpec& spec,
                         engine::Args args, Status& refusal) {
  if (session.kind == engine::Session::Kind::kScript) return Verdict::kPass;
  // Who waits for keys is served when the script has ended.
  if (session.waiter != nullptr) return Verdict::kPostpone;
  bool passes = (spec.flags & engine::kAllowBusy) != 0;
  if (spec.name == "SHUTDOWN") {
    const auto is_nosave = [](std::string_view arg) { return equal_ignore_case(arg, "NOSAVE"); };
    passes = std::any_of(args.begin() + 1, args.end(), is_nosave);
  }
  if (passes) return Verdict::kPass;
  refusal = running_ != nullptr && !running_->is_eval ? kBusyFunction : kBusyScript;
  return Verdict::kRefuse;
}

}  // namespace roxdb::scripting
