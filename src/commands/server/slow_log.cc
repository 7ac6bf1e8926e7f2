#include "commands/server/slow_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace roxdb::commands {
namespace {

constexpr size_t kArgsShownMax = 32;
constexpr size_t kArgBytesShownMax = 128;
constexpr std::string_view kRedacted = "(redacted)";

// Whether argument `index` of a CONFIG SET is the value of a secret setting.
bool is_secret_value(const engine::Engine& engine, engine::Args args, size_t index) {
  if (index < 3 || index % 2 == 0) return false;
  const engine::Setting* setting = engine.settings.find(args[index - 1]);
  return setting != nullptr && (setting->flags & engine::Setting::kSecret) != 0;
}

}  // namespace

std::vector<std::string> presentable(const engine::Engine& engine, const engine::Command& command,
                                     engine::Args args) {
  const size_t name_words = command.container != nullptr ? 2 : 1;
  const bool all_secret = (command.spec->flags & engine::kSecret) != 0;
  const bool sets_config = command.full_name == "config|set";
  const size_t shown = args.size() > kArgsShownMax ? kArgsShownMax - 1 : args.size();

  std::vector<std::string> out;
  out.reserve(shown + 1);
  for (size_t i = 0; i < shown; ++i) {
    if (i >= name_words && (all_secret || (sets_config && is_secret_value(engine, args, i)))) {
      out.emplace_back(kRedacted);
    } else if (args[i].size() > kArgBytesShownMax) {
      out.push_back(fmt::format("{}... ({} more bytes)", args[i].substr(0, kArgBytesShownMax),
                                args[i].size() - kArgBytesShownMax));
    } else {
      out.emplace_back(args[i]);
    }
  }
  if (shown < args.size()) {
    out.push_back(fmt::format("... ({} more arguments)", args.size() - shown));
  }
  return out;
}

SlowLog::SlowLog(engine::Engine& engine) : engine_(engine) {
  engine::Settings& settings = engine.settings;
  engine::Setting& threshold =
      settings.add_integer("slowlog-log-slower-than", &slower_than_us_, -1, INT64_MAX);
  threshold.aliases = {"commandlog-execution-slower-than"};
  threshold.apply = [this](std::string&) {
    observe();
    return true;
  };
  engine::Setting& length = settings.add_integer("slowlog-max-len", &records_max_, 0, INT64_MAX);
  length.aliases = {"commandlog-slow-execution-max-len"};
  length.apply = [this](std::string&) {
    trim();
    return true;
  };
  observe();
}

SlowLog::~SlowLog() { engine_.stop_observing(this); }

void SlowLog::observe() {
  if (slower_than_us_ < 0) return engine_.stop_observing(this);
  const uint64_t threshold_us =
      std::min<uint64_t>(static_cast<uint64_t>(slower_than_us_), UINT64_MAX / 1000);
  engine_.observe(this, threshold_us * 1000,
                  [this](const engine::Execution& execution) { record(execution); });
}

void SlowLog::record(const engine::Execution& execution) {
  if ((execution.command.spec->flags & engine::kSkipSlowlog) != 0 || records_max_ == 0) return;
  records_.push_front({next_id_++, engine_.now_ms() / 1000,
                       static_cast<int64_t>(execution.duration_ns / 1000),
                       presentable(engine_, execution.command, execution.args),
                       execution.session.address(), execution.session.client_name()});
  trim();
}

void SlowLog::trim() {
  while (records_.size() > static_cast<uint64_t>(records_max_)) records_.pop_back();
}

}  // namespace roxdb::commands
