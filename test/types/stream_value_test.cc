#include "types/stream_value.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "test/types/test_home.h"
#include "test/types/value_bytes.h"

namespace roxdb::types {
namespace {

using test::BytesReader;
using test::BytesWriter;

// A stream entry that is given back at the end.
struct Made {
  explicit Made(const ValueHome& value_home)
      : Made(value_home, StreamValue::create(value_home, {.key = "s"})) {}
  Made(const ValueHome& value_home, Entry* made) : home(value_home), entry(made) {}
  ~Made() {
    memory::SlabSink sink(home.slabs);
    stream_type().release_payload(entry->payload(), entry->encoding(), sink);
    Entry::destroy(home.slabs, entry);
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;

  Stream& operator*() { return *entry->pointer<Stream>(); }
  Stream* operator->() { return entry->pointer<Stream>(); }
  void append(const Id& id, std::vector<std::string_view> pairs = {"f", "v"}) {
    (*this)->append(home, id, pairs);
  }
  std::string saved() {
    BytesWriter out;
    stream_type().save(*entry, out);
    return out.text;
  }

  const ValueHome& home;
  Entry* entry;
};

void fill(Made& made) {
  for (uint64_t i = 1; i <= 250; ++i) made.append({i / 3 + 1, i % 3});
  made->erase(made.home, {5, 1}, References::kKeep);
  memory::Slabs& slabs = made.home.slabs;
  Group* mail = made->add_group(made.home, "mail", {40, 0}, 118);
  Consumer* ann = mail->add_consumer(slabs, "ann", 1000);
  Consumer* bob = mail->add_consumer(slabs, "bob", 2000);
  bob->active_at_ms = 1500;
  mail->add(slabs, {2, 1}, bob, 500, 3);
  mail->add(slabs, {3, 0}, ann, 700, 1);
  mail->add(slabs, {1, 1}, nullptr, 0, 9);
  mail->add(slabs, {7, 2}, bob, 700, 1);
  made->add_group(made.home, "log", {0, 0}, Group::kReadUnknown);
}

Result<Entry*> load(const ValueHome& home, std::string_view bytes) {
  BytesReader in(bytes);
  auto loaded = stream_type().load(in, {.key = "s"}, home);
  if (loaded.ok() && !in.left.empty()) {
    Made trailing(home, *loaded);
    return Status{Code::kCorrupt, 0, "bytes are left"};
  }
  return loaded;
}

// Takes part in everything a group does, and knows the answer in the plainest way.
struct ModelPending {
  std::string consumer;  // "" nobody's
  int64_t at_ms;
  uint64_t deliveries;
};

}  // namespace
}  // namespace roxdb::types

using namespace roxdb;
using namespace roxdb::types;

BOOST_AUTO_TEST_SUITE(types_stream_value)

BOOST_AUTO_TEST_CASE(what_is_saved_is_loaded_and_copied) {
  test::TestHome here;
  Made empty(here.home);
  Made full(here.home);
  fill(full);
  for (Made* made : {&empty, &full}) {
    (*made)->check();
    const std::string saved = made->saved();
    auto loaded = load(here.home, saved);
    BOOST_REQUIRE(loaded.ok());
    Made twin(here.home, *loaded);
    twin->check();
    BOOST_TEST(twin.saved() == saved);
    Made copy(here.home, stream_type().copy(*made->entry, {.key = "copy"}, here.home));
    copy->check();
    BOOST_TEST(copy.saved() == saved);
    BOOST_TEST(stream_type().payload_bytes(*copy.entry, 0) > 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_stream_goes_on_where_it_was_saved) {
  test::TestHome here;
  Made full(here.home);
  fill(full);
  auto loaded = load(here.home, full.saved());
  BOOST_REQUIRE(loaded.ok());
  Made twin(here.home, *loaded);
  for (uint64_t i = 0; i < 300; ++i) {
    full.append({1000 + i, 0});
    twin.append({1000 + i, 0});
  }
  twin->check();
  BOOST_TEST(twin->size() == full->size());
  BOOST_TEST(twin->records_added == 550u);
  BOOST_TEST((twin->last_id == Id{1299, 0}));
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_changed_byte_is_refused_or_a_sound_stream) {
  test::TestHome here;
  Made full(here.home);
  for (uint64_t i = 1; i <= 12; ++i) full.append({i, 0}, {"name", "value"});
  Group* group = full->add_group(here.home, "g", {4, 0}, 4);
  Consumer* consumer = group->add_consumer(here.slabs, "c", 1000);
  group->add(here.slabs, {1, 0}, consumer, 5, 1);
  group->add(here.slabs, {2, 0}, consumer, 5, 1);
  const std::string saved = full.saved();
  for (size_t cut = 0; cut < saved.size(); ++cut) {
    const auto loaded = load(here.home, std::string_view(saved).substr(0, cut));
    BOOST_TEST(!loaded.ok());
    BOOST_TEST((loaded.status().code == Code::kCorrupt));
  }
  for (size_t at = 0; at < saved.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      std::string damaged = saved;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      const auto loaded = load(here.home, damaged);
      if (!loaded.ok()) continue;
      Made sound(here.home, *loaded);
      sound->check();
      sound->trim(here.home, {.by = StreamTrim::By::kLength, .length = 2});
      sound->check();
    }
  }
}

// Each lie is told by a stream that a writer of ours could not have made.
BOOST_AUTO_TEST_CASE(streams_that_lie_are_refused) {
  test::TestHome here;
  const auto refused = [&](const auto& tell) {
    BytesWriter out;
    tell(out);
    const auto loaded = load(here.home, out.text);
    if (loaded.ok()) Made unexpected(here.home, *loaded);
    return !loaded.ok();
  };
  Made one(here.home);
  one.append({5, 0});
  BytesWriter block;  // as save() writes it, without the number of blocks
  block.text = one.saved().substr(1);
  block.text.resize(block.text.size() - 6);  // without what follows: two IDs, added, groups
  const auto text = [](ValueWriter& out, std::string_view bytes) { out.text(bytes); };
  const auto id = [](BytesWriter& out, uint64_t ms) {
    out.varint(ms);
    out.varint(0);
  };
  const auto stream = [&](BytesWriter& out, uint64_t blocks, uint64_t last, uint64_t max_deleted,
                          uint64_t added) {
    out.varint(blocks);
    for (uint64_t i = 0; i < blocks; ++i) out.write(block.text);
    id(out, last);
    id(out, max_deleted);
    out.varint(added);
  };
  const auto group = [&](BytesWriter& out, std::string_view name) {
    text(out, name);
    id(out, 0);
    out.varint(0);
  };
  BOOST_TEST(!refused([&](BytesWriter& out) {
    stream(out, 1, 5, 3, 1);
    out.varint(0);
  }));
  // The same block twice, a last ID before the records, more deleted than there was, too few added.
  for (const std::vector<uint64_t>& lie :
       std::vector<std::vector<uint64_t>>{{2, 5, 0, 2}, {1, 4, 0, 1}, {1, 5, 6, 1}, {1, 5, 0, 0}}) {
    BOOST_TEST(refused([&](BytesWriter& out) {
      stream(out, lie[0], lie[1], lie[2], lie[3]);
      out.varint(0);
    }));
  }
  for (const std::vector<std::string_view>& names :
       std::vector<std::vector<std::string_view>>{{"a", "a"}, {"b", "a"}}) {
    BOOST_TEST(refused([&](BytesWriter& out) {  // groups
      stream(out, 1, 5, 0, 1);
      out.varint(names.size());
      for (const std::string_view name : names) {
        group(out, name);
        out.varint(0);
        out.varint(0);
      }
    }));
    BOOST_TEST(refused([&](BytesWriter& out) {  // consumers
      stream(out, 1, 5, 0, 1);
      out.varint(1);
      group(out, "g");
      out.varint(names.size());
      for (const std::string_view name : names) {
        text(out, name);
        out.varint(0);
        out.varint(0);
      }
      out.varint(0);
    }));
  }
  // Pending: ID, time, deliveries, owner. One ID twice, unordered times, an owner who is not there,
  // a count that no reply can show.
  using Row = std::vector<uint64_t>;
  const std::vector<std::vector<Row>> honest = {{{1, 2, 1, 1}, {2, 2, 1, 0}}};
  const std::vector<std::vector<Row>> lies = {{{1, 2, 1, 1}, {1, 2, 1, 1}},
                                              {{1, 2, 1, 1}, {1, 4, 1, 0}},
                                              {{1, 4, 1, 1}, {2, 2, 1, 1}},
                                              {{1, 2, 1, 2}},
                                              {{1, 2, UINT64_MAX, 1}}};
  const auto with_pending = [&](const std::vector<Row>& rows) {
    return refused([&](BytesWriter& out) {
      stream(out, 1, 5, 0, 1);
      out.varint(1);
      group(out, "g");
      out.varint(1);
      text(out, "c");
      out.varint(0);
      out.varint(1);
      out.varint(rows.size());
      for (const Row& row : rows) {
        id(out, row[0]);
        for (size_t i = 1; i < row.size(); ++i) out.varint(row[i]);
      }
    });
  };
  for (const auto& rows : honest) BOOST_TEST(!with_pending(rows));
  for (const auto& rows : lies) BOOST_TEST(with_pending(rows));
}

BOOST_AUTO_TEST_CASE(announced_counts_reserve_nothing) {
  test::TestHome here;
  for (const uint64_t announced : {uint64_t{1} << 32, UINT64_MAX}) {
    BytesWriter blocks;
    blocks.varint(announced);
    BOOST_TEST(!load(here.home, blocks.text).ok());
    BytesWriter groups;
    groups.varint(0);
    for (int i = 0; i < 5; ++i) groups.varint(0);
    groups.varint(announced);
    BOOST_TEST(!load(here.home, groups.text).ok());
  }
}

BOOST_AUTO_TEST_CASE(a_group_keeps_its_three_orders_under_any_changes) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      test::TestHome here;
      Random random(seed);
      Made made(here.home);
      Group* group = made->add_group(here.home, "g", {0, 0}, 0);
      std::map<Id, ModelPending> model;
      const auto random_consumer = [&](bool may_be_nobody) -> Consumer* {
        const uint64_t which = random.below(may_be_nobody ? 5 : 4);
        if (which == 4) return nullptr;
        const std::string name(1, static_cast<char>('a' + which));
        Consumer* consumer = group->consumers().find(name);
        return consumer != nullptr ? consumer : group->add_consumer(here.slabs, name, 0);
      };
      const auto name_of = [](const Consumer* consumer) {
        return consumer == nullptr ? std::string() : std::string(consumer->name());
      };
      int64_t now = 0;
      for (int step = 0; step < 4000; ++step) {
        now += static_cast<int64_t>(random.below(2));
        const Id id{random.below(60), random.below(3)};
        Pending* pending = group->find(id);
        BOOST_REQUIRE((pending != nullptr) == model.contains(id));
        const uint64_t dice = random.below(100);
        if (pending == nullptr) {
          Consumer* consumer = random_consumer(true);
          group->add(here.slabs, id, consumer, now, step % 7u);
          model[id] = {name_of(consumer), now, step % 7u};
        } else if (dice < 30) {
          group->remove(here.slabs, pending);
          model.erase(id);
        } else if (dice < 60) {
          Consumer* consumer = random_consumer(true);
          group->assign(here.slabs, pending, consumer);
          model[id].consumer = name_of(consumer);
        } else if (dice < 98) {
          const int64_t at = now - static_cast<int64_t>(random.below(20));
          group->set_time(pending, at);
          model[id].at_ms = at;
        } else {
          Consumer* consumer = random_consumer(false);
          const std::string name = name_of(consumer);
          const size_t had = std::erase_if(
              model, [&](const auto& entry) { return entry.second.consumer == name; });
          BOOST_REQUIRE(group->remove_consumer(here.slabs, consumer) == had);
        }
        if (step % 101 == 0) made->check();
      }
      made->check();
      BOOST_REQUIRE(group->pending().size() == model.size());
      for (const auto& [id, expected] : model) {
        const Pending* pending = group->find(id);
        BOOST_REQUIRE(pending != nullptr);
        BOOST_TEST(name_of(pending->consumer) == expected.consumer);
        BOOST_TEST(pending->delivered_at_ms == expected.at_ms);
        BOOST_TEST(pending->deliveries == expected.deliveries);
      }
      Made copy(here.home, stream_type().copy(*made.entry, {.key = "c"}, here.home));
      BOOST_TEST(copy.saved() == made.saved());
    }
  }
}

// A search from the ends for each of them would take minutes.
BOOST_AUTO_TEST_CASE(many_deliveries_are_dated_back_in_the_time_of_one_search) {
  constexpr uint64_t kThird = 50'000;
  test::TestHome here;
  Made made(here.home);
  Group* group = made->add_group(here.home, "g", {0, 0}, 0);
  for (uint64_t i = 0; i < 3 * kThird; ++i) {
    group->add(here.slabs, {i, 0}, nullptr, i < kThird ? 1 : 9, 1);
  }
  for (uint64_t i = kThird; i < 2 * kThird; ++i) group->set_time(group->find({i, 0}), 5);
  for (uint64_t i = kThird; i < 2 * kThird; ++i) group->set_time(group->find({i, 0}), 6);
  uint64_t next = 0;
  for (const Pending* pending = group->oldest(); pending != nullptr; pending = pending->later) {
    BOOST_REQUIRE(pending->id.ms == next++);
  }
  BOOST_TEST(next == 3 * kThird);
  made->check();
}

BOOST_AUTO_TEST_CASE(trimming_by_whole_blocks_stops_before_the_threshold) {
  test::TestHome here;
  here.limits.stream_block_entries = 10;
  Made made(here.home);
  for (uint64_t i = 1; i <= 95; ++i) made.append({i, 0});
  StreamTrim trim{.by = StreamTrim::By::kLength, .length = 50, .approximate = true};
  BOOST_TEST(made->trim(here.home, trim) == 40u);
  BOOST_TEST(made->size() == 55u);
  trim.approximate = false;
  BOOST_TEST(made->trim(here.home, trim) == 5u);
  StreamTrim below{
      .by = StreamTrim::By::kMinId, .min_id = {72, 0}, .approximate = true, .limit = 15};
  BOOST_TEST(made->trim(here.home, below) == 15u);  // the rest of a block, then a whole one
  BOOST_TEST((made->first_id() == Id{61, 0}));
  below.approximate = false;
  below.limit = 0;
  BOOST_TEST(made->trim(here.home, below) == 11u);
  BOOST_TEST((made->first_id() == Id{72, 0}));
  made->check();
}

BOOST_AUTO_TEST_CASE(trimming_spares_what_groups_still_need_when_told_so) {
  test::TestHome here;
  here.limits.stream_block_entries = 10;
  Made made(here.home);
  for (uint64_t i = 1; i <= 40; ++i) made.append({i, 0});
  Group* group = made->add_group(here.home, "g", {30, 0}, 30);
  Consumer* consumer = group->add_consumer(here.slabs, "c", 0);
  group->add(here.slabs, {3, 0}, consumer, 0, 1);
  StreamTrim trim{.by = StreamTrim::By::kLength, .length = 0, .references = References::kAcked};
  trim.approximate = true;
  BOOST_TEST(made->trim(here.home, trim) == 0u);  // a pending record holds the first block
  trim.approximate = false;
  BOOST_TEST(made->trim(here.home, trim) == 29u);  // all but 3-0 and the ten not read yet
  BOOST_TEST((made->first_id() == Id{3, 0}));
  trim.references = References::kDelete;
  BOOST_TEST(made->trim(here.home, trim) == 11u);
  BOOST_TEST(group->pending().size() == 0u);
  made->check();
}

// Records behind the last one may be deleted, and XSETID may go back to before them.
BOOST_AUTO_TEST_CASE(ids_of_deleted_records_may_come_again_when_the_last_id_goes_back) {
  test::TestHome here;
  Made made(here.home);
  for (const uint64_t ms : {1u, 5u, 9u}) made.append({ms, 0});
  made->erase(here.home, {5, 0}, References::kKeep);
  made->erase(here.home, {9, 0}, References::kKeep);
  made->max_deleted_id = {1, 0};
  made->set_last_id(here.home, {2, 0});
  made.append({3, 0});
  made.append({9, 0});
  made->check();
  BOOST_TEST(made->size() == 3u);
  auto loaded = load(here.home, made.saved());
  BOOST_REQUIRE(loaded.ok());
  Made twin(here.home, *loaded);
  twin->check();
}

BOOST_AUTO_TEST_CASE(a_stream_is_freed_in_the_background_when_it_has_many_parts) {
  test::TestHome here;
  Made made(here.home);
  const size_t empty_effort = stream_type().free_effort(*made.entry);
  fill(made);
  BOOST_TEST(stream_type().free_effort(*made.entry) >= empty_effort + 3 + 2 + 2 + 4);
}

BOOST_AUTO_TEST_SUITE_END()
