#include <chainrule/data/data_part.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("parts of a data set follow each other, and differ by at most one sample") {
  for (const Index samples : {0, 1, 7, 8, 1797, 60'000}) {
    Index next = 0;
    for (Index number = 0; number < 3; ++number) {
      const SampleRange part = DataPart{number, 3}.range_of(samples);
      CHECK(part.first == next);
      CHECK(part.first == number * samples / 3);
      CHECK((part.count == samples / 3 || part.count == samples / 3 + 1));
      next += part.count;
    }
    CHECK(next == samples);
  }
  CHECK_THROWS_SAYING((DataPart{3, 3}.range_of(9)), ValueError, "there is no part 3 of 3");
}
