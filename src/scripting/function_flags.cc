#include "scripting/function_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "engine/settings.h"

namespace roxdb::scripting {
namespace {

constexpr std::string_view kMark = "#!";
constexpr std::string_view kInterpreterName = "lua";
constexpr std::string_view kFlagsOption = "flags=";
constexpr std::string_view kNameOption = "name=";

std::vector<std::string_view> split(std::string_view text, char border) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(border);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool read_flags(std::string_view names, ScriptFlags& flags, std::string& why) {
  for (const std::string_view name : split(names, ',')) {
    const ScriptFlags flag = flag_by_name(name);
    if (flag == 0) {
      why = fmt::format("Unexpected flag in script shebang: {}", name);
      return false;
    }
    flags |= flag;
  }
  return true;
}

// Letters, digits and underscores, at least one.
bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

ScriptFlags flag_by_name(std::string_view name) {
  for (const auto& [flag_name, flag] : kFlagNames) {
    if (equal_ignore_case(name, flag_name)) return flag;
  }
  return 0;
}

bool read_script_header(std::string_view text, Header& header, std::string& why) {
  header.body = text;
  if (!text.starts_with(kMark)) return true;
  const size_t line_end = text.find('\n');
  if (line_end == std::string_view::npos) {
    why = "Invalid script shebang";
    return false;
  }
  header.flags = 0;
  header.body = text.substr(line_end);
  const auto parts = split(text.substr(0, line_end), ' ');
  if (parts[0].substr(kMark.size()) != kInterpreterName) {
    why = fmt::format("Unexpected engine in script shebang: {}", parts[0]);
    return false;
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (!parts[i].starts_with(kFlagsOption)) {
      why = fmt::format("Unknown lua shebang option: {}", parts[i]);
      return false;
    }
    if (!read_flags(parts[i].substr(kFlagsOption.size()), header.flags, why)) return false;
  }
  return true;
}

bool read_library_header(std::string_view text, Header& header, std::string& why) {
  const size_t line_end = text.find('\n');
  if (!text.starts_with(kMark)) {
    why = "Missing library metadata";
    return false;
  }
  std::vector<std::string> parts;
  if (line_end == std::string_view::npos || !engine::split_words(text.substr(0, line_end), parts) ||
      parts.empty()) {
    why = "Invalid library metadata";
    return false;
  }
  header.flags = 0;
  header.body = text.substr(line_end);
  bool has_name = false;
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    if (!equal_ignore_case(part.substr(0, kNameOption.size()), kNameOption)) {
      why = fmt::format("Invalid metadata value given: {}", part);
      return false;
    }
    if (has_name) {
      why = "Invalid metadata value, name argument was given multiple times";
      return false;
    }
    has_name = true;
    header.name = part.substr(kNameOption.size());
  }
  if (!has_name) {
    why = "Library name was not given";
  } else if (!is_name(header.name)) {
    why =
        "Library names can only contain letters, numbers, or underscores(_) and must be at least "
        "one character long";
  } else if (!equal_ignore_case(parts[0].substr(kMark.size()), kInterpreterName)) {
    why = fmt::format("Engine '{}' not found", parts[0].substr(kMark.size()));
  }
  return why.empty();
}

}  // namespace roxdb::scripting
