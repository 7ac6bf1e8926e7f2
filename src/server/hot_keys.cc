#include "server/hot_keys.h"

#include <algorithm>

namespace roxdb::server {
namespace {

constexpr size_t kKeptPerWanted = 32;  // sums, before the cheaper half is forgotten

}  // namespace

// ---- sums ----

TopKeys::TopKeys(const HashSecret& secret, size_t count)
    : count_(count), keys_max_(count * kKeptPerWanted), sums_(0, Hash{&secret}) {}

void TopKeys::add(std::string_view key, uint64_t amount) {
  const auto place = sums_.find(key);
  if (place != sums_.end()) {
    place->second += amount;
    return;
  }
  if (sums_.size() >= keys_max_) forget_half();
  sums_.emplace(key, amount);
}

void TopKeys::forget_half() {
  std::vector<uint64_t> amounts;
  amounts.reserve(sums_.size());
  for (const auto& [key, amount] : sums_) amounts.push_back(amount);
  const auto middle = amounts.begin() + static_cast<ptrdiff_t>(amounts.size() / 2);
  std::nth_element(amounts.begin(), middle, amounts.end());
  // Of those that are worth as much as the middle one, too many may stay: half of all go anyway.
  size_t left = sums_.size() / 2;
  std::erase_if(sums_, [&](const auto& entry) {
    if (left == 0 || entry.second > *middle) return false;
    --left;
    return true;
  });
}

std::vector<std::pair<std::string, uint64_t>> TopKeys::highest() const {
  std::vector<std::pair<std::string, uint64_t>> keys(sums_.begin(), sums_.end());
  const size_t shown = std::min(count_, keys.size());
  std::partial_sort(keys.begin(), keys.begin() + static_cast<ptrdiff_t>(shown), keys.end(),
                    [](const auto& a, const auto& b) { return a.second > b.second; });
  keys.resize(shown);
  return keys;
}

// ---- tracking ----

HotKeys::HotKeys(engine::Engine& engine, Clients& clients, int order)
    : engine_(engine), clients_(clients), order_(order) {}

HotKeys::~HotKeys() { stop(); }

void HotKeys::start(const Options& options) {
  results_.emplace(
      Results{.options = options,
              .start_ms = engine_.environment().now_ms(),
              .start_ns = engine_.environment().monotonic_ns(),
              .cpu_at_start = cpu_times(CpuScope::kProcess),
              .cpu = {},
              .net_at_start = clients_.statistics.input_bytes + clients_.statistics.output_bytes,
              .by_cpu = {},
              .by_net = {}});
  if (options.by_cpu) results_->by_cpu.emplace(engine_.secret(), options.count);
  if (options.by_net) results_->by_net.emplace(engine_.secret(), options.count);
  engine_.arm(this, order_);
  engine_.observe_all(this, [this](const engine::Execution& execution) { weigh(execution); });
}

void HotKeys::stop() {
  if (!results_ || !results_->active) return;
  update();
  results_->active = false;
  engine_.disarm(this);
  engine_.stop_observing(this);
}

const HotKeys::Results* HotKeys::results() {
  if (!results_) return nullptr;
  if (results_->active) update();
  return &*results_;
}

// Ends the tracking, too, when its time is up.
void HotKeys::update() {
  Results& results = *results_;
  results.duration_ns = engine_.environment().monotonic_ns() - results.start_ns;
  const CpuTimes now = cpu_times(CpuScope::kProcess);
  results.cpu = {.user_seconds = now.user_seconds - results.cpu_at_start.user_seconds,
                 .system_seconds = now.system_seconds - results.cpu_at_start.system_seconds};
  results.net_bytes =
      clients_.statistics.input_bytes + clients_.statistics.output_bytes - results.net_at_start;
  const auto limit_ns = static_cast<uint64_t>(results.options.duration_ms) * 1'000'000;
  if (limit_ns == 0 || results.duration_ns < limit_ns) return;
  results.duration_ns = limit_ns;
  results.active = false;
  engine_.disarm(this);
  engine_.stop_observing(this);
}

engine::Verdict HotKeys::check(engine::Session& session, const engine::CommandSpec&, engine::Args,
                               Status&) {
  output_before_ = session.kind == engine::Session::Kind::kClient
                       ? static_cast<Client&>(session).output.pending()
                       : 0;
  return engine::Verdict::kPass;
}

void HotKeys::weigh(const engine::Execution& execution) {
  Results& results = *results_;
  if (results.options.duration_ms > 0) {
    const uint64_t passed_ns = engine_.environment().monotonic_ns() - results.start_ns;
    if (passed_ns >= static_cast<uint64_t>(results.options.duration_ms) * 1'000'000) return;
  }
  uint64_t bytes = 0;
  for (const std::string_view arg : execution.args) bytes += arg.size();
  if (execution.session.kind == engine::Session::Kind::kClient) {
    const size_t output = static_cast<Client&>(execution.session).output.pending();
    bytes += output - std::min(output, output_before_);
  }
  results.commands_ns += execution.duration_ns;
  results.command_bytes += bytes;
  if (results.options.sample_ratio > 1 && engine_.random.below(results.options.sample_ratio) != 0) {
    return;
  }
  keys_.clear();
  if (!engine::CommandTable::keys_of(execution.command, execution.args, keys_) || keys_.empty()) {
    return;
  }
  for (const engine::KeyAt& key : keys_) {
    const std::string_view name = execution.args[key.arg];
    if (results.by_cpu) results.by_cpu->add(name, execution.duration_ns / keys_.size());
    if (results.by_net) results.by_net->add(name, bytes / keys_.size());
  }
}

}  // namespace roxdb::server
