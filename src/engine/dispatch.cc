// dispatch.cc: the way of a request through the engine. A whole chunk of a batch is prepared before
// the first of its commands executes, so that the cache misses of all of them overlap.
#include <cerrno>
#include <cstring>

#include "base/cycle_clock.h"
#include "engine/call.h"
#include "engine/engine.h"

namespace roxdb::engine {
namespace {

// Keys, and members, of one request that are hashed ahead; a request with more finds the rest by
// itself.
constexpr size_t kHashedAheadMax = 64;

// The argument numbers of a command's plain keys, as half-open range with a step.
struct PlainKeys {
  size_t first;
  size_t end;
  size_t step;
};

PlainKeys plain_keys(const Command& command, size_t argc) {
  if (command.first_key == command.last_key) {  // one key, or none: most commands
    const auto only = static_cast<size_t>(command.first_key);
    return {only, only == 0 ? 0 : only + 1, 1};
  }
  const size_t last = command.last_key >= 0 ? static_cast<size_t>(command.last_key)
                                            : argc - static_cast<size_t>(-command.last_key);
  const auto first = static_cast<size_t>(command.first_key);
  const auto step = static_cast<size_t>(command.key_step);
  return {first, std::min({last + 1, argc, first + kHashedAheadMax * step}), step};
}

bool arity_fits(int arity, size_t argc) {
  return arity >= 0 ? argc == static_cast<size_t>(arity) : argc >= static_cast<size_t>(-arity);
}

// "WRONGTYPE" of "WRONGTYPE Operation against ...". Scripts make texts of their own: what does not
// look like a code counts as ERR, and none can stand in the lines of INFO as something else (S11).
std::string_view error_code(std::string_view text) {
  constexpr size_t kCodeBytesMax = 32;
  const std::string_view code = text.substr(0, text.find(' '));
  const bool is_code = !code.empty() && code.size() <= kCodeBytesMax &&
                       std::all_of(code.begin(), code.end(), [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                                (c >= '0' && c <= '9') || c == '_' || c == '-';
                       });
  return is_code ? code : "ERR";
}

}  // namespace

Prepared Engine::prepare(const Session& session, Args args, uint64_t* hashes, Lookahead* ahead) {
  Command* const command =
      session.kind == Session::Kind::kReplay ? commands_.find_declared(args) : commands_.find(args);
  Prepared prepared{command, false, false, args, hashes};
  if (command == nullptr) return prepared;
  prepared.is_runnable =
      arity_fits(command->arity, args.size()) && command->spec->handler != nullptr;
  if (command->first_key == 0 || !prepared.is_runnable) return prepared;
  prepared.names_members = command->spec->members.first != 0;
  const Keyspace* keys = keyspace_if_used(session.db);
  const PlainKeys plain = plain_keys(*command, args.size());
  for (size_t at = plain.first; at < plain.end; at += plain.step) {
    hashes[at] = hash(args[at]);
    if (keys != nullptr && ahead != nullptr) ahead->add(keys->table(), hashes[at]);
  }
  return prepared;
}

void Engine::prepare_members(const Session& session, const Prepared& prepared,
                             Lookahead& ahead) const {
  const Keyspace* keys = keyspace_if_used(session.db);
  if (keys == nullptr) return;
  const Args args = prepared.args;
  const auto key = static_cast<size_t>(prepared.command->first_key);
  const Cell* cell = keys->table().find(prepared.hashes[key], args[key]);
  if (cell == nullptr) return;
  const Entry& entry = *EntryTable::item(cell);
  const types::ValueType& type = *types::value_type(entry.type());
  const Members members = prepared.command->spec->members;
  const auto first = static_cast<size_t>(members.first);
  const auto step = static_cast<size_t>(members.step);
  const size_t end = step == 0 ? first + 1 : std::min(args.size(), first + kHashedAheadMax * step);
  for (size_t at = first; at < end; at += std::max<size_t>(step, 1)) {
    type.look_ahead(entry, args[at], ahead);
  }
}

void Engine::look_ahead(const Session& session, std::span<const Prepared> requests,
                        Lookahead& ahead) const {
  const Keyspace* keys = keyspace_if_used(session.db);
  if (keys == nullptr) return;
  bool name_members = false;
  for (const Prepared& prepared : requests) {
    if (!prepared.is_runnable) continue;
    name_members |= prepared.names_members;
    const PlainKeys plain = plain_keys(*prepared.command, prepared.args.size());
    for (size_t at = plain.first; at < plain.end; at += plain.step) {
      ahead.add(keys->table(), prepared.hashes[at]);
    }
  }
  ahead.run();
  if (!name_members) return;
  for (const Prepared& prepared : requests) {
    if (prepared.names_members) prepare_members(session, prepared, ahead);
  }
  ahead.run();
}

Verdict Engine::execute(Session& session, Args args, resp::Reply& reply) {
  uint64_t few[16] = {};
  std::vector<uint64_t> many;
  if (args.size() > std::size(few)) many.resize(args.size());
  begin_next(cycles_now());
  return execute(session, prepare(session, args, many.empty() ? few : many.data()), reply);
}

Verdict Engine::execute(Session& session, const Prepared& prepared, resp::Reply& reply) {
  if (!prepared.is_runnable) [[unlikely]] {
    refuse_malformed(session, prepared, reply);
    return Verdict::kRefuse;
  }
  if (!gates_.empty() && session.kind != Session::Kind::kReplay) {
    if (const Verdict verdict = pass_gates(session, prepared, reply); verdict != Verdict::kPass) {
      return verdict;
    }
  }
  const Verdict verdict = run(session, prepared, reply);
  if (waiting.is_due() && unit_depth_ == 0) [[unlikely]]
    waiting.serve();
  return verdict;
}

Verdict Engine::run(Session& session, const Prepared& prepared, resp::Reply& reply) {
  Command& command = *prepared.command;
  const uint64_t began = side_work.began(SideWork::Span::kCommand);
  const bool was_silent = silent_;
  silent_ = session.kind == Session::Kind::kReplay || was_silent;
  begin_unit();
  Call call(*this, session, prepared, reply);
  const Status status = command.spec->handler(call);
  if (!status.ok()) [[unlikely]] {
    command.failed++;
    reply_error(reply, status);
  }
  if (call.changed_ && call.log_mode_ == Call::LogMode::kAsReceived && has_listeners()) {
    Args args = prepared.args;
    std::vector<std::string_view> own_name_args;
    if (command.is_renamed) [[unlikely]] {
      own_name_args.assign(args.begin(), args.end());
      own_name_args[0] = (command.container != nullptr ? *command.container : command).spec->name;
      args = own_name_args;
    }
    const int db = call.logged_db_ >= 0 ? call.logged_db_ : session.db;
    if (unit_depth_ == 1 && unit_commands_.empty()) {
      // The usual unit is one command, logged as it came: no copy.
      const LogCommand received{db, args};
      for (const auto& [order, sink] : sinks_) sink->on_unit({&received, 1});
    } else {
      log(db, args);
    }
  }
  end_unit();
  silent_ = was_silent;
  // The counter is read once per command: a command begins where the one before it ended.
  const uint64_t now = cycles_now();
  const uint64_t cycles = now - began;
  if (cycles >= reported_cycles_ && !call.waits_) [[unlikely]]
    report(session, prepared, began, cycles);
  begin_next(now);
  if (call.waits_) [[unlikely]]
    return Verdict::kWait;  // counted once it has an answer
  command.calls++;
  command.duration_cycles += cycles;
  if (track_latencies) command.latencies.add(cycles);
  statistics.commands_processed++;
  return Verdict::kPass;
}

Verdict Engine::pass_gates(Session& session, const Prepared& prepared, resp::Reply& reply) {
  const bool is_part = unit_depth_ > 0;
  for (const auto& [order, gate] : gates_) {
    if (is_part && !gate->asks_about_parts()) continue;
    Status refusal;
    const Verdict verdict = gate->check(session, *prepared.command->spec, prepared.args, refusal);
    if (verdict == Verdict::kPass) continue;
    ROX_ASSERT(!is_part || verdict == Verdict::kRefuse);  // a part cannot wait
    if (verdict == Verdict::kQueued) {
      session.on_queued(prepared);
      reply.queued();
    }
    if (verdict == Verdict::kRefuse) {
      prepared.command->rejected++;
      refuse(session, prepared.command->spec, refusal, reply);
    }
    return verdict;
  }
  return Verdict::kPass;
}

void Engine::refuse(Session& session, const CommandSpec* spec, const Status& why,
                    resp::Reply& reply) {
  reply_error(reply, session.on_refused(spec, why));
}

void Engine::refuse_malformed(Session& session, const Prepared& prepared, resp::Reply& reply) {
  Command* command = prepared.command;
  const Args args = prepared.args;
  constexpr size_t kShownBytes = 128;  // of what a client sent, in an error reply
  std::string text;
  if (command == nullptr) {
    std::string shown;
    for (size_t i = 1; i < args.size() && shown.size() < kShownBytes; ++i) {
      shown += fmt::format("'{}' ", args[i].substr(0, kShownBytes - shown.size()));
    }
    text = fmt::format("ERR unknown command '{}', with args beginning with: {}",
                       args[0].substr(0, kShownBytes), shown);
  } else if (!arity_fits(command->arity, args.size())) {
    command->rejected++;
    text = fmt::format("ERR wrong number of arguments for '{}' command", command->full_name);
  } else {
    command->rejected++;
    text = fmt::format("ERR unknown subcommand '{}'. Try {} HELP.", args[1].substr(0, kShownBytes),
                       command->spec->name);
  }
  refuse(session, command != nullptr ? command->spec : nullptr, user_error(text), reply);
}

void Engine::reply_error(resp::Reply& reply, const Status& status) {
  std::string composed;
  std::string_view text = status.text;
  if (status.code == Code::kNoMemory) {
    text = errors::kOutOfMemory.text;
  } else if (status.code != Code::kError && status.code != Code::kProtocol) {
    composed = status.os_error == 0
                   ? fmt::format("ERR {}", status.text)
                   : fmt::format("ERR {}: {}", status.text, std::strerror(status.os_error));
    text = composed;
  }
  count_error(text);
  reply.error(text);
}

void Engine::count_error(std::string_view text) {
  statistics.error_replies++;
  const std::string_view code = error_code(text);
  for (auto& [name, count] : statistics.errors) {
    if (name != code) continue;
    count++;
    return;
  }
  if (statistics.errors.size() < kErrorCodesMax) {
    statistics.errors.emplace_back(code, 1);
    return;
  }
  if (statistics.errors_of_more_codes++ == 0) {
    log().warning(
        "Errorstats stopped adding new errors because the number of errors reached the limit ({}).",
        kErrorCodesMax);
  }
}

}  // namespace roxdb::engine
