#include "server/news.h"

#include <utility>

namespace roxdb::server {
namespace {

// Messages at least this long are shared. A reference costs an output some 40 bytes, one more piece
// for the kernel to gather, and two updates of a counter that all of them use. To 100 clients, 4
// KiB cost 87 us of the server's time when shared and 152 when copied; at 1 KiB it is the same.
constexpr size_t kSharedBytesMin = 2u << 10;

struct SharedOutput final : SharedBlob {
  explicit SharedOutput(resp::OutputBuffer buffer)
      : SharedBlob([](SharedBlob* blob) { delete static_cast<SharedOutput*>(blob); }),
        output(std::move(buffer)) {}
  resp::OutputBuffer output;
};

}  // namespace

void News::Encoded::finish() {
  if (output.pending() >= kSharedBytesMin) {
    owner = SharedRef::adopt(new SharedOutput(std::move(output)));
  }
  const resp::OutputBuffer& kept = owner ? static_cast<SharedOutput*>(owner.get())->output : output;
  std::string_view whole[1];
  kept.gather(whole);
  bytes = whole[0];
}

}  // namespace roxdb::server
