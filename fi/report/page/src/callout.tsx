import type { ComponentChildren } from 'preact';
import type { Details, Example } from './details.ts';
import { formatNumber, formatShare } from './numbers.ts';
import { Interventions } from './interventions.tsx';
import { LatentMeasures } from './latent_measures.tsx';
import type { Feature } from './payload.ts';

const MAX_EXAMPLES = 8;
const MAX_CATEGORIES = 6;
const FAINT = 0.04; // of the largest activation; below, a token is not tinted

function Labelled({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <>
      <p class="label">{label}</p>
      {children}
    </>
  );
}

function Bars({ base, target }: { base: number; target: number }) {
  const most = Math.max(base, target, 1e-12);
  return (
    <div class="use">
      <span class="side base">base</span>
      <span class="track">
        <span class="bar base" style={{ width: `${(100 * base) / most}%` }} />
      </span>
      <span>{formatNumber(base)}</span>
      <span class="side target">target</span>
      <span class="track">
        <span class="bar target" style={{ width: `${(100 * target) / most}%` }} />
      </span>
      <span>{formatNumber(target)}</span>
    </div>
  );
}

function Categories({ details }: { details: Details }) {
  if (!details.categories.length) return null;
  const shown = details.categories.slice(0, MAX_CATEGORIES);
  const most = Math.max(...shown.map(({ base, target }) => Math.max(base, target)), 1e-12);
  return (
    <Labelled label="strongest on prompts of">
      <ul class="category-use">
        {shown.map(({ name, base, target }) => (
          <li key={name}>
            <span dir="auto">{name}</span>
            <span class="numbers-pair">
              {formatNumber(base)} → {formatNumber(target)}
            </span>
            <span class="track">
              <span class="bar base thin" style={{ width: `${(100 * base) / most}%` }} />
              <span class="bar target thin" style={{ width: `${(100 * target) / most}%` }} />
            </span>
          </li>
        ))}
      </ul>
    </Labelled>
  );
}

function Tokens({ label, tokens }: { label: string; tokens: string[] }) {
  if (!tokens.length) return null;
  return (
    <Labelled label={label}>
      <p class="tokens">
        {tokens.map((token, at) => (
          <code key={at} dir="auto">
            {token.trim() || '␣'}
          </code>
        ))}
      </p>
    </Labelled>
  );
}

const tint = (value: number) => String(value > FAINT ? value : 0);

/** One text that both models read; each token is tinted in its upper half by the base, in its lower half by the target. */
function ExampleText({ example }: { example: Example }) {
  return (
    <>
      {example.category && <p class="label">{example.category}</p>}
      <p class="example" dir="auto">
        {example.tokens.map(({ text, base, target }, at) => (
          <span
            key={at}
            class="token"
            style={{ '--b': tint(base), '--t': tint(target) }}
            title={Math.max(base, target) > FAINT ? `base ${base.toFixed(2)}, target ${target.toFixed(2)} of the largest` : undefined}
          >
            {text.replaceAll('\n', '⏎\n')}
          </span>
        ))}
      </p>
    </>
  );
}

function Examples({ examples }: { examples: Example[] }) {
  if (!examples.length) return <p class="empty">No example was kept for this feature.</p>;
  return (
    <>
      <p class="label">
        token by token: <span class="side base">base</span> above, <span class="side target">target</span> below (darker: more)
      </p>
      {examples.slice(0, MAX_EXAMPLES).map((example, at) => (
        <ExampleText key={at} example={example} />
      ))}
    </>
  );
}

function Provenance({ feature, details }: { feature: Feature; details: Details }) {
  const facts = feature.share === null ? [] : [`explains ${formatShare(feature.share)} of its layer’s difference`];
  if (feature.engine) facts.push(`found by ${feature.engine}`);
  facts.push(...details.notes);
  return <p class="label">{facts.join(' · ')}</p>;
}

/** All that is known of one feature: what fires it, what it promotes, who uses it how much, and where. */
export function Callout({ feature, details }: { feature: Feature; details: Details }) {
  return (
    <section class={`callout ${feature.kind}`} aria-label={`Feature ${feature.id}`}>
      <div>
        <p class={feature.name ? 'big' : 'big unnamed'} dir="auto">
          {feature.name || 'Unnamed feature'}
        </p>
        {feature.firesOn && !feature.name.endsWith(feature.firesOn) && (
          <Labelled label="fires on">
            <p dir="auto">{feature.firesOn}</p>
          </Labelled>
        )}
        {feature.promotes && !feature.promoted.length && (
          <Labelled label="promotes">
            <p dir="auto">{feature.promotes}</p>
          </Labelled>
        )}
        <Labelled label="mean use over all tokens">
          <Bars base={feature.baseUse} target={feature.targetUse} />
        </Labelled>
        <Categories details={details} />
        <Interventions claims={feature.claims} />
        <Provenance feature={feature} details={details} />
        <p class="label">
          {feature.claims.map(({ number, anchor, verdict }) => (
            <span key={number}>
              part of <a href={`#${anchor}`}>claim {number}</a> ({verdict}) ·{' '}
            </span>
          ))}
          <a href={`#${feature.anchor}`}>link to this feature</a>
        </p>
      </div>
      <div>
        <Examples examples={details.examples} />
        <Tokens label="raises the chance of" tokens={feature.promoted} />
        <Tokens label="lowers the chance of" tokens={details.suppressed} />
      </div>
      {details.measures && <LatentMeasures measures={details.measures} kind={feature.kind} />}
    </section>
  );
}
