// Pub/Sub: who hears what, in what form, and who is cut off for not listening.
#include "server/pubsub.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/random.h"
#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

// The link of a peer that does not read: it keeps what it is given as it is.
class FullLink final : public Link {
 public:
  void send(resp::OutputBuffer& output) override {
    bytes_ += output.pending();
    outputs_.push_back(std::move(output));
  }
  size_t unsent_bytes() const override { return bytes_; }
  size_t unsent_pieces() const override { return outputs_.size(); }
  int descriptor() const override { return 8; }
  size_t memory_bytes() const override { return sizeof *this; }

  bool ends_with(std::string_view text) const {
    std::string_view pieces[8];
    const size_t count = outputs_.back().gather(pieces);
    return count > 0 && pieces[count - 1].ends_with(text);
  }

 private:
  std::vector<resp::OutputBuffer> outputs_;
  size_t bytes_ = 0;
};

struct PubSubFixture : TwoClients {
  ~PubSubFixture() {
    clients.for_each([this](Client& client) { clients.close(client); });
    turn.run();
    BOOST_TEST(info("clients", "pubsub_clients") == "0");
    BOOST_TEST(info("stats", "pubsub_channels") == "0");
    BOOST_TEST(info("stats", "pubsub_patterns") == "0");
    BOOST_TEST(info("stats", "pubsubshard_channels") == "0");
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_pubsub, PubSubFixture)

// What a transaction tells of waits for its end, and counts for whom it waits meanwhile.
BOOST_AUTO_TEST_CASE(news_of_a_transaction_count_against_the_limit_of_each_listener) {
  set("client-output-buffer-limit", "pubsub 200000 0 0");
  const std::string message(30'000, 'x');
  a("SUBSCRIBE few many");
  b("MULTI");
  b("PUBLISH few " + message);
  for (int i = 0; i < 5; ++i) b("PUBLISH many " + message);
  b("EXEC");
  BOOST_TEST(wire_a.sent.size() > 6 * message.size());
  BOOST_TEST(client_a.held_bytes == 0u);
  BOOST_TEST(!client_a.is_closed());
  b("MULTI");
  for (int i = 0; i < 7; ++i) b("PUBLISH many " + message);
  b("EXEC");
  BOOST_TEST(!wire_a.is_open);
}

BOOST_AUTO_TEST_CASE(a_message_reaches_channel_and_pattern_listeners) {
  BOOST_TEST(a("SUBSCRIBE news") == "*3 $9 subscribe $4 news :1 ");
  BOOST_TEST(a("PSUBSCRIBE n* x*") == "*3 $10 psubscribe $2 n* :2 *3 $10 psubscribe $2 x* :3 ");
  BOOST_TEST(b("PUBLISH news hello") == ":2 ");
  BOOST_TEST(taken(wire_a) ==
             "*3 $7 message $4 news $5 hello *4 $8 pmessage $2 n* $4 news $5 hello ");
  BOOST_TEST(b("PUBLISH other hello") == ":0 ");
  BOOST_TEST(a("UNSUBSCRIBE") == "*3 $11 unsubscribe $4 news :2 ");
  BOOST_TEST(b("PUBLISH news again") == ":1 ");
  BOOST_TEST(taken(wire_a) == "*4 $8 pmessage $2 n* $4 news $5 again ");
}

BOOST_AUTO_TEST_CASE(each_client_hears_it_in_its_own_protocol) {
  client_a.protocol = 3;
  a("SUBSCRIBE c");
  b("SUBSCRIBE c");
  Wire& wire = add_wire();
  BOOST_TEST(run(connect(wire), wire, "PUBLISH c m") == ":2 ");
  BOOST_TEST(taken(wire_a) == ">3 $7 message $1 c $1 m ");
  BOOST_TEST(taken(wire_b) == "*3 $7 message $1 c $1 m ");
}

BOOST_AUTO_TEST_CASE(sharded_channels_are_another_kind) {
  a("SSUBSCRIBE c");
  a("PSUBSCRIBE *");
  BOOST_TEST(b("PUBLISH c m") == ":1 ");
  BOOST_TEST(taken(wire_a) == "*4 $8 pmessage $1 * $1 c $1 m ");
  BOOST_TEST(b("SPUBLISH c m") == ":1 ");
  BOOST_TEST(taken(wire_a) == "*3 $8 smessage $1 c $1 m ");
  BOOST_TEST(a("SUNSUBSCRIBE") == "*3 $12 sunsubscribe $1 c :0 ");
  BOOST_TEST(a("SUNSUBSCRIBE") == "*3 $12 sunsubscribe $-1 :0 ");
}

BOOST_AUTO_TEST_CASE(a_resp2_subscriber_may_say_little_until_it_leaves) {
  a("SUBSCRIBE c");
  BOOST_TEST(a("CLIENT LIST") ==
             "-ERR Can't execute 'client|list': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
             "QUIT / RESET are allowed in this context ");
  BOOST_TEST(a("PING") == "*2 $4 pong $0  ");
  BOOST_TEST(a("PING hi") == "*2 $4 pong $2 hi ");
  BOOST_TEST(b("GET k") == "$-1 ");
  a("UNSUBSCRIBE c");
  BOOST_TEST(a("GET k") == "$-1 ");
  BOOST_TEST(a("PING") == "+PONG ");
}

BOOST_AUTO_TEST_CASE(a_resp3_subscriber_may_say_everything) {
  client_a.protocol = 3;
  a("SUBSCRIBE c");
  BOOST_TEST(a("GET k") == "_ ");
  BOOST_TEST(a("PING") == "+PONG ");
}

// The message must not stand between the parts of the transaction's reply.
BOOST_AUTO_TEST_CASE(what_one_says_to_oneself_comes_behind_the_reply) {
  client_a.protocol = 3;
  a("SUBSCRIBE c");
  BOOST_TEST(a("PUBLISH c 1") == ":1 >3 $7 message $1 c $1 1 ");
  a("MULTI");
  a("PUBLISH c 2");
  a("PUBLISH c 3");
  BOOST_TEST(a("EXEC") == "*2 :1 :1 >3 $7 message $1 c $1 2 >3 $7 message $1 c $1 3 ");
}

BOOST_AUTO_TEST_CASE(who_wants_no_replies_still_hears_messages) {
  client_a.protocol = 3;
  BOOST_TEST(a("CLIENT REPLY OFF") == "");
  BOOST_TEST(a("SUBSCRIBE c") == ">3 $9 subscribe $1 c :1 ");
  BOOST_TEST(a("PING") == "");
  b("PUBLISH c m");
  BOOST_TEST(taken(wire_a) == ">3 $7 message $1 c $1 m ");
}

BOOST_AUTO_TEST_CASE(subscribing_in_a_transaction_works) {
  a("MULTI");
  a("SUBSCRIBE c");
  a("GET k");
  BOOST_TEST(a("EXEC") == "*2 *3 $9 subscribe $1 c :1 $-1 ");
  BOOST_TEST(b("PUBLISH c m") == ":1 ");
}

BOOST_AUTO_TEST_CASE(client_list_tells_what_a_client_listens_to) {
  a("SUBSCRIBE c d");
  a("PSUBSCRIBE p*");
  a("SSUBSCRIBE s");
  const std::string line = client_a.describe(clients.now_ms);
  BOOST_TEST(line.find(" flags=P ") != std::string::npos);
  BOOST_TEST(line.find(" sub=2 psub=1 ssub=1 ") != std::string::npos);
  BOOST_TEST(b("CLIENT LIST TYPE pubsub").find(":40001 ") != std::string::npos);
  BOOST_TEST(b("CLIENT LIST TYPE normal").find(":40001 ") == std::string::npos);
  BOOST_TEST(b("CLIENT KILL TYPE pubsub") == ":1 ");
  BOOST_TEST(!wire_a.is_open);
  BOOST_TEST(b("PUBLISH c m") == ":0 ");
}

BOOST_AUTO_TEST_CASE(pubsub_tells_who_is_listening) {
  a("SUBSCRIBE c");
  a("PSUBSCRIBE p* q*");
  a("SSUBSCRIBE s");
  BOOST_TEST(b("PUBSUB CHANNELS") == "*1 $1 c ");
  BOOST_TEST(b("PUBSUB CHANNELS x*") == "*0 ");
  BOOST_TEST(b("PUBSUB NUMSUB c d") == "*4 $1 c :1 $1 d :0 ");
  BOOST_TEST(b("PUBSUB NUMPAT") == ":2 ");
  BOOST_TEST(b("PUBSUB SHARDCHANNELS") == "*1 $1 s ");
  BOOST_TEST(b("PUBSUB SHARDNUMSUB s c") == "*4 $1 s :1 $1 c :0 ");
  BOOST_TEST(info("clients", "pubsub_clients") == "1");
  BOOST_TEST(info("stats", "pubsub_patterns") == "2");
}

BOOST_AUTO_TEST_CASE(patterns_have_a_bound) {
  const std::string most(kPatternBytesMax, 'p');
  receive(client_a, request({"PSUBSCRIBE", "ok", most + "p"}));
  receive(client_a, request({"PUBSUB", "CHANNELS", most + "p"}));
  turn.run();
  BOOST_TEST(taken(wire_a) == "-ERR pattern too complex -ERR pattern too complex ");
  receive(client_a, request({"PSUBSCRIBE", most}));
  turn.run();
  BOOST_TEST(b("PUBSUB NUMPAT") == ":1 ");
}

BOOST_AUTO_TEST_CASE(reset_and_leaving_end_all_subscriptions) {
  a("SUBSCRIBE c");
  b("SUBSCRIBE c");
  a("RESET");
  BOOST_TEST(a("PUBSUB NUMSUB c") == "*2 $1 c :1 ");
  clients.close(client_b);
  BOOST_TEST(a("PUBSUB NUMSUB c") == "*2 $1 c :0 ");
}

// Places of the others move when one leaves; each must still be found by its own.
BOOST_AUTO_TEST_CASE(clients_come_and_go_in_any_order) {
  std::vector<Client*> all;
  std::vector<Wire*> links;
  for (int i = 0; i < 50; ++i) {
    links.push_back(&add_wire());
    all.push_back(&connect(*links.back()));
    run(*all.back(), *links.back(), "SUBSCRIBE c d");
  }
  Random random(5);
  std::vector<bool> listens(all.size(), true);
  for (int round = 0; round < 300; ++round) {
    const size_t one = random.next() % all.size();
    run(*all[one], *links[one], listens[one] ? "UNSUBSCRIBE c" : "SUBSCRIBE c");
    listens[one] = !listens[one];
    const auto count = static_cast<size_t>(std::count(listens.begin(), listens.end(), true));
    BOOST_TEST(a("PUBLISH c m") == ":" + std::to_string(count) + " ");
    for (size_t i = 0; i < all.size(); ++i) {
      BOOST_TEST(taken(*links[i]).empty() != listens[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_turn_of_messages_is_one_write_per_client) {
  a("SUBSCRIBE c");
  const int before = wire_a.sends;
  std::string many;
  for (int i = 0; i < 100; ++i) many += "PUBLISH c m\r\n";
  receive(client_b, many);
  turn.run();
  BOOST_TEST(wire_a.sends == before + 1);
}

// ---- limits ----

BOOST_AUTO_TEST_CASE(a_listener_that_reads_nothing_is_dropped_at_its_limit_and_the_others_go_on) {
  set("client-output-buffer-limit", "pubsub 200kb 0 0");
  a("SUBSCRIBE c");
  wire_a.takes_nothing = true;
  Wire& quick = add_wire();
  Client& reader = connect(quick);
  run(reader, quick, "SUBSCRIBE c");
  const std::string message = request({"PUBLISH", "c", std::string(60'000, 'm')});
  for (int i = 0; i < 5; ++i) {
    receive(client_b, message);
    turn.run();
  }
  BOOST_TEST(!wire_a.is_open);
  BOOST_TEST(quick.is_open);
  BOOST_TEST(quick.sent.size() > 300'000u);
  BOOST_TEST(clients.statistics.output_limit_disconnections == 1u);
  BOOST_TEST(b("PUBSUB NUMSUB c").ends_with(":1 "));
}

// The hard limit holds within a turn, too: nobody writes anything out before the transaction ends.
BOOST_AUTO_TEST_CASE(one_transaction_cannot_make_an_output_grow_beyond_its_limit) {
  set("client-output-buffer-limit", "pubsub 1mb 0 0");
  a("SUBSCRIBE c d");
  client_b.protocol = 3;
  b("SUBSCRIBE c");
  b("MULTI");
  const std::string message = request({"PUBLISH", "c", std::string(1'500, 'm')});
  for (int i = 0; i < 2'000; ++i) receive(client_b, message);
  const size_t before = memory::used_bytes();
  receive(client_b, request({"EXEC"}));
  turn.run();
  BOOST_TEST(!wire_a.is_open);
  BOOST_TEST(!wire_b.is_open);  // it has told itself too much
  BOOST_TEST(memory::used_bytes() < before + (8u << 20));
  BOOST_TEST(clients.statistics.output_limit_disconnections == 2u);
}

BOOST_AUTO_TEST_CASE(the_soft_limit_of_subscribers_counts_seconds) {
  set("client-output-buffer-limit", "pubsub 0 10kb 5");
  a("SUBSCRIBE c");
  wire_a.takes_nothing = true;
  b("PUBLISH c " + std::string(20'000, 'm'));
  clients.now_ms += 4'000;
  clients.tick(clients.now_ms);
  BOOST_TEST(!client_a.is_closed());
  clients.now_ms += 2'000;
  clients.tick(clients.now_ms);
  BOOST_TEST(client_a.is_closed());
}

BOOST_AUTO_TEST_CASE(who_listens_is_not_idle) {
  set("timeout", "10");
  a("SUBSCRIBE c");
  clients.now_ms += 60'000;
  clients.tick(clients.now_ms);
  BOOST_TEST(!client_a.is_closed());
  BOOST_TEST(client_b.is_closed());
}

// A message of 1 MiB for ten thousand clients that read nothing exists once; what each of them
// costs is a reference, but what each has waiting is told in full.
BOOST_AUTO_TEST_CASE(a_big_message_is_kept_once_for_ten_thousand_listeners) {
  constexpr size_t kClients = 10'000;
  constexpr size_t kMessageBytes = 1u << 20;
  for (size_t i = 0; i < kClients; ++i) {
    Client& client = clients.add(std::make_unique<FullLink>(), {});
    receive(client, "SUBSCRIBE c\r\n");
  }
  turn.run();
  const size_t idle = memory::used_bytes();
  receive(client_b, request({"PUBLISH", "c", std::string(kMessageBytes, 'm')}), 60'000);
  turn.run();
  BOOST_TEST(taken(wire_b) == ":10000 ");
  BOOST_TEST(memory::used_bytes() < idle + 8 * kMessageBytes);
  clients.for_each([&](Client& client) {
    if (client.subscriptions != nullptr) BOOST_REQUIRE(client.output_bytes() > kMessageBytes);
  });
  clients.for_each([](Client& client) {
    if (client.subscriptions == nullptr) return;
    BOOST_REQUIRE(static_cast<FullLink&>(client.link()).ends_with("mmmm\r\n"));
  });
}

BOOST_AUTO_TEST_CASE(subscriptions_are_in_the_memory_of_their_client) {
  const size_t before = client_a.memory_bytes();
  std::string names;
  for (int i = 0; i < 300; ++i) names += " " + std::string(100, 'n') + std::to_string(i);
  a("SUBSCRIBE" + names);
  BOOST_TEST(client_a.memory_bytes() > before + 30'000);
  a("UNSUBSCRIBE");
  BOOST_TEST(client_a.memory_bytes() < before + 10'000);
}

// ---- clients that die ----

BOOST_AUTO_TEST_CASE(listeners_may_be_closed_in_the_turn_of_a_message) {
  a("SUBSCRIBE c");
  Wire& wire = add_wire();
  Client& third = connect(wire);
  run(third, wire, "SUBSCRIBE c");
  receive(client_b,
          "PUBLISH c 1\r\nCLIENT KILL ID " + std::to_string(client_a.id) + "\r\nPUBLISH c 2\r\n");
  turn.lost(third);
  turn.run();
  BOOST_TEST(taken(wire_b) == ":1 :1 :0 ");
  BOOST_TEST(!wire_a.is_open);
  BOOST_TEST(!wire.is_open);
  BOOST_TEST(b("PUBLISH c 3") == ":0 ");
}

// Everything that takes clients out of lists, in any order and within turns, under limits that are
// reached all the time. The sanitizers look for views of what is gone, the fixture at the lists.
BOOST_AUTO_TEST_CASE(clients_may_do_anything_to_each_other) {
  set("client-output-buffer-limit", "pubsub 40kb 10kb 1");
  set("notify-keyspace-events", "KEA");
  Random random(11);
  const auto word = [&](std::initializer_list<const char*> words) {
    return std::string(words.begin()[random.next() % words.size()]);
  };
  const auto channel = [&] { return word({"c", "d", "e*", "__keyspace@0__:k", "__key*"}); };
  std::vector<uint64_t> ids;
  for (int round = 0; round < 3'000; ++round) {
    std::erase_if(ids, [&](uint64_t id) { return clients.find(id) == nullptr; });
    while (ids.size() < 12) {
      Wire& wire = add_wire();
      wire.takes_nothing = random.next() % 3 == 0;
      ids.push_back(connect(wire).id);
      clients.find(ids.back())->protocol = random.next() % 2 == 0 ? 2 : 3;
    }
    const uint64_t id = ids[random.next() % ids.size()];
    const std::string other = std::to_string(ids[random.next() % ids.size()]);
    std::string line;
    switch (random.next() % 12) {
      case 0:
        line = word({"SUBSCRIBE ", "PSUBSCRIBE ", "SSUBSCRIBE "}) + channel() + " " + channel();
        break;
      case 1:
        line = word({"UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE c", "RESET"});
        break;
      case 2:
        line = "MULTI\r\nPUBLISH c " + std::string(random.next() % 9'000, 'm') +
               "\r\nSUBSCRIBE d\r\nSET k v\r\nCLIENT KILL ID " + other + "\r\nEXEC";
        break;
      case 3:
        line = "CLIENT KILL ID " + other + " SKIPME " + word({"yes", "no"});
        break;
      case 4:
        line = "CLIENT TRACKING ON " + word({"", "BCAST", "NOLOOP"}) + " REDIRECT " + other;
        break;
      case 5:
        line = word({"CLIENT TRACKING OFF", "CLIENT REPLY OFF", "CLIENT REPLY ON", "HELLO 3"});
        break;
      case 6:
        line = word({"GET k", "SET k v", "FLUSHALL", "DEL k", "SWAPDB 0 1", "BLPOP l 0"});
        break;
      case 7:
        line = "RPUSH l 1\r\nCLIENT UNBLOCK " + other;
        break;
      default:
        line = word({"PUBLISH ", "SPUBLISH "}) + channel() + " " +
               std::string(random.next() % 4'000, 'm');
    }
    Client* const client = clients.find(id);
    receive(*client, line + "\r\n");
    if (random.next() % 40 == 0) turn.ended(*client);
    if (random.next() % 40 == 0) turn.lost(*client);
    if (random.next() % 3 == 0) turn.run();
    clients.now_ms += 20;
    if (random.next() % 20 == 0) clients.tick(clients.now_ms);
    for (Wire& wire : wires) wire.sent.clear();
  }
  turn.run();
  BOOST_TEST(clients.statistics.output_limit_disconnections > 10u);
  set("notify-keyspace-events", "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
