#include "net/openssl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>

#include "base/memory.h"

// What we call, in any order. The linker names what is missing here.
// clang-format off
#define ROX_OPENSSL_FUNCTIONS(F) \
  F(ASN1_INTEGER_to_BN) F(ASN1_STRING_to_UTF8) F(ASN1_TIME_to_tm) F(BIO_clear_flags) \
  F(BIO_free) F(BIO_get_data) F(BIO_get_new_index) F(BIO_meth_free) F(BIO_meth_new) \
  F(BIO_meth_set_ctrl) F(BIO_meth_set_read) F(BIO_meth_set_write) F(BIO_new) F(BIO_new_file) \
  F(BIO_set_data) F(BIO_set_flags) F(BIO_set_init) F(BN_bn2hex) F(BN_free) F(CRYPTO_free) \
  F(CRYPTO_set_mem_functions) F(ERR_clear_error) F(ERR_peek_last_error) \
  F(ERR_reason_error_string) F(EVP_PKEY_free) F(GENERAL_NAMES_free) F(OPENSSL_sk_num) \
  F(OPENSSL_sk_value) F(PEM_read_bio_Parameters) F(SSL_CTX_check_private_key) F(SSL_CTX_ctrl) \
  F(SSL_CTX_free) F(SSL_CTX_get0_certificate) F(SSL_CTX_get_cert_store) \
  F(SSL_CTX_load_verify_dir) F(SSL_CTX_load_verify_file) F(SSL_CTX_new) \
  F(SSL_CTX_set0_tmp_dh_pkey) F(SSL_CTX_set_cipher_list) F(SSL_CTX_set_ciphersuites) \
  F(SSL_CTX_set_default_passwd_cb) F(SSL_CTX_set_default_passwd_cb_userdata) \
  F(SSL_CTX_set_num_tickets) F(SSL_CTX_set_options) F(SSL_CTX_set_session_id_context) \
  F(SSL_CTX_set_timeout) F(SSL_CTX_set_verify) F(SSL_CTX_use_PrivateKey_file) \
  F(SSL_CTX_use_certificate_chain_file) F(SSL_do_handshake) F(SSL_free) \
  F(SSL_get0_peer_certificate) F(SSL_get_error) F(SSL_get_verify_result) F(SSL_new) \
  F(SSL_pending) F(SSL_read_ex) F(SSL_set_accept_state) F(SSL_set_bio) F(SSL_shutdown) \
  F(SSL_write_ex) F(TLS_server_method) F(X509_NAME_ENTRY_get_data) F(X509_NAME_entry_count) \
  F(X509_NAME_get_entry) F(X509_NAME_get_index_by_NID) F(X509_OBJECT_get0_X509) \
  F(X509_STORE_get0_objects) F(X509_get0_notAfter) F(X509_get0_serialNumber) \
  F(X509_get_ext_d2i) F(X509_get_subject_name) F(X509_verify_cert_error_string)
// clang-format on

namespace {

#define ROX_NAME(name) #name,
constexpr const char* kNames[] = {ROX_OPENSSL_FUNCTIONS(ROX_NAME)};
#undef ROX_NAME

// A page, so that it can be made read-only once it is filled. Those of aarch64 may be this big.
#ifdef __aarch64__
constexpr size_t kPageBytes = 65536;
#else
constexpr size_t kPageBytes = 4096;
#endif

}  // namespace

extern "C" {
// Where the stub of the function with this number in the list jumps to.
alignas(kPageBytes) [[gnu::visibility("hidden"),
                      gnu::used]] void* rox_openssl_functions[kPageBytes / sizeof(void*)] = {};
}
static_assert(std::size(kNames) <= std::size(rox_openssl_functions));

// A stub is the function for our own calls only: hidden, it does not get in the way of the
// library's calls among its own.
#define ROX_STUB_HEAD(name) \
  ".globl " #name "\n.hidden " #name "\n.type " #name ", %function\n" #name ":\n"
#define ROX_STUB_TAIL ".set rox_stub, rox_stub + 1\n"
#if defined(__x86_64__)
#define ROX_STUB(name) \
  ROX_STUB_HEAD(name) "endbr64\njmp *rox_openssl_functions + 8 * rox_stub(%rip)\n" ROX_STUB_TAIL
#elif defined(__aarch64__)
#define ROX_STUB(name)                          \
  ROX_STUB_HEAD(name)                           \
  "hint #34\nadrp x16, rox_openssl_functions\n" \
  "add x16, x16, :lo12:rox_openssl_functions\n" \
  "ldr x16, [x16, #(8 * rox_stub)]\nbr x16\n" ROX_STUB_TAIL
#else
#error "a stub for this processor is missing"
#endif
asm(".text\n.set rox_stub, 0\n" ROX_OPENSSL_FUNCTIONS(ROX_STUB));

namespace roxdb::net {
namespace {

// OpenSSL frees without saying how much: the size stands in front of each block.
constexpr size_t kHeadBytes = alignof(std::max_align_t);

size_t& size_of(void* head) { return *static_cast<size_t*>(head); }
void* head_of(void* block) { return static_cast<char*>(block) - kHeadBytes; }

void* take(size_t size, const char*, int) {
  void* const head = size > 0 ? memory::try_allocate(size + kHeadBytes) : nullptr;
  if (head == nullptr) return nullptr;
  size_of(head) = size;
  return static_cast<char*>(head) + kHeadBytes;
}

void give(void* block, const char*, int) {
  if (block == nullptr) return;
  void* const head = head_of(block);
  memory::release(head, size_of(head) + kHeadBytes);
}

void* resize(void* block, size_t size, const char* file, int line) {
  void* const resized = take(size, file, line);
  if (block == nullptr || (resized == nullptr && size > 0)) return resized;
  if (resized != nullptr) std::memcpy(resized, block, std::min(size, size_of(head_of(block))));
  give(block, file, line);
  return resized;
}

}  // namespace

bool load_openssl(std::string& why) {
  constexpr const char* kLibrary = "libssl.so.3";
  if (rox_openssl_functions[0] != nullptr) return true;
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    why = fmt::format("TLS needs OpenSSL 3: {}", ::dlerror());
    return false;
  }
  void* functions[std::size(kNames)];
  for (size_t i = 0; i < std::size(kNames); ++i) {
    functions[i] = ::dlsym(library, kNames[i]);
    if (functions[i] != nullptr) continue;
    why = fmt::format("TLS needs OpenSSL 3: there is no {} in {}", kNames[i], kLibrary);
    return false;
  }
  std::copy(std::begin(functions), std::end(functions), rox_openssl_functions);
  ::mprotect(rox_openssl_functions, sizeof rox_openssl_functions, PROT_READ);
  // Refused when somebody else in this process uses it already; then it is not counted.
  CRYPTO_set_mem_functions(take, resize, give);
  return true;
}

}  // namespace roxdb::net
