// syntax_tree.h: the syntax of a command's arguments (engine/command_notation.h) as the tree that
// COMMAND DOCS shows and clients make hints from.
//
//   key [NX | XX] [EX seconds | KEEPTTL] [GET pattern]...
//     key        key
//     oneof      optional: NX, XX
//     oneof      optional: EX seconds (a token and its value in one), KEEPTTL
//     pattern    optional, repeated with its token GET each time
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace roxdb::commands {

struct SyntaxNode {
  std::string name;
  std::string_view type;   // as COMMAND DOCS calls it: "string", "key", "oneof", "pure-token" ...
  std::string_view token;  // the literal word before it; empty: none
  bool is_optional = false;
  bool is_repeated = false;
  bool repeats_token = false;
  std::vector<SyntaxNode> children;  // of "oneof" and "block"
};

// REQUIRES: a syntax that Syntax has accepted; its text outlives the nodes.
std::vector<SyntaxNode> parse_syntax(std::string_view syntax);

}  // namespace roxdb::commands
