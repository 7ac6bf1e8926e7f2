#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "test/commands/command_fixture.h"

namespace {

using namespace roxdb;
using namespace roxdb::commands::test;
using engine::Command;
using engine::Prepared;

constexpr int kSmall = 10;
constexpr int kLong = 100;  // too long for an entry, short enough to stay packed
constexpr int kLarge = 1000;

// Keys of all types and encodings, named after both.
void fill(CommandFixture& fixture) {
  fixture.run("SET string-small x");
  fixture.run_args({"SET", "string-long", std::string(100'000, 'x')});
  fixture.run("RPUSH list-small a b c");
  const auto name = [](std::string_view type, int members) {
    const std::string_view size = members == kSmall  ? "-small"
                                  : members == kLong ? "-long"
                                                     : "-large";
    return std::string(type) + std::string(size);
  };
  for (const int members : {kSmall, kLong, kLarge}) {
    for (int i = 0; i < members; ++i) {
      const std::string number = std::to_string(i);
      const std::string member = "a member with a number of its own: " + number;
      fixture.run_args({"SADD", name("set", members), member});
      fixture.run_args({"SADD", name("numbers", members), number});
      fixture.run_args({"HSET", name("hash", members), member, "v"});
      fixture.run_args({"HSET", name("expiring", members), member, "v"});
      fixture.run_args({"HEXPIRE", name("expiring", members), "1000", "FIELDS", "1", member});
      fixture.run_args({"ZADD", name("zset", members), number, member});
    }
  }
}

const std::vector<std::string> kKeys = {
    "none",           "string-small", "string-long",   "list-small",     "set-small",
    "set-long",       "set-large",    "numbers-small", "numbers-long",   "numbers-large",
    "hash-small",     "hash-long",    "hash-large",    "expiring-small", "expiring-long",
    "expiring-large", "zset-small",   "zset-long",     "zset-large"};

// A request for the members 1, 2, ... of a key, wherever this command expects them.
std::vector<std::string> request_of(const Command& command, const std::string& key) {
  const engine::Members members = command.spec->members;
  std::vector<std::string> args = {std::string(command.spec->name), key};
  const size_t least = std::max(static_cast<size_t>(std::abs(command.arity)),
                                static_cast<size_t>(members.first + 2 * members.step + 1));
  for (size_t at = 2; at < least; ++at) args.push_back(std::to_string(at));
  const int step = std::max<int>(members.step, 1);
  for (auto at = static_cast<size_t>(members.first); at < args.size();
       at += static_cast<size_t>(step)) {
    args[at] = "a member with a number of its own: " + args[at];
    if (members.step == 0) break;
  }
  return args;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(engine_dispatch)

BOOST_AUTO_TEST_CASE(declared_members_stand_behind_the_key_and_cannot_be_left_out) {
  const CommandFixture fixture;
  size_t declared = 0;
  for (const auto& command : fixture.engine.commands().all()) {
    const engine::Members members = command->spec->members;
    if (members.first == 0) continue;
    ++declared;
    BOOST_TEST_CONTEXT(command->full_name) {
      BOOST_TEST(command->first_key == 1);
      BOOST_TEST(members.first > command->first_key);
      // With a step the range may be empty; without one the argument must be there.
      if (members.step == 0) BOOST_TEST(members.first < std::abs(command->arity));
    }
  }
  BOOST_TEST(declared > 20u);
}

// Every command that names members, as a batch over keys of all types and encodings: prepared in
// both steps, it replies and leaves behind what it does one request at a time.
BOOST_AUTO_TEST_CASE(reading_ahead_changes_nothing_but_time) {
  CommandFixture one_by_one;
  CommandFixture batched;
  fill(one_by_one);
  fill(batched);
  std::vector<std::vector<std::string>> requests;
  for (const auto& command : one_by_one.engine.commands().all()) {
    if (command->spec->members.first == 0) continue;
    for (const std::string& key : kKeys) requests.push_back(request_of(*command, key));
  }
  std::vector<std::vector<std::string_view>> views;
  for (const auto& request : requests) views.emplace_back(request.begin(), request.end());

  std::string expected;
  for (const auto& request : views) expected += one_by_one.run_args(request);

  std::vector<std::vector<uint64_t>> hashes;
  std::vector<Prepared> prepared;
  containers::Lookahead ahead;
  for (const auto& request : views) {
    hashes.emplace_back(request.size(), 0);
    prepared.push_back(
        batched.engine.prepare(batched.session, request, hashes.back().data(), &ahead));
    BOOST_TEST(prepared.back().names_members);
  }
  ahead.run();
  const Content before = content_of(batched.engine);
  for (const Prepared& request : prepared) {
    batched.engine.prepare_members(batched.session, request, ahead);
  }
  ahead.run();
  BOOST_TEST((content_of(batched.engine) == before));
  std::string replies;
  for (const Prepared& request : prepared) {
    batched.engine.execute(batched.session, request, batched.reply);
    replies += batched.reply.take();
  }
  BOOST_TEST(replies == expected);
  BOOST_TEST((content_of(batched.engine) == content_of(one_by_one.engine)));
}

BOOST_AUTO_TEST_SUITE_END()
