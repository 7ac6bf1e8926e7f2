#include "persist/replay.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/numbers.h"
#include "base/text.h"

namespace roxdb::persist {
namespace {

// So many requests are hashed and prefetched before the first of them executes.
constexpr size_t kChunkRequests = 64;
// A unit of any size was accepted once, under whatever limits held then.
constexpr resp::ParserLimits kLimits{.args_max = std::numeric_limits<uint32_t>::max(),
                                     .bulk_bytes_max = std::numeric_limits<size_t>::max() / 2};

constexpr Status kCorrupt{Code::kCorrupt, 0, "log replay"};

// Hears only whether the answer was an error.
class ErrorListener final : public resp::Reply {
 public:
  void simple(std::string_view) override {}
  void error(std::string_view text) override { error_text = text; }
  void integer(int64_t) override {}
  void real(double) override {}
  void boolean(bool) override {}
  void null() override {}
  void null_array() override {}
  void bulk(std::string_view) override {}
  void verbatim(std::string_view, std::string_view) override {}
  void big_number(std::string_view) override {}
  void array(size_t) override {}
  void map(size_t) override {}
  void set(size_t) override {}
  void push(size_t) override {}
  void attribute(size_t) override {}
  Open open(Aggregate kind) override { return {0, kind}; }
  void close(Open, size_t) override {}

  std::string error_text;
};

}  // namespace

Replay::Replay(engine::Engine& engine)
    : engine_(engine),
      session_(engine::Session::Kind::kReplay),
      active_expire_(engine.active_expire),
      statistics_(engine.statistics) {
  engine_.active_expire = false;
  for (const auto& command : engine_.commands().all()) {
    counters_.push_back(
        {command->calls, command->duration_cycles, command->rejected, command->failed});
  }
}

Replay::~Replay() {
  engine_.active_expire = active_expire_;
  engine_.statistics = statistics_;
  const auto commands = engine_.commands().all();
  for (size_t i = 0; i < commands.size(); ++i) {
    commands[i]->calls = counters_[i].calls;
    commands[i]->duration_cycles = counters_[i].duration_cycles;
    commands[i]->rejected = counters_[i].rejected;
    commands[i]->failed = counters_[i].failed;
  }
  engine_.refresh_clock();
}

Status Replay::run(std::span<const AofReader::Unit> units, std::string& why) {
  for (const AofReader::Unit& unit : units) {
    int db = unit.db;
    size_t consumed = 0;
    ROX_TRY(collect(unit.commands, db, unit.time_ms, consumed, why));
    if (consumed < unit.commands.size()) {
      why = fmt::format("unit {} ends inside a command", unit.sequence);
      return kCorrupt;
    }
  }
  return execute(why);
}

Status Replay::run_requests(std::string_view bytes, int& db, size_t& consumed, std::string& why) {
  ROX_TRY(collect(bytes, db, engine_.environment().now_ms(), consumed, why));
  return execute(why);
}

// Takes requests apart until `bytes` end, and lets them run when there are many.
Status Replay::collect(std::string_view bytes, int& db, int64_t time_ms, size_t& consumed,
                       std::string& why) {
  for (consumed = 0; consumed < bytes.size();) {
    const size_t first_arg = args_.size();
    const std::string_view rest = bytes.substr(consumed);
    if (rest[0] != '*') {
      why = "bytes that are no command";
      return kCorrupt;
    }
    const auto parsed = parser_.parse(rest, kLimits, args_);
    if (!parsed.ok()) {
      why = parsed.status().text;
      return kCorrupt;
    }
    if (*parsed == 0) break;
    consumed += *parsed;
    const size_t count = args_.size() - first_arg;
    if (count == 0) continue;
    if (count == 2 && equal_ignore_case(args_[first_arg], "SELECT")) {
      const auto number = parse_int64(args_[first_arg + 1]);
      if (!number || *number < 0 || *number > std::numeric_limits<uint16_t>::max()) {
        why = "a database that cannot be";
        return kCorrupt;
      }
      db = static_cast<int>(*number);
      args_.truncate(first_arg);
      continue;
    }
    if (db >= engine_.databases()) {
      why = fmt::format("database {}, but `databases` is {}", db, engine_.databases());
      return kCorrupt;
    }
    requests_.push_back({first_arg, count, db, time_ms});
    if (requests_.size() >= kChunkRequests) ROX_TRY(execute(why));
  }
  parser_ = {};
  return kOk;
}

Status Replay::execute(std::string& why) {
  engine::Prepared prepared[kChunkRequests];
  hashes_.assign(std::max<size_t>(args_.size(), 1), 0);
  for (size_t i = 0; i < requests_.size(); ++i) {
    const Request& request = requests_[i];
    session_.db = request.db;
    prepared[i] = engine_.prepare(session_, args_.slice(request.first_arg, request.args),
                                  hashes_.data() + request.first_arg);
  }
  for (size_t i = 0; i < requests_.size(); ++i) {
    session_.db = requests_[i].db;
    engine_.prefetch(session_, prepared[i]);
  }
  ErrorListener reply;
  for (size_t i = 0; i < requests_.size(); ++i) {
    session_.db = requests_[i].db;
    if (engine_.now_ms() != requests_[i].time_ms) engine_.set_clock(requests_[i].time_ms);
    engine_.execute(session_, prepared[i], reply);
    if (!reply.error_text.empty()) {
      why = fmt::format("a command failed: {}", reply.error_text);
      return kCorrupt;
    }
  }
  commands_ += requests_.size();
  requests_.clear();
  args_.clear();
  return kOk;
}

}  // namespace roxdb::persist
