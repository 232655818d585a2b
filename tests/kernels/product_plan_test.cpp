#include <chainrule/kernels/layer_products.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;
using kernels::ProductMethod;
using kernels::ProductShape;
using kernels::VectorUnit;

namespace {

constexpr VectorUnit avx512{16, 8, 32, false}, avx2{8, 8, 16, false}, microcontroller{1, 1, 16, false},
    sse2_of_a_newer_program{4, 4, 16, true};

/// W x + b of a layer, W in place: Out x samples, summed over In.
ProductShape forward(Index in, Index out, Index samples) { return {out, samples, in, 1, out, 1, in, out, 4, false, false}; }
/// W^T delta: W is read by rows.
ProductShape input_gradient(Index in, Index out, Index samples) { return {in, samples, out, out, 1, 1, out, in, 4, true, false}; }
/// delta x^T.
ProductShape weight_gradient(Index in, Index out, Index samples) { return {out, in, samples, 1, out, in, 1, out, 4, true, false}; }

std::string text(const kernels::ProductPlan& plan) {
  std::ostringstream out;
  out << plan;
  return out.str();
}

/// The rows of the panels that the plan computes one after the other; those in registers of half the size are negative.
std::vector<Index> panels(const kernels::ProductPlan& plan, Index rows) {
  std::vector<Index> all;
  while (rows > 0) {
    const kernels::RowPanel panel = plan.next_panel(rows);
    CHECK(panel.rows > 0);
    CHECK(panel.rows <= panel.vectors * (panel.is_half ? plan.vectors.half_width : plan.vectors.width));
    all.push_back(panel.is_half ? -panel.rows : panel.rows);
    rows -= panel.rows;
  }
  return all;
}

}  // namespace

TEST_CASE("the plan of a product says in words what is done and what is packed") {
  CHECK(text(plan_product(forward(784, 128, 32), avx512)) == "3 x 8 tiles of 16 numbers");
  CHECK(text(plan_product(forward(784, 128, 32), avx2)) == "3 x 4 tiles of 8 numbers");
  CHECK(text(plan_product(input_gradient(784, 128, 64), avx512)) == "3 x 8 tiles of 16 numbers, packs A");
  CHECK(text(plan_product(input_gradient(784, 128, 32), avx512)) == "the transpose of C, packs B, in 3 x 8 tiles of 16 numbers");
  CHECK(text(plan_product(forward(4096, 1024, 8), avx512)) == "3 x 8 tiles of 16 numbers, 32 columns of A at a time, prefetches A");
  CHECK(text(plan_product(weight_gradient(2048, 200, 64), avx512)) ==
        "3 x 8 tiles of 16 numbers, 32 columns of C at a time, packs B, prefetches C");
  CHECK(text(plan_product(weight_gradient(1024, 1024, 8), avx512)) == "3 x 8 tiles of 16 numbers, 32 columns of C at a time, prefetches C");
  CHECK(text(plan_product(forward(1024, 1024, 256), avx512)) == "3 x 8 tiles of 16 numbers, packs A, prefetches A, prefetches C");
  CHECK(text(plan_product(forward(1024, 1024, 128), avx512)) == "3 x 8 tiles of 16 numbers, prefetches A");
  CHECK(text(plan_product(weight_gradient(1024, 1024, 1), avx512)) == "an outer product, column by column");
  CHECK(text(plan_product(forward(300, 300, 1), avx512)) == "a column");
  CHECK(text(plan_product(forward(1024, 1024, 1), avx512)) == "a column, 8 columns of A at a time");
  CHECK(text(plan_product(forward(300, 1, 50), avx512)) == "a row, as a column");
  CHECK(text(plan_product(forward(20, 20, 20), microcontroller)) == "3 x 4 tiles of 1 numbers");
  CHECK(text(plan_product(forward(64, 64, 64), sse2_of_a_newer_program)) == "2 x 4 tiles of 4 numbers");
}

TEST_CASE("plans follow the size of the L2 cache") {
  constexpr Index KiB = 1024;
  // Skylake client, Zen 3, Zen 4 and processors that state nothing, Sapphire Rapids
  constexpr Index sizes_of_l2[] = {256 * KiB, 512 * KiB, 1024 * KiB, 2048 * KiB};
  const auto plans = [&](const ProductShape& shape) {
    std::vector<std::string> all;
    for (const Index l2 : sizes_of_l2) {
      const std::string plan = text(plan_product(shape, avx512, kernels::CacheSizes{l2}));
      all.push_back(plan.substr(0, 27) == "3 x 8 tiles of 16 numbers, " ? plan.substr(27) : plan);
    }
    return all;
  };
  using Plans = std::vector<std::string>;
  const std::string usual = "3 x 8 tiles of 16 numbers";
  CHECK(plans(forward(300, 300, 64)) == Plans(4, usual));
  CHECK(plans(weight_gradient(784, 128, 32)) == Plans{"32 columns of C at a time, packs B, prefetches C", usual, usual, usual});
  CHECK(plans(forward(784, 128, 1000)) == Plans{"prefetches C", usual, "136 columns of C at a time", "136 columns of C at a time"});
  CHECK(plans(forward(519, 409, 1024)) ==
        Plans{"prefetches C", "prefetches C", "prefetches C", "136 columns of C at a time, prefetches C"});
  CHECK(plans(forward(1024, 1024, 8)) == Plans{"32 columns of A at a time, prefetches A", "32 columns of A at a time, prefetches A",
                                               "32 columns of A at a time", "32 columns of A at a time"});
  CHECK(plans(weight_gradient(512, 512, 64)) ==
        Plans{"32 columns of C at a time, packs B, prefetches C", "32 columns of C at a time, packs B, prefetches C",
              "224 columns of C at a time, prefetches C", "224 columns of C at a time, prefetches C"});
}

TEST_CASE("nonsensical sizes of caches give the plan of the nearest sensible one, and unknown ones the usual plan") {
  for (const ProductShape& shape : {weight_gradient(784, 500, 100), forward(519, 409, 1024), weight_gradient(784, 128, 32)}) {
    const auto plan = [&](Index l2) { return text(plan_product(shape, avx512, kernels::CacheSizes{l2})); };
    CHECK(plan(0) == plan(1 << 20));
    CHECK(plan(-5) == plan(1 << 20));
    CHECK(plan(1) == plan(1 << 17));
    CHECK(plan(Index{4} << 30) == plan(1 << 22));
    CHECK(plan(1 << 20) == text(plan_product(shape, avx512)));
  }
}

TEST_CASE("an A that other cores have written is prefetched where a panel has several tiles") {
  const auto remote = [](ProductShape shape) {
    shape.a_is_remote = true;
    return plan_product(shape, avx512);
  };
  CHECK(text(remote(forward(300, 300, 32))) == "3 x 8 tiles of 16 numbers, prefetches A");
  CHECK_FALSE(plan_product(forward(300, 300, 32), avx512).prefetches_a);
  CHECK_FALSE(remote(forward(300, 300, 8)).prefetches_a);          // one tile
  CHECK_FALSE(remote(input_gradient(300, 300, 64)).prefetches_a);  // A is packed row by row
}

TEST_CASE("a product that is added to C as a step is summed at once") {
  ProductShape step = weight_gradient(1024, 1, 64);
  step.adds_at_the_end = true, step.starts_with_zero = false;
  CHECK(plan_product(step, avx512).method == ProductMethod::row);
  ProductShape column{1024, 1, 64, 1, 1024, 1, 64, 1024, 4, false, true};
  CHECK(plan_product(column, avx512).columns_at_once == 0);
}

TEST_CASE("A is packed from 192 columns on where its columns are 3 KiB apart, and prefetched where it has 1 MiB") {
  const auto plan = [](Index a_column_step, Index columns, Index depth) {
    return plan_product({96, columns, depth, 1, a_column_step, 1, depth, 96, 4, true, false}, avx512);
  };
  CHECK(plan(768, 192, 100).packs_a);
  CHECK_FALSE(plan(768, 191, 100).packs_a);
  CHECK_FALSE(plan(767, 192, 100).packs_a);
  CHECK(plan(1024, 100, 256).prefetches_a);
  CHECK_FALSE(plan(1024, 100, 255).prefetches_a);
  CHECK_FALSE(plan(767, 100, 1000).prefetches_a);
}

TEST_CASE("columns of C are computed in parts that stay in the second cache, where A is small and B and C are not") {
  const auto columns = [](const ProductShape& shape) { return plan_product(shape, avx512).columns_of_part; };
  CHECK(columns(forward(784, 128, 128)) == 0);      // all at once
  CHECK(columns(forward(784, 128, 60000)) == 136);  // (784 + 128) x 136 floats are 484 KiB
  CHECK(columns(forward(28, 300, 10000)) == 392);
  CHECK(columns(input_gradient(784, 128, 1000)) == 512);  // W is packed again for each part
  CHECK(columns(forward(1024, 1024, 1000)) == 0);         // W has 4 MiB
  CHECK(columns(forward(4000, 20, 1000)) == 32);
  CHECK(columns(forward(4100, 20, 1000)) == 0);  // 32 columns would not stay
  CHECK(columns(weight_gradient(500, 127, 4096)) == 0);
  CHECK(text(plan_product(forward(784, 128, 60000), avx512)) == "3 x 8 tiles of 16 numbers, 136 columns of C at a time, prefetches C");
}

TEST_CASE("C has few columns: its transpose is computed where that costs less than to pack A") {
  const auto is_transposed = [](Index in, Index out, Index samples, const VectorUnit& vectors = avx512) {
    return plan_product(input_gradient(in, out, samples), vectors).method == ProductMethod::transposed;
  };
  // 300 outputs: 16 columns of C fill a register, 1.25 x 16 <= 16 + 13; 20 columns need two, 1.25 x 32 > 20 + 13
  CHECK(is_transposed(300, 300, 16));
  CHECK_FALSE(is_transposed(300, 300, 20));
  CHECK(is_transposed(300, 300, 28));
  CHECK_FALSE(is_transposed(300, 300, 64));
  CHECK_FALSE(is_transposed(300, 300, 4));
  // 1000 outputs: each row of A is in a page of its own and costs more to pack, 1.25 x 64 <= 64 + 21
  CHECK(is_transposed(300, 1000, 4));
  CHECK(is_transposed(300, 1000, 20));
  CHECK(is_transposed(300, 1000, 64));
  CHECK_FALSE(is_transposed(300, 1000, 96));
  CHECK_FALSE(is_transposed(300, 95, 16));  // transposing C would cost too much
  CHECK_FALSE(is_transposed(63, 300, 16));
  CHECK(is_transposed(300, 300, 16, {8, 4, 32, false}));
  CHECK(is_transposed(300, 300, 16, avx2));
  CHECK_FALSE(is_transposed(300, 300, 16, {4, 4, 32, false}));
  ProductShape added = input_gradient(300, 300, 16);
  added.starts_with_zero = false;
  CHECK(plan_product(added, avx512).method == ProductMethod::tiles);
}

TEST_CASE("a large A that few columns multiply is read in the order in which it is stored") {
  const auto at_once = [](const ProductShape& shape) { return plan_product(shape, avx512).columns_at_once; };
  CHECK(at_once(forward(1024, 1024, 8)) == 32);  // 4 MiB for one tile of columns
  CHECK(at_once(forward(1023, 1024, 8)) == 0);
  CHECK(at_once(forward(1024, 1024, 9)) == 0);  // 8 MiB for up to four
  CHECK(at_once(forward(2048, 1024, 9)) == 32);
  CHECK(at_once(forward(2048, 1024, 32)) == 32);
  CHECK(at_once(forward(2048, 1024, 33)) == 0);
  CHECK(at_once(forward(20000, 511, 8)) == 0);  // columns of less than half a page follow one another closely
  CHECK(plan_product(forward(2048, 1024, 8), avx512).prefetches_a);
  CHECK_FALSE(plan_product(forward(1024, 1024, 8), avx512).prefetches_a);
  CHECK_FALSE(plan_product(forward(2048, 1024, 7), avx512).prefetches_a);
  CHECK(at_once({4096, 8, 32, 1, 100000, 1, 32, 4096, 4, false, false}) == 0);   // all of the depth is one pass
  CHECK(at_once({4096, 8, 200, 1, 100000, 1, 200, 4096, 4, false, true}) == 0);  // a step needs the whole sum at once
}

TEST_CASE("a few columns of C are computed for all of a small A, where they lie in pages of their own and are beyond the second cache") {
  const auto plan = [](Index in, Index out, Index samples) { return plan_product(weight_gradient(in, out, samples), avx512); };
  CHECK(plan(2048, 2048, 30).columns_of_part == 32);
  CHECK_FALSE(plan(2048, 2048, 30).packs_a);
  CHECK_FALSE(plan(2048, 2048, 30).packs_b);
  CHECK(plan(2048, 2048, 30).prefetches_c);
  CHECK(plan(1000, 800, 64).columns_of_part == 40);  // 800 x 40 floats are 125 KiB
  CHECK(plan(350, 777, 128).columns_of_part != 32);  // A and C together have less than 1.5 MiB
  CHECK(plan(512, 4096, 60).columns_of_part == 32);  // A has 0.94 MiB and C 8.0
  CHECK(plan(500, 4096, 60).columns_of_part == 0);   // C has 7.8 MiB
  CHECK(plan(500, 4096, 60).packs_a);
}

TEST_CASE("B is packed where it is a transposed matrix whose rows for a block of the depth fill 512 KiB and all has 2 MiB, or half of it") {
  const auto plan = [](Index in, Index out, Index samples) { return plan_product(weight_gradient(in, out, samples), avx512); };
  CHECK(plan(2048, 100, 200).packs_b);
  CHECK_FALSE(plan(511, 100, 4096).packs_b);  // blocks have at most 256 terms
  CHECK_FALSE(plan(2048, 100, 64).packs_b);   // 1.3 MiB: all of it stays in the second cache
  // half of it suffices for 128 rows of C or more and an A of which a block has at most 1 MiB
  CHECK(plan(256, 512, 256).packs_b);
  CHECK_FALSE(plan(255, 512, 256).packs_b);
  CHECK(plan(1024, 128, 200).packs_b);
  CHECK_FALSE(plan(1024, 127, 200).packs_b);
  CHECK(plan(400, 1024, 256).packs_b);
  CHECK_FALSE(plan(400, 1025, 256).packs_b);
  CHECK_FALSE(plan(1000, 150, 66).packs_b);  // 0.85 MiB
  CHECK(plan(1024, 1024, 256).packs_b);
  CHECK_FALSE(plan(1024, 1024, 256).packs_a);
  CHECK(plan(1024, 1024, 256).columns_of_part == 32);
  ProductShape of_double = weight_gradient(1024, 1024, 256);
  of_double.scalar_size = 8;
  CHECK(plan_product(of_double, {8, 4, 32, false}).columns_of_part == 16);  // two lines
  CHECK_FALSE(plan_product(of_double, microcontroller).packs_b);
  CHECK_FALSE(plan_product(forward(1024, 1024, 256), avx512).packs_b);
}

TEST_CASE("rows are cut into panels of at most three registers, and a small rest into half a register where this saves time") {
  const auto plan = plan_product(forward(100, 100, 100), avx512);
  CHECK(panels(plan, 48) == std::vector<Index>{48});
  CHECK(panels(plan, 64) == std::vector<Index>{32, 32});  // 2 + 2 registers are faster than 3 + 1
  CHECK(panels(plan, 128) == std::vector<Index>{48, 48, 32});
  CHECK(panels(plan, 65) == std::vector<Index>{48, 17});
  CHECK(panels(plan, 72) == std::vector<Index>{48, 24});
  CHECK(panels(plan, 49) == std::vector<Index>{32, 17});
  CHECK(panels(plan, 17) == std::vector<Index>{17});
  CHECK(panels(plan, 5) == std::vector<Index>{-5});
  CHECK(panels(plan, 12) == std::vector<Index>{12});
  VectorUnit zen4 = avx512;
  zen4.half_is_faster = true;
  const auto with_halves = plan_product(forward(100, 100, 100), zen4);
  CHECK(panels(with_halves, 64) == std::vector<Index>{32, 32});
  CHECK(panels(with_halves, 65) == std::vector<Index>{32, 32, -1});
  CHECK(panels(with_halves, 72) == std::vector<Index>{32, 32, -8});
  CHECK(panels(with_halves, 73) == std::vector<Index>{48, 25});
  CHECK(panels(with_halves, 5) == std::vector<Index>{-5});
  const auto narrow = plan_product(forward(100, 100, 100), sse2_of_a_newer_program);
  CHECK(panels(narrow, 21) == std::vector<Index>{8, 8, 5});
}

TEST_CASE("a panel of several registers has more rows than all but one of them hold, because its last one ends with its last row") {
  for (const bool half_is_faster : {false, true})
    for (VectorUnit vectors : {avx512, avx2, VectorUnit{8, 4, 32, false}, sse2_of_a_newer_program}) {
      vectors.half_is_faster = half_is_faster;
      const auto plan = plan_product(forward(100, 100, 100), vectors);
      for (Index rows = 1; rows <= 200; ++rows) {
        const kernels::RowPanel panel = plan.next_panel(rows);
        CAPTURE(vectors.width, rows, panel.rows);
        CHECK(panel.rows > (panel.vectors - 1) * (panel.is_half ? vectors.half_width : vectors.width));
      }
    }
}

TEST_CASE("tiles with a column more leave no columns, or half a tile's, for narrow tiles") {
  const auto wider = [](Index columns) { return kernels::wider_tiles(columns, 8); };
  CHECK(wider(64) == 0);
  CHECK(wider(65) == 1);  // 7 x 8 + 9
  CHECK(wider(67) == 3);  // 5 x 8 + 3 x 9
  CHECK(wider(68) == 0);  // 8 x 8 + 4
  CHECK(wider(71) == 3);  // 5 x 8 + 3 x 9 + 4
  CHECK(wider(10) == 0);  // 8 + 2: two tiles of 9 would be 18
  CHECK(wider(9) == 1);
  CHECK(wider(7) == 0);
  CHECK(kernels::has_wider_tiles(avx512));
  CHECK_FALSE(kernels::has_wider_tiles(avx2));
  CHECK_FALSE(kernels::has_wider_tiles(sse2_of_a_newer_program));
}

TEST_CASE("with 16 registers tiles have 4 columns, 8 where they have one register of rows, and columns are cut into tiles of 4 and 3") {
  CHECK(kernels::columns_of_tile(avx2) == 4);
  CHECK(kernels::columns_of_tile(avx2, 2) == 4);
  CHECK(kernels::columns_of_tile(avx2, 1) == 8);
  CHECK(kernels::columns_of_tile(avx512, 1) == 8);
  CHECK(kernels::columns_of_tile(sse2_of_a_newer_program, 1) == 4);
  CHECK(kernels::columns_of_tile(microcontroller, 1) == 4);
  CHECK(kernels::has_narrower_tiles(avx2, 3));
  CHECK_FALSE(kernels::has_narrower_tiles(avx2, 1));
  CHECK_FALSE(kernels::has_narrower_tiles(avx512, 3));
  CHECK_FALSE(kernels::has_narrower_tiles(sse2_of_a_newer_program, 2));
  const auto narrower = [](Index columns) { return kernels::narrower_tiles(columns, 4); };
  CHECK(narrower(64) == 0);
  CHECK(narrower(61) == 3);  // 13 x 4 + 3 x 3
  CHECK(narrower(10) == 2);  // 4 + 3 + 3
  CHECK(narrower(9) == 3);
  CHECK(narrower(7) == 1);
  CHECK(narrower(6) == 2);
  CHECK(narrower(5) == 0);  // 4 + 1
  CHECK(narrower(3) == 1);
  CHECK(narrower(2) == 0);
}

TEST_CASE("AVX2 packs an A whose columns collide in the L1 cache from 64 columns and a depth of 128 on") {
  const auto packs = [](Index a_column_step, Index columns, Index depth, const VectorUnit& vectors = avx2) {
    return plan_product({128, columns, depth, 1, a_column_step, 1, depth, 128, 4, true, false}, vectors).packs_a;
  };
  CHECK(packs(128, 64, 128));
  CHECK(packs(192, 64, 784));
  CHECK_FALSE(packs(128, 63, 128));
  CHECK_FALSE(packs(128, 64, 127));
  CHECK_FALSE(packs(144, 64, 128));
  CHECK_FALSE(packs(64, 64, 128));
  CHECK_FALSE(packs(128, 64, 128, avx512));
}

TEST_CASE("the plan of a product on this machine can be asked for") {
  const Eigen::MatrixXf a = Eigen::MatrixXf::Zero(64, 32), b = Eigen::MatrixXf::Zero(32, 40), c = Eigen::MatrixXf::Zero(64, 40);
  const kernels::Product<float> product{{a.data(), 1, 64}, {b.data(), 1, 32}, 32, {}};
  const auto plan = kernels::plan_of(product, detail::matrix_view(c.data(), 64, 40));
  CHECK(plan.method == ProductMethod::tiles);
  CHECK_FALSE(plan.packs_a);
  chainrule_test::for_each_runnable_set<float>(
      [&](auto set) { CHECK(plan_of(set, product.a, product.b, 32, product.start, 64, 64, 40).vectors.width >= 1); });
}
