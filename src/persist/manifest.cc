#include "persist/manifest.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "base/numbers.h"
#include "persist/files.h"

namespace roxdb::persist {
namespace {

constexpr std::string_view kFirstLine = "RoxDB log 1\n";
constexpr std::string_view kFirstLineStem = "RoxDB log ";
constexpr size_t kManifestBytesMax = 1u << 20;
constexpr size_t kIdentityBytes = 4096;
constexpr size_t kHexDigits = 16;

constexpr Status kCorrupt{Code::kCorrupt, 0, "log manifest"};

// The 16 digits that {:016x} prints, and nothing else.
std::optional<uint64_t> parse_hex(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != kHexDigits || error != std::errc() || end != text.data() + text.size() ||
      fmt::format("{:016x}", value) != text) {
    return std::nullopt;
  }
  return value;
}

// Cuts the text off at the first `separator`, which goes too; all of it when there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

bool is_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
}

// One line between the first and the last; false when it makes no sense.
bool decode_line(std::string_view line, Manifest& manifest) {
  const std::string_view role = take_until(line, ' ');
  if (role == "ended") {
    const auto identity = parse_hex(line);
    if (!identity || manifest.ended) return false;
    manifest.ended = identity;
    return true;
  }
  const auto sequence = parse_uint64(take_until(line, ' '));
  if (!sequence || !is_name(line)) return false;
  const ManifestFile file{std::string(line), *sequence};
  if (role == "base") {
    if (manifest.base || !manifest.increments.empty()) return false;
    manifest.base = file;
  } else if (role == "increment") {
    if (*sequence == 0) return false;
    manifest.increments.push_back(file);
  } else if (role == "retired") {
    manifest.retired.push_back(file.name);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  std::string text(kFirstLine);
  const auto add = [&text](std::string_view role, uint64_t sequence, std::string_view name) {
    text += fmt::format("{} {} {}\n", role, sequence, name);
  };
  if (manifest.base) add("base", manifest.base->sequence, manifest.base->name);
  for (const ManifestFile& file : manifest.increments) add("increment", file.sequence, file.name);
  for (const std::string& name : manifest.retired) add("retired", 0, name);
  if (manifest.ended) text += fmt::format("ended {:016x}\n", *manifest.ended);
  text += fmt::format("hash {:016x}\n", checksum(text, 0));
  return text;
}

Status decode_manifest(std::string_view text, Manifest& manifest, std::string& why) {
  manifest = {};
  if (!text.starts_with(kFirstLine)) {
    why = "it does not begin as a manifest of ours does";
    if (text.starts_with(kFirstLineStem)) {
      text.remove_prefix(kFirstLineStem.size());
      why = fmt::format("format version {}; this program reads version 1", take_until(text, '\n'));
    }
    return kCorrupt;
  }
  constexpr size_t kHashLineBytes = 5 + kHexDigits + 1;
  if (text.size() < kFirstLine.size() + kHashLineBytes || text.back() != '\n') {
    why = "it ends before its hash";
    return kCorrupt;
  }
  const std::string_view hashed = text.substr(0, text.size() - kHashLineBytes);
  const std::string_view last = text.substr(hashed.size());
  const auto expected = parse_hex(last.substr(5, kHexDigits));
  if (!last.starts_with("hash ") || !expected || hashed.back() != '\n') {
    why = "its last line is no hash";
    return kCorrupt;
  }
  if (const uint64_t found = checksum(hashed, 0); found != *expected) {
    why = fmt::format("hash expected {:016x}, found {:016x}", *expected, found);
    return kCorrupt;
  }
  std::string_view lines = hashed.substr(kFirstLine.size());
  for (size_t number = 2; !lines.empty(); ++number) {
    if (decode_line(take_until(lines, '\n'), manifest)) continue;
    why = fmt::format("line {} makes no sense", number);
    return kCorrupt;
  }
  return kOk;
}

std::string manifest_name(std::string_view prefix) {
  return fmt::format("{}.manifest.rox", prefix);
}

Status read_manifest(Environment& environment, const std::string& path, Manifest& manifest,
                     std::string& why) {
  const auto text = read_file(environment, path, kManifestBytesMax);
  if (text.ok()) return decode_manifest(*text, manifest, why);
  if (text.status().code == Code::kCorrupt) why = text.status().text;
  return text.status();
}

std::string log_file_name(std::string_view prefix, uint64_t number, LogFileKind kind) {
  return fmt::format("{}.{}.{}.rox", prefix, number, kind == LogFileKind::kBase ? "base" : "incr");
}

std::optional<uint64_t> log_file_number(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix) || name.size() == prefix.size() || name[prefix.size()] != '.') {
    return std::nullopt;
  }
  name.remove_prefix(prefix.size() + 1);
  const auto number = parse_uint64(take_until(name, '.'));
  if (name != "base.rox" && name != "incr.rox") return std::nullopt;
  return number;
}

Result<uint64_t> snapshot_identity(Environment& environment, const std::string& path) {
  auto file = environment.open(path, OpenMode::kRead);
  if (!file.ok()) {
    if (file.status().code == Code::kNotFound) return uint64_t{0};
    return file.status();
  }
  std::string beginning(kIdentityBytes, '\0');
  ROX_TRY(const size_t got, read_fully(**file, 0, beginning.data(), beginning.size()));
  beginning.resize(got);
  return checksum(beginning, 0) | 1;  // never 0
}

}  // namespace roxdb::persist
