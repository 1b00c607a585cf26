#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/terminal_progress.h"
#include "fi/compare/compare.h"
#include "fi/compare/crosscoder_file.h"
#include "fi/compare/generate_answers.h"
#include "fi/compare/plan.h"
#include "fi/compare/prompt_file.h"
#include "fi/core/error.h"

namespace py = pybind11;

// JSON text in, JSON text out: python/feature_interpreter turns it into dicts.
namespace fi {
namespace {

Json parse(const std::string& text, const char* what) { return parse_json(text, "python", what); }

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// While it lives on Python's main thread, Ctrl-C stops the library at its next safe point: Python itself cannot look at signals
/// before the call returns.
class InterruptScope {
 public:
  explicit InterruptScope(bool is_main_thread) : is_active_(is_main_thread) {
    clear_interrupt();
    if (!is_active_) return;
    struct sigaction action {};
    action.sa_handler = [](int) { request_interrupt(); };
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptScope() {
    if (is_active_) sigaction(SIGINT, &before_, nullptr);
    clear_interrupt();
  }
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  bool is_active_;
  struct sigaction before_ {};
};

bool is_main_thread() {
  const py::module_ threading = py::module_::import("threading");
  return threading.attr("current_thread")().is(threading.attr("main_thread")());
}

/// Runs `work` without Python's lock; progress goes to standard error unless `quiet`.
std::string run(bool quiet, const std::function<Json(ProgressSink&)>& work) {
  const InterruptScope interrupts(is_main_thread());
  const py::gil_scoped_release without_lock;
  TerminalProgress progress({.quiet = quiet, .is_terminal = isatty(STDERR_FILENO) == 1});
  return dump(work(progress));
}

std::string compare(const std::string& options, bool quiet) {
  const CompareOptions parsed = options_from_json(parse(options, "options"));
  return run(quiet, [&](ProgressSink& progress) { return to_json(run_compare(parsed, progress)); });
}

std::string plan(const std::string& options) {
  const CompareOptions parsed = options_from_json(parse(options, "options"));
  return run(true, [&](ProgressSink&) { return plan_compare(parsed); });
}

std::string extract(const std::string& options, const std::string& folder, bool quiet) {
  const CompareOptions parsed = options_from_json(parse(options, "options"));
  return run(quiet, [&](ProgressSink& progress) { return extract_activations(parsed, folder, progress); });
}

std::string name(const std::string& activations, const std::string& crosscoder, const std::string& folder, double threshold,
                 int64_t seed, bool quiet) {
  const Json data = parse(activations, "activation data");
  const NameOptions options{.threshold = threshold, .seed = seed, .crosscoder = parse(crosscoder, "crosscoder data")};
  return run(quiet, [&](ProgressSink& progress) { return name_features(data, folder, options, progress); });
}

std::string visualize(const std::string& features, const std::string& folder, bool quiet) {
  const Json document = parse(features, "feature data");
  return run(quiet, [&](ProgressSink& progress) { return create_visualizations(document, folder, progress); });
}

std::string report(const std::string& features, const std::string& crosscoder, const std::string& folder,
                   const std::string& format, bool quiet) {
  const Json document = parse(features, "feature data");
  const Json analysis = parse(crosscoder, "crosscoder data");
  return run(quiet, [&](ProgressSink& progress) { return generate_report(document, analysis, folder, format, progress); });
}

std::string answer(const std::string& options, AnswerRequest request, bool quiet) {
  request.models = options_from_json(parse(options, "options"));
  return run(quiet, [&](ProgressSink& progress) { return generate_answers(request, progress); });
}

std::string relate(const std::string& options, bool quiet) {
  const CompareOptions parsed = options_from_json(parse(options, "options"));
  return run(quiet, [&](ProgressSink& progress) { return doctor(parsed, progress); });
}

std::string crosscoder_file(const std::string& path) { return dump(read_crosscoder_file(path)); }

std::string keep_prompts_of(const std::string& categories, const std::string& folder) {
  return fi::keep_prompts(parse(categories, "prompt_categories"), folder).string();
}

int command_line(const std::vector<std::string>& words) {
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  const InterruptScope signals(is_main_thread());  // puts Python's own handler back afterwards
  const py::gil_scoped_release without_lock;
  return run_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string option_list() {
  Json list = Json::array();
  CompareOptions defaults;
  visit_options(defaults, [&](const char* key, const char* help, auto& value) {
    list.push_back({{"name", key}, {"help", help}, {"default", value}});
  });
  return dump(list);
}

void raise_error(const Error& error) {
  if (error.code() == ErrorCode::kInterrupted) {
    PyErr_SetString(PyExc_KeyboardInterrupt, error.what());
    return;
  }
  const py::object type = py::module_::import("feature_interpreter.errors").attr("Error");
  const py::object instance = type(error.what(), static_cast<int>(error.code()), error_code_name(error.code()));
  PyErr_SetObject(type.ptr(), instance.ptr());
}

}  // namespace
}  // namespace fi

PYBIND11_MODULE(_native, module) {
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const fi::Error& error) {
      fi::raise_error(error);
    }
  });
  py::class_<fi::AnswerRequest>(module, "AnswerRequest")
      .def(py::init([](std::vector<std::string> prompts, int64_t max_new_tokens, double temperature, double top_p) {
             return fi::AnswerRequest{
                 .prompts = std::move(prompts), .max_new_tokens = max_new_tokens, .temperature = temperature, .top_p = top_p};
           }),
           py::kw_only(), py::arg("prompts"), py::arg("max_new_tokens"), py::arg("temperature"), py::arg("top_p"));
  module.attr("version") = FI_VERSION;
  module.def("options", fi::option_list);
  module.def("compare", fi::compare);
  module.def("plan", fi::plan);
  module.def("extract", fi::extract);
  module.def("name", fi::name);
  module.def("visualize", fi::visualize);
  module.def("report", fi::report);
  module.def("answer", fi::answer);
  module.def("relate", fi::relate);
  module.def("crosscoder_file", fi::crosscoder_file);
  module.def("keep_prompts", fi::keep_prompts_of);
  module.def("command_line", fi::command_line);
}
