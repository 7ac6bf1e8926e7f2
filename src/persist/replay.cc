#include "persist/replay.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/limits.h"
#include "base/numbers.h"
#include "base/text.h"

namespace roxdb::persist {
namespace {

// So many requests are hashed and prefetched before the first of them executes.
constexpr size_t kChunkRequests = 64;
// A unit of any size was accepted once, under whatever limits held then.
constexpr resp::ParserLimits kLimits{.args_max = std::numeric_limits<uint32_t>::max(),
                                     .bulk_bytes_max = std::numeric_limits<size_t>::max() / 2};

constexpr engine::Flags kLoggedFlags = engine::kWrite | engine::kMayReplicate;

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

Replay::Replay(engine::Engine& engine, Origin origin)
    : engine_(engine),
      origin_(origin),
      session_(engine::Session::Kind::kReplay),
      active_expire_(engine.active_expire),
      string_bytes_max_(engine.string_bytes_max),
      statistics_(engine.statistics) {
  engine_.active_expire = false;
  engine_.string_bytes_max = kStringBytesMax;
  for (const auto& command : engine_.commands().all()) {
    counters_.push_back(
        {command->calls, command->duration_cycles, command->rejected, command->failed});
  }
}

Replay::~Replay() {
  engine_.active_expire = active_expire_;
  engine_.string_bytes_max = string_bytes_max_;
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
  const auto run_all = [&]() -> Status {
    for (const AofReader::Unit& unit : units) ROX_TRY(collect(unit, why));
    return execute(why);
  };
  const Status status = run_all();
  if (!status.ok()) {
    requests_.clear();
    args_.clear();
    parser_ = {};
  }
  return status;
}

// Takes the requests of a unit apart, and lets them run when there are many.
Status Replay::collect(const AofReader::Unit& unit, std::string& why) {
  int db = unit.db;
  for (std::string_view rest = unit.commands; !rest.empty();) {
    const size_t first_arg = args_.size();
    const auto parsed = rest[0] == '*' ? parser_.parse(rest, kLimits, args_) : size_t{0};
    if (!parsed.ok() || *parsed == 0) {
      why = "bytes that are no command";
      return kCorrupt;
    }
    rest.remove_prefix(*parsed);
    const size_t count = args_.size() - first_arg;
    if (count == 0) continue;
    if (count == 2 && equal_ignore_case(args_[first_arg], "SELECT")) {
      db = static_cast<int>(std::min<uint64_t>(
          parse_uint64(args_[first_arg + 1]).value_or(kDatabasesMax), kDatabasesMax));
      args_.truncate(first_arg);
      continue;
    }
    if (db >= engine_.databases()) {
      why = fmt::format("database {}, but `databases` is {}", db, engine_.databases());
      return kCorrupt;
    }
    requests_.push_back({first_arg, count, db, unit.time_ms});
    if (requests_.size() >= kChunkRequests) ROX_TRY(execute(why));
  }
  return kOk;
}

// A file must not be able to do more than change data, whoever wrote it.
bool Replay::may_be_logged(const engine::Command& command) const {
  return (command.spec->flags & kLoggedFlags) != 0 ||
         (origin_ == Origin::kForeign && command.full_name.starts_with("script|"));
}

Status Replay::execute(std::string& why) {
  engine::Prepared prepared[kChunkRequests];
  containers::Lookahead ahead;
  bool name_members = false;
  hashes_.assign(std::max<size_t>(args_.size(), 1), 0);
  for (size_t i = 0; i < requests_.size(); ++i) {
    const Request& request = requests_[i];
    session_.db = request.db;
    prepared[i] = engine_.prepare(session_, args_.slice(request.first_arg, request.args),
                                  hashes_.data() + request.first_arg, &ahead);
    name_members |= prepared[i].names_members;
    const engine::Command* const command = prepared[i].command;
    if (command != nullptr && !may_be_logged(*command)) {
      why = fmt::format("the command {}, which is never logged", command->full_name);
      return kCorrupt;
    }
  }
  ahead.run();
  if (name_members) {
    for (size_t i = 0; i < requests_.size(); ++i) {
      session_.db = requests_[i].db;
      if (prepared[i].names_members) engine_.prepare_members(session_, prepared[i], ahead);
    }
    ahead.run();
  }
  ErrorListener reply;
  for (size_t i = 0; i < requests_.size(); ++i) {
    session_.db = requests_[i].db;
    if (engine_.now_ms() != requests_[i].time_ms) engine_.set_clock(requests_[i].time_ms);
    engine_.execute(session_, prepared[i], reply);
    if (reply.error_text.empty()) continue;
    const engine::Command* const command = prepared[i].command;
    if (origin_ == Origin::kForeign && command != nullptr &&
        (command->spec->flags & engine::kMayReplicate) != 0) {
      engine_.log().warning("A script in the append only file failed: reason={}",
                            std::exchange(reply.error_text, {}));
      continue;
    }
    why = fmt::format("a command failed: {}", reply.error_text);
    return kCorrupt;
  }
  commands_ += requests_.size();
  requests_.clear();
  args_.clear();
  return kOk;
}

}  // namespace roxdb::persist
