import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Callout } from './callout.tsx';
import type { DetailsReader } from './details.ts';
import { formatCount, formatNumber, formatShare } from './numbers.ts';
import type { Feature } from './payload.ts';

const MOST_ROWS = 200;
const MOST_CALLOUTS = 12;

interface PrintProps {
  shown: Feature[];
  open: ReadonlySet<Feature>;
  details: DetailsReader;
}

function Row({ feature }: { feature: Feature }) {
  return (
    <tr>
      <th scope="row">
        <b dir="auto">{feature.name || 'unnamed'}</b> <code>{feature.id}</code>
      </th>
      <td>
        {feature.tokens.map((token, at) => (
          <span key={at}>
            <code dir="auto">{token.trim() || '␣'}</code>{' '}
          </span>
        ))}
      </td>
      <td>{feature.kind}</td>
      <td>{feature.layer}</td>
      <td>{feature.share === null ? '–' : formatShare(feature.share)}</td>
      <td>
        {formatNumber(feature.baseUse)} → {formatNumber(feature.targetUse)}
      </td>
    </tr>
  );
}

function caption(rows: number, shown: number): string {
  return rows === shown
    ? `${formatCount(rows)} features`
    : `The first ${formatCount(rows)} of ${formatCount(shown)} features; features.csv has all of them.`;
}

function PrintedFeatures({ shown, open, details }: PrintProps) {
  const rows = shown.slice(0, MOST_ROWS);
  const opened = shown.filter((feature) => open.has(feature)).slice(0, MOST_CALLOUTS);
  return (
    <>
      <table>
        <caption>{caption(rows.length, shown.length)}</caption>
        <thead>
          <tr>
            {['feature', 'fires most on', 'kind', 'layer', 'share', 'use: base → target'].map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((feature) => (
            <Row key={feature.index} feature={feature} />
          ))}
        </tbody>
      </table>
      {opened.map((feature) => (
        <Callout key={feature.index} feature={feature} details={details(feature.index)} />
      ))}
    </>
  );
}

/** Paper cannot be scrolled: while the page is printed, a plain table of the features in question stands for the list in view. */
export function PrintFeatures(props: PrintProps) {
  const root = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const fill = () => root.current && render(<PrintedFeatures {...latest.current} />, root.current);
    const empty = () => root.current && render(null, root.current);
    window.addEventListener('beforeprint', fill);
    window.addEventListener('afterprint', empty);
    return () => {
      window.removeEventListener('beforeprint', fill);
      window.removeEventListener('afterprint', empty);
    };
  }, []);
  return <div class="print-only" ref={root} />;
}
