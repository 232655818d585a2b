#include <chainrule/data/preprocessing.hpp>
#include <random>

#include "support/catch.hpp"

using namespace chainrule;
using namespace std::string_literals;  // std::string literals, so that CHECK is compiled for one type
using Names = std::vector<std::string>;

namespace {

Table table(std::string_view text, const TableOptions& options = {}) { return parse_table(text, options, "t.csv"); }

/// Writes a matrix as text, its columns separated by "|".
std::string written(const Matrix<double>& m) {
  std::string text;
  for (Index j = 0; j < m.cols(); ++j) {
    if (j > 0) text += "|";
    for (Index i = 0; i < m.rows(); ++i) text += (i > 0 ? " " : "") + detail::text_of(m(i, j));
  }
  return text;
}

Preprocessing fitted(const PreprocessingOptions& options, std::string_view text) {
  Preprocessing preprocessing(options);
  preprocessing.fit(table(text));
  return preprocessing;
}

/// The features of `rows` as text, after a fit to `train`.
std::string features(const PreprocessingOptions& options, std::string_view train, std::string_view rows) {
  return written(fitted(options, train).transform<double>(table(rows)));
}

/// Returns the message of the error, or an empty text where there is none.
template <class Call>
std::string complaint(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string refused(const PreprocessingOptions& options, std::string_view train) {
  return complaint([&] { fitted(options, train); });
}

constexpr FeatureScale none = FeatureScale::none;
constexpr const char* churn =
    "id,age,city,size,vip,churn\n"
    "7,20,Bern,S,yes,No\n"
    "3,40,Aarau,L,no,Yes\n"
    "9,30,Bern,M,no,No\n"
    "1,,Chur,M,yes,No\n";
const PreprocessingOptions churn_options{.label = "churn",
                                         .ignore = {"id"},
                                         .ordinal = {{"size", {"S", "M", "L"}}},
                                         .unknown = UnknownWord::zeros,
                                         .missing_number = MissingNumber::mean};

// types derived from a table and from options are taken for them
struct Measured : Table {};
struct Layout : TableOptions {};
struct Policies : PreprocessingOptions {};
static_assert(requires(Preprocessing preprocessing, const Measured& measured, const Layout& layout, const SplitOptions& halves) {
  preprocessing.fit(measured);
  Preprocessing(Policies{});
  split(measured, halves);
  parse_table("", layout);
  Table({}, {}, layout);
});

}  // namespace

TEST_CASE("Preprocessing finds out what columns are, fills, scales and says so") {
  const Preprocessing preprocessing = fitted(churn_options, churn);
  const Dataset<double> data = preprocessing.dataset<double>(table(churn));
  CHECK(data.feature_names == Names{"age", "city=Aarau", "city=Bern", "city=Chur", "size", "vip"});
  CHECK(data.target_names == Names{"No", "Yes"});
  CHECK(data.targets == std::vector<int>{0, 1, 0, 0});
  // age: 20, 40, 30 and their mean 30, with deviation sqrt(200/4); size: 0, 2, 1, 1, with deviation sqrt(2/4)
  const double r = std::sqrt(2.0);
  const Matrix<double> expected{{-r, r, 0, 0}, {0, 1, 0, 0}, {1, 0, 1, 0}, {0, 0, 0, 1}, {-r, r, 0, 0}, {1, 0, 0, 1}};
  CHECK((data.features - expected).cwiseAbs().maxCoeff() < 1e-15);
  CHECK(preprocessing.features() == 6);
  CHECK(preprocessing.columns() == Names{"age", "city", "size", "vip"});
  const auto groups = preprocessing.feature_groups();
  REQUIRE(groups.size() == 4);
  CHECK((groups[1].name == "city" && groups[1].features == std::vector<Index>{1, 2, 3}));
  CHECK((groups[3].name == "vip" && groups[3].features == std::vector<Index>{5}));
  CHECK(preprocessing.report() ==
        "age: numbers, found by itself, missing ones become 30\n"
        "city: words, found by itself, 3 features\n"
        "size: ordered words, missing ones become 1\n"
        "vip: no and yes, found by itself, missing ones become 0.5\n"
        "churn: label, 2 classes: \"No\", \"Yes\"\n"
        "id: ignored\n"s);
  CHECK(preprocessing.regression_dataset<double>(table(churn)).targets == Eigen::RowVector4d(0, 1, 0, 0));
}

TEST_CASE("Preprocessing finds columns by their names, whatever their order and whatever else there is") {
  const Preprocessing preprocessing = fitted(churn_options, churn);
  const auto x = preprocessing.transform<float>(table(churn)).eval();
  const auto shuffled = preprocessing.transform<float>(table("vip,note,size,city,age\nYES,hm,S,Bern,2e1\nno,,L,Aarau,+40.0\n"));
  CHECK(shuffled == x.leftCols(2));
  const auto row = preprocessing.transform<float>(Table({"size", "city", "vip", "age"}, {{"M", "Chur", "yes", ""}}));
  CHECK(row == x.col(3));
  const auto comma = table("vip;size;city;age\nyes;S;Bern;20,0\n", {.separator = ';', .decimal = ','});
  CHECK(preprocessing.transform<float>(comma) == x.col(0));
  CHECK(complaint([&] { preprocessing.transform<float>(table("vip,size,age\nno,S,1\n")); }) ==
        "t.csv: there is no column \"city\", which the preprocessing was fitted to; there are \"vip\", \"size\", \"age\""s);
}

TEST_CASE("Unknown words are an error, all zeros or a category of their own") {
  const std::string train = "a\nx\ny\nx\nz\n", rows = "a\ny\nnew\n";
  CHECK(complaint([&] { features({}, train, rows); }) ==
        "t.csv, line 3, column 1 (a): expected one of the words of the training part, \"x\", \"y\", \"z\", but found \"new\"; .unknown = "
        "UnknownWord::zeros takes others"s);
  CHECK(features({.unknown = UnknownWord::zeros}, train, rows) == "0 1 0|0 0 0"s);
  const PreprocessingOptions own{.unknown = UnknownWord::own_category, .min_count = 2};
  CHECK(features(own, train, rows) == "0 1|0 1"s);  // y and z are in one row each, so they are in this category
  CHECK(fitted(own, train).feature_names() == Names{"a=x", "a (other)"});
  CHECK(features({.unknown = UnknownWord::own_category}, train, rows) == "0 1 0|0 0 0"s);  // no rare word, no such category
  CHECK(refused(own, "a\nx\ny\n") ==
        "t.csv: each word of column \"a\" is in fewer than .min_count = 2 rows of the training part; put it into .ignore"s);
}

TEST_CASE("Missing words are an error, all zeros, a category of their own or the most frequent word") {
  const std::string train = "a,n\nx,1\ny,1\ny,1\nx,1\n,1\n", rows = "a,n\n,1\n";
  const auto with = [&](MissingWord policy) { return features({.missing_word = policy, .scale = none}, train, rows); };
  CHECK(refused({}, train) ==
        "t.csv, line 6, column 1 (a): the value is missing, \"\"; .missing_word = MissingWord::own_category makes it a "
        "category of its own, and drop_missing leaves out such rows"s);
  CHECK(with(MissingWord::zeros) == "0 0 1"s);
  CHECK(with(MissingWord::own_category) == "0 0 1 1"s);
  CHECK(with(MissingWord::most_frequent) == "1 0 1"s);  // the first one among equals
  CHECK(features({.missing_word = MissingWord::own_category, .scale = none}, "a,n\nx,1\n", rows) == "0 1"s);
}

TEST_CASE("Missing numbers are an error, or the mean, median or most frequent number of the training part") {
  const std::string train = "n\n5\n1\n9\n5\n?\n2\n9\n", rows = "n\n?\n100\n";
  const auto with = [&](MissingNumber policy) { return features({.missing_number = policy, .scale = none}, train, rows); };
  CHECK(
      refused({}, train).starts_with("t.csv, line 6, column 1 (n): the value is missing, \"?\"; .missing_number = MissingNumber::median"));
  CHECK(with(MissingNumber::mean) == detail::text_of(31 / 6.0) + "|100");
  CHECK(with(MissingNumber::median) == "5|100"s);
  CHECK(with(MissingNumber::most_frequent) == "5|100"s);  // the smaller one of 5 and 9
  CHECK(features({.missing_number = MissingNumber::median, .scale = none}, "n\n4\n1\n2\n8\n", rows) == "3|100"s);
  CHECK(features({.missing_number = MissingNumber::median, .scale = none}, "n\n1.7e308\n1.7e308\n", rows) == "1.7e+308|100"s);
  CHECK(features({.missing_number = MissingNumber::most_frequent, .scale = none}, "n\nno\nyes\nyes\n", "n\n?\n") == "1"s);
  // a policy holds for new rows even if the training part has no missing value, and the error too
  CHECK(complaint([&] { features({}, "n\n1\n2\n", "n\n?\n"); }).starts_with("t.csv, line 2, column 1 (n): the value is missing"));
}

TEST_CASE("Policies for single columns take the place of those for all, and constants the place of missing values") {
  const std::string train = "a,b,c,d,e,f\n1,1,x,p,S,yes\n3,5,y,,L,no\n,,,q,,\n5,5,x,q,L,no\n";
  const PreprocessingOptions options{.one_hot = {"c"},
                                     .ordinal = {{"e", {"S", "L"}}},
                                     .unknown = UnknownWord::error,
                                     .missing_word = MissingWord::own_category,
                                     .missing_number = MissingNumber::mean,
                                     .policies = {{.name = "b", .missing_number = MissingNumber::most_frequent},
                                                  {.name = "c", .unknown = UnknownWord::zeros, .constant = "y"},
                                                  {.name = "d", .missing_word = MissingWord::zeros},
                                                  {.name = "e", .unknown = UnknownWord::zeros, .constant = "S"},
                                                  {.name = "f", .constant = "yes"}},
                                     .scale = none};
  //                                       a  b   c    d    e  f
  CHECK(features(options, train, "a,b,c,d,e,f\n,,,,,\n") == "3 5 0 1 0 0 0 1"s);
  CHECK(features(options, train, "a,b,c,d,e,f\n7,8,z,q,M,no\n") == "7 8 0 0 0 1 0 0"s);
  const Preprocessing preprocessing = fitted(options, train);
  CHECK(preprocessing.feature_names() == Names{"a", "b", "c=x", "c=y", "d=p", "d=q", "e", "f"});
  CHECK(preprocessing.report().find("c: words, 2 features, missing ones become \"y\"\n") != std::string::npos);
  const std::string text = preprocessing.to_string();
  CHECK(written(Preprocessing::from_string(text).transform<double>(table("a,b,c,d,e,f\n7,,z,,M,\n,8,,q,,no\n"))) ==
        "7 5 0 0 0 0 0 1|3 8 0 1 0 1 0 0"s);
  CHECK(complaint([&] {
          preprocessing.transform<double>(table("a,b,c,d,e,f\n1,1,x,r,S,yes\n"));
        }).starts_with("t.csv, line 2, column 4 (d): expected one of the words of the training part, \"p\", \"q\", but found \"r\""));

  // numbers as constants, in a table with decimal commas; a word that the training part does not have
  const Table commas = table("a;b\n1,5;x\n;y\n", {.separator = ';', .decimal = ','});
  Preprocessing numbers({.policies = {{.name = "a", .constant = "0.25"}, {.name = "b", .constant = "z"}}, .scale = none});
  numbers.fit(commas);
  CHECK(written(numbers.transform<double>(commas)) == "1.5 1 0|0.25 0 1"s);
  CHECK(complaint([&] { numbers.transform<double>(table("a,b\n1,\n")); }) ==
        "t.csv, line 2, column 2 (b): the value is missing, \"\"; the .constant of its column, \"z\", is no word of the training part"s);

  // words that are rare in one column alone
  CHECK(
      fitted({.policies = {{.name = "a", .unknown = UnknownWord::own_category}}, .min_count = 2}, "a,b\nx,x\nx,x\ny,y\n").feature_names() ==
      Names{"a=x", "a (other)", "b=x", "b=y"});

  const auto with = [](ColumnPolicy policy) { return PreprocessingOptions{.ignore = {"n"}, .policies = {std::move(policy)}}; };
  CHECK(refused(with({.name = "a", .constant = "no number"}), "a,n\n1,2\n") ==
        "t.csv: .constant = \"no number\" in .policies does not suit column \"a\", which holds numbers"s);
  CHECK(refused(with({.name = "a", .missing_word = MissingWord::zeros}), "a,n\n1,2\n") ==
        "t.csv: .missing_word in .policies does not suit column \"a\", which holds numbers"s);
  CHECK(refused(with({.name = "a", .missing_number = MissingNumber::mean}), "a,n\nx,2\n") ==
        "t.csv: .missing_number in .policies does not suit column \"a\", which holds words"s);
  CHECK(refused(with({.name = "z"}), "a,n\nx,2\n").starts_with("t.csv: there is no column \"z\""));
  CHECK(refused(with({.name = "n"}), "a,n\nx,2\n") == "Preprocessing: .policies are for features, but column \"n\" is none"s);
  CHECK(refused(with({.name = "a", .missing_word = MissingWord::zeros, .constant = "x"}), "a,n\nx,2\n") ==
        "Preprocessing: .policies of column \"a\" have both a .constant for missing values and another policy for them"s);
  CHECK(refused({.policies = {{.name = "a"}, {.name = "a"}}}, "a\nx\n") == "Preprocessing: .policies: column \"a\" is named twice"s);
}

TEST_CASE("The layout of the training table is kept, so that a second program reads other files the same way") {
  const TableOptions layout{.header = false,
                            .names = {"i", "a\n", "b"},
                            .separator = '\t',
                            .decimal = ',',
                            .skip_lines = 1,
                            .keep_index = true,
                            .missing_words = {"?", "-"},
                            .also_missing = {"none at all"}};
  Preprocessing preprocessing({.missing_number = MissingNumber::mean, .scale = none});
  preprocessing.fit(split(table("first line\n1\t1,5\tyes\n2\t-\tno\n3\t2,5\tyes\n", layout), {.test_share = 0.3, .shuffle = false}).train);
  const Preprocessing again = Preprocessing::from_string(preprocessing.to_string());
  const Table other = table("another\n7\tnone at all\tno\n", again.table_options());
  CHECK(written(again.transform<double>(other)) == "7 1.5 0"s);
  CHECK(again.to_string() == preprocessing.to_string());
  CHECK_THROWS_SAYING(Preprocessing().table_options(), StateError, "nothing is fitted yet");
}

TEST_CASE("Ordinal words become their places in the list, and a word of the list is never missing") {
  const PreprocessingOptions options{.ordinal = {{"q", {"None", "Fair", "Good"}}}, .scale = none};
  CHECK(features(options, "q\nGood\nFair\n", "q\nNone\nGood\n") == "0|2"s);
  CHECK(complaint([&] { features(options, "q\nGood\n", "q\nBest\n"); }) ==
        "t.csv, line 2, column 1 (q): expected one of \"None\", \"Fair\", \"Good\", but found \"Best\"; with .unknown = UnknownWord::zeros "
        "and "
        "a policy .missing_number it counts as missing"s);
  CHECK(refused(options, "q\nBest\n") ==
        "t.csv, line 2, column 1 (q): expected one of \"None\", \"Fair\", \"Good\", but found \"Best\", and in "
        "the training part there can be no other word"s);
  PreprocessingOptions lenient = options;
  lenient.unknown = UnknownWord::zeros;
  lenient.missing_number = MissingNumber::most_frequent;
  CHECK(features(lenient, "q\nGood\nFair\nGood\n", "q\nBest\n?\n") == "2|2"s);
}

TEST_CASE("Words that are whole numbers are compared by their values, and others as texts") {
  const PreprocessingOptions options{.one_hot = {"zone"}};
  CHECK(features(options, "zone\n10\n9\n9.0\n", "zone\n09\n10.0\n") == "1 0|0 1"s);
  CHECK(fitted(options, "zone\n10\n9\n9.0\n").feature_names() == Names{"zone=9", "zone=10"});
  CHECK(complaint([&] { features(options, "zone\n1\nA\n", "zone\n1.0\n"); }).find("but found \"1.0\"") != std::string::npos);
  Preprocessing comma(options);
  comma.fit(table("zone;n\n1,0;0\n2;1\n", {.separator = ';', .decimal = ','}));
  CHECK(comma.feature_names() == Names{"zone=1", "zone=2", "n"});
  // a table of strangely quoted words, and one category
  CHECK(features({}, "a\n\"x,\"\"\n\"\n", "a\n\"x,\"\"\n\"\n") == "1"s);
}

TEST_CASE("A column of numbers and other texts is an error with its line, in the training part and in new rows") {
  CHECK(refused({}, "a\n1\n2\ncirca 3\n") ==
        "t.csv, line 4, column 1 (a): expected a number, as in 2 of the 3 rows with a value, but found \"circa 3\"; read the table with "
        ".also_missing where this text stands for a missing value, or name the column in .one_hot, .ordinal or .ignore"s);
  CHECK(refused({}, "a\nyes\n1\n").starts_with("t.csv, line 2, column 1 (a): expected a number, as in 1 of the 2 rows"));
  CHECK(refused({}, "a\n1\ninf\n").starts_with("t.csv, line 3, column 1 (a): expected a number"));
  CHECK(features({}, "a\nyes\ntrue\n", "a\ntrue\n") == "1 0"s);  // no pair, so they are words
  CHECK(complaint([&] { features({}, "a\n1\n2\n", "a\nx\n"); }) == "t.csv, line 2, column 1 (a): expected a number, but found \"x\""s);
  CHECK(complaint([&] {
          features({}, "a\nyes\nno\n", "a\n1\n");
        }).starts_with("t.csv, line 2, column 1 (a): expected \"no\" or \"yes\", but found \"1\""));
  CHECK(refused({}, "a\n1e999\n") ==
        "t.csv, line 2, column 1 (a): expected a number of at most 1.7976931348623157e+308, but found \"1e999\""s);
  CHECK(complaint([&] { fitted({.scale = none}, "a\n1e39\n").transform<float>(table("a\n1e39\n")); }) ==
        "t.csv, line 2, column 1 (a): expected a number that can be scaled and held, but found \"1e39\""s);
}

TEST_CASE("Columns without a value or with too many words are an error where no option names them") {
  CHECK(refused({}, "a,b\n1,\n2,\n") == "t.csv: column \"b\" has no value in the 2 rows of the training part; put it into .ignore"s);
  CHECK(refused({.one_hot = {"b"}, .missing_word = MissingWord::zeros}, "a,b\n1,\n2,\n").starts_with("t.csv: column \"b\" has no value"));
  std::string names = "name\n";
  for (int i = 0; i < 100'000; ++i) names += "n" + std::to_string(i) + "\n";
  CHECK(refused({}, names) ==
        "t.csv: column \"name\" has 100000 different words, more than .max_found = 100; put it into .ignore where they "
        "are no features, such as names, or into .one_hot"s);
  const Preprocessing many = fitted({.one_hot = {"name"}}, names);
  CHECK(many.features() == 100'000);
  const Matrix<float> x = many.transform<float>(table("name\nn99999\n"));
  CHECK(x.sum() == 1);
  CHECK(x(99'999) == 1);
  CHECK(Preprocessing::from_string(many.to_string()).transform<float>(table("name\nn99999\n")) == x);
  CHECK(refused({.ignore = {"a"}}, "a\n1\n") == "t.csv: no column is left as a feature"s);
  CHECK_THROWS_SAYING(Preprocessing().fit(table("a\n1\n").rows({})), ShapeError, "fit needs at least one row, but t.csv has none");
}

TEST_CASE("Labels are classes with names, and targets are numbers") {
  const PreprocessingOptions by_label{.label = "y"}, by_target{.target = {"z", "y"}};
  CHECK(fitted(by_label, "x,y\n1,10\n2,9\n").class_names() == Names{"9", "10"});
  CHECK(fitted({.label = "y", .classes = {"b", "a", "NA"}}, "x,y\n1,a\n1,NA\n").dataset<float>(table("x,y\n1,NA\n")).targets ==
        std::vector<int>{2});
  CHECK(refused({.label = "y", .classes = {"b"}}, "x,y\n1,a\n") ==
        "t.csv, line 2, column 2 (y): expected one of the classes \"b\", but found \"a\""s);
  CHECK(refused(by_label, "x,y\n1,0.5\n2,1\n") ==
        "t.csv: expected class names in column \"y\", but it holds numbers that are not whole; learn numbers with .target"s);
  CHECK(refused(by_label, "x,y\n1,\n").starts_with("t.csv, line 2, column 2 (y): the value is missing"));
  const Preprocessing numbers = fitted(by_target, "x,y,z\n1,2,3\n");
  const RegressionDataset<double> data = numbers.regression_dataset<double>(table("z,y,x\n5,-1e2,1\n"));
  CHECK(written(data.targets) == "5 -100"s);
  CHECK(data.target_names == Names{"z", "y"});
  CHECK_THROWS_SAYING(numbers.regression_dataset<double>(table("z,y,x\n5,,1\n")), ValueError, "column 2 (y): the value is missing");
  CHECK_THROWS_SAYING(numbers.dataset<double>(table("z,y,x\n5,1,1\n")), ValueError, "the options name none");
  CHECK_THROWS_SAYING(fitted(by_label, "x,y\n1,a\n").regression_dataset<double>(table("x,y\n1,a\n")), ValueError, "there are 1 classes");
  CHECK_THROWS_SAYING(fitted(by_label, "x,y\n1,a\n").dataset<double>(table("x\n1\n")), ValueError, "there is no column \"y\"");
  CHECK_THROWS_SAYING(Preprocessing().transform<double>(table("a\n1\n")), StateError, "nothing is fitted yet");
}

TEST_CASE("Options that contradict each other are an error") {
  const auto made = [](PreprocessingOptions options) { return complaint([&] { Preprocessing{options}; }); };
  CHECK(made({.label = "a", .ignore = {"a"}}) == "Preprocessing: column \"a\" is named twice"s);
  CHECK(made({.ordinal = {{"a", {"x", "x"}}}}) == "Preprocessing: .ordinal of \"a\" has \"x\" twice"s);
  CHECK(made({.ordinal = {{"a", {}}}}) == "Preprocessing: .ordinal has no words for column \"a\""s);
  CHECK(made({.classes = {"x"}}).starts_with("Preprocessing: .classes are the names of classes of .label"));
  CHECK(made({.label = "a", .classes = {"x", "x"}}) == "Preprocessing: .classes has \"x\" twice"s);
  CHECK(made({.label = "a", .target = {"b"}}).starts_with("Preprocessing: .label is for class names and .target for numbers"));
  CHECK(made({.min_count = 2}) == "Preprocessing: .min_count is for .unknown = UnknownWord::own_category"s);
  CHECK(made({.min_count = 0}) == "Preprocessing: .min_count must be at least 1, but is 0"s);
  CHECK(made({.max_found = 0}) == "Preprocessing: .max_found must be at least 1, but is 0"s);
  CHECK(refused({.one_hot = {"b"}}, "a,c\n1,2\n") == "t.csv: there is no column \"b\"; there are \"a\", \"c\""s);
}

TEST_CASE("A fit that fails keeps the previous one") {
  Preprocessing preprocessing = fitted({.unknown = UnknownWord::zeros}, "a,b\n1,x\n2,y\n");
  const std::string before = preprocessing.to_string();
  CHECK_THROWS_AS(preprocessing.fit(table("a,b\n1,x\n2,\n")), ValueError);
  CHECK_THROWS_AS(preprocessing.fit(table("a,b\n1,x\nx,x\n")), ValueError);
  CHECK(preprocessing.to_string() == before);
}

TEST_CASE("A preprocessing that was written as text and read again gives the same bits") {
  std::minstd_rand random(1);
  const auto draw = [&](std::size_t count) { return static_cast<std::size_t>(random()) % count; };
  const Names words{"a",   "b c", "\"q\"", "\\x41", "a,b",         "\xc3\xa4", "\xff\xfe", "1",
                    "2.0", "no",  "yes",   "",      "line\nbreak", "\t ",      "",         std::string(1, '\0')};
  int read = 0;
  for (int run = 0; run < 400; ++run) {
    const bool by_label = draw(2) == 0;
    PreprocessingOptions options{.one_hot = {"w \"1\""},
                                 .ordinal = {{"o\n", {"a", "b c", "\\x41"}}},
                                 .unknown = static_cast<UnknownWord>(1 + draw(2)),
                                 .missing_word = static_cast<MissingWord>(1 + draw(3)),
                                 .missing_number = static_cast<MissingNumber>(1 + draw(3)),
                                 .scale = static_cast<FeatureScale>(draw(3))};
    if (by_label)
      options.label = "\xc3\xa4 label";
    else
      options.target = {"\xc3\xa4 label"};
    if (options.unknown == UnknownWord::own_category) options.min_count = static_cast<Index>(1 + draw(3));
    const std::size_t used = 2 + draw(words.size() - 1);
    const auto make_rows = [&](std::size_t count, std::size_t of) {
      std::vector<Names> rows;
      for (std::size_t i = 0; i < count; ++i)
        rows.push_back({draw(8) == 0 ? ""s : detail::text_of(std::ldexp(static_cast<double>(random()), static_cast<int>(draw(60)) - 30)),
                        words[draw(of)], words[std::array<std::size_t, 4>{0, 1, 3, 11}[draw(4)]], draw(2) == 0 ? "no" : "yes",
                        detail::text_of(draw(3))});
      return rows;
    };
    const Names names{"n", "w \"1\"", "o\n", "yn", "\xc3\xa4 label"};
    Preprocessing preprocessing(options);
    try {
      preprocessing.fit(Table(names, make_rows(12, used)));
    } catch (const ValueError&) {  // a column without a value, or only rare words
      continue;
    }
    ++read;
    const std::string text = preprocessing.to_string();
    const Preprocessing again = Preprocessing::from_string(text);
    CHECK(again.to_string() == text);
    CHECK(again.feature_names() == preprocessing.feature_names());
    CHECK(again.class_names() == preprocessing.class_names());
    const Table rows(names, make_rows(20, words.size()));
    CHECK(again.transform<float>(rows) == preprocessing.transform<float>(rows));
    CHECK(again.transform<double>(rows) == preprocessing.transform<double>(rows));
    CHECK(preprocessing.transform<double>(rows).allFinite());
    if (!by_label) CHECK(again.regression_dataset<double>(rows).targets == preprocessing.regression_dataset<double>(rows).targets);
  }
  CHECK(read > 200);
  Preprocessing again = Preprocessing::from_string(fitted({}, "a\n1\n").to_string());
  CHECK_THROWS_SAYING(again.fit(table("a\n1\n")), StateError, "it was read from a text");
}

TEST_CASE("A text that is no preprocessing is an error, and none of its beginnings is one") {
  const std::string text = fitted(churn_options, churn).to_string();
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_THROWS_AS(Preprocessing::from_string(std::string_view(text).substr(0, size)), ValueError);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    const std::size_t at = other.find(from);
    REQUIRE(at != std::string::npos);
    return complaint([&] { Preprocessing::from_string(other.replace(at, from.size(), to)); });
  };
  CHECK(changed("Preprocessing 2", "Preprocessing 1") ==
        "Preprocessing: from_string expected version 2 of the text, but found version 1; it is from another version of the library"s);
  CHECK(changed("columns 4", "columns 99999999").starts_with("Preprocessing: from_string expected the number of columns"));
  CHECK(changed("columns 4", "columns 3") != ""s);
  CHECK(changed("one_hot", "two_hot") == "Preprocessing: from_string expected number, yes_no, ordinal or one_hot, but found \"two_hot\""s);
  CHECK(changed("\"Aarau\"", "\"Bern\"") == "Preprocessing: from_string has \"Bern\" twice"s);
  CHECK(changed("\"vip\"", "\"age\"") == "Preprocessing: from_string: column \"age\" is named twice"s);
  CHECK(changed("Standardizer 2", "Standardizer 1") != ""s);
  CHECK(changed("\"No\"", "\"N\\o\"").starts_with("Preprocessing: from_string expected x, a quote or a backslash behind a backslash"));
  CHECK(changed("\"churn\"", "\"\"").starts_with("Preprocessing: from_string expected classes where there is a label"));
  CHECK(complaint([&] { Preprocessing::from_string(text + " 0"); }) ==
        "Preprocessing: from_string expected the end of the text, but found \"0\""s);
  CHECK(changed("\",\" \".\"", "\",\" \",\"").starts_with("Preprocessing: from_string: a comma cannot be both .separator and .decimal"));
}
