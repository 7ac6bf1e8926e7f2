// main.cc: the main of the unit test program. Boost.Test writes it; the suites are in the files
// that mirror src/.
#define BOOST_TEST_MODULE roxdb
#include <boost/test/unit_test.hpp>
