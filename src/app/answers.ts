import type { DecisionValue } from '../core/labels/decision';
import { answerOfCell } from '../core/labels/importFormats';
import { parseLabelList } from '../core/labels/labelCells';
import type { TaskKind } from '../core/model/onnxWriter';
import type { LabeledText } from './labeledRows';

/** What a row of a labelled file answers. @throws HumanError `import.number` where a number is wanted and there is none */
export function answerOfRow({ label, row }: Pick<LabeledText, 'label' | 'row'>, { kind, file, labelColumn }: { readonly kind: TaskKind; readonly file: string; readonly labelColumn: string }): DecisionValue {
  if (kind === 'single') return label;
  if (kind === 'multi') return parseLabelList(label);
  // rows have labels, so there is an answer
  return answerOfCell(label, kind, ';', { file, row, column: labelColumn })!;
}
