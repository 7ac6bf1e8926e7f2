// tracking_commands.cc: CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO.
#include <iterator>
#include <set>

#include "engine/call.h"
#include "server/command_client.h"
#include "server/tracking.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Flags;
using engine::kCategoryConnection;
using engine::kLoading;
using engine::kNoScript;
using engine::kStale;
namespace errors = engine::errors;

constexpr Flags kTrackingFlags = kNoScript | kLoading | kStale;

// ---- CLIENT TRACKING ----

Status parse_redirect(Call& call, size_t index, TrackingMode& mode) {
  if (mode.redirect != 0) {
    return user_error("ERR A client can only redirect to a single other client");
  }
  ROX_TRY(const int64_t id, call.integer(index));
  if (id <= 0 || call.service<Clients>().find(static_cast<uint64_t>(id)) == nullptr) {
    return user_error("ERR The client ID you want redirect to does not exist");
  }
  mode.redirect = static_cast<uint64_t>(id);
  return kOk;
}

// What a request asks for; the prefixes are views of its arguments.
struct Asked {
  TrackingMode mode;
  std::vector<std::string_view> prefixes;
};

Result<Asked> parse(Call& call) {
  Asked asked;
  TrackingMode& mode = asked.mode;
  for (size_t i = 3; i < call.argc(); ++i) {
    const bool has_value = i + 1 < call.argc();
    if (call.is(i, "REDIRECT") && has_value) {
      ROX_TRY(parse_redirect(call, ++i, mode));
    } else if (call.is(i, "BCAST")) {
      mode.broadcast = true;
    } else if (call.is(i, "OPTIN")) {
      mode.opt_in = true;
    } else if (call.is(i, "OPTOUT")) {
      mode.opt_out = true;
    } else if (call.is(i, "NOLOOP")) {
      mode.no_loop = true;
    } else if (call.is(i, "PREFIX") && has_value) {
      asked.prefixes.push_back(call.arg(++i));
    } else {
      return errors::kSyntax;
    }
  }
  return asked;
}

// Whichever of `prefixes` begins with `text` or is a beginning of it; the end when none does. No
// two of them overlap, but for the empty one, which may be there beside others. Cost O(log N).
template <class Set>
typename Set::const_iterator find_overlap(const Set& prefixes, std::string_view text) {
  if (!prefixes.empty() && prefixes.begin()->empty()) return prefixes.begin();
  // What stands between a beginning of `text` and `text` overlaps with that beginning.
  const auto above = prefixes.upper_bound(text);
  if (above != prefixes.begin() && text.starts_with(*std::prev(above))) return std::prev(above);
  return above != prefixes.end() && above->starts_with(text) ? above : prefixes.end();
}

// A key must not be told twice to one client.
Status check_prefixes(Call& call, const TrackingMode* old,
                      const std::vector<std::string_view>& asked) {
  std::set<std::string_view> added;
  for (const std::string_view prefix : asked) {
    if (old != nullptr) {
      if (const auto one = find_overlap(old->prefixes, prefix); one != old->prefixes.end()) {
        return call.fail(
            "ERR Prefix '{}' overlaps with an existing prefix '{}'. Prefixes for a single client "
            "must not overlap.",
            prefix, *one);
      }
    }
    if (const auto one = find_overlap(added, prefix); one != added.end()) {
      return call.fail(
          "ERR Prefix '{}' overlaps with another provided prefix '{}'. Prefixes for a single "
          "client must not overlap.",
          *one, prefix);
    }
    added.insert(prefix);
  }
  return kOk;
}

// Whether the modes make sense together, and after the one that is on.
Status check_mode(Call& call, const TrackingMode* old, const Asked& asked) {
  const TrackingMode& mode = asked.mode;
  if (!mode.broadcast && !asked.prefixes.empty()) {
    return user_error("ERR PREFIX option requires BCAST mode to be enabled");
  }
  if (old != nullptr && old->broadcast != mode.broadcast) {
    return user_error(
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
        "then re-enabling it with a different mode.");
  }
  if (mode.broadcast && (mode.opt_in || mode.opt_out)) {
    return user_error("ERR OPTIN and OPTOUT are not compatible with BCAST");
  }
  if (mode.opt_in && mode.opt_out) {
    return user_error("ERR You can't specify both OPTIN mode and OPTOUT mode");
  }
  if (old != nullptr && ((mode.opt_in && old->opt_out) || (mode.opt_out && old->opt_in))) {
    return user_error(
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
        "then re-enabling it with a different mode.");
  }
  return check_prefixes(call, old, asked.prefixes);
}

// CLIENT TRACKING ON | OFF [REDIRECT id] [PREFIX text ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP] -> OK
Status client_tracking_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  ROX_TRY(Asked asked, parse(call));
  Tracking& tracking = call.service<Tracking>();
  if (call.is(2, "OFF")) {
    tracking.stop(*client);
    return call.reply_ok();
  }
  if (!call.is(2, "ON")) return errors::kSyntax;
  ROX_TRY(check_mode(call, client->tracking.get(), asked));
  if (asked.mode.broadcast && asked.prefixes.empty()) asked.prefixes.emplace_back();  // all keys
  tracking.start(*client, std::move(asked.mode), asked.prefixes);
  return call.reply_ok();
}
constexpr CommandSpec kClientTracking{
    .name = "CLIENT TRACKING",
    .syntax =
        "(ON | OFF) [REDIRECT client-id] [PREFIX prefix...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    .summary = "Says whether this connection is told when keys change that it has read.",
    .since = "6.0.0",
    .complexity = "O(N*log(M)) where N is the number of prefixes given and M of those there are",
    .flags = kTrackingFlags,
    .acl = kCategoryConnection,
    .handler = client_tracking_command,
};

// ---- CLIENT CACHING ----

// CLIENT CACHING YES | NO -> OK: the keys of the next command are remembered, or are not
Status client_caching_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  TrackingMode* const mode = client->tracking.get();
  if (mode == nullptr) {
    return user_error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  const bool yes = call.is(2, "YES");
  if (!yes && !call.is(2, "NO")) return errors::kSyntax;
  if (yes && !mode->opt_in) {
    return user_error(
        "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  }
  if (!yes && !mode->opt_out) {
    return user_error(
        "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  }
  mode->said_caching = true;
  return call.reply_ok();
}
constexpr CommandSpec kClientCaching{
    .name = "CLIENT CACHING",
    .syntax = "(YES | NO)",
    .summary = "Says whether the keys of the next command are remembered.",
    .since = "6.0.0",
    .complexity = "O(1)",
    .flags = kTrackingFlags,
    .acl = kCategoryConnection,
    .handler = client_caching_command,
};

// ---- asking ----

// CLIENT GETREDIR -> id | 0: nobody else is told | -1: this connection does not track keys
Status client_getredir_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  return call.reply(client->tracking != nullptr ? static_cast<int64_t>(client->tracking->redirect)
                                                : -1);
}
constexpr CommandSpec kClientGetRedir{
    .name = "CLIENT GETREDIR",
    .syntax = "",
    .summary = "Returns the connection that hears of changed keys instead of this one.",
    .since = "6.0.0",
    .complexity = "O(1)",
    .flags = kTrackingFlags,
    .acl = kCategoryConnection,
    .handler = client_getredir_command,
};

std::vector<std::string_view> flags_of(const TrackingMode* mode) {
  if (mode == nullptr) return {"off"};
  std::vector<std::string_view> flags{"on"};
  if (mode->broadcast) flags.emplace_back("bcast");
  if (mode->opt_in) flags.emplace_back("optin");
  if (mode->opt_in && mode->said_caching) flags.emplace_back("caching-yes");
  if (mode->opt_out) flags.emplace_back("optout");
  if (mode->opt_out && mode->said_caching) flags.emplace_back("caching-no");
  if (mode->no_loop) flags.emplace_back("noloop");
  if (mode->is_broken) flags.emplace_back("broken_redirect");
  return flags;
}

// CLIENT TRACKINGINFO -> flags, as of CLIENT GETREDIR, prefixes
Status client_trackinginfo_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  const TrackingMode* const mode = client->tracking.get();
  const std::vector<std::string_view> flags = flags_of(mode);
  resp::Reply& reply = call.reply();
  reply.map(3);
  reply.bulk("flags");
  reply.set(flags.size());
  for (const std::string_view flag : flags) reply.bulk(flag);
  reply.bulk("redirect");
  reply.integer(mode != nullptr ? static_cast<int64_t>(mode->redirect) : -1);
  reply.bulk("prefixes");
  reply.array(mode != nullptr ? mode->prefixes.size() : 0);
  if (mode == nullptr) return kOk;
  for (const std::string& prefix : mode->prefixes) reply.bulk(prefix);
  return kOk;
}
constexpr CommandSpec kClientTrackingInfo{
    .name = "CLIENT TRACKINGINFO",
    .syntax = "",
    .summary = "Returns how this connection tracks keys.",
    .since = "6.2.0",
    .complexity = "O(N) where N is the number of prefixes",
    .flags = kTrackingFlags,
    .acl = kCategoryConnection,
    .handler = client_trackinginfo_command,
};

constexpr const CommandSpec* kCommands[] = {&kClientTracking, &kClientCaching, &kClientGetRedir,
                                            &kClientTrackingInfo};

}  // namespace

extern constinit const CommandFamily kTrackingCommandsFamily;
constinit const CommandFamily kTrackingCommandsFamily{"connection", kCommands};

}  // namespace roxdb::server
