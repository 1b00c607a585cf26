import type { Feature } from './payload.ts';

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

/** Features in the order of a query. The texts that it searches are put together once, at the first search. */
export class FeatureIndex {
  readonly features: Feature[];
  private texts: string[] | undefined;

  constructor(features: Feature[]) {
    this.features = features;
  }

  prepare(): string[] {
    this.texts ??= this.features.map((feature) =>
      [feature.id, feature.name, feature.firesOn, feature.promotes, feature.engine, ...feature.tokens, ...feature.promoted]
        .join('\n')
        .toLowerCase(),
    );
    return this.texts;
  }

  select(query: Query): Feature[] {
    const words = query.text.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = words.length ? this.prepare() : [];
    const found = this.features.filter(
      (feature) =>
        (!query.kind || feature.kind === query.kind) &&
        (!query.layer || String(feature.layer) === query.layer) &&
        (!query.claim || isClaimed(feature, query.claim)) &&
        words.every((word) => (texts[feature.index] ?? '').includes(word)),
    );
    return sorted(found, query.sort, query.descending);
  }
}

function isClaimed(feature: Feature, claim: string): boolean {
  return feature.claims.some(({ verdict }) => claim === 'any' || verdict === claim);
}

const NUMBERS: Record<string, (feature: Feature) => number> = {
  layer: (feature) => feature.layer,
  share: (feature) => feature.share,
  change: (feature) => Math.abs(feature.targetUse - feature.baseUse),
  base: (feature) => feature.baseUse,
  target: (feature) => feature.targetUse,
};

function sorted(features: Feature[], key: SortKey, descending: boolean): Feature[] {
  if (key === 'order') return features;
  const sign = descending ? -1 : 1;
  const value = NUMBERS[key];
  if (value) return features.sort((a, b) => sign * (value(a) - value(b)) || a.index - b.index);
  // Unnamed features have nothing to be sorted by: they come last either way.
  const text = key === 'kind' ? (feature: Feature) => feature.kind : (feature: Feature) => feature.name.toLowerCase();
  return features.sort((a, b) => {
    const [x, y] = [text(a), text(b)];
    if (x === y) return a.index - b.index;
    if (!x || !y) return x ? -1 : 1;
    return x < y ? -sign : sign;
  });
}
