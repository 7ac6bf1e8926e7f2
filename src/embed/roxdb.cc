// The C API of include/roxdb/roxdb.h over one Engine. Every function is noexcept: what the C++
// library might throw for want of memory ends the process, as it does in the server (E12).
#include "roxdb/roxdb.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "commands/server/command_state.h"
#include "embed/reply_tree.h"
#include "engine/engine.h"
#include "engine/memory_gate.h"
#include "persist/snapshot.h"

struct roxdb_db {
  explicit roxdb_db(const roxdb::engine::Engine::Options& options)
      : engine(options), session(roxdb::engine::Session::Kind::kLibrary) {}

  roxdb::engine::Engine engine;
  roxdb::commands::CommandState command_state{engine};
  roxdb::engine::MemoryGate memory_gate{engine, 0};
  roxdb::engine::Session session;
  std::vector<std::string_view> args;
  std::string last_error;
  int64_t ticked_at_ms = 0;
};

namespace {

void remember(roxdb_db& db, const roxdb::Status& status, const char* path) {
  db.last_error = std::string(path) + ": " + std::string(status.text);
  if (status.os_error != 0) {
    db.last_error += ": ";
    db.last_error += std::strerror(status.os_error);
  }
}

}  // namespace

extern "C" {

roxdb_db* roxdb_open(const roxdb_options* options, const char** error) noexcept {
  roxdb::engine::Engine::Options engine_options;
  if (options != nullptr && options->databases != 0) {
    engine_options.databases = options->databases;
  }
  if (engine_options.databases < 1 || engine_options.databases > roxdb::kDatabasesMax) {
    if (error != nullptr) *error = "the number of databases is out of range";
    return nullptr;
  }
  return new roxdb_db(engine_options);
}

void roxdb_close(roxdb_db* db) noexcept { delete db; }

roxdb_reply* roxdb_command(roxdb_db* db, int argc, const char* const* argv,
                           const size_t* argv_sizes) noexcept {
  roxdb::embed::ReplyTree reply;
  if (argc < 1) {
    reply.error("ERR a command has at least a name");
    return reply.take();
  }
  db->args.clear();
  for (int i = 0; i < argc; ++i) {
    db->args.emplace_back(argv[i], argv_sizes != nullptr ? argv_sizes[i] : std::strlen(argv[i]));
  }
  // Nobody turns a loop for us: the clock is read, and now and then expired keys are cleared away,
  // as commands come.
  constexpr int64_t kTickMs = 100;
  db->engine.refresh_clock();
  if (db->engine.now_ms() - db->ticked_at_ms >= kTickMs) {
    db->ticked_at_ms = db->engine.now_ms();
    db->engine.tick(roxdb::kTurnBudgetNs);
  }
  db->engine.execute(db->session, db->args, reply);
  return reply.take();
}

void roxdb_reply_free(roxdb_reply* reply) noexcept { roxdb::embed::free_tree(reply); }

int roxdb_save(roxdb_db* db, const char* path) noexcept {
  const roxdb::Status saved = roxdb::persist::save_snapshot(db->engine, path, {});
  if (saved.ok()) return 0;
  remember(*db, saved, path);
  return -1;
}

int roxdb_load(roxdb_db* db, const char* path) noexcept {
  // Into databases of its own: what is there stays until the file has proved good to its end.
  const auto count = static_cast<size_t>(db->engine.databases());
  auto old = db->engine.exchange(std::vector<std::unique_ptr<roxdb::engine::Keyspace>>(count));
  db->engine.refresh_clock();
  const roxdb::persist::LoadResult result = roxdb::persist::load_snapshot(db->engine, path, {});
  if (result.status.ok()) return 0;
  db->engine.exchange(std::move(old));
  if (result.message.empty()) {
    remember(*db, result.status, path);
  } else {
    db->last_error = result.message;
  }
  return -1;
}

const char* roxdb_last_error(const roxdb_db* db) noexcept { return db->last_error.c_str(); }

}  // extern "C"
