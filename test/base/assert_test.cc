#include "base/assert.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/environment.h"

namespace roxdb {
namespace {

// Where the handler of a child says what it was given.
ChildChannel* parent = nullptr;

void tell_parent(std::string_view text) { static_cast<void>(parent->send(text)); }

struct Ending {
  ChildState state;
  std::string message;
};

// Runs `body` in a child, where it may end the process.
Ending ending_of(void (*body)()) {
  auto child = real_environment().fork([body](ChildChannel& channel) {
    parent = &channel;
    set_fault_handler(tell_parent);
    body();
    return 0;
  });
  BOOST_TEST_REQUIRE(child.ok());
  Ending ending;
  ending.state = (*child)->wait();
  (*child)->receive(ending.message);
  return ending;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_assert)

BOOST_AUTO_TEST_CASE(a_broken_invariant_ends_the_process_with_its_own_code) {
  const Ending ending = ending_of([] { ROX_ASSERT(1 + 1 == 3); });
  BOOST_TEST(ending.state.exited);
  BOOST_TEST(ending.state.exit_code == kExitInvariant);
  BOOST_TEST(ending.message.find("1 + 1 == 3") != std::string::npos);
  BOOST_TEST(ending.message.find("assert_test.cc:") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_invariant_that_holds_costs_nothing_but_the_look) {
  const Ending ending = ending_of([] { ROX_ASSERT(1 + 1 == 2); });
  BOOST_TEST(ending.state.exit_code == 0);
  BOOST_TEST(ending.message.empty());
}

BOOST_AUTO_TEST_CASE(a_handler_that_breaks_an_invariant_itself_is_not_called_again) {
  const Ending ending = ending_of([] {
    set_fault_handler([](std::string_view) { ROX_ASSERT(false); });
    ROX_ASSERT(false);
  });
  BOOST_TEST(ending.state.exit_code == kExitInvariant);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
