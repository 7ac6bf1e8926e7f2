// lcs.cc: LCS, and STRALGO, which it was before Redis 7. What is computed: string/lcs.h.
#include <string>
#include <vector>

#include "commands/string/lcs.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/string_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kReadOnly;
namespace errors = engine::errors;

struct Options {
  bool size_only = false;    // LEN
  bool indexes = false;      // IDX
  bool with_sizes = false;   // WITHMATCHLEN
  int64_t run_size_min = 0;  // MINMATCHLEN
};

// Takes the option at argument `i`, and moves `i` to its last argument.
Status read_option(const Call& call, size_t& i, Options& options) {
  if (call.is(i, "LEN")) {
    options.size_only = true;
  } else if (call.is(i, "IDX")) {
    options.indexes = true;
  } else if (call.is(i, "WITHMATCHLEN")) {
    options.with_sizes = true;
  } else if (call.is(i, "MINMATCHLEN") && i + 1 < call.argc()) {
    ROX_TRY(options.run_size_min, call.integer(++i));
  } else {
    return errors::kSyntax;
  }
  return kOk;
}

void reply_ends(Call& call, size_t begin, size_t size) {
  call.reply().array(2);
  call.reply().integer(static_cast<int64_t>(begin));
  call.reply().integer(static_cast<int64_t>(begin + size - 1));
}

void reply_indexes(Call& call, const std::vector<CommonRun>& runs, const Options& options) {
  const auto is_shown = [&](const CommonRun& run) {
    return static_cast<int64_t>(run.size) >= options.run_size_min;
  };
  size_t shown = 0;
  size_t size = 0;
  for (const CommonRun& run : runs) {
    shown += size_t{is_shown(run)};
    size += run.size;
  }
  call.reply().map(2);
  call.reply().bulk("matches");
  call.reply().array(shown);
  for (const CommonRun& run : runs) {
    if (!is_shown(run)) continue;
    call.reply().array(options.with_sizes ? 3 : 2);
    reply_ends(call, run.a_begin, run.size);
    reply_ends(call, run.b_begin, run.size);
    if (options.with_sizes) call.reply().integer(static_cast<int64_t>(run.size));
  }
  call.reply().bulk("len");
  call.reply().integer(static_cast<int64_t>(size));
}

Status reply_lcs(Call& call, std::string_view a, std::string_view b, const Options& options) {
  if (options.size_only && options.indexes) {
    return user_error("ERR If you want both the length and indexes, please just use IDX.");
  }
  if (options.size_only) {
    ROX_TRY(const size_t size, lcs_size(a, b));
    return call.reply(static_cast<int64_t>(size));
  }
  ROX_TRY(const std::vector<CommonRun> runs, lcs_runs(a, b));
  if (options.indexes) {
    reply_indexes(call, runs, options);
    return kOk;
  }
  std::string bytes;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    bytes.append(a.substr(run->a_begin, run->size));
  }
  return call.reply_bulk(bytes);
}

// The values of two keys, the first at argument `first`; absent ones are empty.
class TwoStrings {
 public:
  static Result<TwoStrings> read(Call& call, size_t first) {
    const Entry* entries[2] = {call.read(first), call.read(first + 1)};
    for (const Entry* entry : entries) {
      if (entry != nullptr && entry->type() != types::TypeId::kString) {
        return user_error("ERR The specified keys must contain string values");
      }
    }
    return TwoStrings(entries[0], entries[1]);
  }
  std::string_view a() const { return a_ ? a_->view() : std::string_view(); }
  std::string_view b() const { return b_ ? b_->view() : std::string_view(); }

 private:
  TwoStrings(const Entry* a, const Entry* b) {
    if (a != nullptr) a_.emplace(*a);
    if (b != nullptr) b_.emplace(*b);
  }
  std::optional<types::StringView> a_;
  std::optional<types::StringView> b_;
};

// LCS key1 key2 [...] -> the subsequence | its length | [matches, runs, len, its length]
Status lcs_command(Call& call) {
  ROX_TRY(const TwoStrings strings, TwoStrings::read(call, 1));
  Options options;
  for (size_t i = 3; i < call.argc(); ++i) ROX_TRY(read_option(call, i, options));
  return reply_lcs(call, strings.a(), strings.b(), options);
}
constexpr Example kLcsExamples[] = {
    {"MSET a ohmytext b mynewtext", "+OK"},
    {"LCS a b", "$mytext"},
    {"LCS a b LEN", ":6"},
    {"LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", "%{$matches *[*[*[:4 :7] *[:5 :8] :4]] $len :6}"},
    {"LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."}};
constexpr CommandSpec kLcs{
    .name = "LCS",
    .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]",
    .summary = "Finds the longest common subsequence of two strings.",
    .since = "7.0.0",
    .complexity = "O(N*M) where N and M are the lengths of the strings, 64 cells at a time",
    .flags = kReadOnly,
    .keys = "1..+1:RO",
    .handler = lcs_command,
    .examples = kLcsExamples,
};

// STRALGO LCS (KEYS key1 key2 | STRINGS string1 string2) [...] -> as LCS
Status stralgo_command(Call& call) {
  if (!call.is(1, "LCS")) return errors::kSyntax;
  Options options;
  std::optional<TwoStrings> keys;
  size_t first_string = 0;  // of STRINGS
  for (size_t i = 2; i < call.argc(); ++i) {
    const bool is_keys = call.is(i, "KEYS");
    if ((is_keys || call.is(i, "STRINGS")) && i + 2 < call.argc()) {
      if (keys || first_string != 0) return user_error("ERR Either use STRINGS or KEYS");
      if (is_keys) {
        ROX_TRY(keys, TwoStrings::read(call, i + 1));
      } else {
        first_string = i + 1;
      }
      i += 2;
    } else {
      ROX_TRY(read_option(call, i, options));
    }
  }
  if (keys) return reply_lcs(call, keys->a(), keys->b(), options);
  if (first_string == 0) {
    return user_error("ERR Please specify two strings: STRINGS or KEYS options are mandatory");
  }
  return reply_lcs(call, call.arg(first_string), call.arg(first_string + 1), options);
}
constexpr Example kStrAlgoExamples[] = {{"STRALGO LCS STRINGS ohmytext mynewtext", "$mytext"},
                                        {"STRALGO LCS KEYS a b LEN", ":0"}};
constexpr CommandSpec kStrAlgo{
    .name = "STRALGO",
    .syntax =
        "LCS (KEYS key1 key2 | STRINGS string1 string2) [LEN] [IDX] [MINMATCHLEN length] "
        "[WITHMATCHLEN]",
    .summary = "Finds the longest common subsequence of two strings or of the values of two keys.",
    .since = "6.0.0",
    .complexity = "O(N*M) where N and M are the lengths of the strings, 64 cells at a time",
    .flags = kReadOnly,
    .keys = "after(KEYS,2)..+1:RO",
    .arity = -2,
    .deprecated_since = "7.0.0",
    .replaced_by = "`LCS`",
    .handler = stralgo_command,
    .examples = kStrAlgoExamples,
};

constexpr const CommandSpec* kCommands[] = {&kLcs, &kStrAlgo};

}  // namespace

extern constinit const engine::CommandFamily kLcsFamily;
constinit const engine::CommandFamily kLcsFamily{"string", kCommands};

}  // namespace roxdb::commands
