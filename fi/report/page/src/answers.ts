// The prompts browser: the answers are in the page already; this hides those that do not fit, and colours the tokens of the others.

import { readAnswerKl, strengthOf, TICKS, type AnswerKl } from './answer_kl.ts';
import { TokenAnswer } from './token_answer.ts';

const FIRST = 10;
const MORE = 20;

interface Entry {
  node: HTMLElement;
  text: string;
  category: string;
  same: boolean;
  answers: TokenAnswer[];
}

function input<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function tokenAnswers(node: HTMLElement, kl: AnswerKl | undefined): TokenAnswer[] {
  const answers: TokenAnswer[] = [];
  for (const model of ['base', 'target'] as const) {
    const said = node.querySelector<HTMLElement>(`.answer.${model} .said`);
    if (said) answers.push(new TokenAnswer(said, model, kl?.[model] ?? null));
  }
  return answers;
}

function readEntries(list: HTMLElement, kl: AnswerKl[]): Entry[] {
  return [...list.querySelectorAll<HTMLElement>('.exchange')].map((node, place) => ({
    node,
    text: (node.textContent ?? '').toLowerCase(),
    category: node.dataset['category'] ?? '',
    same: 'same' in node.dataset,
    answers: tokenAnswers(node, kl[place]),
  }));
}

function drawTicks(legend: HTMLElement): void {
  const row = legend.querySelector('.ticks');
  const marks = TICKS.map((nats, place) => {
    const mark = document.createElement('span');
    mark.textContent = place === 0 ? `${nats} nats` : place === TICKS.length - 1 ? `${nats}+` : String(nats);
    mark.style.setProperty('--v', strengthOf(nats).toFixed(3));
    return mark;
  });
  row?.replaceChildren(...marks);
}

/** Calls `change` with whether tokens are to be coloured; without values, the page has no such choice. */
function startMarks(form: HTMLFormElement, change: (byKl: boolean) => void): void {
  const legend = document.getElementById('answer-legend');
  if (!legend) return;
  drawTicks(legend);
  for (const choice of form.querySelectorAll<HTMLInputElement>('[name="answer-marks"]')) {
    choice.addEventListener('change', () => {
      const byKl = choice.value === 'kl';
      legend.hidden = !byKl;
      change(byKl);
    });
  }
}

export function startAnswers(): void {
  const list = document.getElementById('answer-list');
  if (!list) return;
  const entries = readEntries(list, readAnswerKl(document.getElementById('answer-kl')?.textContent ?? ''));
  const form = input<HTMLFormElement>('answer-filters');
  const text = input<HTMLInputElement>('answer-text');
  const category = input<HTMLSelectElement>('answer-category');
  const changed = input<HTMLInputElement>('answer-changed');
  const more = input<HTMLButtonElement>('answer-more');
  const count = input<HTMLOutputElement>('answer-count');
  let limit = FIRST;
  let byKl = false;

  const draw = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const entry of entries) {
      const fits =
        words.every((word) => entry.text.includes(word)) &&
        (!category.value || entry.category === category.value) &&
        !(changed.checked && entry.same);
      if (fits) found += 1;
      entry.node.hidden = !fits || found > limit;
      if (entry.node.hidden) continue;
      for (const answer of entry.answers) {
        if (byKl) answer.showTokens();
        else answer.showWords();
      }
    }
    count.textContent = found === entries.length ? `${entries.length} prompts` : `${found} of ${entries.length} prompts`;
    more.hidden = found <= limit;
  };
  const restart = () => {
    limit = FIRST;
    draw();
  };
  for (const name of [...new Set(entries.map((entry) => entry.category))].sort()) category.append(new Option(name, name));
  for (const control of [text, category, changed]) control.addEventListener('input', restart);
  more.addEventListener('click', () => {
    limit += MORE;
    draw();
  });
  startMarks(form, (chosen) => {
    byKl = chosen;
    draw();
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;
  draw();
  let onScreen = limit;
  window.addEventListener('beforeprint', () => {
    onScreen = limit;
    limit = entries.length;
    draw();
  });
  window.addEventListener('afterprint', () => {
    limit = onScreen;
    draw();
  });
}
