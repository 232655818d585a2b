#pragma once
// A small layer (small_layer.hpp) on a machine with vectors: weights, sums and activations stay in registers while the samples run
// through.

#include <chainrule/kernels/derivatives.hpp>
#include <chainrule/kernels/small_layer_pass.hpp>
#include <chainrule/kernels/vector_math.hpp>
#include <chainrule/kernels/vector_products.hpp>
#include <chainrule/kernels/vectors.hpp>

namespace chainrule::kernels {

/// N numbers in as few registers as hold them, of half the width where that is enough.
template <class Scalar, int N>
struct Registers {
  using Half = as_built::HalfLanes<Scalar>;
  using L = std::conditional_t<N <= Half::width, Half, as_built::Lanes<Scalar>>;
  using V = typename L::V;
  static constexpr int width = L::width, count = (N + width - 1) / width, in_last = N - (count - 1) * width;
  using All = std::make_integer_sequence<int, count>;

  /// The I-th of them.
  template <int I>
  static V load(const Scalar* p) {
    if constexpr (I < count - 1 || in_last == width)
      return L::load(p + I * width);
    else
      return L::load_first(p + I * width, L::first(in_last));
  }
  template <int I>
  static void store(Scalar* p, V v) {
    if constexpr (I < count - 1 || in_last == width) {
      L::store(p + I * width, v);
    } else {
      alignas(64) Scalar numbers[width];
      L::store(numbers, v);
      std::copy_n(numbers, in_last, p + I * width);
    }
  }

  /// sum, or with a factor what is there and factor sum.
  template <int I>
  static void put(Scalar* p, V sum, const Scalar* factor) {
    store<I>(p, factor == nullptr ? sum : L::fma(L::all(*factor), sum, load<I>(p)));
  }

  /// f of each number.
  template <Function f>
  static V value(V z) {
    if constexpr (f == Function::tanh) return as_built::Tanh<Scalar, L>::of(z);
    if constexpr (f == Function::sigmoid) return as_built::Logistic<Scalar, L>::of(z);
    if constexpr (f == Function::relu) return L::at_least(z, L::all(Scalar{0}));
    if constexpr (f == Function::identity) return z;
  }
};

template <class Scalar, int Out, int In>
class RegisterLayer {
  using R = Registers<Scalar, Out>;
  using L = typename R::L;
  using V = typename R::V;
  static constexpr int P = R::count;  // of the vectors of all weights, T is the part T % P of column T / P
  using Weights = std::make_integer_sequence<int, In * P>;
  using Pass = SmallLayerPass<Scalar>;

 public:
  template <Function f>
  [[gnu::flatten]] static void forward(const Pass& pass, const Scalar* bias, Scalar* a) {
    if (pass.samples == 1)
      one_sample<f>(pass, bias, a, typename R::All{}, Weights{});
    else
      all_samples<f>(pass, bias, a, typename R::All{}, Weights{});
  }

  /// dX may be nullptr. With a factor dW and db are W and b, to which factor times the gradients are added at the end.
  template <Function f>
  [[gnu::flatten]] static void backward(const Pass& pass, const Scalar* a, const Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX,
                                        Index dX_step, const Scalar* factor = nullptr) {
    if (dX != nullptr && pass.samples == 1) input_gradient_of_one<f>(pass, a, delta, dX, typename R::All{});
    if (dX != nullptr && pass.samples > 1) input_gradient<f>(pass, a, delta, dX, dX_step, typename R::All{});
    gradients<f>(pass, a, delta, dW, db, factor, typename R::All{}, Weights{});
  }

 private:
  // z = b + W(:, 0) x(0) + W(:, 1) x(1) + ...
  template <Function f, int... I, int... T>
  static void all_samples(const Pass& pass, const Scalar* bias, Scalar* a, std::integer_sequence<int, I...>,
                          std::integer_sequence<int, T...>) {
    const V weight[] = {R::template load<T % P>(pass.w + T / P * Out)...}, start[] = {R::template load<I>(bias)...};
    const Scalar* x = pass.x;
    for (Index j = 0; j < pass.samples; ++j, x += pass.x_step, a += Out) {
      V z[] = {start[I]...};
      ((z[T % P] = L::fma(weight[T], L::all(x[T / P]), z[T % P])), ...);
      (R::template store<I>(a, R::template value<f>(z[I])), ...);
    }
  }

  // the same in four sums, of every fourth input, which need not wait for one another
  template <Function f, int... I, int... T>
  static void one_sample(const Pass& pass, const Scalar* bias, Scalar* a, std::integer_sequence<int, I...>,
                         std::integer_sequence<int, T...>) {
    const V zero = L::all(Scalar{0});
    V z[4 * P] = {R::template load<I>(bias)...};
    for (int t = P; t < 4 * P; ++t) z[t] = zero;
    ((z[T % (4 * P)] = L::fma(R::template load<T % P>(pass.w + T / P * Out), L::all(pass.x[T / P]), z[T % (4 * P)])), ...);
    (R::template store<I>(a, R::template value<f>(L::add(L::add(z[I], z[P + I]), L::add(z[2 * P + I], z[3 * P + I])))), ...);
  }

  template <Function f, int I>
  static V delta_of(const Scalar* a, const Scalar* delta) {
    if constexpr (f == Function::identity)
      return R::template load<I>(delta);
    else
      return as_built::times_derivative_of<f, L>(R::template load<I>(a), R::template load<I>(delta));
  }

  template <Function f, int... I, int... T>
  static void gradients(const Pass& pass, const Scalar* a, const Scalar* delta, Scalar* dW, Scalar* db, const Scalar* factor,
                        std::integer_sequence<int, I...>, std::integer_sequence<int, T...>) {
    const V zero = L::all(Scalar{0}), one = L::all(Scalar{1});
    V sum[] = {(static_cast<void>(T), zero)...}, sum_of_delta[] = {(static_cast<void>(I), zero)...};
    const Scalar* x = pass.x;
    for (Index j = 0; j < pass.samples; ++j, x += pass.x_step, a += Out, delta += Out) {
      const V d[] = {delta_of<f, I>(a, delta)...};
      ((sum[T] = L::fma(d[T % P], L::all(x[T / P]), sum[T])), ...);
      ((sum_of_delta[I] = L::fma(d[I], one, sum_of_delta[I])), ...);
    }
    (R::template put<T % P>(dW + T / P * Out, sum[T], factor), ...);
    (R::template put<I>(db, sum_of_delta[I], factor), ...);
  }

  // rows of W as columns, then as forward: dJ/dx = W^T(:, 0) delta(0) + W^T(:, 1) delta(1) + ...
  template <Function f, int... I>
  static void input_gradient(const Pass& pass, const Scalar* a, const Scalar* delta, Scalar* dX, Index dX_step,
                             std::integer_sequence<int, I...>) {
    constexpr int height = Registers<Scalar, In>::count * Registers<Scalar, In>::width;
    alignas(64) Scalar transposed[Out * height], d[P * L::width];
    for (int o = 0; o < Out; ++o)
      for (int i = 0; i < In; ++i) transposed[o * height + i] = pass.w[i * Out + o];
    for (Index j = 0; j < pass.samples; ++j, a += Out, delta += Out, dX += dX_step) {
      (L::store(d + I * L::width, delta_of<f, I>(a, delta)), ...);
      transposed_times<height>(transposed, d, dX, typename Registers<Scalar, In>::All{}, std::make_integer_sequence<int, Out>{});
    }
  }
  template <int height, int... Q, int... O>
  static void transposed_times(const Scalar* transposed, const Scalar* d, Scalar* dX, std::integer_sequence<int, Q...>,
                               std::integer_sequence<int, O...> outputs) {
    using X = Registers<Scalar, In>;
    (X::template store<Q>(dX, sum_over<X>(transposed + Q * X::width, height, d, outputs)), ...);
  }
  template <class X, int... O>
  static typename X::V sum_over(const Scalar* column, int step, const Scalar* d, std::integer_sequence<int, O...>) {
    auto sum = X::L::all(Scalar{0});
    ((sum = X::L::fma(X::L::load(column + O * step), X::L::all(d[O]), sum)), ...);
    return sum;
  }

  // dJ/dx(i) = W(:, i) . delta, the products added in pairs
  template <Function f, int... I>
  static void input_gradient_of_one(const Pass& pass, const Scalar* a, const Scalar* delta, Scalar* dX, std::integer_sequence<int, I...>) {
    constexpr int sixteen = 16 / L::width;
    const V d[] = {delta_of<f, I>(a, delta)...}, zero = L::all(Scalar{0});
    for (int i = 0; i < In; ++i) {
      V sums[sixteen] = {L::fma(R::template load<I>(pass.w + i * Out), d[I], zero)...};
      for (int p = P; p < sixteen; ++p) sums[p] = zero;
      dX[i] = Scalar{0} + as_built::added_in_pairs<L, sixteen>(sums);
    }
  }
};

/// With one output W is a row, and it is the inputs that lie side by side.
template <class Scalar, int In>
class RegisterLayer<Scalar, 1, In> {
  using R = Registers<Scalar, In>;
  using L = typename R::L;
  using V = typename R::V;
  using Pass = SmallLayerPass<Scalar>;

 public:
  template <Function f>
  [[gnu::flatten]] static void forward(const Pass& pass, const Scalar* bias, Scalar* a) {
    all_samples(pass, bias, a, typename R::All{});
    if constexpr (f == Function::tanh) as_built::tanhs(pass.samples, a, a);
    if constexpr (f == Function::sigmoid) as_built::sigmoids(pass.samples, a, a);
    if constexpr (f == Function::relu) as_built::rectify(pass.samples, a, a);
  }

  template <Function f>
  [[gnu::flatten]] static void backward(const Pass& pass, const Scalar* a, Scalar* delta, Scalar* dW, Scalar* db, Scalar* dX, Index dX_step,
                                        const Scalar* factor = nullptr) {
    if constexpr (f != Function::identity) as_built::times_derivative<f>(pass.samples, a, delta);
    if (dX != nullptr) input_gradient(pass, delta, dX, dX_step, typename R::All{});
    gradients(pass, delta, dW, db, factor, typename R::All{});
  }

 private:
  // z = b + W . x, the products added in pairs
  template <int... I>
  static void all_samples(const Pass& pass, const Scalar* bias, Scalar* z, std::integer_sequence<int, I...>) {
    constexpr int sixteen = 16 / L::width;
    const V weight[] = {R::template load<I>(pass.w)...}, zero = L::all(Scalar{0});
    const Scalar* x = pass.x;
    for (Index j = 0; j < pass.samples; ++j, x += pass.x_step) {
      V sums[sixteen] = {L::fma(R::template load<I>(x), weight[I], zero)...};
      for (int p = R::count; p < sixteen; ++p) sums[p] = zero;
      z[j] = *bias + as_built::added_in_pairs<L, sixteen>(sums);
    }
  }

  template <int... I>
  static void gradients(const Pass& pass, const Scalar* delta, Scalar* dW, Scalar* db, const Scalar* factor,
                        std::integer_sequence<int, I...>) {
    V sum[] = {(static_cast<void>(I), L::all(Scalar{0}))...};
    Scalar sum_of_delta = 0;
    const Scalar* x = pass.x;
    for (Index j = 0; j < pass.samples; ++j, x += pass.x_step) {
      ((sum[I] = L::fma(R::template load<I>(x), L::all(delta[j]), sum[I])), ...);
      sum_of_delta += delta[j];
    }
    (R::template put<I>(dW, sum[I], factor), ...);
    Registers<Scalar, 1>::template put<0>(db, Registers<Scalar, 1>::L::all(sum_of_delta), factor);
  }

  // dJ/dx = W^T delta
  template <int... I>
  static void input_gradient(const Pass& pass, const Scalar* delta, Scalar* dX, Index dX_step, std::integer_sequence<int, I...>) {
    const V weight[] = {R::template load<I>(pass.w)...}, zero = L::all(Scalar{0});
    for (Index j = 0; j < pass.samples; ++j, dX += dX_step) (R::template store<I>(dX, L::fma(weight[I], L::all(delta[j]), zero)), ...);
  }
};

}  // namespace chainrule::kernels
