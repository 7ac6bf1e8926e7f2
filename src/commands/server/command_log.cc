#include "commands/server/command_log.h"

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

// One request as it may be shown to others: secrets are "(redacted)" (reliability S3), long
// arguments and long lists of them are cut.
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

}  // namespace

// ---- a log ----

engine::Setting& CommandLog::add_length(std::string_view name) {
  engine::Setting& length = engine_.settings.add_integer(name, &records_max_, 0, INT64_MAX);
  length.apply = [this](std::string&) {
    trim();
    return true;
  };
  return length;
}

void CommandLog::add(const engine::Session& session, const engine::Command& command,
                     engine::Args args, int64_t amount, uint64_t turn,
                     const engine::Breakdown& why) {
  if ((command.spec->flags & engine::kSkipSlowlog) != 0 || records_max_ == 0) return;
  records_.push_front({next_id_++, engine_.now_ms() / 1000, amount,
                       presentable(engine_, command, args), session.address(),
                       session.client_name(), turn, why});
  trim();
}

void CommandLog::complete(uint64_t turn, engine::Cause cause, const engine::Share& share) {
  if (turn == 0) return;
  for (Record& record : records_) {
    if (record.turn != 0 && record.turn < turn) return;  // what is behind it is older still
    if (record.turn == turn) record.why[cause] = share;
  }
}

void CommandLog::trim() {
  while (records_.size() > static_cast<uint64_t>(records_max_)) records_.pop_back();
}

// ---- slow ones ----

SlowLog::SlowLog(engine::Engine& engine) : CommandLog(engine), engine_(engine) {
  engine::Setting& threshold =
      engine.settings.add_integer("slowlog-log-slower-than", &slower_than_us_, -1, INT64_MAX);
  threshold.aliases = {"commandlog-execution-slower-than"};
  threshold.apply = [this](std::string&) {
    observe();
    return true;
  };
  add_length("slowlog-max-len").aliases = {"commandlog-slow-execution-max-len"};
  observe();
}

SlowLog::~SlowLog() { engine_.stop_observing(this); }

void SlowLog::observe() {
  if (slower_than_us_ < 0) return engine_.stop_observing(this);
  const uint64_t threshold_us =
      std::min<uint64_t>(static_cast<uint64_t>(slower_than_us_), UINT64_MAX / 1000);
  engine_.observe(this, threshold_us * 1000, [this](const engine::Execution& slow) {
    add(slow.session, slow.command, slow.args, static_cast<int64_t>(slow.duration_ns / 1000),
        slow.turn, slow.why);
  });
}

// ---- large ones ----

LargeLogs::LargeLogs(engine::Engine& engine) : requests(engine), replies(engine) {
  // What the engine compares with is unsigned: -1, which switches a log off, is out of reach.
  const auto add = [&engine](std::string_view name, int64_t* bytes, uint64_t* compared) {
    *compared = static_cast<uint64_t>(*bytes);
    engine.settings.add_integer(name, bytes, -1, INT64_MAX).apply = [bytes, compared](auto&) {
      *compared = static_cast<uint64_t>(*bytes);
      return true;
    };
  };
  add("commandlog-request-larger-than", &request_bytes_min_, &engine.large_request_bytes);
  add("commandlog-reply-larger-than", &reply_bytes_min_, &engine.large_reply_bytes);
  requests.add_length("commandlog-large-request-max-len");
  replies.add_length("commandlog-large-reply-max-len");
  engine.services.provide<engine::LargeCommands>(this);
}

void LargeLogs::on_large_request(const engine::Session& session, const engine::Command& command,
                                 engine::Args args, uint64_t bytes) {
  requests.add(session, command, args, static_cast<int64_t>(bytes));
}

void LargeLogs::on_large_reply(const engine::Session& session, const engine::Command& command,
                               engine::Args args, uint64_t bytes) {
  replies.add(session, command, args, static_cast<int64_t>(bytes));
}

}  // namespace roxdb::commands
