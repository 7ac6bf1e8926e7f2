// Every declaration against what COMMAND of the field's servers says of the same command
// (test/data/commands.tsv), and what the table derives from declarations.
#include "engine/command_table.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace roxdb::engine {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

// Rows by full name, "client|id".
std::map<std::string, Row> read_rows() {
  std::ifstream file("test/data/commands.tsv");
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> columns = split(line, '\t');
  std::map<std::string, Row> rows;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line, '\t');
    Row row;
    for (size_t i = 0; i < cells.size(); ++i) row[columns[i]] = cells[i] == "-" ? "" : cells[i];
    std::string name = row["command"] + (row["subcommand"].empty() ? "" : "|" + row["subcommand"]);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    rows[name] = row;
  }
  return rows;
}

// Words in no order, as one text that a failing test can show.
std::string sorted(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// The notation of keys as the table of other servers has it.
std::string without_own_marks(std::string_view keys) {
  std::string text(keys);
  for (const std::string_view mark : {"!u", "!v"}) {
    for (size_t at; (at = text.find(mark)) != std::string::npos;) text.erase(at, mark.size());
  }
  return text;
}

struct Fixture {
  CommandTable table{{kCommandFamilies, kCommandFamiliesCount}};

  std::vector<std::string> keys_of(const std::vector<std::string_view>& args) {
    const Command* command = table.find(args);
    BOOST_TEST_REQUIRE(command != nullptr);
    std::vector<KeyAt> keys;
    BOOST_TEST_REQUIRE(CommandTable::keys_of(*command, args, keys));
    std::vector<std::string> names;
    for (const KeyAt& key : keys) names.emplace_back(args[key.arg]);
    return names;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(engine_command_table, Fixture)

BOOST_AUTO_TEST_CASE(every_declaration_says_what_other_servers_say_of_that_command) {
  const std::map<std::string, Row> rows = read_rows();
  BOOST_TEST_REQUIRE(rows.size() > 600u);
  for (const auto& command : table.all()) {
    BOOST_TEST_CONTEXT(command->full_name) {
      const auto found = rows.find(command->full_name);
      BOOST_TEST((found != rows.end()));
      if (found == rows.end()) continue;
      const Row& row = found->second;
      BOOST_TEST(command->family->group == row.at("group"));
      BOOST_TEST(command->arity == std::stoi(row.at("arity")));
      // A server without categories tells no more about its commands.
      if (row.at("acl").empty()) continue;
      BOOST_TEST(without_own_marks(command->spec->keys.text) == row.at("keys"));
      BOOST_TEST(std::to_string(command->first_key) + "," + std::to_string(command->last_key) +
                     "," + std::to_string(command->key_step) ==
                 row.at("first_last_step"));

      std::vector<std::string> flags = split(row.at("flags"), ',');
      if (row.at("access") == "write") flags.push_back("write");
      if (row.at("access") == "read") flags.push_back("readonly");
      std::vector<std::string> own_flags;
      for (const std::string_view flag : flag_names(*command)) own_flags.emplace_back(flag);
      BOOST_TEST(sorted(own_flags) == sorted(flags));

      // Where the table was read from sources it may not say what follows from the flags.
      std::vector<std::string> categories = split(row.at("acl"), ' ');
      if (row.at("acl").find("@fast") == std::string::npos &&
          row.at("acl").find("@slow") == std::string::npos) {
        categories.emplace_back("@slow");
      }
      BOOST_TEST(sorted(category_names(*command)) == sorted(categories));
      BOOST_TEST(sorted(split(std::string(command->spec->tips), ',')) ==
                 sorted(split(row.at("tips"), ',')));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_declaration_is_complete) {
  for (const auto& command : table.all()) {
    BOOST_TEST_CONTEXT(command->full_name) {
      const CommandSpec& spec = *command->spec;
      BOOST_TEST(spec.summary.ends_with("."));
      BOOST_TEST(!spec.since.empty());
      BOOST_TEST(!spec.complexity.empty());
      BOOST_TEST((spec.handler != nullptr || !command->subcommands.empty()));
      BOOST_TEST(spec.deprecated_since.empty() == spec.replaced_by.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(names_are_found_in_any_case_and_only_whole) {
  const auto find = [this](std::vector<std::string_view> args) -> std::string {
    const Command* command = table.find(args);
    return command != nullptr ? command->full_name : "";
  };
  BOOST_TEST(find({"get"}) == "get");
  BOOST_TEST(find({"GeT", "k"}) == "get");
  BOOST_TEST(find({"ge"}) == "");
  BOOST_TEST(find({"gett"}) == "");
  BOOST_TEST(find({""}) == "");
  BOOST_TEST(find({std::string(1000, 'g')}) == "");
  BOOST_TEST(find({"config", "GET", "x"}) == "config|get");
  BOOST_TEST(find({"CONFIG", "nosuch"}) == "config");
  BOOST_TEST(find({"CONFIG"}) == "config");
  BOOST_TEST(table.find_name("CONFIG GET") == table.find_name("config|get"));
  BOOST_TEST(table.find_name("config|nosuch") == nullptr);
  for (const auto& command : table.all()) {
    BOOST_TEST(table.find_name(command->full_name) == command.get());
  }
}

BOOST_AUTO_TEST_CASE(a_renamed_command_answers_to_its_new_name_only) {
  BOOST_TEST(table.rename("get", "fetch"));
  BOOST_TEST(table.find_name("get") == nullptr);
  BOOST_TEST_REQUIRE(table.find_name("FETCH") != nullptr);
  BOOST_TEST(table.find_name("fetch")->full_name == "get");
  BOOST_TEST(table.rename("config", ""));
  BOOST_TEST(table.find_name("config") == nullptr);
  BOOST_TEST(table.find_name("config|get") == nullptr);
  BOOST_TEST(!table.rename("set", "echo"));
  BOOST_TEST(!table.rename("nosuch", "other"));
  BOOST_TEST(table.find_name("set") != nullptr);
}

BOOST_AUTO_TEST_CASE(a_log_finds_commands_by_their_own_names) {
  const auto declared = [&](std::vector<std::string_view> args) {
    const Command* const command = table.find_declared(args);
    return command == nullptr ? std::string() : command->full_name;
  };
  BOOST_TEST_REQUIRE(table.rename("del", ""));
  BOOST_TEST_REQUIRE(table.rename("set", "put"));
  // Another command under the name of a hidden one.
  BOOST_TEST_REQUIRE(table.rename("echo", "del"));
  BOOST_TEST(table.find_name("DEL")->full_name == "echo");
  BOOST_TEST(declared({"DEL", "k"}) == "del");
  BOOST_TEST(declared({"set", "k", "v"}) == "set");
  BOOST_TEST(declared({"put", "k", "v"}) == "set");  // of a server that logs as it receives
  BOOST_TEST(declared({"nosuch"}).empty());
  BOOST_TEST(table.find_name("put")->is_renamed);
  BOOST_TEST(!table.find_name("get")->is_renamed);
  BOOST_TEST_REQUIRE(table.rename("config", "settings"));
  BOOST_TEST(table.find_name("settings|get")->is_renamed);
  BOOST_TEST(declared({"config", "get", "x"}) == "config|get");
}

BOOST_AUTO_TEST_CASE(keys_are_found_exactly) {
  BOOST_TEST(sorted(keys_of({"SET", "a", "b"})) == "a");
  BOOST_TEST(sorted(keys_of({"MSET", "a", "1", "b", "2"})) == "a b");
  BOOST_TEST(sorted(keys_of({"DEL", "a", "b", "c"})) == "a b c");
  BOOST_TEST(sorted(keys_of({"COPY", "a", "b", "DB", "1"})) == "a b");
  BOOST_TEST(sorted(keys_of({"MEMORY", "USAGE", "a", "SAMPLES", "0"})) == "a");
  BOOST_TEST(sorted(keys_of({"ECHO", "a"})) == "");
}

// The number of keys is the client's word: it is believed only as far as there are arguments
// (CVE-2023-36824).
BOOST_AUTO_TEST_CASE(a_wrong_number_of_keys_is_refused) {
  for (const std::string_view count : {"3", "-1", "x", "", "9223372036854775807", "1000000"}) {
    BOOST_TEST_CONTEXT(count) {
      const std::vector<std::string_view> args = {"MSETEX", count, "a", "1", "b", "2"};
      std::vector<KeyAt> keys;
      BOOST_TEST(!CommandTable::keys_of(*table.find(args), args, keys));
    }
  }
  BOOST_TEST(sorted(keys_of({"MSETEX", "2", "a", "1", "b", "2"})) == "a b");
  // A key that is called as an option hides no other.
  BOOST_TEST(sorted(keys_of({"GEORADIUS", "k", "1", "1", "9", "km", "STOREDIST", "store", "store",
                             "victim"})) == "k store store victim");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::engine
