import { formatNats, strengthOf, summaryOf, tokensOf, visibleToken, type TokenColumns } from './answer_kl.ts';

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/**
 * One answer, which can show its tokens coloured by KL instead of its words marked. The summary below it is read out; a token that is
 * pointed at, or reached with the arrow keys, puts its value there.
 */
export class TokenAnswer {
  private readonly said: HTMLElement;
  private readonly model: string;
  private readonly columns: TokenColumns | null;
  private words: Node[] | undefined;
  private spans: HTMLElement[] = [];
  private readonly readout = document.createElement('p');
  private summary = '';
  private current = -1;

  constructor(said: HTMLElement, model: string, columns: TokenColumns | null) {
    this.said = said;
    this.model = model;
    this.columns = columns;
    this.readout.className = 'stat readout';
    said.addEventListener('pointerover', (event) => this.show(this.spans.indexOf(event.target as HTMLElement)));
    said.addEventListener('pointerleave', () => this.show(-1));
    // Only the answer in use may speak: twenty summaries at once would drown the page.
    said.addEventListener('focus', () => this.readout.setAttribute('role', 'status'));
    said.addEventListener('blur', () => {
      this.readout.removeAttribute('role');
      this.show(-1);
    });
    said.addEventListener('keydown', (event) => this.move(event));
  }

  showTokens(): void {
    if (this.words) return;
    const tokens = this.columns && tokensOf(this.said.textContent ?? '', this.columns);
    this.words = [...this.said.childNodes];
    if (tokens) {
      this.spans = tokens.map(({ text, nats }) => this.span(text, nats));
      this.said.replaceChildren(...this.spans);
      this.said.tabIndex = 0;
      this.said.setAttribute('role', 'group');
      this.said.setAttribute('aria-label', `Answer of the ${this.model}, token by token: go through it with the arrow keys`);
    }
    this.summary = tokens ? summaryOf(tokens) : 'KL was not measured on this answer.';
    this.readout.textContent = this.summary;
    this.said.after(this.readout);
  }

  showWords(): void {
    if (!this.words) return;
    this.said.replaceChildren(...this.words);
    for (const name of ['tabindex', 'role', 'aria-label']) this.said.removeAttribute(name);
    this.readout.remove();
    this.words = undefined;
    this.spans = [];
    this.current = -1;
  }

  private span(text: string, nats: number): HTMLElement {
    const span = document.createElement('span');
    span.className = 'kl';
    span.textContent = text;
    span.dataset['text'] = visibleToken(text);
    span.dataset['nats'] = formatNats(nats);
    span.style.setProperty('--v', strengthOf(nats).toFixed(3));
    return span;
  }

  private show(place: number): void {
    this.spans[this.current]?.classList.remove('current');
    const span = this.spans[place];
    this.current = span ? place : -1;
    span?.classList.add('current');
    const value = span ? `“${span.dataset['text']}”: ${span.dataset['nats']}` : this.summary;
    if (this.words) this.readout.textContent = value;
  }

  private move(event: KeyboardEvent): void {
    const step = STEPS[event.key];
    if (step === undefined || !this.spans.length) return;
    event.preventDefault();
    this.show(Math.min(this.spans.length - 1, Math.max(0, this.current + step)));
    this.spans[this.current]?.scrollIntoView({ block: 'nearest' });
  }
}
