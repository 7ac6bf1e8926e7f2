#include "net/tls_context.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace roxdb::net {
namespace {

// Bits of the versions that tls-protocols names.
constexpr unsigned kTls12 = 1;
constexpr unsigned kTls13 = 2;

// 0: `why` says which word is none.
unsigned read_protocols(std::string_view words, std::string& why) {
  unsigned versions = 0;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (word.empty()) continue;
    if (equal_ignore_case(word, "TLSv1.2")) {
      versions |= kTls12;
    } else if (equal_ignore_case(word, "TLSv1.3")) {
      versions |= kTls13;
    } else {
      why = fmt::format("'{}' is refused: only TLSv1.2 and TLSv1.3 are spoken", word);
      return 0;
    }
  }
  return versions != 0 ? versions : kTls12 | kTls13;
}

bool set_protocols(SSL_CTX* context, unsigned versions) {
  const int lowest = (versions & kTls12) != 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
  const int highest = (versions & kTls13) != 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
  return SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
         SSL_CTX_set_max_proto_version(context, highest) == 1;
}

// What OpenSSL does not like, behind what we wanted of it.
std::string complaint(std::string_view what) {
  const unsigned long error = ERR_peek_last_error();
  const char* const reason = ERR_reason_error_string(error);
  std::string text = fmt::format("{}: {}", what, reason != nullptr ? reason : "refused");
  ERR_clear_error();
  return text;
}

int give_passphrase(char* out, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string*>(passphrase);
  if (text.empty() || text.size() > static_cast<size_t>(size)) return -1;
  std::copy(text.begin(), text.end(), out);
  return static_cast<int>(text.size());
}

bool load_key_pair(SSL_CTX* context, const TlsOptions& options, std::string& why) {
  if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
    why = complaint("tls-cert-file " + options.cert_file);
    return false;
  }
  // Without a callback OpenSSL asks at the terminal.
  SSL_CTX_set_default_passwd_cb(context, give_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<std::string*>(&options.key_file_pass));
  const bool loaded =
      SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  if (!loaded) {
    why = complaint("tls-key-file " + options.key_file);
    return false;
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    why = complaint("tls-key-file is not the key of tls-cert-file");
    return false;
  }
  return true;
}

bool load_trusted(SSL_CTX* context, const TlsOptions& options, std::string& why) {
  if (!options.ca_cert_file.empty() &&
      SSL_CTX_load_verify_file(context, options.ca_cert_file.c_str()) != 1) {
    why = complaint("tls-ca-cert-file " + options.ca_cert_file);
    return false;
  }
  if (!options.ca_cert_dir.empty() &&
      SSL_CTX_load_verify_dir(context, options.ca_cert_dir.c_str()) != 1) {
    why = complaint("tls-ca-cert-dir " + options.ca_cert_dir);
    return false;
  }
  return true;
}

bool load_dh_parameters(SSL_CTX* context, const std::string& path, std::string& why) {
  if (path.empty()) {
    SSL_CTX_set_dh_auto(context, 1);
    return true;
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
  EVP_PKEY* const parameters =
      file != nullptr ? PEM_read_bio_Parameters(file.get(), nullptr) : nullptr;
  if (parameters != nullptr && SSL_CTX_set0_tmp_dh_pkey(context, parameters) == 1) return true;
  EVP_PKEY_free(parameters);
  why = complaint("tls-dh-params-file " + path);
  return false;
}

bool set_ciphers(SSL_CTX* context, const TlsOptions& options, std::string& why) {
  if (!options.ciphers.empty() && SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) {
    why = complaint("tls-ciphers");
    return false;
  }
  if (!options.ciphersuites.empty() &&
      SSL_CTX_set_ciphersuites(context, options.ciphersuites.c_str()) != 1) {
    why = complaint("tls-ciphersuites");
    return false;
  }
  if (options.prefer_server_ciphers) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  return true;
}

void set_verification(SSL_CTX* context, int auth_clients) {
  int mode = SSL_VERIFY_NONE;
  if (auth_clients == TlsOptions::kOptional) mode = SSL_VERIFY_PEER;
  if (auth_clients == TlsOptions::kYes) mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
}

// A session that is resumed costs neither a signature nor a chain to verify. Tickets keep it with
// the client; only clients of TLS 1.2 that do not take any fill the cache here. Both are gone with
// the context: after a reload everybody is looked at again.
void set_sessions(SSL_CTX* context, const TlsOptions& options) {
  constexpr unsigned char kOurs[] = {'r', 'o', 'x', 'd', 'b'};
  SSL_CTX_set_session_id_context(context, kOurs, sizeof kOurs);
  if (!options.session_caching) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context, options.session_cache_size);
  SSL_CTX_set_timeout(context, options.session_cache_timeout_seconds);
  SSL_CTX_set_num_tickets(context, 1);
}

int64_t seconds_of(const ASN1_TIME* time) {
  tm fields{};
  return ASN1_TIME_to_tm(time, &fields) == 1 ? static_cast<int64_t>(timegm(&fields)) : 0;
}

TlsCertificate described(const X509* certificate) {
  TlsCertificate out;
  out.expires_at_seconds = seconds_of(X509_get0_notAfter(certificate));
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> serial(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr), BN_free);
  char* const hex = serial != nullptr ? BN_bn2hex(serial.get()) : nullptr;
  if (hex != nullptr) out.serial = hex;
  OPENSSL_free(hex);
  return out;
}

}  // namespace

bool check_tls_protocols(const std::string& words, std::string& why) {
  return read_protocols(words, why) != 0;
}

TlsContext make_tls_context(const TlsOptions& options, std::string& why) {
  ERR_clear_error();
  if (options.cert_file.empty() || options.key_file.empty()) {
    why = fmt::format("No tls-{}-file configured!", options.cert_file.empty() ? "cert" : "key");
    return nullptr;
  }
  if (options.auth_clients != TlsOptions::kNo && options.ca_cert_file.empty() &&
      options.ca_cert_dir.empty()) {
    why =
        "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when "
        "tls-cluster, "
        "tls-replication or tls-auth-clients are enabled!";
    return nullptr;
  }
  const unsigned versions = read_protocols(options.protocols, why);
  if (versions == 0) return nullptr;
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) {
    why = complaint("TLS");
    return nullptr;
  }
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // An idle connection keeps no buffers; what could not be sealed at once may be given again from
  // another place.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  set_verification(raw, options.auth_clients);
  set_sessions(raw, options);
  if (!set_protocols(raw, versions)) {
    why = complaint("tls-protocols");
    return nullptr;
  }
  const bool ready = load_key_pair(raw, options, why) && load_trusted(raw, options, why) &&
                     load_dh_parameters(raw, options.dh_params_file, why) &&
                     set_ciphers(raw, options, why);
  return ready ? std::move(context) : nullptr;
}

TlsCertificate server_certificate(const SSL_CTX* context) {
  const X509* const certificate = SSL_CTX_get0_certificate(context);
  return certificate != nullptr ? described(certificate) : TlsCertificate{};
}

TlsCertificate first_to_expire(SSL_CTX* context) {
  TlsCertificate first;
  const STACK_OF(X509_OBJECT)* const trusted =
      X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_OBJECT_num(trusted); ++i) {
    const X509* const certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
    if (certificate == nullptr) continue;
    TlsCertificate found = described(certificate);
    const bool is_first = first.serial == "none";
    if (is_first || found.expires_at_seconds < first.expires_at_seconds) first = std::move(found);
  }
  return first;
}

}  // namespace roxdb::net
