#include "embed/reply_tree.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

namespace roxdb::embed {

BOOST_AUTO_TEST_SUITE(embed_reply_tree)

// It goes with the last thing that it holds, whatever that is.
BOOST_AUTO_TEST_CASE(an_attribute_is_dropped_and_the_reply_stays) {
  const std::function<void(ReplyTree&)> lasts[] = {
      [](ReplyTree& tree) { tree.integer(7); },      [](ReplyTree& tree) { tree.real(0.5); },
      [](ReplyTree& tree) { tree.boolean(true); },   [](ReplyTree& tree) { tree.null(); },
      [](ReplyTree& tree) { tree.bulk("a value"); }, [](ReplyTree& tree) { tree.array(0); }};
  for (const auto& last : lasts) {
    ReplyTree tree;
    tree.array(2);
    tree.integer(1);
    tree.attribute(1);
    tree.bulk("name");
    last(tree);
    tree.bulk("told");
    roxdb_reply* const reply = tree.take();
    BOOST_TEST(reply->count == 2u);
    BOOST_TEST(reply->elements[0]->integer == 1);
    BOOST_TEST(std::string(reply->elements[1]->text) == "told");
    free_tree(reply);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::embed
