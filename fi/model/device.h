#pragma once

#include <ATen/ATen.h>

#include <string>

namespace fi {

/// "cpu", "cuda", "cuda:1" or "auto" (a CUDA device if one can be used, else the CPU). LibTorch's CUDA library is loaded here,
/// when it is asked for. kUnsupported says what is missing.
at::Device choose_device(const std::string& name);

}  // namespace fi
