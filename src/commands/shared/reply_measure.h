// reply_measure.h: a reply of many parts is measured before it is made, so that one that would be
// larger than Engine::reply_bytes_max costs an error and no memory.
//
//   what is known without looking says that it fits:   show(reply)
//   else:   show(measure)     too large: kReplyTooLarge     else: show(reply)
//
// What shows the reply may run twice, so it only looks; what the command does comes after. While a
// log is replayed nobody reads a reply, and nothing is refused that was done once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/call.h"
#include "resp/reply.h"

namespace roxdb::commands {

// What a part of a reply takes beside its text, as a rule: the line with its length, and ends. The
// most: those, and the digits of a number.
inline constexpr uint64_t kPartBytes = 16;
inline constexpr uint64_t kPartBytesMax = 40;

// The most that a reply of so many parts takes, their texts having so many bytes together.
inline uint64_t reply_bytes_of(uint64_t parts, uint64_t text_bytes) {
  uint64_t bytes = 0;
  const bool overflows = __builtin_mul_overflow(parts, kPartBytesMax, &bytes) ||
                         __builtin_add_overflow(bytes, text_bytes, &bytes);
  return overflows ? UINT64_MAX : bytes;
}

// Counts the bytes of what it is told, and forgets it.
class ReplyMeasure final : public resp::Reply {
 public:
  ReplyMeasure(int protocol, uint64_t bytes_max) : bytes_max_(bytes_max) { protocol_ = protocol; }
  // What comes now makes no difference.
  bool is_too_large() const { return bytes_ > bytes_max_; }

  void simple(std::string_view text) override { add(text.size()); }
  void error(std::string_view text) override { add(text.size()); }
  void integer(int64_t) override { add(0); }
  void real(double) override { add(0); }
  void boolean(bool) override { add(0); }
  void null() override { add(0); }
  void null_array() override { add(0); }
  void bulk(std::string_view bytes) override { add(bytes.size()); }
  void verbatim(std::string_view, std::string_view text) override { add(text.size()); }
  void big_number(std::string_view digits) override { add(digits.size()); }
  void array(size_t) override { add(0); }
  void map(size_t) override { add(0); }
  void set(size_t) override { add(0); }
  void push(size_t) override { add(0); }
  void attribute(size_t) override { add(0); }
  Open open(Aggregate kind) override {
    add(0);
    return {0, kind};
  }
  void close(Open, size_t) override {}

 private:
  void add(size_t text_bytes) { bytes_ += kPartBytes + text_bytes; }

  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
};

// In a loop of show(auto& reply): whether to go on is of no use.
constexpr bool is_enough(const resp::Reply&) { return false; }
inline bool is_enough(const ReplyMeasure& measure) { return measure.is_too_large(); }

// kReplyTooLarge when show(reply) would say too much. `bytes_max`: no reply of it is larger; what
// is known at once, UINT64_MAX when that is nothing. Costs nothing unless that is too much.
template <class Show>
Status check_reply(engine::Call& call, uint64_t bytes_max, Show&& show) {
  const uint64_t limit = call.engine().reply_bytes_max;
  if (bytes_max <= limit || call.session().kind == engine::Session::Kind::kReplay) [[likely]] {
    return kOk;
  }
  ReplyMeasure measure(call.reply().protocol(), limit);
  show(measure);
  return measure.is_too_large() ? engine::errors::kReplyTooLarge : kOk;
}

// The same, and the reply when it is none too large.
template <class Show>
Status reply_measured(engine::Call& call, uint64_t bytes_max, Show&& show) {
  ROX_TRY(check_reply(call, bytes_max, show));
  show(call.reply());
  return kOk;
}

}  // namespace roxdb::commands
