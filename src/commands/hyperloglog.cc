// hyperloglog.cc: counting different elements, about; see types/hyperloglog.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "commands/shared/log_request.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/hyperloglog.h"
#include "types/string_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kAdmin;
using engine::kDenyOom;
using engine::kFast;
using engine::kMayReplicate;
using engine::kReadOnly;
using engine::kWrite;
using types::HllRegisters;
using types::HyperLogLog;
using types::HyperLogLogView;
using types::kDamagedHll;
using types::StringValue;
namespace event = engine::event;

Status check_valid(const Entry& entry) {
  if (HyperLogLogView(entry).is_valid()) return kOk;
  return user_error("WRONGTYPE Key is not a valid HyperLogLog string value.");
}

// The key of argument `index` to be read: null when absent.
Result<const Entry*> read_hll(Call& call, size_t index) {
  ROX_TRY(const Entry* entry, call.read_string(index));
  if (entry != nullptr) ROX_TRY(check_valid(*entry));
  return entry;
}

// The same to be changed: none when absent.
Result<std::optional<StringValue>> edit_hll(Call& call, size_t index) {
  ROX_TRY(const std::optional<StringValue> string, call.edit<StringValue>(index));
  if (string) ROX_TRY(check_valid(string->entry()));
  return string;
}

// An absent one comes into being.
Result<StringValue> edit_or_create_hll(Call& call) {
  ROX_TRY(const std::optional<StringValue> found, edit_hll(call, 1));
  if (found) return *found;
  ROX_TRY(StringValue string, call.edit_or_create<StringValue>(1));
  HyperLogLog::begin(string);
  return string;
}

// For edits. What was added while one limit held may be replayed under another: then a value stays
// sparse until the log says otherwise, see log_promotion().
HyperLogLog hll_of(Call& call, StringValue& string) {
  const bool is_replay = call.session().kind == engine::Session::Kind::kReplay;
  return {string,
          is_replay ? std::numeric_limits<uint64_t>::max() : call.engine().limits.hll_sparse_bytes};
}

// Logs the request, and that it made a value dense.
void log_promotion(Call& call) {
  log_request(call);
  call.log_as({"PFDEBUG", "TODENSE", call.arg(1)});
}

// PFADD key [element...] -> 1: something has changed, or the key is new | 0
Status pfadd_command(Call& call) {
  ROX_TRY(const std::optional<StringValue> found, edit_hll(call, 1));
  // Damage must show before the first of several elements is in. One alone finds it by itself.
  if (found && call.argc() > 3 && !HyperLogLogView(found->entry()).check()) return kDamagedHll;
  ROX_TRY(StringValue string, edit_or_create_hll(call));
  HyperLogLog hll = hll_of(call, string);
  const bool was_dense = hll.view().is_dense();
  bool has_changed = !found;
  for (size_t i = 2; i < call.argc(); ++i) {
    ROX_TRY(const bool raised, hll.add(call.arg(i)));
    has_changed |= raised;
  }
  if (!has_changed) return call.reply(0);
  ROX_TRY(hll.forget_count());
  call.changed(event::kPfAdd);
  if (hll.view().is_dense() != was_dense) log_promotion(call);
  return call.reply(1);
}
constexpr Example kPfAddExamples[] = {
    {"PFADD k a b c", ":1"},
    {"PFADD k a", ":0"},
    {"PFCOUNT k", ":3"},
    {"SET s v", "+OK"},
    {"PFADD s a", "-WRONGTYPE Key is not a valid HyperLogLog string value."}};
constexpr CommandSpec kPfAdd{
    .name = "PFADD",
    .syntax = "key [element...]",
    .summary = "Adds elements to a HyperLogLog, which counts how many different ones there were.",
    .since = "2.8.9",
    .complexity = "O(1) for each element",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = pfadd_command,
    .examples = kPfAddExamples,
};

// Each register becomes the largest there is in the keys from argument `first` on. True: one of
// them is dense.
Result<bool> merge_all(Call& call, HllRegisters& registers) {
  bool any_dense = false;
  for (size_t i = 1; i < call.argc(); ++i) {
    ROX_TRY(const Entry* entry, read_hll(call, i));
    if (entry == nullptr) continue;
    const HyperLogLogView hll(*entry);
    any_dense |= hll.is_dense();
    if (!hll.merge_into(registers)) return kDamagedHll;
  }
  return any_dense;
}

// PFCOUNT key... -> how many different elements were added to all of them together. Of one key the
// answer is kept in it until more elements come; replay and replicas keep it too.
Status pfcount_command(Call& call) {
  if (call.argc() > 2) {
    HllRegisters registers{};
    ROX_TRY([[maybe_unused]] const bool any_dense, merge_all(call, registers));
    return call.reply(static_cast<int64_t>(types::hll_count(registers)));
  }
  ROX_TRY(const Entry* entry, read_hll(call, 1));
  if (entry == nullptr) return call.reply(0);
  const HyperLogLogView hll(*entry);
  if (const auto last = hll.last_count()) return call.reply(static_cast<int64_t>(*last));
  const auto count = hll.count();
  if (!count) return kDamagedHll;
  ROX_TRY(std::optional<StringValue> string, call.edit<StringValue>(1));
  ROX_TRY(hll_of(call, *string).keep_count(*count));
  call.changed(event::kUnnamed);
  return call.reply(static_cast<int64_t>(*count));
}
constexpr Example kPfCountExamples[] = {{"PFADD a 1 2 3", ":1"},
                                        {"PFADD b 3 4", ":1"},
                                        {"PFCOUNT a b", ":4"},
                                        {"PFCOUNT missing", ":0"}};
constexpr CommandSpec kPfCount{
    .name = "PFCOUNT",
    .syntax = "key...",
    .summary = "Estimates how many different elements were added to HyperLogLogs.",
    .since = "2.8.9",
    .complexity = "O(N) where N is the number of keys; O(1) when the last count still holds",
    .flags = kReadOnly | kMayReplicate,  // the count that it keeps is logged
    .keys = "1..end:RW",
    .handler = pfcount_command,
    .examples = kPfCountExamples,
};

// PFMERGE destkey [sourcekey...] -> OK. The destination is one of the sources.
Status pfmerge_command(Call& call) {
  HllRegisters registers{};
  ROX_TRY(const bool any_dense, merge_all(call, registers));
  ROX_TRY(StringValue string, edit_or_create_hll(call));
  HyperLogLog hll = hll_of(call, string);
  if (any_dense) {
    ROX_TRY([[maybe_unused]] const bool was_sparse, hll.make_dense());
  }
  const bool was_dense = hll.view().is_dense();
  for (size_t i = 0; i < registers.size(); ++i) {
    if (registers[i] == 0) continue;
    ROX_TRY([[maybe_unused]] const bool raised, hll.raise({i, registers[i]}));
  }
  ROX_TRY(hll.forget_count());
  call.changed(event::kPfAdd);
  if (hll.view().is_dense() != was_dense) log_promotion(call);
  return call.reply_ok();
}
constexpr Example kPfMergeExamples[] = {
    {"PFADD a 1 2 3", ":1"}, {"PFADD b 3 4", ":1"}, {"PFMERGE c a b", "+OK"}, {"PFCOUNT c", ":4"}};
constexpr CommandSpec kPfMerge{
    .name = "PFMERGE",
    .syntax = "destkey [sourcekey...]",
    .summary = "Makes a HyperLogLog of all elements that were added to any of several.",
    .since = "2.8.9",
    .complexity = "O(N) where N is the number of keys",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW,2..end:RO",
    .handler = pfmerge_command,
    .examples = kPfMergeExamples,
};

// ---- looking inside ----

// Tells that a HyperLogLog became dense: so it shall be wherever the log is read.
Result<bool> make_dense(Call& call, StringValue& string) {
  ROX_TRY(const bool was_sparse, hll_of(call, string).make_dense());
  if (was_sparse) call.changed(event::kUnnamed, 2);
  return was_sparse;
}

Status reply_registers(Call& call, StringValue& string) {
  ROX_TRY([[maybe_unused]] const bool was_sparse, make_dense(call, string));
  HllRegisters registers{};
  HyperLogLogView(string.entry()).merge_into(registers);
  call.reply().array(registers.size());
  for (const uint8_t value : registers) call.reply().integer(value);
  return kOk;
}

Status reply_runs(Call& call, const HyperLogLogView& hll) {
  if (hll.is_dense()) return user_error("ERR HLL encoding is not sparse");
  std::string text;
  hll.for_each_run([&](const types::HllRun& run) {
    if (!text.empty()) text += ' ';
    if (run.value > 0) {
      text += fmt::format("v:{},{}", run.value, run.length);
    } else {
      text += fmt::format("{}:{}", run.bytes > 1 ? 'Z' : 'z', run.length);
    }
  });
  return call.reply_bulk(text);
}

// PFDEBUG GETREG | DECODE | ENCODING | TODENSE key -> all registers, and the key is dense; the runs
// of a sparse one; "dense" or "sparse"; 1: it was sparse and is dense now, 0
// PFDEBUG SIMD ON | OFF -> OK; there is one way of merging here, which the compiler vectorizes
Status pfdebug_command(Call& call) {
  if (call.is(1, "SIMD")) {
    return call.is(2, "ON") || call.is(2, "OFF") ? call.reply_ok() : engine::errors::kSyntax;
  }
  ROX_TRY(std::optional<StringValue> string, edit_hll(call, 2));
  if (!string) return user_error("ERR The specified key does not exist");
  const HyperLogLogView hll(string->entry());
  if (call.is(1, "GETREG")) return reply_registers(call, *string);
  if (call.is(1, "DECODE")) return reply_runs(call, hll);
  if (call.is(1, "ENCODING")) {
    call.reply().simple(hll.is_dense() ? "dense" : "sparse");
    return kOk;
  }
  if (call.is(1, "TODENSE")) {
    ROX_TRY(const bool was_sparse, make_dense(call, *string));
    return call.reply(was_sparse ? 1 : 0);
  }
  return call.fail("ERR Unknown PFDEBUG subcommand '{}'", call.arg(1));
}
constexpr Example kPfDebugExamples[] = {{"PFADD k a", ":1"},
                                        {"PFDEBUG DECODE k", "$Z:12711 v:2,1 Z:3672"},
                                        {"PFDEBUG TODENSE k", ":1"},
                                        {"PFDEBUG ENCODING k", "+dense"},
                                        {"PFDEBUG SIMD OFF", "+OK"}};
constexpr CommandSpec kPfDebug{
    .name = "PFDEBUG",
    .syntax = "(GETREG | DECODE | ENCODING | TODENSE | SIMD) key",
    .summary = "Shows how a HyperLogLog is kept, or makes it dense.",
    .since = "2.8.9",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kAdmin,
    .keys = "2:RW",
    .handler = pfdebug_command,
    .examples = kPfDebugExamples,
};

// PFSELFTEST -> OK | an error: a value, sparse at first and then dense, and plain registers that
// got the same elements differ, or the estimate is further off than six standard errors
Status pfselftest_command(Call& call) {
  constexpr size_t kElements = 100'000;
  constexpr double kStandardError = 0.0081;
  types::ScratchString scratch(call.keyspace().home(), {});
  StringValue string = scratch.value();
  HyperLogLog::begin(string);
  HyperLogLog hll(string, call.engine().limits.hll_sparse_bytes);
  HllRegisters registers{};
  size_t next_look = 1;
  for (size_t added = 1; added <= kElements; ++added) {
    const std::string element = fmt::format("{}", added);
    const types::HllPlace place = types::hll_place(element);
    registers[place.index] = std::max(registers[place.index], place.value);
    ROX_TRY([[maybe_unused]] const bool raised, hll.raise(place));
    if (added != next_look) continue;
    next_look *= 10;
    const uint64_t count = hll.view().count().value_or(0);
    const auto wanted = static_cast<double>(added);
    if (std::abs(static_cast<double>(count) - wanted) > std::ceil(6 * kStandardError * wanted) ||
        count != types::hll_count(registers)) {
      return call.fail("TESTFAILED {} elements are counted as {}", added, count);
    }
  }
  return call.reply_ok();
}
constexpr Example kPfSelfTestExamples[] = {{"PFSELFTEST", "+OK"}};
constexpr CommandSpec kPfSelfTest{
    .name = "PFSELFTEST",
    .syntax = "",
    .summary = "Counts many elements and compares with their number.",
    .since = "2.8.9",
    .complexity = "O(1), but slow",
    .flags = kAdmin,
    .handler = pfselftest_command,
    .examples = kPfSelfTestExamples,
};

constexpr const CommandSpec* kCommands[] = {&kPfAdd, &kPfCount, &kPfDebug, &kPfMerge, &kPfSelfTest};

}  // namespace

extern constinit const engine::CommandFamily kHyperloglogFamily;
constinit const engine::CommandFamily kHyperloglogFamily{"hll", kCommands};

}  // namespace roxdb::commands
