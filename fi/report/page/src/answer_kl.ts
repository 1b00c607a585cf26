// KL of each token of the answers that the page shows: a line of JSON an answer (fi/report/answer_payload.cpp).

export interface TokenColumns {
  lengths: number[]; // in UTF-16 units
  nats: number[];
}

export interface AnswerKl {
  base: TokenColumns | null;
  target: TokenColumns | null;
}

export interface KlToken {
  text: string;
  nats: number;
}

type Side = [lengths: number[], hundredths: number[]] | null;

function columnsOf(side: Side | undefined): TokenColumns | null {
  return side ? { lengths: side[0], nats: side[1].map((value) => value / 100) } : null;
}

export function readAnswerKl(source: string): AnswerKl[] {
  const lines = source.split('\n').filter(Boolean);
  return lines.map((line) => {
    const [base, target] = JSON.parse(line) as [Side, Side];
    return { base: columnsOf(base), target: columnsOf(target) };
  });
}

/** The text in tokens; null unless the lengths are exactly those of the text. */
export function tokensOf(text: string, { lengths, nats }: TokenColumns): KlToken[] | null {
  const tokens: KlToken[] = [];
  let at = 0;
  lengths.forEach((length, place) => {
    tokens.push({ text: text.slice(at, at + length), nats: nats[place] ?? 0 });
    at += length;
  });
  return at === text.length ? tokens : null;
}

const MOST = 5; // nats: from here on a token has the strongest colour
const SMALL = 0.1; // below, differences hardly show

export const TICKS = [0, 0.1, 0.3, 1, 3, MOST];

/** How strong the colour of a token is, 0 to 1. Logarithmic, as values reach from thousandths to several nats. */
export function strengthOf(nats: number): number {
  return Math.min(1, Math.log1p(Math.max(0, nats) / SMALL) / Math.log1p(MOST / SMALL));
}

export function formatNats(nats: number): string {
  return `${nats > 0 && nats < 0.01 ? '<0.01' : nats.toFixed(2)} ${nats === 1 ? 'nat' : 'nats'}`;
}

export function visibleToken(text: string): string {
  return text.replaceAll('\n', '⏎').replaceAll('\t', '⇥').replaceAll(' ', '␣');
}

/** "mean 0.31 nats over 48 tokens; largest at “␣Step” (2.10 nats), “:” (1.00 nats)" */
export function summaryOf(tokens: KlToken[]): string {
  const mean = tokens.reduce((sum, { nats }) => sum + nats, 0) / Math.max(1, tokens.length);
  const largest = [...tokens].sort((a, b) => b.nats - a.nats).slice(0, 3);
  const named = largest.filter(({ nats }) => nats >= 0.01).map(({ text, nats }) => `“${visibleToken(text)}” (${formatNats(nats)})`);
  return `mean ${formatNats(mean)} over ${tokens.length} ${tokens.length === 1 ? 'token' : 'tokens'}${named.length ? `; largest at ${named.join(', ')}` : ''}`;
}
