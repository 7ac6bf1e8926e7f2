#include "persist/aof_import.h"

#include <boost/test/unit_test.hpp>

#include "test/persist/persistence_world.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;
using namespace roxdb::persist::test;

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_aof_import)

BOOST_AUTO_TEST_CASE(a_log_of_redis_is_imported_once) {
  const std::string increment =
      "*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n"
      "#TS:1600000000\r\n"
      "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
      "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n"
      "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n*1\r\n$4\r\nEXEC\r\n"
      "*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1\r\n3\r\n"
      "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n9\r\n";
  const State expected = {{{1, "a"}, {"2", -1}}, {{2, "b"}, {"2", -1}}, {{2, "c"}, {"3", -1}}};
  DiskImage single = empty_data_directory();
  single.files["data/appendonly.aof"] = FileContent(increment);
  DiskImage directory = empty_data_directory();
  directory.files["data/appendonlydir/appendonly.aof.manifest"] =
      FileContent("file appendonly.aof.1.incr.aof seq 1 type i\n");
  directory.files["data/appendonlydir/appendonly.aof.1.incr.aof"] = FileContent(increment);
  for (const DiskImage& image : {single, directory}) {
    Restart restart(image, kAlways);
    BOOST_TEST(restart.exit_code == 0, restart.server->log_text);
    BOOST_TEST((restart.server->state() == expected));
    BOOST_TEST(restart.server->info("last_recovery_result") == "imported");
    restart.server->run("SET ours 1");
    restart.server->persistence.end_turn();
    BOOST_TEST((restarted(restart.image(), kAlways) == restart.server->state()));
  }
  directory.files["data/appendonlydir/appendonly.aof.manifest"] = FileContent("file x\n");
  BOOST_TEST(Restart(directory, kAlways).exit_code == 11);
  single.files["data/appendonly.aof"] = FileContent("*1\r\n$7\r\nUNHEARD\r\n");
  BOOST_TEST(Restart(single, kAlways).exit_code == 11);
}

BOOST_AUTO_TEST_SUITE_END()
