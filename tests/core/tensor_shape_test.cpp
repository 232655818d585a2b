#include <chainrule/core/tensor_shape.hpp>
#include <string>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

std::string text(const TensorName& name) { return std::string(std::string_view(name)); }

}  // namespace

TEST_CASE("TensorName says in which layer of which Residual a tensor is") {
  CHECK(text(TensorName{}).empty());
  CHECK(text("weight") == "weight");
  CHECK(text(TensorName(2, "weight")) == "2.weight");
  CHECK(text(TensorName(0, TensorName(10, TensorName(99, "bias")))) == "0.10.99.bias");
  STATIC_REQUIRE(std::string_view(TensorName(2, "weight")) == "2.weight");
}

TEST_CASE("TensorName refuses a name of more than 95 characters") {
  const std::string fits(95, 'x');
  CHECK(text(fits.c_str()) == fits);
  CHECK_THROWS_SAYING(TensorName((fits + "y").c_str()), ValueError, "the name of a tensor has more than 95 characters: xxx");
  CHECK_THROWS_SAYING(TensorName(12, fits.c_str()), ValueError, "12.xxx", "nest fewer layers inside each other");
  CHECK(text(TensorName(12, fits.substr(3).c_str())) == "12." + fits.substr(3));
}

TEST_CASE("TensorShape has rows x cols entries, and does not decay by default") {
  constexpr TensorShape weight{"weight", 3, 4, true};
  constexpr TensorShape bias{"bias", 3, 1};
  STATIC_REQUIRE(weight.size() == 12);
  CHECK(weight.decays);
  CHECK_FALSE(bias.decays);
  STATIC_REQUIRE(detail::size_of_tensors(std::array{weight, bias}) == 15);
  STATIC_REQUIRE(detail::size_of_tensors(std::array<TensorShape, 0>{}) == 0);
}

TEST_CASE("numbered_tensors joins the tensors of several layers and prefixes their names") {
  const std::array first{TensorShape{"weight", 3, 4, true}, TensorShape{"bias", 3, 1}};
  const std::array<TensorShape, 0> second{};
  const std::array third{TensorShape{"slope", 1, 1}};
  const auto all = detail::numbered_tensors(std::tuple(first, second, third));
  CHECK(text(all[0].name) == "0.weight");
  CHECK(text(all[1].name) == "0.bias");
  CHECK(text(all[2].name) == "2.slope");
  CHECK(all[0].rows == 3);
  CHECK(all[0].cols == 4);
  CHECK(all[0].decays);
  CHECK_FALSE(all[2].decays);
  CHECK(detail::numbered_tensors(std::tuple(second, second)).empty());
}
