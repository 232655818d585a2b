// A net learns inside a running program: a control loop asks it at a fixed rate and never waits, a second thread trains it meanwhile.
#include <algorithm>
#include <array>
#include <atomic>
#include <chainrule/activations/tanh.hpp>
#include <chainrule/layers/dense.hpp>
#include <chainrule/losses/squared_error.hpp>
#include <chainrule/network.hpp>
#include <chainrule/optimizers/adam.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "support/count_allocations.hpp"
#include "support/flags.hpp"
#include "support/gnuplot.hpp"
#include "support/output_folder.hpp"
namespace cr = chainrule;
using cr::Index;

constexpr double dt = 0.005;  // seconds between two ticks of the control loop

// The plant: an arm on a motor with the torque u, at most 10 Nm. Weight and friction pull at it; the controller knows of neither.
//     0.1 q'' = u - 2 sin q - 0.1 q' - 0.3 sign(q')           q: the angle in rad, 0 is hanging down
struct Arm {
  double q = 0, velocity = 0;
  void move(double u) {
    for (int part = 0; part < 10; ++part) {
      const double acceleration = (u - 2 * std::sin(q) - 0.1 * velocity - 0.3 * std::tanh(velocity / 0.05)) / 0.1;
      velocity += acceleration * dt / 10;
      q += velocity * dt / 10;
    }
  }
};

// Where the arm should be: two swings at once that begin anew every 4 seconds, with their first and second derivative.
constexpr double w = std::numbers::pi / 2;
struct Target {
  explicit Target(double t)
      : q{1.2 * std::sin(w * t) + 0.5 * std::sin(2 * w * t)},
        velocity{w * (1.2 * std::cos(w * t) + std::cos(2 * w * t))},
        acceleration{-w * w * (1.2 * std::sin(w * t) + 2 * std::sin(2 * w * t))} {}
  double q, velocity, acceleration;
};

// The net says which torque goes with an angle, a velocity and an acceleration, beyond the 0.05 q'' that the controller takes for granted.
using Net = cr::Network<float, cr::SquaredError, cr::Dense<3, 24, cr::Tanh>, cr::Dense<24, 24, cr::Tanh>, cr::Dense<24, 1>>;
Eigen::Vector3f input(double q, double velocity, double acceleration) {  // of about one size
  return Eigen::Vector3d(q, velocity / 3, acceleration / 10).cast<float>();
}
struct Sample {
  Eigen::Vector3f x;
  float y;
};

// From the control loop to the learner: what was seen. One thread pushes, one pops, neither waits; if it is full, a sample is lost.
class Samples {
 public:
  void push(const Sample& sample) {
    const std::size_t end = end_.load(std::memory_order_relaxed);
    if (end - begin_.load(std::memory_order_acquire) == room_.size()) return;
    room_[end % room_.size()] = sample;
    end_.store(end + 1, std::memory_order_release);
  }
  bool pop(Sample& sample) {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    if (begin == end_.load(std::memory_order_acquire)) return false;
    sample = room_[begin % room_.size()];
    begin_.store(begin + 1, std::memory_order_release);
    return true;
  }

 private:
  std::array<Sample, 1024> room_;
  std::atomic<std::size_t> begin_{0}, end_{0};
};

// From the learner to the control loop: weights. Of three nets each thread owns one, and the third changes hands: an exchange of indices.
class Handover {
 public:
  explicit Handover(const Net& net) : nets_{net, net, net} {}
  void give(const Net& net) {  // the learner's side
    nets_[written_].parameters() = net.parameters();
    written_ = between_.exchange(written_ + fresh, std::memory_order_acq_rel) % fresh;
  }
  const Net& newest() {  // the control loop's
    if (between_.load(std::memory_order_relaxed) >= fresh) read_ = between_.exchange(read_, std::memory_order_acq_rel) % fresh;
    return nets_[read_];
  }

 private:
  static constexpr std::size_t fresh = 4;  // is added where the control loop has not seen it
  std::array<Net, 3> nets_;
  std::size_t written_ = 0, read_ = 1;
  std::atomic<std::size_t> between_{2};
};

// What the threads share, beside the clock.
struct Shared {
  explicit Shared(const Net& net) : handover{net} {}
  Samples samples;
  Handover handover;
  std::atomic<long> now{0}, ticks_done{0}, rounds_done{0};  // the time in ticks, and how far the threads are
  std::atomic<bool> running{true};
};

void wait_for(const std::atomic<long>& counter, long least) {
  for (long is = counter.load(); is < least; is = counter.load()) counter.wait(is);
}
void count(std::atomic<long>& counter) {
  ++counter;
  counter.notify_all();
}

// The control loop. Set-up allocates, a tick does not.
void control(Shared& shared, long ticks, std::uint64_t seed, std::vector<std::vector<double>>& log) {
  auto work = shared.handover.newest().make_workspace<1>();
  cr::Random noise{cr::Seed{seed}};
  Arm arm{0, Target(0).velocity};
  double measured = arm.velocity;
  const examples::CountAllocations counted;
  for (long tick = 0; tick < ticks; ++tick) {
    wait_for(shared.now, tick + 1);
    const Target target(static_cast<double>(tick) * dt);
    const double wanted = target.acceleration + 60 * (target.q - arm.q) + 10 * (target.velocity - measured);
    const auto y_hat = shared.handover.newest().predict(input(arm.q, measured, wanted), work);
    const double u = std::clamp(0.05 * wanted + static_cast<double>(y_hat(0, 0)), -10.0, 10.0);

    const double q = arm.q, before = measured;
    arm.move(u);
    measured = arm.velocity + 0.002 * noise.normal();
    const double acceleration = (measured - before) / dt;
    shared.samples.push({input(q, before, acceleration), static_cast<float>(u - 0.05 * acceleration)});
    log[static_cast<std::size_t>(tick)] = {static_cast<double>(tick) * dt, target.q, q, target.q - q};
    count(shared.ticks_done);
  }
}

// The learner: the five steps, on random samples of the latest 4096, as long as the program runs; in simulated time a few each tick.
std::uint64_t learn(Shared& shared, Net net, std::uint64_t seed, long steps_a_tick) {
  constexpr Index batch = 32, memory = 4096;
  auto work = net.make_workspace<batch>();
  auto dJ = net.make_gradients();
  const cr::Adam adam{.learning_rate = 3e-3};
  auto state = adam.make_state(net);
  cr::Random random{cr::Seed{seed}};
  std::vector<Sample> seen(memory);
  Index count_seen = 0;
  cr::Matrix<float, 3, batch> x;
  cr::Matrix<float, 1, batch> y;
  const examples::CountAllocations counted;
  for (long round = 0; shared.running; ++round) {
    if (steps_a_tick > 0) wait_for(shared.now, round / steps_a_tick + 1);
    for (Sample sample; shared.samples.pop(sample);) seen[static_cast<std::size_t>(count_seen++ % memory)] = sample;
    if (count_seen >= batch) {
      for (Index j = 0; j < batch; ++j) {
        const Sample& sample = seen[random.below(static_cast<std::uint64_t>(std::min(count_seen, memory)))];
        x.col(j) = sample.x;
        y[j] = sample.y;
      }
      net.forward(x, work);                    // 1, 2  make a prediction; the loss nobody looks at
      net.backward(x, y, work, dJ);            // 3  its gradient
      adam.step(net.parameters(), dJ, state);  // 4  a step in the opposite direction
      if (state.steps % 8 == 0) shared.handover.give(net);
    } else {
      std::this_thread::yield();  // nothing to learn from yet
    }
    count(shared.rounds_done);  // 5  iterate
  }
  return state.steps;
}

int main(int argc, char** argv) try {
  Index seconds = 20, steps_a_tick = 2;
  bool real_time = false;
  std::uint64_t seed = 1;
  examples::Flags flags("Controls an arm with a net that learns meanwhile, in another thread, which torques move it how.");
  flags.add("--seconds", seconds, "How long, in the arm's time", 8, 600);
  flags.add("--steps", steps_a_tick, "How many steps the learner takes in a tick of simulated time");
  flags.add("--real-time", real_time, "A tick is 5 ms, and the learner takes as many steps as it can");
  flags.add_seed(seed, "the initial weights, the samples of each step and the noise of the measurement");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  Net net{cr::Seed{seed}};
  net.layer<2>().weight.setZero();  // so that it says nothing at first
  Shared shared(net);
  const long ticks = std::lround(static_cast<double>(seconds) / dt);
  std::vector<std::vector<double>> log(static_cast<std::size_t>(ticks), std::vector<double>(4));

  std::uint64_t steps = 0;
  std::thread control_thread([&] { control(shared, ticks, seed + 1, log); });
  std::thread learner_thread([&] { steps = learn(shared, net, seed + 2, real_time ? 0 : steps_a_tick); });
  const auto start = std::chrono::steady_clock::now();
  for (long tick = 1; tick <= ticks; ++tick) {  // the clock
    if (real_time) {
      std::this_thread::sleep_until(start + tick * std::chrono::microseconds(5000));
    } else {  // a simulated one, when all have done their part
      wait_for(shared.ticks_done, tick - 1);
      wait_for(shared.rounds_done, (tick - 1) * steps_a_tick);
    }
    count(shared.now);
  }
  control_thread.join();
  shared.running = false;
  shared.now = std::numeric_limits<long>::max();
  shared.now.notify_all();
  learner_thread.join();

  std::printf("the error, as the root of its mean square, of each 4 seconds in which the target repeats itself:");
  std::vector<double> errors;
  for (std::size_t i = 0; i + 800 <= log.size(); i += 800) {  // ticks
    double sum = 0;
    for (std::size_t k = i; k < i + 800; ++k) sum += log[k][3] * log[k][3];
    errors.push_back(std::sqrt(sum / 800));
    std::printf(" %.3f", errors.back());
  }
  std::printf("\n");
  const std::string table = examples::quoted(output.write_table("inside_a_program", {"seconds", "target", "q", "error"}, log));
  output.paint("inside_a_program", 1000, 600,
               "set datafile separator ','\nset multiplot layout 2,1\nset grid\nset key outside top center horizontal\nset lmargin 9\nset "
               "ylabel 'rad'\nplot " +
                   table + " every ::1 using 1:2 with lines linewidth 2 linecolor 'gray60' title 'where it should be', " + table +
                   " every ::1 using 1:3 with lines linewidth 2 linecolor '#286ebe' title 'where it is'\nset xlabel 'seconds'\nplot " +
                   table + " every ::1 using 1:4 with lines linewidth 2 linecolor '#f08c1e' title 'the difference'\nunset multiplot\n");
  std::printf("tracking error %.3f rad in the first 4 seconds, %.3f in the last; ", errors.front(), errors.back());
  if (examples::counts_allocations)
    std::printf("%ld allocations in %ld ticks and %ju steps of learning\n", examples::allocations.load(), ticks, std::uintmax_t{steps});
  else
    std::printf("allocations are not counted here\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "inside_a_program: %s\n", error.what());
  return 1;
}
