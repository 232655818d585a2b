#pragma once
// A small layer with random numbers, for tests that compare kernels/small_layer.hpp with the kernels for layers of any extents.

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/layer_products.hpp>
#include <chainrule/kernels/small_layer.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace chainrule_test {

using namespace chainrule;
namespace baseline = kernels::baseline;

/// a <- f(a), with the kernels of one instruction set.
template <class Set, class F, class Scalar>
void apply(Set set, const F& f, Index size, Scalar* a) {
  map(
      set, size, [f](auto z) CHAINRULE_FORMULA { return f.f(z); }, a, static_cast<const Scalar*>(a));
}
/// delta <- delta f'(z), from a = f(z), with the kernels of one instruction set.
template <class Set, class F, class Scalar>
void multiply_by_derivative(Set set, const F& f, Index size, const Scalar* a, Scalar* delta) {
  map(
      set, size, [f](auto d, auto a_i) CHAINRULE_FORMULA { return d * f.f_prime_from_output(a_i); }, delta,
      static_cast<const Scalar*>(delta), a);
}

/// A layer of Out x In weights and a batch whose columns have padding between them. Inputs end with a NaN that must not be read, results
/// with a number that must not be overwritten.
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
    const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();  // must not reach any result
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

  /// The results of both passes of a small-layer kernel.
  template <class F, class Kernel>
  Results small(const F& f, const Kernel& kernel) const {
    Results r(samples);
    Numbers d = delta;
    kernel.forward(f, {Out, w.data(), In, samples, x.data(), x_step, b.data(), r.a.data()});
    kernel.backward(f,
                    {Out, w.data(), In, samples, x.data(), x_step, r.a.data(), d.data(), r.dW.data(), r.db.data(), r.dX.data(), dX_step});
    if (d.back() != untouched) r.db.back() = 0;
    return r;
  }

  /// Whether a backward pass with a factor gives the same W and b as a backward pass without and then W + factor dJ/dW, b + factor dJ/db.
  template <class F, class Kernel>
  bool step_agrees_with_gradients(const F& f, const Kernel& kernel) const {
    const Scalar factor = Scalar{-1} / 3;
    const Results r = small(f, kernel);
    Numbers stepped_w = w, stepped_b = b, expected_w = w, expected_b = b, d = delta;
    kernel.backward(
        f, {Out, w.data(), In, samples, x.data(), x_step, r.a.data(), d.data(), stepped_w.data(), stepped_b.data(), nullptr, 0, &factor});
    kernels::add_multiple<Scalar>(Out * In, factor, r.dW.data(), expected_w.data());
    kernels::add_multiple<Scalar>(Out, factor, r.db.data(), expected_b.data());
    const auto same = [](const Numbers& p, const Numbers& q) {  // the NaN at the end is equal too
      return std::equal(p.begin(), p.end() - 1, q.begin()) && std::isnan(p.back());
    };
    return same(stepped_w, expected_w) && same(stepped_b, expected_b);
  }

  /// The results of the kernels for any extents, called one after the other, on the baseline.
  template <class F>
  Results baseline_results(const F& f) const {
    constexpr baseline::Tag set{};
    Results r(samples);
    if (Out == 1)
      baseline::dot_products<Scalar>(set, x.data(), x_step, w.data(), In, b[0], r.a.data(), samples);
    else if (samples == 1)
      baseline::matrix_times_vector<Scalar>(set, w.data(), Out, x.data(), In, b.data(), r.a.data(), Out);
    else
      baseline::product<Scalar>(set, {w.data(), 1, Out}, {x.data(), 1, x_step}, In, {kernels::StartKind::column, b.data()}, r.a.data(), Out,
                                Out, samples);
    const Index size = Out * samples;
    apply(set, f, size, r.a.data());

    Numbers d = delta;
    multiply_by_derivative(set, f, size, r.a.data(), d.data());
    baseline::product<Scalar>(set, {d.data(), 1, Out}, {x.data(), x_step, 1}, samples, {}, r.dW.data(), Out, Out, In);
    row_sums_of(
        set, [](auto& sum, const auto& term) CHAINRULE_FORMULA { sum = sum + term; }, std::array{r.db.data()}, Out, samples,
        kernels::Columns<const Scalar>{d.data(), Out});
    if (samples == 1)
      baseline::dot_products<Scalar>(set, w.data(), Out, d.data(), Out, 0, r.dX.data(), In);
    else
      baseline::product<Scalar>(set, {w.data(), Out, 1}, {d.data(), 1, Out}, Out, {}, r.dX.data(), dX_step, In, samples);
    return r;
  }

  /// The results of the kernels for any extents, called through LayerProducts, on the best instruction set of this machine.
  template <class F>
  Results machine_results(const F& f) const {
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
    kernels::dispatch<Scalar>([&](auto set) { apply(set, f, size, r.a.data()); });

    Numbers d = delta;
    kernels::dispatch<Scalar>([&](auto set) { multiply_by_derivative(set, f, size, static_cast<const Scalar*>(r.a.data()), d.data()); });
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
