#include <atomic>
#include <chainrule/chainrule.hpp>
#include <string_view>
#include <thread>

#include "support/catch.hpp"
#include "support/kernels_compiled_once.hpp"
#include "support/rings.hpp"
#include "support/temporary_folder.hpp"
#include "support/thread_ranks.hpp"

using namespace chainrule;
using chainrule_test::on_ranks;

namespace {

using Net = Network<float, SoftmaxCrossEntropy, Dense<2, 16>, BatchNorm<>, Activate<ReLU>, Dropout<>, Dense<16, 2>>;

Net new_net() { return Net{Seed{3}}; }

Dataset<float> weighted_rings(Index samples) {
  Dataset<float> data = chainrule_test::rings<float>(samples, 1);
  data.weights = Vector<float>::LinSpaced(samples, 0.5f, 2);
  return data;
}
const Dataset<float>& train_data() {
  static const Dataset<float> data = weighted_rings(531);  // the last batch of an epoch has fewer samples, in shards of two sizes
  return data;
}
const Dataset<float>& validation_data() {
  static const Dataset<float> data = chainrule_test::rings<float>(100, 2);
  return data;
}
FitOptions<float, Labels<int>> usual_options() {
  return {.epochs = 4, .batch_size = 128, .validation = validation_data(), .schedule = Cosine{.period = 4}, .clip_norm = 1, .l2 = 1e-4};
}

/// The results of a training as bytes.
template <class TrainerType, class... More>
std::string bytes_of(const Net& net, const TrainerType& trainer, const History& history, More&... more) {
  std::string bytes;
  Archive archive = Archive::writing(bytes);
  Net copy = net;
  auto state = trainer.state();
  archive(copy.parameters(), copy.buffers(), state.steps, state.flat(), more...);
  for (const std::string& name : history.names()) archive(name, history[name]);
  return bytes;
}

/// Stops the training of rank 1, or of a single rank.
struct Stop {
  Index after = -1;        ///< the step after which it stops
  Index after_epoch = -1;  ///< the epoch after which it stops
  Index steps = 0;         ///< the steps that it has seen

  void batch_ended(Progress& run) {
    if (++steps == after) run.stop("this rank stops");
  }
  void epoch_ended(Progress& run) {
    if (run.epoch == after_epoch) run.stop("this rank stops");
  }
};

std::string train(Ranks& ranks, const FitOptions<float, Labels<int>>& options, const Checkpoint& checkpoint, Stop& stop) {
  Net net = new_net();
  Trainer trainer{net, Adam{.learning_rate = 0.02}};
  EarlyStopping stopping{.patience = 2};
  if (ranks.rank() != 1 && ranks.ranks() > 1) stop = {};
  const auto part = ranks.part_of(train_data());
  History history;
  if (checkpoint.path.empty())
    history = trainer.fit(part, options, ranks, stopping, stop);
  else
    history = trainer.fit(part, options, ranks, stopping, checkpoint, stop);
  return bytes_of(net, trainer, history, stopping, history.stopped_because);
}
std::string train(Ranks& ranks, const FitOptions<float, Labels<int>>& options = usual_options(), const std::string& checkpoint = "",
                  Index stop_after = -1) {
  Stop stop{.after = stop_after};
  return train(ranks, options, Checkpoint{.path = checkpoint, .every_steps = 3}, stop);
}

/// The identity, which throws in one of its next calls, whatever thread makes it.
struct Picky {
  static constexpr std::string_view name = "Picky";
  static inline std::atomic<int> calls_before_it_throws = -1;
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    count();
    return z;
  }
  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    count();
    return Chunk::Ones(a.size());
  }
  HeNormal default_initializer() const { return {}; }
  static void count() {
    if (calls_before_it_throws-- == 0) throw StateError("picky");
  }
};

void check_all_equal(const std::vector<std::string>& results, const std::string& expected) {
  for (const std::string& one : results) CHECK(one == expected);
}

}  // namespace

TEST_CASE("a training has the same bits for 1, 2, 4 and 8 ranks") {
  const std::string expected = on_ranks(1, {}, [](Ranks& ranks) { return train(ranks); })[0];
  CHECK(!expected.empty());
  for (const Index bytes : {0, 1})  // 1: the sum of each layer begins as soon as its gradient is complete
    for (const Index count : {2, 4, 8})
      check_all_equal(on_ranks(count, {.bucket_bytes = bytes}, [](Ranks& ranks) { return train(ranks); }), expected);
  auto with_threads = usual_options();
  with_threads.threads = 2;
  check_all_equal(on_ranks(2, {}, [&](Ranks& ranks) { return train(ranks, with_threads); }), expected);
}

TEST_CASE("a step on ranks is that of the whole batch, but for rounding") {
  // without shuffling, a batch of all samples has the same samples whatever the shards
  const FitOptions<double, ConstMatrixView<double>> options{
      .epochs = 3, .batch_size = 104, .shuffle = false, .clip_norm = 0.05, .l1 = 1e-3};
  const Matrix<double> x = Matrix<double>::Random(3, 101), y = x.topRows(1).array().square();
  Vector<double> w = Vector<double>::LinSpaced(101, 0.1, 3);
  const auto with = [&](auto&... ranks) {
    Network<double, MeanSquaredError, Dense<3, 8, Tanh>, Dense<8, 1>> net{Seed{1}};
    Trainer trainer{net, SGD{.learning_rate = 0.1, .momentum = 0.9}};
    const DataView data{x, y, w};
    History history;
    if constexpr (sizeof...(ranks) == 0)
      history = trainer.fit(data, options);
    else
      history = trainer.fit((ranks.part_of(data), ...), options, ranks...);
    return std::tuple{Vector<double>(net.parameters()), history["loss"], history.notes};
  };
  const auto check = [&] {
    const auto [theta, losses, notes] = with();
    const auto results = on_ranks(4, {}, [&](Ranks& ranks) { return with(ranks); });
    for (const auto& [theta_of_rank, losses_of_rank, notes_of_rank] : results) {
      CHECK(notes_of_rank == notes);
      CHECK((theta_of_rank - theta).cwiseAbs().maxCoeff() < 1e-14);
      for (std::size_t i = 0; i < 3; ++i) CHECK(losses_of_rank[i] == chainrule_test::Approx(losses[i]).epsilon(1e-13));
    }
  };
  check();
  w.head(25).setZero();  // all samples of rank 0
  w.segment(90, 5).setZero();
  check();

  w.setZero();
  std::vector<std::string> errors;
  on_ranks(
      4, {}, [&](Ranks& ranks) { return with(ranks); }, &errors);
  for (const std::string& error : errors) CHECK_THAT(error, chainrule_test::ContainsSubstring("all weights of the samples are 0"));
}

TEST_CASE("where BatchNorm takes its statistics from all shards, a training has the same bits for 1, 2, 4 and 8 ranks") {
  const RankOptions sync{.sync_batch_norm = true};
  const std::string expected = on_ranks(1, sync, [](Ranks& ranks) { return train(ranks); })[0];
  CHECK(expected != on_ranks(1, {}, [](Ranks& ranks) { return train(ranks); })[0]);
  for (const Index count : {2, 4, 8}) check_all_equal(on_ranks(count, sync, [](Ranks& ranks) { return train(ranks); }), expected);
  auto with_threads = usual_options();
  with_threads.threads = 2;
  check_all_equal(on_ranks(2, sync, [&](Ranks& ranks) { return train(ranks, with_threads); }), expected);

  const chainrule_test::TemporaryFolder folder;
  const std::string path = folder.path("run.checkpoint");
  on_ranks(4, sync, [&](Ranks& ranks) { return train(ranks, usual_options(), path, 7); });
  std::vector<std::string> errors;
  on_ranks(
      2, {}, [&](Ranks& ranks) { return train(ranks, usual_options(), path); }, &errors);
  CHECK_THAT(errors[0], chainrule_test::ContainsSubstring("BatchNorm: statistics of all shards"));
  check_all_equal(on_ranks(2, sync, [&](Ranks& ranks) { return train(ranks, usual_options(), path); }), expected);
}

TEST_CASE("with sync_batch_norm a step on ranks is that of the whole batch, but for rounding") {
  const auto with = [](Index samples, bool weighted, auto&... ranks) {
    Random random{Seed{5}};
    Matrix<double> x(3, samples);
    for (double& number : x.reshaped()) number = random.normal();
    x.row(1).array() += 1000;
    x.row(2).leftCols(samples / 3).array() += 5;  // shards have other means
    const Matrix<double> y = x.topRows(1).array().square();
    AnyNetwork<double> net{Seed{1},
                           MeanSquaredError{},
                           {BatchNorm<Dynamic>{3}, Dense<Dynamic, Dynamic>{3, 8}, BatchNorm<>{}, Activate<Tanh>{},
                            Residual<BatchNorm<8>, Dense<8, 8>>{}, BatchNorm<>{}, Dense<Dynamic, Dynamic>{8, 1}}};
    net.freeze(5);  // predicts, and merges nothing
    net.buffers().tail(1).setOnes();
    Trainer trainer{net, SGD{.learning_rate = 0.01}};
    const Vector<double> w = Vector<double>::LinSpaced(samples, 0.1, 3);
    const DataView<double, ConstMatrixView<double>> data = weighted ? DataView{x, y, w} : DataView{x, y};
    const FitOptions<double, ConstMatrixView<double>> options{.epochs = 4, .batch_size = (samples + 7) / 8 * 8, .shuffle = false};
    History history;
    if constexpr (sizeof...(ranks) == 0)
      history = trainer.fit(data, options);
    else
      history = trainer.fit((ranks.part_of(data), ...), options, ranks...);
    return std::tuple{Vector<double>(net.parameters()), Vector<double>(net.buffers()), history["loss"]};
  };
  for (const Index samples : {101, 8})  // in shards of 12 and 13, or of one sample
    for (const bool weighted : {false, true}) {
      const auto [theta, buffers, losses] = with(samples, weighted);
      for (const Index count : {1, 4})
        for (const auto& [theta_of_rank, buffers_of_rank, losses_of_rank] :
             on_ranks(count, {.sync_batch_norm = true}, [&](Ranks& ranks) { return with(samples, weighted, ranks); })) {
          CHECK((theta_of_rank - theta).cwiseAbs().maxCoeff() < 1e-12);
          CHECK(((buffers_of_rank - buffers).array().abs() / (1 + buffers.array().abs())).maxCoeff() < 1e-12);
          for (std::size_t i = 0; i < losses.size(); ++i) CHECK(losses_of_rank[i] == chainrule_test::Approx(losses[i]).epsilon(1e-12));
        }
    }
}

TEST_CASE("sums of shards have the same bits for any number of ranks, with every optimizer") {
  using Small = Network<float, MeanSquaredError, Dense<5, 40, Tanh>, Dense<40, 3>>;
  const Matrix<float> x = Matrix<float>::Random(5, 64), y = Matrix<float>::Random(3, 64);
  const auto theta_after = [&](const auto& rule) {
    return [&](Ranks& ranks) {
      Small net{Seed{4}};
      auto work = net.make_workspace(8);
      auto dJ = net.make_gradients();
      auto state = rule.make_state(net);
      ShardSum sum{net, ranks};
      double J = 0;
      for (int step = 0; step < 3; ++step) {
        for (Index s = 0; s < ranks.shards_here(); ++s) {
          const auto x_of_shard = x.middleCols(8 * (ranks.first_shard() + s), 8),
                     y_of_shard = y.middleCols(8 * (ranks.first_shard() + s), 8);
          net.forward(x_of_shard, work);
          const double J_of_shard = static_cast<double>(net.loss(y_of_shard, work));
          if ((ranks.first_shard() + s) % 3 == 0) {  // add of a backward pass that is made apart, on some ranks
            net.backward(x_of_shard, y_of_shard, work, dJ);
            sum.add(net, work, dJ, J_of_shard, 1.0 / 8);
          } else {
            sum.backward_and_add(net, x_of_shard, y_of_shard, work, dJ, J_of_shard, 1.0 / 8);
          }
        }
        J = sum.total(net, dJ);
        rule.step(net.parameters(), dJ, state);
      }
      return std::pair{Vector<float>(net.parameters()), J};
    };
  };
  const auto check = [&](const auto& rule) {
    const auto expected = on_ranks(1, {}, theta_after(rule))[0];
    for (const Index count : {2, 4, 8})
      for (const auto& one : on_ranks(count, {.bucket_bytes = 400}, theta_after(rule))) CHECK(one == expected);
  };
  check(SGD{.learning_rate = 0.1, .momentum = 0.9});
  check(Adam{});
  check(AdamW{});
  check(NAdam{});
  check(Adagrad{});
  check(Adadelta{});
  check(RMSprop{});
  check(Rprop{});
  check(Lion{});
}

TEST_CASE("sums of the last layers begin during the last backward pass of a rank, and nothing is changed where one fails") {
  using Deep = Network<float, MeanSquaredError, Dense<5, 40, Tanh>, Dense<40, 30, Tanh>, Dense<30, 20, Tanh>, Dense<20, 3>>;
  const Matrix<float> x = Matrix<float>::Random(5, 16), y = Matrix<float>::Random(3, 16);
  const auto begin = [&](Ranks& ranks, const auto& end, bool has_first_shard = true) {
    Deep net{Seed{4}};
    net.freeze<1>();
    net.freeze("3.bias");
    auto work = net.make_workspace(4);
    auto dJ = net.make_gradients();
    ShardSum sum{net, ranks};
    for (Index s = 0; s < ranks.shards_here(); ++s) {
      if (!has_first_shard && ranks.first_shard() + s == 0) {
        sum.add_nothing();
        continue;
      }
      const auto x_of_shard = x.middleCols(4 * (ranks.first_shard() + s), 4), y_of_shard = y.middleCols(4 * (ranks.first_shard() + s), 4);
      net.forward(x_of_shard, work);
      sum.backward_and_add(net, x_of_shard, y_of_shard, work, dJ, 1, 0.25);
    }
    return end(net, dJ, sum);
  };
  const auto total = [](Deep& net, Deep::Gradients& dJ, ShardSum<Deep>& sum) {
    sum.total(net, dJ);
    return Vector<float>(dJ.flat());
  };
  const auto nothing = [](Deep&, Deep::Gradients&, ShardSum<Deep>&) { return 0; };
  const auto with = [&](const auto& end) { return [&](Ranks& ranks) { return begin(ranks, end); }; };
  const Vector<float> expected = on_ranks(1, {.shards = 4}, with(total))[0];
  CHECK(expected.tail(3).isZero());
  CHECK(expected.segment(5 * 40 + 40, 40 * 30 + 30).isZero());
  for (const Index bucket_bytes : {1, 300, 3000, 100'000})
    for (const auto& one : on_ranks(4, {.shards = 4, .bucket_bytes = bucket_bytes}, with(total))) CHECK(one == expected);

  // a rank without samples does not hang where each begin_exchange waits for the other rank
  const auto without_first_shard = [&](chainrule_test::ThreadRanks& ranks) {
    ranks.begin_waits = ranks.ranks() > 1;
    return begin(ranks, total, false);
  };
  const Vector<float> of_three_shards = on_ranks(1, {.shards = 4}, without_first_shard)[0];
  for (const auto& one : on_ranks(4, {.shards = 4, .timeout = 10, .bucket_bytes = 1}, without_first_shard)) CHECK(one == of_three_shards);

  // layers 4, 3 and 2 have 252, 2480 and 4920 bytes, which each rank sends before total
  const auto sent = [&](Index bucket_bytes) {
    std::size_t bytes = 0;
    on_ranks(2, {.shards = 4, .bucket_bytes = bucket_bytes}, with(nothing), nullptr, &bytes);
    return bytes;
  };
  CHECK(sent(0) == 0);
  CHECK(sent(2500) == 2 * (252 + 2480 + 4920));
  CHECK(sent(7700) == 0);

  std::vector<std::string> errors;
  on_ranks(
      2, {.shards = 4, .bucket_bytes = 2500},
      [&](Ranks& ranks) {
        return begin(ranks, [&](Deep& net, Deep::Gradients& dJ, ShardSum<Deep>& sum) {
          const Vector<float> before = dJ.flat();
          return ranks.together([&] {
            if (ranks.rank() == 1) throw StateError("no luck");
            try {
              sum.total(net, dJ);
            } catch (const RankError&) {
              if (dJ.flat() != before) throw StateError("dJ has changed");
              CHECK_THROWS_SAYING(sum.total(net, dJ), StateError, "an earlier backward pass or sum has failed");
              throw;
            }
            return 0;
          });
        });
      },
      &errors);
  CHECK(errors == std::vector<std::string>{"rank 1 has stopped: no luck", "no luck"});
}

TEST_CASE("a training that was stopped goes on with another number of ranks to the same bits") {
  const chainrule_test::TemporaryFolder folder;
  const std::string expected = on_ranks(1, {}, [](Ranks& ranks) { return train(ranks); })[0];
  const std::string path = folder.path("run.checkpoint");
  on_ranks(4, {}, [&](Ranks& ranks) { return train(ranks, usual_options(), path, 7); });
  REQUIRE(std::filesystem::exists(path));
  on_ranks(1, {}, [&](Ranks& ranks) { return train(ranks, usual_options(), path, 4); });
  check_all_equal(on_ranks(8, {}, [&](Ranks& ranks) { return train(ranks, usual_options(), path); }), expected);
  std::vector<std::string> errors;
  on_ranks(
      2, {.shards = 4}, [&](Ranks& ranks) { return train(ranks, usual_options(), path); }, &errors);
  CHECK_THAT(errors[0], chainrule_test::ContainsSubstring("expected \"shards: 4\", but found \"shards: 8\""));
}

TEST_CASE("where an observer of one rank stops the training, all ranks stop after the same step") {
  const auto results = on_ranks(4, {}, [](Ranks& ranks) { return train(ranks, usual_options(), "", 7); });
  check_all_equal(results, results[0]);
  CHECK_THAT(results[0], chainrule_test::ContainsSubstring("this rank stops"));
  const auto steps = on_ranks(4, {}, [](Ranks& ranks) {
    Stop stop{.after = 7};
    train(ranks, usual_options(), {}, stop);
    return stop.steps;
  });
  CHECK(steps == std::vector<Index>(4, 8));  // with the eighth step, rank 1 tells the others
}

TEST_CASE("where another rank than the first stops after an epoch, the checkpoint is that of this epoch") {
  const chainrule_test::TemporaryFolder folder;
  const auto steps_with = [&](Index after_epoch) {
    return on_ranks(2, {}, [&](Ranks& ranks) {
      Stop stop{.after_epoch = after_epoch};
      auto options = usual_options();
      options.epochs = 3;
      train(ranks, options, Checkpoint{.path = folder.path("run.checkpoint"), .every_steps = 1000}, stop);
      return stop.steps;
    });
  };
  CHECK(steps_with(2) == std::vector<Index>(2, 10));
  CHECK(steps_with(-1) == std::vector<Index>(2, 5));
}

TEST_CASE("a batch size above the number of samples takes no more memory than all of them") {
  const auto steps = on_ranks(2, {}, [](Ranks& ranks) {
    Stop stop;
    auto options = usual_options();
    options.batch_size = 2'000'000'000;
    train(ranks, options, {}, stop);
    return stop.steps;
  });
  CHECK(steps == std::vector<Index>(2, 4));
}

TEST_CASE("a loss that is not finite on one rank stops all ranks with the place") {
  std::vector<std::string> errors;
  Dataset<float> data = chainrule_test::rings<float>(80, 1);
  data.features(1, 55) = 1e30f;
  on_ranks(
      4, {},
      [&](Ranks& ranks) {
        Network<float, MeanSquaredError, Dense<2, 4>, Dense<4, 1>> net{Seed{3}};
        Matrix<float> y = Matrix<float>::Ones(1, 80);
        const DataView all{data.features, y};
        Trainer trainer{net, Adam{}};
        try {
          trainer.fit(ranks.part_of(all), {.epochs = 2, .batch_size = 16, .shuffle = false}, ranks);
        } catch (const Error&) {
          if (!net.parameters().allFinite()) throw StateError("the parameters are not finite");
          throw;
        }
        return 0;
      },
      &errors);
  // sample 55 is the sixth of shard 5, whose batches have two samples each
  CHECK_THAT(errors[2], chainrule_test::ContainsSubstring("epoch 1, batch 3 of 5, shard 5 on rank 2: the loss is inf"));
  CHECK_THAT(errors[0],
             chainrule_test::ContainsSubstring("rank 2 has stopped: training stopped in epoch 1, batch 3 of 5, shard 5 on rank 2"));
}

TEST_CASE("with sync_batch_norm a loss that is not finite in one shard, or a layer that throws there, stops all ranks") {
  std::vector<std::string> errors;
  const Dataset<float> data = chainrule_test::rings<float>(80, 1);
  Matrix<float> y = Matrix<float>::Ones(1, 80);
  const auto with = [&](Index count, std::uint64_t fewest_steps) {
    on_ranks(
        count, {.sync_batch_norm = true},
        [&](Ranks& ranks) {
          Network<float, MeanSquaredError, Dense<2, 4>, BatchNorm<>, Dense<4, 1, Picky>> net{Seed{3}};
          Trainer trainer{net, Adam{}};
          const DataView all{data.features, y};
          try {
            trainer.fit(ranks.part_of(all), {.epochs = 2, .batch_size = 16, .shuffle = false}, ranks);
          } catch (const Error&) {
            if (!net.parameters().allFinite() || !net.buffers().allFinite() || trainer.state().steps < fewest_steps)
              throw StateError("not the parameters of the last finite step");
            throw;
          }
          return 0;
        },
        &errors);
  };
  for (const int calls : {0, 20, 50}) {
    Picky::calls_before_it_throws = calls;
    with(2, 0);
    if (errors[0] != "picky") std::swap(errors[0], errors[1]);
    CHECK(errors[0] == "picky");
    CHECK_THAT(errors[1], chainrule_test::ContainsSubstring("has stopped: picky"));
  }
  Picky::calls_before_it_throws = -1;

  y(0, 55) = 1e30f;  // the sixth sample of shard 5
  with(1, 2);
  CHECK_THAT(errors[0], chainrule_test::ContainsSubstring("epoch 1, batch 3 of 5, shard 5 on rank 0: the loss is inf"));
  with(4, 2);
  CHECK_THAT(errors[2], chainrule_test::ContainsSubstring("epoch 1, batch 3 of 5, shard 5 on rank 2: the loss is inf"));
  CHECK_THAT(errors[0],
             chainrule_test::ContainsSubstring("rank 2 has stopped: training stopped in epoch 1, batch 3 of 5, shard 5 on rank 2"));
}

TEST_CASE("an exception of an observer or of the data on one rank ends the training on all") {
  std::vector<std::string> errors;
  const auto with = [&](const auto& data_of, const auto& observer) {
    on_ranks(
        4, {},
        [&](Ranks& ranks) {
          Net net = new_net();
          Trainer trainer{net, Adam{}};
          const Dataset<float> data = data_of(ranks);
          trainer.fit(data, usual_options(), ranks, [&](auto& run) { observer(ranks, run); });
          return 0;
        },
        &errors);
  };
  const auto part = [](Ranks& ranks) {
    std::vector<Index> indices;
    const SampleRange range = ranks.range_of(train_data().size());
    for (Index i = range.first; i < range.first + range.count; ++i) indices.push_back(i);
    return subset(train_data(), indices);
  };
  const auto nothing = [](Ranks&, auto&) {};
  with(part, [](Ranks& ranks, auto& run) {
    if (ranks.rank() == 3 && run.epoch == 2) throw StateError("the disk is full");
  });
  CHECK(errors[0] == "rank 3 has stopped: the disk is full");
  CHECK(errors[3] == "the disk is full");
  with(
      [&](Ranks& ranks) {
        Dataset<float> data = part(ranks);
        if (ranks.rank() == 1) data.features(0, 0) = std::numeric_limits<float>::quiet_NaN();
        return data;
      },
      nothing);
  CHECK_THAT(errors[2], chainrule_test::ContainsSubstring("rank 1 has stopped"));
  with([&](Ranks& ranks) { return ranks.rank() == 1 ? part(ranks) : train_data(); }, nothing);
  for (const std::string& error : errors) CHECK_THAT(error, chainrule_test::ContainsSubstring("rank 0 must have 431, but it has 531"));
}

TEST_CASE("ranks that do not begin alike are refused, and so are options that cannot work on ranks") {
  std::vector<std::string> errors;
  const auto with = [&](const auto& change) {
    on_ranks(
        2, {},
        [&](Ranks& ranks) {
          Net net = new_net();
          auto options = usual_options();
          change(ranks, net, options);
          Trainer trainer{net, Adam{}};
          trainer.fit(ranks.part_of(train_data()), options, ranks);
          return 0;
        },
        &errors);
    return errors[0];
  };
  using chainrule_test::ContainsSubstring;
  CHECK_THAT(with([](Ranks& ranks, Net& net, auto&) { net.parameters()[5] += static_cast<float>(ranks.rank()); }),
             ContainsSubstring("rank 1 has other parameters or buffers than rank 0"));
  CHECK_THAT(with([](Ranks& ranks, Net&, auto& options) { options.seed = Seed{static_cast<std::uint64_t>(ranks.rank())}; }),
             ContainsSubstring("rank 1 has another network, optimizer, or other options"));
  CHECK_THAT(with([](Ranks&, Net&, auto& options) { options.batch_size = 100; }), ContainsSubstring("a multiple of the 8 shards, got 100"));
  CHECK_THAT(with([](Ranks&, Net&, auto& options) { options.accumulate = 2; }), ContainsSubstring(".accumulate must be 1"));
  CHECK_THAT(with([](Ranks&, Net&, auto& options) { options.training_metrics = true; }), ContainsSubstring(".validation"));
  CHECK_THAT(with([](Ranks&, Net&, auto& options) { options.batch_size = 8; }), ContainsSubstring("at least 2 samples in each shard"));

  const auto synchronized = [&](const auto& sync_on_rank, Index batch_size, bool drop_last) {
    chainrule_test::Mail mail;
    std::vector<std::string> messages(2);
    std::vector<std::thread> threads;
    for (const Index rank : {0, 1})
      threads.emplace_back([&, rank] {
        chainrule_test::ThreadRanks ranks(mail, rank, 2, {.timeout = 5, .sync_batch_norm = sync_on_rank(rank)});
        Net net = new_net();
        auto options = usual_options();
        options.epochs = 1;
        options.batch_size = batch_size;
        options.drop_last = drop_last;
        Trainer trainer{net, Adam{}};
        try {
          trainer.fit(ranks.part_of(train_data()), options, ranks);
        } catch (const Error& error) {
          messages[static_cast<std::size_t>(rank)] = error.what();
        }
      });
    for (std::thread& thread : threads) thread.join();
    return messages[0];
  };
  CHECK_THAT(synchronized([](Index rank) { return rank == 1; }, 128, false),
             ContainsSubstring("rank 1 has another network, optimizer, or other options"));
  // 66 or 67 samples of each shard in batches of 11 or of 1
  const auto always = [](Index) { return true; };
  CHECK_THAT(synchronized(always, 88, false),
             ContainsSubstring("of the 66 to 67 samples of a shard in an epoch, the last batch would have none of some shards"));
  CHECK(synchronized(always, 88, true).empty());
  CHECK(synchronized(always, 8, true).empty());
}
