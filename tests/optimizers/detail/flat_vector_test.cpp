#include <chainrule/optimizers/detail/flat_vector.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

/// A stand-in for Gradients, which have flat().
struct HasFlat {
  Vector<float> values = Vector<float>::LinSpaced(3, 1, 3);
  VectorView<float> flat() { return {values.data(), 3}; }
  ConstVectorView<float> flat() const { return {values.data(), 3}; }
};

/// The sum of data in the order that flat_sum promises: 8 interleaved sums of doubles, which are added in pairs.
double sum_of(const std::vector<float>& data) {
  double s[8] = {};
  for (std::size_t i = 0; i < data.size(); ++i) s[i % 8] += static_cast<double>(data[i]);
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

}  // namespace

TEST_CASE("const_flat and mutable_flat view vectors, maps, contiguous matrices and Gradients without a copy") {
  Eigen::VectorXf v = Eigen::VectorXf::LinSpaced(6, 1, 6);
  CHECK(detail::const_flat<float>("f", "v", v).data() == v.data());
  CHECK(detail::mutable_flat<float>("f", "v", v).size() == 6);
  auto tail = v.tail(2);
  CHECK(detail::mutable_flat<float>("f", "v", tail).data() == v.data() + 4);
  CHECK(detail::const_flat<float>("f", "v", tail).size() == 2);
  const Eigen::MatrixXf matrix = Eigen::MatrixXf::Zero(2, 5);
  CHECK(detail::const_flat<float>("f", "v", matrix.rightCols(3)).size() == 6);
  HasFlat gradients;
  CHECK(detail::mutable_flat<float>("f", "v", gradients).data() == gradients.values.data());
  const HasFlat& constant = gradients;
  CHECK(detail::const_flat<float>("f", "v", constant).size() == 3);
  STATIC_REQUIRE(std::is_same_v<detail::ScalarOf<HasFlat&>, float>);
  STATIC_REQUIRE(std::is_same_v<detail::ScalarOf<const Eigen::VectorXd&>, double>);
}

TEST_CASE("const_flat and mutable_flat reject memory with gaps and name the argument") {
  Eigen::MatrixXf table = Eigen::MatrixXf::Zero(3, 4);
  CHECK_THROWS_SAYING(detail::const_flat<float>("Rule", "theta", table.row(0)), ShapeError, "Rule: theta must lie in memory in one piece",
                      ".eval()");
  auto top = table.topRows(2);
  CHECK_THROWS_SAYING(detail::mutable_flat<float>("Rule", "the gradient", top), ShapeError, "Rule: the gradient must lie");
}

TEST_CASE("check_same_size rejects a gradient of another size than theta") {
  CHECK_NOTHROW(detail::check_same_size("Rule", 3, 3));
  CHECK_THROWS_SAYING(detail::check_same_size("Rule", 3, 4), ShapeError, "Rule: theta has 3 parameters, but the gradient has 4");
}

// The arrays are exactly as long as needed, so AddressSanitizer sees any read beyond them.
TEST_CASE("flat_sum adds in the same order for any size and alignment") {
  const auto itself = [](const auto& x) CHAINRULE_FORMULA { return x; };
  int wrong = 0;
  for (Index offset = 0; offset < 4; ++offset) {
    for (Index size = 0; size <= 40; ++size) {
      std::vector<float> data(static_cast<std::size_t>(offset + size));
      for (std::size_t i = 0; i < data.size(); ++i) data[i] = 1.0f / static_cast<float>(i + 3);
      const double sum = detail::flat_sum(size, data.data() + offset, itself);
      if (sum != sum_of({data.begin() + offset, data.end()})) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("flat_sum keeps double accuracy over 100000 floats") {
  const std::vector<float> data(100000, 0.1f);
  const double sum = detail::flat_sum(100000, data.data(), [](const auto& x) CHAINRULE_FORMULA { return x; });
  CHECK(std::abs(sum / (100000 * static_cast<double>(0.1f)) - 1) < 1e-12);
}
