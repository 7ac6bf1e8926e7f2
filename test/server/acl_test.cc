#include "server/acl.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

constexpr std::string_view kNoCommand = "-NOPERM User u has no permissions to run the '";
constexpr std::string_view kNoKey = "-NOPERM No permissions to access a key\r\n";
constexpr std::string_view kNoChannel = "-NOPERM No permissions to access a channel\r\n";
constexpr std::string_view kRulesChanged =
    "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
    "call. This command is no longer allowed for the following reason: ";

struct AclFixture : TurnFixture {
  struct Person {
    Wire& wire;
    Client& client;
  };
  Person somebody() {
    Wire& wire = add_wire();
    return {wire, connect(wire)};
  }
  Person somebody(std::string_view user) {
    const Person person = somebody();
    BOOST_REQUIRE(say(person, {"AUTH", user, "x"}) == "+OK\r\n");
    return person;
  }
  // What the person is told.
  std::string say(const Person& person, std::initializer_list<std::string_view> args) {
    person.wire.sent.clear();
    receive(person.client, request(args));
    turn.run();
    return person.wire.sent;
  }
  void user(std::string_view name, std::vector<std::string_view> rules) {
    std::string why;
    rules.insert(rules.begin(), {"on", "nopass"});
    BOOST_REQUIRE_MESSAGE(acl.set_user(name, rules, nullptr, why), why);
  }
  std::string info(std::string_view field) {
    const std::string text = engine.info.text("stats");
    const size_t at = text.find(std::string(field) + ":");
    return text.substr(at, text.find('\r', at) - at);
  }
};

BOOST_FIXTURE_TEST_SUITE(server_acl, AclFixture)

BOOST_AUTO_TEST_CASE(a_user_may_do_what_the_rules_say_and_nothing_else) {
  user("u", {"+@all", "-set", "~a*", "&n*", "-select", "+select|1"});
  const Person person = somebody("u");
  BOOST_TEST(say(person, {"ACL", "WHOAMI"}) == "$1\r\nu\r\n");
  BOOST_TEST(say(person, {"GET", "a"}) == "$-1\r\n");
  BOOST_TEST(say(person, {"GET", "b"}) == kNoKey);
  BOOST_TEST(say(person, {"SET", "a", "1"}) == std::string(kNoCommand) + "set' command\r\n");
  BOOST_TEST(say(person, {"PUBLISH", "n1", "m"}) == ":0\r\n");
  BOOST_TEST(say(person, {"PUBLISH", "m1", "m"}) == kNoChannel);
  BOOST_TEST(say(person, {"SELECT", "0"}) == std::string(kNoCommand) + "select' command\r\n");
  BOOST_TEST(say(person, {"SELECT", "1"}) == "+OK\r\n");
  BOOST_TEST(say(person, {"SORT", "a", "BY", "a*"}) ==
             "-ERR BY option of SORT denied due to insufficient ACL permissions.\r\n");
  user("u", {"db=0"});
  BOOST_TEST(say(person, {"GET", "a"}) == "-NOPERM No permissions to access database\r\n");
}

BOOST_AUTO_TEST_CASE(rights_without_a_pattern_open_no_key) {
  user("u", {"+@all", "%RW"});
  const Person person = somebody("u");
  BOOST_TEST(say(person, {"GET", "a"}) == kNoKey);
  std::string why;
  for (const std::string_view rule : {"%", "%~", "%~a*", "%RR", "%RWx"}) {
    const std::string_view rules[] = {rule};
    BOOST_TEST_CONTEXT(rule) { BOOST_TEST(!acl.set_user("u", rules, nullptr, why)); }
  }
}

BOOST_AUTO_TEST_CASE(channels_behind_a_reset_are_those_of_the_setting_at_that_time) {
  set("acl-pubsub-default", "allchannels");
  user("u", {"+@all"});
  const Person person = somebody("u");
  BOOST_TEST(say(person, {"PUBLISH", "c", "m"}) == ":0\r\n");
  set("acl-pubsub-default", "resetchannels");
  BOOST_TEST(say(person, {"PUBLISH", "c", "m"}) == ":0\r\n");
  user("u", {"reset", "on", "nopass", "+@all"});
  BOOST_TEST(say(person, {"PUBLISH", "c", "m"}) == kNoChannel);
}

BOOST_AUTO_TEST_CASE(the_log_names_the_database_or_the_command_that_means_all) {
  user("u", {"+@all", "~*", "db=0"});
  const Person person = somebody("u");
  constexpr std::string_view kNoDatabase = "-NOPERM No permissions to access database\r\n";
  BOOST_TEST(say(person, {"SELECT", "1"}) == kNoDatabase);
  BOOST_TEST(acl.log.entries().front().object == "1");
  BOOST_TEST(say(person, {"SWAPDB", "0", "2"}) == kNoDatabase);
  BOOST_TEST(acl.log.entries().front().object == "2");
  BOOST_TEST(say(person, {"FLUSHALL"}) == kNoDatabase);
  BOOST_TEST(acl.log.entries().front().object == "flushall");
}

BOOST_AUTO_TEST_CASE(rights_are_gone_at_once_on_open_connections) {
  user("u", {"+@all", "~*"});
  const Person person = somebody("u");
  BOOST_TEST(say(person, {"SET", "k", "1"}) == "+OK\r\n");
  user("u", {"-set", "resetkeys", "~a*"});
  BOOST_TEST(say(person, {"SET", "a", "1"}) == std::string(kNoCommand) + "set' command\r\n");
  BOOST_TEST(say(person, {"GET", "k"}) == kNoKey);
  // Also in the middle of what has already arrived.
  const Person admin = somebody();
  person.wire.sent.clear();
  receive(person.client, request({"GET", "a"}));
  receive(admin.client, request({"ACL", "SETUSER", "u", "-@all"}));
  receive(person.client, request({"GET", "a"}));
  turn.run();
  BOOST_TEST(person.wire.sent == "$-1\r\n" + std::string(kNoCommand) + "get' command\r\n");
}

BOOST_AUTO_TEST_CASE(whose_user_is_deleted_is_disconnected) {
  user("u", {"+@all", "~*"});
  const Person person = somebody("u");
  const Person self = somebody("u");
  BOOST_TEST(say(self, {"ACL", "DELUSER", "u", "nosuch"}) == ":1\r\n");
  BOOST_TEST(!person.wire.is_open);
  BOOST_TEST(!self.wire.is_open);
  const Person other = somebody();
  BOOST_TEST(say(other, {"ACL", "DELUSER", "default"}) ==
             "-ERR The 'default' user cannot be removed\r\n");
}

// Whoever deletes himself in a transaction does not become the default user for the rest of it.
BOOST_AUTO_TEST_CASE(who_has_deleted_himself_is_nobody) {
  user("u", {"+@all", "~*"});
  const Person person = somebody("u");
  say(person, {"MULTI"});
  say(person, {"ACL", "DELUSER", "u"});
  say(person, {"SET", "k", "1"});
  BOOST_TEST(say(person, {"EXEC"}) == "*2\r\n:1\r\n-NOAUTH Authentication required.\r\n");
  BOOST_TEST(!person.wire.is_open);
}

BOOST_AUTO_TEST_CASE(a_user_that_is_off_lets_nobody_in_and_throws_nobody_out) {
  user("u", {"+@all", "~*"});
  const Person person = somebody("u");
  user("u", {"off"});
  BOOST_TEST(say(person, {"PING"}) == "+PONG\r\n");
  BOOST_TEST(say(somebody(), {"AUTH", "u", "x"}).starts_with("-WRONGPASS"));
}

BOOST_AUTO_TEST_CASE(what_is_queued_is_looked_at_when_it_is_queued_and_when_it_runs) {
  user("u", {"+@all", "~a*", "&*"});
  const Person person = somebody("u");
  say(person, {"MULTI"});
  BOOST_TEST(say(person, {"GET", "b"}) == kNoKey);
  BOOST_TEST(say(person, {"EXEC"}).starts_with("-EXECABORT"));

  say(person, {"MULTI"});
  say(person, {"SET", "a", "1"});
  say(person, {"GET", "a"});
  say(person, {"PUBLISH", "c", "m"});
  user("u", {"-set", "resetkeys", "resetchannels"});
  BOOST_TEST(say(person, {"EXEC"}) ==
             "*3\r\n" + std::string(kRulesChanged) +
                 "no permission to execute the command or subcommand\r\n" +
                 std::string(kRulesChanged) + "no permission to touch the specified keys\r\n" +
                 std::string(kRulesChanged) +
                 "no permission to access one of the channels used as arguments\r\n");
  user("u", {"-exec"});
  BOOST_TEST(say(person, {"MULTI"}) == "+OK\r\n");
  BOOST_TEST(say(person, {"EXEC"}).starts_with("-EXECABORT"));
}

BOOST_AUTO_TEST_CASE(the_database_of_what_is_queued_is_known_when_it_runs) {
  user("u", {"+@all", "~*", "db=1"});
  const Person person = somebody("u");
  BOOST_TEST(say(person, {"SET", "k", "1"}) == "-NOPERM No permissions to access database\r\n");
  say(person, {"MULTI"});
  say(person, {"SET", "k", "0"});
  say(person, {"SELECT", "1"});
  say(person, {"SET", "k", "1"});
  BOOST_TEST(say(person, {"EXEC"}) == "*3\r\n" + std::string(kRulesChanged) +
                                          "no permission to access the database\r\n+OK\r\n+OK\r\n");
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_key_is_refused_when_the_right_to_it_is_gone) {
  user("u", {"+@all", "~*"});
  const Person person = somebody("u");
  BOOST_TEST(say(person, {"BLPOP", "l", "0"}) == "");
  user("u", {"resetkeys", "~a*"});
  const Person other = somebody();
  say(other, {"RPUSH", "l", "v"});
  BOOST_TEST(person.wire.sent == kNoKey);
  BOOST_TEST(say(other, {"LLEN", "l"}) == ":1\r\n");
}

BOOST_AUTO_TEST_CASE(who_listens_is_closed_when_the_channel_is_taken_away) {
  user("u", {"+@all", "&news*", "&n?"});
  const Person by_name = somebody("u");
  const Person by_pattern = somebody("u");
  BOOST_TEST(say(by_name, {"SUBSCRIBE", "x"}) == kNoChannel);
  BOOST_TEST(say(by_pattern, {"PSUBSCRIBE", "new*"}) == kNoChannel);
  BOOST_TEST(say(by_name, {"SUBSCRIBE", "news1"}).starts_with("*3"));
  BOOST_TEST(say(by_pattern, {"PSUBSCRIBE", "n?"}).starts_with("*3"));
  user("u", {"resetchannels", "&n*"});  // "news1" is still in it, the pattern "n?" is not
  turn.run();
  BOOST_TEST(by_name.wire.is_open);
  BOOST_TEST(!by_pattern.wire.is_open);
  user("u", {"resetchannels"});
  turn.run();
  BOOST_TEST(!by_name.wire.is_open);
}

BOOST_AUTO_TEST_CASE(who_looks_on_is_closed_when_the_right_to_it_is_taken_away) {
  user("u", {"+@all", "~*"});
  user("v", {"+@all", "~*"});
  const Person limited = somebody("u");
  const Person other = somebody("v");
  BOOST_TEST(say(limited, {"MONITOR"}) == "+OK\r\n");
  BOOST_TEST(say(other, {"MONITOR"}) == "+OK\r\n");
  user("u", {"-get", "resetkeys"});
  turn.run();
  BOOST_TEST(limited.wire.is_open);
  user("u", {"-@admin"});
  turn.run();
  BOOST_TEST(!limited.wire.is_open);
  BOOST_TEST(other.wire.is_open);
  clients.close(other.client);
}

// They stand in CLIENT LIST as they are.
BOOST_AUTO_TEST_CASE(a_name_holds_nothing_that_a_terminal_obeys) {
  std::string why;
  for (const char* const name : {"", "a b", "a\nb", "\x1b[2J", "a\x07", "\x7f"}) {
    BOOST_TEST(!acl.set_user(name, {}, nullptr, why));
  }
  BOOST_TEST(acl.set_user("M\xc3\xbcller", {}, nullptr, why));
}

// What a script calls is asked of whoever runs it.
BOOST_AUTO_TEST_CASE(a_script_has_the_rights_of_whoever_runs_it) {
  user("u", {"+@all", "-set", "~a*"});
  const Person person = somebody("u");
  engine::Session script(engine::Session::Kind::kScript);
  script.principal = &person.client;
  const auto refusal = [&](std::vector<std::string_view> args) {
    const engine::Command* command = engine.commands().find(args);
    Status why;
    static_cast<engine::Gate&>(acl).check(script, *command->spec, args, why);
    return std::string(why.text);
  };
  BOOST_TEST(refusal({"get", "a"}) == "");
  BOOST_TEST(refusal({"get", "b"}) == "ERR ACL failure in script: No permissions to access a key");
  BOOST_TEST(refusal({"set", "a", "1"}) ==
             "ERR ACL failure in script: User u has no permissions to run the 'set' command");
  BOOST_TEST(acl.log.entries().front().object == "set");
  BOOST_TEST((acl.log.entries().front().context == AclLog::Context::kScript));
}

BOOST_AUTO_TEST_CASE(refusals_are_counted_and_the_same_ones_are_one_entry) {
  user("u", {"+@all", "-set", "~a*", "resetchannels"});
  const Person person = somebody("u");
  for (int i = 0; i < 3; ++i) say(person, {"GET", "b"});
  say(person, {"SET", "a", "secret"});
  say(person, {"PUBLISH", "c", "m"});
  say(person, {"MULTI"});
  say(person, {"GET", "b"});
  say(person, {"AUTH", "nosuch", "secret"});
  say(person, {"DISCARD"});
  say(person, {"HELLO", "2", "AUTH", "u2", "secret"});
  const auto& entries = acl.log.entries();
  std::string shown;
  for (const AclLog::Entry& entry : entries) {
    shown += std::string(AclLog::name_of(entry.reason)) + " " +
             std::string(AclLog::name_of(entry.context)) + " " + entry.object + " " + entry.user +
             " " + std::to_string(entry.count) + "\n";
    BOOST_TEST(entry.client.find("secret") == std::string::npos);
  }
  BOOST_TEST(shown ==
             "auth toplevel HELLO u2 1\nkey multi b u 1\nchannel toplevel c u 1\n"
             "command toplevel set u 1\nkey toplevel b u 3\n");
  BOOST_TEST(info("acl_access_denied_auth") == "acl_access_denied_auth:1");
  BOOST_TEST(info("acl_access_denied_cmd") == "acl_access_denied_cmd:1");
  BOOST_TEST(info("acl_access_denied_key") == "acl_access_denied_key:4");
  BOOST_TEST(info("acl_access_denied_channel") == "acl_access_denied_channel:1");

  // A lower limit shows with the next entry.
  const size_t before = entries.size();
  set("acllog-max-len", "2");
  BOOST_TEST(entries.size() == before);
  say(person, {"GET", "never asked for"});
  BOOST_TEST(entries.size() == 2u);
  const Person admin = somebody();
  BOOST_TEST(say(admin, {"ACL", "LOG", "1"}).starts_with("*1\r\n*20\r\n$5\r\ncount\r\n:1\r\n"));
  BOOST_TEST(say(admin, {"ACL", "LOG", "RESET"}) == "+OK\r\n");
  BOOST_TEST(entries.empty());
}

// Nothing is asked while there is nothing that could be refused.
BOOST_AUTO_TEST_CASE(the_gate_is_armed_only_when_somebody_could_be_refused) {
  set("requirepass", "");
  const Person person = somebody();
  say(person, {"AUTH", "nosuch", "x"});
  for (int i = 0; i < 20; ++i) say(person, {"AUTH", "nosuch", "x"});
  BOOST_TEST(say(person, {"AUTH", "default", "x"}) == "+OK\r\n");  // or it would have to wait
  user("u", {});
  BOOST_TEST(say(person, {"AUTH", "default", "x"}) == "");
}

BOOST_AUTO_TEST_CASE(the_default_user_may_be_limited_too) {
  const Person person = somebody();
  std::string why;
  const std::string_view rules[] = {"-@all", "+get", "resetkeys", "~a"};
  BOOST_TEST(acl.set_user("default", rules, nullptr, why));
  BOOST_TEST(say(person, {"GET", "a"}) == "$-1\r\n");
  BOOST_TEST(say(person, {"SET", "a", "1"}) ==
             "-NOPERM User default has no permissions to run the 'set' command\r\n");
  const std::string_view off[] = {"off"};
  BOOST_TEST(acl.set_user("default", off, nullptr, why));
  BOOST_TEST(say(somebody(), {"GET", "a"}) == "-NOAUTH Authentication required.\r\n");
}

BOOST_AUTO_TEST_CASE(attempts_in_a_transaction_do_not_wait_and_are_refused) {
  set("requirepass", "secret");
  const Person person = somebody();
  say(person, {"AUTH", "secret"});
  say(person, {"MULTI"});
  for (int i = 0; i < 12; ++i) BOOST_TEST(say(person, {"AUTH", "guess"}) == "+QUEUED\r\n");
  const std::string replies = say(person, {"EXEC"});
  size_t refused = 0;
  for (size_t at = 0; (at = replies.find("too many wrong passwords", at)) != replies.npos; ++at) {
    ++refused;
  }
  BOOST_TEST(refused == 2u);
}

BOOST_AUTO_TEST_CASE(passwords_are_erased_from_the_memory_they_came_with) {
  const Person person = somebody();
  const std::string bytes = request({"ACL", "SETUSER", "u", ">hidden-word"});
  const std::span<char> space = turn.space_for(person.client);
  std::memcpy(space.data(), bytes.data(), bytes.size());
  turn.received(person.client, bytes.size());
  turn.run();
  BOOST_TEST(std::string_view(space.data(), bytes.size()).find("hidden-word") ==
             std::string_view::npos);
}

// The first part waits with its client, and is copied in front of the second.
BOOST_AUTO_TEST_CASE(passwords_that_come_in_two_parts_are_erased_too) {
  const Person person = somebody();
  const std::string bytes = request({"AUTH", "default", "hidden-word"});
  const size_t cut = bytes.size() - 4;
  const std::span<char> first = turn.space_for(person.client);
  std::memcpy(first.data(), bytes.data(), cut);
  turn.received(person.client, cut);
  turn.run();
  BOOST_TEST(std::string_view(first.data(), cut).find("hidden") == std::string_view::npos);
  const std::span<char> rest = turn.space_for(person.client);
  std::memcpy(rest.data(), bytes.data() + cut, bytes.size() - cut);
  turn.received(person.client, bytes.size() - cut);
  turn.run();
  BOOST_TEST(person.wire.sent == "+OK\r\n");
  BOOST_TEST(std::string_view(rest.data() - cut, bytes.size()).find("hidden") ==
             std::string_view::npos);
}

BOOST_AUTO_TEST_CASE(users_of_the_configuration_are_made_when_it_has_been_read) {
  std::string why;
  const auto load = [&](std::string_view name, std::vector<std::string> words) {
    return engine.settings.load(name, words, why);
  };
  BOOST_TEST(load("user", {"alice", "on", ">p", "(~x", "+get)"}));
  BOOST_TEST(load("user", {"default", "on", "nopass", "+@all", "~*"}));
  BOOST_TEST(!load("user", {"bob", "+nosuch"}));
  BOOST_TEST(why ==
             "Error in applying operation '+nosuch': Unknown command or category name in ACL");
  BOOST_TEST(!load("user", {"alice", "on"}));
  BOOST_TEST(why == "Duplicate user found. A user can only be defined once in config files");
  BOOST_TEST(load("requirepass", {"ignored"}));
  BOOST_TEST(engine.settings.finish_loading(why));
  BOOST_TEST(acl.start(why));
  BOOST_TEST(acl.users().find("alice") != nullptr);
  BOOST_TEST(acl.users().find("bob") == nullptr);
  BOOST_TEST(!acl.authentication().is_required());
  const auto lines = engine::Settings::lines(*engine.settings.find("user"));
  BOOST_TEST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(lines[0] ==
             "user alice on \"#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940\" "
             "resetchannels -@all (~x resetchannels -@all +get)");
}

BOOST_AUTO_TEST_CASE(users_are_defined_in_one_place_only) {
  std::string why;
  const std::vector<std::string> line = {"alice", "on"};
  const std::vector<std::string> file = {"users.acl"};
  BOOST_TEST(engine.settings.load("user", line, why));
  BOOST_TEST(engine.settings.load("aclfile", file, why));
  BOOST_TEST(engine.settings.finish_loading(why));
  BOOST_TEST(!acl.start(why));
  BOOST_TEST(why.find("not both") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_file_is_written_as_a_whole_and_read_as_a_whole) {
  std::string why;
  const std::vector<std::string> file = {"/users.acl"};
  BOOST_TEST(engine.settings.load("aclfile", file, why));
  BOOST_TEST(!acl.start(why));
  BOOST_TEST(why.starts_with("Error loading ACLs, opening file '/users.acl': No such file"));
  user("u", {"+get", "~a*"});
  const Person person = somebody("u");
  const Person admin = somebody();
  BOOST_TEST(say(admin, {"ACL", "SAVE"}) == "+OK\r\n");
  user("u", {"~b*"});
  user("v", {});
  const Person leaving = somebody("v");
  BOOST_TEST(say(admin, {"ACL", "LOAD"}) == "+OK\r\n");
  BOOST_TEST(!leaving.wire.is_open);
  BOOST_TEST(say(person, {"GET", "a"}) == "$-1\r\n");
  BOOST_TEST(say(person, {"GET", "b"}) == kNoKey);
  BOOST_TEST(acl.users().text() ==
             "user default on nopass ~* &* +@all\nuser u on nopass ~a* resetchannels -@all +get\n");
}

BOOST_AUTO_TEST_CASE(client_list_and_client_kill_know_users) {
  user("u", {"+@all", "~*"});
  const Person person = somebody("u");
  const Person admin = somebody();
  BOOST_TEST(say(admin, {"CLIENT", "LIST", "USER", "u"}).find(" user=u ") != std::string::npos);
  BOOST_TEST(say(admin, {"CLIENT", "LIST", "USER", "nosuch"}) == "-ERR No such user 'nosuch'\r\n");
  BOOST_TEST(say(admin, {"CLIENT", "KILL", "USER", "u"}) == ":1\r\n");
  BOOST_TEST(!person.wire.is_open);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::server::test
