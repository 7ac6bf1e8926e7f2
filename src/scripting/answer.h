// answer.h: the value that a script returns, as the reply to its caller.
//
//   string, number      bulk, integer (cut off)
//   true, false         integer 1, null; after redis.setresp(3): booleans
//   {err = text} {ok = text} {double = n} {big_number = s} {verbatim_string = {string, format}}
//   {map = {}} {set = {}}
//   any other table     an array, from 1 up to the first nil
//   anything else       null
#pragma once

#include <cstdint>
#include <string_view>

#include "resp/reply.h"
#include "scripting/lua.h"

namespace roxdb::scripting {

// Replies the value at the top of the stack and pops it. `protocol`: the script's. Tables that are
// nested deeper than kReplyDepthMax become an error in their place.
void answer(lua_State* state, resp::Reply& reply, int protocol);

// Whether the reply of the value at the top of the stack would be larger than so many bytes: one
// table may stand in it many times, so that what is small in memory is not in a reply. Looks at no
// more than fits, or than memory holds without any table being there twice.
bool is_answer_too_large(lua_State* state, int protocol, uint64_t bytes_max);

// The text of an error that is a string at the top of the stack, as Redis sends it: up to the first
// zero, without line ends at its end.
std::string_view error_text(lua_State* state);

}  // namespace roxdb::scripting
