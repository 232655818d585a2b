// Uses ONNX's protobuf messages through the library's header: chainrule::onnx brings the macros, include path and libraries that it needs.
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
