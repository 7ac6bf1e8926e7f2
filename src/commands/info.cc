// info.cc: INFO, put together from the sections that all rooms registered.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kCategoryDangerous;
using engine::kLoading;
using engine::kStale;

// When a section is shown without being named.
enum class Shown : uint8_t { kDefault, kAll, kEverything };

struct Section {
  std::string_view name;  // as it is asked for and registered
  std::string_view title;
  Shown shown;
};

// In the order of Redis.
constexpr Section kSections[] = {
    {"server", "Server", Shown::kDefault},
    {"clients", "Clients", Shown::kDefault},
    {"memory", "Memory", Shown::kDefault},
    {"persistence", "Persistence", Shown::kDefault},
    {"stats", "Stats", Shown::kDefault},
    {"replication", "Replication", Shown::kDefault},
    {"cpu", "CPU", Shown::kDefault},
    {"modules", "Modules", Shown::kEverything},
    {"commandstats", "Commandstats", Shown::kAll},
    {"errorstats", "Errorstats", Shown::kDefault},
    {"latencystats", "Latencystats", Shown::kAll},
    {"cluster", "Cluster", Shown::kDefault},
    {"keyspace", "Keyspace", Shown::kDefault},
    {"keysizes", "Keysizes", Shown::kDefault},
    {"tls", "TLS", Shown::kAll},
};

using Chosen = std::array<bool, std::size(kSections)>;

void choose(std::string_view word, Chosen& chosen) {
  const auto show_up_to = [&chosen](Shown most) {
    for (size_t i = 0; i < chosen.size(); ++i) chosen[i] |= kSections[i].shown <= most;
  };
  if (equal_ignore_case(word, "default")) return show_up_to(Shown::kDefault);
  if (equal_ignore_case(word, "all")) return show_up_to(Shown::kAll);
  if (equal_ignore_case(word, "everything")) return show_up_to(Shown::kEverything);
  for (size_t i = 0; i < chosen.size(); ++i) {
    chosen[i] |= equal_ignore_case(word, kSections[i].name);
  }
}

// INFO [section ...] -> text; an unknown section is an empty one
Status info_command(Call& call) {
  Chosen chosen{};
  if (call.argc() == 1) choose("default", chosen);
  for (size_t i = 1; i < call.argc(); ++i) choose(call.arg(i), chosen);
  std::string text;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (!chosen[i]) continue;
    if (!text.empty()) text += "\r\n";
    fmt::format_to(std::back_inserter(text), "# {}\r\n", kSections[i].title);
    text += call.engine().info.text(kSections[i].name);
  }
  call.reply().verbatim("txt", text);
  return kOk;
}
constexpr Example kInfoExamples[] = {{"INFO no-such-section", "=txt:"}};
constexpr CommandSpec kInfo{
    .name = "INFO",
    .syntax = "[section...]",
    .summary = "Returns facts and counters about the server, as text.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .acl = kCategoryDangerous,
    .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special",
    .handler = info_command,
    .examples = kInfoExamples,
};

constexpr const CommandSpec* kCommands[] = {&kInfo};

}  // namespace

extern constinit const engine::CommandFamily kInfoFamily;
constinit const engine::CommandFamily kInfoFamily{"server", kCommands};

}  // namespace roxdb::commands
