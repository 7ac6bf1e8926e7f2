// latency.cc: LATENCY: what made clients wait, and how long each command takes.
#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "commands/server/command_state.h"
#include "engine/call.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::Command;
using engine::CommandSpec;
using engine::Example;
using engine::Flags;
using engine::kAdmin;
using engine::kLoading;
using engine::kNoScript;
using engine::kStale;

constexpr Flags kLatencyFlags = kAdmin | kNoScript | kLoading | kStale;
constexpr std::string_view kTips =
    "nondeterministic_output,request_policy:all_nodes,response_policy:special";

LatencyMonitor& monitor_of(Call& call) { return call.service<CommandState>().latency; }

constexpr CommandSpec kLatency{
    .name = "LATENCY",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on what made clients wait.",
    .since = "2.8.13",
    .complexity = "Depends on the subcommand.",
};

// LATENCY LATEST -> for each event: name, time, last and highest duration in ms; and, as Valkey has
// it, the sum of all and how many there were
Status latency_latest_command(Call& call) {
  const auto& events = monitor_of(call).events();
  resp::Reply& reply = call.reply();
  reply.array(events.size());
  for (const auto& [name, event] : events) {
    reply.array(6);
    reply.bulk(name);
    reply.integer(event.samples.back().time_s);
    reply.integer(event.samples.back().duration_ms);
    reply.integer(event.highest_ms);
    reply.integer(event.sum_ms);
    reply.integer(event.count);
  }
  return kOk;
}
constexpr Example kLatencyLatestExamples[] = {{"LATENCY LATEST", "*[]"}};
constexpr CommandSpec kLatencyLatest{
    .name = "LATENCY LATEST",
    .syntax = "",
    .summary = "Returns the last spike of each event, and its worst one.",
    .since = "2.8.13",
    .complexity = "O(1)",
    .flags = kLatencyFlags,
    .tips = kTips,
    .handler = latency_latest_command,
    .examples = kLatencyLatestExamples,
};

// LATENCY HISTORY event -> pairs of time and duration in ms
Status latency_history_command(Call& call) {
  const auto& events = monitor_of(call).events();
  const auto event = events.find(call.arg(2));
  resp::Reply& reply = call.reply();
  if (event == events.end()) {
    reply.array(0);
    return kOk;
  }
  reply.array(event->second.samples.size());
  for (const LatencyMonitor::Sample& sample : event->second.samples) {
    reply.array(2);
    reply.integer(sample.time_s);
    reply.integer(sample.duration_ms);
  }
  return kOk;
}
constexpr Example kLatencyHistoryExamples[] = {{"LATENCY HISTORY command", "*[]"}};
constexpr CommandSpec kLatencyHistory{
    .name = "LATENCY HISTORY",
    .syntax = "event",
    .summary = "Returns the spikes of an event, the oldest first.",
    .since = "2.8.13",
    .complexity = "O(1)",
    .flags = kLatencyFlags,
    .tips = kTips,
    .handler = latency_history_command,
    .examples = kLatencyHistoryExamples,
};

// LATENCY RESET [event ...] -> how many were forgotten
Status latency_reset_command(Call& call) {
  LatencyMonitor& monitor = monitor_of(call);
  if (call.argc() == 2) {
    call.service<CommandState>().why_slow.reset();
    return call.reply(static_cast<int64_t>(monitor.reset()));
  }
  int64_t count = 0;
  for (size_t i = 2; i < call.argc(); ++i) count += monitor.reset(call.arg(i)) ? 1 : 0;
  return call.reply(count);
}
constexpr Example kLatencyResetExamples[] = {{"LATENCY RESET", ":0"},
                                             {"LATENCY RESET command fork", ":0"}};
constexpr CommandSpec kLatencyReset{
    .name = "LATENCY RESET",
    .syntax = "[event...]",
    .summary = "Forgets the spikes of some events; or of all, and the slow turns.",
    .since = "2.8.13",
    .complexity = "O(1)",
    .flags = kLatencyFlags,
    .tips = "request_policy:all_nodes,response_policy:agg_sum",
    .handler = latency_reset_command,
    .examples = kLatencyResetExamples,
};

// LATENCY GRAPH event -> text
Status latency_graph_command(Call& call) {
  const auto& events = monitor_of(call).events();
  const auto event = events.find(call.arg(2));
  if (event == events.end()) {
    return call.fail("ERR No samples available for event '{}'", call.arg(2));
  }
  call.reply().verbatim("txt", latency_graph(event->second, event->first,
                                             call.engine().environment().now_ms() / 1000));
  return kOk;
}
constexpr Example kLatencyGraphExamples[] = {
    {"LATENCY GRAPH command", "-ERR No samples available for event 'command'"}};
constexpr CommandSpec kLatencyGraph{
    .name = "LATENCY GRAPH",
    .syntax = "event",
    .summary = "Draws the spikes of an event as text.",
    .since = "2.8.13",
    .complexity = "O(1)",
    .flags = kLatencyFlags,
    .tips = kTips,
    .handler = latency_graph_command,
    .examples = kLatencyGraphExamples,
};

// LATENCY DOCTOR -> text
Status latency_doctor_command(Call& call) {
  std::string text = latency_report(call.engine(), monitor_of(call));
  text += why_slow_report(call.service<CommandState>().why_slow);
  call.reply().verbatim("txt", text);
  return kOk;
}
constexpr CommandSpec kLatencyDoctor{
    .name = "LATENCY DOCTOR",
    .syntax = "",
    .summary = "Tells in words what made clients wait, and what may help.",
    .since = "2.8.13",
    .complexity = "O(1)",
    .flags = kLatencyFlags,
    .tips = kTips,
    .handler = latency_doctor_command,
};

// The number of calls that took at most 1, 2, 4, ... us, where that number grows.
void reply_histogram(resp::Reply& reply, const Command& command, double us_per_cycle) {
  std::vector<std::pair<uint64_t, uint64_t>> steps;
  uint64_t count = 0;
  command.latencies.for_each([&](uint64_t bound, uint64_t calls) {
    const auto us = static_cast<uint64_t>(static_cast<double>(bound) * us_per_cycle);
    const uint64_t step = std::bit_ceil(std::max<uint64_t>(us, 1));
    count += calls;
    if (steps.empty() || steps.back().first != step) steps.emplace_back(step, 0);
    steps.back().second = count;
  });
  reply.map(2);
  reply.bulk("calls");
  reply.integer(static_cast<int64_t>(count));
  reply.bulk("histogram_usec");
  reply.map(steps.size());
  for (const auto& [us, calls] : steps) {
    reply.integer(static_cast<int64_t>(us));
    reply.integer(static_cast<int64_t>(calls));
  }
}

// LATENCY HISTOGRAM [command ...] -> a map by command; a container stands for its subcommands
Status latency_histogram_command(Call& call) {
  engine::Engine& engine = call.engine();
  std::vector<const Command*> shown;
  const auto add = [&shown](const Command& command) {
    if (!command.latencies.empty()) shown.push_back(&command);
  };
  if (call.argc() == 2) {
    for (const auto& command : engine.commands().all()) add(*command);
  }
  for (size_t i = 2; i < call.argc(); ++i) {
    const Command* const command = engine.commands().find_name(call.arg(i));
    if (command == nullptr) continue;
    add(*command);
    for (const Command* subcommand : command->subcommands) add(*subcommand);
  }
  const double us_per_cycle = engine.ns_per_cycle() / 1000;
  call.reply().map(shown.size());
  for (const Command* command : shown) {
    call.reply().bulk(command->full_name);
    reply_histogram(call.reply(), *command, us_per_cycle);
  }
  return kOk;
}
constexpr Example kLatencyHistogramExamples[] = {{"LATENCY HISTOGRAM no-such-command", "%{}"}};
constexpr CommandSpec kLatencyHistogram{
    .name = "LATENCY HISTOGRAM",
    .syntax = "[command...]",
    .summary = "Returns how long calls took: how many up to 1 us, up to 2 us, up to 4 us, ...",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of commands with a history",
    .flags = kLatencyFlags,
    .tips = kTips,
    .handler = latency_histogram_command,
    .examples = kLatencyHistogramExamples,
};

void reply_total(resp::Reply& reply, const WhySlow::Total& total) {
  reply.map(3);
  reply.bulk("turns");
  reply.integer(static_cast<int64_t>(total.turns));
  reply.bulk("sum-us");
  reply.integer(static_cast<int64_t>(total.sum_ns / 1000));
  reply.bulk("worst-us");
  reply.integer(static_cast<int64_t>(total.worst_ns / 1000));
}

// LATENCY WHY [count] -> a map: where the time of slow turns went in the last hour, by cause, and
// the last of them, the newest first
Status latency_why_command(Call& call) {
  int64_t count = 10;
  if (call.argc() == 3) {
    ROX_TRY(count, call.integer(2));
    if (count < -1) return user_error("ERR count should be greater than or equal to -1");
  }
  const WhySlow& why = call.service<CommandState>().why_slow;
  const WhySlow::Totals totals = why.totals();
  const uint64_t slow_ns = call.engine().slow_ns();
  resp::Reply& reply = call.reply();
  reply.map(5);
  reply.bulk("window-seconds");
  reply.integer(int64_t{60} * WhySlow::kMinutes);
  reply.bulk("slower-than-us");
  reply.integer(slow_ns == UINT64_MAX ? -1 : static_cast<int64_t>(slow_ns / 1000));
  reply.bulk("all");
  reply_total(reply, totals.all);
  reply.bulk("causes");
  reply.map(static_cast<size_t>(
      std::count_if(totals.causes.begin(), totals.causes.end(),
                    [](const WhySlow::Total& total) { return total.turns > 0; })));
  for (size_t i = 0; i < totals.causes.size(); ++i) {
    if (totals.causes[i].turns == 0) continue;
    reply.bulk(name_of(static_cast<engine::Cause>(i)));
    reply_total(reply, totals.causes[i]);
  }
  reply.bulk("last");
  const size_t all = why.last().size();
  const size_t shown = count < 0 ? all : std::min(all, static_cast<size_t>(count));
  reply.array(shown);
  for (size_t i = 0; i < shown; ++i) {
    const WhySlow::Entry& entry = why.last()[i];
    reply.map(6);
    reply.bulk("time");
    reply.integer(entry.time_s);
    reply.bulk("duration-us");
    reply.integer(static_cast<int64_t>(entry.duration_ns / 1000));
    reply.bulk("requests");
    reply.integer(static_cast<int64_t>(entry.requests));
    reply.bulk("slowest");
    reply.bulk(entry.command);
    reply.bulk("slowest-us");
    reply.integer(static_cast<int64_t>(entry.command_ns / 1000));
    reply.bulk("why");
    reply_breakdown(reply, entry.why);
  }
  return kOk;
}
constexpr Example kLatencyWhyExamples[] = {
    {"LATENCY WHY -2", "-ERR count should be greater than or equal to -1"}};
constexpr CommandSpec kLatencyWhy{
    .name = "LATENCY WHY",
    .syntax = "[count]",
    .summary = "Returns where the time of slow turns went, by cause, and the last of them.",
    .since = "8.0.0",
    .complexity = "O(N) where N is the number of turns returned",
    .flags = kLatencyFlags,
    .tips = kTips,
    .handler = latency_why_command,
    .examples = kLatencyWhyExamples,
};

Status latency_help_command(Call& call) {
  return call.reply_help({
      "DOCTOR",
      "    Return a report for people: what made clients wait, what may help.",
      "GRAPH <event>",
      "    Return the spikes of the <event> as a chart.",
      "HISTORY <event>",
      "    Return time and duration of the spikes of the <event>.",
      "LATEST",
      "    Return the last spike of each event.",
      "RESET [<event> ...]",
      "    Forget the spikes of these events (default: of all, and what WHY tells).",
      "HISTOGRAM [COMMAND ...]",
      "    Return how long calls of these commands took (default: of all).",
      "WHY [<count>]",
      "    Return where the time of slow turns went in the last hour, by cause, and the last "
      "<count>",
      "    of them (10; -1: all). A turn is what is run and answered at once; slow is what the "
      "slow",
      "    log or the latency monitor takes for it.",
  });
}
constexpr CommandSpec kLatencyHelp{
    .name = "LATENCY HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "2.8.13",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = latency_help_command,
};

constexpr const CommandSpec* kCommands[] = {&kLatency,          &kLatencyLatest, &kLatencyHistory,
                                            &kLatencyReset,     &kLatencyGraph,  &kLatencyDoctor,
                                            &kLatencyHistogram, &kLatencyWhy,    &kLatencyHelp};

}  // namespace

extern constinit const engine::CommandFamily kLatencyFamily;
constinit const engine::CommandFamily kLatencyFamily{"server", kCommands};

}  // namespace roxdb::commands
