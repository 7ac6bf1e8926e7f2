#include "base/log.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace roxdb {
namespace {

// A logger that keeps its lines.
struct Recorder {
  Logger logger;
  std::vector<std::pair<LogLevel, std::string>> lines;

  Recorder() {
    logger.sink = [this](LogLevel level, std::string_view line) {
      lines.emplace_back(level, std::string(line));
    };
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(base_log)

BOOST_AUTO_TEST_CASE(a_line_reaches_the_sink_formatted_and_with_its_level) {
  Recorder recorder;
  recorder.logger.warning("loaded keys={} seconds={:.3f}", 12, 0.5);
  BOOST_TEST_REQUIRE(recorder.lines.size() == 1u);
  BOOST_TEST((recorder.lines[0].first == LogLevel::kWarning));
  BOOST_TEST(recorder.lines[0].second == "loaded keys=12 seconds=0.500");
}

BOOST_AUTO_TEST_CASE(lines_below_the_level_are_dropped) {
  Recorder recorder;
  recorder.logger.debug("a");
  recorder.logger.verbose("b");
  recorder.logger.notice("c");
  recorder.logger.level = LogLevel::kDebug;
  recorder.logger.debug("d");
  recorder.logger.level = LogLevel::kNothing;
  recorder.logger.warning("e");
  BOOST_TEST_REQUIRE(recorder.lines.size() == 2u);
  BOOST_TEST(recorder.lines[0].second == "c");
  BOOST_TEST(recorder.lines[1].second == "d");
}

BOOST_AUTO_TEST_CASE(a_logger_without_a_sink_is_silent) {
  const Logger logger;
  BOOST_CHECK_NO_THROW(logger.warning("nobody hears {}", 1));
}

BOOST_AUTO_TEST_CASE(control_characters_cannot_forge_a_line) {
  Recorder recorder;
  recorder.logger.notice("name={}", std::string_view("a\r\nb\0c\x1b[31m\x7f\xc3\xa4", 14));
  BOOST_TEST_REQUIRE(recorder.lines.size() == 1u);
  BOOST_TEST(recorder.lines[0].second == "name=a\\x0d\\x0ab\\x00c\\x1b[31m\\x7f\xc3\xa4");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
