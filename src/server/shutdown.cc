#include "server/shutdown.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.h"

namespace roxdb::server {

using persist::ShutdownRequest;

namespace {

// The words of shutdown-on-sigterm. `now`, `safe` and `failover` are about replicas, of which there
// are none to wait for or promote. False: not such a word.
bool add_word(ShutdownRequest& request, std::string_view word) {
  if (equal_ignore_case(word, "save")) {
    request.save = ShutdownRequest::Save::kAlways;
  } else if (equal_ignore_case(word, "nosave")) {
    request.save = ShutdownRequest::Save::kNever;
  } else if (equal_ignore_case(word, "force")) {
    request.force = true;
  } else {
    constexpr std::string_view kOthers[] = {"default", "now", "safe", "failover"};
    return std::any_of(std::begin(kOthers), std::end(kOthers),
                       [&](std::string_view other) { return equal_ignore_case(word, other); });
  }
  return true;
}

}  // namespace

Shutdown::Shutdown(engine::Engine& engine, Clients& clients, persist::Persistence* persistence)
    : engine_(engine), clients_(clients), persistence_(persistence) {
  register_setting("shutdown-on-sigint", &on_sigint_, &on_sigint_text_);
  register_setting("shutdown-on-sigterm", &on_sigterm_, &on_sigterm_text_);
}

void Shutdown::register_setting(const char* name, ShutdownRequest* request, std::string* text) {
  engine::Setting setting;
  setting.name = name;
  setting.flags = engine::Setting::kWords;
  setting.get = [text] { return *text; };
  setting.set = [request, text](std::span<const std::string> words, std::string& why) {
    ShutdownRequest read;
    std::set<std::string> given;
    bool are_known = !words.empty();
    for (const std::string& word : words) {
      are_known = are_known && add_word(read, word);
      given.insert(lower_case(word));
    }
    if (!are_known) {
      why =
          "argument(s) must be one of the following: default, save, nosave, now, force, "
          "safe, failover";
      return false;
    }
    if (given.contains("save") && given.contains("nosave")) {
      why = "shutdown options SAVE and NOSAVE can't be used simultaneously";
      return false;
    }
    std::string joined;
    for (const std::string_view word : {"save", "nosave", "now", "force", "safe", "failover"}) {
      if (given.contains(std::string(word))) joined += fmt::format(" {}", word);
    }
    if (!joined.empty()) joined.erase(0, 1);
    *request = read;
    *text = joined.empty() ? "default" : joined;
    return true;
  };
  engine_.settings.add(std::move(setting));
}

Status Shutdown::request(const ShutdownRequest& request) {
  if (is_stopping_) return kOk;
  engine_.log().warning("User requested shutdown...");
  const Status status = persistence_ != nullptr ? persistence_->shut_down(request) : kOk;
  if (!status.ok() && !request.force) {
    engine_.log().warning("The server stays up: {}", status.text);
    return status;
  }
  is_stopping_ = true;
  // What came behind in the same batch was not saved: it is not executed.
  clients_.for_each([this](Client& client) { clients_.close_after_replies(client); });
  if (on_stop) on_stop();
  return kOk;
}

void Shutdown::on_signal(int signal) {
  if (engine_.is_aside()) {
    engine_.log().warning("A signal asks for the end: the running script must end first.");
    pending_signal_ = signal;
    return;
  }
  const bool is_int = signal == SIGINT;
  engine_.log().warning("Received {} scheduling shutdown...", is_int ? "SIGINT" : "SIGTERM");
  ShutdownRequest request = is_int ? on_sigint_ : on_sigterm_;
  request.force = request.force || has_failed_;
  // A failure is logged; the next signal leaves without asking.
  has_failed_ = !this->request(request).ok();
}

}  // namespace roxdb::server
