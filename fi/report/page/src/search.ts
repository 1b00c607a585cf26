import { readFeatures, type Feature, type Payload } from './payload.ts';
import { WordSearch } from './word_search.ts';

export type SortKey = 'order' | 'name' | 'kind' | 'layer' | 'share' | 'change' | 'base' | 'target';

export interface Query {
  text: string;
  kind: string; // '': all
  layer: string;
  claim: string; // '': all, 'any': named by a claim, else the verdict of a claim that names it
  sort: SortKey;
  descending: boolean;
}

export const EVERYTHING: Query = { text: '', kind: '', layer: '', claim: '', sort: 'order', descending: false };

/** Features in the order of a query. What searching and sorting need is put together once, when it is first asked for. */
export class FeatureIndex {
  readonly features: Feature[];
  private readonly payload: Payload;
  private words: WordSearch | undefined;
  private readonly ranks = new Map<SortKey, Float64Array>();

  constructor(payload: Payload) {
    this.payload = payload;
    this.features = readFeatures(payload);
  }

  prepare(): WordSearch {
    this.words ??= new WordSearch(this.payload);
    return this.words;
  }

  select(query: Query): Feature[] {
    const matches = query.text.trim() ? this.prepare().match(query.text) : [];
    const found = this.features.filter(
      (feature) =>
        (!query.kind || feature.kind === query.kind) &&
        (!query.layer || String(feature.layer) === query.layer) &&
        (!query.claim || isClaimed(feature, query.claim)) &&
        matches.every((match) => match[feature.index] === 1),
    );
    return this.sorted(found, query);
  }

  private sorted(features: Feature[], { sort, descending }: Query): Feature[] {
    if (sort === 'order') return features;
    const ranks = this.ranks.get(sort) ?? ranksBy(this.features, sort);
    this.ranks.set(sort, ranks);
    // Infinity less itself is no number, which like 0 leaves two unnamed features in their order.
    const keys = new Float64Array(ranks.length);
    for (let index = 0; index < keys.length; index += 1) {
      const rank = ranks[index] ?? UNNAMED;
      keys[index] = rank === UNNAMED ? Infinity : descending ? -rank : rank;
    }
    return features.sort((a, b) => (keys[a.index] ?? 0) - (keys[b.index] ?? 0) || a.index - b.index);
  }
}

function isClaimed(feature: Feature, claim: string): boolean {
  return feature.claims.some(({ verdict }) => claim === 'any' || verdict === claim);
}

const UNNAMED = Infinity; // such features have nothing to be sorted by: they come last either way

const TEXTS: Record<string, (feature: Feature) => string> = {
  kind: (feature) => feature.kind,
  name: (feature) => feature.name.toLowerCase(),
};

const NUMBERS: Record<string, (feature: Feature) => number> = {
  layer: (feature) => feature.layer,
  share: (feature) => feature.share ?? 0,
  change: (feature) => Math.abs(feature.targetUse - feature.baseUse),
  base: (feature) => feature.baseUse,
  target: (feature) => feature.targetUse,
};

/** A number a feature, in whose order the features come; of texts, their place among all distinct ones. */
function ranksBy(features: Feature[], key: SortKey): Float64Array {
  const ranks = new Float64Array(features.length);
  const value = NUMBERS[key] ?? placeAmongTexts(features, TEXTS[key] ?? (() => ''));
  for (const feature of features) ranks[feature.index] = value(feature);
  return ranks;
}

function placeAmongTexts(features: Feature[], text: (feature: Feature) => string): (feature: Feature) => number {
  const distinct = [...new Set(features.map(text))].filter(Boolean).sort();
  const places = new Map(distinct.map((name, place) => [name, place]));
  return (feature) => places.get(text(feature)) ?? UNNAMED;
}
