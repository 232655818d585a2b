#include <chainrule/core/chunks.hpp>
#include <chainrule/core/random.hpp>
#include <vector>

#include "support/catch.hpp"

using namespace chainrule;

namespace {

template <class Scalar>
std::vector<Scalar> random_numbers(Index count) {
  Random random{Seed{1}};
  std::vector<Scalar> numbers(static_cast<std::size_t>(count));
  for (Scalar& x : numbers) x = static_cast<Scalar>(8 * random.uniform() - 4);
  return numbers;
}

/// exp(x), computed in a chunk filled with x: the expected result wherever x lies in an array.
template <class Scalar>
Scalar exp_of(Scalar x) {
  const Chunk<Scalar> result = Chunk<Scalar>::Constant(x).exp();
  return result[0];
}

}  // namespace

TEST_CASE("a chunk is 64 bytes, a cache line and the widest vector register") {
  STATIC_REQUIRE(Chunk<float>::SizeAtCompileTime == 16);
  STATIC_REQUIRE(Chunk<double>::SizeAtCompileTime == 8);
  // Eigen's own alignment of 64 bytes depends on flags: it is 16, and 32 with -mavx
  STATIC_REQUIRE((alignof(Chunk<float>) == alignof(float) && alignof(Chunk<double>) == alignof(double)));
  STATIC_REQUIRE(Chunk<long double>::SizeAtCompileTime * sizeof(long double) == 64);
}

// The arrays have no spare elements, so that the address sanitizer sees a read beyond their end.
TEMPLATE_TEST_CASE("for_chunks: the result of an element depends neither on its place nor on its alignment", "", float, double,
                   long double) {
  using Scalar = TestType;
  const Scalar guard = -12345;
  const auto exponential = [](const Chunk<Scalar>& c) -> Chunk<Scalar> { return c.exp(); };
  int wrong = 0;
  int overwritten = 0;
  for (Index offset = 0; offset <= 17; ++offset) {
    for (Index size = 1; size <= 70; ++size) {
      const auto in = random_numbers<Scalar>(offset + size);
      std::vector<Scalar> out(static_cast<std::size_t>(offset + size + 20), guard);
      detail::for_chunks(size, exponential, out.data() + offset, in.data() + offset);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const bool written = i >= static_cast<std::size_t>(offset) && i < in.size();
        if (written && out[i] != exp_of(in[i])) ++wrong;
        if (!written && out[i] != guard) ++overwritten;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(overwritten == 0);
}

TEST_CASE("for_chunks takes several inputs, of which one may be the output") {
  const auto add_twice = [](const Chunk<float>& a, const Chunk<float>& b) -> Chunk<float> { return a + 2 * b; };
  for (const Index size : {1, 15, 16, 17, 40}) {
    CAPTURE(size);
    Vector<float> a = Vector<float>::LinSpaced(size, 1, static_cast<float>(size));  // 1, 2, 3, ...
    Vector<float> b = Vector<float>::Constant(size, 100);
    detail::for_chunks(size, add_twice, a.data(), static_cast<const float*>(a.data()), static_cast<const float*>(b.data()));
    CHECK(a == Vector<float>::LinSpaced(size, 201, 200 + static_cast<float>(size)));
    detail::for_chunks(size, add_twice, b.data(), static_cast<const float*>(a.data()), static_cast<const float*>(b.data()));
    CHECK(b == Vector<float>::LinSpaced(size, 401, 400 + static_cast<float>(size)));
  }
}

// Padding with zeros would raise floating-point exceptions in 1/x or ln x.
TEST_CASE("for_chunks fills up the last chunk with the last number, so f sees only numbers from the array") {
  const std::vector<float> in(21, 5.0f);
  std::vector<float> out(21);
  int calls = 0;
  bool only_fives = true;
  const auto look = [&](const Chunk<float>& c) -> Chunk<float> {
    ++calls;
    only_fives = only_fives && (c == 5.0f).all();
    return c;
  };
  detail::for_chunks(21, look, out.data(), in.data());
  CHECK(calls == 2);
  CHECK(only_fives);
  CHECK(out == in);
}

TEST_CASE("padded_chunk begins with the numbers and repeats the last of them") {
  const std::vector<double> in{1, 2, 3};
  CHECK((detail::padded_chunk(in.data(), 3) == (Chunk<double>() << 1, 2, 3, 3, 3, 3, 3, 3).finished()).all());
  CHECK((detail::padded_chunk(in.data(), 1) == Chunk<double>::Ones()).all());
}

TEST_CASE("for_chunks does not call f for an empty array") {
  const auto fail = [](const Chunk<float>& c) -> Chunk<float> {
    FAIL("called for nothing");
    return c;
  };
  const float in = 1;
  float out = 2;
  detail::for_chunks(0, fail, &out, &in);
  CHECK(out == 2);
}

// a <- a + 2b,  b <- exp(a + 2b),  and `last`, which is const, is only read
TEMPLATE_TEST_CASE("update_chunks changes arrays in place, with results that depend neither on alignment nor on size", "", float, double,
                   long double) {
  using Scalar = TestType;
  const Scalar guard = -12345;
  const auto update = [](Chunk<Scalar>& a, Chunk<Scalar>& b, const Chunk<Scalar>& c) {
    a += 2 * b;
    b = (a * c).exp();
  };
  int wrong = 0;
  int overwritten = 0;
  for (Index offset = 0; offset <= 5; ++offset) {
    for (Index size = 0; size <= 40; ++size) {
      const auto begin = static_cast<std::size_t>(offset), end = static_cast<std::size_t>(offset + size);
      auto a = random_numbers<Scalar>(offset + size), b = a;
      const auto before = a, c = a;  // c ends where its numbers end, so that the address sanitizer sees a read beyond
      a.resize(end + 20, guard);
      b.resize(end + 20, guard);
      detail::update_chunks(size, update, a.data() + offset, b.data() + offset, c.data() + offset);
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (i >= end && (a[i] != guard || b[i] != guard)) ++overwritten;
        if (i < begin && (a[i] != before[i] || b[i] != before[i])) ++overwritten;
        if (i < begin || i >= end) continue;
        const Scalar sum = before[i] + 2 * before[i];
        if (a[i] != sum || b[i] != exp_of(sum * before[i])) ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(overwritten == 0);
}

TEST_CASE("update_chunks calls f once for each chunk and fills the last one with its last numbers") {
  std::vector<double> numbers(11, 3.0), others(11, 5.0);
  int calls = 0;
  bool only_given = true;
  const auto look = [&](Chunk<double>& a, const Chunk<double>& b) {
    ++calls;
    only_given = only_given && (a == 3.0).all() && (b == 5.0).all();
    a = a + b;
  };
  detail::update_chunks(11, look, numbers.data(), static_cast<const double*>(others.data()));
  CHECK(calls == 2);
  CHECK(only_given);
  CHECK(numbers == std::vector<double>(11, 8.0));
}
