import { formatShare } from './numbers.ts';
import type { ClaimLink } from './payload.ts';

/** Causal tests of the claims that a feature is a part of, beside their controls. */
export function Interventions({ claims }: { claims: ClaimLink[] }) {
  return (
    <>
      {claims
        .filter(({ tests }) => tests.length)
        .map(({ number, tests, tested_layer: layer }) => (
          <div key={number} class="interventions">
            <p class="label">claim {number} tested by intervention</p>
            <ul class="tests">
              {tests.map(([name, effect, control, passed]) => (
                <li key={name} class={passed ? 'passed' : 'failed'}>
                  <span class="hidden">{passed ? 'passed: ' : 'not passed: '}</span>
                  {name}: <b>{formatShare(effect)}</b>, control {formatShare(control)}
                </li>
              ))}
            </ul>
            <p class="note">
              Exchanged were the leading directions of the difference{layer === null ? '' : ` after layer ${layer}`} together, not this
              feature alone.
            </p>
          </div>
        ))}
    </>
  );
}
