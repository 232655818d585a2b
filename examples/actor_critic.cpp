// Learns to swing up a pendulum and to hold it, with an actor that chooses torques and two critics that judge them.
//
// The motor is too weak to lift the pendulum at once: it has to swing to and fro first. Nobody tells the nets how. They only get a reward
// after each step, and learn from their own tries by TD3, the twin delayed deep deterministic policy gradient of S. Fujimoto, H. van Hoof
// and D. Meger (2018), "Addressing Function Approximation Error in Actor-Critic Methods", ICML:
//
//     actor     a = mu(s)              the torque a, chosen in state s
//     critics   Q_1(s, a), Q_2(s, a)   the sum of future rewards, r + gamma r' + gamma^2 r'' + ..., if a is chosen now and mu afterwards
//
// The actor has no targets to learn from. Its gradient comes from outside: the chain rule leads from the critic's output through the action
// into the actor.
#include <algorithm>
#include <array>
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include "support/flags.hpp"
#include "support/gnuplot.hpp"
#include "support/output_folder.hpp"
namespace cr = chainrule;
using cr::Index;

// The loss of the actor is never used.
using Actor = cr::Network<float, cr::SquaredError, cr::Dense<3, 64, cr::ReLU>, cr::Dense<64, 64, cr::ReLU>, cr::Dense<64, 1, cr::Tanh>>;
using Critic = cr::Network<float, cr::SquaredError, cr::Dense<4, 64, cr::ReLU>, cr::Dense<64, 64, cr::ReLU>, cr::Dense<64, 1>>;

constexpr Index episode = 200;  // steps of 0.05 seconds from a random start
constexpr Index batch = 64;

/// The task "Pendulum-v1" of Gymnasium: a rod of 1 kg and 1 m, g = 10 m/s^2.
struct Pendulum {
  double angle;     // 0 where it stands upright
  double velocity;  // radians per second

  /// Begins anywhere, with a velocity from -1 to 1.
  explicit Pendulum(cr::Random& random) : angle{(2 * random.uniform() - 1) * std::numbers::pi}, velocity{2 * random.uniform() - 1} {}

  /// The state s that the nets see: three numbers from -1 to 1.
  Eigen::Vector3f state() const { return Eigen::Vector3d(std::cos(angle), std::sin(angle), velocity / 8).cast<float>(); }

  /// Applies a torque of 2 a Nm, for a from -1 to 1, for 0.05 seconds. Returns the reward: close to 0 where it stands still upright, -16 at
  /// the worst.
  double move(double a) {
    constexpr double dt = 0.05, g = 10;
    const double u = 2 * a, from_upright = std::remainder(angle, 2 * std::numbers::pi);
    const double reward = -(from_upright * from_upright + 0.1 * velocity * velocity + 0.001 * u * u);
    velocity = std::clamp(velocity + (1.5 * g * std::sin(angle) + 3 * u) * dt, -8.0, 8.0);
    angle += velocity * dt;
    return reward;
  }
};

/// All steps so far, from which batches are drawn (experience replay).
class Memory {
 public:
  explicit Memory(Index most) : state_action_(4, most), next_state_(3, most), reward_(most) {}

  void add(const Eigen::Vector3f& state, float action, double reward, const Eigen::Vector3f& next_state) {
    state_action_.col(size_) << state, action;
    next_state_.col(size_) = next_state;
    reward_[size_++] = static_cast<float>(reward / 16);  // so that rewards are from -1 to 0
  }

  /// Draws the columns of a batch: (s, a), r, and s' in the upper rows of `next`.
  void draw(cr::Random& random, Eigen::Matrix4Xf& state_action, Eigen::RowVectorXf& reward, Eigen::Matrix4Xf& next) const {
    for (Index j = 0; j < batch; ++j) {
      const auto k = static_cast<Index>(random.below(static_cast<std::uint64_t>(size_)));
      state_action.col(j) = state_action_.col(k);
      reward[j] = reward_[k];
      next.col(j).head<3>() = next_state_.col(k);
    }
  }

 private:
  Eigen::Matrix4Xf state_action_;
  Eigen::Matrix3Xf next_state_;
  Eigen::RowVectorXf reward_;
  Index size_ = 0;
};

/// A net that learns, and its target: a copy that follows slowly, so that what the critics learn from does not run away from them.
template <class Net>
struct Learner {
  Net net, target;
  typename Net::template Workspace<> work;
  typename Net::Gradients dJ;
  cr::Adam adam{.learning_rate = 1e-3};
  cr::OptimizerState<float> state;

  explicit Learner(cr::Seed seed)
      : net{seed}, target{net}, work{net.make_workspace(batch)}, dJ{net.make_gradients()}, state{adam.make_state(net)} {}

  void step() { adam.step(net.parameters(), dJ, state); }

  /// theta_target <- (1 - tau) theta_target + tau theta
  void move_target() { cr::blend(target, net, 0.01); }
};

class TD3 {
 public:
  explicit TD3(std::uint64_t seed)
      : actor{cr::Seed{seed}}, critics{Learner<Critic>{cr::Seed{seed + 1}}, Learner<Critic>{cr::Seed{seed + 2}}} {}

  /// One step of learning from a batch of the memory. The actor and the targets move in every second step.
  void learn(const Memory& memory, cr::Random& random, bool actor_too) {
    memory.draw(random, state_action_, reward_, next_);

    // a' = mu_target(s') + noise, from -1 to 1: actions that differ a little have to be worth about the same
    const auto next_action = actor.target.predict(next_.topRows<3>(), actor.work);
    for (Index j = 0; j < batch; ++j) {
      const auto noise = static_cast<float>(std::clamp(0.2 * random.normal(), -0.5, 0.5));
      next_(3, j) = std::clamp(next_action(0, j) + noise, -1.0f, 1.0f);
    }
    // y = r + gamma min(Q_1, Q_2)(s', a') of the targets: of two errors the smaller one, because the actor seeks those that are too large
    constexpr float gamma = 0.98f;
    y_ = critics[0].target.predict(next_, critics[0].work);
    y_ = reward_ + gamma * y_.cwiseMin(critics[1].target.predict(next_, critics[1].work));

    // critics:  J_i = 1/2 mean (Q_i(s, a) - y)^2
    for (auto& critic : critics) {
      critic.net.forward(state_action_, critic.work);
      critic.net.backward(state_action_, y_, critic.work, critic.dJ);
      critic.step();
    }
    if (!actor_too) return;

    // actor:  J = -mean Q_1(s, mu(s)),  dJ/dQ = -1/batch,  dJ/da = dJ/dQ dQ_1/da,  dJ/dtheta = sum over the batch: (dmu/dtheta)^T dJ/da
    // Q_1 stays as it is here, so no gradient by its parameters is computed.
    const auto s = state_action_.topRows<3>();
    Critic& Q = critics[0].net;
    state_action_.bottomRows<1>() = actor.net.forward(s, actor.work);
    Q.forward(state_action_, critics[0].work);
    Q.input_gradient(state_action_, cr::from_outside(dJ_dQ_), critics[0].work, dJ_dsa_);
    actor.net.backward(s, cr::from_outside(dJ_dsa_.bottomRows<1>()), actor.work, actor.dJ);
    actor.step();

    actor.move_target();
    for (auto& critic : critics) critic.move_target();
  }

  Learner<Actor> actor;
  std::array<Learner<Critic>, 2> critics;

 private:
  Eigen::Matrix4Xf state_action_{4, batch}, next_{4, batch}, dJ_dsa_{4, batch};
  Eigen::RowVectorXf reward_{batch}, y_{batch}, dJ_dQ_ = Eigen::RowVectorXf::Constant(batch, -1.0f / batch);
};

/// The angle in degrees, 0 upright and always from -180 to 180, and the torque, in each step of an episode.
using Motion = std::vector<std::vector<double>>;

/// The returns, sums of rewards, of so many test episodes without noise, which always begin in the same places.
std::vector<double> test(const Actor& actor, Index episodes, Motion* first = nullptr) {
  cr::Random random{cr::Seed{1000}};
  std::vector<double> returns;
  for (Index i = 0; i < episodes; ++i) {
    Pendulum pendulum(random);
    if (i == 0) pendulum.angle = std::numbers::pi, pendulum.velocity = 0;  // hangs still: the hardest place to begin
    double sum = 0;
    for (Index t = 0; t < episode; ++t) {
      const double a = actor.predict(pendulum.state())[0];
      if (i == 0 && first != nullptr)
        first->push_back(
            {0.05 * static_cast<double>(t), std::remainder(pendulum.angle, 2 * std::numbers::pi) * 180 / std::numbers::pi, 2 * a});
      sum += pendulum.move(a);
    }
    returns.push_back(sum);
  }
  return returns;
}

double mean(const std::vector<double>& numbers) { return Eigen::Map<const Eigen::VectorXd>(numbers.data(), std::ssize(numbers)).mean(); }

const char* const picture = R"(
set datafile separator ','
set grid; set key bottom right
set multiplot layout 1,2
set title 'Return of 20 test episodes'
set xlabel 'steps'; set ylabel 'sum of rewards'
plot returns every ::1 using 1:3:4 with filledcurves linecolor '#c8dcf0' title 'worst to best', \
     returns every ::1 using 1:2 with linespoints linewidth 2 pointtype 7 pointsize 0.6 linecolor '#286ebe' title 'mean'
set title 'From hanging still, at the end'
set xlabel 'seconds'; set ylabel 'angle in degrees'; set yrange [-190:190]; set ytics 90 nomirror
set y2label 'torque in Nm'; set y2range [-2.2:2.2]; set y2tics 1
plot motion every ::1 using 1:3 axes x1y2 with steps linecolor '#f08c1e' title 'torque', \
     motion every ::1 using 1:2 with points pointtype 7 pointsize 0.5 linecolor '#286ebe' title 'angle, 0 upright'
unset multiplot
)";

int main(int argc, char** argv) try {
  Index steps = 10'000;
  std::uint64_t seed = 1;
  examples::Flags flags("Learns to swing up a pendulum by its own tries, with TD3: an actor, two critics and their target nets.");
  flags.add("--steps", steps, "Number of steps of the pendulum, each with a step of learning; 200 are an episode", 200);
  flags.add_seed(seed, "the initial weights, the starts of the episodes, the noise and the batches");
  const examples::OutputFolder output(flags);
  flags.parse(argc, argv);

  TD3 td3(seed);
  const double before = mean(test(td3.actor.net, 100));
  Memory memory(steps);
  cr::Random random{cr::Seed{seed + 3}};
  Pendulum pendulum(random);
  double sum = 0, last_return = 0;
  std::vector<std::vector<double>> returns;
  std::printf("                        return of 20 test episodes\n");
  std::printf(" steps  last episode       mean     worst      best\n");
  for (Index step = 0; step <= steps; ++step) {
    if (step % episode == 0) {
      if (step > 0) last_return = sum;
      pendulum = Pendulum(random);
      sum = 0;
    }
    if (step % 1000 == 0 || step == steps) {
      const std::vector<double> tested = test(td3.actor.net, 20);
      const auto [worst, best] = std::minmax_element(tested.begin(), tested.end());
      returns.push_back({static_cast<double>(step), mean(tested), *worst, *best});
      std::printf("%6td  %12.1f  %9.1f %9.1f %9.1f\n", step, last_return, returns.back()[1], *worst, *best);
    }
    if (step == steps) break;

    // any action at first, later the actor's with noise
    const Eigen::Vector3f s = pendulum.state();
    const double chosen = step < 1000 ? 2 * random.uniform() - 1 : td3.actor.net.predict(s)[0] + 0.1 * random.normal();
    const auto a = static_cast<float>(std::clamp(chosen, -1.0, 1.0));
    const double reward = pendulum.move(a);
    memory.add(s, a, reward, pendulum.state());
    sum += reward;
    if (step >= batch) td3.learn(memory, random, step % 2 == 0);
  }

  Motion motion;
  const double result = mean(test(td3.actor.net, 100, &motion));
  const std::string script =
      "returns = " + examples::quoted(output.write_table("actor_critic_returns", {"steps", "mean", "worst", "best"}, returns)) +
      "\nmotion = " + examples::quoted(output.write_table("actor_critic_motion", {"seconds", "angle", "torque"}, motion)) + "\n";
  output.paint("actor_critic", 1200, 450, script + picture);
  std::printf("mean return %.1f of 100 test episodes after %td steps, %.1f before the first\n", result, steps, before);
} catch (const std::exception& error) {
  std::fprintf(stderr, "actor_critic: %s\n", error.what());
  return 1;
}
