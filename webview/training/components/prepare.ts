import type { DataPreview, Prepared, PrepareChoice } from '../../../src/core/protocol/trainingPanel';
import { fill, h, setAttribute, setText, show } from '../../dom';
import { number } from '../../strings';
import { dataChoice } from '../choices';
import type { Desk } from '../desk';
import type { TrainingPart, TrainingStore } from '../store';
import { say } from '../strings';
import { field, problemOf } from './fields';

/** Most words that can be kept, and the largest seed. */
const mostWords = 100_000;
const largestSeed = 4_294_967_295;

/** Cleans and splits the rows into files of their own: folded away, since a file that is good as it is needs none of it. */
export function prepareView(store: TrainingStore, desk: Desk): TrainingPart {
  const values = h('div', { class: 'table-scroll' });
  const valuesSection = h('div', { class: 'field' }, h('span', { class: 'legend' }, say('labelValues')), h('p', { class: 'faint' }, say('labelValuesHelp')), values);
  const dropContradictory = checkbox('drop-contradictory', say('dropContradictory'), false);
  const dropRepeats = checkbox('drop-repeats', say('dropRepeats'), true);
  const words = h('input', { type: 'text', inputmode: 'numeric', id: 'keep-words', class: 'short', placeholder: say('all') });
  const wordsProblem = problemOf(words);
  const shares = (['train', 'valid', 'test'] as const).map((part) => ({ part, input: h('input', { type: 'text', inputmode: 'decimal', id: `share-${part}`, class: 'short', value: { train: '80', valid: '10', test: '10' }[part] }) }));
  const partNames = { train: say('partTrain'), valid: say('partValid'), test: say('partTest') };
  const sharesProblem = h('p', { class: 'problem', id: 'shares-problem' });
  const seed = h('input', { type: 'text', inputmode: 'numeric', id: 'split-seed', class: 'short', value: '1' });
  const seedProblem = problemOf(seed);
  const write = h('button', { type: 'button', class: 'secondary', onclick: () => void begin() }, say('writeFiles'));
  const outcome = h('div', { class: 'outcome', role: 'status' });
  let renamed = new Map<string, HTMLInputElement>();
  let shownLabels = '';

  function choiceNow(): PrepareChoice | undefined {
    const data = dataChoice(store.state);
    const kept = words.value.trim() === '' ? undefined : Number(words.value);
    const wordsAreRight = kept === undefined || (Number.isInteger(kept) && kept >= 1 && kept <= mostWords);
    wordsProblem.set(wordsAreRight ? undefined : say('wordsProblem', mostWords));
    const [train = NaN, valid = NaN, test = NaN] = shares.map(({ input }) => (input.value.trim() === '' ? NaN : Number(input.value) / 100));
    const sharesAreRight = [train, valid, test].every((share) => share >= 0 && share <= 1) && train > 0 && Math.abs(train + valid + test - 1) < 1e-9;
    setText(sharesProblem, sharesAreRight ? '' : say('sharesProblem'));
    for (const { input } of shares) {
      setAttribute(input, 'aria-invalid', !sharesAreRight && 'true');
      setAttribute(input, 'aria-describedby', sharesProblem.id);
    }
    const start = seed.value.trim() === '' ? NaN : Number(seed.value);
    const seedIsRight = Number.isInteger(start) && start >= 0 && start <= largestSeed;
    seedProblem.set(seedIsRight ? undefined : say('seedProblem', largestSeed));
    if (!data || !wordsAreRight || !sharesAreRight || !seedIsRight) return undefined;
    const labelValues = [...renamed].flatMap(([from, { value }]) => (value.trim() === from ? [] : [{ from, to: value.trim() }]));
    return { data, labelValues, dropContradictory: dropContradictory.input.checked, ...(kept === undefined ? {} : { words: kept }), dropRepeats: dropRepeats.input.checked, shares: { train, valid, test }, seed: start };
  }

  async function begin(): Promise<void> {
    const choice = choiceNow();
    if (!choice) {
      element.querySelector<HTMLElement>('[aria-invalid]')?.focus();
      return;
    }
    write.disabled = true;
    setText(outcome, say('oneMoment'));
    await desk.prepare(choice);
    write.disabled = false;
  }

  function showValues(preview: DataPreview): void {
    renamed = new Map(preview.labels.map(({ label }, index) => [label, h('input', { type: 'text', value: label, maxlength: 200, 'aria-labelledby': `becomes rename-${index}` })]));
    fill(
      values,
      h(
        'table',
        { class: 'label-values' },
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, say('valueInFile')), h('th', { scope: 'col' }, say('rows')), h('th', { scope: 'col', id: 'becomes' }, say('becomes')))),
        h('tbody', {}, ...preview.labels.map(({ label, rows }, index) => h('tr', {}, h('th', { scope: 'row', id: `rename-${index}` }, h('bdi', {}, label)), h('td', {}, number(rows)), h('td', {}, renamed.get(label))))),
      ),
    );
  }

  const element = h(
    'details',
    { class: 'prepare' },
    h('summary', {}, say('prepare')),
    h(
      'div',
      { class: 'stack' },
      h('p', { class: 'faint' }, say('prepareHelp')),
      valuesSection,
      h('div', { class: 'field' }, dropRepeats.element, dropContradictory.element),
      field(words, say('keepWords'), wordsProblem.element),
      h('fieldset', { class: 'shares' }, h('legend', {}, say('shares')), ...shares.map(({ part, input }) => field(input, partNames[part])), sharesProblem),
      field(seed, say('seed'), seedProblem.element),
      h('div', { class: 'buttons' }, write),
      outcome,
    ),
  );
  element.addEventListener('input', () => {
    // only what was found wrong is looked at again with every key
    if (element.querySelector('[aria-invalid]')) choiceNow();
  });

  return {
    element,
    update(state, before) {
      const { preview } = state;
      const labels = JSON.stringify(preview?.labels ?? []);
      if (preview && labels !== shownLabels) {
        shownLabels = labels;
        showValues(preview);
      }
      show(valuesSection, state.form.kind !== 'number' && renamed.size > 0);
      if (state.prepared !== before.prepared) fill(outcome, ...(state.prepared ? [outcomeOf(state.prepared, desk, partNames)] : []));
    },
  };
}

function outcomeOf({ files, dropped }: Prepared, desk: Desk, partNames: Readonly<Record<string, string>>): HTMLElement {
  const list = files.map(({ id, name, rows, part }) =>
    h('li', {}, h('strong', {}, name), h('span', { class: 'faint' }, say('preparedFile', partNames[part] ?? part, rows)), part === 'train' && h('button', { type: 'button', class: 'link', onclick: () => void desk.useTable(id) }, say('trainOnThis')), part === 'valid' && h('button', { type: 'button', class: 'link', onclick: () => void desk.useHeldOut(id) }, say('holdOutThis'))),
  );
  return h('div', {}, h('ul', { class: 'prepared' }, ...list), dropped > 0 && h('p', { class: 'faint' }, say('droppedRows', dropped)));
}

function checkbox(id: string, text: string, checked: boolean): { readonly element: HTMLElement; readonly input: HTMLInputElement } {
  const input = h('input', { type: 'checkbox', id, checked });
  return { element: h('div', { class: 'check' }, input, h('label', { for: id }, text)), input };
}
