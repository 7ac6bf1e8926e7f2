// turn_fixture.h: clients without sockets. Their links keep what is sent; their bytes come in as
// the test cuts them.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "server/acl.h"
#include "server/clients.h"
#include "server/hot_keys.h"
#include "server/monitor.h"
#include "server/notifications.h"
#include "server/pause.h"
#include "server/pubsub.h"
#include "server/session.h"
#include "server/tracking.h"
#include "server/transaction.h"
#include "test/sim/crashing_environment.h"

namespace roxdb::server::test {

// What one client sees of the server.
struct Wire {
  std::string sent;
  int sends = 0;
  bool is_open = true;
  bool takes_nothing = false;  // the peer does not read: all output stays with the link
  size_t unsent = 0;
};

class WireLink final : public Link {
 public:
  explicit WireLink(Wire& wire) : wire_(wire) {}
  ~WireLink() override { wire_.is_open = false; }

  void send(resp::OutputBuffer& output) override {
    ++wire_.sends;
    if (wire_.takes_nothing) {
      wire_.unsent += output.pending();
      return output.clear(0);
    }
    while (!output.empty()) {
      std::string_view piece[1];
      output.gather(piece);
      wire_.sent.append(piece[0]);
      output.consume(piece[0].size());
    }
  }
  size_t unsent_bytes() const override { return wire_.unsent; }
  size_t unsent_pieces() const override { return wire_.unsent > 0 ? 1 : 0; }
  int descriptor() const override { return 7; }
  size_t memory_bytes() const override { return sizeof *this + wire_.unsent; }

 private:
  Wire& wire_;
};

// Units as they are logged, commands separated by ", ".
class UnitLog final : public engine::Sink {
 public:
  void on_unit(std::span<const engine::LogCommand> commands) override {
    std::string unit;
    for (const engine::LogCommand& command : commands) {
      if (!unit.empty()) unit += ", ";
      for (size_t i = 0; i < command.args.size(); ++i) {
        unit += (i > 0 ? " " : "") + std::string(command.args[i]);
      }
    }
    units.push_back(unit);
  }
  std::vector<std::string> units;
};

enum GateOrder : int {
  kAclGate,
  kPubSubGate,
  kPauseGate,
  kTransactionGate,
  kHotKeysGate,
  kMonitorGate
};
enum SinkOrder : int { kLogSink, kWatchSink, kTrackingSink, kNotificationSink };

struct TurnFixture {
  TurnFixture() {
    engine.services.provide(&clients);
    engine.services.provide(&acl);
    engine.services.provide(&pause);
    engine.services.provide(&transactions);
    engine.services.provide(&turn);
    engine.services.provide(&pubsub);
    engine.services.provide(&tracking);
    engine.services.provide(&hot_keys);
    engine.services.provide(&monitor);
    clients.now_ms = 1'000'000;
  }

  // Lives until the clients are gone: their links look at it to the end.
  Wire& add_wire() { return wires.emplace_back(); }
  Client& connect(Wire& wire, std::string address = "127.0.0.1:40000") {
    Client& client =
        clients.add(std::make_unique<WireLink>(wire), {.address = std::move(address),
                                                       .local_address = "127.0.0.1:6379",
                                                       .is_local = true,
                                                       .is_unix_socket = false});
    acl.authentication().greet(client);
    return client;
  }
  // The bytes arrive, at most `piece_bytes` with each read. A closed client reads no more.
  void receive(Client& client, std::string_view bytes, size_t piece_bytes = SIZE_MAX) {
    while (!bytes.empty() && !client.is_closed()) {
      const std::span<char> space = turn.space_for(client);
      const size_t size = std::min({bytes.size(), space.size(), piece_bytes});
      std::memcpy(space.data(), bytes.data(), size);
      bytes.remove_prefix(size);
      turn.received(client, size);
    }
  }
  void set(std::string_view name, std::string_view value) {
    std::string why;
    const std::pair<std::string_view, std::string_view> pair[] = {{name, value}};
    BOOST_REQUIRE_MESSAGE(engine.settings.set(pair, true, why), why);
  }

  // What the client was told since the last call, line ends as blanks.
  static std::string taken(Wire& wire) {
    std::string text = std::exchange(wire.sent, {});
    for (size_t at; (at = text.find("\r\n")) != std::string::npos;) text.replace(at, 2, " ");
    return text;
  }
  // The same after the client has sent a line and the turn has ended.
  std::string run(Client& client, Wire& wire, const std::string& line) {
    receive(client, line + "\r\n");
    turn.run();
    return taken(wire);
  }
  std::string info(const std::string& section, const std::string& field) {
    const std::string text = engine.info.text(section);
    const size_t at = text.find(field + ":") + field.size() + 1;
    return text.substr(at, text.find('\r', at) - at);
  }

  std::deque<Wire> wires;
  CrashingEnvironment environment{7};
  engine::Engine engine{{.environment = &environment,
                         .executor = nullptr,
                         .log = nullptr,
                         .databases = kDatabases,
                         .hash_seed = 1,
                         .families = {}}};
  Clients clients{engine};
  Acl acl{engine, clients, kAclGate};
  Turn turn{engine, clients, nullptr};
  Pause pause{engine, turn, kPauseGate};
  Transactions transactions{engine, clients, kTransactionGate, kWatchSink};
  PubSub pubsub{engine, clients, turn, kPubSubGate};
  Tracking tracking{engine, clients, turn, kTrackingSink};
  HotKeys hot_keys{engine, clients, kHotKeysGate};
  Monitor monitor{engine, clients, turn, kMonitorGate};
  Notifications notifications{engine, pubsub, kNotificationSink};
};

// Two clients that talk by turns.
struct TwoClients : TurnFixture {
  std::string a(const std::string& line) { return run(client_a, wire_a, line); }
  std::string b(const std::string& line) { return run(client_b, wire_b, line); }

  Wire& wire_a = add_wire();
  Client& client_a = connect(wire_a, "127.0.0.1:40001");
  Wire& wire_b = add_wire();
  Client& client_b = connect(wire_b, "127.0.0.1:40002");
};

// A request as a client library writes it.
inline std::string request(std::initializer_list<std::string_view> args) {
  std::string bytes = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string_view arg : args) {
    bytes += "$" + std::to_string(arg.size()) + "\r\n";
    bytes.append(arg);
    bytes += "\r\n";
  }
  return bytes;
}

}  // namespace roxdb::server::test
