// generic.cc: commands on whole keys, whatever they hold. Expiry: expire.cc; walking over all keys:
// scan.cc; how a value is kept: object.cc.
#include <optional>

#include "base/text.h"
#include "commands/shared/inspect.h"
#include "commands/shared/named_databases.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/value_type.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::Cell;
using engine::CommandSpec;
using engine::Entry;
using engine::EntryParts;
using engine::Example;
using engine::kDenyOom;
using engine::Keyspace;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
namespace errors = engine::errors;
namespace event = engine::event;

Status erase_keys(Call& call) {
  int64_t erased = 0;
  for (size_t i = 1; i < call.argc(); ++i) erased += int64_t{call.erase(i)};
  return call.reply(erased);
}

// DEL key... -> how many existed
Status del_command(Call& call) { return erase_keys(call); }
constexpr Example kDelExamples[] = {{"MSET a 1 b 2", "+OK"}, {"DEL a b a c", ":2"}};
constexpr CommandSpec kDel{
    .name = "DEL",
    .syntax = "key...",
    .summary = "Deletes keys.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of keys; large values are freed in the background",
    .flags = kWrite,
    .keys = "1..end:RM",
    .acl = engine::kCategoryKeyspace,
    .tips = "request_policy:multi_shard,response_policy:agg_sum",
    .handler = del_command,
    .examples = kDelExamples,
};

// UNLINK key... -> how many existed. DEL frees in the background, too; the name is kept for it.
Status unlink_command(Call& call) { return erase_keys(call); }
constexpr Example kUnlinkExamples[] = {{"SET a 1", "+OK"}, {"UNLINK a b", ":1"}};
constexpr CommandSpec kUnlink{
    .name = "UNLINK",
    .syntax = "key...",
    .summary = "Deletes keys; their values are freed later.",
    .since = "4.0.0",
    .complexity = "O(N) where N is the number of keys",
    .flags = kWrite | kFast,
    .keys = "1..end:RM",
    .acl = engine::kCategoryKeyspace,
    .tips = "request_policy:multi_shard,response_policy:agg_sum",
    .handler = unlink_command,
    .examples = kUnlinkExamples,
};

// EXISTS key... -> how many exist, one named twice counts twice
Status exists_command(Call& call) {
  int64_t found = 0;
  for (size_t i = 1; i < call.argc(); ++i) found += int64_t{inspect(call, i) != nullptr};
  return call.reply(found);
}
constexpr Example kExistsExamples[] = {{"SET a 1", "+OK"}, {"EXISTS a b a", ":2"}};
constexpr CommandSpec kExists{
    .name = "EXISTS",
    .syntax = "key...",
    .summary = "Counts which of the keys exist.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of keys",
    .flags = kReadOnly | kFast,
    .keys = "1..end:RO!u",
    .acl = engine::kCategoryKeyspace,
    .tips = "request_policy:multi_shard,response_policy:agg_sum",
    .handler = exists_command,
    .examples = kExistsExamples,
};

// TOUCH key... -> how many exist; they count as used now, also for who asked for CLIENT NO-TOUCH
Status touch_command(Call& call) {
  int64_t found = 0;
  for (size_t i = 1; i < call.argc(); ++i) {
    const Entry* const entry = call.read(i);
    if (entry == nullptr) continue;
    if (call.session().no_touch) call.engine().touch(Keyspace::entry(*call.find(i)));
    ++found;
  }
  return call.reply(found);
}
constexpr Example kTouchExamples[] = {{"SET a 1", "+OK"}, {"TOUCH a b", ":1"}};
constexpr CommandSpec kTouch{
    .name = "TOUCH",
    .syntax = "key...",
    .summary = "Marks keys as just used and counts which exist.",
    .since = "3.2.1",
    .complexity = "O(N) where N is the number of keys",
    .flags = kReadOnly | kFast,
    .keys = "1..end:RO!u",
    .acl = engine::kCategoryKeyspace,
    .tips = "request_policy:multi_shard,response_policy:agg_sum",
    .handler = touch_command,
    .examples = kTouchExamples,
};

// TYPE key -> the name of its type, "none" when absent
Status type_command(Call& call) {
  const Entry* entry = inspect(call, 1);
  const types::ValueType* type = entry != nullptr ? types::value_type(entry->type()) : nullptr;
  call.reply().simple(type != nullptr ? type->name() : "none");
  return kOk;
}
constexpr Example kTypeExamples[] = {
    {"TYPE k", "+none"}, {"SET k v", "+OK"}, {"TYPE k", "+string"}};
constexpr CommandSpec kType{
    .name = "TYPE",
    .syntax = "key",
    .summary = "Says what type of value a key holds.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .acl = engine::kCategoryKeyspace,
    .handler = type_command,
    .examples = kTypeExamples,
};

// Gives the entry another key. REQUIRES: the new one is absent. Cost O(entry): a big value is not
// touched.
void rename_entry(Keyspace& keys, const engine::Key& key, const engine::Key& new_key) {
  Entry* old = keys.take(key, *keys.find(key));
  EntryParts parts = old->parts();
  parts.key = new_key.name;
  Entry* moved = Entry::create(keys.slabs(), parts);
  Entry::destroy(keys.slabs(), old);
  keys.insert(new_key, moved);
}

// True: renamed, false: the new name is taken and may not be replaced, or is the old one.
Result<bool> rename_key(Call& call, bool replaces) {
  if (call.peek(1) == nullptr) return errors::kNoSuchKey;
  if (call.arg(1) == call.arg(2)) return false;
  Keyspace& keys = call.keyspace();
  if (call.peek(2) != nullptr) {
    if (!replaces) return false;
    call.engine().erase(call.db(), call.key(2), *keys.find(call.key(2)));
  }
  rename_entry(keys, call.key(1), call.key(2));
  call.engine().notify(call.db(), call.arg(2), event::kNew);
  call.changed(event::kRenameFrom);
  call.engine().notify(call.db(), call.arg(2), event::kRenameTo);
  return true;
}

// RENAME key newkey -> OK
Status rename_command(Call& call) {
  const auto renamed = rename_key(call, true);
  return renamed.ok() ? call.reply_ok() : renamed.status();
}
constexpr Example kRenameExamples[] = {
    {"RENAME a b", "-ERR no such key"}, {"SET a 1", "+OK"}, {"RENAME a b", "+OK"}, {"GET b", "$1"}};
constexpr CommandSpec kRename{
    .name = "RENAME",
    .syntax = "key newkey",
    .summary = "Renames a key, in place of whatever has the new name.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite,
    .keys = "1:RW,2:OW",
    .acl = engine::kCategoryKeyspace,
    .handler = rename_command,
    .examples = kRenameExamples,
};

// RENAMENX key newkey -> 1: renamed | 0: the new name is taken
Status renamenx_command(Call& call) {
  ROX_TRY(const bool renamed, rename_key(call, false));
  return call.reply(int64_t{renamed});
}
constexpr Example kRenameNxExamples[] = {
    {"MSET a 1 b 2", "+OK"}, {"RENAMENX a b", ":0"}, {"RENAMENX a c", ":1"}};
constexpr CommandSpec kRenameNx{
    .name = "RENAMENX",
    .syntax = "key newkey",
    .summary = "Renames a key if the new name is free.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW,2:OW",
    .acl = engine::kCategoryKeyspace,
    .handler = renamenx_command,
    .examples = kRenameNxExamples,
};

// MOVE key db -> 1: moved | 0: absent here, or present there
Status move_command(Call& call) {
  ROX_TRY(const int db, call.database(2));
  if (db == call.db()) return errors::kSameObject;
  const engine::Key key = call.key(1);
  if (call.peek(1) == nullptr || call.engine().find(db, key) != nullptr) return call.reply(0);
  // A value lies in the slabs of its database: it is copied, and the old one freed.
  const Entry& source = Keyspace::entry(*call.keyspace().find(key));
  EntryParts parts = source.parts();
  Keyspace& target = call.engine().keyspace(db);
  target.insert(key, types::value_type(source.type())->copy(source, parts, target.home()));
  call.engine().notify(db, key.name, event::kNew);
  call.engine().erase(call.db(), key, *call.keyspace().find(key));
  call.changed(event::kMoveFrom);
  call.engine().notify(db, key.name, event::kMoveTo);
  return call.reply(1);
}
constexpr Example kMoveExamples[] = {{"SET a 1", "+OK"},
                                     {"MOVE a 1", ":1"},
                                     {"EXISTS a", ":0"},
                                     {"MOVE a 99", "-ERR DB index is out of range"}};
constexpr CommandSpec kMove{
    .name = "MOVE",
    .syntax = "key db",
    .summary = "Moves a key to another database.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .acl = engine::kCategoryKeyspace,
    .find_databases = [](engine::Args args, std::vector<int>& dbs) { add_database(args[2], dbs); },
    .handler = move_command,
    .examples = kMoveExamples,
};

// COPY source destination [...] -> 1: copied | 0: no source, or the destination is taken
Status copy_command(Call& call) {
  int db = call.db();
  bool replaces = false;
  for (size_t i = 3; i < call.argc(); ++i) {
    if (call.is(i, "REPLACE")) {
      replaces = true;
    } else if (call.is(i, "DB") && i + 1 < call.argc()) {
      ROX_TRY(db, call.database(++i));
    } else {
      return errors::kSyntax;
    }
  }
  if (db == call.db() && call.arg(1) == call.arg(2)) return errors::kSameObject;
  const Entry* source = call.read(1);
  if (source == nullptr) return call.reply(0);

  const engine::Key key = call.key(2);
  Keyspace& keys = call.engine().keyspace(db);
  if (Cell* taken = call.engine().find(db, key); taken != nullptr) {
    if (!replaces) return call.reply(0);
    call.engine().erase(db, key, *taken);  // entries stay where they are: `source` lives on
  }
  const EntryParts parts{.key = key.name,
                         .expire_at_ms = source->has_expiry() ? source->expire_at_ms() : -1,
                         .access = call.engine().fresh_access()};
  keys.insert(key, types::value_type(source->type())->copy(*source, parts, keys.home()));
  call.engine().notify(db, key.name, event::kNew);
  call.changed(db, key.name, event::kCopyTo);
  return call.reply(1);
}

// The last DB counts, but rights are asked to all that are named.
void find_copy_databases(engine::Args args, std::vector<int>& dbs) {
  for (size_t i = 3; i + 1 < args.size(); ++i) {
    if (equal_ignore_case(args[i], "DB")) add_database(args[++i], dbs);
  }
}
constexpr Example kCopyExamples[] = {{"MSET a 1 b 2", "+OK"},
                                     {"COPY a b", ":0"},
                                     {"COPY a b REPLACE", ":1"},
                                     {"GET b", "$1"},
                                     {"COPY a a DB 1", ":1"}};
constexpr CommandSpec kCopy{
    .name = "COPY",
    .syntax = "source destination [DB destination-db] [REPLACE]",
    .summary = "Copies a key, with its expiry, to another key or database.",
    .since = "6.2.0",
    .complexity = "O(N) for collections of N elements, O(1) for strings",
    .flags = kWrite | kDenyOom,
    .keys = "1:RO,2:OW",
    .acl = engine::kCategoryKeyspace,
    .find_databases = find_copy_databases,
    .handler = copy_command,
    .examples = kCopyExamples,
};

constexpr const CommandSpec* kCommands[] = {&kCopy,     &kDel,   &kExists, &kMove,  &kRename,
                                            &kRenameNx, &kTouch, &kType,   &kUnlink};

}  // namespace

extern constinit const engine::CommandFamily kGenericFamily;
constinit const engine::CommandFamily kGenericFamily{"generic", kCommands};

}  // namespace roxdb::commands
