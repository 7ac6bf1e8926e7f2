// geo.cc: places as members of sorted sets. Searches: geo_search.cc; how a place becomes a score:
// geo/cells.h.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "commands/geo/arguments.h"
#include "commands/geo/cells.h"
#include "commands/sorted_set/members.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kDenyOom;
using engine::kReadOnly;
using engine::kWrite;
using types::Added;
using types::AddRule;
using types::SortedSetValue;
using types::SortedSetView;
namespace errors = engine::errors;
namespace event = engine::event;

// Logs the places as the scores they have become: replay needs no geometry.
void log_as_zadd(Call& call, size_t first, const std::vector<uint64_t>& scores) {
  std::vector<std::string> texts;
  texts.reserve(scores.size());
  for (const uint64_t score : scores) texts.push_back(std::to_string(score));
  std::vector<std::string_view> args{"ZADD"};
  for (size_t i = 1; i < first; ++i) args.push_back(call.arg(i));
  for (size_t i = 0; i < texts.size(); ++i) {
    args.push_back(texts[i]);
    args.push_back(call.arg(first + 3 * i + 2));
  }
  call.log_as(call.db(), args);
}

// GEOADD key [NX | XX] [CH] (longitude latitude member)... -> members added, with CH also those
// moved
Status geoadd_command(Call& call) {
  AddRule rule;
  bool count_changed = false;
  size_t first = 2;
  for (; first < call.argc(); ++first) {
    if (call.is(first, "NX")) {
      rule.only_new = true;
    } else if (call.is(first, "XX")) {
      rule.only_existing = true;
    } else if (call.is(first, "CH")) {
      count_changed = true;
    } else {
      break;
    }
  }
  const size_t left = call.argc() - first;
  if (left == 0 || left % 3 != 0 || (rule.only_new && rule.only_existing)) return errors::kSyntax;
  std::vector<uint64_t> scores;
  for (size_t i = first; i < call.argc(); i += 3) {
    ROX_TRY(const GeoPoint point, read_geo_point(call, i));
    scores.push_back(geo_score(point));
  }
  if (rule.only_existing && call.find(1) == nullptr) return call.reply(0);
  ROX_TRY(SortedSetValue set, call.edit_or_create<SortedSetValue>(1));
  int64_t added = 0;
  int64_t updated = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const Added done = set.add(call.arg(first + 3 * i + 2), static_cast<double>(scores[i]), rule);
    added += done.outcome == Added::Outcome::kAdded;
    updated += done.outcome == Added::Outcome::kUpdated;
  }
  if (added + updated > 0) {
    call.changed(event::kZAdd, 1, added + updated);
    log_as_zadd(call, first, scores);
  }
  return call.reply(count_changed ? added + updated : added);
}
constexpr Example kGeoAddExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEOADD k CH 13.36 38.11 Palermo 2.35 48.85 Paris", ":2"},
    {"ZSCORE k Catania", ",3479447370796909"},
    {"GEOADD k 181 0 x", "-ERR invalid longitude,latitude pair 181.000000,0.000000"}};
constexpr CommandSpec kGeoAdd{
    .name = "GEOADD",
    .syntax = "key [NX | XX] [CH] (longitude latitude member)...",
    .summary = "Adds members with their places, or moves them.",
    .since = "3.2.0",
    .complexity = "O(log(N)) for each member, where N is the number of members in the set",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW!u",
    .members = "4..end/3",
    .handler = geoadd_command,
    .examples = kGeoAddExamples,
};

// GEOPOS key member... -> for each [longitude, latitude], nil where it is absent
Status geopos_command(Call& call) {
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  call.reply().array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const auto score = set ? set->score(call.arg(i)) : std::nullopt;
    if (score) {
      reply_geo_point(call.reply(), geo_point(*score));
    } else {
      call.reply().null_array();
    }
  }
  return kOk;
}
constexpr Example kGeoPosExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo", ":1"},
    {"GEOPOS k Palermo x", "*[*[$13.36138933897018433 $38.11555639549629859] *nil]"}};
constexpr CommandSpec kGeoPos{
    .name = "GEOPOS",
    .syntax = "key [member...]",
    .summary = "Returns the places of members.",
    .since = "3.2.0",
    .complexity = "O(1) for each member",
    .flags = kReadOnly,
    .keys = "1:RO",
    .members = "2..end",
    .handler = geopos_command,
    .examples = kGeoPosExamples,
};

// GEODIST key member1 member2 [unit] -> the distance, nil when one is absent
Status geodist_command(Call& call) {
  double unit_m = 1;
  if (call.argc() > 5) return errors::kSyntax;
  if (call.argc() == 5) {
    ROX_TRY(unit_m, read_geo_unit(call, 4));
  }
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  const auto from = set ? set->score(call.arg(2)) : std::nullopt;
  const auto to = set ? set->score(call.arg(3)) : std::nullopt;
  if (!from || !to) return call.reply_null();
  reply_geo_distance(call.reply(), geo_distance(geo_point(*from), geo_point(*to)) / unit_m);
  return kOk;
}
constexpr Example kGeoDistExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEODIST k Palermo Catania", "$166274.1516"},
    {"GEODIST k Palermo Catania KM", "$166.2742"},
    {"GEODIST k Palermo x", "$nil"}};
constexpr CommandSpec kGeoDist{
    .name = "GEODIST",
    .syntax = "key member1 member2 [M | KM | FT | MI]",
    .summary = "Returns the distance between two members.",
    .since = "3.2.0",
    .complexity = "O(1)",
    .flags = kReadOnly,
    .keys = "1:RO",
    .members = "2..end",
    .handler = geodist_command,
    .examples = kGeoDistExamples,
};

// The eleven letters that other systems know a place by. They cut latitudes from -90 to 90, so the
// place is encoded anew; 52 bits fill ten letters, and the eleventh is always 0.
std::string geohash_text(double score) {
  constexpr char kLetters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr double kPole = 90;
  constexpr int kFullLetters = 10;
  const uint64_t bits = GeoCell::of(geo_point(score), kGeoSteps, kPole).bits();
  std::string text;
  for (int i = 1; i <= kFullLetters; ++i) text += kLetters[bits >> (2 * kGeoSteps - 5 * i) & 31];
  return text + kLetters[0];
}

// GEOHASH key member... -> for each its Geohash, nil where it is absent
Status geohash_command(Call& call) {
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  call.reply().array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const auto score = set ? set->score(call.arg(i)) : std::nullopt;
    if (score) {
      call.reply().bulk(geohash_text(*score));
    } else {
      call.reply().null();
    }
  }
  return kOk;
}
constexpr Example kGeoHashExamples[] = {{"GEOADD k 13.361389 38.115556 Palermo", ":1"},
                                        {"GEOHASH k Palermo x", "*[$sqc8b49rny0 $nil]"}};
constexpr CommandSpec kGeoHash{
    .name = "GEOHASH",
    .syntax = "key [member...]",
    .summary = "Returns the places of members as Geohash text.",
    .since = "3.2.0",
    .complexity = "O(1) for each member",
    .flags = kReadOnly,
    .keys = "1:RO",
    .members = "2..end",
    .handler = geohash_command,
    .examples = kGeoHashExamples,
};

constexpr const CommandSpec* kCommands[] = {&kGeoAdd, &kGeoDist, &kGeoHash, &kGeoPos};

}  // namespace

extern constinit const engine::CommandFamily kGeoFamily;
constinit const engine::CommandFamily kGeoFamily{"geo", kCommands};

}  // namespace roxdb::commands
