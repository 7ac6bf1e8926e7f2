// client.h: what a client is: a session with a link, and everything CLIENT LIST says about it.
//
//   bytes in --> input: only what must wait --> commands --> output --> link --> bytes out
//                                                               |         ^
//                                                               '-> parked: waits for its fsync
//
// A client dies in two steps, so that nobody ever holds one that is gone (reliability S7):
//
//   open --Clients::close()--> closed: runs and sends nothing more --Clients::sweep()--> freed
//
// sweep() runs between turns only; whoever keeps a client longer than a turn keeps its id.
// An idle client owns no buffer: this object and the link are all there is of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/command_table.h"
#include "engine/session.h"
#include "resp/output_buffer.h"
#include "resp/parser.h"
#include "server/input_buffer.h"
#include "server/link.h"

namespace roxdb::server {

class Transaction;
class User;
struct Subscriptions;
struct TrackingMode;
struct WatchedKeys;

// Where a client comes from. Addresses as Redis writes them: "127.0.0.1:40314", "[::1]:40314",
// "/run/roxdb.sock:0".
struct Peer {
  std::string address;
  std::string local_address;
  bool is_local = false;  // loopback or a unix socket
  bool is_unix_socket = false;
};

// "127.0.0.1" of "127.0.0.1:40314", "::1" of "[::1]:40314", "/run/roxdb.sock" of the last.
std::string_view host_of(std::string_view address);

class Client final : public engine::Session {
 public:
  // Why requests of a client do not run: one bit each, 0: they do.
  using Halts = uint8_t;
  static constexpr Halts kClosed = 1;     // freed by the next sweep
  static constexpr Halts kLastReply = 2;  // closed as soon as everything it was told is sent
  static constexpr Halts kPostponed = 4;  // a gate said: not now
  static constexpr Halts kWaiting = 8;    // its last command waits for keys (engine/waiting.h)
  static constexpr Halts kOverfull = 16;  // told more than it may leave untaken: closed very soon
  static constexpr Halts kHeld = kPostponed | kWaiting;  // what it sent waits in `input`

  enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext };  // CLIENT REPLY

  // Replies that may go once persistence has released their ticket.
  struct Parked {
    uint64_t ticket;
    resp::OutputBuffer output;
  };

  Client(uint64_t client_id, std::unique_ptr<Link> client_link, Peer client_peer, uint64_t now_ms);
  ~Client() override;

  bool is_local() const override { return peer.is_local; }
  std::string address() const override { return peer.address; }
  std::string client_name() const override { return name; }
  std::string_view user_name() const;
  Status on_refused(const engine::CommandSpec* spec, const Status& why) override;
  void on_queued(const engine::Prepared& prepared) override;

  bool is_closed() const { return (halts & kClosed) != 0; }
  Link& link() { return *link_; }
  const Link& link() const { return *link_; }
  // Nothing it was told still waits here.
  bool drained() const { return output.empty() && parked.empty() && link_->unsent_bytes() == 0; }
  // It wants no reply to the command that runs now; news come all the same.
  bool is_muted() const { return skips_reply || reply_mode == ReplyMode::kOff; }
  // What it was told and has not taken.
  size_t output_bytes() const;
  size_t memory_bytes() const;
  // One line of CLIENT LIST, without the line end.
  std::string describe(uint64_t now_ms) const;
  // The letters of CLIENT LIST's `flags`.
  std::string flag_letters() const;
  // Those of `capa`: what it has said that it can do.
  std::string_view capability_letters() const { return follows_redirects ? "r" : ""; }
  // Back to what it was when it connected; see Clients::reset().
  void reset();

  // --- read and written by every request -------------------------------------------------------

  Halts halts = 0;
  ReplyMode reply_mode = ReplyMode::kOn;
  bool skips_reply = false;  // of the command that runs now
  bool authenticated = true;
  bool has_output_due = false;  // on the turn's list of clients to send to
  bool has_ended = false;       // the peer sends nothing more
  uint8_t protocol = 2;         // HELLO
  resp::RequestParser parser;   // of the request at the front of `input`
  InputBuffer input;
  resp::OutputBuffer output;   // replies of this turn; empty between turns
  std::vector<Parked> parked;  // by ticket, ascending
  size_t held_bytes = 0;       // of news that wait for the end of the running unit
  uint64_t last_seen_ms;       // monotonic: bytes came or went
  uint64_t commands = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  const User* user = nullptr;  // null: the default one; see Acl::user_of()
  const engine::Command* last_command = nullptr;
  std::unique_ptr<Transaction> transaction;      // between MULTI and EXEC
  std::unique_ptr<WatchedKeys> watched;          // since WATCH
  std::unique_ptr<Subscriptions> subscriptions;  // while it has any
  std::unique_ptr<TrackingMode> tracking;        // since CLIENT TRACKING ON

  // --- said once -------------------------------------------------------------------------------

  const uint64_t id;
  const uint64_t connected_ms;          // monotonic
  uint64_t password_wait_until_ms = 0;  // monotonic; see Authentication
  uint64_t output_over_soft_since = 0;  // monotonic ms; 0: it is not
  // What it took when that was last counted, and where it stands since: see ClientMemory.
  static constexpr size_t kNowhere = SIZE_MAX;
  size_t counted_bytes = 0;
  size_t memory_place = kNowhere;
  bool no_evict = false;
  bool is_monitor = false;         // MONITOR
  bool follows_redirects = false;  // CLIENT CAPA redirect; there is nobody to send it to so far
  const Peer peer;
  std::string name;
  std::string lib_name;
  std::string lib_version;

 private:
  const std::unique_ptr<Link> link_;
};

}  // namespace roxdb::server
