#include <chainrule/data/csv.hpp>
#include <chainrule/data/write_csv.hpp>
#include <limits>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;  // std::string literals, so that CHECK is compiled for one type
using Labelled = Dataset<float>;
using Regression = RegressionDataset<float>;

namespace {

Labelled bees() {
  return {.features = Matrix<float>{{1, 0.1f}, {-2.5f, 1e-7f}},
          .targets = {1, 0},
          .feature_names = {"\xef\xbb\xbf"
                            "length",
                            "a, \"b\""},
          .target_names = {"bee", " wasp"}};
}

bool equal(const Matrix<float>& a, const Matrix<float>& b) { return a.rows() == b.rows() && a.cols() == b.cols() && a == b; }

}  // namespace

TEST_CASE("to_csv writes labels as the names of their classes") {
  CHECK(to_csv(bees(), {.target = "kind"}) ==
        "\"\xef\xbb\xbflength\",\"a, \"\"b\"\"\",kind\n"
        "1,-2.5,\" wasp\"\n"
        "0.1,1e-07,bee\n"s);
  Labelled data = bees();
  data.feature_names.clear();
  data.target_names.clear();
  CHECK(to_csv(data) == "x0,x1,label\n1,-2.5,1\n0.1,1e-07,0\n"s);
  CHECK(to_csv(data, {.header = false, .separator = ';'}) == "1;-2.5;1\n0.1;1e-07;0\n"s);
}

TEST_CASE("to_csv writes a column for each target that is a number") {
  const Regression data{.features = Matrix<float>{{1, 2}}, .targets = Matrix<float>{{3, 4}, {5, 6}}};
  CHECK(to_csv(data) == "x0,y0,y1\n1,3,5\n2,4,6\n"s);
  CHECK(to_csv(Matrix<float>{{1, 2}, {3, 4}}) == "x0,x1\n1,3\n2,4\n"s);
}

TEST_CASE("a written CSV file is read back to the same bits") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("bees.csv");
  write_csv(path, bees(), {.target = "kind"});
  const Labelled data = read_csv<Labelled>(path, {.target = "kind", .classes = bees().target_names});
  CHECK(equal(data.features, bees().features));
  CHECK(data.targets == bees().targets);
  CHECK(data.feature_names == bees().feature_names);
  CHECK(data.target_names == bees().target_names);

  using Limits = std::numeric_limits<float>;
  const Matrix<float> extremes{{Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(), 1 / 3.0f, 16777216}};
  write_csv(path, Regression{.features = extremes, .targets = extremes});
  const Regression numbers = read_csv<Regression>(path, {.target = "y0"});
  CHECK(equal(numbers.features, extremes));
  CHECK(equal(numbers.targets, extremes));
}

TEST_CASE("a data set that cannot be written as CSV is an error, and the existing file stays") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.file("a.csv", "old");
  const auto refused = [&](void (*spoil)(Labelled&), const char* says) {
    Labelled data = bees();
    spoil(data);
    CHECK_THROWS_SAYING(write_csv(path, data, {.target = "kind"}), Error, says);
  };
  refused([](Labelled& data) { data.targets.pop_back(); }, "write_csv: the data set has 1 targets for 2 samples");
  refused([](Labelled& data) { data.targets[1] = 2; }, "the label of sample 1 is 2, but target_names has names for 0 to 1");
  refused([](Labelled& data) { data.targets[1] = -1; }, "the label of sample 1 is -1");
  refused([](Labelled& data) { data.feature_names.pop_back(); }, "write_csv: the data set has 1 names for 2 rows");
  refused([](Labelled& data) { data.feature_names[1] = "kind"; }, "columns 2 and 3 are both \"kind\"");
  refused([](Labelled& data) { data.features(1, 0) = std::numeric_limits<float>::quiet_NaN(); }, "features(1, 0) is nan");
  refused([](Labelled& data) { data.weights = Vector<float>::Ones(2); }, "weights");
  CHECK_THROWS_SAYING(write_csv(path, bees(), {.separator = '.'}), ValueError, "write_csv: the separator must not be a letter");
  CHECK(detail::read_file("test", path) == "old"s);
  CHECK_THROWS_SAYING(write_csv(folder.path("no/a.csv"), bees()), ValueError, "write_csv: cannot write \"", "No such file");
}
