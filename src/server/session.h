// session.h: one turn of the loop, as all clients see it. Whatever complete requests arrived during
// the turn, from whichever connection, are one batch.
//
//   socket --read--> read buffer --parse--> requests of the batch     received(), once per read
//                         |                        |
//                         '-- a request's first    |  prepare, look ahead, execute:
//                             part waits in        |  chunk after chunk, in order     run(), at the
//                             Client::input        v                                  end of the
//                             turn,
//                                             replies, per client                     or earlier
//                                             when
//                                                  |                                  the batch is
//                                                  full
//                         Persistence::end_turn(): one write for the log
//                                                  |
//                           ticket 0: Link::send, one write per client
//                           else parked until Persistence::released() reaches the ticket (D3)
//
// One read buffer serves all connections: bytes are read behind those of the one before, arguments
// are views into it, and it starts again at its front when the batch is done. A request that is
// not complete yet waits with its client and is read on
//   - by copying its few bytes in front of the next read, or
//   - when it is big, or announces a big argument, by reading straight behind it ("in place"), so
//     that the bytes of a large value are never moved.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/slow_turns.h"
#include "persist/persistence.h"
#include "resp/args.h"
#include "resp/reply_writer.h"
#include "server/clients.h"

namespace roxdb::server {

class Turn final : public engine::WaitingHost, private engine::Batch {
 public:
  // `persistence` null: nothing is logged. All must outlive the Turn.
  Turn(engine::Engine& engine, Clients& clients, persist::Persistence* persistence);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // --- called by a connection ------------------------------------------------------------------

  // Where the next bytes of this client go, dead after the next call. Empty: not now, ask again in
  // a later turn; only while a command lets others be served.
  std::span<char> space_for(Client& client);
  // `size` > 0 bytes were read into what space_for() has just given for this client. May execute
  // the batch, and so close any client, this one included; none is freed.
  void received(Client& client, size_t size);
  // The peer sends nothing more. What it sent is executed and answered, then it is closed; but an
  // answer that would have to be waited for is not.
  void ended(Client& client);
  // The connection is broken: nothing can be read from it or sent to it any more.
  void lost(Client& client);
  // The link sent some of what it had kept; all of it.
  void sent_some(Client& client);
  void sent(Client& client);

  // The commands that ran last, the last one first; `visit` may be called by a handler of signals.
  template <class Visit>
  void for_each_recent(Visit visit) const {
    for (size_t i = 0; i < kRecentCommands; ++i) {
      const engine::Command* command = recent_[(recent_next_ - 1 - i) % kRecentCommands];
      if (command != nullptr) visit(*command);
    }
  }

  // --- called by the loop ----------------------------------------------------------------------

  // The end of the turn: executes what has come, writes the log, sends the replies, frees closed
  // clients. Cheap when nothing has come.
  void run();
  // Something changed outside commands (expiry): the log is written at the end of this turn.
  void mark_changed() { changed_ = true; }
  // Persistence::released() has moved: sends what waited for it.
  void send_released();
  // The log could not be written for too long: clients whose replies wait for it are closed without
  // an answer (E3).
  void drop_parked();
  // Lets clients go on that were told kPostpone.
  void resume_postponed() { resumes_ = true; }

  // --- called in the middle of a command that takes long (engine/busy.h) -------------------------

  // The batch stands still. What others have sent is executed and answered, then so is what `poll`
  // brings in, which turns the loop once. The client whose command runs, and one whose bytes are
  // being taken right now, are left alone until that command has ended: nothing of theirs is read,
  // sent or closed. No client is freed meanwhile (reliability S7).
  // REQUIRES: a command runs.
  void step_aside(const std::function<void()>& poll);
  bool is_aside() const { return aside_ != nullptr; }
  // Whether bytes of this client may be read now.
  bool may_read(const Client& client) const { return !is_left_alone(client); }

  // --- called by whoever has news for clients (Pub/Sub, tracking, MONITOR) ---------------------

  // Puts bytes that are no reply into a client's output: behind what it has been told, and behind
  // the reply of the command that it runs right now. They go out at the end of the turn, and like a
  // reply only once what they tell of is as durable as promised. `owner`: keeps the bytes alive,
  // which are then sent from where they lie; null: they are copied. A client that would have to
  // take more than its limit is closed, but not before the turn ends: no call of push() does it.
  void push(Client& client, std::string_view bytes, const SharedRef& owner);
  // Called between two replies of a command that makes many (EXEC): when they are more than the
  // client may take, they go, so that memory does not grow until the command ends; the client is
  // closed at the end of the turn.
  void bound_output(Client& client);
  // The client whose command runs now, null outside of commands. For comparing.
  const Client* running() const { return late_ != nullptr ? late_ : executing_; }
  // Called when all requests that have come are executed and replies are about to go out: the last
  // chance to push something in this turn. Not called when nothing has happened.
  void before_sending(std::function<void()> push_news) {
    before_sending_.push_back(std::move(push_news));
  }

  // --- called by engine::Waiting ---------------------------------------------------------------

  resp::Reply& late_reply(engine::Session& session) override;
  void end_wait(engine::Session& session) override;

 private:
  // Requests of one client that came in one piece.
  struct Run {
    Client* client;
    const char* bytes;         // the front of the first one
    size_t size;               // of all of them
    size_t kept_from;          // what stands behind is not executed, it waits; usually `size`
    bool in_place;             // `bytes` is the client's input
    std::string_view failure;  // the protocol error behind the last one; empty: none
  };
  struct Request {
    uint32_t run;
    uint32_t first_arg;
    uint32_t args;
    size_t at;  // offset from Run::bytes
  };

  // What step_aside() puts away.
  struct Outer {
    Client* executing;
    Client* receiving;
  };

  size_t position() const override { return static_cast<size_t>(current_ - requests_.data()); }

  static bool reads_in_place(const Client& client);
  bool is_left_alone(const Client& client) const {
    return aside_ != nullptr && (&client == aside_->executing || &client == aside_->receiving);
  }
  std::vector<uint64_t> give_back_others();
  void take(Client& client, std::string_view bytes);
  void take_input(Client& client);
  bool parse_run(Client& client, std::string_view bytes, bool in_place, size_t& taken);

  void evict_clients();
  void execute();
  void execute_chunk(std::span<const Request> requests);
  void execute_request(const Request& request, const engine::Prepared& prepared);
  void report_large(const Request& request, const engine::Prepared& prepared, uint64_t reply_bytes);
  void close_runs();
  void close_run(Run& run);
  resp::OutputBuffer& output_of(Client& client);
  void hold(Client& client, std::string_view bytes, const SharedRef& owner);
  void release_pushes();
  void give_up(Client& client);

  void send_replies();
  void send_reply(Client& client, uint64_t ticket);
  void note_parked(uint64_t ticket);
  void report_parked(uint64_t released);
  void close_when_drained(Client& client);
  void end_clients();
  void serve_waiting();
  void resume_clients();
  void resume_served();
  void recycle(InputBuffer& input);
  void recycle(resp::OutputBuffer& output);

  engine::Engine& engine_;
  Clients& clients_;
  persist::Persistence* const persistence_;

  std::unique_ptr<char[]> read_buffer_;
  size_t read_used_ = 0;
  Client* receiving_ = nullptr;  // whose bytes are being taken

  // The batch.
  resp::ArgVector args_;
  std::vector<uint64_t> hashes_;  // at least one per argument
  std::vector<Request> requests_;
  std::vector<Run> runs_;
  resp::OutputBuffer unbound_;  // for the writer to be born with
  resp::RespWriter writer_{unbound_};
  resp::RespWriter late_writer_{unbound_};  // for who waited, while writer_ is at work
  resp::OutputBuffer::Mark late_mark_;
  // Who is being told something: news must not get between the parts of a reply.
  Client* executing_ = nullptr;
  const Request* current_ = nullptr;  // of executing_
  const Client* late_ = nullptr;
  struct HeldPush {
    uint64_t client;
    std::string_view bytes;  // of `owner`, or of `copy`
    SharedRef owner;
    std::unique_ptr<char[]> copy;
  };
  std::vector<HeldPush> held_pushes_;
  std::vector<std::function<void()>> before_sending_;

  static constexpr size_t kRecentCommands = 16;
  const engine::Command* recent_[kRecentCommands] = {};
  size_t recent_next_ = 0;

  // What the end of the turn is for.
  std::vector<Client*> output_due_;
  std::vector<Client*> ended_;
  std::vector<uint64_t> lost_;    // ids of clients that were left alone when their connection broke
  const Outer* aside_ = nullptr;  // others are served in the middle of a command
  bool changed_ = false;
  bool resumes_ = false;
  std::vector<uint64_t> served_;    // ids of clients whose waiting is over
  std::vector<uint64_t> parked_;    // ids of clients with parked replies
  std::vector<uint64_t> overfull_;  // ids of clients that are to be closed

  // Why it was slow (engine/slow_turns.h): cycles of this turn's corners, and turns whose replies
  // wait for the log, as far as somebody wants to know how long.
  struct ParkedTurn {
    uint64_t ticket;
    uint64_t serial;
    uint64_t since_ns;
  };
  uint64_t executed_at_ = 0;
  uint64_t logged_at_ = 0;
  std::deque<ParkedTurn> parked_turns_;

  // Memory for those who need some next.
  std::vector<resp::OutputBuffer> spare_outputs_;
  InputBuffer spare_input_;
};

}  // namespace roxdb::server
