#include "server/acl/acl_log.h"

#include <algorithm>

namespace roxdb::server {
namespace {

constexpr int64_t kGroupedMs = 60'000;
constexpr size_t kGroupedAmong = 10;  // the newest ones
constexpr size_t kObjectBytesMax = 1024;

}  // namespace

std::string_view AclLog::name_of(Reason reason) {
  constexpr std::string_view kNames[kReasons] = {"auth", "command", "key", "channel", "database"};
  return kNames[static_cast<size_t>(reason)];
}

std::string_view AclLog::name_of(Context context) {
  constexpr std::string_view kNames[] = {"toplevel", "multi", "lua"};
  return kNames[static_cast<size_t>(context)];
}

AclLog::AclLog(engine::Engine& engine) : engine_(engine) {
  // A lower limit shows with the next entry: what is there may just be why it is looked at.
  engine.settings.add_integer("acllog-max-len", &entries_max_, 0, INT64_MAX);
  engine.info.add("stats", [this](engine::InfoWriter& out) {
    constexpr std::string_view kFields[kReasons] = {
        "acl_access_denied_auth", "acl_access_denied_cmd", "acl_access_denied_key",
        "acl_access_denied_channel", "acl_access_denied_db"};
    for (size_t i = 0; i < kReasons; ++i) out.field(kFields[i], refusals_[i]);
  });
  engine.info.on_reset([this] { std::fill(std::begin(refusals_), std::end(refusals_), 0); });
}

int64_t AclLog::now_ms() const { return engine_.environment().now_ms(); }

void AclLog::add(Entry entry) {
  ++refusals_[static_cast<size_t>(entry.reason)];
  if (entry.object.size() > kObjectBytesMax) entry.object.resize(kObjectBytesMax);
  if (entry.user.size() > kObjectBytesMax) entry.user.resize(kObjectBytesMax);
  if (entry.client.size() > kObjectBytesMax) entry.client.resize(kObjectBytesMax);
  entry.created_ms = entry.updated_ms = now_ms();
  const auto end =
      entries_.begin() + static_cast<std::ptrdiff_t>(std::min(kGroupedAmong, entries_.size()));
  const auto same = std::find_if(entries_.begin(), end, [&](const Entry& one) {
    return one.reason == entry.reason && one.context == entry.context &&
           one.object == entry.object && one.user == entry.user &&
           entry.updated_ms - one.updated_ms <= kGroupedMs;
  });
  if (same != end) {
    entry.count = same->count + 1;
    entry.id = same->id;
    entry.created_ms = same->created_ms;
    entries_.erase(same);
  } else {
    entry.id = next_id_++;
  }
  entries_.push_front(std::move(entry));
  trim();
}

void AclLog::trim() {
  while (entries_.size() > static_cast<uint64_t>(entries_max_)) entries_.pop_back();
}

}  // namespace roxdb::server
