// scaling CSV PICTURE quick|full: measures the GFLOP/s of a training step of width-width-width nets (tanh, squared error, extents known at
// run time) for many widths and batch sizes, for chainrule and the Eigen loop alternately. Widths that are no multiple of a vector are
// included, so that sudden drops would show.

#include <cstdio>
#include <cstring>

#include "peers.hpp"
#include "stopwatch.hpp"
#include "support/gnuplot.hpp"

namespace {

using namespace bench;

struct Limits {
  int widest;
  double gflop;    // largest step that is measured
  double seconds;  // length of one repetition
};

/// GFLOP/s of each peer: the median of 3 repetitions, which alternate between peers.
std::vector<double> speeds(const Row& row, const std::vector<Peer>& peers, const Limits& limits) {
  const Problem problem = make_problem(row, 1e-7);
  std::vector<std::unique_ptr<Learner>> learners;
  std::vector<long> calls;
  for (const Peer& peer : peers) {
    learners.push_back(peer.make(problem));
    calls.push_back(calls_in(limits.seconds, [&] { learners.back()->step(); }));
  }
  std::vector<std::vector<double>> seconds(peers.size());
  for (int repetition = 0; repetition < 3; ++repetition)
    for (std::size_t p = 0; p < peers.size(); ++p)
      seconds[p].push_back(seconds_of(calls[p], [&] { learners[p]->step(); }) / static_cast<double>(calls[p]));
  std::vector<double> result;
  for (const auto& of : seconds) result.push_back(row.flop() / median(of) / 1e9);
  return result;
}

const std::vector<int> batches{1, 8, 64, 256, 2048};

struct Point {
  int width, batch;
  std::vector<double> gflops;  // one number per peer
};

/// Draws GFLOP/s over the width, with one curve per batch size and peer. Returns false without gnuplot.
bool draw(const std::vector<Point>& points, const std::string& picture) {
  std::string data, curves;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const std::string batch = std::to_string(batches[i]), name = "$batch" + batch;
    data += name + " << END\n";
    for (const Point& point : points)
      if (point.batch == batches[i])
        data += std::to_string(point.width) + " " + std::to_string(point.gflops[0]) + " " + std::to_string(point.gflops[1]) + "\n";
    data += "END\n";
    const std::string style = " with linespoints pt 7 ps 0.5 lc " + std::to_string(i + 1);
    curves += (i == 0 ? "" : ", ") + name + " using 1:2" + style + " dt 1 title 'batch " + batch + "'";
    curves += ", " + name + " using 1:3" + style + " dt 2 notitle";
  }
  return examples::paint_png(picture, 1000, 600,
                             data +
                                 "set logscale x 2\nset xlabel 'width'\nset ylabel 'GFLOP/s'\nset yrange [0:]\nset key outside\n"
                                 "set title 'training step of width-width-width nets: chainrule (lines), the Eigen loop (dashes)'\nplot " +
                                 curves + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: scaling CSV PICTURE quick|full\n"), 2;
  const bool quick = std::strcmp(argv[3], "quick") == 0;
  const Limits limits = quick ? Limits{2048, 3, 0.005} : Limits{4096, 45, 0.03};
  const std::vector<Peer> peers{{"ours", [](const Problem& p) { return make_dynamic(p, 1); }},
                                {"eigen", [](const Problem& p) { return make_eigen_loop(p, 1); }}};

  std::vector<int> widths{1, 3, 17, 33, 65, 100, 257};
  for (int width = 8; width <= limits.widest; width *= 2) widths.push_back(width);
  std::sort(widths.begin(), widths.end());

  std::FILE* csv = std::fopen(argv[1], "w");
  if (csv == nullptr) return std::perror(argv[1]), 1;
  std::fprintf(csv, "width,batch,mflop,ours_gflops,eigen_gflops\n");
  std::printf("GFLOP/s of chainrule (and its ratio to the Eigen loop's), %s, %s\n%8s", CHAINRULE_BENCHMARK_TITLE,
              sizeof(Scalar) == 4 ? "float" : "double", "width");
  for (const int batch : batches) std::printf("  %9s %-6d", "batch", batch);
  std::printf("\n");
  std::vector<Point> points;
  for (const int width : widths) {
    std::printf("%8d", width);
    for (const int batch : batches) {
      const Row row{{width, width, width}, Activation::tanh, Loss::squared, batch};
      if (row.flop() > limits.gflop * 1e9) {
        std::printf("  %16s", "-");
        continue;
      }
      const auto& gflops = points.emplace_back(Point{width, batch, speeds(row, peers, limits)}).gflops;
      std::fprintf(csv, "%d,%d,%.6g,%.4g,%.4g\n", width, batch, row.flop() / 1e6, gflops[0], gflops[1]);
      std::printf("  %8.4g (%5.2f)", gflops[0], gflops[0] / gflops[1]);
      std::fflush(stdout);
    }
    std::printf("\n");
  }
  std::fclose(csv);
  std::printf("\n%s\n", argv[1]);
  if (draw(points, argv[2]))
    std::printf("%s\n", argv[2]);
  else
    std::printf("no picture, because gnuplot is not installed (Debian's package is gnuplot-nox)\n");
}
