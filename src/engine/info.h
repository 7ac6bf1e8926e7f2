// info.h: the sections of INFO. Each room adds what it knows; INFO (commands/info.cc) puts the
// sections in Redis's order.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace roxdb::engine {

// One section's lines as "name:value\r\n".
class InfoWriter {
 public:
  explicit InfoWriter(std::string& out) : out_(out) {}
  template <class T>
  void field(std::string_view name, const T& value) {
    fmt::format_to(std::back_inserter(out_), "{}:{}\r\n", name, value);
  }
  // A value made of parts: field("cmdstat_get", "calls={},usec={}", calls, usec).
  template <class... Args>
  void line(std::string_view name, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), "{}:", name);
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += "\r\n";
  }

 private:
  std::string& out_;
};

class InfoSections {
 public:
  using Write = std::function<void(InfoWriter&)>;
  // Several rooms may add to one section ("stats"): their lines follow in order of registration.
  void add(std::string_view section, Write write) {
    parts_.push_back({std::string(section), std::move(write)});
  }
  // The lines of one section; empty when nobody adds to it.
  std::string text(std::string_view section) const {
    std::string out;
    InfoWriter writer(out);
    for (const Part& part : parts_) {
      if (part.section == section) part.write(writer);
    }
    return out;
  }

  // CONFIG RESETSTAT: each room says what goes back to zero.
  void on_reset(std::function<void()> reset) { resets_.push_back(std::move(reset)); }
  void reset() const {
    for (const auto& reset : resets_) reset();
  }

 private:
  struct Part {
    std::string section;
    Write write;
  };
  std::vector<Part> parts_;
  std::vector<std::function<void()>> resets_;
};

}  // namespace roxdb::engine
