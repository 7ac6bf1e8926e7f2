#include "commands/stream/options.h"

#include <algorithm>

#include "base/text.h"
#include "commands/shared/log_request.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using types::References;
using types::StreamTrim;
namespace errors = engine::errors;

// A trimming that is not exact stops after so many records, unless LIMIT says otherwise: this many
// full blocks.
constexpr uint64_t kBlocksTrimmed = 100;
constexpr uint64_t kRecordsTrimmedDefault = 10'000;
constexpr uint64_t kRecordsTrimmedMax = 1'000'000;

struct Reader {
  Call& call;
  AddOptions options;
  std::optional<uint64_t> limit = {};
  std::optional<References> references = {};

  // Reads MAXLEN or MINID with what belongs to it; `at` moves to its last argument.
  Status read_threshold(size_t& at, StreamTrim::By by) {
    StreamTrim& trim = options.trim;
    if (trim.by != StreamTrim::By::kNothing) {
      return user_error(
          "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    }
    const size_t more = call.argc() - 1 - at;
    if (more >= 2 && (call.arg(at + 1) == "~" || call.arg(at + 1) == "=")) {
      trim.approximate = call.arg(at + 1) == "~";
      at++;
    }
    at++;
    trim.by = by;
    if (by == StreamTrim::By::kMinId) {
      ROX_TRY(trim.min_id, read_id(call, at));
      return kOk;
    }
    ROX_TRY(const int64_t length, call.integer(at));
    if (length < 0) return user_error("ERR The MAXLEN argument must be >= 0.");
    trim.length = static_cast<uint64_t>(length);
    return kOk;
  }

  Status read_limit(size_t& at) {
    ROX_TRY(const int64_t count, call.integer(++at));
    if (count < 0) return user_error("ERR The LIMIT argument must be >= 0.");
    limit = static_cast<uint64_t>(count);
    return kOk;
  }

  // The option at `at`; false: it is none.
  Result<bool> read_option(size_t& at) {
    const bool has_more = at + 1 < call.argc();
    if (has_more && call.is(at, "MAXLEN")) {
      ROX_TRY(read_threshold(at, StreamTrim::By::kLength));
    } else if (has_more && call.is(at, "MINID")) {
      ROX_TRY(read_threshold(at, StreamTrim::By::kMinId));
    } else if (has_more && call.is(at, "LIMIT")) {
      ROX_TRY(read_limit(at));
    } else if (const auto word = references_of(call.arg(at))) {
      if (references) return errors::kSyntax;
      references = word;
    } else {
      return false;
    }
    return true;
  }

  Result<AddOptions> finish() {
    StreamTrim& trim = options.trim;
    if (limit.value_or(0) > 0 && trim.by == StreamTrim::By::kNothing) {
      return user_error(
          "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
    }
    if (limit && !trim.approximate) {
      return user_error("ERR syntax error, LIMIT cannot be used without the special ~ option");
    }
    trim.references = references.value_or(References::kKeep);
    if (trim.approximate) {
      const auto entries =
          static_cast<uint64_t>(call.keyspace().home().limits.stream_block_entries);
      const uint64_t usual = entries == 0 ? kRecordsTrimmedDefault
                                          : std::min(entries, kRecordsTrimmedMax) * kBlocksTrimmed;
      trim.limit = limit.value_or(std::min(usual, kRecordsTrimmedMax));
    }
    return options;
  }
};

}  // namespace

std::optional<References> references_of(std::string_view word) {
  if (equal_ignore_case(word, "KEEPREF")) return References::kKeep;
  if (equal_ignore_case(word, "DELREF")) return References::kDelete;
  if (equal_ignore_case(word, "ACKED")) return References::kAcked;
  return std::nullopt;
}

std::string_view word_of(References references) {
  switch (references) {
    case References::kKeep:
      return "KEEPREF";
    case References::kDelete:
      return "DELREF";
    case References::kAcked:
      break;
  }
  return "ACKED";
}

Result<AddOptions> read_add_options(Call& call) {
  Reader reader{call, {}};
  size_t at = 2;
  for (; at < call.argc() && call.arg(at) != "*"; ++at) {
    if (call.is(at, "NOMKSTREAM")) {
      reader.options.keeps_missing = true;
      continue;
    }
    ROX_TRY(const bool is_option, reader.read_option(at));
    if (is_option) continue;
    ROX_TRY(read_new_id(call, at).status());
    break;
  }
  reader.options.id_index = at;
  return reader.finish();
}

Result<AddOptions> read_trim_options(Call& call) {
  Reader reader{call, {}};
  for (size_t at = 2; at < call.argc(); ++at) {
    ROX_TRY(const bool is_option, reader.read_option(at));
    if (!is_option) return errors::kSyntax;
  }
  if (reader.options.trim.by == StreamTrim::By::kNothing && reader.limit.value_or(0) == 0) {
    return user_error("ERR syntax error, XTRIM must be called with a trimming strategy");
  }
  return reader.finish();
}

std::vector<std::string> settled_trim(const StreamTrim& trim, const types::Stream& stream) {
  std::vector<std::string> words;
  if (trim.references != References::kKeep) words.emplace_back(word_of(trim.references));
  if (trim.by == StreamTrim::By::kLength) {
    words.insert(words.end(), {"MAXLEN", "=", std::to_string(stream.size())});
  } else {
    // Whole blocks went, up to the first record that is left. An exact threshold is repeated as it
    // was: ACKED may have left records below it, and not those behind them.
    const Id low = trim.approximate && stream.size() > 0 ? stream.first_id() : trim.min_id;
    words.insert(words.end(), {"MINID", "=", std::string(IdText(low).view())});
  }
  return words;
}

Result<IdsOptions> read_ids_options(Call& call, size_t first) {
  IdsOptions options;
  bool has_references = false;
  for (size_t at = first; at < call.argc(); ++at) {
    const auto word = references_of(call.arg(at));
    if (word && !has_references) {
      options.references = *word;
      has_references = true;
    } else if (call.is(at, "IDS") && at + 1 < call.argc()) {
      const auto count = parse_int64(call.arg(at + 1));
      if (!count || *count <= 0) {
        return user_error("ERR Number of IDs must be a positive integer");
      }
      options.first_id = at + 2;
      if (static_cast<uint64_t>(*count) > call.argc() - options.first_id) {
        return user_error("ERR The `numids` parameter must match the number of arguments");
      }
      options.count = static_cast<size_t>(*count);
      at = options.first_id + options.count - 1;
    } else {
      return errors::kSyntax;
    }
  }
  if (options.count == 0) return user_error("ERR IDS option is required");
  return options;
}

void log_unannounced(Call& call) {
  call.engine().dirty++;
  log_request(call);
}

}  // namespace roxdb::commands
