// What commands count as changes since the last save: as Redis counts them, elements one by one.
#include "test/commands/command_fixture.h"

namespace roxdb::commands {
namespace {

using test::CommandFixture;

BOOST_FIXTURE_TEST_SUITE(commands_changes, CommandFixture)

BOOST_AUTO_TEST_CASE(elements_count_and_the_end_of_their_key_does_not) {
  const std::pair<std::string_view, uint64_t> script[] = {
      {"SET k v", 1},
      {"MSET a 1 b 2", 2},
      {"DEL a b", 2},
      {"RPUSH l a b c d e", 5},
      {"LPOP l 2", 2},
      {"LSET l 0 x", 1},
      {"LREM l 0 x", 1},
      {"LMOVE l m LEFT RIGHT", 1},
      {"LMOVE l m LEFT RIGHT", 1},  // the last one
      {"LTRIM m 1 0", 2},
      {"LPOP none", 0},
      {"SADD s a b c", 3},
      {"SADD s a d", 1},
      {"SREM s a b", 2},
      {"SPOP s 2", 2},
      {"SADD s a b c", 3},
      {"SPOP s 1", 1},
      {"ZADD z 1 a 2 b 3 c", 3},
      {"ZADD z 1 a 3 b", 1},
      {"ZREM z a x", 1},
      {"ZPOPMIN z", 1},
      {"ZREMRANGEBYRANK z 0 -1", 1},
      {"HSET h a 1 b 2 c 3", 3},
      {"HDEL h a b c", 3},
      {"HSETEX h EX 10 FIELDS 1 a 1", 1},
      {"GEOADD g 1 1 a 2 2 b", 2},
  };
  for (const auto& [request, changes] : script) {
    BOOST_TEST_CONTEXT(request) {
      const uint64_t before = engine.dirty;
      run(request);
      BOOST_TEST(engine.dirty - before == changes);
    }
  }
}

// Who has what is logged, but as a change of the data it is one, or none.
BOOST_AUTO_TEST_CASE(deliveries_of_streams_count_little) {
  for (const std::string_view request :
       {"XADD s 1 f v", "XADD s 2 f v", "XADD s 3 f v", "XADD s 4 f v", "XGROUP CREATE s g 0",
        "XGROUP CREATECONSUMER s g c"}) {
    run(request);
  }
  const std::pair<std::string_view, uint64_t> script[] = {
      {"XREADGROUP GROUP g c COUNT 2 STREAMS s >", 1},
      {"XREADGROUP GROUP g c NOACK COUNT 1 STREAMS s >", 1},
      {"XREADGROUP GROUP g c STREAMS s 0", 0},
      {"XREADGROUP GROUP g new STREAMS s 0", 1},  // the consumer
      {"XCLAIM s g new 0 1 2", 2},
      {"XAUTOCLAIM s g c 0 0", 2},
      {"XDEL s 1", 1},
      {"XAUTOCLAIM s g new 0 0", 2},
  };
  for (const auto& [request, changes] : script) {
    BOOST_TEST_CONTEXT(request) {
      const uint64_t before = engine.dirty;
      run(request);
      BOOST_TEST(engine.dirty - before == changes);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::commands
