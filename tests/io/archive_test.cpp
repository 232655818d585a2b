#include <chainrule/io/archive.hpp>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

struct Point {
  double x = 0;
  Index label = 0;
  template <class A>
  void archive(A& a) {
    a(x, label);
  }
};

struct Everything {
  bool yes = false;
  int small = 0;
  std::uint64_t large = 0;
  long double precise = 0;
  std::string text{};
  std::vector<float> numbers{};
  std::vector<Point> points{};
  std::vector<std::string> names{};
  Eigen::MatrixXd matrix{};
  Eigen::RowVector3f fixed = Eigen::RowVector3f::Zero();
  void archive(Archive& a) { a(yes, small, large, precise, text, numbers, points, names, matrix, fixed); }
};

std::string written(auto&... values) {
  std::string bytes;
  Archive::writing(bytes)(values...);
  return bytes;
}

std::string word(std::uint64_t number) { return written(number); }

}  // namespace

TEST_CASE("all kinds of values come back as they were") {
  Everything saved{true, -7, ~std::uint64_t{0}, 1.0L / 3, std::string("a\0b", 3), {1, 2.5f}, {{0.5, 3}, {-1, 4}}, {"x", ""}};
  saved.matrix.setRandom(2, 3);
  saved.fixed << 1, 2, 3;
  const std::string bytes = written(saved);
  Everything read;
  read.names = {"another", "and", "one more"};
  Archive archive = Archive::reading(bytes, "f");
  archive(read);
  archive.end();
  CHECK(read.yes);
  CHECK(read.small == -7);
  CHECK(read.large == ~std::uint64_t{0});
  CHECK(read.precise == 1.0L / 3);
  CHECK(read.text == saved.text);
  CHECK(read.numbers == saved.numbers);
  CHECK(read.points.size() == 2);
  CHECK(read.points[1].label == 4);
  CHECK(read.names == saved.names);
  CHECK(read.matrix == saved.matrix);
  CHECK(read.fixed == saved.fixed);
  CHECK(written(read) == bytes);

  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Everything cut;
    Archive of_less = Archive::reading(std::string_view(bytes).substr(0, size), "f");
    CHECK_THROWS_AS(of_less(cut), ValueError);
  }
}

TEST_CASE("views must have the size already, blocks have their columns apart") {
  Eigen::MatrixXf m = Eigen::MatrixXf::Random(4, 3);
  auto block = m.block(1, 0, 2, 3);
  std::vector<double> two{1, 2};
  std::span<double> view(two);
  const std::string bytes = written(block, view);
  Eigen::MatrixXf other = Eigen::MatrixXf::Zero(4, 3);
  std::vector<double> values(2);
  Archive::reading(bytes, "f")(other.block(1, 0, 2, 3), std::span(values));
  CHECK(other.middleRows(1, 2) == m.middleRows(1, 2));
  CHECK(other.row(0).isZero());
  CHECK(values == two);
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f")(other.block(0, 0, 3, 3)), ValueError, "f: expected 3 x 3 numbers, but found 2 x 3");
  values.resize(3);
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f")(other.block(1, 0, 2, 3), std::span(values)), ValueError,
                      "f: expected 3 values, but found 2");
  Eigen::Matrix2f fixed;
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f")(fixed), ValueError, "f: expected 2 x 2 numbers, but found 2 x 3");
}

TEST_CASE("numbers that cannot be are refused, and no memory is asked for that the bytes could not fill") {
  const auto refuses = [](const std::string& bytes, auto value, const char* words) {
    CHECK_THROWS_SAYING(Archive::reading(bytes, "f")(value), ValueError, words);
  };
  refuses(word(2), false, "f: expected 0 or 1, but found 2");
  refuses(word(1000), static_cast<signed char>(0), "f: 1000 is too large for this machine");
  refuses(word(~std::uint64_t{0}), std::string(), "f: expected 18446744073709551615 values, but found 0 bytes");
  refuses(word(std::uint64_t{1} << 61) + "12345678", std::vector<double>(), "values, but found 8 bytes");
  refuses(word(9) + "12345678", std::vector<Point>(), "f: expected 9 values, but found 8 bytes");
  refuses(word(8) + "12345678", std::vector<Point>(), "f: expected 8 more bytes, but found 0");
  constexpr bool is_wide = sizeof(Index) > 4;
  refuses(word(std::uint64_t{1} << 40) + word(std::uint64_t{1} << 40), Eigen::MatrixXf(), is_wide ? "cannot be here" : "too large");
  refuses(word(~std::uint64_t{0}) + word(1), Eigen::MatrixXf(), "a matrix of -1 x 1 numbers cannot be here");
  refuses(word(4) + word(0), Eigen::Matrix3Xf(), "a matrix of 4 x 0 numbers cannot be here");
  Eigen::MatrixXf empty;
  Archive::reading(word(0) + word(std::uint64_t{1} << (is_wide ? 60 : 30)), "f")(empty);  // at once
  CHECK(empty.size() == 0);
  const int constant = 3;
  CHECK(written(constant) == word(3));
  CHECK_THROWS_SAYING(Archive::reading(word(4), "f")(constant), ValueError, "a constant cannot be read");
}

TEST_CASE("a section is told by its name and its length") {
  Point point{0.5, 3};
  std::string bytes;
  Archive::writing(bytes).section("Point", point);
  Point read;
  Archive archive = Archive::reading(bytes, "f");
  archive.section("Point", read);
  archive.end();
  CHECK(read.label == 3);
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f").section("Line", read), ValueError, "expected what Line has to keep",
                      "found that of \"Point\"");
  Everything other;
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f").section("Point", other), ValueError, "f: expected");
  bytes[8 + 5] = 15;  // the length
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f").section("Point", read), ValueError, "f: expected 8 more bytes, but found 7");
  bytes[8 + 5] = 17;
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f").section("Point", read), ValueError, "f: expected 17 bytes of Point, but found 16");
  bytes += "more";
  bytes[8 + 5] = 20;
  CHECK_THROWS_SAYING(Archive::reading(bytes, "f").section("Point", read), ValueError, "the end of what Point has to keep",
                      "found 4 more bytes");
  CHECK_THROWS_SAYING(Archive::reading("abc", "f").end(), ValueError, "f: expected its end, but found 3 more bytes");
}

TEST_CASE("the bytes of a long double that are no part of it are zeros") {
  if constexpr (sizeof(long double) == 16 && std::numeric_limits<long double>::digits == 64) {
    std::vector<long double> numbers(3);
    std::memset(static_cast<void*>(numbers.data()), 0xff, 48);
    for (long double& each : numbers) each = 1;
    CHECK(written(numbers).substr(8 + 10, 6) == std::string(6, '\0'));
    CHECK(written(numbers).substr(8 + 42, 6) == std::string(6, '\0'));
  }
}
