#include "net/tls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "net/openssl_library.h"

namespace roxdb::net {
namespace {

constexpr std::array<std::string_view, 3> kUserFields = {"off", "CN", "URI"};

}  // namespace

Tls::Tls(Loop& loop, engine::Engine& engine)
    : handshakes(loop),
      engine_(engine),
      reload_timer_(make_handle<uv_timer_t>(loop.handle(), uv_timer_init, this)) {
  register_settings();
  register_info();
}

void Tls::close() {
  handshakes.close();
  reload_timer_.reset();
}

void Tls::set_on(bool on) {
  is_on_ = on;
  watch_files();
}

bool Tls::make_ready(std::string& why) {
  return (working_ != nullptr && !is_stale_) || remake(why);
}

Result<std::unique_ptr<TlsSession>> Tls::open_session() {
  return TlsSession::open(working_->context.get(), working_->shared);
}

std::span<char> Tls::read_buffer(bool is_aside) {
  std::unique_ptr<char[]>& buffer = is_aside ? working_->aside_buffer : working_->read_buffer;
  if (buffer == nullptr) buffer = std::make_unique_for_overwrite<char[]>(kReadBytes);
  return {buffer.get(), kReadBytes};
}

std::vector<std::string> Tls::users_of(const TlsSession& session) const {
  switch (user_field_) {
    case UserField::kOff:
      return {};
    case UserField::kCommonName:
      return {session.peer_common_name()};
    case UserField::kUri:
      return session.peer_uris();
  }
  return {};
}

// ---- made anew ----

bool Tls::remake(std::string& why) {
  if (!load_openssl(why)) return false;
  is_stale_ = false;
  seen_ = file_states();
  TlsContext made = make_tls_context(options_, why);
  if (made == nullptr) return false;
  const int64_t now_seconds = engine_.environment().now_ms() / 1000;
  if (server_certificate(made.get()).expires_at_seconds < now_seconds) {
    if (working_ != nullptr) {
      why = fmt::format("tls-cert-file {}: certificate has expired", options_.cert_file);
      return false;
    }
    // A server that starts has nothing better.
    log().warning("The certificate in tls-cert-file {} has expired", options_.cert_file);
  }
  if (working_ == nullptr) working_ = std::make_unique<Working>();
  working_->context = std::move(made);
  return true;
}

void Tls::watch_files() {
  if (!is_on_ || reload_seconds_ == 0) {
    uv_timer_stop(reload_timer_.get());
    return;
  }
  const auto on_timer = [](uv_timer_t* timer) {
    if (auto* const self = static_cast<Tls*>(timer->data)) self->look_at_files();
  };
  const auto period_ms = static_cast<uint64_t>(reload_seconds_) * 1000;
  uv_timer_start(reload_timer_.get(), on_timer, period_ms, period_ms);
}

void Tls::look_at_files() {
  if (file_states() == seen_) return;
  std::string why;
  if (remake(why)) {
    log().notice("TLS certificates reloaded: their files have changed");
  } else {
    log().warning("TLS certificates not reloaded, the old ones stay: {}", why);
  }
}

std::vector<Tls::FileState> Tls::file_states() const {
  std::vector<FileState> states;
  for (const std::string* path : {&options_.cert_file, &options_.key_file, &options_.ca_cert_file,
                                  &options_.ca_cert_dir, &options_.dh_params_file}) {
    FileState& state = states.emplace_back();
    struct stat now {};
    if (path->empty() || ::stat(path->c_str(), &now) < 0) continue;
    state = {now.st_dev, now.st_ino, now.st_size,
             int64_t{now.st_mtim.tv_sec} * 1'000'000'000 + now.st_mtim.tv_nsec};
  }
  return states;
}

// ---- settings and INFO ----

// One CONFIG SET may set several: all are set before the first is applied, which makes the context.
void Tls::remake_when_set(engine::Setting& setting) {
  setting.set = [this, set = std::move(setting.set)](std::span<const std::string> words,
                                                     std::string& why) {
    if (!set(words, why)) return false;
    is_stale_ = true;
    return true;
  };
  setting.apply = [this](std::string& why) {
    if (!is_on_ || !is_stale_) return true;
    std::string reason;
    if (remake(reason)) return true;
    why = "Unable to update TLS configuration: " + reason;
    log().warning("{}", why);
    return false;
  };
}

void Tls::register_settings() {
  engine::Settings& settings = engine_.settings;
  TlsOptions& options = options_;
  remake_when_set(settings.add_string("tls-cert-file", &options.cert_file));
  remake_when_set(settings.add_string("tls-key-file", &options.key_file));
  remake_when_set(
      settings.add_string("tls-key-file-pass", &options.key_file_pass, engine::Setting::kSecret));
  remake_when_set(settings.add_string("tls-ca-cert-file", &options.ca_cert_file));
  remake_when_set(settings.add_string("tls-ca-cert-dir", &options.ca_cert_dir));
  remake_when_set(settings.add_string("tls-dh-params-file", &options.dh_params_file));
  remake_when_set(
      settings.add_choice("tls-auth-clients", &options.auth_clients, {"no", "yes", "optional"}));
  engine::Setting& protocols = settings.add_string("tls-protocols", &options.protocols);
  protocols.set = [this](std::span<const std::string> words, std::string& why) {
    if (!check_tls_protocols(words[0], why)) return false;
    options_.protocols = words[0];
    return true;
  };
  remake_when_set(protocols);
  remake_when_set(settings.add_string("tls-ciphers", &options.ciphers));
  remake_when_set(settings.add_string("tls-ciphersuites", &options.ciphersuites));
  remake_when_set(settings.add_bool("tls-prefer-server-ciphers", &options.prefer_server_ciphers));
  remake_when_set(settings.add_bool("tls-session-caching", &options.session_caching));
  remake_when_set(
      settings.add_integer("tls-session-cache-size", &options.session_cache_size, 0, INT32_MAX));
  remake_when_set(settings.add_integer("tls-session-cache-timeout",
                                       &options.session_cache_timeout_seconds, 0, INT32_MAX));

  settings.add_integer("tls-auto-reload-interval", &reload_seconds_, 0, INT32_MAX).apply =
      [this](std::string&) {
        watch_files();
        return true;
      };
  settings.add_integer("tls-handshake-timeout", &handshakes.timeout_seconds, 1, INT32_MAX);
  add_user_field(settings);
}

void Tls::add_user_field(engine::Settings& settings) {
  engine::Setting field;
  field.name = "tls-auth-clients-user";
  field.get = [this] { return std::string(kUserFields[static_cast<size_t>(user_field_)]); };
  field.set = [this](std::span<const std::string> words, std::string& why) {
    for (size_t i = 0; i < kUserFields.size(); ++i) {
      if (!equal_ignore_case(words[0], kUserFields[i])) continue;
      user_field_ = static_cast<UserField>(i);
      return true;
    }
    why = fmt::format("argument(s) must be one of the following: {}", fmt::join(kUserFields, ", "));
    return false;
  };
  settings.add(std::move(field));
}

void Tls::register_info() {
  engine_.info.add("tls", [this](engine::InfoWriter& out) {
    const int64_t now_seconds = engine_.environment().now_ms() / 1000;
    const auto show = [&](std::string_view whose, const TlsCertificate& certificate) {
      const int64_t left_seconds = certificate.expires_at_seconds - now_seconds;
      out.field(fmt::format("tls_{}_cert_serial", whose), certificate.serial);
      out.field(fmt::format("tls_{}_cert_expire_time", whose), certificate.expires_at_seconds);
      out.field(fmt::format("tls_{}_cert_expires_in_seconds", whose),
                std::max<int64_t>(0, left_seconds));
    };
    if (working_ == nullptr) return;
    show("server", server_certificate(working_->context.get()));
    show("ca", first_to_expire(working_->context.get()));
  });
}

}  // namespace roxdb::net
