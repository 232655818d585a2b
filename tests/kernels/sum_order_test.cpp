#include <chainrule/kernels/sum_order.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("a sum is divided into blocks of at most 256 terms and nearly equal length") {
  const auto lengths = [](Index terms) {
    const kernels::SumBlocks blocks(terms);
    std::vector<Index> all;
    for (Index block = 0; block < blocks.count(); ++block) {
      CHECK(blocks.first(block + 1) == blocks.first(block) + blocks.length(block));
      all.push_back(blocks.length(block));
    }
    CHECK((blocks.first(0) == 0 && blocks.first(blocks.count()) == terms));
    return all;
  };
  CHECK(lengths(0) == std::vector<Index>{0});
  CHECK(lengths(256) == std::vector<Index>{256});
  CHECK(lengths(257) == std::vector<Index>{129, 128});
  CHECK(lengths(515) == std::vector<Index>{172, 172, 171});
  CHECK(lengths(784) == std::vector<Index>{196, 196, 196, 196});
  CHECK(lengths(1000) == std::vector<Index>{250, 250, 250, 250});
}
