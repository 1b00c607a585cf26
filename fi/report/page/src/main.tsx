import { render } from 'preact';
import { startAnswers } from './answers.ts';
import { FeatureBrowser } from './browser.tsx';
import { readDetails } from './details.ts';
import type { Payload } from './payload.ts';
import { unfoldWhilePrinting } from './print.ts';
import { FeatureIndex } from './search.ts';

function dataOf(id: string): string {
  return document.getElementById(id)?.textContent ?? '';
}

function startFeatures(): void {
  const root = document.getElementById('feature-browser');
  if (!root) return;
  const payload = JSON.parse(dataOf('feature-data')) as Payload;
  const index = new FeatureIndex(payload);
  root.replaceChildren();
  render(<FeatureBrowser index={index} details={readDetails(() => dataOf('feature-details'), payload.strings)} />, root);
}

/** A click on a layer of the layer map goes where the layer's link in the table goes. */
function startLayerMap(): void {
  for (const area of document.querySelectorAll<HTMLElement>('.hit[data-layer]')) {
    area.addEventListener('click', () => {
      location.hash = `layer-${area.dataset['layer']}`;
    });
  }
}

document.documentElement.classList.add('scripted');
startLayerMap();
startFeatures();
startAnswers();
unfoldWhilePrinting();
