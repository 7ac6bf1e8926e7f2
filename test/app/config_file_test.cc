#include "app/config_file.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>

#include "test/base/temporary_directory.h"

namespace roxdb::app {
namespace {

// A few settings of the kinds there are.
struct ConfigFixture {
  ConfigFixture() {
    settings.add_integer("port", &port, 0, 65535);
    settings.add_bool("appendonly", &appendonly);
    settings.add_string("logfile", &logfile);
    engine::Setting save;
    save.name = "save";
    save.flags = engine::Setting::kMultiple;
    save.get = [this] { return save_points; };
    save.set = [this](std::span<const std::string> words, std::string&) {
      save_points.clear();
      for (const std::string& word : words) save_points += (save_points.empty() ? "" : " ") + word;
      return true;
    };
    settings.add(std::move(save));
  }

  std::string file(const std::string& text, const std::string& name = "roxdb.conf") {
    const std::string path = directory / name;
    std::ofstream(path) << text;
    return path;
  }
  // Empty when the configuration is in order, else the report.
  std::string load(const std::string& text, const std::vector<std::string>& lines = {}) {
    std::string why;
    return config.load(file(text), lines, settings, why) ? "" : why;
  }

  TemporaryDirectory directory;
  engine::Settings settings;
  ConfigFile config;
  int64_t port = 6379;
  bool appendonly = false;
  std::string logfile;
  std::string save_points = "3600 1";
};

BOOST_FIXTURE_TEST_SUITE(app_config_file, ConfigFixture)

BOOST_AUTO_TEST_CASE(directives_comments_and_quotes_are_read_as_redis_reads_them) {
  BOOST_TEST(load("# a comment\n"
                  "\n"
                  "  PORT   7000  \r\n"
                  "logfile \"a b\\x2fc\"\n"
                  "appendonly yes") == "");
  BOOST_TEST(port == 7000);
  BOOST_TEST(logfile == "a b/c");
  BOOST_TEST(appendonly);
  BOOST_TEST(config.has("port"));
  BOOST_TEST(!config.has("save"));
}

BOOST_AUTO_TEST_CASE(lines_of_the_command_line_win) {
  BOOST_TEST(load("port 7000\nsave 900 1\nsave 300 10\n", {"port 8000", "save \"\""}) == "");
  BOOST_TEST(port == 8000);
  BOOST_TEST(save_points == "");
}

BOOST_AUTO_TEST_CASE(a_bad_line_is_named_with_its_number_and_a_likely_name) {
  const std::string unknown = load("port 7000\n\nappendolny yes\n");
  BOOST_TEST(unknown.find("*** FATAL CONFIG FILE ERROR (RoxDB") != std::string::npos);
  BOOST_TEST(unknown.find("Reading the configuration file, at line 3\n>>> 'appendolny yes'\n"
                          "Bad directive or wrong number of arguments\n"
                          "Did you mean 'appendonly'?\n") != std::string::npos);
  BOOST_TEST(load("port many\n").find("argument couldn't be parsed into an integer") !=
             std::string::npos);
  BOOST_TEST(load("logfile \"open\n").find("Unbalanced quotes in configuration line") !=
             std::string::npos);
  BOOST_TEST(load("", {"port 7000", "porter 1"}).find("Reading the command line, at line 2") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(included_files_are_read_where_they_stand_patterns_too) {
  file("port 7001\nlogfile one\n", "a.inc");
  file("logfile two\n", "b.inc");
  BOOST_TEST(load("port 1\ninclude " + directory.path() + "/*.inc\nappendonly yes\n") == "");
  BOOST_TEST(port == 7001);
  BOOST_TEST(logfile == "two");
  BOOST_TEST(appendonly);

  BOOST_TEST(load("include /no/such/file\n").find("Can't open included file '/no/such/file'") !=
             std::string::npos);
  file("port 1\nnonsense 1\n", "bad.inc");
  const std::string report = load("include " + directory.path() + "/bad.inc\n");
  BOOST_TEST(report.find("bad.inc, at line 2\n>>> 'nonsense 1'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(files_that_include_each_other_end_somewhere) {
  file("include " + directory.path() + "/loop.inc\n", "loop.inc");
  BOOST_TEST(load("include " + directory.path() + "/loop.inc\n")
                 .find("Too many files include each other") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_module_is_refused_with_the_reason) {
  BOOST_TEST(load("loadmodule ./some.so\n").find("loads no modules") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named) {
  std::string why;
  BOOST_TEST(!config.load("/no/such.conf", {}, settings, why));
  BOOST_TEST(why.find("can't open config file '/no/such.conf': No such file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(rewriting_changes_only_what_has_changed) {
  const std::string text =
      "# first comment\n"
      "port   7000\n"
      "\n"
      "# about saving\n"
      "save 900 1\n"
      "include more.conf\n"
      "save 300 10\n"
      "logfile \"x\"\n";
  port = 7000;
  save_points = "60 5";
  logfile = "a b";
  appendonly = true;
  BOOST_TEST(rewritten(text, settings) ==
             "# first comment\n"
             "port   7000\n"
             "\n"
             "# about saving\n"
             "save 60 5\n"
             "include more.conf\n"
             "logfile \"a b\"\n"
             "# Generated by CONFIG REWRITE\n"
             "appendonly yes\n");
}

BOOST_AUTO_TEST_CASE(rewriting_may_say_defaults_too) {
  const std::string all = rewritten("# comment\n", settings, true);
  BOOST_TEST(all.starts_with("# comment\n# Generated by CONFIG REWRITE\n"));
  BOOST_TEST(all.find("\nappendonly no\n") != std::string::npos);
  BOOST_TEST(rewritten("# comment\n", settings) == "# comment\n");
}

BOOST_AUTO_TEST_CASE(rewriting_twice_changes_nothing_more) {
  port = 7000;
  appendonly = true;
  const std::string once = rewritten("# comment\n", settings);
  BOOST_TEST(rewritten(once, settings) == once);
}

BOOST_AUTO_TEST_CASE(the_rewritten_file_gives_the_same_settings) {
  BOOST_TEST(load("port 7000\n") == "");
  logfile = "with \"quotes\" and \\ and\nnewline";
  std::string why;
  BOOST_TEST_REQUIRE(config.rewrite(settings, false, why).ok());
  logfile = "other";
  BOOST_TEST(config.load(config.path(), {}, settings, why));
  BOOST_TEST(logfile == "with \"quotes\" and \\ and\nnewline");
  BOOST_TEST(port == 7000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::app
