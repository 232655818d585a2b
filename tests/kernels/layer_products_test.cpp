#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/layer_products.hpp>
#include <chainrule/kernels/partition.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

using Numbers = std::vector<float>;
constexpr float untouched = -12345;
constexpr float padding = std::numeric_limits<float>::quiet_NaN();

/// A layer of Out x In weights and a batch. Each column of x is followed by one NaN of padding, which must not be read; each column of
/// dJ/dx by one number that must not be written.
struct Layer {
  Layer(Index outputs_, Index inputs_, Index samples_) : outputs{outputs_}, inputs{inputs_}, samples{samples_} {
    Random random{Seed{1}};
    const auto fill = [&](Numbers& numbers, Index size) {
      for (Index i = 0; i < size; ++i) numbers.push_back(static_cast<float>(2 * random.uniform() - 1));
    };
    fill(w, outputs * inputs);
    fill(b, outputs);
    fill(delta, outputs * samples);
    for (Index n = 0; n < samples; ++n) {
      fill(x, inputs);
      x.push_back(padding);
    }
  }
  ConstMatrixView<float> x_view() const { return {x.data(), inputs, samples, Eigen::OuterStride<>(inputs + 1)}; }
  ConstMatrixView<float> delta_view() const { return detail::matrix_view(delta.data(), outputs, samples); }

  Index outputs, inputs, samples;
  Numbers w, b, x, delta;
};

/// z = W x + b, dJ/dW = delta x^T, dJ/db = row sums of delta and dJ/dx = W^T delta. Each gradient has padding that must stay untouched.
struct Results {
  explicit Results(const Layer& layer)
      : z(static_cast<std::size_t>(layer.outputs * layer.samples), padding),
        dW(static_cast<std::size_t>(layer.outputs * layer.inputs + 1), untouched),
        dX(static_cast<std::size_t>((layer.inputs + 1) * layer.samples), untouched),
        db(static_cast<std::size_t>(layer.outputs + 1), untouched) {}
  bool operator==(const Results&) const = default;
  Numbers z, dW, dX, db;
};

/// Computes all products, with the rows of z and the columns of W split into pieces of this size, the last piece first.
Results results(const Layer& layer, Index piece) {
  const kernels::LayerProducts<float> products(layer.outputs, layer.inputs);
  Results r(layer);
  const Index rows = piece < layer.inputs ? piece : layer.outputs;
  for (Index first = (layer.outputs - 1) / rows * rows; first >= 0; first -= rows) {
    const MatrixView<float> z(r.z.data() + first, std::min(rows, layer.outputs - first), layer.samples,
                              Eigen::OuterStride<>(layer.outputs));
    products.affine(layer.w.data(), layer.x_view(), layer.b.data(), first, z, layer.samples);
  }
  products.bias_gradient(layer.delta_view(), r.db.data());
  const MatrixView<float> dX(r.dX.data(), layer.inputs, layer.samples, Eigen::OuterStride<>(layer.inputs + 1));
  for (Index first = (layer.inputs - 1) / piece * piece; first >= 0; first -= piece) {
    const kernels::Block block{0, layer.outputs, first, std::min(piece, layer.inputs - first)};
    products.weight_gradient(layer.delta_view(), layer.x_view(), block, r.dW.data());
    products.input_gradient(layer.w.data(), layer.delta_view(), block, dX);
  }
  return r;
}

/// Counts results that differ from sums in long double by more than rounding explains, and padding that was overwritten.
int wrong_numbers(const Layer& layer, const Results& r) {
  int wrong = (r.dW.back() != untouched) + (r.db.back() != untouched);
  const auto compare = [&](float is, long double sum, Index terms) {
    wrong += !(std::abs(is - sum) <= static_cast<long double>(terms + 1) * terms * std::numeric_limits<float>::epsilon());
  };
  const Index out = layer.outputs, in = layer.inputs;
  const auto number = [](const Numbers& numbers, Index i) { return static_cast<long double>(numbers[static_cast<std::size_t>(i)]); };
  for (Index n = 0; n < layer.samples; ++n)
    for (Index o = 0; o < out; ++o) {
      long double z = number(layer.b, o);
      for (Index i = 0; i < in; ++i) z += number(layer.w, o + i * out) * number(layer.x, i + n * (in + 1));
      compare(r.z[static_cast<std::size_t>(o + n * out)], z, in + 1);
    }
  for (Index o = 0; o < out; ++o) {
    long double db = 0;
    for (Index n = 0; n < layer.samples; ++n) db += number(layer.delta, o + n * out);
    compare(r.db[static_cast<std::size_t>(o)], db, layer.samples);
  }
  for (Index i = 0; i < in; ++i)
    for (Index o = 0; o < out; ++o) {
      long double dW = 0;
      for (Index n = 0; n < layer.samples; ++n) dW += number(layer.delta, o + n * out) * number(layer.x, i + n * (in + 1));
      compare(r.dW[static_cast<std::size_t>(o + i * out)], dW, layer.samples);
    }
  for (Index n = 0; n < layer.samples; ++n) {
    for (Index i = 0; i < in; ++i) {
      long double dX = 0;
      for (Index o = 0; o < out; ++o) dX += number(layer.w, o + i * out) * number(layer.delta, o + n * out);
      compare(r.dX[static_cast<std::size_t>(i + n * (in + 1))], dX, out);
    }
    wrong += r.dX[static_cast<std::size_t>(in + n * (in + 1))] != untouched;
  }
  return wrong;
}

constexpr Index extents[] = {1, 2, 3, 8, 15, 16, 17, 33};
constexpr Index batches[] = {1, 2, 5, 8, 9, 40};

}  // namespace

TEST_CASE("the products of a 2 x 3 layer by hand") {
  // W = 1 2 3   b = 10   delta = 1 10   x = 1 0
  //     4 5 6       20           0  1       0 1
  //                                         2 0
  Layer layer(2, 3, 2);
  layer.w = {1, 4, 2, 5, 3, 6};
  layer.b = {10, 20};
  layer.x = {1, 0, 2, padding, 0, 1, 0, padding};
  layer.delta = {1, 0, 10, 1};
  for (const Results& r : {results(layer, 3), results(layer, 1)}) {
    CHECK(r.z == Numbers{17, 36, 12, 25});
    CHECK(r.dW == Numbers{1, 0, 10, 1, 2, 0, untouched});
    CHECK(r.db == Numbers{11, 1, untouched});
    CHECK(r.dX == Numbers{1, 2, 3, untouched, 14, 25, 36, untouched});
  }
}

TEST_CASE("layer products equal plain sums for all extents, and computing them in pieces gives the same bits") {
  for (const Index outputs : extents)
    for (const Index inputs : extents)
      for (const Index samples : batches) {
        const Layer layer(outputs, inputs, samples);
        const Results whole = results(layer, inputs);
        int wrong = wrong_numbers(layer, whole), different = 0;
        for (const Index piece : {1, 2, 3, 7, 16, 32})
          if (piece < inputs) different += results(layer, piece) != whole;
        CAPTURE(outputs, inputs, samples);
        CHECK((wrong == 0 && different == 0));
      }
}

TEST_CASE("add_multiple_of_gradient is bit-identical to weight_gradient and add_multiple, whole or in pieces") {
  const float factor = -0.3f;
  for (const Index outputs : {1, 3, 16, 17, 33, 200})
    for (const Index inputs : {1, 2, 17, 40})
      for (const Index samples : {1, 2, 9, 256, 257}) {
        const Layer layer(outputs, inputs, samples);
        const kernels::LayerProducts<float> products(outputs, inputs);
        Numbers expected = layer.w, scratch = results(layer, inputs).dW;
        kernels::add_multiple<float>(outputs * inputs, factor, scratch.data(), expected.data());
        int different = 0;
        for (const Index piece : {Index{1}, Index{16}, Index{200}}) {
          Numbers by_columns = layer.w, by_rows = layer.w;
          const auto step = [&](const kernels::Block& block, Numbers& w) {
            products.add_multiple_of_gradient(factor, layer.delta_view(), layer.x_view(), block, w.data(), scratch.data());
          };
          for (Index first = 0; first < inputs; first += piece) step({0, outputs, first, std::min(piece, inputs - first)}, by_columns);
          for (Index first = 0; first < outputs; first += piece) step({first, std::min(piece, outputs - first), 0, inputs}, by_rows);
          different += (by_columns != expected) + (by_rows != expected);
        }
        CAPTURE(outputs, inputs, samples);
        CHECK((different == 0 && scratch.back() == untouched));
      }
}

/// How many samples of a batch get other bits if predicted alone, or as a one-sample piece of the batch.
struct Differences {
  int alone = 0, as_piece = 0;
};
Differences differences(Index outputs, Index inputs) {
  const Layer batch(outputs, inputs, 40);
  const Numbers together = results(batch, inputs).z;
  Differences found;
  for (Index n = 0; n < batch.samples; ++n) {
    Layer alone(outputs, inputs, 1);
    alone.w = batch.w;
    alone.b = batch.b;
    alone.x.assign(batch.x.begin() + n * (inputs + 1), batch.x.begin() + (n + 1) * (inputs + 1));
    const auto same = [&](const Numbers& z) { return std::equal(z.begin(), z.end(), together.begin() + n * outputs); };
    found.alone += !same(results(alone, inputs).z);

    Numbers piece(static_cast<std::size_t>(outputs));
    const kernels::LayerProducts<float> products(outputs, inputs);
    products.affine(alone.w.data(), alone.x_view(), alone.b.data(), 0, detail::matrix_view(piece.data(), outputs, 1), batch.samples);
    found.as_piece += !same(piece);
  }
  return found;
}

TEST_CASE("splitting a batch into pieces changes no bit of a sample's outputs") {
  for (const Index outputs : {1, 3, 16, 33, 200})
    for (const Index inputs : {1, 2, 15, 33}) {
      CAPTURE(outputs, inputs);
      CHECK(differences(outputs, inputs).as_piece == 0);
    }
}

TEST_CASE("a single sample is summed in another order than a batch if the layer has few outputs, else in the same order") {
  CHECK(differences(33, 33).alone > 0);
  CHECK(differences(kernels::min_outputs_for_batch_order - 1, 33).alone > 0);
  CHECK(differences(kernels::min_outputs_for_batch_order, 33).alone == 0);
  CHECK(differences(200, 33).alone == 0);
  CHECK(differences(1, 33).alone == 0);
}

// Added one after the other, the terms of the first case gave sums that were off by 7e-4 (60,000 samples) and 1.3e-2 (1,000,000).
TEST_CASE("gradients of 60,000 and 1,000,000 samples are accurate to a few roundings") {
  const Index outputs = 3, inputs = 2;
  for (const auto& [samples, largest_error] : {std::pair<Index, long double>{60000, 1e-5L}, {1000000, 1e-4L}})
    for (const bool constant : {true, false}) {
      Random random{Seed{2}};
      Numbers x(static_cast<std::size_t>(inputs * samples), 0.1f), delta(static_cast<std::size_t>(outputs * samples), 1.0f);
      if (!constant)
        for (Numbers* numbers : {&x, &delta})
          for (float& number : *numbers) number = static_cast<float>(random.uniform());
      Numbers dW(static_cast<std::size_t>(outputs * inputs)), db(static_cast<std::size_t>(outputs));
      const auto x_view = detail::matrix_view(std::as_const(x).data(), inputs, samples);
      const auto delta_view = detail::matrix_view(std::as_const(delta).data(), outputs, samples);
      const kernels::LayerProducts<float> products(outputs, inputs);
      products.weight_gradient(delta_view, x_view, {0, outputs, 0, inputs}, dW.data());
      products.bias_gradient(delta_view, db.data());
      long double error_of_dW = 0, error_of_db = 0;
      for (Index o = 0; o < outputs; ++o) {
        long double sum = 0;
        for (Index n = 0; n < samples; ++n) sum += delta_view(o, n);
        error_of_db = std::max(error_of_db, std::abs(static_cast<long double>(db[static_cast<std::size_t>(o)]) / sum - 1));
        for (Index i = 0; i < inputs; ++i) {
          long double product = 0;
          for (Index n = 0; n < samples; ++n) product += static_cast<long double>(delta_view(o, n)) * x_view(i, n);
          error_of_dW =
              std::max(error_of_dW, std::abs(static_cast<long double>(dW[static_cast<std::size_t>(o + i * outputs)]) / product - 1));
        }
      }
      CAPTURE(samples, constant, static_cast<double>(error_of_dW), static_cast<double>(error_of_db));
      CHECK((error_of_dW < largest_error && error_of_db < 1e-6L));
    }
}
