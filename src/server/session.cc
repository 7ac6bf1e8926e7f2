#include "server/session.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/cycle_clock.h"
#include "base/text.h"
#include "engine/large_commands.h"

namespace roxdb::server {
namespace {

// The read buffer: several connections' reads, or the slices of a long pipeline, in one batch,
// and still at home in the second-level cache.
constexpr size_t kReadBufferBytes = 256u << 10;
constexpr size_t kReadBytesMax = 64u << 10;  // of one read
// A waiting request up to this size is copied in front of the next read; above, the copies of a
// client that sends byte by byte would cost more than its reads.
constexpr size_t kCopiedBytesMax = 16u << 10;
// A request that is at least this big is read in place.
constexpr size_t kInPlaceBytesMin = 64u << 10;
constexpr size_t kInPlaceReadBytesMin = 16u << 10;
// The part of a request that may hold a password, and is erased where it has been copied from.
constexpr size_t kSecretBytesMax = 1u << 10;
// Read beyond the end of a big argument: the line end, and with luck the next short request.
constexpr size_t kBehindBytes = 64;

// A batch is executed at the latest when it has this many requests: enough to share one write of
// the log, few enough that their arguments are still in the cache.
constexpr size_t kBatchRequestsMax = 512;
// Requests whose keys are looked for before the first of them executes.
constexpr size_t kChunkRequests = 32;

constexpr size_t kKeptHashes = 4096;
constexpr uint32_t kGivenBack = UINT32_MAX;  // Request::run: it waits in its client's input again
constexpr size_t kSpareOutputs = 64;
constexpr size_t kSpareOutputBytesMax = 32u << 10;
constexpr size_t kSpareInputBytesMax = 4u << 20;
// News for a client up to this size are added without a look at its limit.
constexpr size_t kUncheckedBytesMax = 64u << 10;
// Turns that wait for the log and are remembered: the first of many wait the longest.
constexpr size_t kParkedTurnsMax = 64;

// A browser that was lured into sending a request to us speaks HTTP (reliability S2).
bool is_http(engine::Args args) {
  return equal_ignore_case(args[0], "POST") || equal_ignore_case(args[0], "HOST:");
}

}  // namespace

Turn::Turn(engine::Engine& engine, Clients& clients, persist::Persistence* persistence)
    : engine_(engine),
      clients_(clients),
      persistence_(persistence),
      read_buffer_(std::make_unique_for_overwrite<char[]>(kReadBufferBytes)) {
  engine_.waiting.set_host(this);
}

Turn::~Turn() { engine_.waiting.set_host(nullptr); }

// ---- bytes -> requests ----

bool Turn::reads_in_place(const Client& client) {
  return client.input.size() > kCopiedBytesMax || client.parser.bytes_needed() > kInPlaceBytesMin ||
         (client.halts & Client::kHeld) != 0;
}

std::span<char> Turn::space_for(Client& client) {
  if (is_left_alone(client)) [[unlikely]]
    return {};
  const size_t held = client.input.size();
  if (!reads_in_place(client)) {
    char* const front = read_buffer_.get() + read_used_;
    if (held > 0) std::memcpy(front, client.input.bytes().data(), held);
    return {front + held, kReadBytesMax};
  }
  const size_t needed = client.parser.bytes_needed();
  const size_t missing = needed > held ? needed - held + kBehindBytes : kInPlaceReadBytesMin;
  if (client.input.room().size() >= std::min(missing, kInPlaceReadBytesMin)) {
    return client.input.room();
  }
  const size_t wanted = std::max(missing, kInPlaceReadBytesMin);
  if (spare_input_.capacity() >= held + wanted) {
    InputBuffer grown = std::move(spare_input_);
    grown.append(client.input.bytes());
    client.input = std::move(grown);
  } else {
    // An announcement is cheap to send: memory grows with what has really come (reliability
    // section 7), by doubling, so that each byte is moved at most once on average.
    client.input.reserve(std::min(std::max(wanted, held), std::max(kAheadBytesMax, held)));
  }
  return client.input.room();
}

void Turn::received(Client& client, size_t size) {
  client.last_seen_ms = clients_.now_ms;
  client.received_bytes += size;
  clients_.statistics.input_bytes += size;
  clients_.statistics.reads++;
  Client* const outer = std::exchange(receiving_, &client);
  if (reads_in_place(client)) {
    client.input.commit(size);
    // A request that takes more than all clients may is not even run.
    clients_.count_memory(client);
    evict_clients();
    take_input(client);
  } else {
    const std::string_view bytes(read_buffer_.get() + read_used_, client.input.size() + size);
    read_used_ += bytes.size();
    // It may have been the first part of an AUTH (reliability S3).
    client.input.wipe();
    recycle(client.input);
    take(client, bytes);
    if (kReadBufferBytes - read_used_ < kCopiedBytesMax + kReadBytesMax) {
      execute();
      read_used_ = 0;
    }
  }
  receiving_ = outer;
  clients_.check_input(client);
  clients_.count_memory(client);
}

// Takes requests from bytes of the read buffer; what is not complete, or must not run, waits in
// the client's input.
void Turn::take(Client& client, std::string_view bytes) {
  while (!bytes.empty() && client.halts == 0) {
    size_t taken;
    const bool goes_on = parse_run(client, bytes, false, taken);
    bytes.remove_prefix(taken);
    if (!goes_on) break;
    execute();
  }
  if ((client.halts & ~Client::kHeld) == 0) client.input.append(bytes);
  // AUTH is short: the bytes of a big value need not be touched once more (reliability S3).
  if (!bytes.empty() && bytes.size() <= kSecretBytesMax) {
    explicit_bzero(const_cast<char*>(bytes.data()), bytes.size());
  }
}

// The same from the client's input. The batch is executed at once, because its arguments are views
// into the input, which the next read may move.
void Turn::take_input(Client& client) {
  while (client.halts == 0 && client.input.size() >= client.parser.bytes_needed()) {
    size_t taken;
    parse_run(client, client.input.bytes(), true, taken);
    execute();
  }
  if (client.input.empty()) recycle(client.input);
}

// Appends the complete requests at the front of `bytes` to the batch; `taken`: their size. True:
// the batch must be executed before more is taken; false: no complete request is left.
bool Turn::parse_run(Client& client, std::string_view bytes, bool in_place, size_t& taken) {
  const resp::ParserLimits& limits = clients_.parser_limits(client);
  const auto index = static_cast<uint32_t>(runs_.size());
  Run run{&client, bytes.data(), 0, 0, in_place, {}};
  bool full = false;
  while (!full && run.size < bytes.size()) {
    const size_t first_arg = args_.size();
    const Result<size_t> parsed = client.parser.parse(bytes.substr(run.size), limits, args_);
    if (!parsed.ok()) {
      run.failure = parsed.status().text;
      full = true;
      break;
    }
    if (*parsed == 0) break;
    if (const size_t count = args_.size() - first_arg; count > 0) {
      requests_.push_back(
          {index, static_cast<uint32_t>(first_arg), static_cast<uint32_t>(count), run.size});
      // What comes next is another matter once an AUTH has been executed.
      full = requests_.size() >= kBatchRequestsMax || !client.authenticated;
    }
    run.size += *parsed;
  }
  taken = run.kept_from = run.size;
  if (run.size > 0 || full) runs_.push_back(run);
  return full;
}

void Turn::ended(Client& client) {
  if (client.has_ended) return;
  client.has_ended = true;
  engine_.waiting.forget(client);  // nobody would take what it is given
  ended_.push_back(&client);
}

void Turn::lost(Client& client) {
  if (is_left_alone(client)) return lost_.push_back(client.id);
  clients_.close(client);
}

void Turn::sent_some(Client& client) {
  client.last_seen_ms = clients_.now_ms;
  clients_.count_memory(client);
}

void Turn::sent(Client& client) {
  sent_some(client);
  close_when_drained(client);
}

// ---- requests -> replies ----

void Turn::run() {
  serve_waiting();
  execute();
  if (resumes_) resume_clients();
  resume_served();
  evict_clients();
  read_used_ = 0;
  if (is_aside()) return;  // somebody further out holds clients
  end_clients();
  clients_.sweep();
}

void Turn::evict_clients() {
  clients_.evict([this](const Client& client) { return is_left_alone(client); });
}

void Turn::execute() {
  const bool runs = !requests_.empty();
  if (runs) {
    changed_ = true;
    engine_.begin_turn(*this, requests_.size());
    hashes_.assign(args_.size(), 0);
    for (size_t first = 0; first < requests_.size(); first += kChunkRequests) {
      const size_t count = std::min(kChunkRequests, requests_.size() - first);
      execute_chunk(std::span(requests_).subspan(first, count));
    }
  }
  if (!runs_.empty()) {
    close_runs();
    runs_.clear();
    requests_.clear();
    args_.clear();
    if (hashes_.size() > kKeptHashes) std::vector<uint64_t>().swap(hashes_);
  }
  send_replies();
  if (runs) engine_.end_turn(executed_at_, logged_at_);
}

void Turn::execute_chunk(std::span<const Request> requests) {
  engine::Prepared prepared[kChunkRequests];
  containers::Lookahead ahead;
  bool name_members = false;
  for (size_t i = 0; i < requests.size(); ++i) {
    const Request& request = requests[i];
    if (request.run == kGivenBack) [[unlikely]]
      continue;
    prepared[i] =
        engine_.prepare(*runs_[request.run].client, args_.slice(request.first_arg, request.args),
                        hashes_.data() + request.first_arg, &ahead);
    name_members |= prepared[i].names_members;
  }
  ahead.run();
  if (name_members) {
    for (size_t i = 0; i < requests.size(); ++i) {
      if (!prepared[i].names_members) continue;
      engine_.prepare_members(*runs_[requests[i].run].client, prepared[i], ahead);
    }
    ahead.run();
  }
  for (size_t i = 0; i < requests.size(); ++i) execute_request(requests[i], prepared[i]);
}

void Turn::execute_request(const Request& request, const engine::Prepared& prepared) {
  if (request.run == kGivenBack) [[unlikely]]
    return;
  Run& run = runs_[request.run];
  Client& client = *run.client;
  if (client.halts != 0) [[unlikely]] {
    run.kept_from = std::min(run.kept_from, request.at);
    return;
  }
  if (prepared.command == nullptr && is_http(prepared.args)) [[unlikely]] {
    engine_.log().warning(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: "
        "commands to RoxDB. This is likely due to an attacker attempting to use Cross Protocol "
        "Scripting to compromise your RoxDB instance. Connection from {} aborted.",
        client.peer.address);
    return clients_.close(client);
  }
  resp::OutputBuffer& output = output_of(client);
  const resp::OutputBuffer::Mark before = output.mark();
  const size_t pending_before = output.pending();
  client.skips_reply = client.reply_mode == Client::ReplyMode::kSkipNext;
  if (client.skips_reply) client.reply_mode = Client::ReplyMode::kOn;
  client.last_command = prepared.command;
  recent_[recent_next_++ % kRecentCommands] = prepared.command;
  writer_.bind(output, client.protocol);
  late_ = nullptr;  // who ran again for nothing waits on
  executing_ = &client;
  current_ = &request;
  const engine::Verdict verdict = engine_.execute(client, prepared, writer_);
  executing_ = nullptr;
  switch (verdict) {
    case engine::Verdict::kPostpone:
      client.halts |= Client::kPostponed;
      if (client.skips_reply) client.reply_mode = Client::ReplyMode::kSkipNext;
      run.kept_from = request.at;
      return;
    case engine::Verdict::kWait:  // has its own copy of the request
      client.halts |= Client::kWaiting;
      return;
    default:
      break;
  }
  ++client.commands;
  bound_output(client);
  const bool is_overfull = (client.halts & Client::kOverfull) != 0;
  if (client.is_muted() && !is_overfull) [[unlikely]] {
    output.truncate(before);
  }
  const size_t reply_bytes = is_overfull ? 0 : output.pending() - pending_before;
  if (reply_bytes >= engine_.large_reply_bytes || run.size >= engine_.large_request_bytes)
      [[unlikely]] {
    if (verdict != engine::Verdict::kRefuse) report_large(request, prepared, reply_bytes);
  }
  if (!held_pushes_.empty()) [[unlikely]]
    release_pushes();
}

// Tells of a request, or of its reply, that is as large as somebody wants to know.
void Turn::report_large(const Request& request, const engine::Prepared& prepared,
                        uint64_t reply_bytes) {
  const Run& run = runs_[request.run];
  const Request* const next = &request + 1;
  const bool has_next = next != requests_.data() + requests_.size() && next->run == request.run;
  const size_t request_bytes = (has_next ? next->at : run.size) - request.at;
  const bool is_large_request = request_bytes >= engine_.large_request_bytes;
  const bool is_large_reply = reply_bytes >= engine_.large_reply_bytes;
  if (!is_large_request && !is_large_reply) return;
  auto* const listener = engine_.services.find<engine::LargeCommands>();
  if (listener == nullptr) return;
  const engine::Command& command = *prepared.command;
  if (is_large_request) {
    listener->on_large_request(*run.client, command, prepared.args, request_bytes);
  }
  if (is_large_reply) {
    listener->on_large_reply(*run.client, command, prepared.args, reply_bytes);
  }
}

// Gives back what was not executed and answers protocol errors. Backwards, because what a client
// sent first must stand first in its input again.
void Turn::close_runs() {
  for (size_t i = runs_.size(); i-- > 0;) {
    if (runs_[i].client != nullptr) close_run(runs_[i]);
  }
}

void Turn::close_run(Run& run) {
  Client& client = *run.client;
  if (run.in_place) client.input.consume(run.kept_from);
  if ((client.halts & ~Client::kHeld) == 0 && run.kept_from < run.size) [[unlikely]] {
    if (!run.in_place) {
      client.input.prepend({run.bytes + run.kept_from, run.size - run.kept_from});
    }
    client.parser = {};
  } else if (!run.failure.empty() && client.halts == 0) [[unlikely]] {
    engine_.log().verbose("Protocol error ({}) from client: {}", run.failure,
                          client.describe(clients_.now_ms));
    ++engine_.statistics.error_replies;
    writer_.bind(output_of(client), client.protocol);
    writer_.error(run.failure);
    clients_.close_after_replies(client);
  }
}

// ---- others, in the middle of a command ----

// Whatever others have in the batch behind the command that runs waits in their input again;
// returns who they are.
std::vector<uint64_t> Turn::give_back_others() {
  for (Request& request : requests_) {
    if (&request <= current_ || request.run == kGivenBack) continue;
    Run& run = runs_[request.run];
    if (run.client == nullptr || is_left_alone(*run.client)) continue;
    run.kept_from = std::min(run.kept_from, request.at);
    request.run = kGivenBack;
  }
  std::vector<uint64_t> others;
  for (size_t i = runs_.size(); i-- > 0;) {
    Run& run = runs_[i];
    if (run.client == nullptr || is_left_alone(*run.client)) continue;
    others.push_back(run.client->id);
    close_run(run);
    run.client = nullptr;
  }
  return others;
}

void Turn::step_aside(const std::function<void()>& poll) {
  Client& client = *executing_;
  const Outer outer{&client, receiving_};
  aside_ = &outer;
  const std::vector<uint64_t> others = give_back_others();

  auto read_buffer =
      std::exchange(read_buffer_, std::make_unique_for_overwrite<char[]>(kReadBufferBytes));
  const size_t read_used = std::exchange(read_used_, 0);
  const Request* const current = current_;
  const Client* const late = std::exchange(late_, nullptr);
  resp::ArgVector args;
  args.swap(args_);
  auto hashes = std::exchange(hashes_, {});
  auto requests = std::exchange(requests_, {});
  auto runs = std::exchange(runs_, {});
  auto held_pushes = std::exchange(held_pushes_, {});
  // What others were told goes out now; what the command's client was told waits for its reply.
  std::erase(output_due_, &client);
  const auto ended = std::exchange(ended_, {});

  for (const uint64_t id : others) {
    if (Client* const other = clients_.find(id)) take_input(*other);
  }
  poll();
  run();

  output_due_.push_back(&client);
  ended_.insert(ended_.begin(), ended.begin(), ended.end());
  // What could not be told meanwhile comes behind what had to wait before.
  held_pushes.insert(held_pushes.end(), std::make_move_iterator(held_pushes_.begin()),
                     std::make_move_iterator(held_pushes_.end()));
  held_pushes_ = std::move(held_pushes);
  runs_ = std::move(runs);
  requests_ = std::move(requests);
  hashes_ = std::move(hashes);
  args_.swap(args);
  late_ = late;
  current_ = current;
  executing_ = &client;
  receiving_ = outer.receiving;
  read_used_ = read_used;
  read_buffer_ = std::move(read_buffer);
  writer_.bind(client.output, client.protocol);
  aside_ = nullptr;
}

// Where replies to this client go during this turn.
resp::OutputBuffer& Turn::output_of(Client& client) {
  if (!client.has_output_due) {
    client.has_output_due = true;
    output_due_.push_back(&client);
    if (!spare_outputs_.empty()) {
      client.output = std::move(spare_outputs_.back());
      spare_outputs_.pop_back();
    }
  }
  return client.output;
}

void Turn::push(Client& client, std::string_view bytes, const SharedRef& owner) {
  if ((client.halts & (Client::kClosed | Client::kOverfull)) != 0) [[unlikely]]
    return;
  // What a transaction or a script tells of has not happened before all of it has (D3).
  if (&client == executing_ || &client == late_ || is_left_alone(client) ||
      engine_.inside_larger_unit()) {
    return hold(client, bytes, owner);
  }
  resp::OutputBuffer& output = output_of(client);
  if (owner) {
    output.splice(bytes, owner);
  } else {
    output.append(bytes);
  }
  bound_output(client);
}

void Turn::hold(Client& client, std::string_view bytes, const SharedRef& owner) {
  client.held_bytes += sizeof(HeldPush) + bytes.size();
  if (client.held_bytes >= kUncheckedBytesMax && clients_.is_over_hard_limit(client, 0)) {
    return give_up(client);
  }
  HeldPush held{client.id, bytes, owner, nullptr};
  if (!owner) {
    held.copy = std::make_unique_for_overwrite<char[]>(bytes.size());
    std::memcpy(held.copy.get(), bytes.data(), bytes.size());
    held.bytes = {held.copy.get(), bytes.size()};
  }
  held_pushes_.push_back(std::move(held));
}

void Turn::bound_output(Client& client) {
  if (client.output.pending() < kUncheckedBytesMax) [[likely]]
    return;
  const bool is_overfull = (client.halts & Client::kOverfull) != 0;
  if (!is_overfull && !clients_.is_over_hard_limit(client, 0)) return;
  client.output.clear(0);
  if (!is_overfull) give_up(client);
}

// Nothing more is told to this client. It is closed when nobody can be walking over clients.
void Turn::give_up(Client& client) {
  client.halts |= Client::kOverfull;
  overfull_.push_back(client.id);
  std::erase_if(held_pushes_, [&](const HeldPush& held) { return held.client == client.id; });
  client.held_bytes = 0;
}

void Turn::release_pushes() {
  for (const HeldPush& held : std::exchange(held_pushes_, {})) {
    Client* const client = clients_.find(held.client);
    if (client == nullptr || (client->halts & Client::kOverfull) != 0) continue;
    client->held_bytes -= sizeof(HeldPush) + held.bytes.size();
    push(*client, held.bytes, held.owner);
  }
}

// ---- replies -> links ----

void Turn::send_replies() {
  late_ = nullptr;
  if (!held_pushes_.empty()) [[unlikely]]
    release_pushes();
  if (!changed_ && output_due_.empty()) return;
  for (const auto& push_news : before_sending_) push_news();
  std::erase_if(overfull_, [this](uint64_t id) {
    Client* const client = clients_.find(id);
    if (client != nullptr && is_left_alone(*client)) return false;  // its command goes on
    if (client != nullptr) clients_.close_overfull(*client);
    return true;
  });
  changed_ = false;
  executed_at_ = cycles_now();
  uint64_t ticket = persistence_ != nullptr ? persistence_->end_turn() : 0;
  logged_at_ = cycles_now();
  // Those that waited may have been passed just now; they go before what this turn replies.
  if (!parked_.empty()) send_released();
  if (ticket != 0 && ticket <= persistence_->released()) ticket = 0;
  if (ticket != 0) note_parked(ticket);
  for (Client* client : output_due_) send_reply(*client, ticket);
  output_due_.clear();
}

void Turn::note_parked(uint64_t ticket) {
  if (engine_.slow_ns() == UINT64_MAX || parked_turns_.size() == kParkedTurnsMax) return;
  parked_turns_.push_back({ticket, engine_.turn_serial(), engine_.environment().monotonic_ns()});
}

void Turn::report_parked(uint64_t released) {
  if (parked_turns_.empty() || parked_turns_.front().ticket > released) return;
  auto* const listener = engine_.services.find<engine::SlowTurns>();
  const uint64_t now_ns = engine_.environment().monotonic_ns();
  for (; !parked_turns_.empty() && parked_turns_.front().ticket <= released;
       parked_turns_.pop_front()) {
    const ParkedTurn& turn = parked_turns_.front();
    const uint64_t waited_ns = now_ns - turn.since_ns;
    if (listener != nullptr && waited_ns >= engine_.slow_ns()) {
      listener->on_log_sync(turn.serial, waited_ns);
    }
  }
}

void Turn::send_reply(Client& client, uint64_t ticket) {
  client.has_output_due = false;
  if (!client.is_closed() && !client.output.empty()) {
    const size_t size = client.output.pending();
    client.sent_bytes += size;
    clients_.statistics.output_bytes += size;
    clients_.statistics.writes++;
    if (ticket == 0 && client.parked.empty()) {
      client.link().send(client.output);
    } else {
      // A reply that need not wait still stays behind the ones that must.
      if (client.parked.empty()) parked_.push_back(client.id);
      client.parked.push_back(
          {ticket != 0 ? ticket : client.parked.back().ticket, std::move(client.output)});
    }
    clients_.check_output(client);
  }
  recycle(client.output);
  close_when_drained(client);
  clients_.count_memory(client);
}

void Turn::send_released() {
  const uint64_t released = persistence_->released();
  report_parked(released);
  std::erase_if(parked_, [&](uint64_t id) {
    Client* const client = clients_.find(id);
    if (client == nullptr) return true;
    auto first_waiting = client->parked.begin();
    for (; first_waiting != client->parked.end() && first_waiting->ticket <= released;
         ++first_waiting) {
      client->link().send(first_waiting->output);
    }
    client->parked.erase(client->parked.begin(), first_waiting);
    close_when_drained(*client);
    clients_.count_memory(*client);
    return client->parked.empty();
  });
}

void Turn::drop_parked() {
  for (const uint64_t id : parked_) {
    if (Client* const client = clients_.find(id)) clients_.close(*client);
  }
  parked_.clear();
  parked_turns_.clear();
}

void Turn::close_when_drained(Client& client) {
  if ((client.halts & Client::kLastReply) != 0 && client.drained()) clients_.close(client);
}

// Everything that clients sent before they left is executed by now.
void Turn::end_clients() {
  for (Client* client : ended_) {
    clients_.close_after_replies(*client);
    close_when_drained(*client);
  }
  ended_.clear();
  for (const uint64_t id : std::exchange(lost_, {})) {
    if (Client* const client = clients_.find(id)) clients_.close(*client);
  }
}

// ---- clients that waited ----

// Those whose time is up, and those for whom something changed outside of commands.
void Turn::serve_waiting() {
  if (resumes_) engine_.waiting.retry_postponed();
  if (!engine_.waiting.is_due()) return;
  changed_ = true;
  engine_.refresh_clock();
  engine_.waiting.serve();
}

resp::Reply& Turn::late_reply(engine::Session& session) {
  auto& client = static_cast<Client&>(session);
  resp::OutputBuffer& output = output_of(client);
  late_ = &client;
  late_mark_ = output.mark();
  late_writer_.bind(output, client.protocol);
  return late_writer_;
}

void Turn::end_wait(engine::Session& session) {
  auto& client = static_cast<Client&>(session);
  ++client.commands;
  if (client.is_muted()) client.output.truncate(late_mark_);
  late_ = nullptr;
  served_.push_back(client.id);
  if (!held_pushes_.empty()) release_pushes();
}

// Takes up clients whose waiting is over, and those that are served by what these do. Between
// batches, as below.
void Turn::resume_served() {
  while (!served_.empty()) {
    for (const uint64_t id : std::exchange(served_, {})) {
      Client* const client = clients_.find(id);
      if (client == nullptr) continue;
      client->halts &= static_cast<Client::Halts>(~Client::kWaiting);
      take_input(*client);
    }
  }
}

// Takes up postponed clients, and those whose waiting was: what had postponed them may have ended
// in this very batch (CLIENT UNPAUSE). Only between batches: within one, a client's later requests
// could overtake the ones that wait.
void Turn::resume_clients() {
  serve_waiting();
  send_replies();
  resumes_ = false;
  // By id: while one of them runs something that takes long, others come and go.
  std::vector<uint64_t> postponed;
  clients_.for_each([&postponed](const Client& client) {
    if ((client.halts & Client::kPostponed) != 0) postponed.push_back(client.id);
  });
  for (const uint64_t id : postponed) {
    Client* const client = clients_.find(id);
    if (client == nullptr || (client->halts & Client::kPostponed) == 0) continue;
    client->halts &= static_cast<Client::Halts>(~Client::kPostponed);
    take_input(*client);
  }
}

// Keeps the memory of a client's last big request for the next one.
void Turn::recycle(InputBuffer& input) {
  if (input.capacity() == 0) return;
  if (input.capacity() > spare_input_.capacity() && input.capacity() <= kSpareInputBytesMax) {
    input.rewind();
    spare_input_ = std::move(input);
  } else {
    input.clear();
  }
}

void Turn::recycle(resp::OutputBuffer& output) {
  if (output.capacity() == 0) return;
  output.clear(kSpareOutputBytesMax);
  if (output.capacity() == 0) return;
  if (spare_outputs_.size() < kSpareOutputs) {
    spare_outputs_.push_back(std::move(output));
  } else {
    output.clear(0);
  }
}

}  // namespace roxdb::server
