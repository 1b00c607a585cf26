import type { RefObject } from 'preact';
import { useCallback, useLayoutEffect, useRef } from 'preact/hooks';
import { Callout } from './callout.tsx';
import type { DetailsReader } from './details.ts';
import { startsDescending } from './filters.tsx';
import { formatNumber, formatShare } from './numbers.ts';
import type { Feature } from './payload.ts';
import type { Query, SortKey } from './search.ts';
import { useVirtualRows, type Rows } from './virtual_rows.ts';

const COLUMNS: { key: SortKey | null; label: string; class: string }[] = [
  { key: 'name', label: 'feature', class: 'c-name' },
  { key: null, label: 'fires most on', class: 'c-tokens' },
  { key: 'kind', label: 'kind', class: 'c-kind' },
  { key: 'layer', label: 'layer', class: 'c-layer' },
  { key: 'share', label: 'share', class: 'c-share' },
  { key: 'change', label: 'use: base, target', class: 'c-use' },
];

interface HeadProps {
  query: Query;
  onChange: (query: Query) => void;
}

function Head({ query, onChange }: HeadProps) {
  const press = (sort: SortKey) =>
    onChange({ ...query, sort, descending: query.sort === sort ? !query.descending : startsDescending(sort) });
  const order = (key: SortKey | null) => (key !== query.sort ? undefined : query.descending ? 'descending' : 'ascending');
  return (
    <div role="rowgroup" class="head">
      <div role="row" class="line" aria-rowindex={1}>
        {COLUMNS.map(({ key, label, class: name }) => (
          <span key={label} role="columnheader" class={name} aria-sort={order(key)}>
            {key ? (
              <button type="button" onClick={() => press(key)}>
                {label}
              </button>
            ) : (
              label
            )}
          </span>
        ))}
      </div>
    </div>
  );
}

function UseBars({ feature, most }: { feature: Feature; most: number }) {
  const side = (name: string, value: number) => (
    <span class="mini">
      <span class={`bar thin ${name}`} style={{ width: `${(100 * value) / most}%` }} />
      <span class={`side ${name}`}>{formatNumber(value)}</span>
    </span>
  );
  return (
    <span role="cell" class="c-use" aria-label={`use: base ${formatNumber(feature.baseUse)}, target ${formatNumber(feature.targetUse)}`}>
      {side('base', feature.baseUse)}
      {side('target', feature.targetUse)}
    </span>
  );
}

interface LineProps {
  feature: Feature;
  place: number;
  open: boolean;
  most: number;
  onToggle: () => void;
}

function Line({ feature, place, open, most, onToggle }: LineProps) {
  return (
    <div role="row" class="line" aria-rowindex={place + 2}>
      <span role="rowheader" class="c-name">
        <button type="button" class="open" aria-expanded={open} data-place={place} onClick={onToggle}>
          <b class={feature.name ? '' : 'unnamed'} dir="auto">
            {feature.name || 'unnamed'}
          </b>{' '}
          <code>{feature.id}</code>
        </button>
      </span>
      <span role="cell" class="c-tokens">
        {feature.tokens.map((token, at) => (
          <code key={at} dir="auto">
            {token.trim() || '␣'}
          </code>
        ))}
      </span>
      <span role="cell" class="c-kind">
        <span class={`chip kind ${feature.kind}`}>{feature.kind}</span>
      </span>
      <span role="cell" class="c-layer">
        {feature.layer}
      </span>
      <span role="cell" class="c-share">
        {feature.share === null ? '–' : formatShare(feature.share)}
      </span>
      <UseBars feature={feature} most={most} />
    </div>
  );
}

/** Up and down go from row to row; a row that is not in the document yet is scrolled there first. */
function moveFocus(event: KeyboardEvent, { list }: Rows, scroller: RefObject<HTMLElement | null>, count: number) {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const from = (event.target as HTMLElement).dataset['place'];
  if (!step || from === undefined) return;
  const place = Number(from) + step;
  if (place < 0 || place >= count) return;
  event.preventDefault();
  list.scrollToIndex(place);
  const focus = () => scroller.current?.querySelector<HTMLElement>(`[data-place="${place}"]`)?.focus({ preventScroll: true });
  focus();
  requestAnimationFrame(focus);
}

interface ListProps extends HeadProps {
  shown: Feature[];
  open: ReadonlySet<Feature>;
  target: Feature | null; // to be brought into view
  details: DetailsReader;
  most: number; // the largest use of any feature
  onToggle: (feature: Feature) => void;
}

export function FeatureList({ shown, open, target, details, most, query, onChange, onToggle }: ListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  // The same function for the same list: a new one makes the virtual list measure every row of it anew.
  const keyOf = useCallback((place: number) => shown[place]?.index ?? place, [shown]);
  const rows = useVirtualRows(scroller, shown.length, keyOf);
  useLayoutEffect(() => {
    const place = target ? shown.indexOf(target) : -1;
    if (place >= 0) rows.list.scrollToIndex(place, { align: 'start' });
    else if (rows.list.scrollOffset) scroller.current?.scrollTo(0, 0);
  }, [rows.list, shown, target]);
  return (
    <div class="feature-table" role="table" aria-label="Features" aria-rowcount={shown.length + 1}>
      <Head query={query} onChange={onChange} />
      <div class="scroller" ref={scroller} role="rowgroup" tabIndex={-1}
        onKeyDown={(event) => moveFocus(event, rows, scroller, shown.length)}>
        <div class="canvas" role="presentation" style={{ height: `${rows.list.getTotalSize()}px` }}>
          {rows.list.getVirtualItems().map(({ index, start, key }) => {
            const feature = shown[index];
            if (!feature) return null;
            const isOpen = open.has(feature);
            return (
              <div key={key} id={feature.anchor} class={isOpen ? 'entry is-open' : 'entry'} role="presentation" data-index={index}
                ref={(node: HTMLDivElement | null) => rows.measure(node, isOpen)} style={{ transform: `translateY(${start}px)` }}>
                <Line feature={feature} place={index} open={isOpen} most={most} onToggle={() => onToggle(feature)} />
                {isOpen && (
                  <div role="row">
                    <div role="cell" aria-colspan={COLUMNS.length}>
                      <Callout feature={feature} details={details(feature.index)} />
                    </div>
                  </div>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
