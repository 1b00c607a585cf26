import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDetails } from '../../fi/report/page/src/details.ts';
import { formatNumber, formatShare } from '../../fi/report/page/src/numbers.ts';
import { anchorOf, readFeatures, type Payload } from '../../fi/report/page/src/payload.ts';
import { EVERYTHING, FeatureIndex, type Query } from '../../fi/report/page/src/search.ts';

const STRINGS = ['', 'added', 'shared', 'difference PCA', 'Numbered steps', 'answers', ' Step', 'arithmetic'];

const PAYLOAD: Payload = {
  strings: STRINGS,
  id: ['L2 a', 'L10-b', 'L3-c'],
  layer: [2, 10, 3],
  kind: [1, 2, 1],
  engine: [3, 3, 3],
  name: [0, 4, 0],
  fires_on: [0, 5, 0],
  promotes: [0, 0, 0],
  score: [null, 0.9, null],
  share: [0.1, 0.3, 0.2],
  base_use: [1, 5, 0],
  target_use: [2, 1, 0],
  tokens: [[6], [], []],
  promoted: [[], [], [6]],
  claims: [{ number: 1, anchor: 'claim-1', verdict: 'verified', features: [1, 99] }],
};

function ids(change: Partial<Query>): string[] {
  return new FeatureIndex(PAYLOAD).select({ ...EVERYTHING, ...change }).map((feature) => feature.id);
}

test('features are read from columns', () => {
  const [first, second] = readFeatures(PAYLOAD);
  assert.deepEqual(first?.tokens, [' Step']);
  assert.equal(first?.anchor, 'feature-L2_a');
  assert.equal(anchorOf('a b c'), 'feature-a_b_c');
  assert.deepEqual(second?.claims, [{ number: 1, anchor: 'claim-1', verdict: 'verified' }]);
});

test('every word must be found somewhere', () => {
  assert.deepEqual(ids({ text: 'STEP' }), ['L2 a', 'L10-b', 'L3-c']);
  assert.deepEqual(ids({ text: 'numbered answers' }), ['L10-b']);
  assert.deepEqual(ids({ text: 'numbered nothing' }), []);
  assert.deepEqual(ids({ text: '  ' }).length, 3);
});

test('a word is looked for in one text at a time, and in every field', () => {
  assert.deepEqual(ids({ text: 'l10-b' }), ['L10-b']);
  assert.deepEqual(ids({ text: 'pca' }), ['L2 a', 'L10-b', 'L3-c']);
  assert.deepEqual(ids({ text: 'stepsanswers' }), []);
  assert.deepEqual(ids({ text: '.*' }), []);
});

test('a query that grows, shrinks or repeats a word finds what a new one finds', () => {
  const index = new FeatureIndex(PAYLOAD);
  for (const text of ['n', 'numbered', 'numbered s', 'numbered step', 'step numbered', 'step step', '', 'c', 'numbered c', 'n']) {
    assert.deepEqual(index.select({ ...EVERYTHING, text }).map(({ id }) => id), ids({ text }), text);
  }
});

test('kind, layer and claim narrow the list', () => {
  assert.deepEqual(ids({ kind: 'added' }), ['L2 a', 'L3-c']);
  assert.deepEqual(ids({ layer: '10' }), ['L10-b']);
  assert.deepEqual(ids({ claim: 'any' }), ['L10-b']);
  assert.deepEqual(ids({ claim: 'refuted' }), []);
});

test('sorting keeps ties in order and unnamed features last', () => {
  assert.deepEqual(ids({ sort: 'layer' }), ['L2 a', 'L3-c', 'L10-b']);
  assert.deepEqual(ids({ sort: 'share', descending: true }), ['L10-b', 'L3-c', 'L2 a']);
  assert.deepEqual(ids({ sort: 'change', descending: true }), ['L10-b', 'L2 a', 'L3-c']);
  assert.deepEqual(ids({ sort: 'name', descending: false }), ['L10-b', 'L2 a', 'L3-c']);
  assert.deepEqual(ids({ sort: 'name', descending: true }), ['L10-b', 'L2 a', 'L3-c']);
  assert.deepEqual(ids({ sort: 'kind', descending: true }), ['L10-b', 'L2 a', 'L3-c']);
});

test('details are read a line at a time, and a missing line is empty', () => {
  let reads = 0;
  const source = () => {
    reads += 1;
    return '[[6],[[7,0.5,2]],[[7,[6],[97],[3]],[0,[6],[0],[3]]],null,[7]]\n[[],[],[]]\n';
  };
  const details = readDetails(source, STRINGS);
  assert.equal(reads, 0);
  assert.deepEqual(details(0), {
    suppressed: [' Step'],
    categories: [{ name: 'arithmetic', base: 0.5, target: 2 }],
    examples: [
      { category: 'arithmetic', tokens: [{ text: ' Step', base: 0.97, target: 0.03 }] },
      { category: '', tokens: [{ text: ' Step', base: 0, target: 0.03 }] },
    ],
    measures: null,
    notes: ['arithmetic'],
  });
  assert.deepEqual(details(2), { suppressed: [], categories: [], examples: [], measures: null, notes: [] });
  assert.equal(reads, 1);
});

// The same cases as in tests/report/text_test.cpp.
test('numbers read as in the figures', () => {
  const numbers: [number, string][] = [
    [0, '0'], [0.4242, '0.424'], [-12.44, '−12.4'], [1240, '1,240'], [0.00012, '1.2e-04'], [1.005, '1'],
  ];
  for (const [value, text] of numbers) assert.equal(formatNumber(value), text);
  const shares: [number, string][] = [[0.19, '19%'], [0.004, '0.4%'], [0.00001, '<0.1%'], [0.9999, '>99.9%'], [1, '100%']];
  for (const [value, text] of shares) assert.equal(formatShare(value), text);
});
