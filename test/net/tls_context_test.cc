#include "net/tls_context.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "net/openssl_library.h"

namespace roxdb::net {

BOOST_AUTO_TEST_SUITE(net_tls_context)

BOOST_AUTO_TEST_CASE(only_two_versions_can_be_named) {
  std::string why;
  for (const char* words : {"", "TLSv1.2", "tlsv1.3", "TLSv1.2 TLSv1.3", " TLSv1.3  TLSv1.2 "}) {
    BOOST_TEST(check_tls_protocols(words, why), words);
  }
  for (const char* words : {"TLSv1", "TLSv1.1", "TLSv1.2 TLSv1.1", "SSLv3", "TLSv1.4", "all"}) {
    why.clear();
    BOOST_TEST(!check_tls_protocols(words, why), words);
    BOOST_TEST(why.find("only TLSv1.2 and TLSv1.3") != std::string::npos, why);
  }
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named) {
  std::string why;
  BOOST_REQUIRE_MESSAGE(load_openssl(why), why);
  TlsOptions options;
  BOOST_TEST((make_tls_context(options, why) == nullptr));
  BOOST_TEST(why == "No tls-cert-file configured!");
  options.cert_file = "/nowhere/server.crt";
  BOOST_TEST((make_tls_context(options, why) == nullptr));
  BOOST_TEST(why == "No tls-key-file configured!");
  options.key_file = "/nowhere/server.key";
  BOOST_TEST((make_tls_context(options, why) == nullptr));
  BOOST_TEST(why.starts_with("Either tls-ca-cert-file or tls-ca-cert-dir must be specified"));
  options.auth_clients = TlsOptions::kNo;
  BOOST_TEST((make_tls_context(options, why) == nullptr));
  BOOST_TEST(why.starts_with("tls-cert-file /nowhere/server.crt: "));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::net
