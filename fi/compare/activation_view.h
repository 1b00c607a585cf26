#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fi/compare/name_hypotheses.h"
#include "fi/core/json.h"
#include "fi/explain/described_name.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// A row of a text: where it stands, and the token there.
struct ShownRow {
  int64_t position = 0;
  int32_t token = 0;
  float value = 0.0F;  // how strongly the feature is active: what examples and names are chosen by
  float base = 0.0F;   // how strongly the base has it there
  float target = 0.0F;
};

/// The rows of a text that may be shown, in order.
struct ShownText {
  std::string category;
  std::vector<ShownRow> rows;
  const ReadAnswer* answer = nullptr;  // null: not known
  int64_t text = 0;                    // its number among the texts that were read

  double largest() const;  // 0 where nothing is active
};

/// The strongest row, the first of equals. The text has rows.
const ShownRow& peak_of(const ShownText& text);

/// What both models use a feature for in one kind of prompt.
struct UseInCategory {
  std::string category;
  double base = 0.0, target = 0.0;
  double weight = 0.0;  // the heaviest are listed
};

/// The eight heaviest as {"category", "base", "target"}.
Json category_documents(std::vector<UseInCategory> uses);

/// The four texts on which it is strongest, one of each category, as {"category", "tokens"}: 16 tokens on either side of the
/// peak, as {"text", "value", "base", "target"}. Values are shares of the strongest, those of the models shares of the stronger
/// model's strongest in the tokens shown; what is below 0 is 0.
Json example_documents(const std::vector<ShownText>& texts, const Tokenizer& tokenizer);

/// How features are named.
struct Naming {
  const NameSources& sources;
  Explainer* explainer = nullptr;  // a chat model's words beside the hypotheses; may be null
  uint64_t seed = 0;
};

/// Adds to a feature's entry, where there is something to say: "name", the best hypothesis for where it is active, and
/// "described", a chat model's description, or the "failure" to get one. Both are scored on every second text of each category,
/// and tested from place to place where they can be.
void add_names(Json& entry, const std::vector<ShownText>& texts, const Tokenizer& tokenizer, const Naming& naming);

}  // namespace fi
