#include "commands/stream/claim_log.h"

#include "commands/shared/integer_text.h"

namespace roxdb::commands {

// A logged command stays short whatever a request moved.
static constexpr size_t kIdsMax = 1000;

void ClaimLog::add(const types::Pending& pending) {
  if (ids_.size() == kIdsMax || consumer_ != pending.consumer ||
      delivered_at_ms_ != pending.delivered_at_ms || deliveries_ != pending.deliveries) {
    flush();
    consumer_ = pending.consumer;
    delivered_at_ms_ = pending.delivered_at_ms;
    deliveries_ = pending.deliveries;
  }
  ids_.emplace_back(pending.id);
}

void ClaimLog::add_dropped(const Id& id) {
  if (ids_.size() == kIdsMax || consumer_ != nullptr) flush();
  consumer_ = nullptr;
  ids_.emplace_back(id);
}

void ClaimLog::add_progress() {
  flush();
  call_.log_as({"XGROUP", "SETID", key_, group_.name(), IdText(group_.last_delivered),
                "ENTRIESREAD", IntegerText(group_.records_read)});
}

void ClaimLog::flush() {
  if (ids_.empty()) return;
  std::vector<std::string_view> args;
  args.reserve(ids_.size() + 12);
  const IntegerText time(delivered_at_ms_);
  const IntegerText count(static_cast<int64_t>(deliveries_));
  if (consumer_ == nullptr) {
    args = {"XACK", key_, group_.name()};
    args.insert(args.end(), ids_.begin(), ids_.end());
  } else {
    args = {"XCLAIM", key_, group_.name(), consumer_->name(), "0"};
    args.insert(args.end(), ids_.begin(), ids_.end());
    args.insert(args.end(), {"TIME", time, "RETRYCOUNT", count, "FORCE", "JUSTID"});
  }
  call_.log_as(call_.db(), args);
  ids_.clear();
}

}  // namespace roxdb::commands
