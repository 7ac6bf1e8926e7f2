// status.h: how an error travels. Nothing in src/ throws.
//
// A user's mistake and a failing world both come back as a Status; the text of a user's mistake is
// the error reply without its leading '-' ("ERR value is not an integer or out of range").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace roxdb {

enum class Code : uint8_t {
  kOk,
  kError,     // a user's mistake: text is the error reply
  kProtocol,  // the peer does not speak RESP: reply and close
  kIo,        // the operating system refused: os_error says why
  kCorrupt,   // bytes of a file or payload are not what was written
  kNotFound,  // a file that may be absent is absent
  kNoMemory,  // an allocation that input asked for was refused
  kBusy,      // somebody else holds what is needed
};

struct [[nodiscard]] Status {
  Code code = Code::kOk;
  int os_error = 0;            // errno or libuv error; 0 when the system is not to blame
  std::string_view text = {};  // static, or owned by the call it came from

  constexpr bool ok() const { return code == Code::kOk; }
};

inline constexpr Status kOk{};

constexpr Status user_error(std::string_view text) { return Status{Code::kError, 0, text}; }
constexpr Status io_error(int os_error, std::string_view what) {
  return Status{Code::kIo, os_error, what};
}

// A T, or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: converts on purpose
  Result(Status status) : status_(status) {      // NOLINT: converts on purpose
    ROX_ASSERT(!status.ok());
  }

  bool ok() const { return value_.has_value(); }
  Status status() const { return status_; }
  T& operator*() & {
    ROX_ASSERT(ok());
    return *value_;
  }
  const T& operator*() const& {
    ROX_ASSERT(ok());
    return *value_;
  }
  T&& operator*() && {
    ROX_ASSERT(ok());
    return std::move(*value_);
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace roxdb

// ROX_TRY(expression);            leaves the function with the Status when it is not ok
// ROX_TRY(T name, expression);    the same, else names the Result's value
// The one macro that hides control flow.
#define ROX_TRY_JOIN2(a, b) a##b
#define ROX_TRY_JOIN(a, b) ROX_TRY_JOIN2(a, b)
#define ROX_TRY_STATUS(expression)                                       \
  do {                                                                   \
    if (const ::roxdb::Status rox_try_ = (expression); !rox_try_.ok()) { \
      return rox_try_;                                                   \
    }                                                                    \
  } while (false)
#define ROX_TRY_VALUE3(name, declaration, expression) \
  auto name = (expression);                           \
  if (!name.ok()) return name.status();               \
  declaration = *std::move(name)
#define ROX_TRY_VALUE(declaration, expression) \
  ROX_TRY_VALUE3(ROX_TRY_JOIN(rox_try_, __LINE__), declaration, expression)
#define ROX_TRY_PICK(a, b, macro, ...) macro
#define ROX_TRY(...) ROX_TRY_PICK(__VA_ARGS__, ROX_TRY_VALUE, ROX_TRY_STATUS, )(__VA_ARGS__)
