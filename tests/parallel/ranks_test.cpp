#include <chainrule/parallel/ranks.hpp>

#include "support/catch.hpp"
#include "support/thread_ranks.hpp"

using namespace chainrule;
using chainrule_test::on_ranks;

TEST_CASE("the samples of a rank are those of its shards, and every sample belongs to one") {
  for (const Index samples : {1, 7, 8, 1797, 60'000}) {
    Index next = 0;
    for (Index rank = 0; rank < 4; ++rank) {
      const SampleRange part = DataPart{rank, 4}.range_of(samples);
      CHECK(part.first == next);
      next += part.count;
      CHECK(part.first == DataPart{2 * rank, 8}.range_of(samples).first);
      CHECK(part.first == rank * samples / 4);
    }
    CHECK(next == samples);
  }
}

TEST_CASE("a sum over ranks is that of the binary tree, for short and for long vectors") {
  const auto number = [](Index rank, Index i) {
    return 0.1f * static_cast<float>(1 + (rank * 7 + i * 3) % 11) + 1e-3f * static_cast<float>(rank);
  };
  for (const Index size : {1, 5, 4099}) {
    const auto sums = on_ranks(8, {}, [&](Ranks& ranks) {
      Vector<float> v(size);
      for (Index i = 0; i < size; ++i) v[i] = number(ranks.rank(), i);
      ranks.sum(v);
      return v;
    });
    for (Index i = 0; i < size; ++i) {
      const auto n = [&](Index rank) { return number(rank, i); };
      const float low = (n(0) + n(1)) + (n(2) + n(3)), high = (n(4) + n(5)) + (n(6) + n(7));
      for (const Vector<float>& v : sums) REQUIRE(v[i] == low + high);
    }
  }
}

TEST_CASE("a long sum over 8 ranks moves 2 (1 - 1/8) times the vector per rank") {
  std::size_t bytes = 0;
  on_ranks(
      8, {},
      [](Ranks& ranks) {
        Vector<float> v = Vector<float>::Ones(8192);
        ranks.sum(v);
        return v[0];
      },
      nullptr, &bytes);
  CHECK(bytes == 8 * 2 * 7 * 8192 * 4 / 8);
}

TEST_CASE("ranks share numbers and texts") {
  const auto seen = on_ranks(4, {}, [](Ranks& ranks) {
    double one = 1;
    ranks.sum(one);
    const std::vector<double> all = ranks.gather(10.0 * static_cast<double>(ranks.rank()));
    return ranks.text_of_first(ranks.is_first() ? "from 0" : "") + ", " +
           ranks.first_text(ranks.rank() >= 2 ? std::to_string(ranks.rank()) : "") + ", " + std::to_string(one + all[3]);
  });
  for (const std::string& text : seen) CHECK(text == "from 0, 2, 34.000000");
}

TEST_CASE("only numbers that follow one another in memory can be summed in place") {
  std::vector<std::string> errors;
  const auto sums = on_ranks(2, {}, [](Ranks& ranks) {
    Matrix<double> m = Matrix<double>::Ones(3, 4);
    ranks.sum(m);
    ranks.sum(m.col(1));
    ranks.sum(m.rightCols(2));
    return m;
  });
  CHECK(sums[1] == Matrix<double>(Eigen::RowVector4d(2, 4, 4, 4).colwise().replicate(3)));
  const auto refused = [&](const auto& part) {
    on_ranks(
        1, {},
        [&](Ranks& ranks) {
          Matrix<double> m = Matrix<double>::Ones(3, 4);
          ranks.sum(part(m));
          return 0;
        },
        &errors);
    CHECK_THAT(errors[0], chainrule_test::ContainsSubstring("Ranks::sum: expected numbers that follow one another in memory"));
  };
  refused([](auto& m) { return m.row(1); });
  refused([](auto& m) { return m.topRows(2); });
}

TEST_CASE("a part is a view of the samples of the rank") {
  Dataset<float> data{Matrix<float>::Random(3, 10), std::vector<int>(10, 1), Vector<float>::LinSpaced(10, 1, 10)};
  const auto firsts = on_ranks(4, {}, [&](Ranks& ranks) {
    const auto part = ranks.part_of(data);
    return std::pair{part.size(), part.weights[0]};
  });
  CHECK(firsts == std::vector<std::pair<Index, float>>{{2, 1.f}, {3, 3.f}, {2, 6.f}, {3, 8.f}});
}

TEST_CASE("numbers of ranks and shards must be powers of two, and there is a shard for each rank") {
  chainrule_test::Mail mail;
  const auto make = [&](Index ranks, RankOptions options) { chainrule_test::ThreadRanks made(mail, 0, ranks, options); };
  CHECK_THROWS_SAYING(make(3, {}), ValueError, "the number of ranks must be a power of two, got 3");
  CHECK_THROWS_SAYING(make(2, {.shards = 6}), ValueError, "the number of shards must be a power of two, got 6");
  CHECK_THROWS_SAYING(make(16, {}), ValueError, "there are 16 ranks, but only 8 shards; set .shards to at least 16");
  CHECK_THROWS_SAYING(make(1, {.timeout = 0}), ValueError, "timeout must be above 0");
  CHECK_THROWS_SAYING(make(1, {.bucket_bytes = -1}), ValueError, ".bucket_bytes must be at least 0, got -1");
}

TEST_CASE("a rank that waits for another one throws after the timeout, or as soon as that one has given up") {
  std::vector<std::string> errors;
  const auto wait_for_rank_1 = [](Ranks& ranks) {
    if (ranks.is_first()) ranks.gather(1);
    return 0;
  };
  on_ranks(2, {.timeout = 0.05}, wait_for_rank_1, &errors);
  CHECK(errors[0] == "rank 0 has waited for rank 1");
  const auto together = [&](Ranks& ranks) {
    return ranks.together([&] {
      if (ranks.rank() == 1) throw ValueError("no luck");
      return wait_for_rank_1(ranks);
    });
  };
  on_ranks(2, {.timeout = 30}, together, &errors);
  CHECK(errors == std::vector<std::string>{"rank 1 has stopped: no luck", "no luck"});
}

TEST_CASE("messages of an abandoned exchange are not taken for those of another one") {
  const auto sums = on_ranks(2, {.timeout = 10}, [](Ranks& ranks) {
    const auto exchange = [&](const auto& then) {
      Ranks::Channel channel(ranks);
      std::array<float, 1> numbers{1};
      Ranks::TreeSum<float> sum;
      sum.begin(channel, numbers.data(), 1);
      then(sum);
    };
    exchange([](auto& sum) { sum.wait(); });
    exchange([](auto&) {});
    double number = static_cast<double>(ranks.rank() + 1);
    if (ranks.is_first()) CHECK_THROWS_SAYING(ranks.sum(number), StateError, "an exchange was abandoned");
    ranks.together([&] {
      ranks.sum(number);
      return 0;
    });
    return number;
  });
  CHECK(sums == std::vector<double>{3, 3});
}
