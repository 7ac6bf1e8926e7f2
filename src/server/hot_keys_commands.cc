// hot_keys_commands.cc: HOTKEYS: START, STOP, GET, RESET.
#include "base/numbers.h"
#include "engine/call.h"
#include "server/hot_keys.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Flags;
using engine::kAdmin;
using engine::kLoading;
using engine::kNoScript;
using engine::kStale;
namespace errors = engine::errors;

constexpr Flags kHotKeysFlags = kAdmin | kNoScript;
constexpr int64_t kCountMax = 64;
constexpr int64_t kSlots = 16384;

constexpr CommandSpec kHotKeysContainer{
    .name = "HOTKEYS",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on which keys cost most.",
    .since = "8.6.0",
    .complexity = "Depends on the subcommand.",
};

// The kinds of cost behind METRICS at `at`, which becomes the number of the argument behind them.
// Kinds that are not known are counted and left alone: a newer server may know them.
Status parse_metrics(Call& call, size_t& at, HotKeys::Options& options) {
  const auto count = at + 1 < call.argc() ? parse_int64(call.arg(at + 1)) : std::nullopt;
  if (!count || *count <= 0) return user_error("ERR METRICS count must be positive");
  const auto end = at + 2 + static_cast<size_t>(*count);
  if (static_cast<uint64_t>(*count) > call.argc() || end > call.argc()) {
    return user_error("ERR METRICS count does not match number of metric types provided");
  }
  for (at += 2; at < end; ++at) {
    bool* const metric = call.is(at, "CPU")   ? &options.by_cpu
                         : call.is(at, "NET") ? &options.by_net
                                              : nullptr;
    if (metric == nullptr) continue;
    if (*metric) {
      return call.fail("ERR METRICS {} already specified",
                       metric == &options.by_cpu ? "CPU" : "NET");
    }
    *metric = true;
  }
  if (options.by_cpu || options.by_net) return kOk;
  return user_error("ERR METRICS no valid metrics passed, supported: CPU, NET");
}

// HOTKEYS START METRICS count [CPU] [NET] [COUNT k] [DURATION seconds] [SAMPLE ratio] -> OK
Status hotkeys_start_command(Call& call) {
  HotKeys::Options options;
  size_t at = 2;
  if (at >= call.argc() || !call.is(at, "METRICS")) {
    return user_error("ERR METRICS parameter is required");
  }
  ROX_TRY(parse_metrics(call, at, options));
  for (; at < call.argc(); at += 2) {
    if (call.is(at, "SLOTS")) {
      return user_error("ERR SLOTS parameter cannot be used in non-cluster mode");
    }
    if (at + 1 == call.argc()) return errors::kSyntax;
    const auto number = parse_int64(call.arg(at + 1));
    if (call.is(at, "COUNT")) {
      if (!number || *number < 1 || *number > kCountMax) {
        return user_error("ERR COUNT must be between 1 and 64");
      }
      options.count = static_cast<size_t>(*number);
    } else if (call.is(at, "DURATION")) {
      if (!number || *number < 0 || *number > INT64_MAX / 1'000'000'000) {
        return user_error("ERR DURATION must be non-negative");
      }
      options.duration_ms = *number * 1000;
    } else if (call.is(at, "SAMPLE")) {
      if (!number || *number < 1) return user_error("ERR SAMPLE ratio must be positive");
      options.sample_ratio = static_cast<uint64_t>(*number);
    } else {
      return errors::kSyntax;
    }
  }
  HotKeys& hot_keys = call.service<HotKeys>();
  const HotKeys::Results* const results = hot_keys.results();
  if (results != nullptr && results->active) {
    return user_error("ERR hotkey tracking session already in progress");
  }
  hot_keys.start(options);
  return call.reply_ok();
}
constexpr CommandSpec kHotKeysStart{
    .name = "HOTKEYS START",
    .syntax =
        "METRICS count [CPU] [NET] [COUNT k] [DURATION seconds] [SAMPLE ratio] "
        "[SLOTS count slot...]",
    .summary = "Begins to find out which keys cost most.",
    .since = "8.6.0",
    .complexity = "O(1)",
    .flags = kHotKeysFlags,
    .arity = -2,
    .handler = hotkeys_start_command,
};

// HOTKEYS STOP -> OK, or null when nothing is being tracked
Status hotkeys_stop_command(Call& call) {
  HotKeys& hot_keys = call.service<HotKeys>();
  const HotKeys::Results* const results = hot_keys.results();
  if (results == nullptr || !results->active) return call.reply_null();
  hot_keys.stop();
  return call.reply_ok();
}
constexpr CommandSpec kHotKeysStop{
    .name = "HOTKEYS STOP",
    .syntax = "",
    .summary = "Ends the search for keys that cost much; its results are kept.",
    .since = "8.6.0",
    .complexity = "O(1)",
    .flags = kHotKeysFlags,
    .handler = hotkeys_stop_command,
};

// Key and sum by turns.
void reply_keys(resp::Reply& reply, const TopKeys& keys, uint64_t unit) {
  const auto highest = keys.highest();
  reply.array(highest.size() * 2);
  for (const auto& [key, sum] : highest) {
    reply.bulk(key);
    reply.integer(static_cast<int64_t>(sum / unit));
  }
}

// HOTKEYS GET -> one map in an array, or null
Status hotkeys_get_command(Call& call) {
  const HotKeys::Results* const results = call.service<HotKeys>().results();
  if (results == nullptr) return call.reply_null_array();
  constexpr uint64_t kNsPerUs = 1000;
  constexpr uint64_t kNsPerMs = 1'000'000;
  resp::Reply& reply = call.reply();
  const auto field = [&reply](std::string_view name, auto value) {
    reply.bulk(name);
    reply.integer(static_cast<int64_t>(value));
  };
  reply.array(1);
  reply.map(7 + (results->by_cpu ? 3 : 0) + (results->by_net ? 2 : 0));
  field("tracking-active", results->active ? 1 : 0);
  field("sample-ratio", results->options.sample_ratio);
  reply.bulk("selected-slots");
  reply.array(1);
  reply.array(2);
  reply.integer(0);
  reply.integer(kSlots - 1);
  field("all-commands-all-slots-us", results->commands_ns / kNsPerUs);
  field("net-bytes-all-commands-all-slots", results->command_bytes);
  field("collection-start-time-unix-ms", results->start_ms);
  field("collection-duration-ms", results->duration_ns / kNsPerMs);
  if (results->by_cpu) {
    field("total-cpu-time-user-ms", results->cpu.user_seconds * 1000);
    field("total-cpu-time-sys-ms", results->cpu.system_seconds * 1000);
  }
  if (results->by_net) field("total-net-bytes", results->net_bytes);
  if (results->by_cpu) {
    reply.bulk("by-cpu-time-us");
    reply_keys(reply, *results->by_cpu, kNsPerUs);
  }
  if (results->by_net) {
    reply.bulk("by-net-bytes");
    reply_keys(reply, *results->by_net, 1);
  }
  return kOk;
}
constexpr CommandSpec kHotKeysGet{
    .name = "HOTKEYS GET",
    .syntax = "",
    .summary = "Returns the keys that cost most, and what all commands cost.",
    .since = "8.6.0",
    .complexity = "O(K) where K is the number of keys asked for",
    .flags = kHotKeysFlags,
    .handler = hotkeys_get_command,
};

// HOTKEYS RESET -> OK
Status hotkeys_reset_command(Call& call) {
  HotKeys& hot_keys = call.service<HotKeys>();
  const HotKeys::Results* const results = hot_keys.results();
  if (results != nullptr && results->active) {
    return user_error("ERR hotkey tracking session in progress, stop tracking first");
  }
  hot_keys.reset();
  return call.reply_ok();
}
constexpr CommandSpec kHotKeysReset{
    .name = "HOTKEYS RESET",
    .syntax = "",
    .summary = "Forgets the results of the last search.",
    .since = "8.6.0",
    .complexity = "O(1)",
    .flags = kHotKeysFlags,
    .handler = hotkeys_reset_command,
};

Status hotkeys_help_command(Call& call) {
  return call.reply_help({
      "START METRICS count [CPU] [NET] [COUNT k] [DURATION seconds] [SAMPLE ratio]",
      "    Begin to find out which keys cost most time or bytes.",
      "STOP",
      "    End the search; its results are kept.",
      "GET",
      "    Return the keys that cost most.",
      "RESET",
      "    Forget the results.",
  });
}
constexpr CommandSpec kHotKeysHelp{
    .name = "HOTKEYS HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "8.6.1",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .acl = engine::kCategoryAdmin,
    .handler = hotkeys_help_command,
};

constexpr const CommandSpec* kCommands[] = {&kHotKeysContainer, &kHotKeysStart, &kHotKeysStop,
                                            &kHotKeysGet,       &kHotKeysReset, &kHotKeysHelp};

}  // namespace

extern constinit const CommandFamily kHotKeysCommandsFamily;
constinit const CommandFamily kHotKeysCommandsFamily{"server", kCommands};

}  // namespace roxdb::server
