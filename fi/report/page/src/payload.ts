// What the program writes into the page about features (fi/report/feature_payload.cpp): one column a property, so that 50,000 features
// stay small, and every repeated text once in `strings`, to which the other columns point.

/** A causal test: its name, what the exchange did, what the harder control did, and 1 if it passed. */
export type TestColumns = [name: string, effect: number, control: number, passed: 0 | 1];

export interface ClaimColumns extends ClaimLink {
  features: number[]; // places in the columns
}

export interface Payload {
  strings: string[];
  id: string[];
  layer: number[];
  kind: number[];
  engine: number[];
  name: number[];
  fires_on: number[];
  promotes: number[];
  score: (number | null)[];
  share: (number | null)[];
  base_use: number[];
  target_use: number[];
  tokens: number[][]; // those that fire it most
  promoted: number[][];
  claims: ClaimColumns[];
}

export interface ClaimLink {
  number: number;
  anchor: string;
  verdict: string;
  tested_layer: number | null; // after which the models' values were exchanged
  tests: TestColumns[];
}

export interface Feature {
  index: number;
  id: string;
  anchor: string;
  layer: number;
  kind: string;
  engine: string;
  name: string; // empty: unnamed
  firesOn: string;
  promotes: string;
  score: number | null;
  share: number | null; // null: the models have no common space in which they could be subtracted
  baseUse: number;
  targetUse: number;
  tokens: string[];
  promoted: string[];
  claims: ClaimLink[];
}

export function anchorOf(id: string): string {
  return 'feature-' + id.replaceAll(' ', '_');
}

export function readFeatures(payload: Payload): Feature[] {
  const text = (place: number | undefined) => payload.strings[place ?? 0] ?? '';
  const features = payload.id.map((id, index): Feature => ({
    index,
    id,
    anchor: anchorOf(id),
    layer: payload.layer[index] ?? 0,
    kind: text(payload.kind[index]),
    engine: text(payload.engine[index]),
    name: text(payload.name[index]),
    firesOn: text(payload.fires_on[index]),
    promotes: text(payload.promotes[index]),
    score: payload.score[index] ?? null,
    share: payload.share[index] ?? null,
    baseUse: payload.base_use[index] ?? 0,
    targetUse: payload.target_use[index] ?? 0,
    tokens: (payload.tokens[index] ?? []).map(text),
    promoted: (payload.promoted[index] ?? []).map(text),
    claims: [],
  }));
  for (const { features: members, ...link } of payload.claims) {
    for (const index of members) features[index]?.claims.push(link);
  }
  return features;
}
