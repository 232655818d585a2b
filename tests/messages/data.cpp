#include <chainrule/chainrule.hpp>
#include <fstream>
#include <limits>

#include "page.hpp"

using namespace chainrule;

void messages::data(Page& page) {
  page.section("Data sets, batches, splits, scaling");
  Dataset<float> data;
  data.features = Eigen::MatrixXf::Ones(3, 10);
  data.targets = {0, 0, 0, 0, 0, 0, 0, 1, 1, 2};

  page.mistake("", [] {
    const std::vector<int> labels{0, 1};
    const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(3, 10);
    DataView{x, labels};
  });
  page.mistake("", [&] {
    data.weights = Eigen::VectorXf::Ones(9);
    DataView view{data};
  });
  data.weights = {};
  page.mistake("", [&] { Batches batches{DataView{data}, 32}; });
  page.mistake("", [&] { split(data, {.test_share = 20}); });
  page.mistake("", [&] { k_fold(data, 11); });
  page.mistake("Use fewer folds, or `k_fold`, which ignores classes.", [&] { stratified_k_fold(data, 5); });
  page.mistake("", [&] { subset(data, {0, 10}); });
  page.mistake("", [] { one_hot<float>(std::vector<int>{0, 3}, 3); });
  page.mistake("", [&] {
    Standardizer<float> scaler;
    scaler.transform(data.features);
  });
  page.mistake("", [&] {
    Standardizer<float> scaler(data.features);
    scaler.transform(data.features.topRows(2));
  });
  page.mistake("", [&] {
    data.features(1, 4) = std::numeric_limits<float>::infinity();
    Standardizer<float> scaler(data.features);
  });

  page.section("Metrics");

  page.mistake("", [] { accuracy(std::vector<int>{0, 1}, std::vector<int>{0, 1, 1}); });
  page.mistake("", [] { precision(std::vector<int>{0, 1, 2}, std::vector<int>{0, 1, 1}); });
  page.mistake("", [] { TopKAccuracy{5}(Eigen::MatrixXf::Ones(3, 2).eval(), std::vector<int>{0, 1}); });
  page.mistake("", [] { roc_auc(Eigen::RowVector2f{0.5f, 0.7f}, std::vector<int>{1, 1}); });
  page.mistake("", [] { r2(Eigen::RowVectorXf::Ones(1).eval(), Eigen::RowVectorXf::Ones(1).eval()); });
  page.mistake("Pass probabilities, `net.predict(x)`, not raw outputs.", [] {
    log_loss(Eigen::RowVector2f{-0.3f, 2.0f}, std::vector<int>{0, 1});
  });
  page.mistake("", [] {
    ConfusionMatrix matrix{3};
    matrix.accuracy();
  });
}

void messages::files_of_data(Page& page) {
  page.section("Reading tables (CSV)");

  page.mistake("", [] { read_csv<Dataset<float>>("iris.csv", {.target = "species"}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("length,species\n5.1,setosa\n", {}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("length,species\n5.1,setosa\n", {.target = "class"}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("length,species\nlong,setosa\n", {.target = "species"}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("length,species\n5.1,setosa\n,setosa\n", {.target = "species"}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("length,species\n5.1,setosa\n5.1\n", {.target = "species"}); });
  page.mistake("Set `.separator = ';'`.", [] { parse_csv<Dataset<float>>("length;species\n5.1;setosa\n", {.target = -1}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("length,price\n5.1,9.99\n", {.target = "price"}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("5.1,5.1,setosa\n4.9,3.0,setosa\n", {.target = -1}); });
  page.mistake("", [] { parse_csv<Dataset<float>>("length,species\n5.1,\"setosa\n4.9,setosa\n", {.target = "species"}); });
  page.mistake("", [] { parse_csv<Matrix<float>>("length,species\n5.1,setosa\n", {.target = "species"}); });

  page.section("Reading arrays (IDX, NPY)");

  page.mistake("Use `read_idx_gzip`.", [] {
    std::ofstream("images.gz") << "\x1f\x8b packed";
    read_idx_images<float>("images.gz");
  });
  page.mistake("", [] { parse_idx_images<float>("GIF89a"); });
  page.mistake("", [] { parse_idx_labels(std::string("\0\0\x08\x01\0\0\0\x05\1\2", 10)); });
  page.mistake("", [] { parse_npy<float>("PK\3\4"); });
  page.mistake("", [] { parse_npy<float>("\x93NUMPY\1"); });
}
