#include "fi/model/device.h"

#include <dlfcn.h>

#include "fi/core/error.h"

namespace fi {
namespace {

// Loading the library registers its kernels; it is found through the run path of libtorch_cpu's neighbour.
std::string load_cuda() {
  if (at::hasCUDA()) return "";
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return reason != nullptr ? reason : "libtorch_cuda.so cannot be loaded";
  }
  return "";
}

}  // namespace

at::Device choose_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const std::string reason = load_cuda();
  const size_t num_devices = reason.empty() && at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (name == "auto") return num_devices > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  const int index = name.size() > 5 ? std::stoi(name.substr(5)) : 0;
  check(num_devices > 0, ErrorCode::kUnsupported, "[device] --device {}: no CUDA device can be used ({}); use --device cpu.",
        name, reason.empty() ? "none was found" : reason);
  check(static_cast<size_t>(index) < num_devices, ErrorCode::kNotFound,
        "[device] --device {}: there are {} CUDA devices, counted from 0.", name, num_devices);
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
}

}  // namespace fi
