import * as assert from 'node:assert';
import {
  annotationOf, coverageOf, guessOfPrediction, labelByKey, labelChoices, lensParts, type AnnotatingTask, type AnnotationContext, type PlacedText,
} from '../../../src/app/labeling/textAnnotation';
import type { Prediction } from '../../../src/app/prediction';
import type { Label, TaskDefinition } from '../../../src/core/labels/task';
import type { ExampleState, Guess, StaleState } from '../../../src/core/labels/view';

const labels: readonly Label[] = [
  { id: 'pos', name: 'positive', color: 5, key: '1' },
  { id: 'neg', name: 'Negative', color: 2, key: '2' },
  { id: 'old', name: 'bad', color: 1, mergedInto: 'neg' },
];
const definition: TaskDefinition = { formatVersion: 1, name: 'reviews', kind: 'single', labels, sources: [{ kind: 'table', file: 'data/reviews.csv', textColumns: ['text'] }] };

interface Known {
  readonly state?: ExampleState;
  readonly guess?: Guess;
  readonly stale?: StaleState;
  readonly kind?: TaskDefinition['kind'];
}

function taskWith({ state, guess, stale, kind = 'single' }: Known): AnnotatingTask {
  return { definition: { ...definition, kind }, labels: labels.slice(0, 2), stateOf: () => state, guessOf: () => guess, staleAt: () => stale };
}

function predictionOf(labels: readonly string[], scores: readonly number[], kind: Prediction['kind'] = 'single'): Prediction {
  return { model: { key: 'k', name: 'sentiment', version: '1.0.0' }, kind, labels, scores, tokens: 3 };
}

const place: PlacedText = { text: 'A lovely day', id: 'a'.repeat(32), source: { file: 'data/reviews.csv', row: 1 } };
const calm: AnnotationContext = { covered: true, failed: false, stands: () => false };
const mine: ExampleState = { status: 'labeled', value: 'pos', annotator: 'mei', at: '2026-11-20T20:00:00.000Z', others: [] };
const earlier: StaleState = { ...mine, example: 'b'.repeat(32) };

describe('annotationOf', () => {
  it('is the model’s word alone without a task, and asks for it', () => {
    assert.deepStrictEqual(annotationOf(undefined, place, { ...calm, covered: false }), { awaits: true, labelable: false });
    assert.strictEqual(annotationOf(undefined, place, { ...calm, covered: false, failed: true }).awaits, false);
    const { guess, awaits } = annotationOf(undefined, place, { ...calm, covered: false, prediction: predictionOf(['negative', 'positive'], [0.1, 0.9]) });
    assert.strictEqual(awaits, false);
    assert.deepStrictEqual(guess?.chosen, [{ id: 'positive', name: 'positive', style: 1, score: 0.9 }]);
    assert.strictEqual(guess.value, undefined);
  });

  it('shows a decision with the label’s present name, and needs no guess', () => {
    const { decision, awaits } = annotationOf(taskWith({ state: { ...mine, value: 'old' } }), place, calm);
    assert.deepStrictEqual(decision?.labels, [{ id: 'neg', name: 'Negative', style: 2 }]);
    assert.strictEqual(decision.stale, false);
    assert.strictEqual(awaits, false);
  });

  it('shows what others decided, but not what they cleared', () => {
    const others = [{ annotator: 'jon', status: 'labeled', value: 'neg' }, { annotator: 'ada', status: 'cleared' }] as const;
    const { decision } = annotationOf(taskWith({ state: { ...mine, others } }), place, calm);
    assert.deepStrictEqual(decision?.others.map(({ annotator, labels }) => [annotator, labels[0]?.name]), [['jon', 'Negative']]);
  });

  it('holds a text for undecided that was cleared, whatever was decided about it before', () => {
    assert.strictEqual(annotationOf(taskWith({ state: { ...mine, status: 'cleared' }, stale: earlier }), place, calm).decision, undefined);
  });

  it('calls a decision stale whose text was edited, not one whose text moved', () => {
    const task = taskWith({ stale: earlier });
    assert.strictEqual(annotationOf(task, place, calm).decision?.stale, true);
    assert.strictEqual(annotationOf(task, place, { ...calm, stands: (example) => example === earlier.example }).decision, undefined);
    assert.strictEqual(annotationOf(task, { text: place.text, id: place.id }, calm).decision, undefined, 'a place that cannot be found again');
  });

  it('finds the decision of an edited text by where the text stood in this window, wherever the journal says it was', () => {
    const task: AnnotatingTask = { ...taskWith({}), stateOf: (id) => (id === earlier.example ? mine : undefined) };
    assert.strictEqual(annotationOf(task, place, { ...calm, anchored: () => earlier.example }).decision?.stale, true);
    assert.strictEqual(annotationOf(task, place, { ...calm, anchored: () => 'c'.repeat(32) }).decision, undefined, 'a decision that was undone');
  });

  it('takes the task’s own guess before the model’s word', () => {
    const guess: Guess = { scores: [0.2, 0.8], value: 'neg', confidence: 0.8 };
    const annotation = annotationOf(taskWith({ guess }), place, { ...calm, prediction: predictionOf(['negative', 'positive'], [0.1, 0.9]) });
    assert.deepStrictEqual(annotation.guess?.chosen, [{ id: 'neg', name: 'Negative', style: 2, score: 0.8 }]);
    assert.strictEqual(annotation.guess.value, 'neg');
    assert.strictEqual(annotation.guess.model, undefined);
  });

  it('shows the model’s word in the task’s names and colours, ready to be accepted', () => {
    const { guess } = annotationOf(taskWith({}), place, { ...calm, prediction: predictionOf(['negative', 'positive'], [0.1, 0.9]) });
    assert.deepStrictEqual(guess?.scores, [
      { id: 'pos', name: 'positive', style: 5, score: 0.9 },
      { id: 'neg', name: 'Negative', style: 2, score: 0.1 },
    ]);
    assert.strictEqual(guess.value, 'pos');
  });

  it('neither shows nor asks for a word about another question where the task asks', () => {
    const model = { kind: 'single', labels: ['sports', 'politics'] } as const;
    const prediction = predictionOf(model.labels, [0.3, 0.7]);
    assert.deepStrictEqual(annotationOf(taskWith({}), place, { ...calm, model, prediction }), { awaits: false, labelable: true });
    const elsewhere = annotationOf(taskWith({}), place, { ...calm, covered: false, model, prediction });
    assert.strictEqual(elsewhere.guess?.chosen[0]?.name, 'politics');
    assert.strictEqual(elsewhere.guess.value, undefined, 'nothing to accept');
  });

  it('shows what a threshold chooses, however probable the other label is, and accepts that', () => {
    const { guess } = annotationOf(taskWith({}), place, { ...calm, prediction: { ...predictionOf(['negative', 'positive'], [0.7, 0.3]), threshold: 0.25 } });
    assert.deepStrictEqual([guess?.chosen.map(({ id }) => id), guess?.scores[0]?.id, guess?.value], [['pos'], 'neg', 'pos']);
  });

  it('shows the number of a joint model beside its label, which alone is an answer', () => {
    const joint: Prediction = { ...predictionOf(['negative', 'positive'], [0.1, 0.9]), value: 4.2, valueName: 'stars' };
    const guess = guessOfPrediction(joint, taskWith({}));
    assert.deepStrictEqual([guess.chosen[0]?.name, guess.number, guess.numberName, guess.value], ['positive', 4.2, 'stars', 'pos']);
    assert.strictEqual(guessOfPrediction(predictionOf(['negative', 'positive'], [0.1, 0.9])).number, undefined);
  });

  it('answers a task of several labels with all that are more probable than not, and a number with a number', () => {
    const several = guessOfPrediction(predictionOf(['negative', 'positive'], [0.6, 0.9], 'multi'), taskWith({ kind: 'multi' }));
    assert.deepStrictEqual(several.value, ['pos', 'neg']);
    const number = guessOfPrediction(predictionOf([], [3.5], 'number'), taskWith({ kind: 'number' }));
    assert.deepStrictEqual([number.value, number.number, number.chosen], [3.5, 3.5, []]);
    assert.strictEqual(guessOfPrediction(predictionOf([], [3.5], 'number'), taskWith({})).value, undefined);
  });
});

describe('lensParts', () => {
  const annotate = (known: Known, context: Partial<AnnotationContext> = {}): readonly string[] => lensParts(annotationOf(taskWith(known), place, { ...calm, ...context }), true);
  const prediction = predictionOf(['negative', 'positive'], [0.1, 0.9]);

  it('offers to accept a guess, to change a decision, to confirm a stale one', () => {
    assert.deepStrictEqual(lensParts(annotationOf(undefined, place, calm), true), ['state']);
    assert.deepStrictEqual(annotate({}, { prediction }), ['state', 'accept', 'label']);
    assert.deepStrictEqual(annotate({}), ['state', 'accept', 'label'], 'a guess that is still to come');
    assert.deepStrictEqual(annotate({ state: mine }), ['state', 'change']);
    assert.deepStrictEqual(annotate({ state: { ...mine, status: 'skipped' } }), ['state', 'label']);
    assert.deepStrictEqual(annotate({ stale: earlier }, { prediction }), ['state', 'confirm', 'label']);
  });

  it('offers a label where no guess can come, and no acceptance of what is no answer', () => {
    assert.deepStrictEqual(annotate({}, { failed: true }), ['label']);
    assert.deepStrictEqual(annotate({}, { covered: false, prediction: predictionOf(['sports'], [1]) }), ['state', 'label']);
    assert.deepStrictEqual(lensParts({ awaits: true, labelable: true }, false), ['state', 'label']);
  });
});

describe('labelChoices', () => {
  const doing = (known: Known, context: Partial<AnnotationContext> = {}): readonly string[] => {
    const task = taskWith(known);
    return labelChoices(task, annotationOf(task, place, { ...calm, ...context })).map((choice) => (choice.do === 'label' ? `label ${choice.label.id}` : choice.do));
  };

  it('lead with the guess for one text, and offer nothing that is so already', () => {
    const prediction = predictionOf(['negative', 'positive'], [0.1, 0.9]);
    assert.deepStrictEqual(doing({}, { prediction }), ['accept', 'label pos', 'label neg', 'choose', 'skip', 'flag']);
    assert.deepStrictEqual(doing({ state: mine }, { prediction }), ['label neg', 'choose', 'clear', 'skip', 'flag']);
    assert.deepStrictEqual(doing({ state: { ...mine, status: 'flagged' } }), ['label pos', 'label neg', 'choose', 'clear', 'skip']);
    assert.deepStrictEqual(doing({ stale: earlier }), ['confirm', 'label pos', 'label neg', 'choose', 'clear', 'skip', 'flag']);
  });

  it('are the same for all of several texts', () => {
    assert.deepStrictEqual(labelChoices(taskWith({}), undefined).map((choice) => choice.do), ['label', 'label', 'choose', 'clear', 'skip', 'flag']);
  });

  it('decide with a list in a task of several labels, and list no label for a number', () => {
    const [first] = labelChoices(taskWith({ kind: 'multi' }), undefined);
    assert.deepStrictEqual(first?.do === 'label' && first.value, ['pos']);
    assert.deepStrictEqual(labelChoices(taskWith({ kind: 'number' }), undefined).map((choice) => choice.do), ['choose', 'clear', 'skip', 'flag']);
  });
});

describe('coverageOf', () => {
  const text = { kind: 'folder', unit: 'paragraph' } as const;
  for (const [sources, file, expected] of [
    [definition.sources, 'data/reviews.csv', { kind: 'table', textColumns: ['text'] }],
    [[{ kind: 'table', file: './data/reviews.csv', textColumns: ['text'] }], 'data/reviews.csv', { kind: 'table', textColumns: ['text'] }],
    [definition.sources, 'reviews.csv', undefined],
    [[{ ...text, folder: 'notes' }], 'notes/deep/a.txt', { kind: 'text', unit: 'paragraph' }],
    [[{ ...text, folder: 'notes/' }], 'notes2/a.txt', undefined],
    [[{ ...text, folder: '.' }], 'a.txt', { kind: 'text', unit: 'paragraph' }],
  ] as const) {
    it(`${JSON.stringify(sources[0])} and ${file}: ${JSON.stringify(expected)}`, () => assert.deepStrictEqual(coverageOf({ sources }, file), expected));
  }
});

describe('labelByKey', () => {
  it('finds a label by its key, but leaves the key alone if a name begins with it', () => {
    const list: readonly Label[] = [
      { id: 'a', name: 'angry', color: 0, key: '1' },
      { id: 'b', name: 'calm', color: 1, key: 'a' },
      { id: 'c', name: '2 stars', color: 2, key: 'x' },
      { id: 'd', name: 'plain', color: 3, key: '2' },
    ];
    assert.deepStrictEqual(['1', 'a', 'X', '2', '', 'calm'].map((typed) => labelByKey(list, typed)?.id), ['a', undefined, 'c', undefined, undefined, undefined]);
  });
});
