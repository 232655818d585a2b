#include <algorithm>
#include <chainrule/data/csv.hpp>
#include <chainrule/data/write_csv.hpp>
#include <limits>
#include <random>
#include <set>

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
  CHECK(to_csv(bees(), {.target = "kind", .classes = bees().target_names}) ==
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
  const CsvOptions options{.target = "kind", .classes = bees().target_names};
  write_csv(path, bees(), options);
  const Labelled data = read_csv<Labelled>(path, options);
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

TEST_CASE("whatever is written as CSV is read back, and what would not be is an error") {
  const std::vector<std::string> fragments{"",
                                           "\"",
                                           ",",
                                           ";",
                                           "\n",
                                           "\r",
                                           "\t",
                                           " ",
                                           "NA",
                                           "?",
                                           "1",
                                           "1.0",
                                           "+1",
                                           "0.5",
                                           "-7",
                                           "1e9",
                                           "no",
                                           "Yes",
                                           "a",
                                           "b",
                                           "Z",
                                           ".5",
                                           "%",
                                           "\xc3\xa4",
                                           "\xef\xbb\xbf",
                                           "\xff\xfe",
                                           "\x1f\x8b",
                                           std::string(1, '\0')};
  std::minstd_rand random(1);
  const auto draw = [&](std::size_t count) { return static_cast<std::size_t>(random()) % count; };
  const auto name = [&] {
    std::string text;
    for (std::size_t parts = draw(3); parts + 1 > 0; --parts) text += fragments[draw(fragments.size())];
    return text;
  };
  const auto names = [&](std::size_t count) {
    std::set<std::string> different;
    while (different.size() < count) different.insert(name());
    std::vector<std::string> list(different.begin(), different.end());
    std::shuffle(list.begin(), list.end(), random);
    return list;
  };
  const auto number = [&] {
    for (;;)
      if (const float x = detail::bit_cast<float>(static_cast<std::uint32_t>(random() * 2u + random() % 2)); detail::is_finite(x)) return x;
  };

  int refused = 0;
  const int runs = 3000;
  for (int run = 0; run < runs; ++run) {
    const Index samples = static_cast<Index>(1 + draw(6));
    Labelled data;
    data.features = Matrix<float>::NullaryExpr(2, samples, number);
    for (Index j = 0; j < samples; ++j) data.targets.push_back(static_cast<int>(draw(3)));
    data.target_names = names(3);
    const std::vector<std::string> columns = names(3);
    data.feature_names = {columns[0], columns[1]};
    CsvOptions options{.separator = ",;\t |"[draw(5)], .target = columns[2], .classes = data.target_names};
    const bool knows_classes = run % 2 == 0;
    if (!knows_classes) options.classes.clear();
    std::string text;
    try {
      text = to_csv(data, options);
    } catch (const ValueError&) {
      ++refused;
      if (knows_classes) FAIL("refused with known classes");
      continue;
    }
    const Labelled back = parse_csv<Labelled>(text, options);
    const bool same = equal(back.features, data.features) && back.targets == data.targets && back.target_names == data.target_names &&
                      back.feature_names == data.feature_names;
    if (!same) FAIL("not read back: " << text);
  }
  CHECK(refused > runs / 4);
  CHECK(refused < runs / 2);
}

TEST_CASE("labels whose names would not be read back are an error that names the remedy") {
  const auto refused = [](std::vector<std::string> names, std::vector<int> labels) {
    const Labelled data{.features = Matrix<float>::Ones(1, static_cast<Index>(labels.size())), .targets = labels, .target_names = names};
    CHECK_THROWS_SAYING(to_csv(data), ValueError, "write_csv: read_csv would give other labels",
                        "set .classes to the names of classes 0, 1, ...");
  };
  refused({"b", "a"}, {0, 1});
  refused({"a", "b"}, {1, 1});
  refused({"1", "1.0"}, {0, 1});
  refused({"0.5", "1"}, {0, 1});
  refused({"", "a"}, {0, 1});
  refused({"?", "NA"}, {0, 1});
  refused({"Yes", "no"}, {0, 1});
  refused({}, {0, 2});
  refused({}, {2'000'000'000});
  const Labelled numbers{.features = Matrix<float>::Ones(1, 2), .targets = {0, 2}};
  CHECK(to_csv(numbers, {.classes = {"0", "1", "2"}}) == "x0,label\n1,0\n1,2\n"s);
  CHECK_THROWS_SAYING(to_csv(numbers, {.classes = {"a", "b", "c"}}), ValueError, "would give other labels");
  CHECK_THROWS_SAYING(to_csv(numbers, {.classes = {"0", "1"}}), ValueError, "would give other labels");
}

TEST_CASE("a data set that cannot be written as CSV is an error, and the existing file stays") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.file("a.csv", "old");
  const auto refused = [&](void (*spoil)(Labelled&), const char* says) {
    Labelled data = bees();
    spoil(data);
    CHECK_THROWS_SAYING(write_csv(path, data, {.target = "kind", .classes = bees().target_names}), Error, says);
  };
  refused([](Labelled& data) { data.targets.pop_back(); }, "write_csv: the data set has 1 targets for 2 samples");
  refused([](Labelled& data) { data.targets[1] = 2; }, "the label of sample 1 is 2, but target_names has names for 0 to 1");
  refused([](Labelled& data) { data.targets[1] = -1; }, "the label of sample 1 is -1");
  refused([](Labelled& data) { data.feature_names.pop_back(); }, "write_csv: the data set has 1 names for 2 rows");
  refused([](Labelled& data) { data.feature_names[1] = "kind"; }, "columns 2 and 3 are both \"kind\"");
  refused([](Labelled& data) { data.features(1, 0) = std::numeric_limits<float>::quiet_NaN(); }, "features(1, 0) is nan");
  refused([](Labelled& data) { data.weights = Vector<float>::Ones(2); }, "weights");
  refused([](Labelled& data) { data.target_names[0] = "fly"; }, "would give other labels");
  refused([](Labelled& data) { data = Labelled{}; }, "expected at least one feature and one sample, but features is 0 x 0");
  const Regression numbers{.features = Matrix<float>{{1, -999}}, .targets = Matrix<float>{{3, 4}, {5, 6}}};
  CHECK_THROWS_SAYING(write_csv(path, numbers, {.separator = '.'}), ValueError, "write_csv: the separator must not be a letter");
  CHECK_THROWS_SAYING(write_csv(path, numbers, {.decimal = ','}), ValueError, "write_csv: numbers are written with a decimal point");
  CHECK_THROWS_SAYING(write_csv(path, numbers, {.skip_lines = 1}), ValueError, "no lines before the header");
  CHECK_THROWS_SAYING(write_csv(path, numbers, {.also_missing = {"-999"}}), ValueError, "is one of .missing_words");
  CHECK_THROWS_SAYING(write_csv(path, numbers, {.target = 0}), ValueError, ".target refers to other columns than the last 2");
  CHECK_THROWS_SAYING(write_csv(path, numbers, {.missing_words = {"-999"}}), ValueError,
                      "the number -999 of sample 1 is one of .missing_words");
  CHECK(to_csv(numbers, {.target = {"y0", -1}}) == "x0,y0,y1\n1,3,5\n-999,4,6\n"s);
  CHECK(detail::read_file("test", path) == "old"s);
  CHECK_THROWS_SAYING(write_csv(folder.path("no/a.csv"), numbers), ValueError, "write_csv: cannot write \"", "No such file");
}
