#include "commands/server/syntax_tree.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace roxdb::commands {
namespace {

// Types of arguments that are not plain strings, by name.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"key", "key"},
    {"newkey", "key"},
    {"source", "key"},
    {"destination", "key"},
    {"key1", "key"},
    {"key2", "key"},
    {"pattern", "pattern"},
    {"count", "integer"},
    {"cursor", "integer"},
    {"seconds", "integer"},
    {"milliseconds", "integer"},
    {"numkeys", "integer"},
    {"index", "integer"},
    {"index1", "integer"},
    {"index2", "integer"},
    {"db", "integer"},
    {"destination-db", "integer"},
    {"offset", "integer"},
    {"start", "integer"},
    {"stop", "integer"},
    {"end", "integer"},
    {"increment", "integer"},
    {"decrement", "integer"},
    {"limit", "integer"},
    {"length", "integer"},
    {"min-match-len", "integer"},
    {"client-id", "integer"},
    {"timeout", "integer"},
    {"columns", "integer"},
    {"rows", "integer"},
    {"version", "integer"},
    {"score", "double"},
    {"weight", "double"},
    {"longitude", "double"},
    {"latitude", "double"},
    {"radius", "double"},
    {"unix-time-seconds", "unix-time"},
    {"unix-time-milliseconds", "unix-time"},
};

std::string_view type_of(std::string_view name) {
  for (const auto& [known, type] : kTypes) {
    if (name == known) return type;
  }
  return "string";
}

// CAPITALS and signs stand for themselves, other words for a value.
bool is_literal(std::string_view word) {
  return std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

using Sequence = std::vector<SyntaxNode>;

// Several nodes as one.
SyntaxNode block_of(Sequence nodes) {
  SyntaxNode block;
  block.type = "block";
  for (const SyntaxNode& node : nodes) {
    if (!block.name.empty()) block.name += '_';
    block.name += node.name;
  }
  block.children = std::move(nodes);
  return block;
}

// What stands between two brackets or bars. A literal in front belongs to all that follows it.
SyntaxNode join(Sequence nodes) {
  if (nodes.size() == 1) return std::move(nodes[0]);
  if (nodes.empty() || nodes[0].type != "pure-token") return block_of(std::move(nodes));
  const std::string_view token = nodes[0].token;
  nodes.erase(nodes.begin());
  const bool takes_token = nodes.size() == 1 && nodes[0].token.empty() && !nodes[0].is_optional;
  SyntaxNode node = takes_token ? std::move(nodes[0]) : block_of(std::move(nodes));
  node.token = token;
  return node;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Sequence read_all() {
    Sequence nodes = read_sequence();
    // Outside of brackets a literal belongs to the one argument behind it.
    Sequence out;
    for (size_t i = 0; i < nodes.size(); ++i) {
      const bool takes_next = nodes[i].type == "pure-token" && !nodes[i].is_optional &&
                              i + 1 < nodes.size() && nodes[i + 1].token.empty() &&
                              nodes[i + 1].children.empty() && !nodes[i + 1].is_optional;
      if (takes_next) {
        nodes[i + 1].token = nodes[i].token;
      } else {
        out.push_back(std::move(nodes[i]));
      }
    }
    return out;
  }

 private:
  // Up to a closing bracket, a bar or the end.
  Sequence read_sequence() {
    Sequence nodes;
    while (!text_.empty() && std::string_view(")]|").find(text_[0]) == std::string_view::npos) {
      if (text_[0] == ' ') {
        text_.remove_prefix(1);
      } else {
        nodes.push_back(read_term());
      }
    }
    return nodes;
  }

  SyntaxNode read_term() {
    SyntaxNode node;
    if (text_[0] == '[' || text_[0] == '(') {
      const bool is_optional = text_[0] == '[';
      text_.remove_prefix(1);
      node = read_choice();
      text_.remove_prefix(1);
      node.is_optional = node.is_optional || is_optional;
    } else {
      node = read_word();
    }
    if (text_.starts_with("...")) {
      text_.remove_prefix(3);
      node.is_repeated = true;
      node.repeats_token = !node.token.empty();
    }
    return node;
  }

  SyntaxNode read_choice() {
    Sequence choices;
    for (;;) {
      choices.push_back(join(read_sequence()));
      if (text_.empty() || text_[0] != '|') break;
      text_.remove_prefix(1);
    }
    if (choices.size() == 1) return std::move(choices[0]);
    SyntaxNode node;
    node.name = "choice";
    node.type = "oneof";
    node.children = std::move(choices);
    return node;
  }

  SyntaxNode read_word() {
    size_t size = 0;
    while (size < text_.size() && std::string_view(" []()|").find(text_[size]) == text_.npos &&
           !text_.substr(size).starts_with("...")) {
      ++size;
    }
    const std::string_view word = text_.substr(0, size);
    text_.remove_prefix(size);
    SyntaxNode node;
    node.name = lower_case(word);
    if (is_literal(word)) {
      node.type = "pure-token";
      node.token = word;
    } else {
      node.type = type_of(word);
    }
    return node;
  }

  std::string_view text_;
};

}  // namespace

std::vector<SyntaxNode> parse_syntax(std::string_view syntax) { return Parser(syntax).read_all(); }

}  // namespace roxdb::commands
