#include "base/shared_bytes.h"

#include <boost/test/unit_test.hpp>
#include <utility>

using roxdb::SharedBlob;
using roxdb::SharedRef;

namespace {

struct Blob final : SharedBlob {
  explicit Blob(int& count) : SharedBlob(&Blob::release), releases(count) {}
  static void release(SharedBlob* blob) {
    Blob* const self = static_cast<Blob*>(blob);
    ++self->releases;
    delete self;
  }
  int& releases;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(base_shared_bytes)

BOOST_AUTO_TEST_CASE(a_blob_is_released_once_with_its_last_reference) {
  int releases = 0;
  auto* const blob = new Blob(releases);
  {
    const SharedRef first = SharedRef::adopt(blob);
    BOOST_TEST(blob->unique());
    SharedRef second = first;
    SharedRef third = SharedRef::share(blob);
    BOOST_TEST(!blob->unique());
    second = third;
    third = SharedRef();
    BOOST_TEST(!blob->unique());
    second = SharedRef();
    BOOST_TEST(blob->unique());
    BOOST_TEST(releases == 0);
  }
  BOOST_TEST(releases == 1);
}

BOOST_AUTO_TEST_CASE(moving_a_reference_hands_it_over) {
  int releases = 0;
  SharedRef first = SharedRef::adopt(new Blob(releases));
  SharedRef second = std::move(first);
  BOOST_TEST(!first);
  BOOST_TEST(second.get()->unique());
  first = std::move(second);
  BOOST_TEST(first.get()->unique());
  first = SharedRef();
  BOOST_TEST(releases == 1);
}

BOOST_AUTO_TEST_SUITE_END()
