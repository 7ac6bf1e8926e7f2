#include "server/client_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"
#include "base/numbers.h"
#include "engine/memory_gate.h"

namespace roxdb::server {
namespace {

constexpr size_t kFirstClassBits = 15;  // takes less than 2^15 bytes

}  // namespace

ClientMemory::ClientMemory(engine::Engine& engine, std::function<void()> on_set) : engine_(engine) {
  engine::Setting setting;
  setting.name = "maxmemory-clients";
  setting.get = [this] {
    return percent_max_ != 0 ? fmt::format("{}%", percent_max_) : std::to_string(bytes_max_);
  };
  setting.set = [this](std::span<const std::string> words, std::string& why) {
    std::string_view word = words[0];
    const bool is_percent = word.ends_with('%');
    if (is_percent) word.remove_suffix(1);
    const auto value = is_percent ? parse_uint64(word) : parse_memory_size(word);
    if (!value) {
      why = "argument must be a memory or percent value";
      return false;
    }
    if (is_percent && *value > 100) {
      why = "percentage argument must be less or equal to 100";
      return false;
    }
    bytes_max_ = is_percent ? 0 : *value;
    percent_max_ = is_percent ? *value : 0;
    return true;
  };
  setting.apply = [on_set = std::move(on_set)](std::string&) {
    on_set();
    return true;
  };
  engine.settings.add(std::move(setting));
}

uint64_t ClientMemory::limit() const {
  if (percent_max_ == 0) return bytes_max_;
  const auto* const gate = engine_.services.find<engine::MemoryGate>();
  return gate == nullptr ? 0 : gate->limit() / 100 * percent_max_;
}

bool ClientMemory::is_over_limit() const {
  const uint64_t bytes_max = limit();
  return bytes_max != 0 && sum_ > bytes_max;
}

size_t ClientMemory::class_of(size_t bytes) {
  const auto bits = static_cast<size_t>(std::bit_width(bytes));
  return std::min(std::max(bits, kFirstClassBits) - kFirstClassBits, kClasses - 1);
}

void ClientMemory::count(Client& client) {
  const size_t bytes = client.memory_bytes();
  const bool stays = client.memory_place != Client::kNowhere && !client.no_evict &&
                     class_of(bytes) == class_of(client.counted_bytes);
  if (!stays) leave_class(client);
  sum_ = sum_ - client.counted_bytes + bytes;
  client.counted_bytes = bytes;
  if (stays || client.no_evict) return;
  auto& members = classes_[class_of(bytes)];
  client.memory_place = members.size();
  members.push_back(&client);
}

void ClientMemory::forget(Client& client) {
  leave_class(client);
  sum_ -= std::exchange(client.counted_bytes, 0);
}

// The last one of the class takes the place that becomes free.
void ClientMemory::leave_class(Client& client) {
  if (client.memory_place == Client::kNowhere) return;
  auto& members = classes_[class_of(client.counted_bytes)];
  members[client.memory_place] = members.back();
  members[client.memory_place]->memory_place = client.memory_place;
  members.pop_back();
  client.memory_place = Client::kNowhere;
}

void ClientMemory::check() const {
  for (size_t i = 0; i < kClasses; ++i) {
    for (size_t k = 0; k < classes_[i].size(); ++k) {
      ROX_ASSERT(classes_[i][k]->memory_place == k);
      ROX_ASSERT(class_of(classes_[i][k]->counted_bytes) == i);
    }
  }
}

}  // namespace roxdb::server
