#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {

BOOST_FIXTURE_TEST_SUITE(commands_command, test::ServerFixture)

BOOST_AUTO_TEST_CASE(info_gives_declarations_with_their_keys) {
  check({{"COMMAND INFO GET",
          "*[*[$get :2 ~[+readonly +fast] :1 :1 :1 ~[+@read +@fast +@string] ~[] "
          "~[%{$flags ~[+RO +access] $begin_search %{$type $index $spec %{$index :1}} $find_keys "
          "%{$type $range $spec %{$lastkey :0 $keystep :1 $limit :0}}}] ~[]]]"}});
  const std::string msetex = run("COMMAND INFO MSETEX");
  BOOST_TEST(msetex.find("$find_keys %{$type $keynum $spec %{$keynumidx :0 $firstkey :1 "
                         "$keystep :2}}") != msetex.npos,
             msetex);
  const std::string config = run("COMMAND INFO config");
  BOOST_TEST(config.find("*[$config|set :-4 ") != config.npos, config);
  BOOST_TEST(run("COMMAND INFO config|get").starts_with("*[*[$config|get :-3 "));
}

BOOST_AUTO_TEST_CASE(everything_is_listed_once) {
  const std::string all = run("COMMAND");
  std::string list = run("COMMAND LIST");
  list.back() = ' ';
  const std::string docs = run("COMMAND DOCS");
  size_t top_level = 0;
  for (const auto& command : engine.commands().all()) {
    const std::string name = command->full_name;
    BOOST_TEST(all.find("*[$" + name + " :") != all.npos, name);
    BOOST_TEST(list.find("$" + name + " ") != list.npos, name);
    BOOST_TEST(docs.find("$" + name + " %{$summary $") != docs.npos, name);
    top_level += command->container == nullptr ? 1 : 0;
  }
  BOOST_TEST(run("COMMAND COUNT") == ":" + std::to_string(top_level));
  BOOST_TEST(run("COMMAND INFO").size() == all.size());
}

BOOST_AUTO_TEST_CASE(docs_describe_the_arguments) {
  const std::string get = run("COMMAND DOCS get nosuch");
  BOOST_TEST(get.starts_with("%{$get %{$summary $"), get);
  BOOST_TEST(get.ends_with("$arguments *[%{$name $key $type $key $key_spec_index :0}]}}"), get);
  const std::string deprecated = run("COMMAND DOCS getset");
  BOOST_TEST(deprecated.find("$doc_flags ~[+deprecated] $deprecated_since $") != deprecated.npos,
             deprecated);
  const std::string config = run("COMMAND DOCS config");
  BOOST_TEST(config.find("$subcommands %{$config|get %{") != config.npos, config);
  BOOST_TEST(run("COMMAND DOCS config|get").starts_with("%{$config|get %{$summary $"));
}

BOOST_AUTO_TEST_CASE(list_filters) {
  check({{"COMMAND LIST FILTERBY PATTERN GETR*", "*[$getrange]"},
         {"COMMAND LIST FILTERBY ACLCAT nosuch", "*[]"},
         {"COMMAND LIST FILTERBY ACLCAT", "-ERR syntax error"},
         {"COMMAND LIST FILTERBY x y", "-ERR syntax error"},
         {"COMMAND LIST x", "-ERR syntax error"}});
  const std::string strings = run("COMMAND LIST FILTERBY ACLCAT STRING");
  BOOST_TEST(strings.find("$append") != strings.npos);
  BOOST_TEST(strings.find("$del ") == strings.npos);
}

BOOST_AUTO_TEST_CASE(getkeys_of_all_forms_of_keys) {
  check({{"COMMAND GETKEYS MSET a 1 b 2", "*[$a $b]"},
         {"COMMAND GETKEYS DEL a b c", "*[$a $b $c]"},
         {"COMMAND GETKEYS MSETEX 2 a 1 b 2 NX", "*[$a $b]"},
         {"COMMAND GETKEYS MSETEX 9 a 1 b 2", "-ERR Invalid arguments specified for command"},
         {"COMMAND GETKEYS SINTERCARD 9 a", "-ERR Invalid arguments specified for command"},
         {"COMMAND GETKEYS OBJECT ENCODING a", "*[$a]"},
         {"COMMAND GETKEYS MEMORY USAGE a", "*[$a]"},
         {"COMMAND GETKEYS CONFIG GET a", "-ERR The command has no key arguments"},
         {"COMMAND GETKEYSANDFLAGS COPY a b", "*[*[$a ~[+RO +access]] *[$b ~[+OW +update]]]"},
         {"COMMAND GETKEYSANDFLAGS DEL a", "*[*[$a ~[+RM +delete]]]"}});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
