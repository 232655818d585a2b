// Uses ONNX's protobuf messages. The macros, include path and libraries that they need must come with the target chainrule::onnx.
#include <chainrule/io/detail/onnx/protobuf.hpp>
#include <cstdio>
#include <string>

int main() {
  chainrule::detail::pb::ModelProto model, again;
  model.set_producer_name("chainrule");
  std::string bytes;
  if (!model.SerializeToString(&bytes) || !again.ParseFromString(bytes)) return 1;
  std::printf("%zu bytes of a model by %s\n", bytes.size(), again.producer_name().c_str());
}
