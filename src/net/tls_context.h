// tls_context.h: what is the same for all TLS connections: certificate, key, whom we trust, which
// protocols and ciphers. Made of the settings as a whole and never changed: a reload makes another
// one, and connections keep the one they began with.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

namespace roxdb::net {

// The settings tls-*, by their names.
struct TlsOptions {
  enum AuthClients : int { kNo, kYes, kOptional };

  std::string cert_file;
  std::string key_file;
  std::string key_file_pass;
  std::string ca_cert_file;
  std::string ca_cert_dir;
  std::string dh_params_file;
  int auth_clients = kYes;
  std::string protocols;  // empty: all that we speak
  std::string ciphers;
  std::string ciphersuites;
  bool prefer_server_ciphers = false;
  bool session_caching = true;
  int64_t session_cache_size = 20 << 10;
  int64_t session_cache_timeout_seconds = 300;
};

struct FreeTlsContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// Null: `why` says what is wrong, in one line. Reads the files; no passphrase is ever asked for at
// the terminal. Cost: milliseconds.
TlsContext make_tls_context(const TlsOptions& options, std::string& why);

// The certificates of a context, for INFO. Times are Unix seconds; a serial is upper case hex.
struct TlsCertificate {
  std::string serial = "none";
  int64_t expires_at_seconds = 0;
};
TlsCertificate server_certificate(const SSL_CTX* context);
// The one of tls-ca-cert-file that expires first.
TlsCertificate first_to_expire(SSL_CTX* context);

// Whether words of tls-protocols name nothing but TLSv1.2 and TLSv1.3, letter case apart.
bool check_tls_protocols(const std::string& words, std::string& why);

}  // namespace roxdb::net
