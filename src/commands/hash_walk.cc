// hash_walk.cc: many fields of a hash: all of them, some at a time, or some at random.
#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_set>
#include <vector>

#include "commands/hash/edit.h"
#include "commands/shared/reply_measure.h"
#include "commands/shared/scan_options.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/hash_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kReadOnly;
using types::HashField;
using types::HashView;
namespace errors = engine::errors;

using Field = HashView::Field;

enum class Part : uint8_t { kNames, kValues, kBoth };

// HGETALL, HKEYS, HVALS: each field goes straight from the hash into the reply.
Status reply_all(Call& call, Part part) {
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  const size_t count = hash ? hash->live_size() : 0;
  return reply_measured(call, reply_bytes_of(uint64_t{2} * count, hash ? hash->bytes() : 0),
                        [&](resp::Reply& reply) {
                          if (part == Part::kBoth) {
                            reply.map(count);
                          } else {
                            reply.array(count);
                          }
                          if (!hash) return;
                          hash->for_each([&](const Field& field) {
                            if (part != Part::kValues) reply.bulk(field.name);
                            if (part != Part::kNames) reply.bulk(field.value);
                          });
                        });
}

// HGETALL key -> map of field to value
Status hgetall_command(Call& call) { return reply_all(call, Part::kBoth); }
constexpr Example kHGetAllExamples[] = {
    {"HSET h f 1 g ab", ":2"}, {"HGETALL h", "%{$f $1 $g $ab}"}, {"HGETALL none", "%{}"}};
constexpr CommandSpec kHGetAll{
    .name = "HGETALL",
    .syntax = "key",
    .summary = "Returns all fields with their values.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output_order",
    .handler = hgetall_command,
    .examples = kHGetAllExamples,
};

// HKEYS key -> all fields
Status hkeys_command(Call& call) { return reply_all(call, Part::kNames); }
constexpr Example kHKeysExamples[] = {
    {"HSET h f 1 g ab", ":2"}, {"HKEYS h", "*[$f $g]"}, {"HKEYS none", "*[]"}};
constexpr CommandSpec kHKeys{
    .name = "HKEYS",
    .syntax = "key",
    .summary = "Returns all fields.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output_order",
    .handler = hkeys_command,
    .examples = kHKeysExamples,
};

// HVALS key -> all values
Status hvals_command(Call& call) { return reply_all(call, Part::kValues); }
constexpr Example kHValsExamples[] = {{"HSET h f 1 g ab", ":2"}, {"HVALS h", "*[$1 $ab]"}};
constexpr CommandSpec kHVals{
    .name = "HVALS",
    .syntax = "key",
    .summary = "Returns the values of all fields.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output_order",
    .handler = hvals_command,
    .examples = kHValsExamples,
};

// A packed hash is walked in one step, its matches counted while they are written.
Status scan_packed(Call& call, const HashView& hash, const ScanOptions& options) {
  call.reply().bulk("0");
  const auto open = call.reply().open(resp::Reply::Aggregate::kArray);
  size_t count = 0;
  hash.for_each([&](const Field& field) {
    if (!options.pattern.matches(field.name)) return;
    call.reply().bulk(field.name);
    if (!options.no_values) call.reply().bulk(field.value);
    count += options.no_values ? 1 : 2;
  });
  call.reply().close(open, count);
  return kOk;
}

Status scan_table(Call& call, const HashView& hash, uint64_t cursor, const ScanOptions& options) {
  std::vector<Field> found;
  size_t bytes = 0;
  ScanEffort effort(options.count);
  do {
    effort.step();
    cursor = hash.scan(cursor, [&](const Field& field) {
      effort.visit();
      if (!options.pattern.matches(field.name)) return;
      found.push_back(field);
      bytes += field.name.size() + (options.no_values ? 0 : field.value.size());
    });
  } while (cursor != 0 && !effort.is_spent() && bytes < call.engine().reply_bytes_max);

  call.reply().bulk(std::to_string(cursor));
  call.reply().array(options.no_values ? found.size() : 2 * found.size());
  for (const Field& field : found) {
    call.reply().bulk(field.name);
    if (!options.no_values) call.reply().bulk(field.value);
  }
  return kOk;
}

// HSCAN key cursor [...] -> [where to go on, fields and values]. Every field that is there all the
// time comes at least once, see containers/table.h.
Status hscan_command(Call& call) {
  ROX_TRY(const uint64_t cursor, read_scan_cursor(call, 2));
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  if (!hash) {
    call.reply().array(2);
    call.reply().bulk("0");
    call.reply().array(0);
    return kOk;
  }
  ROX_TRY(const ScanOptions options, read_scan_options(call, 3, Scanned::kFields));
  call.reply().array(2);
  return types::is_table(hash->encoding()) ? scan_table(call, *hash, cursor, options)
                                           : scan_packed(call, *hash, options);
}
constexpr Example kHScanExamples[] = {{"HSET h f 1 g 2", ":2"},
                                      {"HSCAN h 0", "*[$0 *[$f $1 $g $2]]"},
                                      {"HSCAN h 0 MATCH g* COUNT 100 NOVALUES", "*[$0 *[$g]]"},
                                      {"HSCAN none 0", "*[$0 *[]]"},
                                      {"HSCAN h x", "-ERR invalid cursor"}};
constexpr CommandSpec kHScan{
    .name = "HSCAN",
    .syntax = "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
    .summary = "Walks over the fields, some at each call.",
    .since = "2.8.0",
    .complexity = "O(COUNT) for every call, O(N) for a whole walk over N fields",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = hscan_command,
    .examples = kHScanExamples,
};

// One kind of hash, for picking at random: fields are named by what costs nothing to copy.
//   Pick pick(Random&)      any field, all equally likely; REQUIRES: there is one
//   for_each(visit(Pick))   all
//   Field read(Pick, name room, value room)
// Neither gives a field that is due: `live` of `size()` are not.
class PackedPicks {
 public:
  using Pick = size_t;  // offset into the run
  explicit PackedPicks(const HashView& hash) : fields_(hash.packed()) {
    fields_.for_each([&](const types::PackedFields::Field& field) {
      if (!hash.is_due(field.expire_at_ms)) offsets_.push_back(field.begin);
    });
  }
  Pick pick(Random& random) const { return offsets_[random.below(offsets_.size())]; }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const size_t offset : offsets_) visit(offset);
  }
  Field read(Pick offset, char* name_room, char* value_room) const {
    const auto field = fields_.read(offset);
    return {field.name.text(name_room), field.value.text(value_room), field.expire_at_ms};
  }

 private:
  types::PackedFields fields_;
  std::vector<size_t> offsets_;
};

class TablePicks {
 public:
  using Pick = const HashField*;
  explicit TablePicks(const HashView& hash) : hash_(hash) {
    if (!hash.has_due()) return;
    for_each([this](const HashField* field) { live_.push_back(field); });
  }
  Pick pick(Random& random) const {
    return live_.empty() ? hash_.table().sample(random) : live_[random.below(live_.size())];
  }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    hash_.table().for_each([&](const HashField* field) {
      if (!hash_.is_due(field->expire_at_ms())) visit(field);
    });
  }
  Field read(Pick field, char*, char*) const { return {field->name(), field->value(), -1}; }

 private:
  const HashView& hash_;
  std::vector<const HashField*> live_;  // when some are due: they may be few among many
};

struct RandomFields {
  uint64_t count = 1;
  bool distinct = true;  // else a field may come more than once
  bool with_values = false;
};

template <class Picks>
void reply_pick(resp::Reply& reply, const Picks& picks, typename Picks::Pick pick,
                bool with_values) {
  char name[kIntegerDigitsMax];
  char value[kIntegerDigitsMax];
  const Field field = picks.read(pick, name, value);
  if (with_values && reply.protocol() >= 3) reply.array(2);
  reply.bulk(field.name);
  if (with_values) reply.bulk(field.value);
}

// `live`: fields there are, > 0; `count` are wanted.
template <class Reply, class Picks>
void show_random(Reply& reply, const Picks& picks, size_t live, uint64_t count,
                 const RandomFields& wanted, Random& random) {
  const bool in_pairs = wanted.with_values && reply.protocol() < 3;
  reply.array(in_pairs ? 2 * count : count);
  // Few of many are drawn until they differ; otherwise one walk decides for each field whether it
  // is among those still to be found (Knuth, TAOCP 2, 3.4.2, algorithm S).
  constexpr uint64_t kMany = 3;
  if (!wanted.distinct) {
    for (uint64_t i = 0; i < count && !is_enough(reply); ++i) {
      reply_pick(reply, picks, picks.pick(random), wanted.with_values);
    }
  } else if (count < live / kMany) {
    std::unordered_set<typename Picks::Pick> drawn;
    while (drawn.size() < count && !is_enough(reply)) {
      const auto pick = picks.pick(random);
      if (drawn.insert(pick).second) reply_pick(reply, picks, pick, wanted.with_values);
    }
  } else {
    uint64_t missing = count;
    uint64_t left = live;
    picks.for_each([&](typename Picks::Pick pick) {
      if (random.below(left--) >= missing) return;
      missing--;
      reply_pick(reply, picks, pick, wanted.with_values);
    });
  }
}

// `bytes_each`: what a field takes on average, when it is not shown without its value.
template <class Picks>
Status reply_random(Call& call, const Picks& picks, size_t live, uint64_t bytes_each,
                    const RandomFields& wanted) {
  const uint64_t count = wanted.distinct ? std::min<uint64_t>(wanted.count, live) : wanted.count;
  if (count > call.engine().reply_bytes_max / kPartBytes) return errors::kReplyTooLarge;
  // What was measured is what is drawn again.
  const Random before = call.engine().random;
  return reply_measured(call, count * bytes_each, [&](auto& reply) {
    call.engine().random = before;
    show_random(reply, picks, live, count, wanted, call.engine().random);
  });
}

Result<RandomFields> read_random_fields(Call& call) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ROX_TRY(const int64_t count, call.integer(2));
  if (count < -kMax) {
    return call.fail("ERR value is out of range, value must between {} and {}", -kMax, kMax);
  }
  RandomFields wanted{.count = static_cast<uint64_t>(count < 0 ? -count : count),
                      .distinct = count >= 0};
  if (call.argc() > 4 || (call.argc() == 4 && !call.is(3, "WITHVALUES"))) return errors::kSyntax;
  wanted.with_values = call.argc() == 4;
  if (wanted.with_values && wanted.count > uint64_t{kMax} / 2) {
    return user_error("ERR value is out of range");
  }
  return wanted;
}

// HRANDFIELD key -> a field | nil
// HRANDFIELD key count [WITHVALUES] -> so many different ones; -count: which may repeat
Status hrandfield_command(Call& call) {
  RandomFields wanted;
  if (call.argc() > 2) {
    ROX_TRY(wanted, read_random_fields(call));
  }
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  const size_t live = hash ? hash->live_size() : 0;
  const bool single = call.argc() == 2;
  if (live == 0 || wanted.count == 0) {
    if (single) return call.reply_null();
    call.reply().array(0);
    return kOk;
  }
  const auto reply_from = [&](const auto& picks) -> Status {
    if (!single) {
      return reply_random(call, picks, live, hash->bytes() / hash->size() + kPartBytes, wanted);
    }
    reply_pick(call.reply(), picks, picks.pick(call.engine().random), false);
    return kOk;
  };
  return types::is_table(hash->encoding()) ? reply_from(TablePicks(*hash))
                                           : reply_from(PackedPicks(*hash));
}
constexpr Example kHRandFieldExamples[] = {
    {"HRANDFIELD h", "$nil"},        {"HSET h f 1", ":1"},
    {"HRANDFIELD h", "$f"},          {"HRANDFIELD h 5 WITHVALUES", "*[$f $1]"},
    {"HRANDFIELD h -2", "*[$f $f]"}, {"HRANDFIELD none 5", "*[]"}};
constexpr CommandSpec kHRandField{
    .name = "HRANDFIELD",
    .syntax = "key [count [WITHVALUES]]",
    .summary = "Returns fields at random.",
    .since = "6.2.0",
    .complexity = "O(N) where N is the number of fields returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = hrandfield_command,
    .examples = kHRandFieldExamples,
};

constexpr const CommandSpec* kCommands[] = {&kHGetAll, &kHKeys, &kHRandField, &kHScan, &kHVals};

}  // namespace

extern constinit const engine::CommandFamily kHashWalkFamily;
constinit const engine::CommandFamily kHashWalkFamily{"hash", kCommands};

}  // namespace roxdb::commands
