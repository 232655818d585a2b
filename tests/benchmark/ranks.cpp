// ranks MODE: measures training on several ranks, and predicts it for more. Built and run by the script ranks_run.
//   steps THREADS   time of a training step of three nets: on one rank as a plain loop with so many threads, on several with ShardSum
//   overlap BYTES   time of a training step of three nets with RankOptions::bucket_bytes = 0 and = BYTES, whose steps alternate
//   sums            time of Mpi::sum by the number of bytes, and the latency and bandwidth fitted to it
//   predict PNG     the model below for 4 to 1024 ranks, with the time of passes and of a step measured here, and networks from the
//                   literature, as a table and, with gnuplot, as a picture
//
//     t(n) = passes/n + step + 2 log2(n) latency + 2 (1 - 1/n) bytes/bandwidth
//
// passes: forward and backward passes over the whole batch on one core; step: that of Adam, which each rank makes on all parameters; bytes:
// those of dJ/dtheta. The last two terms are those of the sum that Ranks::sum makes (Rabenseifner 2004).

#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <chainrule/parallel/mpi.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "support/gnuplot.hpp"

namespace cr = chainrule;
using cr::Index;

namespace {

using Small = cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<784, 128, cr::ReLU>, cr::Dense<128, 10>>;
using Middle =
    cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<784, 500, cr::ReLU>, cr::Dense<500, 250, cr::ReLU>, cr::Dense<250, 10>>;
using Large =
    cr::Network<float, cr::SoftmaxCrossEntropy, cr::Dense<1024, 1024, cr::ReLU>, cr::Dense<1024, 1024, cr::ReLU>, cr::Dense<1024, 1024>>;

/// The shortest of many times that f takes, in microseconds.
template <class F>
double shortest(cr::Ranks& ranks, double seconds, const F& f) {
  double best = 1e300;
  const auto begin = std::chrono::steady_clock::now();
  for (double go_on = 1; go_on > 0;) {
    ranks.gather(0);  // all ranks begin together
    const auto before = std::chrono::steady_clock::now();
    f();
    const auto now = std::chrono::steady_clock::now();
    best = std::min(best, std::chrono::duration<double, std::micro>(now - before).count());
    go_on = ranks.is_first() && now - begin < std::chrono::duration<double>(seconds) ? 1 : 0;
    ranks.sum(go_on);
  }
  return best;
}

/// One batch of random samples, of which this rank has its part.
template <class Net>
struct Problem {
  Problem(cr::Mpi& ranks, Index samples)
      : mpi{ranks},
        x(cr::Matrix<float>::Random(net.inputs(), samples / ranks.ranks())),
        y(static_cast<std::size_t>(samples / ranks.ranks()), 1),
        work(net.make_workspace(x.cols())) {}
  cr::Mpi& mpi;
  Net net{cr::Seed{1}};
  cr::Matrix<float> x;
  std::vector<int> y;
  typename Net::template Workspace<> work;
  typename Net::Gradients dJ = net.make_gradients();
  cr::Adam rule{};
  cr::OptimizerState<float> state = rule.make_state(net);
  cr::ShardSum<Net> sum{net, mpi};

  float passes() {
    net.forward(x, work);
    const float J = net.loss(y, work);
    net.backward(x, y, work, dJ);
    return J;
  }
  void step() { rule.step(net.parameters(), dJ, state); }
  void step_on_ranks() {
    net.forward(x, work);
    const auto J = static_cast<double>(net.loss(y, work));
    sum.backward_and_add(net, x, y, work, dJ, J, 1.0 / static_cast<double>(mpi.ranks()));
    sum.total(net, dJ);
    step();
  }
};

template <class Net>
void measure_steps(cr::Mpi& mpi, const char* name, Index batch, Index threads) {
  Problem<Net> problem(mpi, batch);
  std::optional<cr::ThreadTeam> team;
  if (threads > 1) {
    problem.work.set_team(&team.emplace(threads));
    problem.state.team = &*team;
  }
  const double time = shortest(mpi, 3, [&] {
    if (mpi.ranks() > 1) return problem.step_on_ranks();
    problem.passes();
    problem.step();
  });
  if (mpi.is_first()) std::printf("%-22s batch %4td  %td ranks x %td threads  %9.1f us a step\n", name, batch, mpi.ranks(), threads, time);
}

/// Prints the median and the shortest time of a step without and with sums that begin during the backward pass.
template <class Net>
void measure_overlap(cr::Mpi& without, cr::Mpi& with, const char* name, Index batch) {
  Problem<Net> problems[]{{without, batch}, {with, batch}};
  std::vector<double> times[2];
  const auto begin = std::chrono::steady_clock::now();
  for (double go_on = 1; go_on > 0;) {
    for (std::size_t i = 0; i < 2; ++i) {
      without.gather(0);  // all ranks begin together
      const auto before = std::chrono::steady_clock::now();
      problems[i].step_on_ranks();
      times[i].push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - before).count());
    }
    go_on = without.is_first() && std::chrono::steady_clock::now() - begin < std::chrono::seconds(4) ? 1 : 0;
    without.sum(go_on);
  }
  if (!without.is_first()) return;
  for (auto& of_kind : times) std::sort(of_kind.begin(), of_kind.end());
  const auto median = [&](std::size_t i) { return times[i][times[i].size() / 2]; };
  std::printf("%-22s batch %4td  %td ranks  median %9.1f us, with buckets of %td bytes %9.1f us; shortest %9.1f us, %9.1f us\n", name,
              batch, with.ranks(), median(0), with.bucket_bytes(), median(1), times[0][0], times[1][0]);
}

void measure_sums(cr::Mpi& mpi) {
  double latency = 0, largest_bytes = 0, largest_time = 0;
  for (Index count = 2; count <= (Index{1} << 22); count *= 8) {
    cr::Vector<float> v = cr::Vector<float>::Ones(count);
    const double time = shortest(mpi, 1, [&] { mpi.sum(v); });
    if (latency == 0) latency = time;
    largest_bytes = 4.0 * static_cast<double>(count);
    largest_time = time;
    if (mpi.is_first()) std::printf("sum of %9td bytes over %td ranks  %9.1f us\n", 4 * count, mpi.ranks(), time);
  }
  if (mpi.is_first())
    std::printf("latency %.1f us, bandwidth %.2f GB/s of numbers summed\n", latency, largest_bytes / (largest_time - latency) / 1000);
}

/// A network between machines, with figures from the literature.
struct Link {
  const char* name;
  double latency, bytes_per_us;  // latency in us
};
constexpr Link links[] = {{"Gigabit Ethernet", 25, 116}, {"40 Gb/s Ethernet", 1.93, 4650}, {"InfiniBand", 0.9, 11'600}};

/// Numbers of a net and a batch from which the time of a step on many ranks is predicted.
struct Model {
  const char* net;
  double passes, step, bytes;  // times in us, on one core

  double time(double n, const Link& link) const {
    return passes / n + step + 2 * std::log2(n) * link.latency + 2 * (1 - 1 / n) * bytes / link.bytes_per_us;
  }
  double speedup(double n, const Link& link) const { return (passes + step) / time(n, link); }
};

constexpr Index predicted_batch = 8192;

template <class Net>
Model measure_model(cr::Mpi& mpi, const char* name) {
  constexpr Index samples = 256;
  Problem<Net> problem(mpi, samples);
  return {name, shortest(mpi, 3, [&] { problem.passes(); }) * static_cast<double>(predicted_batch) / static_cast<double>(samples),
          shortest(mpi, 1, [&] { problem.step(); }), 4.0 * static_cast<double>(problem.net.parameters().size())};
}

void print_predictions(const std::vector<Model>& models) {
  std::printf("| net, batch %td | network | 4 ranks | 16 | 64 | 256 | 1024 |\n| --- | --- | --- | --- | --- | --- | --- |\n",
              predicted_batch);
  for (const Model& model : models)
    for (const Link& link : links) {
      std::printf("| %s | %s |", model.net, link.name);
      for (const double n : {4., 16., 64., 256., 1024.})
        std::printf(" %.3g ms, %.3g |", model.time(n, link) / 1000, model.speedup(n, link));
      std::printf("\n");
    }
}

/// Draws how many times as fast as one rank 1 to 1024 ranks are, with a plot for each net. Returns false without gnuplot.
bool draw_predictions(const std::vector<Model>& models, const std::string& picture) {
  std::string data, plots;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const std::string name = "$net" + std::to_string(i);
    data += name + " << END\n";
    for (double n = 1; n <= 1024; n *= 2) {
      data += std::to_string(n);
      for (const Link& link : links) data += " " + std::to_string(models[i].speedup(n, link));
      data += "\n";
    }
    data += "END\n";
    plots += "set title " + examples::quoted(models[i].net) + "\nplot x dt 2 lc 'gray' title 'as many times as ranks'";
    for (std::size_t k = 0; k < std::size(links); ++k)
      plots += ", " + name + " using 1:" + std::to_string(k + 2) + " with linespoints pt 7 ps 0.7 lc " + std::to_string(k + 1) + " title " +
               examples::quoted(links[k].name);
    plots += "\n";
  }
  return examples::paint_png(picture, 1200, 450,
                             data +
                                 "set logscale xy 2\nset xrange [1:1024]\nset yrange [1:16384]\nset ytics (1, 4, 16, 64, 256, 1024)\nset "
                                 "xlabel 'ranks'\nset ylabel 'speed-up'\n"
                                 "set key left top\nset multiplot layout 1,3 title 'prediction, not measured: training steps of batch " +
                                 std::to_string(predicted_batch) + " on many ranks, times the speed of one rank'\n" + plots +
                                 "unset multiplot\n");
}

void predict(cr::Mpi& mpi, const std::string& picture) {
  const std::vector<Model> models{measure_model<Small>(mpi, "784-128-10"), measure_model<Middle>(mpi, "784-500-250-10"),
                                  measure_model<Large>(mpi, "1024-1024-1024-1024")};
  print_predictions(models);
  if (draw_predictions(models, picture))
    std::printf("%s\n", picture.c_str());
  else
    std::printf("no picture, because gnuplot is not installed (Debian's package is gnuplot-nox)\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  int ranks = 1;
  if (const char* const size = std::getenv("CHAINRULE_RANKS")) ranks = std::atoi(size);
  return cr::run_ranks(argc, argv,
                       [&](cr::Mpi& mpi) {
                         if (mode == "steps") {
                           const Index threads = argc > 2 ? std::atoi(argv[2]) : 1;
                           measure_steps<Small>(mpi, "784-128-10", 128, threads);
                           measure_steps<Middle>(mpi, "784-500-250-10", 128, threads);
                           measure_steps<Large>(mpi, "1024-1024-1024-1024", 256, threads);
                         } else if (mode == "overlap" && argc > 2) {
                           cr::Mpi with(MPI_COMM_WORLD, {.shards = mpi.shards(), .bucket_bytes = std::atoi(argv[2])});
                           measure_overlap<Small>(mpi, with, "784-128-10", 128);
                           measure_overlap<Middle>(mpi, with, "784-500-250-10", 128);
                           measure_overlap<Large>(mpi, with, "1024-1024-1024-1024", 256);
                         } else if (mode == "sums") {
                           measure_sums(mpi);
                         } else if (mode == "predict" && argc > 2) {
                           predict(mpi, argv[2]);
                         } else {
                           std::fprintf(stderr, "ranks: the modes are steps THREADS, overlap BYTES, sums and predict PNG\n");
                         }
                       },
                       {.shards = ranks, .bucket_bytes = 0});
}
