#include "commands/server/syntax_tree.h"

#include <boost/test/unit_test.hpp>

#include "engine/command.h"

namespace roxdb::commands {
namespace {

// One node as name:type, with its token, flags (? optional, + repeated, * token repeated) and
// members.
std::string shown(const std::vector<SyntaxNode>& nodes) {
  std::string text;
  for (const SyntaxNode& node : nodes) {
    if (!text.empty()) text += ' ';
    text += node.name + ":" + std::string(node.type);
    if (!node.token.empty()) text += "=" + std::string(node.token);
    if (node.is_optional) text += '?';
    if (node.is_repeated) text += node.repeats_token ? '*' : '+';
    if (!node.children.empty()) text += "(" + shown(node.children) + ")";
  }
  return text;
}
std::string tree(std::string_view syntax) { return shown(parse_syntax(syntax)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_syntax_tree)

BOOST_AUTO_TEST_CASE(words_are_values_and_capitals_are_themselves) {
  BOOST_TEST(tree("") == "");
  BOOST_TEST(tree("key value") == "key:key value:string");
  BOOST_TEST(tree("key [NX]") == "key:key nx:pure-token=NX?");
  BOOST_TEST(tree("key seconds") == "key:key seconds:integer");
  BOOST_TEST(tree("NO-EVICT") == "no-evict:pure-token=NO-EVICT");
}

BOOST_AUTO_TEST_CASE(a_literal_belongs_to_what_follows_it) {
  BOOST_TEST(tree("[EX seconds]") == "seconds:integer=EX?");
  BOOST_TEST(tree("[LIMIT offset count]") ==
             "offset_count:block=LIMIT?(offset:integer count:integer)");
  BOOST_TEST(tree("STORE destination key") == "destination:key=STORE key:key");
  BOOST_TEST(
      tree("FILTERBY (MODULE name | ACLCAT category)") ==
      "filterby:pure-token=FILTERBY choice:oneof(name:string=MODULE category:string=ACLCAT)");
}

BOOST_AUTO_TEST_CASE(choices_and_repeats_nest) {
  BOOST_TEST(tree("key...") == "key:key+");
  BOOST_TEST(tree("(key value)...") == "key_value:block+(key:key value:string)");
  BOOST_TEST(tree("[GET pattern]...") == "pattern:pattern=GET?*");
  BOOST_TEST(tree("[NX | XX] [EX seconds | KEEPTTL]") ==
             "choice:oneof?(nx:pure-token=NX xx:pure-token=XX) "
             "choice:oneof?(seconds:integer=EX keepttl:pure-token=KEEPTTL)");
  BOOST_TEST(tree("[a [b]]") == "a_b:block?(a:string b:string?)");
}

BOOST_AUTO_TEST_CASE(every_syntax_of_the_build_has_a_tree) {
  for (size_t i = 0; i < engine::kCommandFamiliesCount; ++i) {
    for (const engine::CommandSpec* spec : engine::kCommandFamilies[i]->commands) {
      BOOST_TEST_CONTEXT(spec->name) {
        const auto nodes = parse_syntax(spec->syntax.text);
        BOOST_TEST(nodes.empty() == spec->syntax.text.empty());
        for (const SyntaxNode& node : nodes) BOOST_TEST(!node.name.empty());
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
