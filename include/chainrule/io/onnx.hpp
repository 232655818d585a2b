#pragma once
// Includes writing and reading of ONNX models. Needs the protobuf messages of ONNX (link with chainrule::onnx), so chainrule.hpp does not
// include it.

#include <chainrule/io/from_onnx.hpp>
#include <chainrule/io/to_onnx.hpp>
