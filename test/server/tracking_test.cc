// Client-side caching: what is remembered, who is told of changes, and when.
#include "server/tracking.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

struct TrackingFixture : TwoClients {
  TrackingFixture() { client_a.protocol = client_b.protocol = 3; }
  ~TrackingFixture() {
    clients.for_each([this](Client& client) { clients.close(client); });
    BOOST_TEST(!engine.has_listeners());
    BOOST_TEST(info("clients", "tracking_clients") == "0");
    BOOST_TEST(info("stats", "tracking_total_keys") == "0");
    BOOST_TEST(info("stats", "tracking_total_items") == "0");
    BOOST_TEST(info("stats", "tracking_total_prefixes") == "0");
  }

  static std::string changed(const std::string& key) {
    return ">2 $10 invalidate *1 $" + std::to_string(key.size()) + " " + key + " ";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_tracking, TrackingFixture)

BOOST_AUTO_TEST_CASE(a_key_that_was_read_is_told_of_once) {
  a("CLIENT TRACKING ON");
  a("GET k");
  a("MGET k l");
  BOOST_TEST(info("stats", "tracking_total_keys") == "2");
  b("SET k 1");
  BOOST_TEST(taken(wire_a) == changed("k"));
  b("SET k 2");
  BOOST_TEST(taken(wire_a) == "");
  b("SET unread 1");
  BOOST_TEST(taken(wire_a) == "");
  a("SET written 1");
  b("SET written 2");
  BOOST_TEST(taken(wire_a) == "");
}

BOOST_AUTO_TEST_CASE(ones_own_change_is_told_behind_the_reply_unless_noloop) {
  a("CLIENT TRACKING ON");
  a("GET k");
  BOOST_TEST(a("SET k 1") == "+OK " + changed("k"));
  a("GET k");
  a("MULTI");
  a("SET k 2");
  a("GET k");
  BOOST_TEST(a("EXEC") == "*2 +OK $1 2 " + changed("k"));
  b("SET k 3");
  BOOST_TEST(taken(wire_a) == changed("k"));  // read in the transaction, behind the change
  a("CLIENT TRACKING ON NOLOOP");
  a("GET k");
  BOOST_TEST(a("SET k 1") == "+OK ");
}

BOOST_AUTO_TEST_CASE(what_expires_or_is_evicted_or_flushed_is_told) {
  a("CLIENT TRACKING ON");
  b("SET k v PX 10");
  a("GET k");
  environment.advance_ms(1'000);
  engine.tick(1'000'000'000);
  turn.run();
  BOOST_TEST(taken(wire_a) == changed("k"));
  b("SET k v");
  a("GET k");
  const engine::Key key = engine.key("k");
  engine.evict(0, key, *engine.find(0, key));
  turn.mark_changed();
  turn.run();
  BOOST_TEST(taken(wire_a) == changed("k"));
  a("GET k");
  b("FLUSHDB");
  BOOST_TEST(taken(wire_a) == ">2 $10 invalidate _ ");
  BOOST_TEST(info("stats", "tracking_total_keys") == "0");
  b("SET k v");
  a("GET k");
  b("SWAPDB 0 1");
  BOOST_TEST(taken(wire_a) == ">2 $10 invalidate _ ");
  BOOST_TEST(a("FLUSHALL") == "+OK >2 $10 invalidate _ ");
}

BOOST_AUTO_TEST_CASE(optin_remembers_what_was_announced_and_optout_the_rest) {
  a("CLIENT TRACKING ON OPTIN");
  a("GET k");
  b("SET k 1");
  BOOST_TEST(taken(wire_a) == "");
  a("CLIENT CACHING YES");
  a("GET k");
  a("GET l");
  b("MSET k 1 l 1");
  BOOST_TEST(taken(wire_a) == changed("k"));
  a("CLIENT CACHING YES");
  a("MULTI");
  a("GET k");
  a("GET l");
  a("EXEC");
  b("MSET k 1 l 1");
  BOOST_TEST(taken(wire_a) == changed("k") + changed("l"));
  a("CLIENT TRACKING OFF");
  a("CLIENT TRACKING ON OPTOUT");
  a("CLIENT CACHING NO");
  a("GET k");
  a("GET l");
  b("MSET k 1 l 1");
  BOOST_TEST(taken(wire_a) == changed("l"));
}

BOOST_AUTO_TEST_CASE(broadcast_tells_all_changes_of_a_turn_per_prefix) {
  a("CLIENT TRACKING ON BCAST PREFIX p: PREFIX q:");
  BOOST_TEST(info("stats", "tracking_total_prefixes") == "2");
  b("MSET p:b 1 p:a 1 q:a 1 r:a 1 p:b 2");
  BOOST_TEST(taken(wire_a) == ">2 $10 invalidate *2 $3 p:a $3 p:b >2 $10 invalidate *1 $3 q:a ");
  BOOST_TEST(a("SET p:x 1") == "+OK >2 $10 invalidate *1 $3 p:x ");
  a("GET r:a");
  b("SET r:a 2");
  BOOST_TEST(taken(wire_a) == "");
  b("FLUSHALL");
  BOOST_TEST(taken(wire_a) == ">2 $10 invalidate _ ");
}

BOOST_AUTO_TEST_CASE(broadcast_with_noloop_leaves_ones_own_changes_out) {
  a("CLIENT TRACKING ON BCAST NOLOOP");
  b("CLIENT TRACKING ON BCAST");
  receive(client_a, "SET x 1\r\n");
  receive(client_b, "SET y 1\r\n");
  turn.run();
  BOOST_TEST(taken(wire_a) == "+OK >2 $10 invalidate *1 $1 y ");
  BOOST_TEST(taken(wire_b) == "+OK >2 $10 invalidate *2 $1 x $1 y ");
}

BOOST_AUTO_TEST_CASE(prefixes_of_one_client_may_not_overlap) {
  BOOST_TEST(a("CLIENT TRACKING ON BCAST PREFIX ab PREFIX a") ==
             "-ERR Prefix 'ab' overlaps with another provided prefix 'a'. Prefixes for a single "
             "client must not overlap. ");
  a("CLIENT TRACKING ON BCAST PREFIX ab");
  BOOST_TEST(a("CLIENT TRACKING ON BCAST PREFIX abc") ==
             "-ERR Prefix 'abc' overlaps with an existing prefix 'ab'. Prefixes for a single "
             "client must not overlap. ");
  BOOST_TEST(a("CLIENT TRACKING ON BCAST PREFIX x") == "+OK ");
  b("MSET ab 1 x 1");
  BOOST_TEST(taken(wire_a) == ">2 $10 invalidate *1 $2 ab >2 $10 invalidate *1 $1 x ");
}

// All keys, asked for without a prefix, overlap with whatever comes then.
BOOST_AUTO_TEST_CASE(no_prefix_may_be_added_to_all_keys) {
  a("CLIENT TRACKING ON BCAST PREFIX ab");
  BOOST_TEST(a("CLIENT TRACKING ON BCAST") == "+OK ");
  BOOST_TEST(a("CLIENT TRACKING ON BCAST PREFIX x") ==
             "-ERR Prefix 'x' overlaps with an existing prefix ''. Prefixes for a single client "
             "must not overlap. ");
  b("SET abc 1");
  BOOST_TEST(taken(wire_a) == changed("abc") + changed("abc"));
}

// Random prefixes of two letters, each looked for by hand in those that are there.
BOOST_AUTO_TEST_CASE(overlaps_and_changed_prefixes_are_found_among_many) {
  Random random(20261121);
  const auto word = [&random] {
    std::string text;
    for (uint64_t i = random.below(7) + 1; i > 0; --i) text += random.below(2) == 0 ? 'a' : 'b';
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> mine;
    for (int i = 0; i < 12; ++i) {
      const std::string prefix = word();
      const bool overlaps = std::any_of(mine.begin(), mine.end(), [&](const std::string& one) {
        return one.starts_with(prefix) || prefix.starts_with(one);
      });
      const std::string told = a("CLIENT TRACKING ON BCAST PREFIX " + prefix);
      BOOST_TEST_CONTEXT("round " << round << ", prefix " << prefix) {
        BOOST_TEST(
            told.starts_with(overlaps ? "-ERR Prefix '" + prefix + "' overlaps with an" : "+OK"));
      }
      if (!overlaps) mine.push_back(prefix);
      b("CLIENT TRACKING ON BCAST PREFIX " + word());  // others may overlap with it
      taken(wire_a);
    }
    const std::string key = word() + word();
    const bool is_told = std::any_of(mine.begin(), mine.end(),
                                     [&](const std::string& one) { return key.starts_with(one); });
    b("SET " + key + " 1");
    BOOST_TEST_CONTEXT("round " << round << ", key " << key) {
      BOOST_TEST(taken(wire_a) == (is_told ? changed(key) : ""));
    }
    a("CLIENT TRACKING OFF");
    b("CLIENT TRACKING OFF");
  }
}

// Wherever they stand among those that are to be told.
BOOST_AUTO_TEST_CASE(prefixes_may_go_in_the_turn_in_which_their_keys_change) {
  Wire& wire_c = add_wire();
  Client& client_c = connect(wire_c, "127.0.0.1:40003");
  std::vector<std::string> keys = {"k0", "k1", "k2", "k3", "k4", "k5"};
  for (size_t round = 0; round < keys.size(); ++round) {
    a("CLIENT TRACKING ON BCAST PREFIX k0 PREFIX k1 PREFIX k2 PREFIX k3");
    b("CLIENT TRACKING ON BCAST PREFIX k2 PREFIX k3 PREFIX k4 PREFIX k5");
    std::string line = "MSET";
    for (const std::string& key : keys) line += " " + key + " 1";
    receive(client_c, line + "\r\n");
    receive(client_a, "CLIENT TRACKING OFF\r\n");
    turn.run();
    BOOST_TEST(taken(wire_a) == "+OK ");
    BOOST_TEST(taken(wire_b) == changed("k2") + changed("k3") + changed("k4") + changed("k5"));
    b("CLIENT TRACKING OFF");
    std::rotate(keys.begin(), keys.begin() + 1, keys.end());
  }
}

BOOST_AUTO_TEST_CASE(another_connection_can_be_told_instead) {
  client_b.protocol = 2;
  const std::string id_b = std::to_string(client_b.id);
  a("CLIENT TRACKING ON REDIRECT " + id_b);
  BOOST_TEST(a("CLIENT GETREDIR") == ":" + id_b + " ");
  a("GET k");
  BOOST_TEST(a("SET k 1") == "+OK ");
  BOOST_TEST(taken(wire_b) == "");  // it does not expect messages
  b("SUBSCRIBE __redis__:invalidate");
  a("GET k");
  BOOST_TEST(a("SET k 1") == "+OK ");
  BOOST_TEST(taken(wire_b) == "*3 $7 message $20 __redis__:invalidate *1 $1 k ");
  a("FLUSHALL");
  BOOST_TEST(taken(wire_b) == "*3 $7 message $20 __redis__:invalidate $-1 ");
  a("GET k");
  clients.close(client_b);
  turn.run();
  BOOST_TEST(a("SET k 1") == "+OK >2 $21 tracking-redir-broken :" + id_b + " ");
  BOOST_TEST(client_a.flag_letters() == "tR");
  BOOST_TEST(a("CLIENT TRACKINGINFO").find("$15 broken_redirect ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(client_list_tells_who_tracks) {
  BOOST_TEST(client_a.describe(0).find(" redir=-1 ") != std::string::npos);
  a("CLIENT TRACKING ON BCAST");
  BOOST_TEST(client_a.flag_letters() == "tB");
  BOOST_TEST(client_a.describe(0).find(" redir=0 ") != std::string::npos);
  BOOST_TEST(info("clients", "tracking_clients") == "1");
  a("RESET");
  BOOST_TEST(client_a.flag_letters() == "N");
}

BOOST_AUTO_TEST_CASE(the_table_stays_within_its_limit) {
  set("tracking-table-max-keys", "100");
  a("CLIENT TRACKING ON");
  size_t told = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::string sent = a("GET key:" + std::to_string(i));
    if (sent.find("invalidate") != std::string::npos) ++told;
  }
  BOOST_TEST(told == 900u);
  BOOST_TEST(info("stats", "tracking_total_keys") == "100");
  BOOST_TEST(info("stats", "tracking_total_items") == "100");
}

// Readers of one key that come and go leave no more behind than readers that stay.
BOOST_AUTO_TEST_CASE(clients_that_have_gone_do_not_fill_the_table) {
  a("CLIENT TRACKING ON");
  for (int i = 0; i < 1'000; ++i) {
    Wire& wire = add_wire();
    Client& client = connect(wire);
    receive(client, "CLIENT TRACKING ON\r\nGET k\r\n");
    turn.run();
    clients.close(client);
    turn.run();
  }
  BOOST_TEST(std::stoul(info("stats", "tracking_total_items")) < 10u);
}

BOOST_AUTO_TEST_CASE(a_listener_may_die_in_the_turn_it_is_told_something) {
  a("CLIENT TRACKING ON");
  a("GET k");
  receive(client_b, "SET k 1\r\nCLIENT KILL ID " + std::to_string(client_a.id) + "\r\nSET k 2\r\n");
  turn.run();
  BOOST_TEST(taken(wire_b) == "+OK :1 +OK ");
  BOOST_TEST(!wire_a.is_open);
}

BOOST_AUTO_TEST_CASE(blocked_readers_remember_what_they_got) {
  a("CLIENT TRACKING ON");
  receive(client_a, "XREAD BLOCK 0 STREAMS s $\r\n");
  turn.run();
  b("XADD s 1-1 f v");
  taken(wire_a);
  b("XADD s 2-1 f v");
  BOOST_TEST(taken(wire_a) == changed("s"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
