// test_home.h: a home for values outside of any database, whose memory is accounted for at the end.
#pragma once

#include <boost/test/unit_test.hpp>

#include "base/memory.h"
#include "types/value_home.h"

namespace roxdb::types::test {

struct TestHome {
  TestHome() : used_before(memory::used_bytes()) {}
  ~TestHome() {
    slabs.check();
    BOOST_TEST(slabs.used_bytes() == 0u);
    BOOST_TEST(memory::used_bytes() == used_before);
  }

  size_t used_before;  // with those of slabs counted once
  memory::Slabs slabs;
  const HashSecret secret = hash_secret_from_seed(1);
  Limits limits;
  const ValueHome home{slabs, secret, limits};
};

}  // namespace roxdb::types::test
