import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNats, readAnswerKl, strengthOf, summaryOf, tokensOf } from '../../fi/report/page/src/answer_kl.ts';

test('a line an answer, each side with or without values', () => {
  assert.deepEqual(readAnswerKl('[[[4,2],[123,0]],null]\n[null,null]\n'), [
    { base: { lengths: [4, 2], nats: [1.23, 0] }, target: null },
    { base: null, target: null },
  ]);
  assert.deepEqual(readAnswerKl(''), []);
});

test('tokens are cut from the text, or not at all', () => {
  assert.deepEqual(tokensOf('Step 👍', { lengths: [4, 3], nats: [1, 2] }), [
    { text: 'Step', nats: 1 },
    { text: ' 👍', nats: 2 },
  ]);
  assert.equal(tokensOf('Step 12', { lengths: [4, 2], nats: [1, 2] }), null);
  assert.equal(tokensOf('Step', { lengths: [4, 1], nats: [1, 2] }), null);
});

test('colours grow with the logarithm and end at five nats', () => {
  assert.equal(strengthOf(0), 0);
  assert.equal(strengthOf(-1), 0);
  assert.equal(strengthOf(5), 1);
  assert.equal(strengthOf(60), 1);
  const strengths = [0.01, 0.1, 0.3, 1, 3].map(strengthOf);
  assert.deepEqual([...strengths].sort((a, b) => a - b), strengths);
  assert.ok(strengthOf(0.01) < 0.05 && strengthOf(0.3) > 0.3);
});

test('a summary names the largest', () => {
  const tokens = [{ text: ' Step', nats: 2.1 }, { text: '\n', nats: 0.001 }, { text: ':', nats: 1 }];
  assert.equal(summaryOf(tokens), 'mean 1.03 nats over 3 tokens; largest at “␣Step” (2.10 nats), “:” (1.00 nat)');
  assert.equal(summaryOf([{ text: 'a', nats: 0 }]), 'mean 0.00 nats over 1 token');
  assert.equal(formatNats(0.003), '<0.01 nats');
});
