#include "engine/config_file.h"
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {
namespace {

using test::ServerFixture;

// Keeps what it was asked to write; fails on demand.
struct MemoryFile final : engine::ConfigFile {
  std::string name = "/etc/roxdb.conf";
  std::string refuse;
  std::string written;

  std::string path() const override { return name; }
  Status rewrite(const engine::Settings& settings, bool everything, std::string& why) override {
    if (!refuse.empty()) {
      why = refuse;
      return io_error(28, "write");
    }
    written = settings.find("hz")->get() + (everything ? " and all" : "");
    return kOk;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_config, ServerFixture)

BOOST_AUTO_TEST_CASE(protected_settings_follow_enable_protected_configs) {
  std::string value = "before";
  engine.settings.add_string("guarded", &value, engine::Setting::kProtected);
  const std::string refusal =
      "-ERR CONFIG SET failed (possibly related to argument 'guarded') - can't set protected "
      "config";
  BOOST_TEST(run("CONFIG SET guarded x") == refusal);
  BOOST_TEST(run("CONFIG SET enable-protected-configs yes") ==
             "-ERR CONFIG SET failed (possibly related to argument 'enable-protected-configs') - "
             "can't set immutable config");
  configure("enable-protected-configs", "local");
  BOOST_TEST(run("CONFIG SET guarded x") == "+OK");
  BOOST_TEST(value == "x");

  // A client from elsewhere is not local.
  struct Remote final : engine::Session {
    Remote() : Session(Kind::kClient) {}
  } remote;
  const std::string_view args[] = {"CONFIG", "SET", "guarded", "y"};
  engine.execute(remote, args, reply);
  BOOST_TEST(reply.take() == refusal);
  BOOST_TEST(value == "x");
}

BOOST_AUTO_TEST_CASE(set_wants_pairs) {
  check({{"CONFIG SET hz", "-ERR wrong number of arguments for 'config|set' command"},
         {"CONFIG SET hz 20 slowlog-max-len", "-ERR syntax error"},
         {"CONFIG SET hz 20 HZ 30",
          "-ERR CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter"},
         {"CONFIG GET hz", "%{$hz $10}"}});
}

BOOST_AUTO_TEST_CASE(hz_is_brought_into_its_range) {
  check({{"CONFIG SET hz 0", "+OK"},
         {"CONFIG GET hz", "%{$hz $1}"},
         {"CONFIG SET hz 1000", "+OK"},
         {"CONFIG GET hz", "%{$hz $500}"}});
  BOOST_TEST(engine.hz == 500);
}

BOOST_AUTO_TEST_CASE(rewrite_needs_a_file_and_tells_why_it_fails) {
  MemoryFile file;
  file.name = "";
  engine.services.provide<engine::ConfigFile>(&file);
  BOOST_TEST(run("CONFIG REWRITE") == "-ERR The server is running without a config file");
  file.name = "/etc/roxdb.conf";
  file.refuse = "No space left on device";
  BOOST_TEST(run("CONFIG REWRITE") == "-ERR Rewriting config file: No space left on device");
  file.refuse.clear();
  check({{"CONFIG SET hz 33", "+OK"}, {"CONFIG REWRITE", "+OK"}});
  BOOST_TEST(file.written == "33");
}

BOOST_AUTO_TEST_CASE(resetstat_begins_the_counters_again) {
  bool room_was_told = false;
  engine.info.on_reset([&] { room_was_told = true; });
  run("SET k v");
  run("GET k");
  run("GET absent");
  run("INCR k");
  BOOST_TEST(engine.statistics.keyspace_hits >= 1u);
  BOOST_TEST(engine.statistics.error_replies == 1u);
  BOOST_TEST(run("CONFIG RESETSTAT") == "+OK");
  BOOST_TEST(room_was_told);
  BOOST_TEST(engine.statistics.keyspace_hits == 0u);
  BOOST_TEST(engine.statistics.error_replies == 0u);
  BOOST_TEST(engine.statistics.errors.empty());
  BOOST_TEST(engine.commands().find_name("get")->calls == 0u);
  BOOST_TEST(run("GET k") == "$v");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
