// ends.h: taking elements from the ends of lists and putting them there, for the commands that do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/call.h"
#include "engine/events.h"
#include "types/list_value.h"

namespace roxdb::commands {

enum class End : uint8_t { kLeft, kRight };

constexpr std::string_view end_name(End end) { return end == End::kLeft ? "LEFT" : "RIGHT"; }
constexpr std::string_view pop_name(End end) { return end == End::kLeft ? "LPOP" : "RPOP"; }
constexpr engine::Event pop_event(End end) {
  return end == End::kLeft ? engine::event::kLPop : engine::event::kRPop;
}
constexpr engine::Event push_event(End end) {
  return end == End::kLeft ? engine::event::kLPush : engine::event::kRPush;
}

// LEFT or RIGHT; else "ERR syntax error".
Result<End> read_end(engine::Call& call, size_t index);

inline types::ListCursor end_of(const types::ListView& list, End end) {
  return end == End::kLeft ? list.front() : list.back();
}
inline void step_inwards(types::ListCursor& cursor, End end) {
  end == End::kLeft ? cursor.next() : cursor.previous();
}
inline void push(types::ListValue& list, End end, const types::ListValue::Encoded& element) {
  end == End::kLeft ? list.push_front(element) : list.push_back(element);
}
// Removes elements from one end. REQUIRES: the list has as many.
void pop(types::ListValue& list, End end, size_t count = 1);

void reply_element(resp::Reply& reply, const types::ListCursor& cursor);
// `count` elements were taken from a list: tells the sinks, and removes the key when none is left.
void popped(engine::Call& call, size_t key_index, const types::ListValue& list, End end,
            size_t count = 1);

// Pops `count` elements, or all when there are fewer, and replies with an array of them, the outer
// one first; with [key, array] when `shows_key`. kReplyTooLarge: nothing is done. REQUIRES: the
// list is not empty.
Status pop_and_reply(engine::Call& call, size_t key_index, types::ListValue& list, End end,
                     size_t count, bool shows_key);

}  // namespace roxdb::commands
