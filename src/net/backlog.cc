#include "net/backlog.h"

#include <array>
#include <string_view>
#include <utility>

namespace roxdb::net {
namespace {

constexpr size_t kJoinedBytesMax = 16u << 10;

}  // namespace

void Backlog::add(resp::OutputBuffer& output, bool front_lies_still) {
  bytes_ += output.pending();
  const bool has_splices = output.mark().splices > 0;
  const size_t fixed = front_lies_still ? 1 : 0;
  if (outputs_.size() > fixed && !has_splices && output.pending() <= kJoinedBytesMax) {
    std::array<std::string_view, 1> bytes;
    if (output.gather(bytes) > 0) outputs_.back().append(bytes[0]);
    return output.clear(output.capacity());
  }
  outputs_.push_back(std::move(output));
}

void Backlog::taken(size_t size) {
  bytes_ -= size;
  if (outputs_.front().empty()) outputs_.pop_front();
}

}  // namespace roxdb::net
