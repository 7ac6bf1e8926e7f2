// tls.h: the TLS side of the server: its settings, what they make, and when that is made anew.
//
//   tls-port is set ------make_ready()--> a context of the files as they are now
//   CONFIG SET tls-... ---.
//   a file has changed ---'--> another one, for new connections; when it cannot be made, or its
//   (every so many seconds)    certificate has expired, the old one stays and the log says why
//
// Until make_ready() OpenSSL is not even loaded, so a server without TLS pays nothing for it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "net/handle.h"
#include "net/handshakes.h"
#include "net/loop.h"
#include "net/tls_context.h"
#include "net/tls_session.h"
#include "server/client.h"

namespace roxdb::net {

class Tls {
 public:
  // Registers the settings and INFO tls. Both must outlive this.
  Tls(Loop& loop, engine::Engine& engine);
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // While it is off, settings are kept and not tried.
  void set_on(bool on);
  // Makes what new connections need, unless it is there and as the settings are. False: why not.
  bool make_ready(std::string& why);
  // No connection is left and none will come.
  void close();

  // For a connection. REQUIRES: make_ready() was true once.
  Result<std::unique_ptr<TlsSession>> open_session();
  TlsShared& shared() { return working_->shared; }
  // Where the next bytes of any connection go. `is_aside`: in the middle of a command; whoever sent
  // that may have more bytes in the usual one, which are not decrypted yet.
  std::span<char> read_buffer(bool is_aside);
  const Logger& log() const { return engine_.log(); }
  // The users that the peer's certificate names, none when tls-auth-clients-user is off.
  std::vector<std::string> users_of(const TlsSession& session) const;

  // Called when a client's handshake is done. May close it.
  std::function<void(server::Client&, const TlsSession&)> on_open;

  Handshakes handshakes;

 private:
  static constexpr size_t kReadBytes = 64u << 10;

  enum class UserField : uint8_t { kOff, kCommonName, kUri };
  // What a file was when it was last looked at; all zero: there is none.
  struct FileState {
    dev_t device = 0;
    ino_t file = 0;
    off_t size = 0;
    int64_t changed_ns = 0;
    bool operator==(const FileState&) const = default;
  };
  struct Working {
    TlsContext context;
    TlsShared shared;
    std::unique_ptr<char[]> read_buffer = std::make_unique_for_overwrite<char[]>(kReadBytes);
    std::unique_ptr<char[]> aside_buffer;  // made when it is needed first
  };

  void register_settings();
  void register_info();
  void add_user_field(engine::Settings& settings);
  void remake_when_set(engine::Setting& setting);
  bool remake(std::string& why);
  void watch_files();
  void look_at_files();
  std::vector<FileState> file_states() const;

  engine::Engine& engine_;
  TlsOptions options_;
  UserField user_field_ = UserField::kOff;
  int64_t reload_seconds_ = 0;

  bool is_on_ = false;
  bool is_stale_ = true;  // a setting has been set since
  std::unique_ptr<Working> working_;
  std::vector<FileState> seen_;
  UvPtr<uv_timer_t> reload_timer_;
};

}  // namespace roxdb::net
