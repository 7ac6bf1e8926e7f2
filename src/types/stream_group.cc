#include "types/stream_group.h"

namespace roxdb::types {
Group* Group::create(memory::Slabs& slabs, std::string_view name, const Id& last_delivered,
                     int64_t records_read) {
  return new (slabs.take(sizeof(Group) + name.size())) Group(name, last_delivered, records_read);
}

void Group::destroy(memory::BlockSink& sink, Group* group) {
  for (Consumer* consumer : group->consumers_) {
    consumer->pending_.release(sink);
    sink.give(consumer, consumer->block_size());
  }
  group->consumers_.release(sink);
  group->pending_.release(sink);
  for (Pending* pending = group->oldest_; pending != nullptr;) {
    Pending* const later = pending->later;
    sink.give(pending, sizeof(Pending));
    pending = later;
  }
  sink.give(group, group->block_size());
}

Group* Group::clone(memory::Slabs& slabs) const {
  Group* copy = create(slabs, name(), last_delivered, records_read);
  for (const Consumer* consumer : consumers_) {
    Consumer* same = copy->add_consumer(slabs, consumer->name(), consumer->seen_at_ms);
    same->active_at_ms = consumer->active_at_ms;
  }
  for (const Pending* pending = oldest_; pending != nullptr; pending = pending->later) {
    Consumer* consumer =
        pending->consumer == nullptr ? nullptr : copy->consumers_.find(pending->consumer->name());
    copy->add(slabs, pending->id, consumer, pending->delivered_at_ms, pending->deliveries);
  }
  return copy;
}

Consumer* Group::add_consumer(memory::Slabs& slabs, std::string_view consumer, int64_t now_ms) {
  auto* added = new (slabs.take(sizeof(Consumer) + consumer.size())) Consumer(consumer, now_ms);
  consumers_.insert(slabs, added);
  return added;
}

size_t Group::remove_consumer(memory::Slabs& slabs, Consumer* consumer) {
  const size_t removed = consumer->pending_.size();
  for (IdIndex::Place place = consumer->pending_.first(); place; place.next()) {
    auto* pending = place.as<Pending>();
    pending_.erase(slabs, pending->id);
    unlink(pending);
    slabs.give(pending, sizeof(Pending));
  }
  memory::SlabSink sink(slabs);
  consumer->pending_.release(sink);
  consumers_.erase(slabs, consumer);
  slabs.give(consumer, consumer->block_size());
  return removed;
}

// Nearly every delivery is the latest one.
void Group::link(Pending* pending) {
  // From both ends at once: what is old finds its place as soon as what is young. One of them is
  // where the last one went: a command that dates many back gives them all the same time. `later`
  // does not run out first: whatever it passes is no younger, and would stop `earlier`.
  const int64_t at_ms = pending->delivered_at_ms;
  Pending* earlier = newest_;
  Pending* later = oldest_;
  if (last_linked_ != nullptr) {
    (last_linked_->delivered_at_ms <= at_ms ? later : earlier) = last_linked_;
  }
  for (; earlier != nullptr; later = later->later) {
    if (earlier->delivered_at_ms <= at_ms) break;
    if (later->delivered_at_ms > at_ms) {
      earlier = later->earlier;
      break;
    }
    earlier = earlier->earlier;
  }
  pending->earlier = earlier;
  pending->later = earlier == nullptr ? oldest_ : earlier->later;
  (pending->earlier == nullptr ? oldest_ : pending->earlier->later) = pending;
  (pending->later == nullptr ? newest_ : pending->later->earlier) = pending;
  last_linked_ = pending;
}

void Group::unlink(Pending* pending) {
  (pending->earlier == nullptr ? oldest_ : pending->earlier->later) = pending->later;
  (pending->later == nullptr ? newest_ : pending->later->earlier) = pending->earlier;
  if (last_linked_ == pending) last_linked_ = pending->earlier;
}

Pending* Group::add(memory::Slabs& slabs, const Id& id, Consumer* consumer, int64_t delivered_at_ms,
                    uint64_t deliveries) {
  auto* pending = new (slabs.take(sizeof(Pending)))
      Pending{{id}, delivered_at_ms, deliveries, consumer, nullptr, nullptr};
  pending_.insert(slabs, pending);
  if (consumer != nullptr) consumer->pending_.insert(slabs, pending);
  link(pending);
  return pending;
}

void Group::assign(memory::Slabs& slabs, Pending* pending, Consumer* consumer) {
  if (pending->consumer == consumer) return;
  if (pending->consumer != nullptr) pending->consumer->pending_.erase(slabs, pending->id);
  if (consumer != nullptr) consumer->pending_.insert(slabs, pending);
  pending->consumer = consumer;
}

void Group::set_time(Pending* pending, int64_t delivered_at_ms) {
  unlink(pending);
  pending->delivered_at_ms = delivered_at_ms;
  link(pending);
}

void Group::remove(memory::Slabs& slabs, Pending* pending) {
  if (pending->consumer != nullptr) pending->consumer->pending_.erase(slabs, pending->id);
  pending_.erase(slabs, pending->id);
  unlink(pending);
  slabs.give(pending, sizeof(Pending));
}

size_t Group::occupied_bytes(size_t samples) const {
  size_t bytes = memory::Slabs::occupied(block_size()) + consumers_.occupied_bytes() +
                 pending_.size() * memory::Slabs::occupied(sizeof(Pending));
  size_t consumer_bytes = 0;
  size_t seen = 0;
  for (const Consumer* consumer : consumers_) {
    if (samples != 0 && seen == samples) break;
    seen++;
    consumer_bytes += consumer->own_bytes();
    if (samples == 0) consumer_bytes += consumer->pending_.node_bytes();
  }
  // Each index costs about a pointer for each pending; its nodes are counted only when all is.
  if (samples == 0) return bytes + consumer_bytes + pending_.node_bytes();
  bytes += 2 * sizeof(void*) * pending_.size();
  return seen == 0 ? bytes : bytes + consumer_bytes / seen * consumers_.size();
}

void Group::check() const {
  pending_.check();
  size_t linked = 0;
  size_t owned = 0;
  const Pending* earlier = nullptr;
  bool has_last_linked = last_linked_ == nullptr;
  for (const Pending* pending = oldest_; pending != nullptr; pending = pending->later) {
    ROX_ASSERT(pending->earlier == earlier);
    ROX_ASSERT(earlier == nullptr || earlier->delivered_at_ms <= pending->delivered_at_ms);
    ROX_ASSERT(pending_.find(pending->id) == pending);
    if (pending->consumer != nullptr) {
      ROX_ASSERT(pending->consumer->pending_.find(pending->id) == pending);
      owned++;
    }
    has_last_linked |= pending == last_linked_;
    linked++;
    earlier = pending;
  }
  ROX_ASSERT(newest_ == earlier && linked == pending_.size() && has_last_linked);  // I1
  const Consumer* previous = nullptr;
  for (const Consumer* consumer : consumers_) {
    consumer->pending_.check();
    for (IdIndex::Place place = consumer->pending_.first(); place; place.next()) {
      ROX_ASSERT(place.as<Pending>()->consumer == consumer);  // I2
    }
    owned -= consumer->pending_.size();
    ROX_ASSERT(previous == nullptr || previous->name() < consumer->name());  // I3
    previous = consumer;
  }
  ROX_ASSERT(owned == 0);
}

}  // namespace roxdb::types
