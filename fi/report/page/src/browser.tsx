import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { DetailsReader } from './details.ts';
import { FeatureList } from './feature_list.tsx';
import { choicesOf, Filters } from './filters.tsx';
import type { Feature } from './payload.ts';
import { PrintFeatures } from './print_features.tsx';
import { EVERYTHING, type FeatureIndex, type Query } from './search.ts';

function hashTarget(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}

/** "#feature-L18-421" opens that feature; "#layer-18" shows that layer's. */
function useAddress(index: FeatureIndex, openFeature: (feature: Feature) => void, showLayer: (layer: string) => void) {
  useLayoutEffect(() => {
    const byAnchor = new Map(index.features.map((feature) => [feature.anchor, feature]));
    const follow = () => {
      const address = hashTarget();
      const feature = byAnchor.get(address);
      const layer = /^layer-(\d+)$/.exec(address)?.[1];
      if (feature) openFeature(feature);
      else if (layer !== undefined && index.features.some((other) => String(other.layer) === layer)) showLayer(layer);
    };
    follow();
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, [index]);
}

function bringIntoView() {
  document.getElementById('features')?.scrollIntoView();
}

export function FeatureBrowser({ index, details }: { index: FeatureIndex; details: DetailsReader }) {
  const [query, setQuery] = useState<Query>(EVERYTHING);
  const [open, setOpen] = useState<ReadonlySet<Feature>>(() => new Set(index.features.slice(0, 1)));
  const [target, setTarget] = useState<Feature | null>(null);
  const choices = useMemo(() => choicesOf(index), [index]);
  const shown = useMemo(() => index.select(query), [index, query]);
  const most = useMemo(() => index.features.reduce((top, { baseUse, targetUse }) => Math.max(top, baseUse, targetUse), 1e-12), [index]);

  const change = (next: Query) => {
    setTarget(null);
    setQuery(next);
  };
  const toggle = (feature: Feature) => {
    const next = new Set(open);
    if (!next.delete(feature)) next.add(feature);
    setOpen(next);
  };
  useAddress(
    index,
    (feature) => {
      setQuery(EVERYTHING);
      setOpen(new Set([feature]));
      setTarget(feature);
      bringIntoView();
    },
    (layer) => {
      change({ ...EVERYTHING, layer });
      bringIntoView();
    },
  );
  useEffect(() => {
    const later = setTimeout(() => index.prepare(), 300);
    return () => clearTimeout(later);
  }, [index]);

  return (
    <>
      <Filters query={query} choices={choices} shown={shown.length} total={index.features.length} onChange={change} />
      {shown.length > 0 ? (
        <FeatureList shown={shown} open={open} target={target} details={details} most={most} query={query} onChange={change} onToggle={toggle} />
      ) : (
        <p class="empty">No feature fits. Clear the filters to see all of them.</p>
      )}
      <PrintFeatures shown={shown} open={open} details={details} />
    </>
  );
}
