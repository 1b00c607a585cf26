// What only an opened feature shows. One line of JSON a feature, read when it is asked for.

export interface Example {
  category: string;
  tokens: { text: string; base: number; target: number }[]; // how far each model has the feature there, 0..1 of the largest shown
}

export interface Ratio {
  value: number;
  low: number; // 95% interval
  high: number;
}

/** What the class of a latent rests on (LatentMeasures in fi/claims/report_data.h). */
export interface Measures {
  firingRate: number;
  firings: number;
  texts: number;
  baseNorm: number | null;
  targetNorm: number | null;
  targetNormShare: number;
  decoderCosine: number;
  useRatio: number;
  nuErrorBase: Ratio;
  nuErrorTarget: Ratio;
  nuReconstructionBase: number;
  nuReconstructionTarget: number;
  hasOneSpace: boolean; // false: vectors of one model mean nothing in the other
}

export interface Details {
  suppressed: string[];
  categories: { name: string; base: number; target: number }[];
  examples: Example[];
  measures: Measures | null; // of a latent
  notes: string[]; // how well its name holds, and whether other seeds find it: what was measured
}

type RatioColumns = [value: number, low: number, high: number];
type MeasureColumns = [
  firingRate: number, firings: number, texts: number, baseNorm: number | null, targetNorm: number | null, targetNormShare: number,
  decoderCosine: number, useRatio: number, nuErrorBase: RatioColumns, nuErrorTarget: RatioColumns, nuReconstructionBase: number,
  nuReconstructionTarget: number, hasOneSpace: boolean,
];
type Line = [
  suppressed: number[],
  categories: [number, number, number][],
  examples: [category: number, tokens: number[], base: number[], target: number[]][],
  measures?: MeasureColumns | null,
  notes?: number[],
];

function ratio([value, low, high]: RatioColumns): Ratio {
  return { value, low, high };
}

function measuresOf(columns: MeasureColumns | null | undefined): Measures | null {
  if (!columns) return null;
  const [firingRate, firings, texts, baseNorm, targetNorm, targetNormShare, decoderCosine, useRatio, base, target, inBase, inTarget, hasOneSpace] = columns;
  return {
    firingRate, firings, texts, baseNorm, targetNorm, targetNormShare, decoderCosine, useRatio,
    nuErrorBase: ratio(base),
    nuErrorTarget: ratio(target),
    nuReconstructionBase: inBase,
    nuReconstructionTarget: inTarget,
    hasOneSpace,
  };
}

export type DetailsReader = (index: number) => Details;

export function readDetails(source: () => string, strings: string[]): DetailsReader {
  let lines: string[] | undefined;
  const text = (place: number) => strings[place] ?? '';
  return (index) => {
    lines ??= source().split('\n');
    const [suppressed, categories, examples, measures, notes] = JSON.parse(lines[index] || '[[],[],[]]') as Line;
    return {
      suppressed: suppressed.map(text),
      categories: categories.map(([name, base, target]) => ({ name: text(name), base, target })),
      examples: examples.map(([category, tokens, base, target]) => ({
        category: text(category),
        tokens: tokens.map((token, at) => ({ text: text(token), base: (base[at] ?? 0) / 100, target: (target[at] ?? 0) / 100 })),
      })),
      measures: measuresOf(measures),
      notes: (notes ?? []).map(text),
    };
  };
}
