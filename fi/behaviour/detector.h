#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fi/core/json.h"

namespace fi {

/// One thing that an answer can show: a concept of the library, or a phrase that was found contrastively.
/// `measure` is 1 or 0 for presence, or a number for scalar detectors (length, repetition).
class Detector {
 public:
  virtual ~Detector() = default;

  struct Words {
    std::string id;          // "numbered_steps"
    std::string capability;  // noun phrase for headings and sentences: "step-by-step reasoning"
    std::string shows;       // completes "the target ...": "works in numbered steps"
    std::string group;       // "reasoning", "format", "language", "refusal", "style", "length", ...
    std::string definition;  // one sentence: what exactly counts
    bool is_scalar = false;  // a measured number instead of presence
    std::string unit;        // of scalars: "words"
  };

  virtual double measure(std::string_view prompt, std::string_view answer) const = 0;
  const Words& words() const { return words_; }

 protected:
  explicit Detector(Words words) : words_(std::move(words)) {}

 private:
  Words words_;
};

using DetectorList = std::vector<std::shared_ptr<const Detector>>;

/// The concept library that ships with the program (fi/behaviour/data/concepts.json).
const DetectorList& builtin_detectors();
/// A library file of the same format; kUsage errors name the entry and the field.
DetectorList detectors_from_json(const Json& document, std::string_view where);
/// What the id of a phrase's detector begins with; the phrase follows.
inline constexpr std::string_view kPhraseId = "phrase:";
/// Presence of a phrase, as contrastive n-gram search finds them. Case-insensitive, on word boundaries.
std::shared_ptr<const Detector> phrase_detector(const std::string& phrase);

}  // namespace fi
