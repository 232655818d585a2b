#include <chainrule/core/detail/layer_list.hpp>
#include <string>

#include "support/catch.hpp"

using namespace chainrule;
using detail::Constant;

namespace {

/// Indices and elements as text, in the order in which for_each_index visits them.
template <class List>
std::string forwards(const List& list) {
  std::string text;
  detail::for_each_index(list,
                         [&](auto i) { text += std::to_string(std::size_t{i}) + ":" + std::to_string(detail::element(list, i)) + " "; });
  return text;
}
template <class List>
std::string backwards(const List& list) {
  std::string text;
  detail::for_each_index_backwards(list, [&](auto i) { text += std::to_string(detail::element(list, i)) + " "; });
  return text;
}

const std::tuple<int, long, short> tuple{5, 6L, short{7}};
const std::vector<int> vector{5, 6, 7};

}  // namespace

TEST_CASE("for_each_index visits a tuple and a vector in the same order") {
  CHECK(forwards(tuple) == "0:5 1:6 2:7 ");
  CHECK(forwards(vector) == "0:5 1:6 2:7 ");
  CHECK(backwards(tuple) == "7 6 5 ");
  CHECK(backwards(vector) == "7 6 5 ");
  CHECK(detail::size_of(tuple) == 3);
  CHECK(detail::size_of(vector) == 3);
  CHECK(detail::last_of(tuple) == 7);
  CHECK(detail::last_of(vector) == 7);
  int sum = 0;
  detail::for_each_layer(tuple, [&](auto layer) { sum += static_cast<int>(layer); });
  CHECK(sum == 18);
}

TEST_CASE("an index of a tuple is a constant, and so is the one before it") {
  STATIC_REQUIRE(detail::before(Constant<2>{}) == 1);
  STATIC_REQUIRE(detail::before(Constant<0>{}) == 0);
  CHECK(detail::before(std::size_t{2}) == 1);
  STATIC_REQUIRE(std::is_same_v<decltype(detail::element(tuple, Constant<1>{})), const long&>);
}

TEST_CASE("map_indices gives a list of the same kind") {
  const auto twice_of_tuple = detail::map_indices(tuple, [](auto i) { return 2 * detail::element(tuple, i); });
  STATIC_REQUIRE(std::is_same_v<decltype(twice_of_tuple), const std::tuple<int, long, int>>);
  CHECK(std::get<1>(twice_of_tuple) == 12);
  const std::vector<int> twice = detail::map_indices(vector, [](auto i) { return 2 * detail::element(vector, i); });
  CHECK(twice == std::vector<int>{10, 12, 14});
}

// A tuple that has fewer elements does not compile: tests/must_not_compile/layer_index_too_large.cpp.
TEST_CASE("checked_element rejects an index beyond a vector's end") {
  CHECK(detail::checked_element<2>(vector) == 7);
  CHECK_THROWS_SAYING(detail::checked_element<3>(vector), ValueError, "layer<3>: the network has 3 layers, counted from 0");
}
