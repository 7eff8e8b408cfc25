import { h, setText, show } from '../../dom';
import { heldOutFileProblem, heldOutShare } from '../choices';
import type { Desk } from '../desk';
import type { TrainingPart } from '../store';
import { say } from '../strings';
import { field, problemOf, setValue } from './fields';

/** What the model is checked with: a share of the rows, or the rows of another file. */
export function heldOutView(desk: Desk): TrainingPart {
  const byShare = h('input', { type: 'radio', name: 'held-out-from', id: 'held-out-share', onchange: () => desk.change({ heldOutIsFile: undefined }) });
  const byFile = h('input', { type: 'radio', name: 'held-out-from', id: 'held-out-file', onchange: () => desk.change({ heldOutIsFile: true }) });
  const share = h('input', { type: 'text', inputmode: 'decimal', id: 'held-out', class: 'short', oninput: () => desk.change({ heldOut: share.value }) });
  const shareProblem = problemOf(share, 'held-out-help');
  const shareField = field(share, say('heldOut'), shareProblem.element);
  const name = h('p', { class: 'chosen-file', id: 'held-out-name' });
  const fileProblem = h('p', { class: 'problem', id: 'held-out-file-problem', role: 'alert' });
  const choose = h('button', { type: 'button', id: 'choose-held-out', class: 'secondary', 'aria-describedby': 'held-out-name held-out-file-help held-out-file-problem', onclick: () => void desk.chooseHeldOut() }, say('chooseHeldOut'));
  const file = h('div', { class: 'field' }, name, h('p', { class: 'faint', id: 'held-out-file-help' }, say('heldOutFileHelp')), fileProblem, h('div', { class: 'buttons' }, choose));

  return {
    element: h(
      'fieldset',
      { class: 'choices' },
      h('legend', {}, say('heldOutTitle')),
      h('p', { class: 'faint', id: 'held-out-help' }, say('heldOutHelp')),
      ...([[byShare, 'heldOutShare'], [byFile, 'heldOutFile']] as const).map(([input, key]) => h('div', { class: 'choice' }, input, h('label', { for: input.id }, say(key)))),
      shareField,
      file,
    ),
    update(state) {
      const { form, heldOutTable } = state;
      const isFile = form.heldOutIsFile === true;
      byShare.checked = !isFile;
      byFile.checked = isFile;
      show(shareField, !isFile);
      setValue(share, form.heldOut);
      shareProblem.set(heldOutShare(form.heldOut) === undefined ? say('heldOutProblem') : undefined);
      show(file, isFile);
      setText(name, heldOutTable?.name ?? say('noFile'));
      setText(fileProblem, isFile ? (heldOutFileProblem(state) ?? '') : '');
    },
  };
}
