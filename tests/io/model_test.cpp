#include <chainrule/activations/relu.hpp>
#include <chainrule/io/model.hpp>
#include <cmath>
#include <fstream>

#include "support/catch.hpp"
#include "support/networks_from_descriptions.hpp"
#include "support/temporary_folder.hpp"

using namespace chainrule;
using namespace std::string_literals;  // std::string literals, so that CHECK is compiled for one type
using Names = std::vector<std::string>;

namespace {

using Churn = Network<float, BinaryCrossEntropy, Dense<4, 3, ReLU>, Dense<3, 1>>;
using Price = Network<float, SquaredError, Dense<4, 3, ReLU>, Dense<3, 1>, Normalize<>>;

constexpr const char* train = "age,city \"x\",churn,price\n20,B\xc3\xa4le,No,1000\n40,a b,Yes,3000\n31,\xff,No,2000\n";
constexpr const char* rows = "note,city \"x\",age\nhm,a b,33.3\n,B\xc3\xa4le,1\n,new,7\n";

Preprocessing fitted(PreprocessingOptions options) {
  options.unknown = UnknownWord::zeros;
  Preprocessing preprocessing(options);
  preprocessing.fit(parse_table(train));
  return preprocessing;
}

template <class Call>
std::string complaint(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("One file holds a network, its preprocessing and the names of its classes, and scores new rows with the same bits") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("churn.safetensors");
  const Preprocessing preprocessing = fitted({.label = "churn", .ignore = {"price"}});
  const Churn net{Seed{3}};
  save(net, preprocessing, path, {.texts = {{"note", "mine"}, {"chainrule.preprocessing", "mine"}}});
  CHECK(read_safetensors(path).metadata().at("note") == "mine");
  LoadReport report;
  const Model<float> model = load_model<float>(path, {}, &report);
  CHECK(report.numbers == net.parameters().size());
  CHECK(model.preprocessing.to_string() == preprocessing.to_string());
  CHECK(model.class_names == Names{"No", "Yes"});
  const Table table = parse_table(rows);
  const Matrix<float> p = net.predict(preprocessing.transform<float>(table));
  CHECK(model.predict(table) == p);
  CHECK(model.predict_classes(table)[1] == (p(1) >= 0.5f ? "Yes" : "No"));
  CHECK(load_network<float>(path).parameters() == net.parameters());  // the network alone, as before
  Churn again{Seed{1}};
  load(again, path);
  CHECK(again.predict(load_preprocessing(path).transform<float>(table)) == p);
  model.check(preprocessing.dataset<float>(parse_table(train)));
  Dataset<float> other = preprocessing.dataset<float>(parse_table(train));
  std::swap(other.target_names[0], other.target_names[1]);
  CHECK_THROWS_SAYING(model.check(other), ValueError,
                      "Model: expected the classes \"No\", \"Yes\", in this order, but the data set has \"Yes\", \"No\"");
  other = {.features = other.features, .targets = other.targets, .feature_names = {"a", "b", "c", "d"}};
  CHECK_THROWS_SAYING(model.check(other), ValueError, "Model: expected the features \"age\"");
}

TEST_CASE("A model keeps the threshold and the layout of its tables, and a second program repeats neither") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("churn.safetensors"), csv = folder.path("new.csv");
  const Table table = parse_table("skipped\nage;city;churn\n20,5;a;No\n-;b;Yes\n31,5;a;No\n",
                                  {.separator = ';', .decimal = ',', .skip_lines = 1, .also_missing = {"-"}});
  Preprocessing preprocessing({.label = "churn", .missing_number = MissingNumber::median});
  preprocessing.fit(table);
  std::ofstream(csv) << "skipped\nage;city\n25,25;b\n-;a\n";
  const Network<float, BinaryCrossEntropy, Dense<3, 1>> one{Seed{3}};
  const Matrix<float> x = preprocessing.transform<float>(Table({"age", "city"}, {{"25.25", "b"}, {"26", "a"}}));
  const Matrix<float> p = one.predict(x);
  const double low = static_cast<double>(p.minCoeff()), high = static_cast<double>(p.maxCoeff());
  const auto classes = [&](double threshold) {
    save(one, preprocessing, path, {.threshold = threshold});
    const Model<float> model = load_model<float>(path);
    CHECK(model.threshold == threshold);
    const Table scored = model.read_table(csv);
    CHECK(model.predict(scored) == p);
    return model.predict_classes(scored);
  };
  CHECK(classes(low) == Names{"Yes", "Yes"});
  CHECK(classes(high) == (p(0) > p(1) ? Names{"Yes", "No"} : Names{"No", "Yes"}));
  CHECK(classes(0.1 + 1) == Names{"No", "No"});

  const Network<float, SoftmaxCrossEntropy, Dense<3, 2>> two{Seed{3}};
  const double yes = static_cast<double>(two.predict(x)(1, 0));
  save(two, preprocessing, path, {.threshold = yes});
  CHECK(load_model<float>(path).predict_classes(load_model<float>(path).read_table(csv))[0] == "Yes");
  save(two, preprocessing, path, {.threshold = yes + 1e-3});
  CHECK(load_model<float>(path).predict_classes(load_model<float>(path).read_table(csv))[0] == "No");

  CHECK_THROWS_SAYING(save(one, preprocessing, path, {.threshold = std::nan("")}), ValueError,
                      "save: the threshold must be finite, but is nan");
  const Network<float, SoftmaxCrossEntropy, Dense<3, 3>> three{Seed{3}};
  CHECK_THROWS_SAYING(save(three, Names{"a", "b", "c"}, path, {.threshold = 0.4}), ValueError,
                      "a threshold is for a network of one output or two classes, but this one has 3 outputs");
  CHECK(load_model<float>(path).threshold == yes + 1e-3);  // nothing was written
}

TEST_CASE("Class names alone are saved with a network whose features are no table") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("m.safetensors");
  const Price net = [] {
    Price made{Seed{1}};
    made.buffers().setOnes();
    return made;
  }();
  save(net, Names{"b\n", "\xff"}, path);
  const Model<float> model = load_model<float>(path);
  CHECK(model.class_names == Names{"b\n", "\xff"});
  CHECK_FALSE(model.preprocessing.is_fitted());
  CHECK_THROWS_SAYING(model.predict(parse_table(rows)), StateError, "nothing is fitted yet");
  CHECK_THROWS_SAYING(load_preprocessing(path), ValueError, "has no preprocessing");
  CHECK_THROWS_SAYING(save(net, Names{"a", "b", "c"}, path), ShapeError, "save: the network has 1 outputs, but there are 3 class names");
  CHECK_THROWS_SAYING(save(net, Names{"no"}, path), ShapeError, "but there are 1 class names; expected 2");
  CHECK_THROWS_SAYING(save(net, Names{"a", "a"}, path), ValueError, "save: the list of class names has \"a\" twice");
  CHECK_THROWS_SAYING(save(net, Names{}, path), ShapeError, "save: there are no class names");
  CHECK(load_model<float>(path).class_names == model.class_names);
  save(net, path);
  CHECK_THROWS_SAYING(load_model<float>(path).predict_classes(parse_table(rows)), StateError, "the file has no class names");
}

TEST_CASE("A last Normalize gives predictions in the units of the targets, in the saved model too") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("price.safetensors");
  const Preprocessing preprocessing = fitted({.target = {"price"}, .ignore = {"churn"}});
  const RegressionDataset<float> data = preprocessing.regression_dataset<float>(parse_table(train));
  Price net{Seed{2}};
  net.buffers<2>().set_inverse(Standardizer<float>(data.targets));
  // mean 2000 and deviation sqrt(2/3) 1000
  const float z = net.layer<1>().weight.row(0).dot((net.layer<0>().weight * data.features.col(0) + net.layer<0>().bias).cwiseMax(0.0f)) +
                  net.layer<1>().bias[0];
  CHECK(net.predict(data.features)(0) == chainrule_test::Approx(2000 + std::sqrt(2 / 3.0) * 1000 * static_cast<double>(z)).epsilon(1e-5));
  save(net, preprocessing, path);
  CHECK(load_model<float>(path).predict(parse_table(train)) == net.predict(data.features));
}

TEST_CASE("A preprocessing that does not fit the network is not saved, and a broken one is not loaded") {
  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("m.safetensors");
  const Churn net{Seed{3}};
  const Preprocessing preprocessing = fitted({.label = "churn", .ignore = {"price"}});
  CHECK_THROWS_SAYING(save(net, fitted({.label = "churn"}), path), ShapeError,
                      "save: the network has 4 inputs, but the preprocessing makes 5 features");
  CHECK_THROWS_SAYING(save(net, fitted({.label = "price", .ignore = {"churn"}}), path), ShapeError, "but there are 3 class names");
  CHECK_THROWS_SAYING(save(net, Preprocessing(), path), StateError, "nothing is fitted yet");
  CHECK(folder.files() == 0);
  const auto loaded = [&](const std::map<std::string, std::string>& texts) {
    const SafetensorsFile file = parse_safetensors(to_model_file(net, texts), "m.safetensors");
    return complaint([&] { parse_model<float>(file); });
  };
  CHECK(loaded({{"chainrule.preprocessing", preprocessing.to_string()}}).empty());
  CHECK(loaded({{"chainrule.preprocessing", preprocessing.to_string() + " 1"}}) ==
        "m.safetensors: Preprocessing: from_string expected the end of the text, but found \"1\""s);
  CHECK(loaded({{"chainrule.preprocessing", fitted({.label = "churn"}).to_string()}}) ==
        "m.safetensors: the network has 4 inputs, but the preprocessing makes 5 features"s);
  CHECK(loaded({{"chainrule.class_names", "2 \"a\""}}) ==
        "m.safetensors, chainrule.class_names expected a text in quotes, but found \"\""s);
  CHECK(loaded({{"chainrule.class_names", "3 \"a\" \"b\" \"c\""}}) ==
        "m.safetensors: the network has 1 outputs, but there are 3 class names; expected 2"s);
  CHECK(loaded({{"chainrule.threshold", "0.5 1"}}) == "m.safetensors, chainrule.threshold expected the end of the text, but found \"1\""s);
  CHECK(loaded({{"chainrule.class_names", "2 \"a\" \"a\""}}) == "m.safetensors, chainrule.class_names has \"a\" twice"s);
}
