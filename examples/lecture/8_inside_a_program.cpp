// A net that learns inside a running program: a control loop predicts at a fixed rate while a second thread trains the net.
//
// A controller moves an arm along a target. The net learns which torque produces which motion, from what the controller measures. The
// control loop must never wait and must not allocate memory: samples and weights pass between the threads through lock-free buffers, and
// all memory is allocated at set-up. Run with --real-time, the loop runs at 200 Hz; by default time is simulated, so that every run gives
// the same numbers.
#include <algorithm>
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
#include <thread>
#include <vector>

#include "support/arm.hpp"  // Arm and Target
#include "support/count_allocations.hpp"
#include "support/flags.hpp"
#include "support/output_folder.hpp"
#include "support/thread_communication.hpp"  // SpscQueue, LatestNet and Counter
namespace cr = chainrule;
using cr::Index;

constexpr double dt = 0.005;  // seconds between two ticks of the control loop

// The net maps angle q, velocity q' and wanted acceleration q'' to the torque that is needed beyond 0.05 q'', the controller's rough guess.
using Net = cr::Network<float, cr::SquaredError, cr::Dense<3, 24, cr::Tanh>, cr::Dense<24, 24, cr::Tanh>, cr::Dense<24, 1>>;
Eigen::Vector3f input(double q, double velocity, double acceleration) {  // scaled to similar magnitudes
  return Eigen::Vector3d(q, velocity / 3, acceleration / 10).cast<float>();
}
struct Sample {
  Eigen::Vector3f x;
  float y;
};

// Data that the threads share: samples pass from the control loop to the learner, and weights back, without either waiting for the other.
struct Shared {
  explicit Shared(const Net& net) : weights{net} {}
  examples::SpscQueue<Sample, 1024> samples;
  examples::LatestNet<Net> weights;
  examples::Counter now, ticks_done, rounds_done;  // the time in ticks, and the progress of the two threads
  std::atomic<bool> running{true};
};

// The control loop: a linear feedback controller plus the torque that the net predicts. It knows nothing of gravity and friction, which the
// net has to learn. Allocates at set-up only, not in a tick.
void control(Shared& shared, long ticks, std::uint64_t seed, examples::ArmLog& log) {
  auto work = shared.weights.latest().make_workspace<1>();
  cr::Random noise{cr::Seed{seed}};
  examples::Arm arm{0, examples::Target(0).velocity};
  double measured = arm.velocity;
  const examples::CountAllocations counted;
  for (long tick = 0; tick < ticks; ++tick) {
    shared.now.wait_for(tick + 1);
    const examples::Target target(static_cast<double>(tick) * dt);
    const double wanted = target.acceleration + 60 * (target.q - arm.q) + 10 * (target.velocity - measured);
    const auto y_hat = shared.weights.latest().predict(input(arm.q, measured, wanted), work);
    const double u = std::clamp(0.05 * wanted + static_cast<double>(y_hat(0, 0)), -10.0, 10.0);

    const double q = arm.q, before = measured;
    arm.move(u, dt);
    measured = arm.velocity + 0.002 * noise.normal();
    const double acceleration = (measured - before) / dt;
    shared.samples.push({input(q, before, acceleration), static_cast<float>(u - 0.05 * acceleration)});
    log[static_cast<std::size_t>(tick)] = {static_cast<double>(tick) * dt, target.q, q, target.q - q};
    shared.ticks_done.increment();
  }
}

// The learner: gradient descent on random batches of the latest 4096 samples, as long as the program runs. With steps_a_tick > 0 it takes
// that many steps per tick of simulated time.
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
    if (steps_a_tick > 0) shared.now.wait_for(round / steps_a_tick + 1);
    for (Sample sample; shared.samples.pop(sample);) seen[static_cast<std::size_t>(count_seen++ % memory)] = sample;
    if (count_seen >= batch) {
      for (Index j = 0; j < batch; ++j) {
        const Sample& sample = seen[random.below(static_cast<std::uint64_t>(std::min(count_seen, memory)))];
        x.col(j) = sample.x;
        y[j] = sample.y;
      }
      net.forward(x, work);                    // 1  make a prediction (2, the value of the loss, is not needed)
      net.backward(x, y, work, dJ);            // 3  calculate the gradient of the loss
      adam.step(net.parameters(), dJ, state);  // 4  update the parameters by a step in the opposite direction
      if (state.steps % 8 == 0) shared.weights.publish(net);
    } else {
      std::this_thread::yield();  // too few samples yet
    }
    shared.rounds_done.increment();  // 5  iterate
  }
  return state.steps;
}

int main(int argc, char** argv) try {
  Index seconds = 20, steps_a_tick = 2;
  bool real_time = false;
  std::uint64_t seed = 1;
  examples::Flags flags("Controls an arm with a net that learns, in another thread, which torque produces which motion.");
  flags.add("--seconds", seconds, "Duration in seconds of the arm's time", 8, 600);
  flags.add("--steps", steps_a_tick, "Number of training steps per tick of simulated time");
  flags.add("--real-time", real_time, "Run in real time: one tick is 5 ms, and the learner takes as many steps as it can");
  flags.add_seed(seed, "the initial weights, the samples of each step and the noise of the measurement");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  Net net{cr::Seed{seed}};
  net.layer<2>().weight.setZero();  // an untrained net must predict 0
  Shared shared(net);
  const long ticks = std::lround(static_cast<double>(seconds) / dt);
  examples::ArmLog log(static_cast<std::size_t>(ticks), std::vector<double>(4));

  std::uint64_t steps = 0;
  std::thread control_thread([&] { control(shared, ticks, seed + 1, log); });
  std::thread learner_thread([&] { steps = learn(shared, net, seed + 2, real_time ? 0 : steps_a_tick); });
  const auto start = std::chrono::steady_clock::now();
  for (long tick = 1; tick <= ticks; ++tick) {  // advances the clock
    if (real_time) {
      std::this_thread::sleep_until(start + tick * std::chrono::microseconds(5000));
    } else {  // simulated time goes on when both threads have finished the last tick
      shared.ticks_done.wait_for(tick - 1);
      shared.rounds_done.wait_for((tick - 1) * steps_a_tick);
    }
    shared.now.increment();
  }
  control_thread.join();
  shared.running = false;
  shared.now.release();
  learner_thread.join();

  const std::vector<double> errors = examples::print_tracking_errors(log, std::lround(4 / dt));
  examples::plot_tracking("inside_a_program", log, output);
  std::printf("tracking error %.3f rad in the first 4 seconds, %.3f in the last; ", errors.front(), errors.back());
  if (examples::counts_allocations)
    std::printf("%ld allocations in %ld ticks and %ju steps of learning\n", examples::allocations.load(), ticks, std::uintmax_t{steps});
  else
    std::printf("allocations are not counted here\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "inside_a_program: %s\n", error.what());
  return 1;
}
