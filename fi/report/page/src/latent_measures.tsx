import type { ComponentChildren } from 'preact';
import type { Measures, Ratio } from './details.ts';
import { formatCount, formatNumber, formatShare } from './numbers.ts';

const MOST_NU = 1.5; // where the plots of nu end; intervals that reach further are cut there and written out beside

interface Side {
  model: 'base' | 'target';
  value: number;
  interval?: Ratio;
}

interface MeasureProps {
  title: string;
  children: ComponentChildren;
  note: string;
}

function Measure({ title, children, note }: MeasureProps) {
  return (
    <div class="measure">
      <h4>{title}</h4>
      {children}
      <p class="note">{note}</p>
    </div>
  );
}

function percentOf(value: number, most: number): string {
  return `${100 * Math.min(1, Math.max(0, value / most))}%`;
}

/** Both models on one scale from 0; an interval is a line over the bar. `mark` is a value to compare with. */
function Bars({ sides, most, mark }: { sides: Side[]; most: number; mark?: number }) {
  return (
    <div class="use measured">
      {sides.map(({ model, value, interval }) => (
        <>
          <span class={`side ${model}`}>{model}</span>
          <span class="track">
            {mark !== undefined && <span class="mark" style={{ left: percentOf(mark, most) }} />}
            <span class={`bar ${model}`} style={{ width: percentOf(value, most) }} />
            {interval && (
              <span class="interval" style={{ left: percentOf(interval.low, most), right: `calc(100% - ${percentOf(interval.high, most)})` }} />
            )}
          </span>
          <span>{formatNumber(value)}</span>
          {interval && (
            <span class="range">
              {formatNumber(interval.low)} to {formatNumber(interval.high)}
            </span>
          )}
        </>
      ))}
    </div>
  );
}

function Norms({ measures }: { measures: Measures }) {
  const { baseNorm, targetNorm, targetNormShare } = measures;
  const known = baseNorm !== null && targetNorm !== null;
  return (
    <Measure
      title="What it writes: decoder norms"
      note={`The length of the vector that the dictionary gives this latent in each model; the target’s is ${formatShare(targetNormShare)} of both together. A hint only: a dictionary gives both models a vector, whether they use it or not.`}
    >
      {known ? (
        <Bars most={Math.max(baseNorm, targetNorm, 1e-12)} sides={[{ model: 'base', value: baseNorm }, { model: 'target', value: targetNorm }]} />
      ) : (
        <Bars most={1} sides={[{ model: 'base', value: 1 - targetNormShare }, { model: 'target', value: targetNormShare }]} />
      )}
    </Measure>
  );
}

function directionWords(cosine: number): string {
  if (cosine >= 0.9) return 'nearly the same direction in both models';
  if (cosine >= 0.5) return 'similar directions in the two models';
  if (cosine > -0.5) return 'different directions in the two models';
  return 'opposite directions in the two models';
}

function Facts({ measures }: { measures: Measures }) {
  return (
    <dl class="measure-facts">
      <div>
        <dt>fires on</dt>
        <dd>
          <b>{formatNumber(100 * measures.firingRate)}%</b> of tokens held out: {formatCount(measures.firings)} times, in{' '}
          {formatCount(measures.texts)} texts
        </dd>
      </div>
      {measures.hasOneSpace && (
        <div>
          <dt>decoder cosine</dt>
          <dd>
            <b>{formatNumber(measures.decoderCosine)}</b>: {directionWords(measures.decoderCosine)} (1: the same, 0: unrelated)
          </dd>
        </div>
      )}
      <div>
        <dt>use ratio</dt>
        <dd>
          <b>{formatNumber(measures.useRatio)}</b>: strength in the target over that in the base, along{' '}
          {measures.hasOneSpace ? 'their common direction' : 'a direction of each model’s own'}
        </dd>
      </div>
    </dl>
  );
}

const READ_AS: Record<string, string> = {
  added: 'Classed as added: the base has little of it, the target has.',
  removed: 'Classed as removed: the target has little of it, the base has.',
  modified: 'Classed as modified: both have it, but not alike.',
  shared: 'Classed as shared: both have it alike.',
};

function Nu({ measures, title, note }: { measures: Measures; title: string; note: string }) {
  return (
    <Measure title={title} note={`${note} The line over the bar is a 95% interval over texts.`}>
      <Bars most={MOST_NU} mark={1} sides={[
        { model: 'base', value: measures.nuErrorBase.value, interval: measures.nuErrorBase },
        { model: 'target', value: measures.nuErrorTarget.value, interval: measures.nuErrorTarget },
      ]} />
    </Measure>
  );
}

function InOneSpace({ measures }: { measures: Measures }) {
  return (
    <>
      <Nu measures={measures} title="In what is left unexplained (ν error)"
        note="Whether the direction is in the part of the model’s activations that the dictionary’s other latents do not explain." />
      <Measure title="In the reconstruction (ν reconstruction)"
        note="The same in what the dictionary gives back of the model’s activations.">
        <Bars most={MOST_NU} mark={1} sides={[
          { model: 'base', value: measures.nuReconstructionBase },
          { model: 'target', value: measures.nuReconstructionTarget },
        ]} />
      </Measure>
    </>
  );
}

function InSpacesOfTheirOwn({ measures }: { measures: Measures }) {
  return (
    <Nu measures={measures} title="Reach along a direction of its own, over the other’s"
      note="How far the model’s activations reach, where the latent fires, along the direction that fits them best there: found on half of the texts and measured on the other half." />
  );
}

/** The numbers that the class of a latent rests on, for readers who meet them for the first time. */
export function LatentMeasures({ measures, kind }: { measures: Measures; kind: string }) {
  return (
    <div class="measures">
      <h3>What the class rests on</h3>
      <p class="note">
        {READ_AS[kind] ?? ''} Measured on texts that the dictionary was not trained on, where the latent fires. 0: the model has nothing of{' '}
        {measures.hasOneSpace
          ? 'the direction that the other model’s decoder gives the latent'
          : 'it (the models have no common space: a direction of one means nothing in the other)'}
        ; 1, the thin line: as much as the other.
      </p>
      <div class="measure-grid">
        {measures.hasOneSpace ? <InOneSpace measures={measures} /> : <InSpacesOfTheirOwn measures={measures} />}
        <Norms measures={measures} />
        <Facts measures={measures} />
      </div>
    </div>
  );
}
