// selector.h: one set of rights: commands, keys, channels and databases. A user has one of his own
// and may have more, of which any single one must allow the whole of a request.
//
//   +get -get +config|get +@read -@all allcommands nocommands    commands
//   +select|0                     a command only with this first argument
//   ~a* %R~a* %W~a* %RW~a* allkeys resetkeys                     keys: to read, to write, both
//   &news:* allchannels resetchannels                            channels
//   db=0,3 alldbs resetdbs                                       databases
//
// Rules are applied in the order in which they come. What they said of commands is kept as text,
// in that order and without what a later rule has overruled; so a rule for a category means the
// category, also to a server that knows other commands. A fresh selector may use every database
// and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/glob.h"
#include "base/status.h"
#include "engine/gates_and_sinks.h"
#include "server/acl/vocabulary.h"

namespace roxdb::server {

// What is asked of a selector, and what it may refuse: the order is that in which a user who is
// refused by all of his selectors is told the reason, the last first.
enum class Denied : uint8_t { kNothing, kDatabase, kCommand, kKey, kChannel };

// What must be known of a request to decide. Keys and databases are found once, for all selectors.
class AclRequest {
 public:
  // Memory that one request after another uses.
  struct Room {
    std::vector<engine::KeyAt> keys;
    std::vector<int> databases;
  };

  // `db`: where it would run; -1: not known, as between MULTI and EXEC.
  AclRequest(const engine::Command& of, engine::Args request, int in_db, Room& room)
      : command(of), args(request), db(in_db), room_(room) {}

  // False: what its keys are cannot be said.
  bool find_keys();
  const std::vector<engine::KeyAt>& keys() const { return room_.keys; }
  const std::vector<int>& databases();

  const engine::Command& command;
  const engine::Args args;
  const int db;

 private:
  enum class Keys : uint8_t { kNotSought, kFound, kUnknown };
  Room& room_;
  Keys sought_ = Keys::kNotSought;
  bool has_databases_ = false;
};

// Fits into two registers: it is handed up through three calls for every request.
struct Decision {
  Denied denied = Denied::kNothing;
  bool by_pattern = false;  // the argument names keys by a pattern (BY of SORT)
  uint32_t arg = 0;         // the key or channel that was refused; 0: none in particular
  int db = 0;               // the database that was refused, or engine::kEveryDatabase
  bool allowed() const { return denied == Denied::kNothing; }
};
static_assert(sizeof(Decision) <= 16);

class Selector {
 public:
  // `vocabulary` must outlive this.
  explicit Selector(const Vocabulary& vocabulary);

  // Nothing has changed when it fails; the text says why, in Redis's words.
  Status apply(std::string_view rule);
  Decision check(AclRequest& request) const;
  // Whether every request passes.
  bool is_unlimited() const;
  // A pattern to listen to must be allowed as it stands.
  bool allows_channel(std::string_view channel, bool is_pattern) const;

  // As ACL GETUSER shows it, and all of it as rules that give the same selector again.
  std::string commands_text() const;
  std::string keys_text() const;
  std::string channels_text() const;
  std::string databases_text() const;
  std::string text() const;

 private:
  struct KeyPattern {
    std::string text;
    Glob glob;
    bool reads;
    bool writes;
  };
  struct ChannelPattern {
    std::string text;
    Glob glob;
  };
  // A command that is allowed with some first arguments only.
  struct FirstArgument {
    size_t command;
    std::string word;
  };

  Status apply_to_commands(std::string_view rule, bool allows);
  Status apply_to_category(std::string_view name, bool allows);
  Status add_first_argument(std::string_view name, std::string_view word);
  Status add_key_pattern(std::string_view rule);
  Status add_channel(std::string_view pattern);
  Status set_databases(std::string_view numbers);
  void allow(const engine::Command& command, bool allows);
  void allow_all(bool allows);
  void remember(std::string_view name, bool allows);

  bool allows_first_argument(const AclRequest& request) const;
  bool allows_key(std::string_view key, bool reads, bool writes) const;
  bool allows_reading_any_key() const;
  bool allows_database(int db) const;
  Decision check_databases(AclRequest& request) const;
  Decision check_keys(AclRequest& request) const;
  Decision check_channels(const AclRequest& request) const;

  const Vocabulary* vocabulary_;
  CommandSet commands_;
  bool all_commands_at_first_ = false;  // before any of rules_
  std::vector<std::string> rules_;      // on commands, lower case: "+get", "-@admin"
  std::vector<FirstArgument> first_arguments_;
  bool all_keys_ = false;
  std::vector<KeyPattern> keys_;
  bool all_channels_ = false;
  std::vector<ChannelPattern> channels_;
  bool all_databases_ = true;
  std::vector<int> databases_;
};

}  // namespace roxdb::server
