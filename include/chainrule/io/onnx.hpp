#pragma once
// ONNX, both ways. Needs the messages of ONNX (link with chainrule::onnx), which is why chainrule.hpp does not include it.

#include <chainrule/io/from_onnx.hpp>
#include <chainrule/io/to_onnx.hpp>
