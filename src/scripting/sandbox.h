// sandbox.h: the wall round scripts (reliability S5).
//
//   globals (empty) --__index--> names: KEYS ARGV pairs ...  --__index--> "nonexistent global"
//      |                           redis, string, ... (empty) --__index--> their functions
//      '--__newindex--> "Attempt to modify a readonly table"
//
// What scripts share is read-only. Lua 5.1 cannot say that of a table, so scripts only ever hold
// proxies: empty tables whose metatable reads from a backing table that no script can name.
// Whatever in the libraries writes without asking a metatable (rawset, table.insert, setmetatable
// ...) is replaced by a function that refuses proxies; so are those that would show that they are
// empty (next, pairs, rawget). A script's own tables are as fast as ever.
//
// The holes of the past, each with a test of its name:
//   table of known holes (reliability)      here
//   ------------------------------------    ------------------------------------------------------
//   freed while parsing, finalizers         the collector stands still while a text is compiled;
//                                           no newproxy, so that nothing has a finalizer
//   unpack({}, 0, 2^31 - 1)                 an unpack of ours, which counts in 64 bits
//   getmetatable('').__index = f            shows a proxy
//   string.rep("[", 1e5) .. "="             texts up to 512 MiB; the parser counts in 31 bits
//   bit, cjson, cmsgpack, struct            ours, with checked sizes
//   thousands of values to a call           lua_checkstack before every push; 8,000 slots for each
//   package, io, load of byte code          never opened; load and loadstring refuse the mark 27
//   C stack: coroutines in coroutines       a depth that is counted over all of them
//   C stack: patterns of 10^5 items         a matcher of ours that does not call itself (pattern.h)
//   a debugger, debug.*                     none
#pragma once

#include "scripting/lua.h"

namespace roxdb::scripting {

// Replaces the table at the top of the stack by a proxy of it.
void protect_table(lua_State* state);
// Whether the value at `index` is a proxy; then the table behind it is pushed.
bool push_protected(lua_State* state, int index);
// As a __newindex, or called by one: the error "Attempt to modify a readonly table".
int refuse_change(lua_State* state);

// Builds the names that scripts see and makes their globals a proxy of them; leaves the backing
// table of the globals on the stack, in which the caller may put more names, and below it the
// metatable of the globals. REQUIRES: a fresh state.
void open_sandbox(lua_State* state);

}  // namespace roxdb::scripting
