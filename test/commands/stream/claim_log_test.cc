#include "commands/stream/claim_log.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "test/commands/command_fixture.h"
#include "types/stream_value.h"

using namespace roxdb;
using namespace roxdb::commands::test;

namespace {

// What an idle question leaves behind is not logged: when a consumer was last seen.
void forget_seen_times(engine::Engine& engine) {
  engine.keyspace(0).table().for_each([](const engine::Entry* entry) {
    for (types::Group* group : entry->pointer<types::Stream>()->groups()) {
      for (types::Consumer* consumer : group->consumers()) consumer->seen_at_ms = 0;
    }
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_stream_claim_log)

// A second engine is told, unit by unit and at their times, what the first one logs.
BOOST_AUTO_TEST_CASE(replaying_the_log_gives_the_same_streams) {
  const char* const kWords[] = {"XADD s * f {}",
                                "XADD s * f {} g {}",
                                "XADD s MAXLEN ~ 1{} * f {}",
                                "XADD s MAXLEN {} DELREF * h {}",
                                "XTRIM s MAXLEN ~ 1{} ACKED",
                                "XTRIM s MAXLEN 1{} KEEPREF",
                                "XTRIM s MINID ~ {n}",
                                "XDEL s {n} {n}",
                                "XDELEX s DELREF IDS 1 {n}",
                                "XACKDEL s g{} ACKED IDS 2 {n} {n}",
                                "XGROUP CREATE s g{} 0",
                                "XGROUP CREATE s g{} $ MKSTREAM",
                                "XGROUP SETID s g{} {n}",
                                "XGROUP DELCONSUMER s g{} c{}",
                                "XGROUP DESTROY s g{}",
                                "XREADGROUP GROUP g{} c{} COUNT {} STREAMS s >",
                                "XREADGROUP GROUP g{} c{} STREAMS s >",
                                "XREADGROUP GROUP g{} c{} STREAMS s {n}",
                                "XREADGROUP GROUP g{} c{} NOACK COUNT 1 STREAMS s >",
                                "XREADGROUP GROUP g{} c{} CLAIM {} COUNT 3 STREAMS s >",
                                "XACK s g{} {n} {n}",
                                "XNACK s g{} FAIL IDS 2 {n} {n} FORCE",
                                "XCLAIM s g{} c{} {} {n} {n}",
                                "XCLAIM s g{} c{} 0 {n} FORCE LASTID {n}",
                                "XCLAIM s g{} c{} 0 {n} IDLE {}",
                                "XAUTOCLAIM s g{} c{} {} {n} COUNT 2",
                                "XSETID s 1700000009000-0",
                                "DEL s"};
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      CommandFixture fixture;
      CrashingEnvironment environment(1);
      engine::Engine twin({.environment = &environment, .hash_seed = 2});
      engine::Session session(engine::Session::Kind::kReplay);
      ReplyText answer;
      fixture.engine.limits.stream_block_entries = twin.limits.stream_block_entries = 4;
      for (int step = 0; step < 2000; ++step) {
        const size_t which = random.below(std::size(kWords) - (step % 100 == 0 ? 0 : 2));
        std::string request = random.below(3) == 0 ? kWords[0] : kWords[which];
        for (size_t at; (at = request.find("{n}")) != std::string::npos;) {
          const auto back = static_cast<int64_t>(random.below(60));
          request.replace(at, 3, std::to_string(fixture.engine.now_ms() - back) + "-0");
        }
        for (size_t at; (at = request.find("{}")) != std::string::npos;) {
          request.replace(at, 2, std::to_string(random.below(3)));
        }
        fixture.run(request);
        twin.set_clock(fixture.engine.now_ms());
        for (const Recorder::Logged& logged : fixture.recorder.log) {
          const std::vector<std::string_view> args(logged.args.begin(), logged.args.end());
          twin.execute(session, args, answer);
          const std::string text = answer.take();
          BOOST_TEST(text[0] != '-', logged.args[0] << " does not replay: " << text);
        }
        fixture.recorder.log.clear();
        if (random.below(2) == 0) fixture.advance_ms(random.below(4));
        if (step % 50 != 49) continue;
        forget_seen_times(fixture.engine);
        forget_seen_times(twin);
        BOOST_REQUIRE((content_of(fixture.engine) == content_of(twin)));
      }
    }
  }
}

// What a request moves may be much; what is logged of it comes in commands of a bounded length.
BOOST_AUTO_TEST_CASE(a_huge_delivery_is_logged_in_pieces) {
  CommandFixture fixture;
  for (int i = 1; i <= 2500; ++i) fixture.run("XADD s " + std::to_string(i) + " f v");
  fixture.run("XGROUP CREATE s g 0");
  fixture.recorder.log.clear();
  fixture.run("XREADGROUP GROUP g c STREAMS s >");
  std::vector<size_t> sizes;
  for (const Recorder::Logged& logged : fixture.recorder.log) {
    if (logged.args[0] == "XCLAIM") sizes.push_back(logged.args.size() - 11);
  }
  const std::vector<size_t> expected = {1000, 1000, 500};
  BOOST_TEST(sizes == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
