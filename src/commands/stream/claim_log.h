// claim_log.h: deliveries of a group as the log tells them: who has what since when, not who asked.
#pragma once

#include <string_view>
#include <vector>

#include "commands/stream/id_argument.h"
#include "engine/call.h"
#include "types/stream_group.h"

namespace roxdb::commands {

// Gathers pending records that have consumer, time and count in common into
//   XCLAIM key group consumer 0 id... TIME ms RETRYCOUNT count FORCE JUSTID
// and those that were dropped into XACK key group id... What of it save points count, the command
// knows: Redis counts claims, and a delivery of many as one.
class ClaimLog {
 public:
  // `key` and `group` outlive it.
  ClaimLog(engine::Call& call, std::string_view key, const types::Group& group)
      : call_(call), key_(key), group_(group) {}
  ~ClaimLog() { flush(); }
  ClaimLog(const ClaimLog&) = delete;
  ClaimLog& operator=(const ClaimLog&) = delete;

  // As it is now. REQUIRES: it has a consumer.
  void add(const types::Pending& pending);
  void add_dropped(const Id& id);
  // What the group knows of its progress.
  void add_progress();

 private:
  void flush();

  engine::Call& call_;
  std::string_view key_;
  const types::Group& group_;
  std::vector<IdText> ids_;
  const types::Consumer* consumer_ = nullptr;  // null: `ids_` were dropped
  int64_t delivered_at_ms_ = 0;
  uint64_t deliveries_ = 0;
};

}  // namespace roxdb::commands
