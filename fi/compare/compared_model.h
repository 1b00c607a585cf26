#pragma once

#include "fi/compare/models.h"
#include "fi/explain/chat_model.h"

namespace fi {

/// One of the two models that are compared, asked about features by its own chat template. A small model seldom answers as asked:
/// what it says is scored like every other name.
class ComparedModel final : public ChatModel {
 public:
  /// `model` must outlive it. `name` is what the report calls it, such as "the target".
  ComparedModel(const LoadedModel& model, std::string name) : model_(model), name_(std::move(name)) {}

  std::string name() const override { return name_; }
  /// Greedy. kUsage where the question is longer than the model reads.
  std::string answer(const std::string& instruction, const std::string& question) override;

 private:
  const LoadedModel& model_;
  std::string name_;
};

}  // namespace fi
