#include "roxdb/roxdb.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

struct CloseDb {
  void operator()(roxdb_db* db) const { roxdb_close(db); }
};
struct FreeReply {
  void operator()(roxdb_reply* reply) const { roxdb_reply_free(reply); }
};
using Db = std::unique_ptr<roxdb_db, CloseDb>;
using ReplyPtr = std::unique_ptr<roxdb_reply, FreeReply>;

Db open_db() { return Db(roxdb_open(nullptr, nullptr)); }

ReplyPtr run(const Db& db, const std::vector<std::string>& args) {
  std::vector<const char*> argv;
  std::vector<size_t> sizes;
  for (const std::string& arg : args) {
    argv.push_back(arg.data());
    sizes.push_back(arg.size());
  }
  return ReplyPtr(
      roxdb_command(db.get(), static_cast<int>(argv.size()), argv.data(), sizes.data()));
}

std::string text(const ReplyPtr& reply) { return {reply->text, reply->size}; }

struct TemporaryFolder {
  TemporaryFolder() {
    char pattern[] = "/tmp/roxdb-embed-XXXXXX";
    path = mkdtemp(pattern);
  }
  ~TemporaryFolder() {
    unlink(file().c_str());
    rmdir(path.c_str());
  }
  std::string file() const { return path + "/data.rox"; }
  std::string path;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(embed_roxdb)

BOOST_AUTO_TEST_CASE(values_may_hold_any_bytes) {
  const Db db = open_db();
  const std::string bytes("a\0b\r\n\xff", 6);
  BOOST_TEST(run(db, {"SET", "k", bytes})->type == ROXDB_STATUS);
  const ReplyPtr reply = run(db, {"GET", "k"});
  BOOST_TEST(reply->type == ROXDB_STRING);
  BOOST_TEST(text(reply) == bytes);
  BOOST_TEST(reply->text[reply->size] == '\0');
}

BOOST_AUTO_TEST_CASE(replies_keep_their_kind) {
  const Db db = open_db();
  BOOST_TEST(run(db, {"GET", "absent"})->type == ROXDB_NULL);
  BOOST_TEST(run(db, {"INCR", "n"})->integer == 1);
  BOOST_TEST(text(run(db, {"INCR"})) == "ERR wrong number of arguments for 'incr' command");
  const ReplyPtr list = run(db, {"MGET", "n", "absent"});
  BOOST_TEST_REQUIRE(list->type == ROXDB_ARRAY);
  BOOST_TEST_REQUIRE(list->count == 2u);
  BOOST_TEST(list->elements[1]->type == ROXDB_NULL);
}

BOOST_AUTO_TEST_CASE(two_databases_of_one_process_know_nothing_of_each_other) {
  const Db first = open_db();
  const Db second = open_db();
  run(first, {"SET", "k", "1"});
  BOOST_TEST(run(second, {"EXISTS", "k"})->integer == 0);
}

BOOST_AUTO_TEST_CASE(what_was_saved_is_loaded_by_another_handle) {
  const TemporaryFolder folder;
  const Db db = open_db();
  for (int i = 0; i < 1000; ++i) {
    run(db, {"SET", "key:" + std::to_string(i), std::string(static_cast<size_t>(i), 'v')});
  }
  BOOST_TEST_REQUIRE(roxdb_save(db.get(), folder.file().c_str()) == 0);
  const Db other = open_db();
  run(other, {"SET", "gone", "1"});
  BOOST_TEST_REQUIRE(roxdb_load(other.get(), folder.file().c_str()) == 0);
  BOOST_TEST(run(other, {"DBSIZE"})->integer == 1000);
  BOOST_TEST(text(run(other, {"GET", "key:999"})) == std::string(999, 'v'));
}

BOOST_AUTO_TEST_CASE(a_failed_load_leaves_the_database_as_it_was) {
  const TemporaryFolder folder;
  const Db db = open_db();
  run(db, {"SET", "kept", "1"});
  BOOST_TEST(roxdb_load(db.get(), folder.file().c_str()) == -1);
  BOOST_TEST(std::string(roxdb_last_error(db.get())) != "");
  BOOST_TEST(run(db, {"GET", "kept"})->size == 1u);
}

BOOST_AUTO_TEST_CASE(a_save_into_a_missing_folder_says_why) {
  const Db db = open_db();
  BOOST_TEST(roxdb_save(db.get(), "/nonexistent/folder/x.rox") == -1);
  BOOST_TEST(std::string(roxdb_last_error(db.get())).find("No such file") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
