#pragma once

#include <optional>
#include <vector>

#include "fi/compare/activation_view.h"

namespace fi {

/// Whether the behaviour that a feature is named after shows where the feature is active: in the words around its peak (8 tokens
/// on either side), against as many words of the same answer in which it is quietest. Of the texts that fire and show the
/// behaviour; nothing where the name is of categories, which no passage shows, or for fewer than four such texts.
std::optional<PlaceTest> test_places(const std::vector<const ShownText*>& texts, const ScoredName& name,
                                     const NameSources& sources, const Tokenizer& tokenizer);

}  // namespace fi
