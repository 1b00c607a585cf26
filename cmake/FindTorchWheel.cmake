# LibTorch from the PyPI wheel `torch`, in an ordinary site-packages layout.
#
# The wheel's own TorchConfig.cmake insists on nvcc, so this finds the CPU libraries by itself. `libtorch_cuda.so` is not linked:
# it is loaded at run time when a CUDA device is asked for.
#
#   TORCH_SITE_PACKAGES   folder that holds `torch/` (default: the project's .venv)
#   TorchWheel::torch     headers, libtorch_cpu, libc10
#   TorchWheel::openmp    the OpenMP runtime that torch brings: one runtime, one set of threads

find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB _fi_venv_site ${CMAKE_SOURCE_DIR}/.venv/lib/python3.*/site-packages)
set(TORCH_SITE_PACKAGES "${_fi_venv_site}" CACHE PATH "Folder that holds the torch wheel")

find_path(TorchWheel_INCLUDE_DIR ATen/ATen.h PATHS ${TORCH_SITE_PACKAGES}/torch/include NO_DEFAULT_PATH)
find_library(TorchWheel_CPU_LIBRARY torch_cpu PATHS ${TORCH_SITE_PACKAGES}/torch/lib NO_DEFAULT_PATH)
find_file(TorchWheel_OPENMP_LIBRARY libgomp.so.1 PATHS ${TORCH_SITE_PACKAGES}/torch/lib NO_DEFAULT_PATH)
find_library(TorchWheel_C10_LIBRARY c10 PATHS ${TORCH_SITE_PACKAGES}/torch/lib NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchWheel
  REQUIRED_VARS TorchWheel_INCLUDE_DIR TorchWheel_CPU_LIBRARY TorchWheel_C10_LIBRARY TorchWheel_OPENMP_LIBRARY
  REASON_FAILURE_MESSAGE "run tools/setup.sh, which puts the torch wheel into .venv")

if(TorchWheel_FOUND AND NOT TARGET TorchWheel::torch)
  add_library(TorchWheel::openmp INTERFACE IMPORTED)
  target_link_libraries(TorchWheel::openmp INTERFACE ${TorchWheel_OPENMP_LIBRARY})
  add_library(TorchWheel::torch INTERFACE IMPORTED)
  target_include_directories(TorchWheel::torch SYSTEM INTERFACE
    ${TorchWheel_INCLUDE_DIR} ${TorchWheel_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(TorchWheel::torch INTERFACE ${TorchWheel_CPU_LIBRARY} ${TorchWheel_C10_LIBRARY} TorchWheel::openmp
    Threads::Threads)
endif()
