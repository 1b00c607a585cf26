// What only an opened feature shows. One line of JSON a feature, read when it is asked for.

export interface Example {
  model: 'base' | 'target';
  category: string;
  tokens: { text: string; value: number }[]; // value: 0..1 of the feature's largest activation
}

export interface Details {
  suppressed: string[];
  categories: { name: string; base: number; target: number }[];
  examples: Example[];
}

type Line = [suppressed: number[], categories: [number, number, number][], examples: [number, number, number[], number[]][]];

export type DetailsReader = (index: number) => Details;

export function readDetails(source: () => string, strings: string[]): DetailsReader {
  let lines: string[] | undefined;
  const text = (place: number) => strings[place] ?? '';
  return (index) => {
    lines ??= source().split('\n');
    const [suppressed, categories, examples] = JSON.parse(lines[index] || '[[],[],[]]') as Line;
    return {
      suppressed: suppressed.map(text),
      categories: categories.map(([name, base, target]) => ({ name: text(name), base, target })),
      examples: examples.map(([target, category, tokens, values]) => ({
        model: target ? 'target' : 'base',
        category: text(category),
        tokens: tokens.map((token, at) => ({ text: text(token), value: (values[at] ?? 0) / 100 })),
      })),
    };
  };
}
