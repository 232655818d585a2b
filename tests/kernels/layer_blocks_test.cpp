#include <chainrule/kernels/layer_blocks.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/team_of.hpp"

using namespace chainrule;
using chainrule_test::TeamOf;
using kernels::Block;
using kernels::LayerBlocks;

namespace {

/// Collects the blocks that a member function of LayerBlocks passes to its callback.
template <class For>
std::vector<Block> collected(const For& for_blocks) {
  std::vector<Block> blocks;
  for_blocks([&](const Block& block) { blocks.push_back(block); });
  return blocks;
}
std::vector<Block> of_activation(const LayerBlocks& layer, bool predicts = false) {
  return collected([&](const auto& f) { layer.for_activation(predicts, f); });
}
std::vector<Block> of_derivative(const LayerBlocks& layer) {
  return collected([&](const auto& f) { layer.for_derivative(f); });
}
std::vector<Block> of_weight(const LayerBlocks& layer, bool may_be_rows) {
  return collected([&](const auto& f) { layer.for_weight(may_be_rows, f); });
}

/// Whether each entry of a rows x columns matrix lies in exactly one block, and is_first() holds for the first block alone.
bool cover(const std::vector<Block>& blocks, Index rows, Index columns) {
  Matrix<int> times = Matrix<int>::Zero(rows, columns);
  const MatrixView<int> view(times.data(), rows, columns, Eigen::OuterStride<>(rows));
  bool right = !blocks.empty();
  for (const Block& block : blocks) {
    block.of(view).array() += 1;
    right = right && block.is_first() == (&block == &blocks.front());
  }
  return right && (times.array() == 1).all();
}

bool are_rows(const std::vector<Block>& blocks, Index columns) {
  return blocks.size() > 1 && blocks.back().first_row > 0 && blocks.back().columns == columns;
}
bool are_columns(const std::vector<Block>& blocks, Index rows) {
  return blocks.size() > 1 && blocks.back().first_column > 0 && blocks.back().rows == rows;
}

}  // namespace

TEST_CASE("Block::of returns a view of the matrix's own memory") {
  float numbers[] = {11, 21, 31, 0, 12, 22, 32, 0, 13, 23, 33};
  const MatrixView<float> m(numbers, 3, 3, Eigen::OuterStride<>(4));
  const auto block = Block{1, 2, 1, 2}.of(m);
  CHECK((block.rows() == 2 && block.cols() == 2 && block.outerStride() == 4));
  CHECK((block(0, 0) == 22 && block(1, 1) == 33));
  const auto column = Block{0, 3, 2, 1}.of(ConstMatrixView<float>(numbers, 3, 3, Eigen::OuterStride<>(4)));
  CHECK((column(0, 0) == 13 && column(2, 0) == 33));
  CHECK_FALSE((Block{0, 3, 2, 1}.is_first() || Block{1, 2, 0, 3}.is_first()));
}

TEST_CASE("the blocks of a layer cover each matrix exactly once, for any extents, batch and team") {
  TeamOf two(2), three(3);
  for (const Index outputs : {1, 10, 32, 130, 300})
    for (const Index inputs : {1, 63, 64, 300})
      for (const Index samples : {1, 5, 100}) {
        int wrong = 0;
        for (Team* team : {static_cast<Team*>(nullptr), static_cast<Team*>(&two), static_cast<Team*>(&three)}) {
          const LayerBlocks layer(outputs, inputs, samples, team);
          wrong += !cover(of_activation(layer), outputs, samples) + !cover(of_activation(layer, true), outputs, samples);
          wrong += !cover(of_derivative(layer), outputs, samples);
          wrong += !cover(of_weight(layer, false), outputs, inputs) + !cover(of_weight(layer, true), outputs, inputs);
        }
        CAPTURE(outputs, inputs, samples);
        CHECK(wrong == 0);
      }
}

TEST_CASE("without a team each matrix is one block") {
  const LayerBlocks layer(300, 300, 1000, nullptr);
  CHECK(of_activation(layer).size() == 1);
  CHECK(of_derivative(layer).size() == 1);
  CHECK(of_weight(layer, true).size() == 1);
}

TEST_CASE("a large layer is split by units forward and, if no input gradient is needed, in the update; else W is split by columns") {
  TeamOf two(2);
  const LayerBlocks large(500, 784, 100, &two);
  CHECK(are_rows(of_activation(large), 100));
  CHECK(are_rows(of_weight(large, true), 784));
  CHECK(are_columns(of_weight(large, false), 500));
  CHECK(are_columns(of_derivative(large), 500));
  CHECK(of_weight(large, true).size() == of_activation(large).size());
  CHECK(of_weight(large, true)[1].first_row == of_activation(large)[1].first_row);
}

TEST_CASE("a layer with few units or inputs is split by samples if there is enough work") {
  TeamOf two(2);
  const LayerBlocks few_inputs(300, 28, 100, &two), few_units(10, 1000, 100, &two), little(10, 128, 32, &two);
  CHECK(are_columns(of_activation(few_inputs), 300));
  CHECK(are_columns(of_weight(few_inputs, true), 300));
  CHECK(are_columns(of_activation(few_units), 10));
  CHECK(are_columns(of_weight(few_units, true), 10));
  CHECK(of_activation(little).size() == 1);
}

TEST_CASE("a prediction is split by samples, so that each thread reads the numbers that it has written") {
  TeamOf two(2);
  const auto by_samples = [&](Index outputs, Index inputs, Index samples) {
    return are_columns(of_activation(LayerBlocks(outputs, inputs, samples, &two), true), outputs);
  };
  CHECK(by_samples(128, 784, 1000));
  CHECK(by_samples(300, 300, 32));
  CHECK_FALSE(by_samples(300, 300, 31));
  CHECK(by_samples(1024, 1024, 256));  // W has 4 MiB
  CHECK_FALSE(by_samples(1024, 1024, 255));
}

TEST_CASE("training divides a layer by samples where that exchanges fewer numbers, and says so") {
  TeamOf two(2), eight(8);
  const auto division = [&](Index outputs, Index inputs, Index samples, bool predicts = false, Team* team = nullptr) {
    std::ostringstream text;
    text << LayerBlocks(outputs, inputs, samples, team == nullptr ? &two : team).division(predicts);
    return text.str();
  };
  CHECK(division(300, 300, 60) == "by samples");  // 3 x 300 x 300 numbers of W, 5 x 60 x 900 of a(l) and a(l+1)
  CHECK(division(300, 300, 59) == "by units");
  CHECK(division(300, 300, 60, false, &eight) == "by units");  // 7 or 8 samples for each thread
  CHECK(division(300, 300, 60, true) == "by samples");
  CHECK(division(128, 784, 128) == "by samples");
  CHECK(division(500, 784, 128) == "by units");  // W has more than 1 MiB
  CHECK(division(1024, 1024, 256) == "by units");
  CHECK(division(1024, 1024, 256, true) == "by samples");
  CHECK(division(10, 128, 128) == "by samples");
  CHECK(division(10, 128, 31) == "by samples if large");
}

TEST_CASE("where training divides a layer by samples, threads update columns of W, which lie one after the other") {
  TeamOf two(2);
  const LayerBlocks narrow(128, 784, 128, &two);
  CHECK(are_columns(of_activation(narrow), 128));
  CHECK(are_columns(of_weight(narrow, true), 128));
}

TEST_CASE("parts of units have at least 96 where a thread has several") {
  TeamOf two(2);
  const auto parts = [&](Index outputs) { return of_activation(LayerBlocks(outputs, 4096, 1000, &two)).size(); };
  CHECK(parts(128) == 2);
  CHECK(parts(383) == 2);
  CHECK(parts(384) == 4);
  CHECK(parts(768) == 8);
  CHECK(parts(4096) == 8);
  CHECK(of_weight(LayerBlocks(100, 300, 10000, &two), false).size() == 2);
}
