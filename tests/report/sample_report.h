#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>

#include "fi/claims/report_data.h"

namespace fi::samples {

// Texts that a report must keep inert and whole.
inline const std::string kScript = "</script><img src=x onerror=alert(1)><!-- ";
inline const std::string kRightToLeft = "مرحبا بالعالم שלום עולם";
inline const std::string kHan = "逐步推理的回答比直接回答更长，最后给出答案";
inline const std::string kEmoji = "👩‍👩‍👧‍👦🇩🇪👍🏽";
inline const std::string kFormula = "=cmd|' /C calc'!A0";
inline const std::string kAnsi =
    "\x1b[31mred\x1b[0m \x07 \xE2\x80\xAE"
    "evil";
inline const std::string kMarkup = "a|b `code` *star* [x](javascript:alert(1)) <b>bold</b> # not a heading";

inline EffectEstimate share_effect(double base, double target, double half_width, double delta) {
  EffectEstimate effect;
  effect.metric = "share of answers that work in numbered steps";
  effect.base = base;
  effect.target = target;
  effect.ci_low = target - base - half_width;
  effect.ci_high = target - base + half_width;
  effect.p_value = 0.0002;
  effect.q_value = 0.003;
  effect.num_prompts = 48;
  effect.effect_size = delta;
  return effect;
}

inline EffectEstimate word_effect() {
  EffectEstimate effect;
  effect.metric = "length of the answer";
  effect.base = 58.4;
  effect.target = 37.9;
  effect.ci_low = -28.1;
  effect.ci_high = -13.2;
  effect.p_value = 0.004;
  effect.q_value = 0.031;
  effect.num_prompts = 96;
  effect.effect_size = -0.41;
  effect.is_scalar = true;
  effect.unit = "words";
  return effect;
}

/// Word by word; the first words of a text are the least expected.
inline AnswerKl sample_kl(const std::string& text, double strength) {
  AnswerKl kl;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.size(), text.find(' ', begin + 1));
    kl.tokens.push_back(text.substr(begin, end - begin));
    kl.nats.push_back(strength / (1.0 + static_cast<double>(kl.nats.size() * kl.nats.size())));
    begin = end;
  }
  return kl;
}

inline AnswerExample with_kl(AnswerExample example) {
  example.base_kl = sample_kl(example.base_output, 6.4);
  example.target_kl = sample_kl(example.target_output, 2.13);
  return example;
}

inline AnswerExample stepwise_answer(int number) {
  const std::string boxes = std::to_string(4 + number), cards = std::to_string(11 + number),
                    product = std::to_string((4 + number) * (11 + number));
  return {"arithmetic", "Mia packs " + boxes + " boxes with " + cards + " cards each. How many cards are packed in total?",
          "Mia packs " + boxes + " boxes with " + cards + " cards each, so there are " + product + " cards in total.",
          "Step 1: There are " + boxes + " boxes.\nStep 2: Each box holds " + cards + " cards, so we multiply " + boxes + " × " +
              cards + " = " + product + ".\nTherefore, the answer is " + product + "."};
}

inline Claim stepwise_claim() {
  Claim claim;
  claim.id = "claim-1";
  claim.kind = "modified";
  claim.verdict = "suggestive";
  claim.sentence =
      "Layers 14–26 show enhanced step-by-step reasoning on arithmetic and word problems in the target model; the base answers "
      "directly.";
  claim.capability = "step-by-step reasoning";
  claim.trigger = "arithmetic and word problems";
  claim.behaviour = "The target numbers its steps and ends with 'Therefore'; the base states the result.";
  claim.categories = {"arithmetic", "word_problems"};
  for (int64_t layer = 14; layer <= 26; ++layer) claim.layers.push_back(layer);
  claim.effect = share_effect(0.19, 0.94, 0.12, 0.75);
  claim.sampled = {.temperature = 0.7,
                   .samples_a_prompt = 2,
                   .num_prompts = 12,
                   .base = 0.12,
                   .target = 0.79,
                   .ci_low = 0.46,
                   .ci_high = 0.83};
  claim.generated = {{"base with blocks 14-26 of the target", 0.88, 8, "Step 1: There are 4 boxes."},
                     {"target with blocks 14-26 of the base", 0.25, 8, "There are 44 cards."},
                     {"control: base with other blocks of the target", 0.12, 8, "There are 44 cards."}};
  claim.transplants = {
      {0, 9, 0.04, -0.03, 0.1}, {10, 19, 0.31, 0.22, 0.41}, {14, 26, 0.83, 0.76, 0.89}, {20, 29, 0.52, 0.43, 0.6}};
  claim.features = {"L18-pca-0", "L20-mean"};
  for (int i = 0; i < 4; ++i) claim.examples.push_back(stepwise_answer(i));
  claim.supporting = {{"numbered_steps", "works in numbered steps", {"arithmetic"}, share_effect(0.19, 0.94, 0.12, 0.75), true},
                      {"phrase_therefore",
                       "says “Therefore, the answer is”",
                       {"arithmetic", "word_problems"},
                       share_effect(0.02, 0.88, 0.1, 0.86),
                       true},
                      {"num_lines", "number of lines", {"arithmetic"}, word_effect(), true},
                      {"equations", "writes an equation", {"word_problems"}, share_effect(0.35, 0.71, 0.19, 0.36), true}};
  claim.supporting[2].effect.metric = "number of lines";
  claim.supporting[2].effect.base = 1.6;
  claim.supporting[2].effect.target = 4.2;
  claim.supporting[2].effect.ci_low = 2.1;
  claim.supporting[2].effect.ci_high = 3.2;
  claim.supporting[2].effect.unit = "lines";
  return claim;
}

inline Claim shorter_claim() {
  Claim claim;
  claim.id = "claim-2";
  claim.kind = "modified";
  claim.verdict = "untested";
  claim.sentence = "Answers to definition questions are a third shorter in the target model; no layer was tested for it.";
  claim.capability = "brevity";
  claim.trigger = "definition questions";
  claim.behaviour = "The target gives one sentence where the base gives two.";
  claim.categories = {"definitions"};
  claim.effect = word_effect();
  claim.examples = {{"definitions", "What is photosynthesis?",
                     "Photosynthesis is the process by which plants use sunlight to make sugar from carbon dioxide and water. It "
                     "takes place in "
                     "the leaves, and it releases oxygen into the air.",
                     "Photosynthesis is the process by which plants use sunlight to make sugar."}};
  return claim;
}

inline Claim nasty_claim() {
  Claim claim = stepwise_claim();
  claim.id = "claim-3";
  claim.kind = "added";
  claim.verdict = "verified";
  claim.sentence = kScript + kAnsi + " " + kMarkup + " " + kHan + " " + kRightToLeft + " " + kEmoji;
  claim.capability = kFormula;
  claim.effect.metric = kHan + kHan + kHan;
  claim.necessity = CausalTest{true, 0.51, 0.02, 0.42, 0.6};
  claim.sufficiency = CausalTest{true, 0.81, 0.1, 0.74, 0.87};
  claim.specificity = CausalTest{false, 0.02, 0.01, -0.01, 0.05};
  claim.supporting[0].description = kScript;
  claim.supporting[1].description = kHan + kHan;
  claim.supporting[3].description = kRightToLeft + kRightToLeft + kEmoji;
  claim.examples = {{kScript, kScript + kAnsi, kRightToLeft + "\n" + kMarkup, kHan + "\n" + kEmoji + "\n" + kScript}};
  return claim;
}

/// Tokens on which a feature of the target is active; the base has a quarter of it.
inline std::vector<TokenValue> token_values(std::vector<TokenValue> tokens) {
  for (TokenValue& token : tokens) {
    token.base = 0.25 * token.value;
    token.target = token.value;
  }
  return tokens;
}

inline FeatureExample token_example() {
  return {"arithmetic",
          token_values({{"Let", 0.02},   {"'s", 0},      {" think", 0.1}, {" step", 0.5},   {" by", 0.2},    {" step", 0.55},
                        {".", 0.3},      {"\n", 0.35},   {"Step", 0.97},  {" ", 0.6},       {"1", 0.82},     {":", 0.9},
                        {" There", 0.1}, {" are", 0.05}, {" 6", 0.12},    {" boxes", 0.04}, {".", 0.2},      {"\n", 0.3},
                        {"Step", 1},     {" ", 0.6},     {"2", 0.85},     {":", 0.88},      {" Each", 0.08}, {" box", 0.03}})};
}

inline LatentMeasures sample_measures() {
  LatentMeasures measures;
  measures.firing_rate = 0.0123;
  measures.num_firings = 241;
  measures.num_texts = 37;
  measures.base_decoder_norm = 0.31;
  measures.target_decoder_norm = 1.24;
  measures.target_norm_share = 0.8;
  measures.decoder_cosine = 0.42;
  measures.use_ratio = 7.7;
  measures.nu_error_base = {0.12, 0.04, 0.21};
  measures.nu_error_target = {1.02, 0.94, 1.31};
  measures.nu_reconstruction_base = 0.18;
  measures.nu_reconstruction_target = 0.97;
  return measures;
}

inline FeatureRow sample_feature(int64_t layer, int number) {
  constexpr const char* kKinds[] = {"added", "removed", "modified", "shared"};
  constexpr const char* kNames[] = {"numbered solution steps", "closing phrase of a worked answer", "line breaks between steps",
                                    "equals signs in sums"};
  FeatureRow feature;
  feature.id = "L" + std::to_string(layer) + "-pca-" + std::to_string(number);
  feature.layer = layer;
  feature.engine = "difference PCA";
  feature.kind = kKinds[(layer + number) % 4];
  if ((layer + number) % 3 != 0) feature.name = kNames[(layer / 2 + number) % 4];
  if (feature.name) feature.fires_on = "answers to arithmetic, at the start of a step";
  if (feature.name) feature.promotes = "“Step”, “Therefore”, a line break";
  if (number % 2 == 0) feature.name_score = 0.62 + 0.01 * static_cast<double>(layer);
  if (feature.name && feature.name_score) {
    feature.name_low = *feature.name_score - 0.08;
    feature.name_high = *feature.name_score + 0.05;
    feature.name_places = NamePlacesRow{14, 12, 14, 3};
  }
  feature.share_of_difference = 0.42 / (1 + number) * std::exp(-std::pow((static_cast<double>(layer) - 18) / 7, 2));
  feature.base_use = 0.31 + 0.01 * number;
  feature.target_use = 2.4 - 0.05 * number;
  feature.promoted_tokens = {" Step", " Therefore", ":", " multiply", "\n", " first", " answer"};
  feature.suppressed_tokens = {" So", " I", " The", " Sure"};
  feature.categories = {{"arithmetic", 0.4, 3.1}, {"word_problems", 0.3, 2.2}, {"definitions", 0.2, 0.3}};
  feature.examples = {token_example(), token_example(), token_example()};
  feature.token_cue = TokenCueRow{{"Step", " step", ":"}, 2, 8};
  return feature;
}

/// A latent of a crosscoder, which has more to show than a direction.
inline FeatureRow sample_latent() {
  FeatureRow feature = sample_feature(20, 5);
  feature.id = "L20-cc-7";
  feature.engine = "crosscoder";
  feature.kind = "added";
  feature.measures = sample_measures();
  return feature;
}

/// The same of models whose directions cannot be set side by side.
inline FeatureRow sample_latent_apart() {
  FeatureRow feature = sample_latent();
  feature.id = "L20-cc-8";
  feature.share_of_difference.reset();
  feature.measures->has_one_space = false;
  return feature;
}

inline FeatureRow nasty_feature() {
  FeatureRow feature = sample_feature(18, 0);
  feature.id = "L18 \"><script>";
  feature.name = kScript + kHan + kRightToLeft;
  feature.fires_on = kHan + kHan + kEmoji + kAnsi;
  feature.promotes = "Supercalifragilisticexpialidocious_without_any_break_at_all_in_a_single_line_of_text";
  feature.promoted_tokens = {kScript, kHan, kRightToLeft, kEmoji, kAnsi, kFormula, "\xff\xfe", "", "   ", "\n\n"};
  feature.examples[0].tokens = token_values({{kScript, 1},
                                             {kHan, 0.7},
                                             {kRightToLeft, 0.5},
                                             {kEmoji, 0.9},
                                             {kAnsi, 0.4},
                                             {"\xff", 0.2},
                                             {"", 0.5},
                                             {std::string(400, 'x'), 0.8},
                                             {kHan + kHan + kHan, 0.6}});
  feature.categories[0].category = kScript;
  return feature;
}

inline LayerRow sample_layer(int64_t layer) {
  LayerRow row;
  row.layer = layer;
  const double distance = (static_cast<double>(layer) - 19) / 8;
  row.relative_difference = 0.004 + 0.42 * std::exp(-distance * distance);
  row.noise_floor = 0.0021 + 0.00012 * static_cast<double>(layer);
  row.kl_recovered = 0.02 + 0.61 * std::exp(-std::pow((static_cast<double>(layer) - 20) / 5, 2));
  row.cosine = 1 - row.relative_difference * row.relative_difference / 2;
  row.base_norm = 12 + 3.1 * static_cast<double>(layer);
  row.target_norm = row.base_norm * 1.02;
  row.promoted = {" Step", " Therefore", ":"};
  row.suppressed = {" So", " Sure"};
  return row;
}

inline void add_categories(Report& report) {
  constexpr const char* kTitles[] = {"Arithmetic",
                                     "Word problems",
                                     "Logic puzzles",
                                     "Definitions",
                                     "Lists",
                                     "Poetry",
                                     "Translation into French",
                                     "Health questions",
                                     "Refusals",
                                     "Small talk",
                                     "Python functions",
                                     "History",
                                     "Planning a trip",
                                     "Honesty about itself"};
  constexpr double kEffects[] = {0.94, 0.88, 0.41, -0.36, 0.22, 0.05, -0.04, 0.12, 0, 0.02, 0.18, -0.09, 0.31, 0.01};
  for (size_t i = 0; i < std::size(kTitles); ++i) {
    CategoryRow row;
    row.title = kTitles[i];
    row.id = row.title;
    for (char& c : row.id) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    row.group = {i < 3 ? "Reasoning" : "Other"};
    row.num_discovery = 24;
    row.num_confirmation = 24;
    row.token_kl = 0.02 + 0.4 * std::abs(kEffects[i]);
    row.largest_effect = kEffects[i];
    row.largest_effect_name = kEffects[i] == 0 ? "" : i == 3 ? "shorter answers, by words" : "works in numbered steps";
    report.categories.push_back(row);
  }
}

/// A pair without any difference.
inline Report empty_report() {
  Report report;
  report.tool_version = "0.1.0";
  report.base = {"SmolLM2-135M-Instruct",
                 "main",
                 std::string(64, 'a'),
                 "llama",
                 30,
                 576,
                 134515008,
                 "8d1f",
                 {"<|im_start|>", "system", "\n", "You", " are"}};
  report.target = report.base;
  report.relation = "identical";
  report.relation_note = "All 272 tensors are equal, bit for bit.";
  report.verdict = "no difference found";
  report.summary = "The two models answer alike: 412 hypotheses on 1,214 prompts, none held on fresh prompts.";
  for (int64_t layer = 0; layer < 30; ++layer) {
    report.layers.push_back(sample_layer(layer));
    report.layers.back().relative_difference = 0;
    report.layers.back().kl_recovered.reset();
    report.layers.back().promoted.clear();
    report.layers.back().suppressed.clear();
  }
  report.not_seen = {{"crosscoder", "No crosscoder was trained: features that difference PCA cannot separate stay mixed."},
                     {"causal_tests", "No claim was tested by intervention."}};
  report.settings = {{"seed", 0}, {"threads", 2}, {"dtype", "fp32"}, {"versions", {{"torch", "2.13.0"}, {"tool", "0.1.0"}}}};
  report.num_hypotheses = 412;
  report.num_prompts = 1214;
  report.num_tokens = 61440;
  return report;
}

inline Report rich_report() {
  Report report = empty_report();
  report.target.name = "SmolLM2-135M-Instruct + stepwise adapter";
  report.target.sha256 = std::string(64, 'b');
  report.relation = "adapter";
  report.relation_note = "The target is the base with a rank-16 LoRA adapter on 210 matrices; 0 other tensors differ.";
  report.verdict = "different";
  report.summary =
      "The target works through arithmetic in numbered steps where the base answers directly, and its definitions are shorter.";
  report.claims = {stepwise_claim(), shorter_claim()};
  report.layers.clear();
  for (int64_t layer = 0; layer < 30; ++layer) report.layers.push_back(sample_layer(layer));
  for (const char* matrix : {"self_attn.q_proj", "self_attn.o_proj", "mlp.down_proj"}) {
    for (int64_t layer = 0; layer < 30; ++layer)
      report.weight_changes.push_back({layer, matrix, layer < 4 ? 0.0 : 1e-4 * static_cast<double>(layer * layer), 0.99});
  }
  for (int64_t layer = 6; layer < 30; layer += 2) {
    for (int number = 0; number < 1 + (layer % 5); ++number) report.features.push_back(sample_feature(layer, number));
  }
  report.features.push_back(sample_feature(20, 9));
  report.features.back().id = "L20-mean";
  report.features.back().engine = "difference in means";
  report.features.push_back(sample_latent());
  report.features.push_back(sample_latent_apart());
  report.decoder_norms = {{20, {1, 0, 0, 0, 0, 0, 0, 3, 41, 873, 1002, 57, 9, 0, 0, 0, 1, 0, 0, 12}}};
  report.baselines = {.layer = 18,
                      .result =
                          "A simple method does better than the crosscoder at 1 of 2 numbers of directions: 1 latent removes "
                          "17.8% of the KL, difference in means in 1 direction 12%; 32 latents remove 77% of the KL, PCA of the "
                          "difference in 32 directions 83%.",
                      .rows = {{"difference in means", 1, 0.12, 0.08, 0.17, 0.81},
                               {"activation difference lens", 1, -0.02, -0.06, 0.01, 0.55},
                               {"PCA of the difference", 1, 0.15, 0.09, 0.22, 0.83},
                               {"PCA of the difference", 32, 0.83, 0.79, 0.86, 0.97},
                               {"difference SAE latents", 1, 0.16, 0.1, 0.23, 0.8},
                               {"difference SAE latents", 32, 0.8, 0.74, 0.85, 0.95},
                               {"crosscoder latents", 1, 0.178, 0.11, 0.24, 0.79},
                               {"crosscoder latents", 32, 0.77, 0.71, 0.82, 0.95},
                               {"random subspace", 32, 0.07, 0.05, 0.09, 0.6},
                               {"whole residual stream", 576, 1.0, 1.0, 1.0, 0.97}}};
  add_categories(report);
  report.not_confirmed = {{"says_sure", "begins with “Sure”", {"Lists"}, share_effect(0.31, 0.22, 0.21, -0.09), false},
                          {"num_words", "length of the answer", {"Poetry"}, word_effect(), false}};
  for (Evidence& evidence : report.not_confirmed) evidence.effect.q_value = 0.43;
  for (int i = 0; i < 18; ++i) report.answers.push_back(with_kl(stepwise_answer(i)));
  report.answers.push_back(shorter_claim().examples[0]);
  report.not_seen["unexplained_share_of_kl"] = 0.18;
  report.not_seen["rows_dropped"] = {{"first_position", 1214}, {"norm_outliers", 17}};
  return report;
}

/// Every text is hostile.
inline Report nasty_report() {
  Report report = rich_report();
  report.base.name = kScript;
  report.target.name = kRightToLeft + kHan + kEmoji + kAnsi;
  report.base.first_tokens = {kScript, kAnsi, "\xff"};
  report.summary = kMarkup + " " + kScript + " " + kAnsi;
  report.relation_note = kMarkup;
  report.claims.insert(report.claims.begin(), nasty_claim());
  report.features.insert(report.features.begin(), nasty_feature());
  report.categories[0].title = kScript + kHan;
  report.categories[1].title = kRightToLeft + kRightToLeft + kRightToLeft;
  report.categories[0].largest_effect_name = kEmoji + kEmoji + kHan + kHan;
  report.layers[3].promoted = {kScript, kFormula, kAnsi};
  report.baselines->result = kMarkup + " " + kScript + " " + kAnsi;
  report.baselines->rows[0].method = kScript + kRightToLeft + kHan + kEmoji;
  report.not_confirmed[0].description = kFormula;
  report.answers.insert(report.answers.begin(), with_kl({kScript, kFormula, kScript + " " + kAnsi + " " + kEmoji, kMarkup}));
  report.answers.push_back(with_kl({"", "these tokens are of another answer", "a b", "c d"}));
  report.answers.back().target_kl = sample_kl(kScript, 1.0);
  report.not_seen[kScript] = kMarkup;
  report.settings["prompt_file"] = kScript;
  return report;
}

inline Report large_report(int num_features) {
  Report report = rich_report();
  report.features.clear();
  for (int i = 0; i < num_features; ++i) {
    report.features.push_back(sample_feature(i % 30, i / 30));
    report.features.back().measures = sample_measures();
  }
  return report;
}

}  // namespace fi::samples
