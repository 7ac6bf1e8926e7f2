#include "app/command_line.h"

#include <boost/test/unit_test.hpp>

namespace roxdb::app {
namespace {

using Lines = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(app_command_line)

BOOST_AUTO_TEST_CASE(options_become_lines_of_the_configuration) {
  const CommandLine line = parse_command_line(
      {"/etc/roxdb.conf", "--port", "7000", "--save", "900", "1", "--logfile", "a b", "--dir", ""});
  BOOST_TEST(line.config_path == "/etc/roxdb.conf");
  BOOST_TEST((line.lines == Lines{"port 7000", "save 900 1", "logfile \"a b\"", "dir \"\""}));
  BOOST_TEST(line.error == "");
}

BOOST_AUTO_TEST_CASE(save_may_stand_without_a_value) {
  BOOST_TEST((parse_command_line({"--save", "--port", "1"}).lines == Lines{"save \"\"", "port 1"}));
  BOOST_TEST((parse_command_line({"--save", ""}).lines == Lines{"save \"\""}));
  BOOST_TEST((parse_command_line({"--save"}).lines == Lines{"save \"\""}));
}

BOOST_AUTO_TEST_CASE(name_and_value_may_be_one_argument) {
  BOOST_TEST((parse_command_line({"--port 7000", "--loglevel", "debug"}).lines ==
              Lines{"port 7000", "loglevel debug"}));
}

// Redis reads a value that looks like an option as a value, where a name stands alone before it.
BOOST_AUTO_TEST_CASE(a_value_may_look_like_an_option) {
  BOOST_TEST(
      (parse_command_line({"--requirepass", "--secret"}).lines == Lines{"requirepass --secret"}));
}

BOOST_AUTO_TEST_CASE(the_first_option_behind_the_file_may_lack_its_dashes) {
  BOOST_TEST((parse_command_line({"a.conf", "loglevel", "verbose", "--port", "1"}).lines ==
              Lines{"loglevel verbose", "port 1"}));
}

BOOST_AUTO_TEST_CASE(standard_input_may_be_named_first_or_last) {
  BOOST_TEST(parse_command_line({"-", "--port", "1"}).config_path == "-");
  const CommandLine line = parse_command_line({"--port", "1", "--save", "9", "1", "-"});
  BOOST_TEST(line.config_path == "-");
  BOOST_TEST((line.lines == Lines{"port 1", "save 9 1"}));
  BOOST_TEST(line.error == "");
  BOOST_TEST(parse_command_line({"a.conf", "--port", "1", "-"}).error != "");
}

BOOST_AUTO_TEST_CASE(tasks_and_restoring_are_no_directives) {
  BOOST_TEST((parse_command_line({"--version"}).task == CommandLine::Task::kShowVersion));
  BOOST_TEST((parse_command_line({"-h"}).task == CommandLine::Task::kShowHelp));
  const CommandLine line =
      parse_command_line({"-", "--check-config", "--restore", "x.rdb", "--salvage", "--port", "1"});
  BOOST_TEST((line.task == CommandLine::Task::kCheckConfig));
  BOOST_TEST(line.config_path == "-");
  BOOST_TEST(line.restore_path == "x.rdb");
  BOOST_TEST(line.salvage);
  BOOST_TEST((line.lines == Lines{"port 1"}));
}

BOOST_AUTO_TEST_CASE(what_is_no_option_is_refused) {
  BOOST_TEST(parse_command_line({"a.conf", "b.conf"}).error == "not an option: 'b.conf'");
  BOOST_TEST(parse_command_line({"--restore"}).error == "--restore: which file?");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::app
