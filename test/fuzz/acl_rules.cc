// acl_rules: rules are refused and change nothing, or make a user whose text
// makes the same user again; any text of a file is refused, or is users whose
// text says the same.
//
// Input: byte 0 even: lines, each a rule as ACL SETUSER takes it. Odd: the text
// of a file.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "engine/engine.h"
#include "server/acl/users.h"
#include "test/fuzz/fuzz_target.h"

namespace {

using namespace roxdb;
using namespace roxdb::server;

const Vocabulary& vocabulary() {
  static engine::Engine engine{{.environment = nullptr,
                                .executor = nullptr,
                                .log = nullptr,
                                .databases = 16,
                                .hash_seed = 1,
                                .families = {}}};
  static const Vocabulary all{engine.commands()};
  return all;
}

void check_again(const Users& users) {
  Users again(vocabulary());
  std::string why;
  ROX_ASSERT(again.load(users.text(), "text", why, [](User&) {}));
  ROX_ASSERT(again.text() == users.text());
  const std::string_view requests[][3] = {{"set", "a", "1"}, {"get", "a"}, {"publish", "c", "m"}};
  users.for_each([&](const User& user) {
    for (const auto& args : requests) {
      AclRequest::Room room;
      AclRequest one(*vocabulary().find(args[0]), args, 1, room);
      AclRequest::Room other_room;
      AclRequest other(*vocabulary().find(args[0]), args, 1, other_room);
      const Decision decision = user.check(one);
      ROX_ASSERT(decision.denied == again.find(user.name())->check(other).denied);
      ROX_ASSERT(!user.is_unlimited() || decision.allowed());
    }
  });
}

void try_rules(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::vector<std::string> rules;
  std::string_view opened;
  if (!join_selectors(words, rules, opened)) {
    ROX_ASSERT(opened.starts_with('('));
    return;
  }
  Users users(vocabulary());
  User& user = users.find_or_create("u");
  for (const std::string& rule : rules) {
    const std::string before = user.text();
    const Status status = user.apply(rule);
    ROX_ASSERT(status.ok() || (user.text() == before && !status.text.empty()));
  }
  check_again(users);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 1) == 0) {
    try_rules(text);
    return 0;
  }
  Users users(vocabulary());
  const std::string before = users.text();
  std::string why;
  const bool loaded = users.load(text, "text", why, [](User&) {});
  ROX_ASSERT(loaded == why.empty() && (loaded || users.text() == before));
  check_again(users);
  return 0;
}
