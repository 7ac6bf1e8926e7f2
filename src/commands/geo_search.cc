// geo_search.cc: members within a circle, a box or a polygon, shown or stored.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/geo/arguments.h"
#include "commands/geo/cells.h"
#include "commands/shared/reply_measure.h"
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
using types::RankRange;
using types::SortedSetValue;
using types::SortedSetView;
namespace errors = engine::errors;
namespace event = engine::event;

constexpr Status kNoSuchMember = user_error("ERR could not decode requested zset member");

// What a command's name says of the request already.
enum class Origin : uint8_t { kOptions, kPoint, kMember };
struct SearchForm {
  Origin origin;           // where the center is told
  size_t source;           // argument of the key to search
  size_t options;          // the first argument that is an option
  bool may_store = false;  // has STORE and STOREDIST
  size_t destination = 0;  // argument of the key to store in; 0: none
};

enum class Sort : uint8_t { kNone, kAscending, kDescending };

struct SearchRequest {
  GeoShape shape;
  Sort sort = Sort::kNone;
  uint64_t count = 0;  // 0: all
  bool any = false;    // the first `count` that are found
  bool with_coordinates = false;
  bool with_distance = false;
  bool with_score = false;
  size_t destination = 0;
  bool store_distance = false;

  bool shows_more() const { return with_coordinates || with_distance || with_score; }
};

struct FoundMember {
  std::string member;
  GeoPoint point;
  double score;
  double distance;  // in the unit asked for
};

// ---- the request ----

// Reads the options of one request, in the order in which Redis finds fault with them.
class RequestReader {
 public:
  RequestReader(Call& call, const SearchForm& form, const std::optional<SortedSetView>& set)
      : call_(call), form_(form), set_(set) {
    request_.destination = form.destination;
  }

  Result<SearchRequest> read() {
    ROX_TRY(read_origin());
    for (at_ = form_.options; at_ < call_.argc(); ++at_) ROX_TRY(read_option());
    ROX_TRY(check());
    // The nearest ones, unless any will do.
    if (request_.count != 0 && request_.sort == Sort::kNone && !request_.any) {
      request_.sort = Sort::kAscending;
    }
    return std::move(request_);
  }

 private:
  bool has_left(size_t count) const { return at_ + count < call_.argc(); }
  bool is_search() const { return form_.origin == Origin::kOptions; }

  // The center and the radius of the older commands, which have fixed places.
  Status read_origin() {
    if (is_search()) return kOk;
    size_t radius = form_.source + 2;
    if (form_.origin == Origin::kPoint) {
      ROX_TRY(request_.shape.center, read_geo_point(call_, form_.source + 1));
      ++radius;
    } else if (set_) {
      ROX_TRY(read_member(form_.source + 1));
    } else {
      return kOk;  // an absent key has no such member, and the rest is not looked at
    }
    return read_radius(radius);
  }

  Status read_member(size_t index) {
    if (!set_) return kOk;  // the reply will be empty
    const auto score = set_->score(call_.arg(index));
    if (!score) return kNoSuchMember;
    request_.shape.center = geo_point(*score);
    return kOk;
  }

  Status read_radius(size_t index) {
    const auto radius = call_.real(index);
    if (!radius.ok()) return user_error("ERR need numeric radius");
    if (*radius < 0) return user_error("ERR radius cannot be negative");
    request_.shape.radius = *radius;
    ROX_TRY(request_.shape.unit_m, read_geo_unit(call_, index + 1));
    return kOk;
  }

  Status read_box(size_t index) {
    const auto width = call_.real(index);
    if (!width.ok()) return user_error("ERR need numeric width");
    const auto height = call_.real(index + 1);
    if (!height.ok()) return user_error("ERR need numeric height");
    if (*width < 0 || *height < 0) return user_error("ERR height or width cannot be negative");
    request_.shape.kind = GeoShape::Kind::kBox;
    request_.shape.width = *width;
    request_.shape.height = *height;
    ROX_TRY(request_.shape.unit_m, read_geo_unit(call_, index + 2));
    return kOk;
  }

  // num-vertices and as many pairs; returns the number of arguments.
  Result<size_t> read_polygon(size_t index) {
    ROX_TRY(const int64_t corners, call_.integer(index));
    if (corners < 3 || static_cast<uint64_t>(corners) > (call_.argc() - index - 1) / 2) {
      return user_error("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
    }
    const auto count = static_cast<size_t>(corners);
    GeoShape& shape = request_.shape;
    shape.kind = GeoShape::Kind::kPolygon;
    for (size_t i = 0; i < count; ++i) {
      ROX_TRY(const GeoPoint corner, read_geo_point(call_, index + 1 + 2 * i));
      shape.corners.push_back(corner);
      shape.center.longitude += corner.longitude / static_cast<double>(count);
      shape.center.latitude += corner.latitude / static_cast<double>(count);
    }
    return 1 + 2 * count;
  }

  Status read_option() {
    if (call_.is(at_, "WITHDIST")) {
      request_.with_distance = true;
    } else if (call_.is(at_, "WITHHASH")) {
      request_.with_score = true;
    } else if (call_.is(at_, "WITHCOORD")) {
      request_.with_coordinates = true;
    } else if (call_.is(at_, "ANY")) {
      request_.any = true;
    } else if (call_.is(at_, "ASC")) {
      request_.sort = Sort::kAscending;
    } else if (call_.is(at_, "DESC")) {
      request_.sort = Sort::kDescending;
    } else if (call_.is(at_, "COUNT") && has_left(1)) {
      ROX_TRY(const int64_t count, call_.integer(++at_));
      if (count <= 0) return user_error("ERR COUNT must be > 0");
      request_.count = static_cast<uint64_t>(count);
    } else if (is_search()) {
      return read_search_option();
    } else if (form_.may_store && has_left(1) &&
               (call_.is(at_, "STORE") || call_.is(at_, "STOREDIST"))) {
      request_.store_distance = call_.is(at_, "STOREDIST");
      request_.destination = ++at_;
    } else {
      return errors::kSyntax;
    }
    return kOk;
  }

  Status read_search_option() {
    if (call_.is(at_, "FROMMEMBER") && has_left(1) && !from_point_) {
      ROX_TRY(read_member(++at_));
      from_member_ = true;
    } else if (call_.is(at_, "FROMLONLAT") && has_left(2) && !from_member_) {
      ROX_TRY(request_.shape.center, read_geo_point(call_, at_ + 1));
      from_point_ = true;
      at_ += 2;
    } else if (call_.is(at_, "BYRADIUS") && has_left(2) && may_be(GeoShape::Kind::kCircle)) {
      ROX_TRY(read_radius(at_ + 1));
      at_ += 2;
    } else if (call_.is(at_, "BYBOX") && has_left(3) && may_be(GeoShape::Kind::kBox)) {
      ROX_TRY(read_box(at_ + 1));
      at_ += 3;
    } else if (call_.is(at_, "BYPOLYGON") && has_left(1) && !has_shape_ &&
               may_be(GeoShape::Kind::kPolygon)) {
      ROX_TRY(const size_t count, read_polygon(at_ + 1));
      at_ += count;
    } else if (form_.destination != 0 && call_.is(at_, "STOREDIST")) {
      request_.store_distance = true;
    } else {
      return errors::kSyntax;
    }
    return kOk;
  }

  // One kind of shape; the last one given of a kind counts.
  bool may_be(GeoShape::Kind kind) {
    if (has_shape_ && request_.shape.kind != kind) return false;
    has_shape_ = true;
    return true;
  }

  Status check() {
    if (request_.destination != 0 && request_.shows_more()) {
      return call_.fail("ERR {} is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                        is_search() ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    }
    const bool has_center = from_member_ || from_point_;
    const bool is_polygon = request_.shape.kind == GeoShape::Kind::kPolygon;
    if (is_polygon && has_center) return errors::kSyntax;  // it has a center of its own
    if (is_search() && !has_center && !is_polygon) {
      return call_.fail("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}",
                        call_.arg(0));
    }
    if (is_search() && !has_shape_) {
      return call_.fail("ERR exactly one of BYRADIUS and BYBOX can be specified for {}",
                        call_.arg(0));
    }
    if (request_.any && request_.count == 0) {
      return user_error("ERR the ANY argument requires COUNT argument");
    }
    return kOk;
  }

  Call& call_;
  const SearchForm& form_;
  const std::optional<SortedSetView>& set_;
  SearchRequest request_;
  size_t at_ = 0;  // the argument that is read
  bool from_member_ = false;
  bool from_point_ = false;
  bool has_shape_ = false;
};

// ---- searching ----

std::vector<FoundMember> find_members(const SortedSetView& set, const SearchRequest& request) {
  std::vector<FoundMember> found;
  const uint64_t enough = request.any ? request.count : UINT64_MAX;
  for (const GeoCell& cell : request.shape.cells()) {
    if (found.size() >= enough) break;
    const RankRange range{
        .first = set.rank_of_score(static_cast<double>(cell.first_score()), false),
        .last = set.rank_of_score(static_cast<double>(cell.last_score()), false)};
    set.visit(range, [&](std::string_view member, double score) {
      const GeoPoint point = geo_point(score);
      if (const auto distance_m = request.shape.distance_m(point)) {
        found.push_back({std::string(member), point, score, *distance_m / request.shape.unit_m});
      }
      return found.size() < enough;
    });
  }
  return found;
}

// Members at the same distance stay in the order in which they were found.
void sort_members(std::vector<FoundMember>& found, Sort sort) {
  if (sort == Sort::kAscending) {
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.distance < b.distance; });
  } else if (sort == Sort::kDescending) {
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.distance > b.distance; });
  }
}

// `bytes`: of all members of the set.
Status reply_found(Call& call, const SearchRequest& request, const std::vector<FoundMember>& found,
                   size_t bytes) {
  constexpr uint64_t kPartsMax = 7;  // the row, member, distance, score, and a point of two numbers
  return reply_measured(
      call, reply_bytes_of(kPartsMax * found.size(), bytes), [&](resp::Reply& reply) {
        reply.array(found.size());
        const int parts = 1 + request.with_distance + request.with_score + request.with_coordinates;
        for (const FoundMember& member : found) {
          if (parts > 1) reply.array(static_cast<size_t>(parts));
          reply.bulk(member.member);
          if (request.with_distance) reply_geo_distance(reply, member.distance);
          if (request.with_score) reply.integer(static_cast<int64_t>(member.score));
          if (request.with_coordinates) reply_geo_point(reply, member.point);
        }
      });
}

Status store_found(Call& call, const SearchRequest& request, engine::Event stored,
                   const std::vector<FoundMember>& found) {
  ResultSet result(call, call.arg(request.destination));
  for (const FoundMember& member : found) {
    result.value().add(member.member, request.store_distance ? member.distance : member.score);
  }
  return store_result(call, request.destination, result, stored);
}

Status search(Call& call, const SearchForm& form) {
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, form.source));
  ROX_TRY(const SearchRequest request, RequestReader(call, form, set).read());
  std::vector<FoundMember> found;
  if (set) {
    found = find_members(*set, request);
    sort_members(found, request.sort);
    if (request.count != 0 && found.size() > request.count) found.resize(request.count);
  }
  if (request.destination == 0) return reply_found(call, request, found, set ? set->bytes() : 0);
  return store_found(
      call, request,
      form.origin == Origin::kOptions ? event::kGeoSearchStore : event::kGeoRadiusStore, found);
}

// ---- commands ----

// GEOSEARCH key [...] -> members, each with what else was asked for
Status geosearch_command(Call& call) {
  return search(call, {.origin = Origin::kOptions, .source = 1, .options = 2});
}
constexpr Example kGeoSearchExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC", "*[$Catania $Palermo]"},
    {"GEOSEARCH k FROMMEMBER Palermo BYBOX 400 400 km DESC WITHDIST COUNT 1",
     "*[*[$Catania $166.2742]]"},
    {"GEOSEARCH k BYPOLYGON 3 12 39 14 39 13 37 WITHHASH", "*[*[$Palermo :3479099956230698]]"},
    {"GEOSEARCH k FROMMEMBER x BYRADIUS 1 km", "-ERR could not decode requested zset member"}};
constexpr CommandSpec kGeoSearch{
    .name = "GEOSEARCH",
    .syntax =
        "key [FROMMEMBER member | FROMLONLAT longitude latitude] "
        "(BYRADIUS radius (M | KM | FT | MI) | BYBOX width height (M | KM | FT | MI) | "
        "BYPOLYGON num-vertices (longitude latitude)...) [ASC | DESC] [COUNT count [ANY]] "
        "[WITHCOORD] [WITHDIST] [WITHHASH]",
    .summary = "Returns the members within a circle, a box or a polygon.",
    .since = "6.2.0",
    .complexity =
        "O(N+log(M)) where N is the number of members in the cells around the shape and M that of "
        "those within it",
    .flags = kReadOnly,
    .keys = "1:RO",
    .arity = -7,
    .handler = geosearch_command,
    .examples = kGeoSearchExamples,
};

// GEOSEARCHSTORE destination source [...] -> members stored
Status geosearchstore_command(Call& call) {
  return search(call, {.origin = Origin::kOptions, .source = 2, .options = 3, .destination = 1});
}
constexpr Example kGeoSearchStoreExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 100 km", ":1"},
    {"ZRANGE d 0 -1 WITHSCORES", "*[$Catania ,3479447370796909]"},
    {"GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST", ":1"},
    {"ZRANGE d 0 -1 WITHSCORES", "*[$Catania ,56.4412578701582]"}};
constexpr CommandSpec kGeoSearchStore{
    .name = "GEOSEARCHSTORE",
    .syntax =
        "destination source [FROMMEMBER member | FROMLONLAT longitude latitude] "
        "(BYRADIUS radius (M | KM | FT | MI) | BYBOX width height (M | KM | FT | MI) | "
        "BYPOLYGON num-vertices (longitude latitude)...) [ASC | DESC] [COUNT count [ANY]] "
        "[STOREDIST]",
    .summary = "Stores the members within a circle, a box or a polygon.",
    .since = "6.2.0",
    .complexity =
        "O(N+log(M)) where N is the number of members in the cells around the shape and M that of "
        "those within it",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,2:RO",
    .arity = -8,
    .handler = geosearchstore_command,
    .examples = kGeoSearchStoreExamples,
};

// GEORADIUS key longitude latitude radius unit [...] -> members, or how many were stored
Status georadius_command(Call& call) {
  return search(call, {.origin = Origin::kPoint, .source = 1, .options = 6, .may_store = true});
}
constexpr Example kGeoRadiusExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEORADIUS k 15 37 200 km WITHDIST ASC", "*[*[$Catania $56.4413] *[$Palermo $190.4424]]"},
    {"GEORADIUS k 15 37 100 km STORE d", ":1"},
    {"ZRANGE d 0 -1", "*[$Catania]"}};
constexpr CommandSpec kGeoRadius{
    .name = "GEORADIUS",
    .syntax =
        "key longitude latitude radius (M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] "
        "[COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]",
    .summary = "Returns the members around a place, or stores them.",
    .since = "3.2.0",
    .complexity =
        "O(N+log(M)) where N is the number of members in the cells around the circle and M that of "
        "those within it",
    .flags = kWrite | kDenyOom,
    .keys = "1:RO,after(STORE,6):OW,after(STOREDIST,6):OW",
    .deprecated_since = "6.2.0",
    .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
    .handler = georadius_command,
    .examples = kGeoRadiusExamples,
};

// GEORADIUS_RO key longitude latitude radius unit [...] -> members
Status georadius_ro_command(Call& call) {
  return search(call, {.origin = Origin::kPoint, .source = 1, .options = 6});
}
constexpr Example kGeoRadiusRoExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEORADIUS_RO k 15 37 200 km COUNT 1", "*[$Catania]"},
    {"GEORADIUS_RO k 15 37 200 km STORE d", "-ERR syntax error"}};
constexpr CommandSpec kGeoRadiusRo{
    .name = "GEORADIUS_RO",
    .syntax =
        "key longitude latitude radius (M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] "
        "[COUNT count [ANY]] [ASC | DESC]",
    .summary = "Returns the members around a place.",
    .since = "3.2.10",
    .complexity =
        "O(N+log(M)) where N is the number of members in the cells around the circle and M that of "
        "those within it",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "6.2.0",
    .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument",
    .handler = georadius_ro_command,
    .examples = kGeoRadiusRoExamples,
};

// GEORADIUSBYMEMBER key member radius unit [...] -> members, or how many were stored
Status georadiusbymember_command(Call& call) {
  return search(call, {.origin = Origin::kMember, .source = 1, .options = 5, .may_store = true});
}
constexpr Example kGeoRadiusByMemberExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEORADIUSBYMEMBER k Palermo 100 km", "*[$Palermo]"},
    {"GEORADIUSBYMEMBER k Palermo 200 km STOREDIST d", ":2"},
    {"ZSCORE d Palermo", ",0"}};
constexpr CommandSpec kGeoRadiusByMember{
    .name = "GEORADIUSBYMEMBER",
    .syntax =
        "key member radius (M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] "
        "[COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]",
    .summary = "Returns the members around another one, or stores them.",
    .since = "3.2.0",
    .complexity =
        "O(N+log(M)) where N is the number of members in the cells around the circle and M that of "
        "those within it",
    .flags = kWrite | kDenyOom,
    .keys = "1:RO,after(STORE,5):OW,after(STOREDIST,5):OW",
    .deprecated_since = "6.2.0",
    .replaced_by =
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    .handler = georadiusbymember_command,
    .examples = kGeoRadiusByMemberExamples,
};

// GEORADIUSBYMEMBER_RO key member radius unit [...] -> members
Status georadiusbymember_ro_command(Call& call) {
  return search(call, {.origin = Origin::kMember, .source = 1, .options = 5});
}
constexpr Example kGeoRadiusByMemberRoExamples[] = {
    {"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
    {"GEORADIUSBYMEMBER_RO k Palermo 200 km", "*[$Palermo $Catania]"}};
constexpr CommandSpec kGeoRadiusByMemberRo{
    .name = "GEORADIUSBYMEMBER_RO",
    .syntax =
        "key member radius (M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] "
        "[COUNT count [ANY]] [ASC | DESC]",
    .summary = "Returns the members around another one.",
    .since = "3.2.10",
    .complexity =
        "O(N+log(M)) where N is the number of members in the cells around the circle and M that of "
        "those within it",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "6.2.0",
    .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
    .handler = georadiusbymember_ro_command,
    .examples = kGeoRadiusByMemberRoExamples,
};

constexpr const CommandSpec* kCommands[] = {&kGeoRadius,           &kGeoRadiusByMember,
                                            &kGeoRadiusByMemberRo, &kGeoRadiusRo,
                                            &kGeoSearch,           &kGeoSearchStore};

}  // namespace

extern constinit const engine::CommandFamily kGeoSearchFamily;
constinit const engine::CommandFamily kGeoSearchFamily{"geo", kCommands};

}  // namespace roxdb::commands
