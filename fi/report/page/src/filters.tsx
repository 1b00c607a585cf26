import { formatCount } from './numbers.ts';
import { EVERYTHING, type FeatureIndex, type Query, type SortKey } from './search.ts';

const SORTS: { key: SortKey; label: string; descending: boolean }[] = [
  { key: 'order', label: 'claims first, then share', descending: false },
  { key: 'share', label: 'share of difference', descending: true },
  { key: 'change', label: 'change in use', descending: true },
  { key: 'target', label: 'use by the target', descending: true },
  { key: 'base', label: 'use by the base', descending: true },
  { key: 'layer', label: 'layer', descending: false },
  { key: 'name', label: 'name', descending: false },
  { key: 'kind', label: 'kind', descending: false },
];

export function startsDescending(key: SortKey): boolean {
  return SORTS.find((sort) => sort.key === key)?.descending ?? false;
}

export interface Choices {
  kinds: string[];
  layers: number[];
  verdicts: string[];
}

export function choicesOf(index: FeatureIndex): Choices {
  const verdicts = index.features.flatMap((feature) => feature.claims.map(({ verdict }) => verdict));
  return {
    kinds: [...new Set(index.features.map(({ kind }) => kind))].sort(),
    layers: [...new Set(index.features.map(({ layer }) => layer))].sort((a, b) => a - b),
    verdicts: [...new Set(verdicts)].sort(),
  };
}

interface SelectProps {
  id: string;
  label: string;
  value: string;
  options: [value: string, label: string][];
  onChange: (value: string) => void;
}

function Select({ id, label, value, options, onChange }: SelectProps) {
  return (
    <label>
      {label}{' '}
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface FilterProps {
  query: Query;
  choices: Choices;
  shown: number;
  total: number;
  onChange: (query: Query) => void;
}

export function Filters({ query, choices, shown, total, onChange }: FilterProps) {
  const set = (change: Partial<Query>) => onChange({ ...query, ...change });
  const count = shown === total ? `${formatCount(total)} features` : `${formatCount(shown)} of ${formatCount(total)} features`;
  return (
    <form class="filters" role="search" aria-label="Filter features" onSubmit={(event) => event.preventDefault()}>
      <label class="grow">
        Search{' '}
        <input
          type="search"
          id="feature-text"
          placeholder="name, token, id"
          autocomplete="off"
          value={query.text}
          onInput={(event) => set({ text: event.currentTarget.value })}
        />
      </label>
      <Select id="feature-kind" label="Kind" value={query.kind} onChange={(kind) => set({ kind })}
        options={[['', 'all'], ...choices.kinds.map((kind): [string, string] => [kind, kind])]} />
      <Select id="feature-layer" label="Layer" value={query.layer} onChange={(layer) => set({ layer })}
        options={[['', 'all'], ...choices.layers.map((layer): [string, string] => [String(layer), String(layer)])]} />
      {choices.verdicts.length > 0 && (
        <Select id="feature-claim" label="Claim" value={query.claim} onChange={(claim) => set({ claim })}
          options={[['', 'any or none'], ['any', 'part of a claim'],
            ...choices.verdicts.map((verdict): [string, string] => [verdict, `part of a ${verdict} claim`])]} />
      )}
      <Select id="feature-sort" label="Sort by" value={query.sort}
        onChange={(sort) => set({ sort: sort as SortKey, descending: startsDescending(sort as SortKey) })}
        options={SORTS.map(({ key, label }): [string, string] => [key, label])} />
      <button type="button" id="feature-clear" disabled={query === EVERYTHING} onClick={() => onChange(EVERYTHING)}>
        Clear
      </button>
      <output id="feature-count" for="feature-text feature-kind feature-layer feature-claim">{count}</output>
    </form>
  );
}
