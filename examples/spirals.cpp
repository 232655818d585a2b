// Classifies the points of two intertwined spirals, and draws the decision boundary as it forms during training.
#include <chainrule/chainrule.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numbers>
#include <stdexcept>
#include <string>

#include "support/flags.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

// Small tanh nets hardly learn this. SiLU(z) = z sigma(z) is smooth too, but does not saturate for large z, so gradients do not vanish.
using Net = cr::Network<float, cr::BinaryCrossEntropy, cr::Dense<2, 32, cr::SiLU>, cr::Dense<32, 32, cr::SiLU>, cr::Dense<32, 1>>;

/// The task of K. J. Lang and M. J. Witbrock (1988), "Learning to Tell Two Spirals Apart", Proceedings of the 1988 Connectionist Models
/// Summer School, in the form of the CMU Neural Networks Benchmark Collection: for i = 0, 1, ..., 96
///     angle = i pi / 16,   radius = 6.5 (104 - i) / 104,   x = (radius sin(angle), radius cos(angle))
/// is a point of the first spiral, and -x one of the second. Other values of i give other points on the same spirals.
struct Spirals {
  Eigen::Matrix2Xf x;    // one column is one point
  Eigen::RowVectorXf y;  // 0 for points of the first spiral, 1 for points of the second

  /// The points of both spirals for i = first, first + 1, ..., first + count - 1.
  Spirals(double first, Index count) : x(2, 2 * count), y(2 * count) {
    for (Index k = 0; k < count; ++k) {
      const double i = first + static_cast<double>(k);
      const double angle = i * std::numbers::pi / 16;
      const double radius = 6.5 * (104 - i) / 104;
      x.col(2 * k) << static_cast<float>(radius * std::sin(angle)), static_cast<float>(radius * std::cos(angle));
      x.col(2 * k + 1) = -x.col(2 * k);
      y[2 * k] = 0;
      y[2 * k + 1] = 1;
    }
  }
};

/// Writes a PPM picture of the square from (-7, -7) to (7, 7): blue where the net predicts the first spiral, orange for the second, paler
/// the less certain it is. White dots are the training points of the first spiral, black dots those of the second.
constexpr Index side = 420;  // pixels
void write_ppm(const Net& net, const Spirals& spirals, const std::string& path) {
  constexpr float scale = side / 14.0f;
  using Color = Eigen::Vector3f;
  const Color blue(40, 110, 190), orange(240, 140, 30), white(255, 255, 255), black(0, 0, 0);
  std::string pixels(3 * side * side, '\0');
  const auto set = [&](Index row, Index column, const Color& color) {
    for (Index c = 0; c < 3; ++c)
      pixels[static_cast<std::size_t>(3 * (row * side + column) + c)] = static_cast<char>(std::lround(color[c]));
  };

  const auto centres = Eigen::RowVectorXf::LinSpaced(side, -7 + 0.5f / scale, 7 - 0.5f / scale);
  Eigen::Matrix2Xf x(2, side);
  x.row(0) = centres;
  for (Index row = 0; row < side; ++row) {
    x.row(1).setConstant(-centres[row]);  // y points up, but rows are counted from the top
    const Eigen::RowVectorXf y_hat = net.predict(x);
    for (Index column = 0; column < side; ++column) {
      const float certainty = std::abs(2 * y_hat[column] - 1);
      set(row, column, (1 - certainty) * white + certainty * (y_hat[column] < 0.5f ? blue : orange));
    }
  }
  for (Index i = 0; i < spirals.x.cols(); ++i) {
    const auto column = static_cast<Index>((7 + spirals.x(0, i)) * scale);
    const auto row = static_cast<Index>((7 - spirals.x(1, i)) * scale);
    const bool is_first = spirals.y[i] < 0.5f;
    for (Index r = -3; r <= 3; ++r)
      for (Index c = -3; c <= 3; ++c)
        if (r * r + c * c <= 13) set(row + r, column + c, is_first == (r * r + c * c <= 5) ? white : black);  // a disc with a ring
  }
  std::ofstream file(path, std::ios::binary);
  file << "P6 " << side << " " << side << " 255\n" << pixels;
  if (!file.flush()) throw std::runtime_error("cannot write \"" + path + "\"");
}

/// Draws the net's predictions in the plane after several epochs, side by side in one picture.
class DecisionBoundary {
 public:
  DecisionBoundary(const Spirals& spirals, const examples::TrainingOutput& output) : spirals_{spirals}, output_{output} {}

  void add(const Net& net, Index epoch) {
    const std::string path = output_.path("spirals_" + std::to_string(epoch) + ".ppm");
    write_ppm(net, spirals_, path);
    std::printf("decision boundary: %s\n", path.c_str());
    ++panels_;
    plots_ += "set title 'after " + std::to_string(epoch) + " epochs'\nplot " + examples::quoted(path) +
              " binary array=(420,420) skip=15 format='%uchar' flipy dx=1./30 dy=1./30 origin=(-7,-7) with rgbimage notitle, "
              "NaN with points pointtype 6 linecolor 'black' title 'first spiral', "
              "NaN with points pointtype 7 linecolor 'black' title 'second spiral', "
              "NaN with boxes fillstyle solid noborder linecolor '#286ebe' title 'net: first', "
              "NaN with boxes fillstyle solid noborder linecolor '#f08c1e' title 'net: second'\n";
  }

  void paint() const {
    output_.paint(
        "spirals", 300 * panels_, 390,
        "set tics 5 scale 0.5 textcolor 'black'\nset border linecolor 'gray'\nset size ratio -1\nset xrange [-7:7]\nset yrange [-7:7]\n"
        "set xlabel 'x1' offset 0,0.5\nset ylabel 'x2' offset 1.5,0\nset key outside bottom center maxrows 2 samplen 1 Left reverse font "
        "',10' width -1\n"
        "set multiplot layout 1," +
            std::to_string(panels_) + " margins 0.04,0.99,0.25,0.93 spacing 0.04\n" + plots_ + "unset multiplot\n");
  }

 private:
  const Spirals& spirals_;
  const examples::TrainingOutput& output_;
  int panels_ = 0;
  std::string plots_;
};

int main(int argc, char** argv) try {
  Index epochs = 3000;
  double learning_rate = 0.01;
  std::uint64_t seed = 1;
  examples::Flags flags("Learns to classify the points of two spirals, with all points in one batch.");
  flags.add("--epochs", epochs, "Largest number of steps");
  flags.add("--learning-rate", learning_rate, "Step size of gradient descent");
  flags.add_seed(seed, "the initial weights");
  const examples::TrainingOutput output(flags, "spirals");
  flags.parse(argc, argv);

  const Spirals spirals(0, 97);
  const Spirals between(0.5, 96);  // points halfway between those, not used for training
  Net net{cr::Seed{seed}};
  std::printf("%s\n", cr::summary(net).c_str());

  const auto stop_when_learned = [](auto& run) {
    if (run.value("accuracy") == 1 && run.loss < 0.02) run.stop("all points are right, and the loss is below 0.02");
  };
  DecisionBoundary boundary(spirals, output);
  const auto draw = [&](const auto& run) {
    if (run.epoch == 100 || run.epoch == 300 || run.epoch == 400) boundary.add(net, run.epoch);
  };
  cr::Trainer trainer{net, cr::Adam{.learning_rate = learning_rate}};
  const auto history =
      trainer.fit(cr::DataView{spirals.x, spirals.y},
                  {.epochs = epochs, .batch_size = spirals.x.cols(), .metrics = {cr::accuracy}, .training_metrics = true},  //
                  stop_when_learned, draw, cr::ProgressBar{.every_epochs = 100});
  output.write_learning_curves(history);
  boundary.add(net, history.epochs());
  boundary.paint();

  const auto right = [&net](const Spirals& s) { return cr::ConfusionMatrix(net.predict(s.x), s.y).counts().trace(); };
  std::printf("after %td epochs, %td of %td new points halfway between the training points are right\n", history.epochs(), right(between),
              between.y.size());
  std::printf("training accuracy %.4f (%td of %td)\n", cr::accuracy(net.predict(spirals.x), spirals.y), right(spirals), spirals.y.size());
} catch (const std::exception& error) {
  std::fprintf(stderr, "spirals: %s\n", error.what());
  return 1;
}
