// The prompts browser: the answers are in the page already; this hides those that do not fit.

const FIRST = 10;
const MORE = 20;

interface Entry {
  node: HTMLElement;
  text: string;
  category: string;
  same: boolean;
}

function input<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function readEntries(list: HTMLElement): Entry[] {
  return [...list.querySelectorAll<HTMLElement>('.exchange')].map((node) => ({
    node,
    text: (node.textContent ?? '').toLowerCase(),
    category: node.dataset['category'] ?? '',
    same: 'same' in node.dataset,
  }));
}

export function startAnswers(): void {
  const list = document.getElementById('answer-list');
  if (!list) return;
  const entries = readEntries(list);
  const form = input<HTMLFormElement>('answer-filters');
  const text = input<HTMLInputElement>('answer-text');
  const category = input<HTMLSelectElement>('answer-category');
  const changed = input<HTMLInputElement>('answer-changed');
  const more = input<HTMLButtonElement>('answer-more');
  const count = input<HTMLOutputElement>('answer-count');
  let limit = FIRST;

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
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;
  draw();
  window.addEventListener('beforeprint', () => {
    limit = entries.length;
    draw();
  });
}
