#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "server/acl/user.h"
#include "server/acl/users.h"

namespace roxdb::server {
namespace {

struct Fixture {
  engine::Engine engine{{.environment = nullptr,
                         .executor = nullptr,
                         .log = nullptr,
                         .databases = 16,
                         .hash_seed = 1,
                         .families = {}}};
  Vocabulary vocabulary{engine.commands()};
  User user{"u", vocabulary, false};

  // The text of the error, or what the user is then.
  std::string after(std::initializer_list<std::string_view> words) {
    std::vector<std::string> rules;
    std::string_view opened;
    if (!join_selectors(words, rules, opened)) return "unmatched " + std::string(opened);
    for (const std::string& rule : rules) {
      if (const Status status = user.apply(rule); !status.ok()) return std::string(status.text);
    }
    return user.text();
  }
  // "command", "key k", "" and so on.
  std::string denied(std::vector<std::string_view> args, int db = 0) {
    const engine::Command* command = engine.commands().find(args);
    BOOST_TEST_REQUIRE(command != nullptr);
    AclRequest::Room room;
    AclRequest request(*command, args, db, room);
    const Decision decision = user.check(request);
    switch (decision.denied) {
      case Denied::kNothing:
        return "";
      case Denied::kDatabase:
        return "database " + std::to_string(decision.db);
      case Denied::kCommand:
        return "command";
      case Denied::kKey:
        return "key " + std::string(args[decision.arg]);
      case Denied::kChannel:
        return "channel " + std::string(args[decision.arg]);
    }
    return "";
  }
};

constexpr std::string_view kSyntax = "Syntax error";
constexpr std::string_view kUnknown = "Unknown command or category name in ACL";
const std::string kHash =
    "#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940";  // of "p"

const std::string kNotHash = "!" + kHash.substr(1);

BOOST_AUTO_TEST_SUITE(server_acl_rules)

// Rules as they are said, and the user they make; the texts are redis-server's.
BOOST_AUTO_TEST_CASE(rules_make_the_user_that_they_say) {
  struct Row {
    std::initializer_list<std::string_view> rules;
    std::string user;
  };
  const Row rows[] = {
      {{}, "off resetchannels -@all"},
      {{"on", "nopass", "allkeys", "allchannels", "allcommands"}, "on nopass ~* &* +@all"},
      {{"ON", "NoPass", "AllKeys"}, "on nopass ~* resetchannels -@all"},
      {{"on", ">p"}, "on " + kHash + " resetchannels -@all"},
      {{"nopass", ">p"}, "off " + kHash + " resetchannels -@all"},
      {{">p", "nopass"}, "off nopass resetchannels -@all"},
      {{">p", ">p", "<p"}, "off resetchannels -@all"},
      {{kHash, kNotHash}, "off resetchannels -@all"},
      {{">p", "resetpass"}, "off resetchannels -@all"},
      {{"sanitize-payload"}, "off sanitize-payload resetchannels -@all"},
      {{"skip-sanitize-payload"}, "off skip-sanitize-payload resetchannels -@all"},
      {{"~a", "%R~b", "%W~c", "%RW~d", "%wR~e"}, "off ~a %R~b %W~c ~d ~e resetchannels -@all"},
      {{"%R~a", "%W~a"}, "off ~a resetchannels -@all"},
      {{"~a", "~a"}, "off ~a resetchannels -@all"},
      {{"allkeys", "resetkeys", "~a"}, "off ~a resetchannels -@all"},
      {{"~", "&"}, "off ~ resetchannels & -@all"},
      {{"&a", "&b", "&a"}, "off resetchannels &a &b -@all"},
      {{"+get", "+SET", "+config|GET"}, "off resetchannels -@all +get +set +config|get"},
      {{"+@all", "-@dangerous", "+config"}, "off resetchannels +@all -@dangerous +config"},
      {{"+@all", "-config", "+config|get"}, "off resetchannels +@all -config +config|get"},
      {{"+config|get", "-config"}, "off resetchannels -@all -config"},
      {{"+get", "-@read", "+get"}, "off resetchannels -@all -@read +get"},
      {{"+get", "+@all"}, "off resetchannels +@all"},
      {{"+@all", "nocommands"}, "off resetchannels -@all"},
      {{"+select|0", "+select|1"}, "off resetchannels -@all +select|0 +select|1"},
      {{"+select|0", "-select"}, "off resetchannels -@all -select"},
      {{"+@all", "-MIGRATE", "-cluster|failover"},
       "off resetchannels +@all -migrate -cluster|failover"},
      {{"db=0,3,0"}, "off resetchannels db=0,3 -@all"},
      {{"db=1", "db=2"}, "off resetchannels db=2 -@all"},
      {{"db=1", "alldbs"}, "off resetchannels -@all"},
      {{"resetdbs"}, "off resetchannels resetdbs -@all"},
      {{"(~a", "+get)", "(%R~b +@read)"},
       "off resetchannels -@all (~a resetchannels -@all +get) (%R~b resetchannels -@all +@read)"},
      {{"()"}, "off resetchannels -@all (resetchannels -@all)"},
      {{"(+get)", "clearselectors"}, "off resetchannels -@all"},
      {{"on", "nopass", "+get", "~a", "&c", "db=1", "(+set)", "reset"},
       "off sanitize-payload resetchannels -@all"},
  };
  for (const Row& row : rows) {
    Fixture fixture;
    BOOST_TEST(fixture.after(row.rules) == row.user);
  }
}

// Each row is known to have broken some server.
BOOST_AUTO_TEST_CASE(wrong_rules_are_refused_and_change_nothing) {
  struct Row {
    std::string rule;
    std::string_view why;
  };
  const Row rows[] = {
      {"", kSyntax},
      {"foo", kSyntax},
      {"%", kSyntax},
      {"%~", kSyntax},
      {"%~a", kSyntax},
      {"%RWR~x", kSyntax},
      {"%RX~x", kSyntax},
      {"~a b", kSyntax},
      {"~a\nb", kSyntax},
      {std::string("~a\0b", 4), kSyntax},
      {"&a\tb", kSyntax},
      {"~" + std::string(70'000, 'a'), kSyntax},
      {"(", kSyntax},
      {"((+get))", kSyntax},
      {"(on)", kSyntax},
      {"(>p)", kSyntax},
      {"(reset)", kSyntax},
      {"(~x) +get)", kSyntax},
      {"(+get +nosuch)", kUnknown},
      {"+", kUnknown},
      {"-", kUnknown},
      {"+@", kUnknown},
      {"+nosuch", kUnknown},
      {"+@nosuch", kUnknown},
      {"+config|nosuch", kUnknown},
      {"-select|0", kUnknown},
      {"+get|a|b", kUnknown},
      {"+select|", kSyntax},
      {"+select|a b", kSyntax},
      {"+config|get|x", "Allowing first-arg of a subcommand is not supported"},
      {"db=", kSyntax},
      {"db=1,", kSyntax},
      {"db=a", kSyntax},
      {"db=2147483648", "The provided database ID is out of range"},
      {"db=-1", "The provided database ID is out of range"},
      {"<p", "The password you are trying to remove from the user does not exist"},
      {"#aa",
       "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
       "characters"},
      {"!" + std::string(64, 'A'),
       "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
       "characters"},
  };
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT("rule " << row.rule.substr(0, 100)) {
      Fixture fixture;
      const Status status = fixture.user.apply(row.rule);
      BOOST_TEST(!status.ok());
      BOOST_TEST(status.text == row.why);
      BOOST_TEST(fixture.user.text() == "off resetchannels -@all");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_pattern_behind_all_is_refused) {
  Fixture fixture;
  BOOST_TEST(fixture.after({"~*", "~a"})
                 .starts_with("Adding a pattern after the * pattern (or the "
                              "'allkeys' flag) is not valid"));
  BOOST_TEST(fixture.after({"&*", "&a"})
                 .starts_with("Adding a pattern after the * pattern (or the "
                              "'allchannels' flag) is not valid"));
}

BOOST_AUTO_TEST_CASE(a_selector_that_nothing_closes_is_refused_whatever_it_costs_to_see) {
  Fixture fixture;
  BOOST_TEST(fixture.after({"("}) == "unmatched (");
  BOOST_TEST(fixture.after({"on", "(~a", "+get"}) == "unmatched (~a");
  const std::vector<std::string_view> many(50'000, "(");
  std::vector<std::string> rules;
  std::string_view opened;
  BOOST_TEST(!join_selectors(many, rules, opened));
  BOOST_TEST(rules.size() == 1u);
  BOOST_TEST(!fixture.user.apply(std::string(50'000, '(')).ok());
  BOOST_TEST(!fixture.user.apply(std::string(50'000, '(') + ")").ok());
}

BOOST_AUTO_TEST_CASE(commands_are_allowed_as_the_last_rule_on_them_says) {
  Fixture fixture;
  fixture.after({"~*", "&*", "+@all", "-@write", "+lpush", "-get"});
  BOOST_TEST(fixture.denied({"set", "k", "v"}) == "command");
  BOOST_TEST(fixture.denied({"lpush", "k", "v"}) == "");
  BOOST_TEST(fixture.denied({"get", "k"}) == "command");
  BOOST_TEST(fixture.denied({"strlen", "k"}) == "");
  BOOST_TEST(fixture.denied({"auth", "p"}) == "");
  fixture.after({"-@all"});
  BOOST_TEST(fixture.denied({"ping"}) == "command");
  BOOST_TEST(fixture.denied({"auth", "p"}) == "");
}

BOOST_AUTO_TEST_CASE(a_container_takes_its_subcommands_along) {
  Fixture fixture;
  fixture.after({"+config", "-config|set"});
  BOOST_TEST(fixture.denied({"config", "get", "x"}) == "");
  BOOST_TEST(fixture.denied({"config", "set", "x", "y"}) == "command");
  fixture.after({"-@all", "+@slow"});  // CONFIG is in it, so CONFIG SET comes with it
  BOOST_TEST(fixture.denied({"config", "set", "x", "y"}) == "");
  fixture.after({"-@admin"});
  BOOST_TEST(fixture.denied({"config", "set", "x", "y"}) == "command");
}

BOOST_AUTO_TEST_CASE(a_command_may_be_allowed_with_one_first_argument) {
  Fixture fixture;
  fixture.after({"+select|0", "+debug|sleep"});
  BOOST_TEST(fixture.denied({"select", "0"}) == "");
  BOOST_TEST(fixture.denied({"select", "1"}) == "command");
  BOOST_TEST(fixture.denied({"debug", "SLEEP", "0"}) == "");
  BOOST_TEST(fixture.denied({"debug", "reload"}) == "command");
  fixture.after({"-@connection"});
  BOOST_TEST(fixture.denied({"select", "0"}) == "command");
}

// What a command does to a key, and the rights that it takes.
BOOST_AUTO_TEST_CASE(keys_are_read_and_written_with_a_right_each) {
  Fixture fixture;
  fixture.after({"+@all", "%R~r*", "%W~w*", "~b*"});
  BOOST_TEST(fixture.denied({"get", "r"}) == "");
  BOOST_TEST(fixture.denied({"get", "w"}) == "key w");
  BOOST_TEST(fixture.denied({"get", "x"}) == "key x");
  BOOST_TEST(fixture.denied({"set", "w", "v"}) == "");
  BOOST_TEST(fixture.denied({"set", "w", "v", "GET"}) == "key w");
  BOOST_TEST(fixture.denied({"set", "r", "v"}) == "key r");
  BOOST_TEST(fixture.denied({"set", "b", "v", "GET"}) == "");
  BOOST_TEST(fixture.denied({"lpush", "w", "v"}) == "");
  BOOST_TEST(fixture.denied({"lpop", "w"}) == "key w");
  BOOST_TEST(fixture.denied({"lmove", "b", "w", "LEFT", "LEFT"}) == "");
  BOOST_TEST(fixture.denied({"lmove", "w", "b", "LEFT", "LEFT"}) == "key w");
  BOOST_TEST(fixture.denied({"expire", "r", "1"}) == "key r");
  BOOST_TEST(fixture.denied({"persist", "r"}) == "key r");
  BOOST_TEST(fixture.denied({"getex", "r", "PERSIST"}) == "key r");
  BOOST_TEST(fixture.denied({"hgetex", "r", "FIELDS", "1", "f"}) == "key r");
  BOOST_TEST(fixture.denied({"strlen", "w"}) == "");
  BOOST_TEST(fixture.denied({"exists", "r", "w", "b", "x"}) == "key x");
  BOOST_TEST(fixture.denied({"copy", "r", "w"}) == "");
  BOOST_TEST(fixture.denied({"copy", "w", "r"}) == "key w");
  BOOST_TEST(fixture.denied({"rename", "r", "w"}) == "key r");
  BOOST_TEST(fixture.denied({"bitfield", "r", "GET", "u8", "0"}) == "");
  BOOST_TEST(fixture.denied({"bitfield", "r", "GET", "u8", "0", "SET", "u8", "0", "1"}) == "key r");
  BOOST_TEST(fixture.denied({"mset", "w1", "v", "r", "v"}) == "key r");
  BOOST_TEST(fixture.denied({"pfcount", "r"}) == "key r");  // it may keep the count
}

BOOST_AUTO_TEST_CASE(every_store_of_a_request_is_a_write) {
  Fixture fixture;
  fixture.after({"+@all", "~a*"});
  BOOST_TEST(fixture.denied({"sort", "a", "STORE", "b"}) == "key b");
  BOOST_TEST(fixture.denied({"sort", "a", "STORE", "b", "STORE", "a"}) == "");
  BOOST_TEST(fixture.denied({"sort", "a", "STORE", "a", "STORE", "b"}) == "key b");
  BOOST_TEST(fixture.denied({"georadius", "a", "1", "1", "1", "m", "STORE", "a", "STORE", "b"}) ==
             "key b");
  BOOST_TEST(fixture.denied({"georadius", "a", "1", "1", "1", "m", "STORE", "b", "STORE", "a"}) ==
             "key b");
  BOOST_TEST(fixture.denied({"georadiusbymember", "a", "STORE", "1", "m", "STOREDIST", "b"}) ==
             "key b");
}

BOOST_AUTO_TEST_CASE(a_word_that_is_a_name_does_not_hide_the_keys) {
  Fixture fixture;
  fixture.after({"+@all", "~a*", "~STREAMS", "~STORE"});
  BOOST_TEST(fixture.denied({"xreadgroup", "GROUP", "g", "c", "STREAMS", "a", "b", ">", ">"}) ==
             "key b");
  BOOST_TEST(fixture.denied({"xreadgroup", "GROUP", "STREAMS", "STREAMS", "STREAMS", "b", ">"}) ==
             "key b");
  BOOST_TEST(fixture.denied(
                 {"xreadgroup", "NOACK", "GROUP", "g", "STREAMS", "STREAMS", "b", ">"}) == "key b");
  BOOST_TEST(fixture.denied({"xread", "COUNT", "1", "STREAMS", "STREAMS", "0"}) == "");
  BOOST_TEST(fixture.denied({"sort", "a", "GET", "STORE", "STORE", "b"}) == "key b");
  BOOST_TEST(fixture.denied({"georadius", "a", "1", "1", "1", "m", "STORE", "STORE", "STORE",
                             "b"}) == "key b");
}

BOOST_AUTO_TEST_CASE(who_may_not_read_all_keys_may_not_sort_by_others) {
  Fixture fixture;
  fixture.after({"+@all", "~a*"});
  BOOST_TEST(fixture.denied({"sort", "a", "BY", "nosort", "GET", "#"}) == "");
  BOOST_TEST(fixture.denied({"sort", "a", "BY", "a*"}) == "key a*");
  BOOST_TEST(fixture.denied({"sort_ro", "a", "GET", "b*"}) == "key b*");
  fixture.after({"%R~*"});
  BOOST_TEST(fixture.denied({"sort", "a", "BY", "w*", "GET", "b*"}) == "");
}

BOOST_AUTO_TEST_CASE(a_request_whose_keys_cannot_be_found_is_refused) {
  Fixture fixture;
  fixture.after({"+@all", "~a*"});
  BOOST_TEST(fixture.denied({"zunion", "99", "a"}) == "key zunion");
  BOOST_TEST(fixture.denied({"zunion", "x", "a"}) == "key zunion");
  fixture.after({"~*"});
  BOOST_TEST(fixture.denied({"zunion", "99", "a"}) == "");
}

BOOST_AUTO_TEST_CASE(rights_to_databases_hold_wherever_one_is_named) {
  Fixture fixture;
  fixture.after({"+@all", "~*", "&*", "db=0,1"});
  BOOST_TEST(fixture.denied({"get", "k"}, 0) == "");
  BOOST_TEST(fixture.denied({"get", "k"}, 2) == "database 2");
  BOOST_TEST(fixture.denied({"dbsize"}, 2) == "database 2");
  BOOST_TEST(fixture.denied({"ping"}, 2) == "");
  BOOST_TEST(fixture.denied({"select", "1"}, 2) == "");
  BOOST_TEST(fixture.denied({"select", "2"}, 0) == "database 2");
  BOOST_TEST(fixture.denied({"move", "k", "1"}, 0) == "");
  BOOST_TEST(fixture.denied({"move", "k", "2"}, 0) == "database 2");
  BOOST_TEST(fixture.denied({"copy", "k", "l", "DB", "2"}, 0) == "database 2");
  BOOST_TEST(fixture.denied({"copy", "k", "l", "DB", "2", "DB", "1"}, 0) == "database 2");
  BOOST_TEST(fixture.denied({"copy", "k", "l", "DB", "1", "REPLACE"}, 0) == "");
  BOOST_TEST(fixture.denied({"swapdb", "0", "1"}, 0) == "");
  BOOST_TEST(fixture.denied({"swapdb", "1", "2"}, 0) == "database 2");
  BOOST_TEST(fixture.denied({"flushdb"}, 0) == "");
  BOOST_TEST(fixture.denied({"flushall"}, 0) == "database -1");
  fixture.after({"resetdbs"});
  BOOST_TEST(fixture.denied({"get", "k"}, 0) == "database 0");
}

BOOST_AUTO_TEST_CASE(one_selector_must_allow_the_whole_of_a_request) {
  Fixture fixture;
  fixture.after({"+get", "~a", "(+set ~b)", "(+@read ~c db=1)"});
  BOOST_TEST(fixture.denied({"get", "a"}) == "");
  BOOST_TEST(fixture.denied({"set", "b", "v"}) == "");
  BOOST_TEST(fixture.denied({"set", "a", "v"}) == "key a");
  BOOST_TEST(fixture.denied({"get", "b"}) == "key b");
  BOOST_TEST(fixture.denied({"get", "c"}, 1) == "");
  BOOST_TEST(fixture.denied({"get", "c"}, 0) == "key c");
  BOOST_TEST(fixture.denied({"del", "a"}) == "command");
}

BOOST_AUTO_TEST_CASE(a_password_is_right_only_as_a_whole) {
  Fixture fixture;
  BOOST_TEST(!fixture.user.has_password(""));
  fixture.after({">one", ">two"});
  BOOST_TEST(fixture.user.has_password("one"));
  BOOST_TEST(fixture.user.has_password("two"));
  BOOST_TEST(!fixture.user.has_password("on"));
  BOOST_TEST(!fixture.user.has_password(""));
  fixture.after({"<one"});
  BOOST_TEST(!fixture.user.has_password("one"));
  fixture.after({"nopass"});
  BOOST_TEST(fixture.user.has_password("anything"));
  fixture.after({"resetpass"});
  BOOST_TEST(!fixture.user.has_password("two"));
}

// Random rules: what the text of a user says is the user, to the same text and the same decisions.
BOOST_AUTO_TEST_CASE(the_text_of_a_user_makes_the_same_user) {
  const unsigned seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 chance(seed);
  const std::vector<std::string> some = {
      "on",        "off",     "nopass", ">p",        "~a*",     "%R~b*",
      "%W~c*",     "allkeys", "&n*",    "+get",      "-get",    "+@read",
      "-@write",   "+@all",   "-@all",  "+select|1", "+config", "-config|set",
      "resetkeys", "db=1,2",  "alldbs", "(+set ~x)", "reset",   "-@dangerous"};
  const std::vector<std::vector<std::string_view>> requests = {
      {"get", "a1"},        {"set", "x", "1"}, {"select", "1"},        {"config", "set", "a", "b"},
      {"lpush", "c1", "v"}, {"flushall"},      {"publish", "n1", "m"}, {"lrange", "b1", "0", "1"}};
  for (int round = 0; round < 300; ++round) {
    Fixture one;
    for (int i = 0; i < 12; ++i) {
      static_cast<void>(one.user.apply(some[chance() % some.size()]));
    }
    Fixture other;
    std::string why;
    Users users(other.vocabulary);
    const std::string line = "user u " + one.user.text() + "\n";
    BOOST_TEST_REQUIRE(users.load(line, "text", why, [](User&) {}), line + ": " + why);
    other.user = *users.find("u");
    BOOST_TEST(other.user.text() == one.user.text());
    BOOST_TEST(other.user.is_unlimited() == one.user.is_unlimited());
    for (const auto& request : requests) {
      if (one.engine.commands().find(request) == nullptr) continue;
      BOOST_TEST(one.denied(request, 1) == other.denied(request, 1), one.user.text());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_is_taken_as_a_whole_or_not_at_all) {
  Fixture fixture;
  Users users(fixture.vocabulary);
  std::string why;
  std::string gone;
  const auto load = [&](std::string_view text) {
    return users.load(text, "f", why, [&](User& user) { gone += user.name(); });
  };
  BOOST_TEST(load("user alice on +get\r\n\n  user bob off  \n"));
  BOOST_TEST(users.text() ==
             "user alice on resetchannels -@all +get\nuser bob off resetchannels -@all\n"
             "user default on nopass ~* &* +@all\n");
  const User* alice = users.find("alice");
  const std::string before = users.text();

  const std::pair<std::string_view, std::string_view> wrong[] = {
      {"# users\n", "f:1 should start with user keyword followed by the username. "},
      {"\nuser\n", "f:2 should start with user keyword followed by the username. "},
      {"user a on foo\nuser b +nosuch\n",
       "f:1: Syntax error. f:2: Error in applying operation '+nosuch': Unknown command or category "
       "name in ACL. "},
      {"user a on\nuser a off\n", "WARNING: Duplicate user 'a' found on line 2. "},
      {"user a\tb on\n", "'f:1: username 'a\tb' contains invalid characters. "},
      {"user a (~x +get\n", "f:1: Unmatched parenthesis in acl selector starting at '(~x'. "}};
  for (const auto& [text, reason] : wrong) {
    BOOST_TEST(!load(text));
    BOOST_TEST(why == std::string(reason) +
                          "WARNING: ACL errors detected, no change to the previously active ACL "
                          "rules was performed");
    BOOST_TEST(users.text() == before);
  }
  BOOST_TEST(gone == "");
  BOOST_TEST(load("user alice off\nuser default on >p ~* +@all\n"));
  BOOST_TEST(gone == "bob");
  BOOST_TEST(users.find("alice") == alice);
  BOOST_TEST(users.text() == "user alice off resetchannels -@all\nuser default on " + kHash +
                                 " ~* resetchannels +@all\n");
  BOOST_TEST(load(""));
  BOOST_TEST(users.text() == "user default on nopass ~* &* +@all\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::server
