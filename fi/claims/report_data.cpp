#include "fi/claims/report_data.h"

#include "fi/claims/report_contract.h"
#include "fi/core/json_fields.h"

namespace fi {

template <typename V>
void visit_fields(ModelIdentity& m, V&& v) {
  v("name", m.name);
  v("revision", m.revision);
  v("sha256", m.sha256);
  v("family", m.family);
  v("num_layers", m.num_layers);
  v("d_model", m.d_model);
  v("num_parameters", m.num_parameters);
  v("tokenizer_fingerprint", m.tokenizer_fingerprint);
  v("first_tokens", m.first_tokens);
}

template <typename V>
void visit_fields(EffectEstimate& e, V&& v) {
  v("metric", e.metric);
  v("base", e.base);
  v("target", e.target);
  v("ci_low", e.ci_low);
  v("ci_high", e.ci_high);
  v("p_value", e.p_value);
  v("q_value", e.q_value);
  v("num_prompts", e.num_prompts);
  v("effect_size", e.effect_size);
  v("is_scalar", e.is_scalar);
  v("unit", e.unit);
}

template <typename V>
void visit_fields(CausalTest& t, V&& v) {
  v("passed", t.passed);
  v("effect", t.effect);
  v("control_effect", t.control_effect);
  v("ci_low", t.ci_low);
  v("ci_high", t.ci_high);
}

template <typename V>
void visit_fields(AnswerKl& k, V&& v) {
  v("tokens", k.tokens);
  v("nats", k.nats);
}

template <typename V>
void visit_fields(AnswerExample& e, V&& v) {
  v("category", e.category);
  v("prompt", e.prompt);
  v("base_output", e.base_output);
  v("target_output", e.target_output);
  v("base_kl", e.base_kl);
  v("target_kl", e.target_kl);
}

template <typename V>
void visit_fields(Evidence& e, V&& v) {
  v("id", e.id);
  v("description", e.description);
  v("categories", e.categories);
  v("effect", e.effect);
  v("holds", e.holds);
}

template <typename V>
void visit_fields(TransplantRow& r, V&& v) {
  v("first_layer", r.first_layer);
  v("last_layer", r.last_layer);
  v("share_closed", r.share_closed);
  v("ci_low", r.ci_low);
  v("ci_high", r.ci_high);
}

template <typename V>
void visit_fields(GeneratedRow& r, V&& v) {
  v("model", r.model);
  v("measure", r.measure);
  v("num_prompts", r.num_prompts);
  v("example", r.example);
}

template <typename V>
void visit_fields(SampledEffect& s, V&& v) {
  v("temperature", s.temperature);
  v("samples_a_prompt", s.samples_a_prompt);
  v("num_prompts", s.num_prompts);
  v("base", s.base);
  v("target", s.target);
  v("ci_low", s.ci_low);
  v("ci_high", s.ci_high);
}

/// The three tests of a claim, nested under "causal" in the document.
struct CausalTests {
  std::optional<CausalTest>& necessity;
  std::optional<CausalTest>& sufficiency;
  std::optional<CausalTest>& specificity;
};

template <typename V>
void visit_fields(CausalTests& t, V&& v) {
  v("necessity", t.necessity);
  v("sufficiency", t.sufficiency);
  v("specificity", t.specificity);
}

template <typename V>
void visit_fields(Claim& c, V&& v) {
  CausalTests causal{c.necessity, c.sufficiency, c.specificity};
  v("id", c.id);
  v("kind", c.kind);
  v("verdict", c.verdict);
  v("sentence", c.sentence);
  v("capability", c.capability);
  v("trigger", c.trigger);
  v("behaviour", c.behaviour);
  v("categories", c.categories);
  v("layers", c.layers);
  v("effect", c.effect);
  v("sampled", c.sampled);
  v("causal_layer", c.causal_layer);
  v("causal", causal);
  v("transplants", c.transplants);
  v("generated", c.generated);
  v("features", c.features);
  v("examples", c.examples);
  v("supporting", c.supporting);
}

template <typename V>
void visit_fields(LayerRow& r, V&& v) {
  v("layer", r.layer);
  v("relative_difference", r.relative_difference);
  v("noise_floor", r.noise_floor);
  v("kl_recovered", r.kl_recovered);
  v("cosine", r.cosine);
  v("base_norm", r.base_norm);
  v("target_norm", r.target_norm);
  v("promoted", r.promoted);
  v("suppressed", r.suppressed);
}

template <typename V>
void visit_fields(DepthPairRow& r, V&& v) {
  v("target_layer", r.target_layer);
  v("base_layer", r.base_layer);
  v("similarity", r.similarity);
  v("base_norm", r.base_norm);
  v("target_norm", r.target_norm);
}

template <typename V>
void visit_fields(WeightChangeRow& r, V&& v) {
  v("layer", r.layer);
  v("matrix", r.matrix);
  v("relative_change", r.relative_change);
  v("cosine", r.cosine);
}

template <typename V>
void visit_fields(WeightRow& r, V&& v) {
  v("layer", r.layer);
  v("similarity", r.similarity);
  v("difference", r.difference);
  v("num_matrices", r.num_matrices);
}

template <typename V>
void visit_fields(TokenValue& t, V&& v) {
  v("text", t.text);
  v("value", t.value);
  v("base", t.base);
  v("target", t.target);
}

template <typename V>
void visit_fields(FeatureExample& e, V&& v) {
  v("category", e.category);
  v("tokens", e.tokens);
}

template <typename V>
void visit_fields(CategoryUse& u, V&& v) {
  v("category", u.category);
  v("base", u.base);
  v("target", u.target);
}

template <typename V>
void visit_fields(RatioEstimate& r, V&& v) {
  v("value", r.value);
  v("low", r.low);
  v("high", r.high);
}

template <typename V>
void visit_fields(LatentMeasures& m, V&& v) {
  v("has_one_space", m.has_one_space);
  v("firing_rate", m.firing_rate);
  v("num_firings", m.num_firings);
  v("num_texts", m.num_texts);
  v("base_decoder_norm", m.base_decoder_norm);
  v("target_decoder_norm", m.target_decoder_norm);
  v("target_norm_share", m.target_norm_share);
  v("decoder_cosine", m.decoder_cosine);
  v("use_ratio", m.use_ratio);
  v("nu_error_base", m.nu_error_base);
  v("nu_error_target", m.nu_error_target);
  v("nu_reconstruction_base", m.nu_reconstruction_base);
  v("nu_reconstruction_target", m.nu_reconstruction_target);
}

template <typename V>
void visit_fields(TokenCueRow& t, V&& v) {
  v("tokens", t.tokens);
  v("num_fired", t.num_fired);
  v("num_texts", t.num_texts);
}

template <typename V>
void visit_fields(NamePlacesRow& p, V&& v) {
  v("num_active", p.num_active);
  v("fit_active", p.fit_active);
  v("num_quiet", p.num_quiet);
  v("fit_quiet", p.fit_quiet);
}

template <typename V>
void visit_fields(FeatureRow& f, V&& v) {
  v("id", f.id);
  v("layer", f.layer);
  v("engine", f.engine);
  v("kind", f.kind);
  v("name", f.name);
  v("fires_on", f.fires_on);
  v("promotes", f.promotes);
  v("named_by", f.named_by);
  v("name_score", f.name_score);
  v("name_low", f.name_low);
  v("name_high", f.name_high);
  v("name_places", f.name_places);
  v("share_of_difference", f.share_of_difference);
  v("base_use", f.base_use);
  v("target_use", f.target_use);
  v("seeds", f.seeds);
  v("promoted_tokens", f.promoted_tokens);
  v("suppressed_tokens", f.suppressed_tokens);
  v("categories", f.categories);
  v("examples", f.examples);
  v("measures", f.measures);
  v("token_cue", f.token_cue);
}

template <typename V>
void visit_fields(NormHistogram& h, V&& v) {
  v("layer", h.layer);
  v("bins", h.bins);
}

template <typename V>
void visit_fields(BaselineRow& r, V&& v) {
  v("method", r.method);
  v("num_directions", r.num_directions);
  v("kl_removed", r.kl_removed);
  v("ci_low", r.ci_low);
  v("ci_high", r.ci_high);
  v("discrimination", r.discrimination);
}

template <typename V>
void visit_fields(BaselinesRace& r, V&& v) {
  v("layer", r.layer);
  v("result", r.result);
  v("rows", r.rows);
}

template <typename V>
void visit_fields(CategoryRow& r, V&& v) {
  v("id", r.id);
  v("title", r.title);
  v("group", r.group);
  v("num_discovery", r.num_discovery);
  v("num_confirmation", r.num_confirmation);
  v("token_kl", r.token_kl);
  v("largest_effect", r.largest_effect);
  v("largest_effect_name", r.largest_effect_name);
}

/// How much was tried, nested under "tested" in the document.
struct Tested {
  int64_t& num_hypotheses;
  double& q_level;
  int64_t& num_prompts;
  bool& fresh_prompts;
  int64_t& num_tokens;
};

template <typename V>
void visit_fields(Tested& t, V&& v) {
  v("num_hypotheses", t.num_hypotheses);
  v("q_level", t.q_level);
  v("num_prompts", t.num_prompts);
  v("fresh_prompts", t.fresh_prompts);
  v("num_tokens", t.num_tokens);
}

template <typename V>
void visit_fields(Report& r, V&& v) {
  Tested tested{r.num_hypotheses, r.q_level, r.num_prompts, r.fresh_prompts, r.num_tokens};
  v("tool_version", r.tool_version);
  v("base", r.base);
  v("target", r.target);
  v("relation", r.relation);
  v("relation_note", r.relation_note);
  v("verdict", r.verdict);
  v("summary", r.summary);
  v("claims", r.claims);
  v("layers", r.layers);
  v("depth_pairs", r.depth_pairs);
  v("weight_changes", r.weight_changes);
  v("weights", r.weights);
  v("features", r.features);
  v("decoder_norms", r.decoder_norms);
  v("baselines", r.baselines);
  v("categories", r.categories);
  v("not_confirmed", r.not_confirmed);
  v("answers", r.answers);
  v("not_seen", r.not_seen);
  v("settings", r.settings);
  v("tested", tested);
  v("seed", r.seed);
}

Json to_json(const Report& report) {
  Json document = {{"schema_version", kReportSchemaVersion}};
  document.update(fields_to_json(report));
  make_finite(document);
  return document;
}

LatentMeasures latent_measures_from_json(const Json& document, std::string_view where) {
  LatentMeasures measures;
  fields_from_json(document, measures, JsonPlace{std::string(where), "measures"});
  return measures;
}

bool holds_when_sampled(const EffectEstimate& effect, const SampledEffect& sampled) {
  return effect.target >= effect.base ? sampled.ci_low > 0.0 : sampled.ci_high < 0.0;
}

Report report_from_json(const Json& document, std::string_view where) {
  check_report_document(document, where);
  Report report;
  fields_from_json(document, report, JsonPlace{std::string(where), ""});
  return report;
}

}  // namespace fi
