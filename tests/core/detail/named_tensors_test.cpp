#include <chainrule/core/detail/named_tensors.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("tensors in a flat vector are found by their names, to read and to write") {
  std::vector<float> numbers{0, 1, 2, 3, 4, 5, 6, 7};
  const detail::NamedTensors<float> tensors{numbers.data(), {{"weight", 2, 3, true}, {"bias", 2, 1}}};
  CHECK(tensors["weight"](1, 2) == 5);
  CHECK(tensors["bias"](0, 0) == 6);
  tensors["bias"].setConstant(-1);
  CHECK(numbers == std::vector<float>{0, 1, 2, 3, 4, 5, -1, -1});
  CHECK(tensors.shapes().size() == 2);
  CHECK_THROWS_SAYING(tensors["slope"], ValueError, "there is no tensor \"slope\"; there are: weight, bias");
}
