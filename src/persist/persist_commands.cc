// persist_commands.cc: SAVE and its kin. What they ask for is done in persistence.cc.
#include "base/text.h"
#include "engine/call.h"
#include "persist/aof.h"
#include "persist/persistence.h"
#include "persist/snapshotter.h"

namespace roxdb::persist {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;

constexpr Status kSaveRunning = user_error("ERR Background save already in progress");
constexpr Status kOtherChild = user_error(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in "
    "order to schedule a BGSAVE whenever possible.");

// Null in a program that has embedded the engine and no files.
Persistence* persistence_of(Call& call) { return call.engine().services.find<Persistence>(); }

Status no_files(Call& call) { return call.fail("ERR {} needs a server with files", call.arg(0)); }

Status save_command(Call& call) {
  Persistence* const persistence = persistence_of(call);
  if (persistence == nullptr) return no_files(call);
  const Status status = persistence->save();
  if (status.code == Code::kBusy) return kSaveRunning;
  ROX_TRY(status);
  return call.reply_ok();
}
constexpr CommandSpec kSave{
    .name = "SAVE",
    .summary = "Saves all data to the snapshot file before it answers. Nobody else is served.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of keys in all databases",
    .flags = engine::kAdmin | engine::kNoAsyncLoading | engine::kNoMulti | engine::kNoScript,
    .handler = save_command};

Status cancel_background_save(Call& call, Persistence& persistence) {
  switch (persistence.cancel_save()) {
    case Persistence::SaveCancel::kRunning:
      call.reply().simple("Background saving cancelled");
      return kOk;
    case Persistence::SaveCancel::kScheduled:
      call.reply().simple("Scheduled background saving cancelled");
      return kOk;
    case Persistence::SaveCancel::kNothing:
      break;
  }
  return user_error("ERR Background saving is currently not in progress or scheduled");
}

Status bgsave_command(Call& call) {
  Persistence* const persistence = persistence_of(call);
  if (persistence == nullptr) return no_files(call);
  if (call.argc() == 2 && call.is(1, "CANCEL")) return cancel_background_save(call, *persistence);
  const bool may_schedule = call.argc() == 2 && call.is(1, "SCHEDULE");
  if (call.argc() > 1 && !may_schedule) return engine::errors::kSyntax;
  Status failure;
  switch (persistence->request_save(may_schedule, failure)) {
    case Persistence::SaveStart::kStarted:
      call.reply().simple("Background saving started");
      return kOk;
    case Persistence::SaveStart::kScheduled:
      call.reply().simple("Background saving scheduled");
      return kOk;
    case Persistence::SaveStart::kAlreadyRunning:
      return kSaveRunning;
    case Persistence::SaveStart::kOtherChild:
      return kOtherChild;
    case Persistence::SaveStart::kFailed:
      break;
  }
  return failure;
}
constexpr CommandSpec kBgsave{
    .name = "BGSAVE",
    .syntax = "[SCHEDULE | CANCEL]",
    .summary = "Saves all data to the snapshot file while others are served.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = engine::kAdmin | engine::kNoAsyncLoading | engine::kNoScript,
    .handler = bgsave_command};

Status lastsave_command(Call& call) {
  Persistence* const persistence = persistence_of(call);
  if (persistence == nullptr) return no_files(call);
  return call.reply(persistence->snapshotter().last_save_s());
}
constexpr CommandSpec kLastsave{
    .name = "LASTSAVE",
    .summary = "Tells when the data was last saved, in seconds of the Unix epoch.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = engine::kFast | engine::kLoading | engine::kStale,
    .acl = engine::kCategoryAdmin | engine::kCategoryDangerous,
    .tips = "nondeterministic_output",
    .handler = lastsave_command};

Status bgrewriteaof_command(Call& call) {
  Persistence* const persistence = persistence_of(call);
  if (persistence == nullptr) return no_files(call);
  Status failure;
  switch (persistence->aof().request_rewrite(failure)) {
    case Aof::RewriteStart::kStarted:
      call.reply().simple("Background append only file rewriting started");
      return kOk;
    case Aof::RewriteStart::kScheduled:
      call.reply().simple("Background append only file rewriting scheduled");
      return kOk;
    case Aof::RewriteStart::kAlreadyRunning:
      return user_error("ERR Background append only file rewriting already in progress");
    case Aof::RewriteStart::kFailed:
      break;
  }
  return failure;
}
constexpr CommandSpec kBgrewriteaof{
    .name = "BGREWRITEAOF",
    .summary = "Makes the append only file as small as the data, while others are served.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = engine::kAdmin | engine::kNoAsyncLoading | engine::kNoScript,
    .handler = bgrewriteaof_command};

constexpr const CommandSpec* kCommands[] = {&kSave, &kBgsave, &kLastsave, &kBgrewriteaof};

}  // namespace

extern constinit const CommandFamily kPersistCommandsFamily;
constinit const CommandFamily kPersistCommandsFamily{"server", kCommands};

}  // namespace roxdb::persist
