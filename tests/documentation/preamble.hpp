#pragma once
// Declares the names that code in docstrings uses. They have no definitions, because the code is only compiled.

#include <chainrule/chainrule.hpp>
#include <chainrule/data/gzip.hpp>
#include <chainrule/io/model.hpp>
#include <chainrule/io/quantized_file.hpp>
#include <chainrule/parallel/mpi.hpp>
#include <cstdio>
#include <iostream>
#include <vector>

namespace cr = chainrule;
using namespace chainrule;

extern Network<float, SoftmaxCrossEntropy, Normalize<2>, Dense<2, 32>, BatchNorm<>, Activate<ReLU>, Dropout<>, Dense<32, 2>> net;
using Net = decltype(net);
extern Net::Workspace<> work;
extern Net::Gradients dJ;
extern Adam rule;
extern OptimizerState<float> state;
extern Trainer<Net, Adam> trainer;

extern Matrix<float> x, u, v, values, slopes;
extern Vector<float> along, Hv;
extern std::vector<int> y, labels;
extern Dataset<float> data, train, test, held_out;
extern RegressionDataset<float> house, held_out_numbers;
extern Preprocessing preprocessing;
extern Table table;
extern FitOptions<float, Labels<int>> options;
extern Batches<float, Labels<int>> batches;
extern float J;
extern Index batch, epoch, width, n;
extern const float* pixels;
extern Mpi mpi, ranks;
extern int argc;
extern char** argv;
