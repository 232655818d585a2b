#pragma once
// Test data for the kernels that compute a whole small layer in one call, with the expected results from the general kernels.

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/layer_products.hpp>
#include <chainrule/kernels/small_layer_pass.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace chainrule_test {

using namespace chainrule;
using kernels::Function;
namespace baseline = kernels::baseline;

/// Applies f in place, with the baseline's vectors if it has any for this scalar.
template <Function f, class Scalar>
void apply(Index size, Scalar* a) {
  if constexpr (f == Function::relu) baseline::rectify(size, a, a);
  if constexpr (kernels::HasVectors<Scalar>) {
    if constexpr (f == Function::tanh) baseline::tanhs(size, a, a);
    if constexpr (f == Function::sigmoid) baseline::sigmoids(size, a, a);
  } else {
    if constexpr (f == Function::tanh) kernels::tanhs(size, a, a);
    if constexpr (f == Function::sigmoid) kernels::sigmoids(size, a, a);
  }
}

/// A layer of Out x In weights and a batch with padding between samples. Each result ends with one number that must not be overwritten.
template <class Scalar, int Out, int In>
struct Layer {
  using Numbers = std::vector<Scalar>;
  static constexpr Scalar untouched = -12345;
  static constexpr Index x_step = In + 1, dX_step = In + 2;

  explicit Layer(Index samples_) : samples{samples_} {
    Random random{Seed{1}};
    const auto draw = [&](Index size, Scalar last) {
      Numbers numbers;
      for (Index i = 0; i < size; ++i) numbers.push_back(static_cast<Scalar>(4 * random.uniform() - 2));
      numbers.push_back(last);
      return numbers;
    };
    const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();  // behind each input; must not reach a result
    w = draw(Out * In, nan);
    b = draw(Out, nan);
    x = draw(x_step * samples, nan);
    for (Index j = 0; j < samples; ++j) x[static_cast<std::size_t>(j * x_step + In)] = nan;
    delta = draw(Out * samples, untouched);
  }

  struct Results {
    explicit Results(Index samples)
        : a(static_cast<std::size_t>(Out * samples + 1), untouched),
          dW(Out * In + 1, untouched),
          db(Out + 1, untouched),
          dX(static_cast<std::size_t>(dX_step * samples), untouched) {}
    bool operator==(const Results&) const = default;
    Numbers a, dW, db, dX;
  };

  template <Function f, class Kernel>
  Results small(const Kernel& kernel) const {
    Results r(samples);
    Numbers d = delta;
    kernel.template forward<f>({w.data(), samples, x.data(), x_step}, b.data(), r.a.data());
    kernel.template backward<f>({w.data(), samples, x.data(), x_step}, r.a.data(), d.data(), r.dW.data(), r.db.data(), r.dX.data(),
                                dX_step);
    if (d.back() != untouched) r.db.back() = 0;
    return r;
  }

  /// Whether backward with a factor, which adds factor * gradient to W and b directly, gives the bits of backward followed by add_multiple.
  template <Function f, class Kernel>
  bool steps_as_it_says(const Kernel& kernel) const {
    const Scalar factor = Scalar{-1} / 3;
    const Results r = small<f>(kernel);
    Numbers stepped_w = w, stepped_b = b, expected_w = w, expected_b = b, d = delta;
    kernel.template backward<f>({w.data(), samples, x.data(), x_step}, r.a.data(), d.data(), stepped_w.data(), stepped_b.data(), nullptr, 0,
                                &factor);
    kernels::add_multiple<Scalar>(Out * In, factor, r.dW.data(), expected_w.data());
    kernels::add_multiple<Scalar>(Out, factor, r.db.data(), expected_b.data());
    const auto same = [](const Numbers& p, const Numbers& q) {  // ignores the NaN behind the last number
      return std::equal(p.begin(), p.end() - 1, q.begin()) && std::isnan(p.back());
    };
    return same(stepped_w, expected_w) && same(stepped_b, expected_b);
  }

  /// Results of the general baseline kernels, called one after the other.
  template <Function f>
  Results one_by_one() const {
    Results r(samples);
    if (Out == 1)
      baseline::dot_products<Scalar>(x.data(), x_step, w.data(), In, b[0], r.a.data(), samples);
    else if (samples == 1)
      baseline::matrix_times_vector<Scalar>(w.data(), Out, x.data(), In, b.data(), r.a.data(), Out);
    else
      baseline::product<Scalar>({w.data(), 1, Out}, {x.data(), 1, x_step}, In, {kernels::StartKind::column, b.data()}, r.a.data(), Out, Out,
                                samples);
    const Index size = Out * samples;
    apply<f>(size, r.a.data());

    Numbers d = delta;
    if (f != Function::identity) baseline::times_derivative<f>(size, r.a.data(), d.data());
    baseline::product<Scalar>({d.data(), 1, Out}, {x.data(), x_step, 1}, samples, {}, r.dW.data(), Out, Out, In);
    baseline::row_sums<Scalar>(d.data(), Out, Out, samples, r.db.data());
    if (samples == 1)
      baseline::dot_products<Scalar>(w.data(), Out, d.data(), Out, 0, r.dX.data(), In);
    else
      baseline::product<Scalar>({w.data(), Out, 1}, {d.data(), 1, Out}, Out, {}, r.dX.data(), dX_step, In, samples);
    return r;
  }

  /// Results of the general kernels on the best instruction set of this machine, called as Dense calls them.
  template <Function f>
  Results of_machine() const {
    Results r(samples);
    const kernels::LayerProducts<Scalar> products(Out, In);
    const auto view = [this](auto* numbers, Index rows, Index step) {
      using View =
          std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(numbers)>>, ConstMatrixView<Scalar>, MatrixView<Scalar>>;
      return View(numbers, rows, samples, Eigen::OuterStride<>(step));
    };
    const ConstMatrixView<Scalar> inputs = view(x.data(), In, x_step);
    const Index size = Out * samples;
    products.affine(w.data(), inputs, b.data(), 0, view(r.a.data(), Out, Out), samples);
    if constexpr (f == Function::relu) kernels::rectify(size, r.a.data(), r.a.data());
    if constexpr (f == Function::tanh) kernels::tanhs(size, r.a.data(), r.a.data());
    if constexpr (f == Function::sigmoid) kernels::sigmoids(size, r.a.data(), r.a.data());

    Numbers d = delta;
    if (f != Function::identity) kernels::times_derivative<f>(size, static_cast<const Scalar*>(r.a.data()), d.data());
    const ConstMatrixView<Scalar> deltas = view(std::as_const(d).data(), Out, Out);
    const kernels::Block all{0, Out, 0, In};
    products.weight_gradient(deltas, inputs, all, r.dW.data());
    products.bias_gradient(deltas, r.db.data());
    products.input_gradient(w.data(), deltas, all, view(r.dX.data(), In, dX_step));
    return r;
  }

  Index samples;
  Numbers w, b, x, delta;
};

}  // namespace chainrule_test
