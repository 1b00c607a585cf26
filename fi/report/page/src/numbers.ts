// The same words for numbers as in fi/report/format.cpp; the two are tested on the same cases.

const MINUS = '−';

function trimmed(value: number, decimals: number): string {
  const text = String(Number(value.toFixed(decimals)));
  return text.startsWith('-') ? MINUS + text.slice(1) : text;
}

export function formatCount(value: number): string {
  return value.toLocaleString('en-US').replace('-', MINUS);
}

export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return formatCount(Math.round(value));
  if (size !== 0 && size < 0.001) {
    const [digits, power] = value.toExponential(1).split('e') as [string, string];
    const exponent = Math.abs(Number(power)).toString().padStart(2, '0');
    return digits.replace('-', MINUS) + 'e-' + exponent;
  }
  return trimmed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '<0.1%';
  if (percent > 99.9 && percent < 100) return '>99.9%';
  return trimmed(percent, Math.abs(percent) < 1 || (percent > 99 && percent < 100) ? 1 : 0) + '%';
}
