// Replies that would be too large: refused before anything of them, or of what the command does, is
// there.
#include "commands/shared/reply_measure.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

namespace roxdb::commands::test {
namespace {

constexpr uint64_t kBytesMax = 1500;

struct ReplyMeasureFixture : CommandFixture {
  ReplyMeasureFixture() {
    const std::string text(250, 'x');
    for (int i = 0; i < 100; ++i) {
      const std::string number = std::to_string(i);
      run("RPUSH list element-" + number);
      run("RPUSH numbers 7");
      run("SADD set member-" + number);
      run("ZADD zset " + number + " member-" + number);
      run("GEOADD places 13.3 38.1 place-" + number);
      run("HSET hash field-" + number + " value");
      run("XADD stream " + std::to_string(i + 1) + " field value");
    }
    run("HSET few f " + text + " g 1");
    run("SET text7 " + text);
    run("SET " + std::string(kBytesMax, 'k') + " v");
    run("XADD short 1 f " + text);
    for (const std::string key : {"stream", "short"}) {
      run("XGROUP CREATE " + key + " g 0");
      run("XREADGROUP GROUP g c STREAMS " + key + " >");
      run("XGROUP CREATE " + key + " fresh 0");
    }
    engine.reply_bytes_max = kBytesMax;
  }
};

std::string times(int count, const std::string& words) {
  std::string all;
  for (int i = 0; i < count; ++i) all += " " + words;
  return all;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_reply_measure, ReplyMeasureFixture)

BOOST_AUTO_TEST_CASE(nothing_is_done_for_a_reply_that_would_be_too_large) {
  const auto content = content_of(engine);
  recorder.log.clear();
  for (const std::string& line :
       {std::string("KEYS k*"),
        "MGET" + times(9, "text7"),
        std::string("LRANGE list 0 -1"),
        std::string("LPOP list 100"),
        std::string("RPOP list 200"),
        std::string("LMPOP 1 list LEFT COUNT 100"),
        std::string("BLMPOP 0 1 list RIGHT COUNT 100"),
        std::string("LMOVEM list other LEFT RIGHT COUNT 100 OBO"),
        std::string("LPOS numbers 7 COUNT 0 RANK -1"),
        std::string("SMEMBERS set"),
        std::string("SUNION set none"),
        std::string("SINTER set set"),
        std::string("SDIFF set none"),
        std::string("SPOP set 99"),
        std::string("SPOP set 100"),
        std::string("SRANDMEMBER set 100"),
        std::string("SRANDMEMBER set -100"),
        std::string("HGETALL hash"),
        std::string("HKEYS hash"),
        std::string("HVALS hash"),
        std::string("HRANDFIELD hash -100"),
        "HMGET few" + times(9, "f"),
        "HGETEX few EX 100 FIELDS 9" + times(9, "f"),
        "HGETDEL few FIELDS 9" + times(9, "f"),
        std::string("ZRANGE zset 0 -1"),
        std::string("ZRANGE zset -inf +inf BYSCORE WITHSCORES LIMIT 0 80"),
        std::string("ZREVRANGE zset 0 -1"),
        std::string("ZRANGEBYLEX zset - +"),
        std::string("ZUNION 2 zset set"),
        std::string("ZINTER 2 zset set WITHSCORES"),
        std::string("ZDIFF 2 zset none"),
        std::string("ZRANDMEMBER zset -100"),
        std::string("ZRANDMEMBER zset 100 WITHSCORES"),
        std::string("ZPOPMIN zset 100"),
        std::string("ZPOPMAX zset 99"),
        std::string("ZMPOP 1 zset MIN COUNT 100"),
        std::string("BZMPOP 0 1 zset MAX COUNT 100"),
        std::string("GEOSEARCH places FROMLONLAT 13.3 38.1 BYRADIUS 1 km WITHCOORD WITHDIST"),
        std::string("GEORADIUS places 13.3 38.1 1 km"),
        std::string("XRANGE stream - +"),
        std::string("XREVRANGE stream + - COUNT 90"),
        "XREAD STREAMS" + times(9, "short") + times(9, "0"),
        "XREAD BLOCK 0 COUNT 1 STREAMS" + times(9, "short") + times(9, "0"),
        "XREADGROUP GROUP g c STREAMS" + times(9, "short") + times(9, "0"),
        std::string("XREADGROUP GROUP fresh d STREAMS stream >"),
        std::string("XREADGROUP GROUP g d CLAIM 0 STREAMS stream >"),
        "XCLAIM short g d 0" + times(9, "1"),
        std::string("XAUTOCLAIM stream g d 0 0"),
        std::string("XPENDING stream g - + 100"),
        std::string("XINFO STREAM stream FULL COUNT 0"),
        std::string("SORT list ALPHA"),
        std::string("SORT_RO numbers DESC"),
        "SORT numbers BY nosort LIMIT 0 1" + times(9, "GET text*")}) {
    BOOST_TEST_CONTEXT(line) { BOOST_TEST(run(line) == "-ERR reply too large"); }
  }
  BOOST_TEST((content_of(engine) == content));
  BOOST_TEST(recorder.log.empty());
}

// However large the value is from which it is taken.
BOOST_AUTO_TEST_CASE(what_is_small_enough_is_given) {
  for (const std::string& line :
       {std::string("LRANGE list 10 40"), std::string("LPOS list element-90 COUNT 0"),
        std::string("LPOP list 40"), std::string("SPOP set 10"), std::string("SRANDMEMBER set -10"),
        "HMGET few" + times(80, "g"), "HGETEX few EX 100 FIELDS 5" + times(5, "f"),
        std::string("ZRANGE zset 10 40"),
        std::string("ZREVRANGEBYSCORE zset +inf -inf LIMIT 40 20"), std::string("ZPOPMIN zset 20"),
        std::string("GEOSEARCH places FROMLONLAT 13.3 38.1 BYRADIUS 1 km COUNT 20"),
        std::string("XRANGE stream - + COUNT 10"),
        std::string("XREAD COUNT 5 STREAMS stream short 0 0"),
        "XCLAIM short g d 0 JUSTID" + times(90, "1"), std::string("XPENDING stream g - + 10"),
        std::string("SORT numbers BY nosort LIMIT 0 40")}) {
    BOOST_TEST_CONTEXT(line) { BOOST_TEST(run(line).find("too large") == std::string::npos); }
  }
}

// What was done once is done again, whatever may be sent now.
BOOST_AUTO_TEST_CASE(a_replay_is_not_refused_its_pops) {
  engine::Session replay(engine::Session::Kind::kReplay);
  const std::vector<std::string_view> pops[] = {{"LPOP", "list", "100"},
                                                {"ZPOPMIN", "zset", "100"}};
  for (const auto& pop : pops) {
    engine.execute(replay, pop, reply);
    reply.take();
  }
  BOOST_TEST(run("EXISTS list zset") == ":0");
}

BOOST_AUTO_TEST_CASE(a_bound_beyond_all_numbers_is_no_small_one) {
  BOOST_TEST(reply_bytes_of(0, 7) == 7u);
  BOOST_TEST(reply_bytes_of(2, 0) == 2 * kPartBytesMax);
  BOOST_TEST(reply_bytes_of(UINT64_MAX / 2, 0) == UINT64_MAX);
  BOOST_TEST(reply_bytes_of(1, UINT64_MAX) == UINT64_MAX);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands::test
